package stack

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/event"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// met says what of a plan that waits for target groups is reached: since when one is to be released is remembered, the rest is looked at.
// Patience is of one group in one process: over a restart it begins anew, for nobody knows whether anybody looked in the time before.
func (l *Loop) met(a *attempt) func(plan.Need) (bool, string) {
	patience := cmp.Or(a.req.Policy.Patience, l.opts.Patience)
	return func(n plan.Need) (bool, string) {
		since, waited := a.state.since(n.Key)
		over := func(d time.Duration) bool { return waited && l.opts.Now().Sub(since) >= d }
		switch {
		case n.State == plan.StateRetired:
			over := func(r headgatev1alpha1.ReplacedLoadBalancer) bool { return r.ARN == string(n.ARN) && l.retired(a, r) }
			return l.opts.Pretend || l.retention(a) == 0 || slices.ContainsFunc(a.state.object.Spec.Replaced, over), ""
		case n.State == plan.StateReleased:
			return l.opts.Hold < 0 || a.cleared(n.Key), ""
		case n.State == plan.StateAdmitted:
			return l.admitted(a) || over(l.opts.Patience), ""
		case !a.bound(n.Key.ID) || l.board.enough(n):
			return true, ""
		case l.board.outwaited(n.ARN, patience):
			return true, "target group " + n.Key.ID + " is used though its targets are not healthy: they were waited for " + patience.String()
		}
		return false, ""
	}
}

// Concerns tells of an update of a LoadBalancer whether its stack is to be looked at: users wrote to it, or more of its targets are healthy while
// it waits, perhaps for these.
func Concerns(e event.UpdateEvent) bool {
	old, had := e.ObjectOld.(*headgatev1alpha1.LoadBalancer)
	lb, has := e.ObjectNew.(*headgatev1alpha1.LoadBalancer)
	if !had || !has || old.Generation != lb.Generation {
		return had && has
	}
	c := meta.FindStatusCondition(lb.Status.Conditions, headgatev1alpha1.ConditionProgrammed)
	return c != nil && c.Reason == outcome.ReasonWaiting && healthyTargets(lb) > healthyTargets(old)
}

func healthyTargets(lb *headgatev1alpha1.LoadBalancer) int32 {
	var n int32
	for _, t := range lb.Status.Targets {
		n += t.Healthy
	}
	return n
}

// admitted tells whether the targets of all groups that serve a stack now admit the shared backend security group, also of those that are
// being replaced.
func (l *Loop) admitted(a *attempt) bool {
	if l.opts.Pretend && wears(a.seen()) {
		return true // nobody told a loop that only pretends what the targets admit: what they have to admit now, say
	}
	return !slices.ContainsFunc(a.seen().TargetGroups, func(g model.TargetGroup) bool {
		own := slices.IndexFunc(a.desired.TargetGroups, func(w model.TargetGroup) bool { return w.ID == g.ID })
		open := own >= 0 && len(a.desired.TargetGroups[own].Backend.Network) == 0 // nobody asked us to have them admit anything
		return len(g.LoadBalancers) > 0 && !open && !l.cluster.admits(nameOfTargetGroup(g.ARN), a.facts.BackendSecurityGroup)
	})
}

// bound tells whether the targets of a group come from a Service.
func (a *attempt) bound(group string) bool {
	return slices.ContainsFunc(a.desired.TargetGroups, func(g model.TargetGroup) bool { return g.ID == group && g.Backend.Service != "" })
}

// since is when a step began to wait.
func (m *memory) since(key model.Key) (time.Time, bool) {
	for _, w := range m.object.Spec.Waiting {
		if w.Key == key.String() {
			return w.Since.Time, true
		}
	}
	return time.Time{}, false
}

