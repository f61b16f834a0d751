package cloud

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

var errTaken = errors.New("something that is not ours has its name")

// doubtful tells whether a create that failed may have made the thing, now or when it was tried before.
func doubtful(err error) bool { return call.Unsure(err) || fault.Of(err) == fault.Conflict }

// taken is the error of a name that somebody else's resource has.
func taken(ch plan.Change, arn model.ARN) error {
	return &fault.Error{Class: fault.Conflict, Action: string(ch.Op), Err: fmt.Errorf("%s: %w", arn, errTaken)}
}

// unfound is the error of a create that failed with cause, when looking for what it made failed too: a right that is missing is told.
func unfound(cause, err error) error {
	if fault.Of(err) == fault.Denied {
		return errors.Join(cause, err)
	}
	return cause
}

// createLoadBalancer makes the load balancer and then reads its tags: AWS returns the one that has the name already when its
// settings are the same, whoever made it.
func (r *run) createLoadBalancer(ctx context.Context, ch plan.Change) error {
	want := *ch.LoadBalancer
	var err error
	if want.SecurityGroups, err = r.groupRefs(ctx, want.SecurityGroups); err != nil {
		return err
	}
	want.Tags = r.owned(want.Tags, ch.Key.ID)
	got, err := r.elb.CreateLoadBalancer(ctx, want)
	_, known := r.inventory.LoadBalancer(got.ARN)
	isNew := err == nil && !known
	if isNew {
		got.Tags = want.Tags
	}
	if err != nil && doubtful(err) {
		got, err = r.findLoadBalancer(ctx, want, err)
	}
	if err == nil {
		err = r.verify(ctx, ch, &got)
	}
	if err != nil {
		r.inventory.ForgetAll(model.KindLoadBalancer)
		return err
	}
	r.inventory.PutLoadBalancer(got)
	if isNew {
		r.inventory.NewLoadBalancer(got.LoadBalancer)
	}
	r.made(ch.Key, got.ARN)
	return nil
}

// verify reads whose a load balancer is. AWS may not find one by its ARN that it has just made: then it is new, and has the tags that were
// asked for.
func (r *run) verify(ctx context.Context, ch plan.Change, lb *elbv2.LoadBalancer) error {
	tags, err := r.elb.Tags(ctx, []model.ARN{lb.ARN})
	if err != nil {
		return fmt.Errorf("verifying who owns %s: %w", lb.ARN, err)
	}
	if found, ok := tags[lb.ARN]; ok {
		lb.Tags = found
	}
	if !r.ours(lb.Tags, ch.Key.ID) {
		return taken(ch, lb.ARN)
	}
	return nil
}

// findLoadBalancer finds what a create made that failed with cause, and returns cause when there is none or it is another.
func (r *run) findLoadBalancer(ctx context.Context, want model.LoadBalancer, cause error) (elbv2.LoadBalancer, error) {
	got, err := r.elb.LoadBalancerNamed(ctx, want.Name)
	if err != nil || !sameBalancer(want, got.LoadBalancer) {
		return elbv2.LoadBalancer{}, unfound(cause, err)
	}
	return got, nil
}

func (r *run) createTargetGroup(ctx context.Context, ch plan.Change) error {
	want := *ch.TargetGroup
	want.VPC = cmp.Or(want.VPC, r.vpc)
	want.Tags = r.owned(want.Tags, ch.Key.ID)
	got, err := r.elb.CreateTargetGroup(ctx, want)
	switch {
	case err != nil && doubtful(err):
		got, err = r.findTargetGroup(ctx, want, err)
	case err == nil:
		known, ok := r.inventory.TargetGroup(got.ARN)
		if ok && !r.ours(known.Tags, ch.Key.ID) {
			return taken(ch, got.ARN) // AWS returned one that was there already
		}
		if !ok {
			r.inventory.NewTargetGroup(got)
		}
		got.Tags = want.Tags
	}
	if err != nil {
		r.inventory.ForgetAll(model.KindTargetGroup)
		return err
	}
	r.inventory.PutTargetGroup(got)
	r.made(ch.Key, got.ARN)
	return nil
}

func (r *run) findTargetGroup(ctx context.Context, want model.TargetGroup, cause error) (model.TargetGroup, error) {
	got, err := r.elb.TargetGroupNamed(ctx, want.Name)
	if err != nil || !sameTargetGroup(want, got) {
		return model.TargetGroup{}, unfound(cause, err)
	}
	tags, err := r.elb.Tags(ctx, []model.ARN{got.ARN})
	if err != nil || !sameOwnership(want.Tags, tags[got.ARN]) {
		return model.TargetGroup{}, unfound(cause, err)
	}
	got.Tags = tags[got.ARN]
	return got, nil
}

