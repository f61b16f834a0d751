package stack

import (
	"maps"
	"net/netip"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// hold keeps what is observed of a member, as far as it is permitted: the rules, and the default answers, that forward to its target
// groups. Rules that are not permitted any more answer 503 in their place. Where there are no rules, the member's hosts and paths answer
// 503 after everybody else's, so that no neighbour is shadowed.
//
// Ports that hold nothing that forwards to the member come as a fragment of their own: what it asks for there may have been closed before.
func (r *roster) hold(f intent.Fragment, observed model.Stack) []intent.Fragment {
	known := r.reference(f)
	allowed := r.req.permitted(known)
	out := intent.Fragment{Member: f.Member, Settings: allowed.Settings}
	guarded := true
	if r.from[memberKey(f.Member)] == bare {
		out.Settings, guarded = r.protected(known, allowed, observed.LoadBalancer)
		r.trusted(f.Member, allowed.Settings, observed.LoadBalancer, &out.Settings)
		guarded = r.wall(&out, allowed.Settings, observed.LoadBalancer) && guarded
	}
	if !guarded {
		return []intent.Fragment{r.shut(allowed, out.Settings, observed)}
	}
	mine := backendsOf(known)
	var led []intent.Listener
	for _, l := range observed.Listeners {
		byDefault := forwardsTo(l.DefaultActions, mine)
		rules, leads := r.heldRules(known, l, mine)
		if len(rules) == 0 && !byDefault {
			continue
		}
		one := r.listener(allowed, l, observed)
		if !byDefault {
			one.Default = nil
		}
		out.Held, out.Listeners = append(out.Held, rules...), append(out.Listeners, one)
		if leads || byDefault {
			led = append(led, one)
		}
	}
	if len(out.Listeners) == 0 {
		return []intent.Fragment{r.shut(allowed, out.Settings, observed)}
	}
	if rest := besides(allowed, led, observed); len(rest.Listeners) > 0 {
		return []intent.Fragment{out, r.shut(rest, out.Settings, observed)}
	}
	return []intent.Fragment{out}
}

// heldRules are the observed rules of a member on one port, and whether some of them forwards.
func (r *roster) heldRules(known intent.Fragment, l model.Listener, mine map[string]*intent.Service) (rules []intent.HeldRule, leads bool) {
	leads = slices.ContainsFunc(l.Rules, func(rule model.Rule) bool { return forwardsTo(rule.Actions, mine) })
	for _, rule := range l.Rules {
		if !forwardsTo(rule.Actions, mine) && (!r.answers(known, rule) || isClosed(rule) && !leads) {
			continue // where nothing forwards, what we answered for who cannot be served is made anew
		}
		if !r.permits(known.Member, l.Port, rule, mine) {
			rule = closed(rule)
		}
		rules = append(rules, intent.HeldRule{Port: l.Port, Rule: rule})
	}
	return rules, leads
}

// answers tells whether an observed rule that forwards nowhere, a redirect or a fixed answer, is the member's: all its hosts are the
// member's, and nobody else names one of them. Without such a rule, what comes after it would answer.
func (r *roster) answers(known intent.Fragment, rule model.Rule) bool {
	hosts, ok := rule.Hosts()
	if !ok || len(hosts) == 0 || len(groupsOf(rule.Actions)) > 0 {
		return false
	}
	mine := hostsOf(known)
	for _, f := range r.req.Intent.Fragments {
		if !f.Member.Same(known.Member) {
			maps.DeleteFunc(mine, func(h string, _ bool) bool { return hostsOf(f)[h] || hostsOf(r.reference(f))[h] })
		}
	}
	return !slices.ContainsFunc(hosts, func(h string) bool { return !mine[h] })
}

// hostsOf are the hosts that a fragment names.
func hostsOf(f intent.Fragment) map[string]bool {
	out := map[string]bool{}
	for _, r := range f.Routes {
		for _, h := range r.Match.Hosts {
			out[h] = true
		}
	}
	return out
}

// besides is what a fragment asks for on observed ports other than those.
func besides(f intent.Fragment, those []intent.Listener, observed model.Stack) intent.Fragment {
	out := f
	out.Listeners = slices.DeleteFunc(slices.Clone(f.Listeners), func(l intent.Listener) bool {
		return listensOn(those, l.Port) || !slices.ContainsFunc(observed.Listeners, func(o model.Listener) bool {
			return o.Port == l.Port && o.Protocol == l.Protocol
		})
	})
	out.Routes = slices.Clone(f.Routes)
	for i, r := range out.Routes {
		out.Routes[i].Ports = slices.DeleteFunc(slices.Clone(r.Ports), func(p int) bool { return !listensOn(out.Listeners, p) })
	}
	return out
}

func listensOn(all []intent.Listener, port int) bool {
	return slices.ContainsFunc(all, func(l intent.Listener) bool { return l.Port == port })
}

// tally notes of whom nothing is served: the members that are not served as written, and to whose target groups nothing of the stack
// forwards.
func (r *roster) tally(built model.Stack) {
	for _, f := range r.req.Intent.Fragments {
		key := memberKey(f.Member)
		mine := backendsOf(r.reference(f))
		if r.from[key] == asWritten || r.from[key] == lastGood && len(mine) == 0 {
			continue
		}
		r.closed[key] = !slices.ContainsFunc(built.Listeners, func(l model.Listener) bool {
			return forwardsTo(l.DefaultActions, mine) ||
				slices.ContainsFunc(l.Rules, func(rule model.Rule) bool { return forwardsTo(rule.Actions, mine) })
		})
	}
}

// permits tells whether an observed rule of a member may still forward, to all of the member's target groups and for all its hosts.
func (r *roster) permits(member model.ObjectRef, port int, rule model.Rule, mine map[string]*intent.Service) bool {
	hosts, _ := rule.Hosts()
	route := intent.Route{Ports: []int{port}, Match: intent.Match{Hosts: hosts, SourceIPs: sourcesOf(rule)}, Forward: &intent.Forward{}}
	for _, id := range groupsOf(rule.Actions) {
		if s := mine[id]; s != nil {
			route.Forward.Backends = append(route.Forward.Backends, intent.Backend{Service: s, Weight: 1})
		}
	}
	route.Auth = model.GuardOf(rule.Actions)
	left := map[string]bool{}
	for _, one := range r.req.permitted(intent.Fragment{Member: member, Routes: []intent.Route{route}}).Routes {
		if one.Forward == nil || len(one.Forward.Backends) != len(route.Forward.Backends) || !sameGuard(one.Auth, route.Auth) {
			continue
		}
		left[""] = true
		for _, h := range one.Match.Hosts {
			left[h] = true
		}
	}
	return left[""] && !slices.ContainsFunc(hosts, func(h string) bool { return !left[h] })
}

// sameGuard tells whether both let the same requests through.
func sameGuard(a, b *model.Action) bool {
	if a == nil || b == nil {
		return a == b
	}
	return model.ActionsEqual([]model.Action{*a}, []model.Action{*b})
}

// sourcesOf are the addresses that a rule serves; none for every address.
func sourcesOf(rule model.Rule) []string {
	var out []string
	for _, c := range rule.Conditions {
		if c.Field == model.FieldSourceIP {
			out = append(out, c.Values...)
		}
	}
	return out
}

// closed is a rule that answers 503.
func closed(rule model.Rule) model.Rule {
	rule.Transforms = nil
	rule.Actions = []model.Action{{
		Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: "503", ContentType: "text/plain"},
	}}
	return rule
}

