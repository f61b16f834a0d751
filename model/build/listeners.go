package build

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Protocols of an application load balancer's listeners.
const (
	protocolHTTP  = "HTTP"
	protocolHTTPS = "HTTPS"
)

// port is one listener, merged over the members that ask for it.
type port struct {
	number   int
	protocol string
	// members in order of precedence; the first one's policy, ranges and default answer count.
	members    []*intent.Fragment
	owner      model.ObjectRef
	certs      []model.ARN
	policy     asked[string]
	cidrs      asked[[]string]
	prefixes   asked[[]string]
	attributes map[string]string
	answer     []model.Action
	answeredBy *intent.Route
	redirects  bool
	rules      []model.Rule
	contents   map[model.Content]bool
}

// asked is a value with the place that asked for it.
type asked[T any] struct {
	value T
	by    model.ObjectRef
}

// usage counts what AWS limits for one load balancer.
type usage struct {
	rules, extraCertificates int
	groups                   map[string]bool
}

// ports are the listeners of the load balancer by number. What two members say differently about one of them is settled in favour of
// the first in precedence.
type ports struct {
	by map[int]*port
	// lost are the ports that a member asked for and did not get, by the index of its fragment.
	lost []map[int]bool
}

func (b *builder) ports(s settings) ports {
	p := ports{by: map[int]*port{}, lost: make([]map[int]bool, len(b.fragments))}
	for i, f := range b.fragments {
		p.lost[i] = map[int]bool{}
		for j := range f.Listeners {
			l := &f.Listeners[j]
			if !b.join(p, i, l) {
				p.lost[i][l.Port] = true
			}
		}
	}
	for _, n := range slices.Sorted(maps.Keys(p.by)) {
		one := p.by[n]
		one.redirects = s.redirect != nil && one.protocol == protocolHTTP && s.redirect.Settings.SSLRedirectPort != n
		if one.protocol == protocolHTTPS && len(one.certs) == 0 {
			delete(p.by, n)
		}
	}
	b.answers(p, s)
	return p
}

// join adds what the i-th member says of a port; false when it does not get the port.
func (b *builder) join(p ports, i int, l *intent.Listener) bool {
	f := b.fragments[i]
	at := listenerPlace(f, l)
	if l.Port < 1 || l.Port > 65535 || l.Protocol != protocolHTTP && l.Protocol != protocolHTTPS {
		b.wrong(at, "InvalidListener", "%s:%d is no listener; the protocol is HTTP or HTTPS and the port 1 to 65535", l.Protocol, l.Port)
		return false
	}
	one := p.by[l.Port]
	if one == nil {
		if len(p.by) >= b.quotas.ListenersPerLoadBalancer {
			b.overQuota(at, "listener on port "+strconv.Itoa(l.Port), "listeners", b.quotas.ListenersPerLoadBalancer)
			return false
		}
		one = &port{number: l.Port, protocol: l.Protocol, owner: f.Member, attributes: map[string]string{},
			contents: map[model.Content]bool{}}
		p.by[l.Port] = one
	}
	if one.protocol != l.Protocol {
		b.wrong(at, "PortConflict", "port %d is %s for %s already; one port speaks one protocol", l.Port, one.protocol, one.owner)
		return false
	}
	if !slices.Contains(one.members, f) {
		one.members = append(one.members, f)
	}
	b.describe(one, f, l)
	return true
}

func listenerPlace(f *intent.Fragment, l *intent.Listener) place {
	if l.Field != "" {
		return place{f.Member, l.Field}
	}
	return place{f.Member, "listeners"}
}