func (r *run) createSecurityGroup(ctx context.Context, ch plan.Change) error {
	want := *ch.SecurityGroup
	want.VPC = cmp.Or(want.VPC, r.vpc)
	want.Tags = r.owned(want.Tags, ch.Key.ID)
	want.Ingress = nil // rules are changes of their own
	id, err := r.ec2.CreateGroup(ctx, want)
	want.ARN = id
	if err == nil {
		r.inventory.NewSecurityGroup(want)
	} else {
		r.inventory.ForgetAll(model.KindSecurityGroup)
	}
	if err != nil && doubtful(err) {
		want, err = r.findSecurityGroup(ctx, want, err)
	}
	if err != nil {
		return err
	}
	r.made(ch.Key, want.ARN)
	return nil
}

func (r *run) findSecurityGroup(ctx context.Context, want model.SecurityGroup, cause error) (model.SecurityGroup, error) {
	got, ok, err := r.ec2.GroupNamed(ctx, want.VPC, want.Name)
	if err != nil || !ok || !sameOwnership(want.Tags, got.Tags) {
		return model.SecurityGroup{}, unfound(cause, err)
	}
	return got, nil
}

func (r *run) createListener(ctx context.Context, ch plan.Change) error {
	lb, err := r.loadBalancer(ch.Key.Balancer())
	if err != nil {
		return err
	}
	want := *ch.Listener
	if want.DefaultActions, err = r.actions(want.DefaultActions); err != nil {
		return err
	}
	if ctx, err = r.withSecret(ctx, want.DefaultActions); err != nil {
		return err
	}
	if want.Certificates, err = r.defaultCertificate(want.Certificates); err != nil {
		return err
	}
	if want.MutualAuth, err = r.trusting(want.MutualAuth); err != nil {
		return err
	}
	got, err := r.elb.CreateListener(ctx, lb, want)
	if err == nil {
		r.inventory.NewListener(lb, got)
	} else {
		r.inventory.DropListeners(lb)
	}
	if err != nil && doubtful(err) {
		got, err = r.findListener(ctx, lb, want, err)
	}
	if err != nil {
		return err
	}
	r.inventory.PutTags(got.ARN, want.Tags)
	r.made(ch.Key, got.ARN)
	return nil
}

func (r *run) findListener(ctx context.Context, lb model.ARN, want model.Listener, cause error) (model.Listener, error) {
	all, err := r.elb.Listeners(ctx, lb)
	if err != nil {
		return model.Listener{}, unfound(cause, err)
	}
	for _, got := range all {
		if sameListener(want, got) {
			return got, nil
		}
	}
	return model.Listener{}, cause
}

// createRule makes a rule. AWS makes a second one when it is asked again with another priority, and refuses the same priority,
// so a rule counts as made only where content and priority are what was asked for.
func (r *run) createRule(ctx context.Context, ch plan.Change) error {
	listener, err := r.listener(ch.Port)
	if err != nil {
		return err
	}
	want, err := r.rule(*ch.Rule)
	if err != nil {
		return err
	}
	if ctx, err = r.withSecret(ctx, want.Actions); err != nil {
		return err
	}
	want.Priority = ch.Priority
	got, err := r.elb.CreateRule(ctx, listener, want)
	if err != nil {
		r.inventory.DropRules(listener)
	}
	if err != nil && doubtful(err) {
		got, err = r.findRule(ctx, listener, want, err)
	}
	if err != nil {
		return err
	}
	r.inventory.PutRules(listener, got)
	r.inventory.PutTags(got.ARN, want.Tags)
	r.made(ch.Key, got.ARN)
	return nil
}

// findRule finds the rule that a create made that failed with cause.
func (r *run) findRule(ctx context.Context, listener model.ARN, want model.Rule, cause error) (model.Rule, error) {
	all, err := r.elb.Rules(ctx, listener)
	if err != nil {
		return model.Rule{}, unfound(cause, err)
	}
	content := model.ContentOf(want)
	for _, got := range all {
		if got.Priority == want.Priority && content.Equals(model.ContentOf(got)) {
			return got, nil
		}
	}
	return model.Rule{}, cause
}
