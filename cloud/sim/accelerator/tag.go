package accelerator

import (
	"fmt"

	sdk "github.com/aws/aws-sdk-go-v2/service/globalaccelerator"
	gatypes "github.com/aws/aws-sdk-go-v2/service/globalaccelerator/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) tagOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("TagResource", n.tagResource), wire.Writes("UntagResource", n.untagResource), wire.Reads("ListTagsForResource", n.listTags),
	}
}

func tagParts(t gatypes.Tag) (*string, *string) { return t.Key, t.Value }

func (n *Network) tagResource(in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	if _, err := n.find(in.ResourceArn); err != nil {
		return nil, err
	}
	fresh, err := listing.Read(n.Tags, in.Tags, tagParts)
	if err == nil {
		_, err = n.Tags.Tag(*in.ResourceArn, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("tagging %s: %w", *in.ResourceArn, err)
	}
	return &sdk.TagResourceOutput{}, nil
}

func (n *Network) untagResource(in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	if _, err := n.find(in.ResourceArn); err != nil {
		return nil, err
	}
	if err := n.Tags.CheckKeys(in.TagKeys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", *in.ResourceArn, err)
	}
	n.Tags.Untag(*in.ResourceArn, in.TagKeys)
	return &sdk.UntagResourceOutput{}, nil
}

func (n *Network) listTags(in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	if _, err := n.find(in.ResourceArn); err != nil {
		return nil, err
	}
	all := listing.Write(n.Tags, *in.ResourceArn, func(k, v *string) gatypes.Tag { return gatypes.Tag{Key: k, Value: v} })
	return &sdk.ListTagsForResourceOutput{Tags: all}, nil
}
