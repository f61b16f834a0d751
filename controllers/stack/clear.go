package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// A target group that no rule uses any more is cleared away later: when that has reached every node of the load balancer, and when requests that
// its targets have begun to answer have had the time that they have where a target is deregistered, too. Nobody waits for it meanwhile: AWS
// holds all that is wanted. Its binding stays as long as a node may send it requests. The deletion was decided with the plan that left the
// group: it is neither asked for again nor drift.

// unfinished are the steps for which somebody waits.
func unfinished(steps []model.Waiting) []model.Waiting {
	return slices.DeleteFunc(slices.Clone(steps), clearing)
}

// clearing tells whether a step only clears a target group away.
func clearing(w model.Waiting) bool {
	return w.Key.Kind == model.KindTargetGroup && w.For == plan.StateReleased
}

// wait notes what a run waits for. Of target groups whose deletion came to nothing it stays noted that their time is over.
func (l *Loop) wait(a *attempt) {
	before := slices.Clone(a.state.object.Spec.Waiting)
	a.state.wait(a.outputs.Waiting, metav1.NewTime(l.opts.Now()), func(w model.Waiting) (time.Duration, bool) {
		return l.opts.Hold + a.drain(w.Key.ID), clearing(w)
	})
	now := &a.state.object.Spec.Waiting
	for _, w := range before {
		kept := slices.ContainsFunc(*now, func(n headgatev1alpha1.WaitingStep) bool { return n.Key == w.Key })
		if w.Until != nil && !kept && slices.ContainsFunc(a.plan.Changes, func(c plan.Change) bool { return clearedBy(c, w) && !a.took(c) }) {
			*now = append(*now, w)
		}
	}
}

// clearedBy tells whether a change deletes the target group of a step.
func clearedBy(c plan.Change, w headgatev1alpha1.WaitingStep) bool {
	return c.Op == plan.DeleteTargetGroup && w.Key == restKey(c.ARN).String()
}

// restKey is the key of the step that waits for a target group.
func restKey(group model.ARN) model.Key {
	return model.Key{Kind: model.KindTargetGroup, ID: nameOfTargetGroup(group)}
}

// deletes tells whether the plan deletes the target group of a step that is only to be cleared away.
func (a *attempt) deletes(w headgatev1alpha1.WaitingStep) bool {
	return w.Until != nil && slices.ContainsFunc(a.plan.Changes, func(c plan.Change) bool { return clearedBy(c, w) })
}

// took tells whether a deletion is known to have taken effect.
func (a *attempt) took(c plan.Change) bool {
	return a.applied && a.held == nil && !a.outputs.Yielded &&
		!slices.ContainsFunc(a.outputs.Waiting, func(w model.Waiting) bool { return w.Key == c.Key })
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

// beyond is a plan without the deletions that were decided before.
func (a *attempt) beyond() plan.Plan {
	out := a.plan
	out.Changes = slices.DeleteFunc(slices.Clone(out.Changes), func(c plan.Change) bool {
		return slices.ContainsFunc(a.state.object.Spec.Waiting, func(w headgatev1alpha1.WaitingStep) bool { return w.Until != nil && clearedBy(c, w) })
	})
	return out
}

// overdue are the deletions of a plan that were decided before, whose time is over, and that come after nothing else.
func (a *attempt) overdue() plan.Plan {
	out := a.plan
	out.Changes = slices.DeleteFunc(slices.Clone(out.Changes), func(c plan.Change) bool {
		return c.Op != plan.DeleteTargetGroup || len(c.After) > 0 || !a.cleared(restKey(c.ARN))
	})
	return out
}

// leaves tells whether a plan does nothing now, but clears target groups away later.
func (a *attempt) leaves() bool {
	return !a.plan.Again && !slices.ContainsFunc(a.plan.Changes, func(c plan.Change) bool { return !rests(c) })
}

// rests tells whether a change is left to a later plan, because a target group is only to be cleared away.
func rests(c plan.Change) bool {
	return slices.ContainsFunc(c.Needs, func(n plan.Need) bool { return n.State == plan.StateReleased })
}

// left tells whether a change was left to a later plan for that.
func (a *attempt) left(c plan.Change) bool { return rests(c) && a.resting(c.ARN) }

// forgetRests drops what is noted of target groups that the plan which begins does not delete: they are wanted again.
func (a *attempt) forgetRests() {
	spec := &a.state.object.Spec
	spec.Waiting = slices.DeleteFunc(spec.Waiting, func(w headgatev1alpha1.WaitingStep) bool {
		return w.Until != nil && !a.deletes(w)
	})
}

// restOn has the target groups that rest do so on while the plan of a run is not carried out; made are the changes that were.
func (a *attempt) restOn(made []plan.Change) {
	for _, w := range a.state.object.Spec.Waiting {
		done := slices.ContainsFunc(made, func(c plan.Change) bool { return clearedBy(c, w) })
		key, err := model.ParseKey(w.Key)
		if err == nil && !done && a.deletes(w) {
			a.outputs.Waiting = append(a.outputs.Waiting, model.Waiting{Key: key, For: plan.StateReleased})
		}
	}
}

// resting tells whether a target group is to be cleared away later.
func (a *attempt) resting(group model.ARN) bool {
	return slices.ContainsFunc(a.outputs.Waiting, func(w model.Waiting) bool { return clearing(w) && w.Key == restKey(group) })
}

// reachable tells whether a node of the load balancer may send requests to a target group that rests: its targets are followed as long.
func (l *Loop) reachable(a *attempt, group model.ARN) bool {
	since, waited := a.state.since(restKey(group))
	return a.resting(group) && (!waited || a.begun.Before(since.Add(l.opts.Hold)))
}

// outOfReach tells whether a target group that the plan deletes rests for so long that no node sends it requests any more.
func (l *Loop) outOfReach(a *attempt, group model.ARN) bool {
	return slices.ContainsFunc(a.state.object.Spec.Waiting, func(w headgatev1alpha1.WaitingStep) bool {
		return w.Key == restKey(group).String() && a.deletes(w) && !a.begun.Before(w.Since.Add(l.opts.Hold))
	})
}

// unfollow deletes the bindings of target groups that are out of reach, for a run that does not bring bindings in line.
func (l *Loop) unfollow(ctx context.Context, a *attempt) error {
	var have elbv2v1beta1.TargetGroupBindingList
	if err := l.client.List(ctx, &have, client.MatchingLabels(bindingLabels(a.owner))); err != nil {
		return fmt.Errorf("listing the bindings of %s: %w", a.owner, err)
	}
	var errs []error
	for i := range have.Items {
		if b := &have.Items[i]; l.outOfReach(a, model.ARN(b.Spec.TargetGroupARN)) {
			errs = append(errs, l.retire(ctx, b))
		}
	}
	return errors.Join(errs...)
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

// untilCleared is when something is to be done next for a target group that rests, zero for never. What was due in this run is tried again as
// that says.
func (l *Loop) untilCleared(a *attempt) time.Duration {
	var out time.Duration
	if a.state == nil {
		return out
	}
	for _, w := range a.state.object.Spec.Waiting {
		for _, at := range []time.Time{w.Since.Add(l.opts.Hold), until(w)} {
			if w.Until != nil && at.After(a.begun) {
				out = sooner(out, max(at.Sub(l.opts.Now()), time.Millisecond))
			}
		}
	}
	return out
}

func until(w headgatev1alpha1.WaitingStep) time.Time {
	if w.Until == nil {
		return time.Time{}
	}
	return w.Until.Time
}
