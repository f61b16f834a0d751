package ingress

import (
	"maps"
	"net/netip"
	"slices"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// access is who may connect, as a member says it.
type access struct {
	settings     intent.Settings
	cidrs, lists []string
}

// findIgnored tells the members of a group whose ranges do not count: with security groups of somebody's own, those say who may connect
// to the whole load balancer.
func findIgnored(drafts []*draft) {
	i := slices.IndexFunc(drafts, func(d *draft) bool { return len(d.who.settings.SecurityGroups) > 0 })
	if i < 0 {
		return
	}
	message := "has no effect: the security groups that " + drafts[i].object.String() + " names say who may connect to the whole load balancer"
	for _, d := range drafts {
		if len(d.who.cidrs) > 0 {
			d.note(model.Warning, ReasonUnused, d.cidrField(), message)
		}
		if len(d.who.lists) > 0 {
			d.note(model.Warning, ReasonUnused, d.listField(), message)
		}
	}
}

// permit leaves in a fragment that was good once, or in rules that are held, what the member permits now: what it restricts is
// restricted although something else of it is wrong.
func (d *draft) permit(f intent.Fragment) intent.Fragment {
	out, known := d.admit(f)
	now := *d
	out, walled := d.wall(out)
	now.shut = now.shut || !known || !walled
	now.blind = false
	restrict := func(routes []intent.Route) []intent.Route {
		return now.close(now.reguard(now.shelter(d.blinded(routes, f.Listeners))))
	}
	if len(f.Routes) > 0 {
		out.Routes = restrict(d.claimed(f.Routes))
	}
	out.Listeners = slices.Clone(out.Listeners)
	for i, l := range out.Listeners {
		if m := d.mutual(l.Port); m != nil {
			out.Listeners[i].MutualAuth = m.Over(l.MutualAuth)
		}
		if l.Default != nil && d.hostClaims().outside(intent.Match{}) != "" {
			out.Listeners[i].Default = nil
		} else if l.Default != nil {
			out.Listeners[i].Default = &restrict([]intent.Route{*l.Default})[0]
		}
	}
	return out
}

// blinded closes routes while it cannot be read which clients shall show certificates, but on ports where they did when this was good,
// or where it can be read that they shall now.
func (d *draft) blinded(routes []intent.Route, good []intent.Listener) []intent.Route {
	if !d.blind {
		return routes
	}
	asks := func(m *intent.MutualAuth) bool { return m != nil && m.Mode != model.MutualOff }
	out := make([]intent.Route, 0, len(routes))
	for _, r := range routes {
		out = append(out, closeBut(r, func(port int) bool {
			return slices.ContainsFunc(good, func(l intent.Listener) bool {
				return l.Port == port && (asks(l.MutualAuth) || asks(d.mutual(port)))
			})
		})...)
	}
	return out
}

// admit gives a fragment the ranges and security groups that the member names now. Where it names none what was good stays: they may
// be those of a class that is gone. known is false where it cannot be read whether it admits fewer than before.
func (d *draft) admit(f intent.Fragment) (out intent.Fragment, known bool) {
	groups := d.who.settings.SecurityGroups
	missing := d.member.Class != nil && d.member.Class.Missing != ""
	switch {
	case missing || len(groups)+len(d.who.cidrs)+len(d.who.lists) == 0:
		return f, true
	case len(groups) == 0 && (d.who.badCIDRs() || d.who.badLists()):
		return f, len(f.Settings.SecurityGroups) == 0 && len(f.Listeners) > 0 &&
			!slices.ContainsFunc(f.Listeners, func(l intent.Listener) bool { return !d.who.covers(l) })
	}
	out = f
	out.Settings.SecurityGroups, out.Settings.ManageBackendRules = groups, d.who.settings.ManageBackendRules
	out.Settings.Fields = d.who.fields(f.Settings.Fields)
	out.Listeners = slices.Clone(f.Listeners)
	for i := range out.Listeners {
		out.Listeners[i].InboundCIDRs, out.Listeners[i].PrefixLists = d.who.cidrs, d.who.lists
	}
	return out, true
}

// fields are those of a fragment, with the places where the member says now whom it admits.
func (a access) fields(of map[string]string) map[string]string {
	out := maps.Clone(of)
	if out == nil {
		out = map[string]string{}
	}
	for _, name := range []string{"securityGroups", "manageBackendRules"} {
		delete(out, name)
		if at := a.settings.Fields[name]; at != "" {
			out[name] = at
		}
	}
	return orNil(out)
}

func (a access) badCIDRs() bool {
	return slices.ContainsFunc(a.cidrs, func(v string) bool { return annotations.CheckCIDR(v) != nil })
}

func (a access) badLists() bool {
	return slices.ContainsFunc(a.lists, func(v string) bool { return annotations.CheckPrefixList(v) != nil })
}

// covers tells whether all that a listener admits is still named, as far as what is named can be read.
func (a access) covers(l intent.Listener) bool {
	have := l.InboundCIDRs
	if len(l.InboundCIDRs)+len(l.PrefixLists) == 0 {
		have = []string{"0.0.0.0/0", "::/0"}
	}
	return !slices.ContainsFunc(have, func(v string) bool { return !a.names(v) }) &&
		!slices.ContainsFunc(l.PrefixLists, func(v string) bool { return !slices.Contains(a.lists, v) })
}

// names tells whether a range is within one that is named.
func (a access) names(cidr string) bool {
	narrow, err := netip.ParsePrefix(cidr)
	return err == nil && slices.ContainsFunc(a.cidrs, func(v string) bool {
		wide, err := netip.ParsePrefix(v)
		return err == nil && wide.Bits() <= narrow.Bits() && wide.Contains(narrow.Addr())
	})
}