// isClosed tells whether a rule answers 503, as ours do for who cannot be served.
func isClosed(rule model.Rule) bool { return model.ActionsEqual(rule.Actions, closed(rule).Actions) }

// protected are the settings that are kept of settings that are wrong: those that say whom the load balancer admits. Without them it
// would be open to others. Groups that are not there, and that are not what was asked for when the member was good, guard nothing: ok
// is false then, and nothing may be behind those that are observed.
func (r *roster) protected(known, allowed intent.Fragment, lb *model.LoadBalancer) (out intent.Settings, ok bool) {
	asked := allowed.Settings.SecurityGroups
	if len(asked) == 0 || lb == nil {
		return out, true
	}
	if !slices.ContainsFunc(asked, r.lacks) {
		out.SecurityGroups, out.ManageBackendRules = asked, allowed.Settings.ManageBackendRules
		return out, true
	}
	for _, g := range lb.SecurityGroups {
		if g.Key == model.ResourceBackendSecurityGroup {
			out.ManageBackendRules = "true"
		} else if g.ID != "" {
			out.SecurityGroups = append(out.SecurityGroups, g.ID)
		}
	}
	_, good := r.good[memberKey(allowed.Member)]
	return out, !good || slices.Equal(known.Settings.SecurityGroups, asked)
}

// lacks tells whether a security group is not there, or not known by its name.
func (r *roster) lacks(group string) bool {
	if strings.HasPrefix(group, "sg-") {
		return slices.Contains(r.facts.LostSecurityGroups, group)
	}
	return len(r.groups[group]) != 1
}

// heldListener is a port as the member asked for it, with the certificates that it has now: those that it asked for may be gone. One
// that it does not ask for admits whom the others admit.
func heldListener(f intent.Fragment, observed model.Listener) intent.Listener {
	var out intent.Listener
	if len(f.Listeners) > 0 {
		out.InboundCIDRs, out.PrefixLists = f.Listeners[0].InboundCIDRs, f.Listeners[0].PrefixLists
	}
	if i := slices.IndexFunc(f.Listeners, func(l intent.Listener) bool { return l.Port == observed.Port }); i >= 0 {
		out = f.Listeners[i]
	}
	if out.MutualAuth != nil && observed.MutualAuth != nil {
		seen := *out.MutualAuth
		seen.Observed = observed.MutualAuth.Mode
		out.MutualAuth = &seen
	}
	out.Port, out.Protocol = observed.Port, observed.Protocol
	out.Certificates, out.DiscoverHosts = nil, nil
	for _, c := range observed.Certificates {
		out.Certificates = append(out.Certificates, string(c))
	}
	return out
}

