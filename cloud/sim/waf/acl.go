package waf

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (f *Firewall) aclOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateWebACL", f.createACL), wire.Reads("GetWebACL", f.getACL), wire.Writes("UpdateWebACL", f.updateACL),
		wire.Writes("DeleteWebACL", f.deleteACL), wire.Reads("ListWebACLs", f.listACLs),
	}
}

// maxCapacity is the most capacity units that a web ACL may use (WAF developer guide, "AWS WAF quotas").
const maxCapacity = 5000

func (f *Firewall) createACL(in *sdk.CreateWebACLInput) (*sdk.CreateWebACLOutput, error) {
	e, tags, err := f.begin(draft{"webacl", in.Scope, in.Name, in.Description, in.Tags})
	if err != nil {
		return nil, err
	}
	a := &webACL{entity: e, shape: waftypes.WebACL{
		ARN: aws.String(e.arn), Id: aws.String(e.id), Name: aws.String(e.name), Description: in.Description,
		LabelNamespace: aws.String("awswaf:" + f.account.ID + ":webacl:" + e.name + ":"),
	}}
	settings := sdk.UpdateWebACLInput{
		DefaultAction: in.DefaultAction, VisibilityConfig: in.VisibilityConfig, Rules: in.Rules, CaptchaConfig: in.CaptchaConfig,
		ChallengeConfig: in.ChallengeConfig, CustomResponseBodies: in.CustomResponseBodies, TokenDomains: in.TokenDomains,
		AssociationConfig: in.AssociationConfig, DataProtectionConfig: in.DataProtectionConfig, ApplicationConfig: in.ApplicationConfig,
		OnSourceDDoSProtectionConfig: in.OnSourceDDoSProtectionConfig, Description: in.Description,
	}
	if err := f.set(a, &settings); err != nil {
		return nil, err
	}
	if err := roomFor(&f.acls, e); err != nil {
		return nil, err
	}
	f.acls.Put(a.arn, a)
	f.Tags.Put(a.arn, tags)
	return &sdk.CreateWebACLOutput{Summary: a.summary()}, nil
}

// set checks the settings of a web ACL and puts them into it; when they are refused, it stays as it is.
func (f *Firewall) set(a *webACL, in *sdk.UpdateWebACLInput) error {
	if in.DefaultAction == nil || (in.DefaultAction.Allow == nil) == (in.DefaultAction.Block == nil) {
		return invalid("Your statement has multiple values set for a field that requires exactly one value., field: DEFAULT_ACTION")
	}
	if err := checkVisibility(in.VisibilityConfig); err != nil {
		return err
	}
	c := ruleCheck{firewall: f, scope: a.scope, inACL: true, bodies: in.CustomResponseBodies}
	if err := c.block(in.DefaultAction.Block); err != nil {
		return err
	}
	used, err := c.rules(in.Rules)
	if err != nil {
		return err
	}
	if used > maxCapacity {
		return limited("the rules need %d capacity units of %d", used, maxCapacity)
	}
	a.shape.DefaultAction, a.shape.VisibilityConfig, a.shape.Rules, a.shape.Capacity = in.DefaultAction, in.VisibilityConfig, in.Rules, used
	a.shape.CaptchaConfig, a.shape.ChallengeConfig, a.shape.CustomResponseBodies = in.CaptchaConfig, in.ChallengeConfig, in.CustomResponseBodies
	a.shape.TokenDomains, a.shape.AssociationConfig, a.shape.DataProtectionConfig = in.TokenDomains, in.AssociationConfig, in.DataProtectionConfig
	a.shape.OnSourceDDoSProtectionConfig = in.OnSourceDDoSProtectionConfig
	if in.ApplicationConfig != nil {
		a.shape.ApplicationConfig = in.ApplicationConfig
	}
	if a.shape.Rules == nil {
		a.shape.Rules = []waftypes.Rule{}
	}
	return nil
}

func (a *webACL) summary() *waftypes.WebACLSummary {
	return &waftypes.WebACLSummary{
		ARN: a.shape.ARN, Id: a.shape.Id, Name: a.shape.Name, Description: description(a.shape.Description), LockToken: aws.String(a.lock),
	}
}

// description gives the empty text for none, as AWS does in summaries.
func description(text *string) *string { return aws.String(aws.ToString(text)) }

func (f *Firewall) getACL(in *sdk.GetWebACLInput) (*sdk.GetWebACLOutput, error) {
	a, err := find(f, &f.acls, address{in.ARN, in.Name, in.Id, in.Scope})
	if err != nil {
		return nil, err
	}
	return &sdk.GetWebACLOutput{WebACL: &a.shape, LockToken: aws.String(a.lock)}, nil
}

