package stack

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// A target group that no rule uses any more is cleared away later: when that has reached every node of the load balancer, and when requests that
// its targets have begun to answer have had the time that they have where a target is deregistered, too. Nobody waits for it meanwhile: AWS
// holds all that is wanted.

// unfinished are the steps for which somebody waits.
func unfinished(steps []model.Waiting) []model.Waiting {
	return slices.DeleteFunc(slices.Clone(steps), clearing)
}

// clearing tells whether a step only clears a target group away.
func clearing(w model.Waiting) bool {
	return w.Key.Kind == model.KindTargetGroup && w.For == plan.StateReleased
}

// wait notes what a run waits for.
func (l *Loop) wait(a *attempt) {
	a.state.wait(a.outputs.Waiting, metav1.NewTime(l.opts.Now()), func(w model.Waiting) (time.Duration, bool) {
		return l.opts.Hold + a.drain(w.Key.ID), clearing(w)
	})
}

// drain is how long requests may take to end that the targets of a group have begun to answer: its deregistration delay as AWS holds it.
func (a *attempt) drain(name string) time.Duration {
	for _, part := range a.seen().Parts() {
		for _, g := range part.TargetGroups {
			if nameOfTargetGroup(g.ARN) == name {
				return drainOf(g)
			}
		}
	}
	return drainOf(model.TargetGroup{})
}

// leaves tells whether a plan does nothing now, but clears target groups away later.
func (a *attempt) leaves() bool {
	return !a.plan.Again && !slices.ContainsFunc(a.plan.Changes, func(c plan.Change) bool {
		return !slices.ContainsFunc(c.Needs, func(n plan.Need) bool { return n.State == plan.StateReleased })
	})
}

// resting tells whether a target group is to be cleared away later. Its binding stays as long.
func (a *attempt) resting(group model.ARN) bool {
	return slices.ContainsFunc(a.outputs.Waiting, func(w model.Waiting) bool { return clearing(w) && w.Key.ID == nameOfTargetGroup(group) })
}

// clearsOnly tells whether a plan deletes target groups whose time is over, and nothing else.
func (a *attempt) clearsOnly() bool {
	return !slices.ContainsFunc(a.plan.Changes, func(c plan.Change) bool {
		return c.Op != plan.DeleteTargetGroup || !a.cleared(model.Key{Kind: model.KindTargetGroup, ID: nameOfTargetGroup(c.ARN)})
	})
}

// clears tells whether the time of a target group was over when the run began, also where only a clock that was put back says that it is not.
func (a *attempt) clears() bool {
	return slices.ContainsFunc(a.state.object.Spec.Waiting, func(w headgatev1alpha1.WaitingStep) bool {
		return w.Until != nil && (!a.begun.Before(w.Until.Time) || a.begun.Before(w.Since.Time))
	})
}

// cleared tells whether the time of a target group was over when the run began. One that ends meanwhile is for the next run.
func (a *attempt) cleared(group model.Key) bool {
	return slices.ContainsFunc(a.state.object.Spec.Waiting, func(w headgatev1alpha1.WaitingStep) bool {
		return w.Key == group.String() && w.Until != nil && !a.begun.Before(w.Until.Time)
	})
}

// untilCleared is when the time of the next target group is over, zero for never. What was due in this run is tried again as that says.
func (a *attempt) untilCleared(now time.Time) time.Duration {
	var out time.Duration
	if a.state == nil {
		return out
	}
	for _, w := range a.state.object.Spec.Waiting {
		if w.Until != nil && w.Until.After(a.begun) {
			out = sooner(out, max(w.Until.Sub(now), time.Millisecond))
		}
	}
	return out
}