// listener is a port of a member that is held. Where nothing good of the member is known, what it says about the port now may be what
// is wrong: then the port stays as it is, for whoever else is behind it.
func (r *roster) listener(f intent.Fragment, l model.Listener, observed model.Stack) intent.Listener {
	out := heldListener(f, l)
	if _, good := r.good[memberKey(f.Member)]; good {
		return out
	}
	out.SSLPolicy, out.Attributes = l.SSLPolicy, common(out.Attributes, l.Attributes)
	unreadable := func(v string) bool { _, err := netip.ParsePrefix(v); return err != nil }
	unknown := func(v string) bool { return !strings.HasPrefix(v, "pl-") }
	// Where nobody names any, those of a class may be lost.
	if slices.ContainsFunc(out.InboundCIDRs, unreadable) || slices.ContainsFunc(out.PrefixLists, unknown) || !r.ranged(l.Port) {
		out.InboundCIDRs, out.PrefixLists = admitted(l.Port, observed)
	}
	return out
}

// ranged tells whether a member says who may connect to a port.
func (r *roster) ranged(port int) bool {
	return slices.ContainsFunc(r.req.Intent.Fragments, func(f intent.Fragment) bool {
		return slices.ContainsFunc(f.Listeners, func(l intent.Listener) bool {
			return l.Port == port && len(l.InboundCIDRs)+len(l.PrefixLists) > 0
		})
	})
}

// admitted are the ranges and prefix lists that may connect to a port, by the security groups that are ours.
func admitted(port int, observed model.Stack) (cidrs, lists []string) {
	for _, g := range observed.SecurityGroups {
		for _, p := range g.Ingress {
			switch {
			case g.Foreign || port < p.FromPort || p.ToPort < port:
			case p.CIDR != "":
				cidrs = append(cidrs, p.CIDR)
			case p.PrefixList != "":
				lists = append(lists, p.PrefixList)
			}
		}
	}
	return cidrs, lists
}

// shut answers 503 for what a member asks for. A port that is there keeps what protects it, for the neighbours that it serves; nothing is
// behind one that is new, and what the member says about it may be what is wrong. A member without routes only lends its ports to others.
func (r *roster) shut(f intent.Fragment, settings intent.Settings, observed model.Stack) intent.Fragment {
	out := intent.Fragment{Member: f.Member, Settings: settings, Yield: true}
	for _, l := range f.Listeners {
		i := slices.IndexFunc(observed.Listeners, func(o model.Listener) bool { return o.Port == l.Port && o.Protocol == l.Protocol })
		if i >= 0 {
			l = r.listener(f, observed.Listeners[i], observed)
		} else if slices.ContainsFunc(f.Routes, func(r intent.Route) bool { return !r.Ends }) {
			l = intent.Listener{
				Port: l.Port, Protocol: l.Protocol, Only: l.Only, Certificates: l.Certificates, DiscoverHosts: l.DiscoverHosts, Field: l.Field,
			}
		}
		l.Default = nil
		out.Listeners = append(out.Listeners, l)
	}
	for _, r := range f.Routes {
		if !r.Ends {
			unavailable(&r)
		}
		out.Routes = append(out.Routes, r)
	}
	return out
}

// backendsOf are the Services that a fragment forwards to, or would if it were not closed, by the resource IDs of their target groups.
func backendsOf(f intent.Fragment) map[string]*intent.Service {
	out := map[string]*intent.Service{}
	for _, r := range answersOf(f) {
		for s := range r.Services() {
			out[s.ID] = s
		}
	}
	return out
}

// groupsOf are the resource IDs of the target groups that actions forward to.
func groupsOf(actions []model.Action) []string {
	var out []string
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			out = append(out, g.Key)
		}
	}
	return out
}

func forwardsTo(actions []model.Action, mine map[string]*intent.Service) bool {
	return slices.ContainsFunc(groupsOf(actions), func(id string) bool { return mine[id] != nil })
}

// withHeldGroups adds the observed target groups that held rules forward to, so that they are not deleted under them.
func withHeldGroups(desired, observed model.Stack) model.Stack {
	wanted := map[string]bool{}
	for _, l := range desired.Listeners {
		for _, r := range l.Rules {
			for _, id := range groupsOf(r.Actions) {
				wanted[id] = true
			}
		}
	}
	for _, g := range desired.TargetGroups {
		delete(wanted, g.ID)
	}
	for _, g := range observed.TargetGroups {
		if wanted[g.ID] {
			g.LoadBalancers = nil
			desired.TargetGroups = append(desired.TargetGroups, g)
			delete(wanted, g.ID)
		}
	}
	return desired
}
