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
// when its time is over: clients need some to learn the new address. It is not changed meanwhile, but for its targets.

// How long a replaced load balancer stays at most where its successor was changed since, for what it answers is out of date; and where it was
// on the internet and its successor is not: as long as resolvers keep its name.
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
		return !slices.ContainsFunc(standing, func(lb model.LoadBalancer) bool { return string(lb.ARN) == r.ARN })
	})
	for _, c := range p.Changes {
		if c.LoadBalancer == nil || !slices.ContainsFunc(c.Needs, func(n plan.Need) bool { return n.State == plan.StateRetired }) {
			continue
		}
		r := a.replaced(*c.LoadBalancer)
		if r.Since == nil && a.succeeded(c) {
			r.Since, r.Goal, began = new(metav1.NewTime(l.opts.Now())), a.goal(), true
		}
	}
	if len(spec.Replaced) == 0 {
		spec.Replaced = nil
	}
	return began
}

// keepTime begins anew the times that a clock which was put back moved into the future: none lasts longer than it shall.
func (a *attempt) keepTime(now time.Time) {
	for i, r := range a.state.object.Spec.Replaced {
		if r.Since != nil && r.Since.After(now) {
			a.state.object.Spec.Replaced[i].Since = new(metav1.NewTime(now))
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

// retired tells whether the time of a replaced load balancer is over.
func (l *Loop) retired(a *attempt, r headgatev1alpha1.ReplacedLoadBalancer) bool {
	return r.Since != nil && !l.opts.Now().Before(l.retirement(a, r))
}

// retention is how long a replaced load balancer answers on. None is as AWS has it: it goes when the new one is active.
func (l *Loop) retention(a *attempt) time.Duration {
	return cmp.Or(a.req.Policy.Retention, l.opts.Retention)
}

// retirement is when the time of a replaced load balancer is over: never in the run that publishes the new address.
func (l *Loop) retirement(a *attempt, r headgatev1alpha1.ReplacedLoadBalancer) time.Time {
	retention := l.retention(a)
	switch lb := a.desired.LoadBalancer; {
	case lb != nil && lb.Scheme == schemeInternal && r.Scheme != schemeInternal:
		retention = min(retention, closing)
	case r.Goal != a.goal():
		retention = min(retention, outdated)
	}
	return r.Since.Add(max(retention, time.Millisecond))
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

// untilRetired is how long it is until the next replaced load balancer is due; zero where there is none.
func (l *Loop) untilRetired(a *attempt) time.Duration {
	var out time.Duration
	for _, r := range l.remaining(a) {
		if r.Since != nil {
			out = sooner(out, max(l.retirement(a, r).Sub(l.opts.Now()), time.Millisecond))
		}
	}
	return out
}

// replacedNames are the host names of the load balancers that are replaced and answer yet, and whether one of them does so alone.
func (l *Loop) replacedNames(a *attempt) (names []string, alone bool) {
	for _, r := range l.remaining(a) {
		alone = alone || r.Since == nil
		if r.DNSName != "" {
			names = append(names, r.DNSName)
		}
	}
	return names, alone
}

// stands tells whether a target group is that of a load balancer that is replaced and answers yet.
func (l *Loop) stands(a *attempt, group string) bool {
	return slices.ContainsFunc(l.remaining(a), func(r headgatev1alpha1.ReplacedLoadBalancer) bool { return slices.Contains(r.TargetGroups, group) })
}