// unhealthy are the target groups that a plan waits for.
func (a *attempt) unhealthy() []model.ARN {
	var out []model.ARN
	for _, c := range a.plan.Changes {
		for _, n := range c.Needs {
			if n.State != plan.StateHealthy {
				continue
			}
			if arn := a.outputs.ARNs[n.Key]; arn != "" && !slices.Contains(out, arn) {
				out = append(out, arn)
			}
		}
	}
	return out
}

// looked are the target groups whose health is looked at for a plan: those that it waits for, and of those that serve in their place each that
// nobody has looked at since the start.
func (l *Loop) looked(a *attempt) []model.ARN {
	out := a.unhealthy()
	for _, c := range a.plan.Changes {
		for _, n := range c.Needs {
			for _, arn := range n.Instead {
				if !slices.Contains(out, arn) && !l.board.seen(arn) {
					out = append(out, arn)
				}
			}
		}
	}
	return out
}

// seen tells whether the health of a group's targets was looked at since the start.
func (b *Board) seen(group model.ARN) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.groups[group].status.ObservedAt != nil
}

// Want takes how many targets a group shall have.
func (b *Board) Want(group model.ARN, targets int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wanted[group] = targets
}

// Heed has wake called with each target group for which a stack begins to wait, so that somebody looks at its health. It must not block, and
// there is one.
func (b *Board) Heed(wake func(model.ARN)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.wake = wake
}

// Awaited tells whether a stack waits until the targets of a group are healthy.
func (b *Board) Awaited(group model.ARN) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.awaited[group]
	return ok
}

// Await takes for which groups a stack waits now. The time of those for which it waited before goes on; whoever looks at the health of the
// others is woken.
func (b *Board) Await(owner model.Owner, groups []model.ARN) {
	fresh, wake := b.keepVigil(owner, groups)
	for _, arn := range fresh {
		wake(arn)
	}
}

// keepVigil takes for which groups a stack waits, and gives those for which nobody waited before, and who is to be woken for them.
func (b *Board) keepVigil(owner model.Owner, groups []model.ARN) (fresh []model.ARN, wake func(model.ARN)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	maps.DeleteFunc(b.awaited, func(arn model.ARN, w vigil) bool { return w.owner == owner && !slices.Contains(groups, arn) })
	for _, arn := range groups {
		if _, ok := b.awaited[arn]; !ok {
			b.awaited[arn] = vigil{owner: owner, since: b.now()}
			fresh = append(fresh, arn)
		}
	}
	return fresh, b.wake
}

// outwaited tells whether this process waited so long for the targets of a group.
func (b *Board) outwaited(group model.ARN, patience time.Duration) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	w, ok := b.awaited[group]
	return ok && b.now().Sub(w.since) >= patience
}

// enough tells whether as many targets of a group are healthy as there shall be, or as serve in the groups instead of which it is used.
// While those serve, one at least is: a group that shall have none may be one whose pods have no address yet.
func (b *Board) enough(n plan.Need) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	want, known := b.wanted[n.ARN]
	if !known || n.ARN == "" {
		return false
	}
	now := b.groups[n.ARN].status
	least := max(want, 1)
	if len(n.Instead) > 0 { // else no target answers now, but the load balancer itself
		least = min(least, b.serving(n.Instead, least))
	}
	return int(now.Healthy+now.States[stateUnavailable]) >= least
}

// serving is how many targets of some groups serve, and unknown where nobody has looked yet. Where none is healthy, the load balancer sends
// requests to those that were not checked yet. mu is held.
func (b *Board) serving(groups []model.ARN, unknown int) int {
	serve := 0
	for _, arn := range groups {
		s := b.groups[arn].status
		want, known := b.wanted[arn]
		switch {
		case s.ObservedAt != nil:
			serve += int(s.Healthy + s.States[stateInitial] + s.States[stateUnavailable])
		case !known || want > 0:
			return unknown
		}
	}
	return serve
}

// States of targets that were not checked yet, and of those of groups that check none (ELBv2 API, TargetHealth.State).
const (
	stateInitial     = "initial"
	stateUnavailable = "unavailable"
)
