package waf

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (f *Firewall) groupOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateRuleGroup", f.createGroup), wire.Reads("GetRuleGroup", f.getGroup), wire.Writes("UpdateRuleGroup", f.updateGroup),
		wire.Writes("DeleteRuleGroup", f.deleteGroup), wire.Reads("ListRuleGroups", f.listGroups),
	}
}

func (f *Firewall) createGroup(in *sdk.CreateRuleGroupInput) (*sdk.CreateRuleGroupOutput, error) {
	e, tags, err := f.begin(draft{"rulegroup", in.Scope, in.Name, in.Description, in.Tags})
	if err != nil {
		return nil, err
	}
	if in.Capacity == nil || *in.Capacity < 1 {
		return nil, invalid("The capacity must be 1 or more")
	}
	g := &ruleGroup{entity: e, shape: waftypes.RuleGroup{
		ARN: aws.String(e.arn), Id: aws.String(e.id), Name: aws.String(e.name), Description: in.Description, Capacity: in.Capacity,
		LabelNamespace: aws.String("awswaf:" + f.account.ID + ":rulegroup:" + e.name + ":"),
	}}
	if err := f.setGroup(g, &sdk.UpdateRuleGroupInput{
		VisibilityConfig: in.VisibilityConfig, Rules: in.Rules, CustomResponseBodies: in.CustomResponseBodies,
	}); err != nil {
		return nil, err
	}
	if *in.Capacity > maxCapacity {
		return nil, limited("a rule group can have %d capacity units", maxCapacity)
	}
	if err := roomFor(&f.groups, e); err != nil {
		return nil, err
	}
	f.groups.Put(g.arn, g)
	f.Tags.Put(g.arn, tags)
	return &sdk.CreateRuleGroupOutput{Summary: g.summary()}, nil
}

// setGroup checks the settings of a rule group and puts them into it; when they are refused, it stays as it is.
func (f *Firewall) setGroup(g *ruleGroup, in *sdk.UpdateRuleGroupInput) error {
	if err := checkVisibility(in.VisibilityConfig); err != nil {
		return err
	}
	used, err := ruleCheck{firewall: f, scope: g.scope, bodies: in.CustomResponseBodies}.rules(in.Rules)
	if err != nil {
		return err
	}
	if used > *g.shape.Capacity {
		return limited("the rules need %d capacity units of %d", used, *g.shape.Capacity)
	}
	g.shape.VisibilityConfig, g.shape.Rules, g.shape.CustomResponseBodies = in.VisibilityConfig, in.Rules, in.CustomResponseBodies
	if g.shape.Rules == nil {
		g.shape.Rules = []waftypes.Rule{}
	}
	return nil
}

func (g *ruleGroup) summary() *waftypes.RuleGroupSummary {
	return &waftypes.RuleGroupSummary{
		ARN: g.shape.ARN, Id: g.shape.Id, Name: g.shape.Name, Description: description(g.shape.Description), LockToken: aws.String(g.lock),
	}
}

func (f *Firewall) getGroup(in *sdk.GetRuleGroupInput) (*sdk.GetRuleGroupOutput, error) {
	g, err := find(f, &f.groups, address{in.ARN, in.Name, in.Id, in.Scope})
	if err != nil {
		return nil, err
	}
	return &sdk.GetRuleGroupOutput{RuleGroup: &g.shape, LockToken: aws.String(g.lock)}, nil
}

func (f *Firewall) updateGroup(in *sdk.UpdateRuleGroupInput) (*sdk.UpdateRuleGroupOutput, error) {
	g, err := change(f, &f.groups, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	if err := f.setGroup(g, in); err != nil {
		return nil, err
	}
	g.shape.Description, g.lock = in.Description, f.account.UUID()
	return &sdk.UpdateRuleGroupOutput{NextLockToken: aws.String(g.lock)}, nil
}

func (f *Firewall) deleteGroup(in *sdk.DeleteRuleGroupInput) (*sdk.DeleteRuleGroupOutput, error) {
	g, err := change(f, &f.groups, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if f.named(g.arn) {
		return nil, associated()
	}
	f.groups.Delete(g.arn)
	f.Tags.Drop(g.arn)
	return &sdk.DeleteRuleGroupOutput{}, nil
}

func (f *Firewall) listGroups(in *sdk.ListRuleGroupsInput) (*sdk.ListRuleGroupsOutput, error) {
	page, next, err := list(f, &f.groups, in.Scope, in.Limit, in.NextMarker)
	out := &sdk.ListRuleGroupsOutput{NextMarker: next, RuleGroups: []waftypes.RuleGroupSummary{}}
	for _, g := range page {
		out.RuleGroups = append(out.RuleGroups, *g.summary())
	}
	return out, err
}

// checkCapacity says what rules would need, as a web ACL could have them.
func (f *Firewall) checkCapacity(in *sdk.CheckCapacityInput) (*sdk.CheckCapacityOutput, error) {
	if err := f.checkScope(in.Scope); err != nil {
		return nil, err
	}
	used, err := ruleCheck{firewall: f, scope: in.Scope, inACL: true}.rules(in.Rules)
	if err != nil {
		return nil, err
	}
	if used > maxCapacity {
		return nil, limited("the rules need %d capacity units of %d", used, maxCapacity)
	}
	return &sdk.CheckCapacityOutput{Capacity: used}, nil
}
