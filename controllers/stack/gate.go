package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// Who asks for it has plans wait for approval. What was approved is where a plan leads, not its calls: a plan that is begun goes on, step by
// step and over a restart, until AWS holds what it leads to or somebody asks for something else.

// gate decides whether a plan may be carried out, and notes why not in held.
func (l *Loop) gate(ctx context.Context, a *attempt) error {
	hash := a.plan.Hash()
	if a.req.Policy.Changes == Observe {
		l.breaker.calm(a.owner)
		a.held = &outcome.Held{Reason: outcome.ReasonObserved, Note: "only shown: headgate.dev/changes is Observe", Message: fmt.Sprintf(
			"plan %s (%s) is shown and not carried out: headgate.dev/changes is Observe", hash, a.plan.Summary())}
		return nil
	}
	if a.state.object.Spec.Begun == a.goal() || a.beyond().Empty() {
		return nil
	}
	broken, err := l.broken(ctx, a)
	if err != nil || broken == "" && !l.asks(a) {
		return err
	}
	approved, err := l.board.approved(ctx, a.owner)
	if a.approved = slices.Contains(approved, hash); err != nil || a.approved {
		return err
	}
	a.held = &outcome.Held{Reason: outcome.ReasonApproval, Note: "waits for approval: headgate.dev/changes", Message: fmt.Sprintf(
		"plan %s (%s) waits for approval: look at status.pendingPlan, and approve it with `headgate approve`, or write its hash into spec.approvedPlan",
		hash, a.plan.Summary())}
	if broken != "" {
		a.held.Reason, a.held.Note, a.held.Message = outcome.ReasonPaused, "waits for approval: "+broken, broken+"; "+a.held.Message
	}
	if len(approved) > 0 {
		a.held.Message += fmt.Sprintf("; what was approved, %s, is another plan", strings.Join(approved, ", "))
	}
	return nil
}

// asks tells whether the owners want to be asked before the plan is carried out.
func (l *Loop) asks(a *attempt) bool {
	switch a.req.Policy.Changes {
	case Approve:
		return true
	case ApproveDestructive:
		return plan.Destroys(a.beyond(), a.desired, *a.observed, l.planOptions(a))
	case Auto, Observe:
	}
	return false
}

// goal is what a plan of the run leads to, by its hash.
func (a *attempt) goal() string {
	lines := []string{a.owner.String()}
	for key, hash := range a.hashes() {
		lines = append(lines, key.String()+" "+hash)
	}
	if a.retains() {
		lines = append(lines, "retained")
	}
	slices.Sort(lines)
	text, err := json.Marshal(lines)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])[:16]
}

// pause ends a run whose plan is held: what AWS holds stays, is shown, and is looked at again. What only keeps it from running out is done.
func (l *Loop) pause(ctx context.Context, a *attempt) error {
	var err error
	if a.held.Reason != outcome.ReasonObserved {
		err = errors.Join(l.routine(ctx, a), l.unfollow(ctx, a))
	}
	a.outputs.ARNs = maps.Clone(a.plan.Known)
	if a.taking == nil || a.state.object.Spec.Taking { // else it is another stack's until the plan is approved
		a.outputs.LoadBalancer, a.outputs.Frontend = a.observed.LoadBalancer, a.observedFrontend()
	}
	a.state.unsettled(a.outputs)
	l.wait(a)
	return errors.Join(err, a.state.save(ctx, l.client))
}

// routine does what of a held plan needs no approval: what only keeps AWS from running out, and what was decided before.
func (l *Loop) routine(ctx context.Context, a *attempt) error {
	overdue, p := a.overdue().Changes, a.plan.Routine()
	p.Changes = append(p.Changes, overdue...)
	if len(p.Changes) == 0 {
		a.restOn(nil)
		return nil
	}
	l.commons.agree(a)
	done, err := l.cloud.Apply(ctx, p)
	a.outputs.Done, a.outputs.Waiting = done.Done, done.Waiting
	l.commons.refused(a)
	a.held.Changed = err == nil && done.Done > 0
	if err != nil {
		l.opts.Forget(a.owner)
		a.restOn(nil)
		return fmt.Errorf("doing what needs no approval for %s: %w", a.owner, err)
	}
	a.restOn(overdue)
	return nil
}

// approved are the plans that users approved of a stack.
func (b *Board) approved(ctx context.Context, owner model.Owner) ([]string, error) {
	var list headgatev1alpha1.LoadBalancerList
	if err := b.client.List(ctx, &list, client.MatchingLabels{labelStack: StateName(owner)}); err != nil {
		return nil, fmt.Errorf("looking for approved plans: %w", err)
	}
	var out []string
	for i := range list.Items {
		if hash := strings.TrimSpace(list.Items[i].Spec.ApprovedPlan); hash != "" {
			out = append(out, hash)
		}
	}
	return out, nil
}

// spend takes back the approval of a stack that is as it shall be: the next plan asks anew, also one that reads the same.
func (b *Board) spend(ctx context.Context, object *headgatev1alpha1.LoadBalancer) error {
	if object.Spec.ApprovedPlan == "" {
		return nil
	}
	before := object.DeepCopy()
	object.Spec.ApprovedPlan = ""
	if err := b.client.Patch(ctx, object, client.MergeFromWithOptions(before, client.MergeFromWithOptimisticLock{})); err != nil {
		return fmt.Errorf("taking back the approval of LoadBalancer %s: %w", object.Name, err)
	}
	return nil
}