func (b *builder) describe(one *port, f *intent.Fragment, l *intent.Listener) {
	at := listenerPlace(f, l)
	if l.Protocol == protocolHTTPS {
		b.addCertificates(one, at, b.certificates(at, l))
		if l.SSLPolicy != "" {
			take(b, &one.policy, l.SSLPolicy, l.SSLPolicy, at, one.number)
		}
	}
	if len(l.InboundCIDRs) > 0 {
		cidrs := b.usableCIDRs(at, l.InboundCIDRs)
		take(b, &one.cidrs, cidrs, "CIDRs "+strings.Join(cidrs, ","), at, one.number)
	}
	if len(l.PrefixLists) > 0 {
		lists := slices.Compact(slices.Sorted(slices.Values(l.PrefixLists)))
		take(b, &one.prefixes, lists, "prefix lists "+strings.Join(lists, ","), at, one.number)
	}
	for _, k := range slices.Sorted(maps.Keys(l.Attributes)) {
		if old, taken := one.attributes[k]; taken && old != l.Attributes[k] {
			b.wrong(at, "ConflictingSetting", "the attribute %s=%s of port %d conflicts with %s, which another member set first", k, l.Attributes[k],
				one.number, old)
			continue
		}
		one.attributes[k] = l.Attributes[k]
	}
}

// take keeps the first value that is asked for a port. A different one later is its owner's mistake.
func take[T any](b *builder, into *asked[T], value T, text string, at place, number int) {
	if into.by == (model.ObjectRef{}) {
		into.value, into.by = value, at.object
		return
	}
	if !equalText(into.value, value) {
		b.wrong(at, "ConflictingSetting", "%s conflicts with what %s asks for on port %d; use the same value or another port", text, into.by, number)
	}
}

func equalText(a, b any) bool {
	x, isList := a.([]string)
	y, alsoList := b.([]string)
	if isList && alsoList {
		return slices.Equal(x, y)
	}
	return a == b
}

// answers settles what each port does with a request that no rule matches.
func (b *builder) answers(p ports, s settings) {
	for _, n := range slices.Sorted(maps.Keys(p.by)) {
		one := p.by[n]
		if one.redirects {
			one.answer = []model.Action{redirectTo(s.redirect.Settings.SSLRedirectPort)}
			continue
		}
		for _, f := range one.members {
			b.defaultAnswer(one, f)
		}
		if one.answer == nil {
			one.answer = []model.Action{fixed(404)}
		}
	}
}

func (b *builder) defaultAnswer(one *port, f *intent.Fragment) {
	for j := range f.Listeners {
		l := &f.Listeners[j]
		if l.Port != one.number || l.Protocol != one.protocol || l.Default == nil {
			continue
		}
		at := routePlace(f, l.Default)
		if one.answer != nil {
			if one.answeredBy != l.Default {
				b.wrong(at, "DefaultBackendConflict",
					"port %d has the default backend of another member already; only one member of a load balancer can have one a port", one.number)
			}
			continue
		}
		action, ok := b.action(f, l.Default, one)
		if !ok || !b.fits(action, at) {
			continue
		}
		one.answer, one.answeredBy = []model.Action{action}, l.Default
	}
}

func redirectTo(port int) model.Action {
	return model.Action{Type: model.ActionRedirect, Redirect: &model.Redirect{
		Protocol: protocolHTTPS, Host: keepHost, Port: strconv.Itoa(port), Path: keepPath, Query: keepQuery, StatusCode: "HTTP_301",
	}}
}

// listeners are the listeners of the stack.
func (b *builder) listeners(p ports) []model.Listener {
	var out []model.Listener
	for _, n := range slices.Sorted(maps.Keys(p.by)) {
		one := p.by[n]
		l := model.Listener{
			Port: n, Protocol: one.protocol, Certificates: one.certs, DefaultActions: one.answer, Rules: one.rules,
			Tags: b.tags(strconv.Itoa(n), b.mergeTags(one.members)),
		}
		if len(one.attributes) > 0 {
			l.Attributes = one.attributes
		}
		if one.protocol == protocolHTTPS {
			l.SSLPolicy = one.policy.value
			if l.SSLPolicy == "" {
				l.SSLPolicy = b.in.Defaults.SSLPolicy
			}
		}
		out = append(out, l)
	}
	return out
}

func (b *builder) overQuota(at place, what, of string, limit int) {
	b.report(at, model.Answered, "QuotaExceeded",
		"the "+what+" is left out: the load balancer has its "+strconv.Itoa(limit)+" "+of+" already; raise the quota or use another load balancer")
}
