package inventory

import (
	"context"
	"fmt"
	"slices"

	"github.com/headgate/headgate/model"
)

// frontend is the network load balancer in front of the observed one, with its target groups and listeners; nil where there is nothing.
// The security groups and what refers to them are the stack's.
func (o *observation) frontend(ctx context.Context) (*model.Stack, error) {
	part := observation{Inventory: o.Inventory, want: o.want, refs: o.refs, stack: model.Stack{Owner: o.stack.Owner}}
	if err := part.newest(ctx, model.ResourceFrontend, nil); err != nil {
		return nil, err
	}
	groups, err := o.targetGroupsOf(ctx, o.stack.Owner)
	if err != nil {
		return nil, err
	}
	part.stack.TargetGroups = slices.DeleteFunc(groups, func(g model.TargetGroup) bool { return !model.IsFrontend(g.ID) })
	if part.stack.LoadBalancer == nil && len(part.stack.TargetGroups) == 0 {
		return nil, nil
	}
	part.groups = keysOf(part.stack.TargetGroups, func(g model.TargetGroup) (model.ARN, string) { return g.ARN, g.ID })
	if err := part.details(ctx); err != nil {
		return nil, err
	}
	for n, g := range part.stack.TargetGroups {
		if part.stack.TargetGroups[n].Behind, err = o.behindOf(ctx, g.ARN); err != nil {
			return nil, err
		}
	}
	out := part.finish()
	return &out, nil
}

// behindOf is the load balancer that is registered in a target group of type alb. One that is on its way out does not count.
func (i *Inventory) behindOf(ctx context.Context, arn model.ARN) (*model.Target, error) {
	found, err := i.behind.of(arn).get(ctx, i.oldest(), i.now(), func(ctx context.Context) ([]model.Target, error) {
		health, err := i.elb.Health(ctx, arn)
		if err != nil {
			return nil, fmt.Errorf("reading targets: %w", err)
		}
		var out []model.Target
		for _, h := range health {
			if h.State != "draining" {
				out = append(out, h.Target)
			}
		}
		return out, nil
	})
	if err != nil {
		return nil, fmt.Errorf("observing what is behind %s: %w", arn, err)
	}
	if len(found) == 0 {
		return nil, nil
	}
	first := found[0]
	return &first, nil
}

// PutBehind records that a load balancer was registered in a target group.
func (i *Inventory) PutBehind(group model.ARN, target model.Target) {
	i.behind.of(group).put([]model.Target{target}, i.now())
}

// DropBehind has what is behind a target group read again.
func (i *Inventory) DropBehind(group model.ARN) { i.behind.of(group).drop() }

// frontendFacts are what a build must respect of the frontend.
func (i *Inventory) frontendFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	mine, err := i.balancersOf(ctx, need.Owner, model.ResourceFrontend)
	if err != nil || len(mine) == 0 {
		return err
	}
	groups, err := i.targetGroupsOf(ctx, need.Owner)
	if err != nil {
		return err
	}
	out.Frontend = model.ExistingOf(model.Stack{LoadBalancer: &mine[0].LoadBalancer, TargetGroups: groups})
	return nil
}
