package stack

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// transfer notes how far the members came that are on their way, and gives those that are not served here yet, and when to look again; zero
// where nobody is on its way.
func (l *Loop) transfer(a *attempt) (coming []model.ObjectRef, again time.Duration) {
	now := l.opts.Now()
	staying := l.moves.departures(a.owner)
	for key, one := range staying {
		if groups, _ := a.backings(a.fragmentOf(key)); len(groups) > 0 {
			one.groups = groups
		}
		staying[key] = one
		again = sooner(again, moveRetry(now.Sub(one.since)))
		if left := l.opts.MoveHold - now.Sub(one.since); one.lacks == "" {
			again = sooner(again, max(left, time.Second))
		}
	}
	l.moves.stay(a.owner, staying)

	before, after := l.moves.arrivals(a.owner), map[string]arrival{}
	var awaited []model.ARN
	for _, m := range a.req.Arriving {
		key := memberKey(m.Member)
		have, known := before[key]
		if !known || have.uid != m.Member.UID {
			have = arrival{uid: m.Member.UID, lacks: unseen, since: now}
		}
		one, groups := l.arrive(a, m, have)
		if other, twice := after[key]; twice && other.lacks != "" {
			one = other // it leaves several, one of which serves it better
		}
		after[key] = one
		again = sooner(again, moveRetry(now.Sub(one.since)))
		if one.lacks != "" {
			coming, awaited = append(coming, m.Member), append(awaited, groups...)
		}
	}
	if len(after)+len(before) > 0 {
		l.board.Await(a.owner, append(l.looked(a), awaited...))
	}
	l.moves.come(a.owner, after)
	return coming, again
}

// moveRetry is when a move is looked at again that stands as it is for so long.
func moveRetry(stands time.Duration) time.Duration { return min(max(stands/4, moveFirst), moveLast) }

// arrive is how far a run came with a member that comes, and the target groups of which it waits for targets. What serves a member stays
// where a run could not get as far, and once it was served it is.
func (l *Loop) arrive(a *attempt, m Move, before arrival) (arrival, []model.ARN) {
	now := l.opts.Now()
	lacks, groups, whole := "", []backing(nil), before.whole
	switch {
	case before.lacks == "" || a.publishes(m.Published):
	case a.blocked != "" || a.roster == nil || a.outputs.ARNs == nil:
		lacks = cmp.Or(a.blocked, before.lacks)
	default:
		groups, lacks = a.backings(a.fragmentOf(memberKey(m.Member)))
		lacks = cmp.Or(a.lacks(m.Member), lacks)
		if lacks != "" && a.held != nil {
			lacks = "its plan is held there: " + a.held.Note
		}
	}
	var awaited []model.ARN
	switch {
	case lacks != "":
		whole = time.Time{}
	case whole.IsZero():
		whole = now
	}
	if lacks == "" && now.Sub(whole) < l.opts.Patience {
		awaited = l.unready(m, groups)
	}
	if len(awaited) > 0 {
		lacks = "its targets are not healthy there yet"
	}
	after := arrival{uid: m.Member.UID, lacks: lacks, since: before.since, whole: whole}
	if after.lacks != before.lacks {
		after.since = now
	}
	return after, awaited
}

// publishes tells whether some host name is that of a load balancer of the stack.
func (a *attempt) publishes(names []string) bool {
	for _, lb := range []*model.LoadBalancer{a.reached(), a.reachedFrontend()} {
		if lb != nil && lb.DNSName != "" && slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, lb.DNSName) }) {
			return true
		}
	}
	return false
}

// fragmentOf is what the run was asked to make of a member.
func (a *attempt) fragmentOf(key string) intent.Fragment {
	for _, f := range a.req.Intent.Fragments {
		if memberKey(f.Member) == key {
			return f
		}
	}
	return intent.Fragment{}
}

// backings are the target groups of a fragment whose targets come from Services, and what is lacking where AWS does not hold all of them.
func (a *attempt) backings(f intent.Fragment) (out []backing, lacks string) {
	mine := backendsOf(f)
	for _, g := range a.desired.TargetGroups {
		if mine[g.ID] == nil || g.Backend.Service == "" {
			continue
		}
		arn := a.outputs.ARNs[model.Key{Kind: model.KindTargetGroup, ID: g.ID}]
		if arn == "" {
			return nil, "not all of its target groups are there"
		}
		out = append(out, backing{arn, g.Backend.Namespace + "/" + g.Backend.Service + ":" + g.Backend.Port})
	}
	return out, ""
}

// lacks says what keeps a member from being served as it asks for, as far as AWS holds it; empty for nothing.
func (a *attempt) lacks(who model.ObjectRef) string {
	key := memberKey(who)
	wrong := func(f model.Finding) bool {
		return (f.Severity == model.Wrong || f.Severity == model.Closed) && f.Object.Same(who)
	}
	switch lb := a.outputs.LoadBalancer; {
	case a.roster.from[key] != asWritten || a.roster.partial[key] || slices.ContainsFunc(a.findings, wrong):
		return "what it asks for there is wrong"
	case !isUp(lb) || a.desired.Frontend != nil && !isUp(a.outputs.Frontend):
		return inactive
	}
	return a.missing(who)
}

// missing says what of a member's listeners and rules AWS does not hold; empty for nothing.
func (a *attempt) missing(who model.ObjectRef) string {
	for _, l := range a.fragmentOf(memberKey(who)).Listeners {
		i := slices.IndexFunc(a.desired.Listeners, func(d model.Listener) bool { return d.Port == l.Port })
		if i < 0 && (l.Implied || l.Only == intent.PartPort) {
			continue
		}
		if i < 0 || !a.holds(plan.ListenerKey(a.desired.Listeners[i])) {
			return "not all of its listeners are there"
		}
	}
	for _, l := range a.desired.Listeners {
		for _, r := range l.Rules {
			if r.Member.Same(who) && !a.holds(plan.RuleKey(l.Port, r)) {
				return "not all of its rules are there"
			}
		}
	}
	return ""
}

// isUp tells whether a load balancer answers.
func isUp(lb *model.LoadBalancer) bool {
	return lb != nil && (lb.State == stateActive || lb.State == stateImpaired)
}

// holds tells whether AWS holds a listener or rule just as it is desired. Of one that a plan changes that was cut, it is not known.
func (a *attempt) holds(key model.Key) bool {
	if a.held == nil && a.applied && a.done() {
		return true
	}
	changes := func(c plan.Change) bool { return c.Key == key && c.Action != plan.Delete }
	if !slices.ContainsFunc(a.plan.Changes, changes) {
		return true
	}
	_, made := a.outputs.ARNs[key]
	return a.held == nil && key.Kind == model.KindRule && made
}

// unready are the target groups of which fewer targets are healthy than serve where the member comes from.
func (l *Loop) unready(m Move, groups []backing) []model.ARN {
	there := l.moves.departures(m.Other)[memberKey(m.Member)].groups
	var out []model.ARN
	for _, g := range groups {
		instead := []model.ARN{""} // of which nobody knows
		if known := slices.DeleteFunc(slices.Clone(there), func(o backing) bool { return o.backend != g.backend }); len(known) > 0 {
			instead = nil
			for _, o := range known {
				instead = append(instead, o.arn)
			}
		}
		if !l.board.enough(plan.Need{ARN: g.arn, Instead: instead}) {
			out = append(out, g.arn)
		}
	}
	return out
}
