package build

import (
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// port is one listener, merged over the members that ask for it.
type port struct {
	number   int
	protocol string
	// wishes in order of precedence, of those who get the port; members are theirs.
	wishes  []wish
	members []*intent.Fragment
	owner   model.ObjectRef
	certs   []model.ARN
	policy  string
	// restricted says that somebody named who may connect: the ranges and prefix lists.
	restricted      bool
	cidrs, prefixes []string
	attributes      map[string]string
	mutual          *model.MutualAuth
	// closed are the fragments whose routes answer 503 on the port, and closedToAll has everybody's answer so.
	closed      map[*intent.Fragment]bool
	closedToAll bool
	answer      []model.Action
	answeredBy  *intent.Route
	redirects   bool
	laid        []laid
	// redirecting are those of laid that redirect, and contents those that are there.
	redirecting []model.Rule
	contents    map[model.Content]bool
	// caseless are the first rules by their matches without regard to case.
	caseless map[string]answered
}

// wish is one listener that a member asks for, with those that it asked for on the port when it was last good.
type wish struct {
	// index of the fragment.
	index    int
	fragment *intent.Fragment
	listener *intent.Listener
	before   []*intent.Listener
}

func (w wish) place() place {
	if w.listener.Field != "" {
		return place{w.fragment.Member, w.listener.Field}
	}
	return place{w.fragment.Member, "listeners"}
}

// ranges and lists are where it is written who may connect, by address and by prefix list.
func (w wish) ranges() place { return w.written("inboundCIDRs") }
func (w wish) lists() place  { return w.written("prefixLists") }

// setting is something of which a port has one value.
type setting struct {
	// label stands before a value where a conflict is told, and field is its JSON name; empty for the listener itself.
	label, field string
	read         func(b *builder, w wish) (value string, asked bool)
}

// claim is what a wish says about a setting.
func (b *builder) claim(w wish, s setting) claim {
	value, asked := s.read(b, w)
	c := claim{value: value, asked: asked, at: w.written(s.field)}
	for _, l := range w.before {
		before, askedBefore := s.read(b.past, wish{fragment: w.fragment, listener: l})
		c.standing = c.standing || asked && askedBefore && before == value
	}
	return c
}

// ports are the listeners of the load balancer by number. What two members say differently about one of them is settled as [decide]
// says.
type ports struct {
	by map[int]*port
	// lost are the ports that a member asked for and did not get, by the index of its fragment; nil for none.
	lost []map[int]bool
}

// lose notes that the fragment of an index does not get a port.
func (p ports) lose(index, number int) {
	if p.lost[index] == nil {
		p.lost[index] = map[int]bool{}
	}
	p.lost[index][number] = true
}

func (b *builder) ports(s settings) ports {
	p := ports{by: map[int]*port{}, lost: make([]map[int]bool, len(b.fragments))}
	numbers, wishes := b.wishes(p)
	slices.SortStableFunc(numbers, func(m, n int) int { return standsFirst(b.listens(wishes[m]), b.listens(wishes[n])) })
	for _, n := range numbers {
		if len(p.by) < b.quotas.ListenersPerLoadBalancer || b.listens(wishes[n]) {
			p.by[n] = b.port(wishes[n], p)
			continue
		}
		for _, w := range wishes[n] {
			b.overQuota(w.place(), model.Answered, quotaListeners, excess{
				"the listener on port " + strconv.Itoa(n), len(p.by), b.quotas.ListenersPerLoadBalancer,
			})
			p.lose(w.index, n)
			b.left.listeners[w.listener] = true
		}
	}
	b.clients(p)
	b.certify(p)
	for _, one := range p.by {
		one.redirects = s.redirect != nil && one.protocol == protocolHTTP && s.redirect.Settings.SSLRedirectPort != one.number
	}
	b.answers(p, s)
	return p
}

// listens tells whether a port was served before. Of members of whom nothing is remembered it is what AWS holds.
func (b *builder) listens(wishes []wish) bool {
	return slices.ContainsFunc(wishes, func(w wish) bool {
		if b.before(w.fragment) == nil {
			return slices.ContainsFunc(b.in.Observed, func(l model.Listener) bool { return l.Port == w.listener.Port })
		}
		return slices.ContainsFunc(w.before, func(l *intent.Listener) bool { return !l.Left })
	})
}

// standsFirst puts what stands before what does not.
func standsFirst(a, c bool) int {
	switch {
	case a == c:
		return 0
	case a:
		return -1
	default:
		return 1
	}
}

// wishes are the listeners that members ask for, by port and in order of precedence, and the ports in that order.
func (b *builder) wishes(p ports) (numbers []int, by map[int][]wish) {
	by = map[int][]wish{}
	for i, f := range b.fragments {
		for j := range f.Listeners {
			w := wish{index: i, fragment: f, listener: &f.Listeners[j]}
			n := w.listener.Port
			if n < 1 || n > 65535 || w.listener.Protocol != protocolHTTP && w.listener.Protocol != protocolHTTPS {
				b.wrong(w.place(), "InvalidListener", "%s:%d is no listener; the protocol is HTTP or HTTPS and the port 1 to 65535", w.listener.Protocol, n)
				p.lose(i, n)
				continue
			}
			w.before = b.listenersBefore(f, n)
			if w.listener.Implied && b.unfounded(w) || b.unproven(w) {
				p.lose(i, n)
				continue
			}
			if by[n] == nil {
				numbers = append(numbers, n)
			}
			by[n] = append(by[n], w)
		}
	}
	// A part alone is no listener.
	numbers = slices.DeleteFunc(numbers, func(n int) bool {
		return allOf(by[n], intent.PartPort) || allOf(by[n], intent.PartCertificates)
	})
	return numbers, by
}

// allOf tells whether there is nothing but one part of a listener.
func allOf(wishes []wish, part intent.Part) bool {
	return !slices.ContainsFunc(wishes, func(w wish) bool { return w.listener.Only != part })
}

// listenersBefore are the listeners on a port that a member's last good fragment asked for.
func (b *builder) listenersBefore(f *intent.Fragment, port int) []*intent.Listener {
	before := b.before(f)
	if before == nil {
		return nil
	}
	var out []*intent.Listener
	for i := range before.Listeners {
		if before.Listeners[i].Port == port {
			out = append(out, &before.Listeners[i])
		}
	}
	return out
}

// port settles what a port is. Who asks for another protocol does not get it.
func (b *builder) port(wishes []wish, p ports) *port {
	one := &port{number: wishes[0].listener.Port, contents: map[model.Content]bool{}, closed: map[*intent.Fragment]bool{}}
	claims := make([]claim, len(wishes))
	for i, w := range wishes {
		claims[i] = b.claim(w, setting{read: func(_ *builder, w wish) (string, bool) { return w.listener.Protocol, true }})
	}
	won := decide(claims, "", func(lost, won claim) {
		b.wrong(lost.at, "PortConflict", "port %d is %s for %s already; one port speaks one protocol", one.number, won.value, won.at.object)
	})
	one.protocol, one.owner = claims[won].value, wishes[won].fragment.Member
	for i, w := range wishes {
		if claims[i].value != one.protocol {
			p.lose(w.index, one.number)
			continue
		}
		one.wishes = append(one.wishes, w)
		if !slices.Contains(one.members, w.fragment) {
			one.members = append(one.members, w.fragment)
		}
	}
	b.describe(one)
	return one
}

// describe settles the settings of a port.
func (b *builder) describe(one *port) {
	if one.protocol == protocolHTTPS {
		one.policy, _ = b.settle(one, setting{field: "sslPolicy", read: func(_ *builder, w wish) (string, bool) {
			return w.listener.SSLPolicy, w.listener.SSLPolicy != ""
		}})
	}
	cidrs, byRange := b.settle(one, setting{label: "CIDRs ", field: "inboundCIDRs", read: func(b *builder, w wish) (string, bool) {
		return strings.Join(b.usableCIDRs(w.ranges(), w.listener.InboundCIDRs), ","), len(w.listener.InboundCIDRs) > 0
	}})
	lists, byList := b.settle(one, setting{label: "prefix lists ", field: "prefixLists", read: func(b *builder, w wish) (string, bool) {
		return strings.Join(b.usableLists(w.lists(), w.listener.PrefixLists), ","), len(w.listener.PrefixLists) > 0
	}})
	one.restricted, one.cidrs, one.prefixes = byRange || byList, words(cidrs), words(lists)
	b.listenerAttributes(one)
}

// words are the parts of a list that is joined by commas.
func words(list string) []string {
	if list == "" {
		return nil
	}
	return strings.Split(list, ",")
}

// settle is the value of a port's setting, and whether somebody asked for one.
func (b *builder) settle(one *port, s setting) (string, bool) {
	claims := make([]claim, len(one.wishes))
	for i, w := range one.wishes {
		claims[i] = b.claim(w, s)
	}
	won := decide(claims, "", func(lost, won claim) {
		b.wrong(lost.at, "ConflictingSetting", "%s%s conflicts with what %s asks for on port %d; use the same value or another port",
			s.label, lost.value, won.at.object, one.number)
	})
	if won < 0 {
		return "", false
	}
	return claims[won].value, true
}

// certify gives the HTTPS ports their certificates, in order of precedence: the default one first, which is not taken from the member
// that had it before. A port without one goes.
func (b *builder) certify(p ports) {
	for _, one := range p.by {
		if one.protocol == protocolHTTPS {
			claims := make([]claim, len(one.wishes))
			for i, w := range one.wishes {
				claims[i] = b.claim(w, setting{read: (*builder).firstCertificate})
			}
			// A certificate that is not the default serves its own hosts all the same: nobody loses.
			if won := decide(claims, "", func(_, _ claim) {}); won >= 0 {
				one.certs = []model.ARN{model.ARN(claims[won].value)}
			}
		}
	}
	b.eachSecure(p, b.addStanding)
	b.eachSecure(p, b.addCertificates)
	maps.DeleteFunc(p.by, func(_ int, one *port) bool { return one.protocol == protocolHTTPS && len(one.certs) == 0 })
}

// eachSecure visits the wishes for HTTPS ports in order of precedence.
func (b *builder) eachSecure(p ports, visit func(*port, wish)) {
	numbers := slices.Sorted(maps.Keys(p.by))
	for _, f := range b.fragments {
		if len(f.Listeners) == 0 {
			continue
		}
		for _, n := range numbers {
			for _, w := range p.by[n].wishes {
				if w.fragment == f && p.by[n].protocol == protocolHTTPS {
					visit(p.by[n], w)
				}
			}
		}
	}
}

// firstCertificate is what would be the default one, of those that have room.
func (b *builder) firstCertificate(w wish) (string, bool) {
	all := slices.DeleteFunc(b.certificates(w), func(c model.ARN) bool { return slices.Contains(w.listener.LeftCertificates, c) })
	if len(all) == 0 {
		return "", false
	}
	return string(all[0]), true
}
