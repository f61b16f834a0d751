package stack

import (
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// hold keeps what is observed of a member: the rules, and the default answers, that forward to its target groups. Where there is
// nothing, found is false: its hosts and paths answer 503, after everybody else's so that no neighbour is shadowed.
func hold(f intent.Fragment, observed model.Stack, from source) (out intent.Fragment, found bool) {
	out = intent.Fragment{Member: f.Member, Settings: f.Settings}
	if from == bare {
		out.Settings = protected(f.Settings, observed.LoadBalancer)
	}
	mine := groupIDs(f)
	for _, l := range observed.Listeners {
		var rules []intent.HeldRule
		for _, rule := range l.Rules {
			if forwardsTo(rule.Actions, mine) {
				rules = append(rules, intent.HeldRule{Port: l.Port, Rule: rule})
			}
		}
		byDefault := forwardsTo(l.DefaultActions, mine)
		if len(rules) == 0 && !byDefault {
			continue
		}
		one := heldListener(f, l)
		if !byDefault {
			one.Default = nil
		}
		out.Held, out.Listeners = append(out.Held, rules...), append(out.Listeners, one)
	}
	if len(out.Listeners) > 0 {
		return out, true
	}
	return shut(f, out.Settings, observed), false
}

// protected are the settings that are kept of settings that are wrong: those that say whom the load balancer admits, as they are
// observed. Without them it would be open to others.
func protected(s intent.Settings, lb *model.LoadBalancer) intent.Settings {
	var out intent.Settings
	if len(s.SecurityGroups) == 0 || lb == nil {
		return out
	}
	for _, g := range lb.SecurityGroups {
		if g.Key == model.ResourceBackendSecurityGroup {
			out.ManageBackendRules = "true"
		} else if g.ID != "" {
			out.SecurityGroups = append(out.SecurityGroups, g.ID)
		}
	}
	return out
}

// heldListener is a port as the member asked for it, with the certificates that it has now: those that it asked for may be gone.
func heldListener(f intent.Fragment, observed model.Listener) intent.Listener {
	var out intent.Listener
	if i := slices.IndexFunc(f.Listeners, func(l intent.Listener) bool { return l.Port == observed.Port }); i >= 0 {
		out = f.Listeners[i]
	}
	out.Port, out.Protocol = observed.Port, observed.Protocol
	out.Certificates, out.DiscoverHosts = nil, nil
	for _, c := range observed.Certificates {
		out.Certificates = append(out.Certificates, string(c))
	}
	return out
}

// shut answers 503 for what a member asks for. Nothing is behind it, so its ports need no protection of their own, and what it
// says about them may be what is wrong; a member without routes only lends its ports to others, and keeps what protects them.
func shut(f intent.Fragment, settings intent.Settings, observed model.Stack) intent.Fragment {
	out := intent.Fragment{Member: f.Member, Settings: settings, Yield: true}
	for _, l := range f.Listeners {
		i := slices.IndexFunc(observed.Listeners, func(o model.Listener) bool { return o.Port == l.Port && o.Protocol == l.Protocol })
		if i >= 0 {
			l = heldListener(f, observed.Listeners[i])
		}
		if len(f.Routes) > 0 {
			l = intent.Listener{
				Port: l.Port, Protocol: l.Protocol, Certificates: l.Certificates, DiscoverHosts: l.DiscoverHosts, Field: l.Field,
			}
		}
		l.Default = nil
		out.Listeners = append(out.Listeners, l)
	}
	for _, r := range f.Routes {
		r.Forward, r.Redirect, r.Transforms = nil, nil, nil
		r.Fixed = &intent.Fixed{StatusCode: 503, ContentType: "text/plain"}
		out.Routes = append(out.Routes, r)
	}
	return out
}

// groupIDs are the resource IDs of the target groups that a fragment forwards to.
func groupIDs(f intent.Fragment) map[string]bool {
	ids := map[string]bool{}
	add := func(r intent.Route) {
		if r.Forward == nil {
			return
		}
		for _, b := range r.Forward.Backends {
			if b.Service != nil {
				ids[b.Service.ID] = true
			}
		}
	}
	for _, r := range f.Routes {
		add(r)
	}
	for _, l := range f.Listeners {
		if l.Default != nil {
			add(*l.Default)
		}
	}
	return ids
}

func forwardsTo(actions []model.Action, ids map[string]bool) bool {
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			if ids[g.Key] {
				return true
			}
		}
	}
	return false
}

// withHeldGroups adds the observed target groups that held rules forward to, so that they are not deleted under them.
func withHeldGroups(desired, observed model.Stack) model.Stack {
	wanted := map[string]bool{}
	for _, l := range desired.Listeners {
		for _, r := range l.Rules {
			for _, a := range r.Actions {
				if a.Forward == nil {
					continue
				}
				for _, g := range a.Forward.Groups {
					wanted[g.Key] = true
				}
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
