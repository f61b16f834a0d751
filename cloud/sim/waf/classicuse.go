package waf

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafregional"
	classictypes "github.com/aws/aws-sdk-go-v2/service/wafregional/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (c *Classic) associationOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AssociateWebACL", c.associate), wire.Writes("DisassociateWebACL", c.disassociate),
		wire.Reads("GetWebACLForResource", c.getForResource), wire.Reads("ListResourcesForWebACL", c.listResources),
	}
}

func (c *Classic) tagOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("TagResource", c.tagResource), wire.Writes("UntagResource", c.untagResource), wire.Reads("ListTagsForResource", c.listTags),
	}
}

func (c *Classic) checkResource(arn *string) error {
	switch c.used.look(aws.ToString(arn)) {
	case malformed, unfit:
		return wrong("The ARN '%s' is not of a resource that can have a web ACL.", aws.ToString(arn))
	case absent:
		return missing()
	default:
		return nil
	}
}

func (c *Classic) associate(in *sdk.AssociateWebACLInput) (*sdk.AssociateWebACLOutput, error) {
	if err := c.checkResource(in.ResourceArn); err != nil {
		return nil, err
	}
	a, err := c.find(in.WebACLId)
	if err != nil {
		return nil, err
	}
	c.used.held[*in.ResourceArn] = *a.WebACLId
	return &sdk.AssociateWebACLOutput{}, nil
}

func (c *Classic) disassociate(in *sdk.DisassociateWebACLInput) (*sdk.DisassociateWebACLOutput, error) {
	if err := c.checkResource(in.ResourceArn); err != nil {
		return nil, err
	}
	delete(c.used.held, *in.ResourceArn)
	return &sdk.DisassociateWebACLOutput{}, nil
}

func (c *Classic) getForResource(in *sdk.GetWebACLForResourceInput) (*sdk.GetWebACLForResourceOutput, error) {
	if err := c.checkResource(in.ResourceArn); err != nil {
		return nil, err
	}
	a, ok := c.acls.Get(c.used.of(*in.ResourceArn))
	if !ok {
		return &sdk.GetWebACLForResourceOutput{}, nil
	}
	return &sdk.GetWebACLForResourceOutput{WebACLSummary: &classictypes.WebACLSummary{Name: a.Name, WebACLId: a.WebACLId}}, nil
}

func (c *Classic) listResources(in *sdk.ListResourcesForWebACLInput) (*sdk.ListResourcesForWebACLOutput, error) {
	a, err := c.find(in.WebACLId)
	if err != nil {
		return nil, err
	}
	if in.ResourceType == classictypes.ResourceTypeApiGateway {
		return &sdk.ListResourcesForWebACLOutput{ResourceArns: []string{}}, nil
	}
	return &sdk.ListResourcesForWebACLOutput{ResourceArns: c.used.resources(*a.WebACLId)}, nil
}

func (c *Classic) checkTagged(arn *string) error {
	if !strings.Contains(aws.ToString(arn), ":waf-regional:") {
		return wrong("The ARN '%s' is not valid.", aws.ToString(arn))
	}
	if !c.Tags.Has(*arn) {
		return missing()
	}
	return nil
}

func (c *Classic) tagResource(in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	if err := c.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	fresh, err := listing.Read(c.Tags, in.Tags, func(t classictypes.Tag) (*string, *string) { return t.Key, t.Value })
	if err == nil {
		_, err = c.Tags.Tag(*in.ResourceARN, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("tagging %s: %w", *in.ResourceARN, err)
	}
	return &sdk.TagResourceOutput{}, nil
}

func (c *Classic) untagResource(in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	if err := c.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	if err := c.Tags.CheckKeys(in.TagKeys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", *in.ResourceARN, err)
	}
	c.Tags.Untag(*in.ResourceARN, in.TagKeys)
	return &sdk.UntagResourceOutput{}, nil
}

func (c *Classic) listTags(in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	if err := c.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	all := listing.Write(c.Tags, *in.ResourceARN, func(k, v *string) classictypes.Tag { return classictypes.Tag{Key: k, Value: v} })
	return &sdk.ListTagsForResourceOutput{TagInfoForResource: &classictypes.TagInfoForResource{ResourceARN: in.ResourceARN, TagList: all}}, nil
}
