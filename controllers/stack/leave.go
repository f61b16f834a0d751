package stack

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// free are the members on their way out of whom AWS holds nothing any more. A stack that is not settled is looked at once more: what
// keeps it from that may be another member's. A stack that shall go is left by all at once, when it is gone.
func (l *Loop) free(ctx context.Context, a *attempt, settled bool) ([]model.ObjectRef, error) {
	if settled || len(a.req.Leaving) == 0 {
		return a.req.Leaving, nil
	}
	if a.unwanted() || a.state == nil {
		return nil, nil
	}
	seen, err := l.cloud.Observe(ctx, a.owner, nil)
	if err != nil {
		return nil, fmt.Errorf("looking for what is left of members of %s: %w", a.owner, err)
	}
	seen.TargetGroups = slices.DeleteFunc(slices.Clone(seen.TargetGroups), func(g model.TargetGroup) bool { return a.resting(g.ARN) })
	more := surplusOf(seen, a.desired)
	others := more.without(a.staying())
	var out []model.ObjectRef
	for _, member := range a.req.Leaving {
		if good, known := a.state.good[memberKey(member)]; known && !more.concerns(good) || others.nothing() {
			out = append(out, member)
		}
	}
	return out, nil
}

// staying is what the members that stay ask for, or asked for since the stack was settled last.
func (a *attempt) staying() []intent.Fragment {
	out := slices.Clone(a.req.Intent.Fragments)
	for _, f := range a.req.Intent.Fragments {
		key := memberKey(f.Member)
		if good, ok := a.state.good[key]; ok {
			out = append(out, good)
		}
		out = append(out, a.state.replaced[key]...)
	}
	return out
}

// surplus is what AWS holds and nobody asks for.
type surplus struct {
	// groups are the resource IDs of target groups.
	groups []string
	// answers of rules, and of listeners to what no rule matches.
	answers [][]model.Action
	ports   []int
}

func surplusOf(seen, desired model.Stack) surplus {
	var out surplus
	for _, g := range seen.TargetGroups {
		if !slices.ContainsFunc(desired.TargetGroups, func(d model.TargetGroup) bool { return d.ID == g.ID }) {
			out.groups = append(out.groups, g.ID)
		}
	}
	for _, l := range seen.Listeners {
		i := slices.IndexFunc(desired.Listeners, func(d model.Listener) bool { return d.Port == l.Port })
		var want model.Listener
		if i < 0 {
			out.ports = append(out.ports, l.Port)
		} else {
			want = desired.Listeners[i]
		}
		if model.ActionsText(l.DefaultActions) != model.ActionsText(want.DefaultActions) {
			out.answers = append(out.answers, l.DefaultActions)
		}
		for _, r := range l.Rules {
			content := model.ContentOf(r)
			if !slices.ContainsFunc(want.Rules, func(d model.Rule) bool { return model.ContentOf(d).Equals(content) }) {
				out.answers = append(out.answers, r.Actions)
			}
		}
	}
	return out
}

func (s surplus) nothing() bool { return len(s.groups)+len(s.answers)+len(s.ports) == 0 }

// without leaves out what is of one of the fragments. Answers that forward nowhere may be anybody's: they stay.
func (s surplus) without(all []intent.Fragment) surplus {
	groups, ports := map[string]*intent.Service{}, map[int]bool{}
	for _, f := range all {
		maps.Copy(groups, backendsOf(f))
		for _, l := range f.Listeners {
			ports[l.Port] = true
		}
	}
	return surplus{
		groups:  slices.DeleteFunc(slices.Clone(s.groups), func(id string) bool { return groups[id] != nil }),
		answers: slices.DeleteFunc(slices.Clone(s.answers), func(a []model.Action) bool { return forwardsTo(a, groups) }),
		ports:   slices.DeleteFunc(slices.Clone(s.ports), func(p int) bool { return ports[p] }),
	}
}

// concerns tells whether something of it may be of a member with the fragment. Answers that forward nowhere name nobody.
func (s surplus) concerns(f intent.Fragment) bool {
	mine, nameless := backendsOf(f), slices.ContainsFunc(answersOf(f), func(r intent.Route) bool { return r.Forward == nil })
	return slices.ContainsFunc(s.groups, func(id string) bool { return mine[id] != nil }) ||
		slices.ContainsFunc(s.ports, func(p int) bool {
			return slices.ContainsFunc(f.Listeners, func(l intent.Listener) bool { return l.Port == p })
		}) ||
		slices.ContainsFunc(s.answers, func(a []model.Action) bool {
			return forwardsTo(a, mine) || nameless && len(groupsOf(a)) == 0
		})
}

// answersOf are the routes of a fragment, those of its default backends included.
func answersOf(f intent.Fragment) []intent.Route {
	out := slices.Clone(f.Routes)
	for _, l := range f.Listeners {
		if l.Default != nil {
			out = append(out, *l.Default)
		}
	}
	return out
}
