package stack

import (
	"cmp"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// A load balancer that is replaced answers alone until its successor serves. Then both addresses are published, and the old one is retired
// when its time is over: clients need some to learn the new address. Before that its address is taken back, for resolvers keep it for a
// while. It is not changed meanwhile, but for its targets.

// How long a replaced load balancer stays at most where its successor was changed since, for what it answers is out of date; and where it was
// on the internet and its successor is not: as long as resolvers keep its name, which every one stays that its address is published no more.
const (
	outdated = 10 * time.Minute
	closing  = time.Minute
)

// noteReplaced remembers the load balancers that a plan replaces, and begins the time of those whose successors serve. It tells whether
// one began: the plan is then to be made without its deletion.
func (l *Loop) noteReplaced(a *attempt, p plan.Plan) (began bool) {
	spec := &a.state.object.Spec
	standing := a.observed.Balancers()
	spec.Replaced = slices.DeleteFunc(spec.Replaced, func(r headgatev1alpha1.ReplacedLoadBalancer) bool {
		if a.leads(r) {
			return true // it is wanted again, or has no successor any more: its time begins anew
		}
		return !slices.ContainsFunc(standing, func(lb model.LoadBalancer) bool { return string(lb.ARN) == r.ARN })
	})
	for _, c := range p.Changes {
		if c.LoadBalancer == nil || !slices.ContainsFunc(c.Needs, func(n plan.Need) bool { return n.State == plan.StateRetired }) {
			continue
		}
		r := a.replaced(*c.LoadBalancer)
		if whole := l.whole(c, r); r.Since == nil && whole && a.succeeded(c) {
			r.Since, r.Goal, began = new(metav1.NewTime(l.opts.Now())), a.goal(), true
		}
	}
	if len(spec.Replaced) == 0 {
		spec.Replaced = nil
	}
	return began
}

// whole tells whether all of a successor was there for so long that each of its nodes knows. A deletion comes after whatever is missing.
func (l *Loop) whole(deletion plan.Change, r *headgatev1alpha1.ReplacedLoadBalancer) bool {
	switch now := l.opts.Now(); {
	case len(deletion.After) > 0:
		r.Whole = nil
		return false
	case r.Whole == nil || r.Whole.After(now):
		r.Whole = new(metav1.NewTime(now))
	}
	return l.opts.Now().Sub(r.Whole.Time) >= l.opts.Hold
}

// leads tells whether a load balancer that was replaced is the stack's again.
func (a *attempt) leads(r headgatev1alpha1.ReplacedLoadBalancer) bool {
	lb := a.observed.LoadBalancer
	return lb != nil && string(lb.ARN) == r.ARN
}

// turnBack has a load balancer that retires take its place again where it is what is wanted now: it is published, and so is the one that took
// its place, which retires in turn from now on. One that has not served yet was never published, and goes at once. It tells whether it did: what
// is observed is then to be observed anew.
func (l *Loop) turnBack(a *attempt) bool {
	want, newer := a.desired.LoadBalancer, a.observed.LoadBalancer
	if want == nil || newer == nil || a.taking != nil || newer.State == stateProvisioning || plan.Fits(*want, *newer) {
		return false
	}
	i := slices.IndexFunc(a.observed.Leftovers, func(lb model.LoadBalancer) bool { return plan.Fits(*want, lb) })
	if i < 0 {
		return false
	}
	spec, older := &a.state.object.Spec, string(a.observed.Leftovers[i].ARN)
	same := func(r headgatev1alpha1.ReplacedLoadBalancer) bool { return r.ARN == older }
	if slices.ContainsFunc(spec.Replaced, func(r headgatev1alpha1.ReplacedLoadBalancer) bool { return same(r) && r.Since == nil }) {
		return false
	}
	spec.Replaced = slices.DeleteFunc(spec.Replaced, same)
	r := a.replaced(*newer)
	r.Since, r.Withdrawn, r.Goal = new(metav1.NewTime(l.opts.Now())), nil, a.goal()
	return true
}

// replacedARNs are the load balancers that are replaced.
func (m *memory) replacedARNs() []model.ARN {
	var out []model.ARN
	for _, r := range m.object.Spec.Replaced {
		out = append(out, model.ARN(r.ARN))
	}
	return out
}

// keepTime begins anew the times that a clock which was put back moved into the future: none lasts longer than it shall.
func (a *attempt) keepTime() {
	for i, r := range a.state.object.Spec.Replaced {
		if r.Since != nil && r.Since.After(a.begun) {
			a.state.object.Spec.Replaced[i].Since = new(metav1.NewTime(a.begun))
		}
		if r.Withdrawn != nil && r.Withdrawn.After(a.begun) {
			a.state.object.Spec.Replaced[i].Withdrawn = new(metav1.NewTime(a.begun))
		}
	}
}

// replaced is what is remembered of a load balancer that is replaced.
func (a *attempt) replaced(lb model.LoadBalancer) *headgatev1alpha1.ReplacedLoadBalancer {
	list := &a.state.object.Spec.Replaced
	same := func(r headgatev1alpha1.ReplacedLoadBalancer) bool { return r.ARN == string(lb.ARN) }
	i := slices.IndexFunc(*list, same)
	if i < 0 {
		i = len(*list)
		*list = append(*list, headgatev1alpha1.ReplacedLoadBalancer{ARN: string(lb.ARN), Name: lb.Name, DNSName: lb.DNSName, Scheme: lb.Scheme})
	}
	r := &(*list)[i]
	r.TargetGroups = nil
	for _, g := range a.observed.TargetGroups {
		if slices.Contains(g.LoadBalancers, lb.ARN) {
			r.TargetGroups = append(r.TargetGroups, string(g.ARN))
		}
	}
	slices.Sort(r.TargetGroups)
	return r
}

// succeeded tells whether all is met that a deletion waits for, but for the time.
func (a *attempt) succeeded(deletion plan.Change) bool {
	now := a.observed.LoadBalancer
	return !slices.ContainsFunc(deletion.Needs, func(n plan.Need) bool {
		switch n.State {
		case plan.StateRetired:
			return false
		case plan.StateActive:
			return now == nil || now.ARN != n.ARN || now.State == stateProvisioning
		}
		return true
	})
}

// takeBack has the addresses of replaced load balancers published no more whose time comes to its end.
func (l *Loop) takeBack(a *attempt) {
	for i, r := range a.state.object.Spec.Replaced {
		if r.Since != nil && r.Withdrawn == nil && !a.begun.Before(l.withdrawal(a, r)) {
			a.state.object.Spec.Replaced[i].Withdrawn = new(metav1.NewTime(a.begun))
		}
	}
}

// retired tells whether the time of a replaced load balancer was over when the run began. One that ends meanwhile is for the next run, which
// [Loop.untilRetired] asks for.
func (l *Loop) retired(a *attempt, r headgatev1alpha1.ReplacedLoadBalancer) bool {
	return r.Withdrawn != nil && !a.begun.Before(l.next(a, r))
}

// farewell is how long a replaced load balancer stays whose address is published no more.
func (l *Loop) farewell(a *attempt) time.Duration { return min(closing, l.retention(a)) }

// next is when something is to be done about a replaced load balancer whose successor serves: its address is taken back, or it goes.
func (l *Loop) next(a *attempt, r headgatev1alpha1.ReplacedLoadBalancer) time.Time {
	if r.Withdrawn == nil {
		return l.withdrawal(a, r)
	}
	return r.Withdrawn.Add(l.farewell(a))
}

// retention is how long a replaced load balancer answers on. None is as AWS has it: it goes when the new one is active.
func (l *Loop) retention(a *attempt) time.Duration {
	return cmp.Or(a.req.Policy.Retention, l.opts.Retention)
}

// withdrawal is when the address of a replaced load balancer is to be taken back: never in the run that publishes the new one.
func (l *Loop) withdrawal(a *attempt, r headgatev1alpha1.ReplacedLoadBalancer) time.Time {
	retention := l.retention(a)
	switch lb := a.desired.LoadBalancer; {
	case lb != nil && lb.Scheme == schemeInternal && r.Scheme != schemeInternal:
		retention = min(retention, closing)
	case r.Goal != a.goal():
		retention = min(retention, outdated)
	}
	return r.Since.Add(max(retention-l.farewell(a), 0))
}

const schemeInternal = "internal"

// remaining are the replaced load balancers whose time is not over.
func (l *Loop) remaining(a *attempt) []headgatev1alpha1.ReplacedLoadBalancer {
	var out []headgatev1alpha1.ReplacedLoadBalancer
	if a.state == nil || a.unwanted() {
		return nil
	}
	for _, r := range a.state.object.Spec.Replaced {
		if r.Since == nil || !l.retired(a, r) {
			out = append(out, r)
		}
	}
	return out
}

// due tells whether a replaced load balancer is to be deleted.
func (l *Loop) due(a *attempt) bool {
	return len(l.remaining(a)) < len(a.state.object.Spec.Replaced)
}

// retiring are the load balancers that the plan leaves alone because their time is not over.
func (l *Loop) retiring(a *attempt) []model.ARN {
	var out []model.ARN
	for _, r := range l.remaining(a) {
		if r.Since != nil {
			out = append(out, model.ARN(r.ARN))
		}
	}
	return out
}

// untilRetired is how long it is until something is to be done about the next replaced load balancer; zero where there is none.
func (l *Loop) untilRetired(a *attempt) time.Duration {
	var out time.Duration
	for _, r := range l.remaining(a) {
		if r.Since != nil {
			out = sooner(out, max(l.next(a, r).Sub(l.opts.Now()), time.Millisecond))
		}
	}
	return out
}

// replacedNames are the host names to publish of the load balancers that are replaced, and whether one of them answers alone.
func (l *Loop) replacedNames(a *attempt) (names []string, alone bool) {
	for _, r := range l.remaining(a) {
		alone = alone || r.Since == nil
		if r.DNSName != "" && r.Withdrawn == nil {
			names = append(names, r.DNSName)
		}
	}
	return names, alone
}

// stands tells whether a target group is that of a load balancer that is replaced and answers yet.
func (l *Loop) stands(a *attempt, group string) bool {
	return slices.ContainsFunc(l.remaining(a), func(r headgatev1alpha1.ReplacedLoadBalancer) bool { return slices.Contains(r.TargetGroups, group) })
}
