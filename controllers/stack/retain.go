package stack

import (
	"context"
	"fmt"
	"strings"

	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// TagRetained marks the shared backend security group while a load balancer has it that was let go: it is not deleted then.
const TagRetained = "headgate.dev/retained"

// draw makes the plan of a run.
func (l *Loop) draw(a *attempt) plan.Plan {
	switch {
	case a.retains() && a.req.Policy.Changes == Observe:
		return plan.Plan{Owner: a.owner} // it is left as it is, tags and all
	case a.retains():
		return plan.Release(*a.observed, a.sharing)
	}
	p := plan.Diff(a.desired, *a.observed, l.planOptions(a))
	if l.noteReplaced(a, p) {
		p = plan.Diff(a.desired, *a.observed, l.planOptions(a))
	}
	return p
}

// leave lets what was retained go on without us: the bindings of its target groups become those of a user, so that pods that come and go
// stay followed, and the shared security group stays.
func (l *Loop) leave(ctx context.Context, a *attempt, b *elbv2v1beta1.TargetGroupBinding) error {
	after := b.DeepCopy()
	for label := range bindingLabels(a.owner) {
		delete(after.Labels, label)
	}
	if err := l.client.Patch(ctx, after, client.MergeFrom(b)); client.IgnoreNotFound(err) != nil {
		return fmt.Errorf("letting go of the binding %s/%s: %w", b.Namespace, b.Name, err)
	}
	return nil
}

// wears tells whether a load balancer of a stack has the shared backend security group.
func wears(s model.Stack) bool {
	for _, lb := range s.Balancers() {
		for _, g := range lb.SecurityGroups {
			if g.Key == model.ResourceBackendSecurityGroup {
				return true
			}
		}
	}
	return false
}

// Keep has the shared backend security group stay also when the last stack is gone.
func (c *Cluster) Keep(ctx context.Context) error {
	c.work.Lock()
	defer c.work.Unlock()
	observed, err := c.observe(ctx)
	if err != nil {
		return err
	}
	for _, g := range observed.SecurityGroups {
		if g.Foreign || g.ID != model.ResourceBackendSecurityGroup || g.Tags[TagRetained] != "" {
			continue
		}
		key := model.Key{Kind: model.KindSecurityGroup, ID: g.ID}
		_, err := c.cloud.Apply(ctx, plan.Plan{Owner: c.owner(), Known: map[model.Key]model.ARN{key: g.ARN}, Changes: []plan.Change{{
			ID: 1, Op: plan.AddTags, Action: plan.Update, Key: key, ARN: g.ARN, Tags: map[string]string{TagRetained: "true"},
			Why: "a load balancer that was let go has it",
		}}})
		if err != nil {
			return fmt.Errorf("keeping the shared backend security group: %w", err)
		}
	}
	return nil
}

// retained tells whether the shared backend security group is to stay.
func retained(observed model.Stack) bool {
	for _, g := range observed.SecurityGroups {
		if !g.Foreign && g.Tags[TagRetained] != "" {
			return true
		}
	}
	return false
}

// protect notes what AWS protects from deletion, and that somebody else has to act.
func (a *attempt) protect(keys []model.Key) {
	var names []string
	for _, key := range keys {
		a.outputs.Waiting = append(a.outputs.Waiting, model.Waiting{Key: key, For: "its deletion protection is switched off"})
		names = append(names, key.String())
	}
	a.protected = true
	a.held = &outcome.Held{Reason: outcome.ReasonProtected, Given: true, Message: fmt.Sprintf(
		"%s stays in AWS until its deletion protection is switched off there (deletion_protection.enabled), or headgate.dev/deletion-policy: Retain "+
			"says that it is to stay", strings.Join(names, ", "))}
}
