package traffic

import (
	"fmt"
	"slices"
	"strings"
)

// reading is an answer in its parts: what was said, by whichever port, and whether the certificate was for another name. Who did not get
// through, for the port is closed or speaks another protocol, was told nothing.
type reading struct {
	said   string
	astray bool
}

func read(answer string) reading {
	said, astray := strings.CutSuffix(answer, noTrust)
	if strings.HasPrefix(said, noConnection) || said == "400 text/html" {
		return reading{}
	}
	for _, port := range doors() {
		said = strings.Replace(said, fmt.Sprintf(".example.com:%d/", port), ".example.com/", 1)
	}
	return reading{said, astray}
}

// silent tells whether nothing was said.
func (r reading) silent() bool { return r.said == "" }

// ofPod tells whether a pod answered.
func (r reading) ofPod() bool {
	pod, _, answered := strings.Cut(r.said, ": ")
	return answered && !strings.Contains(pod, " ")
}

// peer is the same request by the other protocol.
func (a ask) peer() ask {
	if to := strings.Replace(a.to, " http:", " https:", 1); to != a.to {
		return ask{to: to}
	}
	return ask{to: strings.Replace(a.to, " https:", " http:", 1)}
}

// change is an answer to a request while a plan is applied, and those before and after; peers are those by the other protocol.
type change struct {
	got, was, is    reading
	peerWas, peerIs reading
	// usual says that the port is one that clients leave out of the Host of one protocol.
	usual bool
}

// The excuses, each a sentence of docs/design/planning.md.
const (
	asBeforeOrAfter = "no connection, as before or after"
	firstRule       = "first rule for what nobody answered"
	newPort         = "a new port has no rules at first"
	oldByNew        = "the old answer by the new protocol"
	newByOld        = "the new answer by the old protocol"
	defaultFirst    = "the default certificate first, where TLS is new"
	otherHost       = "port 80 or 443 changes its protocol, and with it the Host of clients"
	oneByOne        = "answer and certificate change one after the other"
	exposed         = "exposed, as the plan says"
)

// unavoided excuses what docs/design/planning.md says of a listener ("Listeners"): what it speaks, its certificates and its answers change one
// after the other, and one that is new has no rules at first.
func unavoided(a ask, answer string, old, now map[ask]string) string {
	c := change{
		got: read(answer), was: read(old[a]), is: read(now[a]), peerWas: read(old[a.peer()]), peerIs: read(now[a.peer()]),
		usual: strings.Contains(a.to, ":80/") || strings.Contains(a.to, ":443/"),
	}
	if c.got.silent() {
		if c.was.silent() || c.is.silent() {
			return asBeforeOrAfter
		}
		return ""
	}
	said, ok := c.said()
	if !ok {
		return ""
	}
	shown, ok := c.shown()
	switch {
	case !ok:
		return ""
	case said == "" && shown == "":
		return oneByOne
	}
	return strings.Join(slices.DeleteFunc([]string{said, shown}, func(s string) bool { return s == "" }), "; ")
}

// said is the excuse of what was said, empty where it needs none.
func (c change) said() (excuse string, ok bool) {
	switch c.got.said {
	case c.was.said, c.is.said:
		return "", true
	case c.peerWas.said:
		if c.was.silent() && !c.is.silent() {
			return oldByNew, true
		}
	case c.peerIs.said:
		if c.is.silent() && !c.was.silent() {
			return newByOld, true
		}
	}
	return c.unready()
}

// unready is the excuse of what a load balancer says itself in the place of others.
func (c change) unready() (excuse string, ok bool) {
	before, after := c.was, c.is
	if before.silent() {
		before = c.peerWas
	}
	if after.silent() {
		after = c.peerIs
	}
	missed := c.got.said == noTargets && after.ofPod()
	switch {
	case before.silent() && !c.is.silent() && (c.got.said == nobodyHome || missed):
		return newPort, true
	case before.said == nobodyHome && missed:
		return firstRule, true
	case c.usual && c.was.silent() != c.is.silent() && !before.silent() && !after.silent():
		return otherHost, true
	}
	return "", false
}

// shown is the excuse of the certificate, empty where it needs none.
func (c change) shown() (excuse string, ok bool) {
	switch {
	case !c.was.silent() && c.got.astray == c.was.astray, !c.is.silent() && c.got.astray == c.is.astray:
		return "", true
	case c.was.silent() && c.got.astray:
		return defaultFirst, true
	}
	return "", false
}

// replaced excuses nothing but ports that are closed before or after: a load balancer that takes the place of another one is whole before
// anybody hears of it.
func replaced(a ask, answer string, old, now map[ask]string) string {
	if read(answer).silent() && (read(old[a]).silent() || read(now[a]).silent()) {
		return asBeforeOrAfter
	}
	return ""
}

// exposure is what a plan says of requests that may be lost: those for hosts, or who asks for hosts on a port with TLS.
type exposure struct {
	hosts []string
	// answer is what they may meet; empty is anything.
	answer string
	// port at which certificates are of other names, zero where it is about answers.
	port string
	// opened is a port to which those are admitted for a while who were to others.
	opened string
}

// exposures are those that plans name.
func exposures(plans string, namesOf func(certificate string) []string) []exposure {
	var out []exposure
	for line := range strings.Lines(plans) {
		_, text, ok := strings.Cut(strings.TrimSpace(line), "! exposed: ")
		if !ok {
			continue
		}
		if _, rest, ok := strings.Cut(text, "a rule for "); ok {
			hosts, _, _ := strings.Cut(rest, " goes before")
			out = append(out, exposure{hosts: strings.Split(hosts, ", ")})
		}
		if _, rest, ok := strings.Cut(text, "requests for "); ok {
			hosts, meet, _ := strings.Cut(rest, " may meet ")
			e := exposure{hosts: strings.Split(hosts, ", ")}
			if strings.HasPrefix(meet, "503") {
				e.answer = noTargets
			}
			out = append(out, e)
		}
		if _, rest, ok := strings.Cut(text, "so port "); ok {
			port, _, _ := strings.Cut(rest, " is opened")
			out = append(out, exposure{opened: port})
		}
		if _, rest, ok := strings.Cut(text, "on port "); ok {
			port, rest, _ := strings.Cut(rest, " that of ")
			names, _, _ := strings.Cut(rest, " goes before")
			out = append(out, exposure{hosts: namesOf(names), port: port})
		}
	}
	return out
}

// excuses tells whether a plan named who meets an answer.
func (e exposure) excuses(a ask, answer string, old, now map[ask]string) bool {
	host, got := a.host(), read(answer)
	if !slices.ContainsFunc(e.hosts, func(pattern string) bool { return coversHost(pattern, host) }) {
		return false
	}
	if e.port != "" {
		return got.astray && strings.Contains(a.to, ":"+e.port+"/") && (got.said == read(old[a]).said || got.said == read(now[a]).said)
	}
	return !got.silent() && (e.answer == "" || got.said == e.answer)
}

func (a ask) host() string {
	_, rest, _ := strings.Cut(a.to, "://")
	host, _, _ := strings.Cut(rest, ":")
	return host
}

// coversHost tells whether a host name, one with a wildcard, or "every host" is meant.
func coversHost(pattern, host string) bool {
	suffix, wild := strings.CutPrefix(pattern, "*")
	return pattern == "every host" || pattern == host || wild && strings.HasSuffix(host, suffix)
}
