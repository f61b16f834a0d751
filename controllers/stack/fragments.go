package stack

import (
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// source is where the fragment of a member that is used comes from.
type source int

const (
	asWritten source = iota
	lastGood
	held
)

// roster is the members of a stack with what each of them is served by.
type roster struct {
	written []intent.Fragment
	good    map[string]intent.Fragment
	from    map[string]source
}

// memberKey names a member in maps and in StackState.
func memberKey(r model.ObjectRef) string { return r.Kind + "/" + r.Namespace + "/" + r.Name }

func newRoster(in intent.Intent, good map[string]intent.Fragment) *roster {
	return &roster{written: in.Fragments, good: good, from: map[string]source{}}
}

// blame moves every member with a wrong finding one step back: from what it wrote to its last good fragment, and from there to
// its observed rules. It tells whether anything moved.
func (r *roster) blame(findings []model.Finding) bool {
	moved := false
	for _, f := range r.written {
		key := memberKey(f.Member)
		if r.from[key] == held || !isWrong(f.Member, findings) {
			continue
		}
		_, has := r.good[key]
		if r.from[key] == asWritten && has {
			r.from[key] = lastGood
		} else {
			r.from[key] = held
		}
		moved = true
	}
	return moved
}

// needObserved tells whether some member is served by its observed rules.
func (r *roster) needObserved() bool {
	for _, s := range r.from {
		if s == held {
			return true
		}
	}
	return false
}

// fragments is what the build gets.
func (r *roster) fragments(observed model.Stack) []intent.Fragment {
	out := make([]intent.Fragment, 0, len(r.written))
	for _, f := range r.written {
		switch r.from[memberKey(f.Member)] {
		case asWritten:
			out = append(out, f)
		case lastGood:
			out = append(out, r.good[memberKey(f.Member)])
		case held:
			out = append(out, hold(r.reference(f), observed))
		}
	}
	return out
}

// reference is the fragment that tells which target groups are the member's: the good one where there is one.
func (r *roster) reference(f intent.Fragment) intent.Fragment {
	if good, ok := r.good[memberKey(f.Member)]; ok {
		return good
	}
	return f
}

// keep is what StackState shall hold as good from now on.
func (r *roster) keep() map[string]intent.Fragment {
	out := map[string]intent.Fragment{}
	for _, f := range r.written {
		key := memberKey(f.Member)
		if r.from[key] == asWritten {
			out[key] = f
		} else if good, ok := r.good[key]; ok {
			out[key] = good
		}
	}
	return out
}

func isWrong(member model.ObjectRef, findings []model.Finding) bool {
	return slices.ContainsFunc(findings, func(f model.Finding) bool {
		return f.Severity == model.Wrong && f.Object.Same(member)
	})
}

// hold keeps the observed rules that forward to the member's target groups; where there are none its hosts and paths answer
// 503, after everybody else's so that no neighbour is shadowed.
func hold(f intent.Fragment, observed model.Stack) intent.Fragment {
	out := intent.Fragment{Member: f.Member}
	mine := groupIDs(f)
	for _, l := range observed.Listeners {
		for _, rule := range l.Rules {
			if forwardsTo(rule, mine) {
				out.Held = append(out.Held, intent.HeldRule{Port: l.Port, Rule: rule})
			}
		}
		if slices.ContainsFunc(out.Held, func(h intent.HeldRule) bool { return h.Port == l.Port }) {
			out.Listeners = append(out.Listeners, heldListener(l))
		}
	}
	if len(out.Held) > 0 {
		return out
	}
	return closed(f)
}

func heldListener(l model.Listener) intent.Listener {
	out := intent.Listener{Port: l.Port, Protocol: l.Protocol, SSLPolicy: l.SSLPolicy}
	for _, c := range l.Certificates {
		out.Certificates = append(out.Certificates, string(c))
	}
	return out
}

func closed(f intent.Fragment) intent.Fragment {
	out := intent.Fragment{Member: f.Member, Yield: true, Listeners: slices.Clone(f.Listeners)}
	for i := range out.Listeners {
		out.Listeners[i].Default = nil
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

func forwardsTo(r model.Rule, ids map[string]bool) bool {
	for _, a := range r.Actions {
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
func withHeldGroups(desired model.Stack, observed model.Stack) model.Stack {
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
