package cloud

import (
	"context"
	"maps"
	"slices"
	"strconv"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

// make makes one change: one call, unless it was half made before.
func (r *run) make(ctx context.Context, ch plan.Change) error {
	switch ch.Op {
	case plan.CreateSecurityGroup:
		return r.createSecurityGroup(ctx, ch)
	case plan.CreateLoadBalancer:
		return r.createLoadBalancer(ctx, ch)
	case plan.CreateTargetGroup:
		return r.createTargetGroup(ctx, ch)
	case plan.CreateListener:
		return r.createListener(ctx, ch)
	case plan.CreateRule:
		return r.createRule(ctx, ch)
	case plan.RequestCertificate, plan.ImportCertificate:
		return r.makeCertificate(ctx, ch)
	case plan.PutBundle, plan.DeleteBundle, plan.CreateTrustStore:
		return r.trust(ctx, ch)
	default:
		return r.change(ctx, ch)
	}
}

// change makes a change of something that exists.
func (r *run) change(ctx context.Context, ch plan.Change) error {
	arn, err := r.target(ch)
	if err != nil {
		return err
	}
	if ch.Addon != "" {
		return r.addon(ctx, ch, arn)
	}
	switch ch.Op {
	case plan.DeleteSecurityGroup, plan.DeleteLoadBalancer, plan.DeleteTargetGroup, plan.DeleteListener, plan.DeleteRule,
		plan.DeleteCertificate, plan.DeleteTrustStore:
		return r.remove(ctx, ch, arn)
	case plan.AuthorizeIngress, plan.RevokeIngress:
		return r.admit(ctx, ch, arn)
	case plan.PublishProofs:
		return r.publish(ctx, ch)
	case plan.AddTags, plan.RemoveTags:
		return r.tag(ctx, ch, arn)
	case plan.ModifyLoadBalancerAttributes, plan.ModifyTargetGroupAttributes, plan.ModifyListenerAttributes:
		return r.setAttributes(ctx, ch, arn)
	case plan.SetSubnets, plan.SetSecurityGroups, plan.SetIPAddressType:
		return r.modifyLoadBalancer(ctx, ch, arn)
	default:
		return r.modify(ctx, ch, arn)
	}
}

func (r *run) setAttributes(ctx context.Context, ch plan.Change, arn model.ARN) error {
	got, err := r.elb.SetAttributes(ctx, ch.Key.Kind, arn, ch.Attributes)
	if err != nil {
		if t := call.TrialOf(ctx); t != nil && !t.Touched() {
			return doing("attributes", err) // what AWS refuses changes nothing
		}
		r.inventory.DropAttributes(arn)
		return r.sift(ctx, ch, arn, doing("attributes", err))
	}
	r.inventory.ChangeAttributes(arn, got)
	return nil
}

// sift sets those of some attributes one by one that AWS takes: one value that it refuses fails the whole call, and on what members share
// there are values of several. What only goes with another is tried again after that one. The error has those that are refused.
func (r *run) sift(ctx context.Context, ch plan.Change, arn model.ARN, refused error) error {
	if fault.Of(refused) != fault.Invalid || ch.Key.Kind == model.KindTargetGroup || len(ch.Attributes) < 2 {
		return refused
	}
	left := maps.Clone(ch.Attributes)
	for took := true; took && len(left) > 0; {
		took = false
		for _, k := range slices.Sorted(maps.Keys(left)) {
			_, err := r.elb.SetAttributes(ctx, ch.Key.Kind, arn, map[string]string{k: left[k]})
			switch {
			case err == nil:
				delete(left, k)
				took = true
			case fault.Of(err) != fault.Invalid:
				return doing("attributes", err)
			default:
				refused = doing("attributes", err)
			}
		}
	}
	if len(left) == 0 {
		return nil
	}
	ch.Attributes = left
	return &plan.ChangeError{Change: ch, Err: refused}
}

func (r *run) modifyLoadBalancer(ctx context.Context, ch plan.Change, arn model.ARN) error {
	want := *ch.LoadBalancer
	var err error
	switch ch.Op {
	case plan.SetSubnets:
		want.Subnets = slices.Sorted(slices.Values(want.Subnets))
		err = r.elb.SetSubnets(ctx, arn, want)
	case plan.SetSecurityGroups:
		if want.SecurityGroups, err = r.groupRefs(ctx, want.SecurityGroups); err == nil {
			err = r.elb.SetSecurityGroups(ctx, arn, want.SecurityGroups)
		}
	default:
		err = r.elb.SetIPAddressType(ctx, arn, want.IPAddressType)
	}
	if err != nil {
		return doing("load balancer "+want.Name, err)
	}
	r.inventory.ChangeLoadBalancer(arn, func(lb *model.LoadBalancer) {
		switch ch.Op {
		case plan.SetSubnets:
			lb.Subnets, lb.Allocations = want.Subnets, want.Allocations
		case plan.SetSecurityGroups:
			lb.SecurityGroups = want.SecurityGroups
		default:
			lb.IPAddressType = want.IPAddressType
		}
	})
	return nil
}

func (r *run) modify(ctx context.Context, ch plan.Change, arn model.ARN) error {
	switch ch.Op {
	case plan.ModifyTrustStore:
		return r.modifyTrustStore(ctx, ch, arn)
	case plan.ModifyTargetGroup:
		got, err := r.elb.ModifyTargetGroup(ctx, arn, *ch.TargetGroup)
		if err == nil {
			r.inventory.PutTargetGroup(got)
		}
		return doing("target group "+ch.TargetGroup.Name, err)
	case plan.RegisterTargets:
		return r.register(ctx, ch, arn)
	case plan.ModifyListener:
		return r.modifyListener(ctx, ch, arn)
	case plan.ModifyRule:
		return r.modifyRule(ctx, ch, arn)
	case plan.SetRulePriorities:
		return r.renumber(ctx, ch, arn)
	case plan.AddListenerCertificates, plan.RemoveListenerCertificates:
		return r.certificates(ctx, ch, arn)
	default:
		return &fault.Error{Class: fault.Invalid, Action: string(ch.Op), Err: errOperation}
	}
}

// register puts the stack's load balancer into a target group. Again changes nothing.
func (r *run) register(ctx context.Context, ch plan.Change, group model.ARN) error {
	for _, target := range ch.Targets {
		if target.ID == "" {
			arn, err := r.loadBalancer(model.Key{Kind: model.KindLoadBalancer, ID: model.ResourceLoadBalancer})
			if err != nil {
				return err
			}
			target.ID = string(arn)
		}
		if err := r.elb.Register(call.WithLane(ctx, call.Register), group, []model.Target{target}); err != nil {
			r.inventory.DropBehind(group)
			return doing("target group "+ch.TargetGroup.Name, err)
		}
		r.inventory.PutBehind(group, target)
	}
	return nil
}

func (r *run) modifyListener(ctx context.Context, ch plan.Change, arn model.ARN) error {
	want := *ch.Listener
	var err error
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
	defer r.dropListener(arn)
	return doing("port "+strconv.Itoa(want.Port), r.elb.ModifyListener(ctx, arn, want))
}

// dropListener has a listener and its certificates read again: a change of protocol or default certificate touches both.
func (r *run) dropListener(arn model.ARN) {
	r.inventory.DropListenersWith(arn)
	r.inventory.DropCertificates(arn)
}

func (r *run) modifyRule(ctx context.Context, ch plan.Change, arn model.ARN) error {
	want, err := r.rule(*ch.Rule)
	if err != nil {
		return err
	}
	if ctx, err = r.withSecret(ctx, want.Actions); err != nil {
		return err
	}
	got, err := r.elb.ModifyRule(ctx, arn, want)
	if err != nil {
		r.inventory.DropRulesWith(arn)
		return doing("port "+strconv.Itoa(ch.Port), err)
	}
	r.inventory.PutRulesWith(arn, got...)
	r.made(ch.Key, arn)
	return nil
}

func (r *run) renumber(ctx context.Context, ch plan.Change, listener model.ARN) error {
	priorities := map[model.ARN]int{}
	for _, p := range ch.Priorities {
		arn := p.ARN
		if arn == "" {
			var ok bool
			if arn, ok = r.arn(p.Key); !ok {
				return unresolved(p.Key)
			}
		}
		priorities[arn] = p.Priority
	}
	got, err := r.elb.SetPriorities(ctx, priorities)
	if err != nil || len(got) < len(priorities) {
		r.inventory.DropRules(listener)
		return doing("port "+strconv.Itoa(ch.Port), err)
	}
	r.inventory.PutRules(listener, got...)
	return nil
}

// certificates adds or removes certificates, one call each: AWS takes one a call.
func (r *run) certificates(ctx context.Context, ch plan.Change, listener model.ARN) error {
	do, record := r.elb.AddCertificate, r.inventory.PutCertificate
	if ch.Op == plan.RemoveListenerCertificates {
		do, record = r.elb.RemoveCertificate, r.inventory.DropCertificate
	}
	certificates, err := r.certificateARNs(ch.Certificates)
	if err != nil {
		return err
	}
	for _, certificate := range certificates {
		if err := do(ctx, listener, certificate); err != nil {
			r.inventory.DropCertificates(listener)
			return doing("port "+strconv.Itoa(ch.Port), err)
		}
		record(listener, certificate)
	}
	return nil
}

func (r *run) tag(ctx context.Context, ch plan.Change, arn model.ARN) error {
	var err error
	switch {
	case ch.Key.Kind == model.KindSecurityGroup && ch.Op == plan.AddTags:
		err = r.ec2.AddTags(ctx, arn, ch.Tags)
	case ch.Key.Kind == model.KindSecurityGroup:
		err = r.ec2.RemoveTags(ctx, arn, ch.TagKeys)
	case ch.Key.Kind == model.KindCertificate && ch.Op == plan.AddTags:
		err = r.acm.AddTags(ctx, arn, ch.Tags)
	case ch.Key.Kind == model.KindCertificate:
		err = r.acm.RemoveTags(ctx, arn, ch.TagKeys)
	case ch.Op == plan.AddTags:
		err = r.elb.AddTags(ctx, arn, ch.Tags)
	default:
		err = r.elb.RemoveTags(ctx, arn, ch.TagKeys)
	}
	if err != nil {
		return doing("tags", err)
	}
	r.inventory.ChangeTags(ch.Key.Kind, arn, maps.Clone(ch.Tags), slices.Clone(ch.TagKeys))
	return nil
}
