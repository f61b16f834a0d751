package waf

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/listing"
)

func tagParts(t waftypes.Tag) (*string, *string) { return t.Key, t.Value }

// isARN reports whether an ARN is one of WAFv2, of some kind.
func isARN(arn *string, kinds ...string) bool {
	text := aws.ToString(arn)
	if !strings.HasPrefix(text, "arn:") || !strings.Contains(text, ":wafv2:") {
		return false
	}
	for _, k := range kinds {
		if strings.Contains(text, "/"+k+"/") {
			return true
		}
	}
	return false
}

// checkTagged demands an ARN of something that has tags and exists.
func (f *Firewall) checkTagged(arn *string) error {
	if !isARN(arn, "webacl", "ipset", "rulegroup", "regexpatternset") {
		return invalid("The ARN isn't valid., field: RESOURCE_ARN, parameter: %s", aws.ToString(arn))
	}
	if !f.Tags.Has(*arn) {
		return nonexistent()
	}
	return nil
}

func (f *Firewall) tagResource(in *sdk.TagResourceInput) (*sdk.TagResourceOutput, error) {
	if err := f.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, invalid("The list of tags is empty, field: TAGS")
	}
	fresh, err := listing.Read(f.Tags, in.Tags, tagParts)
	if err == nil {
		_, err = f.Tags.Tag(*in.ResourceARN, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("tagging %s: %w", *in.ResourceARN, err)
	}
	return &sdk.TagResourceOutput{}, nil
}

func (f *Firewall) untagResource(in *sdk.UntagResourceInput) (*sdk.UntagResourceOutput, error) {
	if err := f.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, invalid("The list of keys is empty, field: TAG_KEYS")
	}
	if err := f.Tags.CheckKeys(in.TagKeys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", *in.ResourceARN, err)
	}
	f.Tags.Untag(*in.ResourceARN, in.TagKeys)
	return &sdk.UntagResourceOutput{}, nil
}

func (f *Firewall) listTags(in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	if err := f.checkTagged(in.ResourceARN); err != nil {
		return nil, err
	}
	all := listing.Write(f.Tags, *in.ResourceARN, func(k, v *string) waftypes.Tag { return waftypes.Tag{Key: k, Value: v} })
	return &sdk.ListTagsForResourceOutput{TagInfoForResource: &waftypes.TagInfoForResource{ResourceARN: in.ResourceARN, TagList: all}}, nil
}