func (f *Firewall) updateACL(in *sdk.UpdateWebACLInput) (*sdk.UpdateWebACLOutput, error) {
	a, err := change(f, &f.acls, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if err := checkDescription(in.Description); err != nil {
		return nil, err
	}
	if err := f.set(a, in); err != nil {
		return nil, err
	}
	a.shape.Description, a.lock = in.Description, f.account.UUID()
	return &sdk.UpdateWebACLOutput{NextLockToken: aws.String(a.lock)}, nil
}

func (f *Firewall) deleteACL(in *sdk.DeleteWebACLInput) (*sdk.DeleteWebACLOutput, error) {
	a, err := change(f, &f.acls, address{nil, in.Name, in.Id, in.Scope}, in.LockToken)
	if err != nil {
		return nil, err
	}
	if len(f.used.resources(a.arn)) > 0 {
		return nil, associated()
	}
	f.acls.Delete(a.arn)
	delete(f.logging, a.arn)
	f.Tags.Drop(a.arn)
	return &sdk.DeleteWebACLOutput{}, nil
}

func associated() error {
	return wire.Errorf("WAFAssociatedItemException",
		"AWS WAF couldn't perform the operation because your resource is being used by another resource or it's associated with another resource.")
}

func (f *Firewall) listACLs(in *sdk.ListWebACLsInput) (*sdk.ListWebACLsOutput, error) {
	page, next, err := list(f, &f.acls, in.Scope, in.Limit, in.NextMarker)
	out := &sdk.ListWebACLsOutput{NextMarker: next, WebACLs: []waftypes.WebACLSummary{}}
	for _, a := range page {
		out.WebACLs = append(out.WebACLs, *a.summary())
	}
	return out, err
}

// checkResource refuses a resource that cannot have a web ACL, and gives what else is known of it.
func (f *Firewall) checkResource(arn *string) (resource, error) {
	switch is := f.used.look(aws.ToString(arn)); is {
	case malformed:
		return is, invalid("The ARN isn't valid. A valid ARN begins with arn: and includes other information separated by colons or slashes., "+
			"field: RESOURCE_ARN, parameter: %s", aws.ToString(arn))
	case unfit:
		return is, invalid("The ARN isn't of a resource that a web ACL can be associated with., field: RESOURCE_ARN, parameter: %s", aws.ToString(arn))
	case absent:
		return is, nonexistent()
	default:
		return is, nil
	}
}

func (f *Firewall) associate(in *sdk.AssociateWebACLInput) (*sdk.AssociateWebACLOutput, error) {
	is, err := f.checkResource(in.ResourceArn)
	if err != nil {
		return nil, err
	}
	a, err := f.namedACL(in.WebACLArn)
	if err != nil {
		return nil, err
	}
	if a.scope != waftypes.ScopeRegional {
		return nil, invalid("A web ACL for CloudFront can't be associated with a regional resource., field: SCOPE_VALUE, parameter: %s", a.scope)
	}
	if f.propagation > 0 && (is == unready || f.account.Now().Before(a.created.Add(f.propagation))) {
		return nil, wire.Errorf("WAFUnavailableEntityException", "AWS WAF couldn't retrieve the resource that you requested. Retry your request.")
	}
	f.used.held[*in.ResourceArn] = a.arn
	return &sdk.AssociateWebACLOutput{}, nil
}

// namedACL finds a web ACL by its ARN.
func (f *Firewall) namedACL(arn *string) (*webACL, error) {
	if !isARN(arn, "webacl") {
		return nil, invalid("The ARN isn't valid., field: RESOURCE_ARN, parameter: %s", aws.ToString(arn))
	}
	return find(f, &f.acls, address{arn: arn})
}

func (f *Firewall) disassociate(in *sdk.DisassociateWebACLInput) (*sdk.DisassociateWebACLOutput, error) {
	if _, err := f.checkResource(in.ResourceArn); err != nil {
		return nil, err
	}
	delete(f.used.held, *in.ResourceArn)
	return &sdk.DisassociateWebACLOutput{}, nil
}

func (f *Firewall) getForResource(in *sdk.GetWebACLForResourceInput) (*sdk.GetWebACLForResourceOutput, error) {
	if _, err := f.checkResource(in.ResourceArn); err != nil {
		return nil, err
	}
	a, ok := f.acls.Get(f.used.of(*in.ResourceArn))
	if !ok {
		return &sdk.GetWebACLForResourceOutput{}, nil
	}
	return &sdk.GetWebACLForResourceOutput{WebACL: &a.shape}, nil
}

func (f *Firewall) listResources(in *sdk.ListResourcesForWebACLInput) (*sdk.ListResourcesForWebACLOutput, error) {
	a, err := f.namedACL(in.WebACLArn)
	if err != nil {
		return nil, err
	}
	if in.ResourceType != "" && in.ResourceType != waftypes.ResourceTypeApplicationLoadBalancer {
		return &sdk.ListResourcesForWebACLOutput{ResourceArns: []string{}}, nil
	}
	return &sdk.ListResourcesForWebACLOutput{ResourceArns: f.used.resources(a.arn)}, nil
}
