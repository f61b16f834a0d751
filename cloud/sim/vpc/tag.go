package vpc

import (
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) tagOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateTags", n.createTags),
		wire.Writes("DeleteTags", n.deleteTags),
		wire.Reads("DescribeTags", n.describeTags),
	}
}

const (
	maxTaggedAtOnce = 1000
	maxTagKey       = 127
	maxTagValue     = 256
)

func (n *Network) createTags(in *sdk.CreateTagsInput) (*sdk.CreateTagsOutput, error) {
	if err := n.checkResources(in.Resources); err != nil {
		return nil, err
	}
	if len(in.Tags) == 0 {
		return nil, missing("Tag")
	}
	fresh, err := tagMap(in.Tags)
	if err != nil {
		return nil, err
	}
	for _, id := range in.Resources {
		if err := n.checkTagCount(id, fresh); err != nil {
			return nil, err
		}
	}
	for _, id := range in.Resources {
		n.setTags(id, fresh)
	}
	return &sdk.CreateTagsOutput{}, nil
}

func (n *Network) deleteTags(in *sdk.DeleteTagsInput) (*sdk.DeleteTagsOutput, error) {
	if err := n.checkResources(in.Resources); err != nil {
		return nil, err
	}
	for _, id := range in.Resources {
		if in.Tags == nil {
			delete(n.tags, id)
			continue
		}
		for _, t := range in.Tags {
			held, ok := n.tags[id][aws.ToString(t.Key)]
			if ok && (t.Value == nil || *t.Value == held) {
				delete(n.tags[id], *t.Key)
			}
		}
	}
	return &sdk.DeleteTagsOutput{}, nil
}

func (n *Network) describeTags(in *sdk.DescribeTagsInput) (*sdk.DescribeTagsOutput, error) {
	fits, err := compile(in.Filters, tagFields(), byTags)
	if err != nil {
		return nil, err
	}
	var all []ec2types.TagDescription
	for _, id := range slices.Sorted(maps.Keys(n.tags)) {
		for _, t := range n.tagList(id) {
			one := ec2types.TagDescription{Key: t.Key, Value: t.Value, ResourceId: aws.String(id), ResourceType: n.resourceType(id)}
			if fits(one, map[string]string{*t.Key: *t.Value}) {
				all = append(all, one)
			}
		}
	}
	some, next, err := cut(all, page{size: in.MaxResults, token: in.NextToken})
	return &sdk.DescribeTagsOutput{Tags: some, NextToken: next}, err
}

func tagFields() fields[ec2types.TagDescription] {
	return fields[ec2types.TagDescription]{
		"resource-id":   func(t ec2types.TagDescription) []string { return optional(t.ResourceId) },
		"resource-type": func(t ec2types.TagDescription) []string { return []string{string(t.ResourceType)} },
		"key":           func(t ec2types.TagDescription) []string { return []string{*t.Key} },
		"value":         func(t ec2types.TagDescription) []string { return []string{*t.Value} },
	}
}

func has[T any](t *table.Table[T], id string) bool {
	_, ok := t.Get(id)
	return ok
}

func (n *Network) checkResources(ids []string) error {
	if len(ids) == 0 {
		return missing("ResourceId")
	}
	if len(ids) > maxTaggedAtOnce {
		return wire.Errorf("InvalidParameterValue", "The maximum number of resources is %d", maxTaggedAtOnce)
	}
	for _, id := range ids {
		if !n.exists(id) {
			return notFound(id)
		}
	}
	return nil
}

// tagMap checks tags and gives them by key.
func tagMap(tags []ec2types.Tag) (map[string]string, error) {
	all := make(map[string]string, len(tags))
	for _, t := range tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		switch {
		case key == "":
			return nil, missing("Tag.1.Key")
		case strings.HasPrefix(strings.ToLower(key), "aws:"):
			return nil, wire.Errorf("InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use")
		case len([]rune(key)) > maxTagKey:
			return nil, wire.Errorf("InvalidParameterValue", "Tag key exceeds the maximum length of %d characters", maxTagKey)
		case len([]rune(value)) > maxTagValue:
			return nil, wire.Errorf("InvalidParameterValue", "Tag value exceeds the maximum length of %d characters", maxTagValue)
		}
		if _, twice := all[key]; twice {
			return nil, wire.Errorf("InvalidParameterValue", "Duplicate tag key '%s' specified.", key)
		}
		all[key] = value
	}
	return all, nil
}

func (n *Network) checkTagCount(id string, fresh map[string]string) error {
	count := len(n.tags[id])
	for k := range fresh {
		if _, ok := n.tags[id][k]; !ok {
			count++
		}
	}
	if count > n.Quotas.TagsPerResource {
		return wire.Errorf("TagLimitExceeded", "The maximum number of tags for a resource is %d", n.Quotas.TagsPerResource)
	}
	return nil
}

func (n *Network) setTags(id string, fresh map[string]string) {
	if len(fresh) == 0 {
		return
	}
	if n.tags[id] == nil {
		n.tags[id] = map[string]string{}
	}
	maps.Copy(n.tags[id], fresh)
}

// specified reads the tags that a create call brings for its kind of resource.
func (n *Network) specified(specs []ec2types.TagSpecification, kind ec2types.ResourceType) (map[string]string, error) {
	fresh := map[string]string{}
	for _, s := range specs {
		if s.ResourceType != kind {
			return nil, wire.Errorf("InvalidParameterValue", "'%s' is not a valid taggable resource type for this operation.", s.ResourceType)
		}
		tags, err := tagMap(s.Tags)
		if err != nil {
			return nil, err
		}
		maps.Copy(fresh, tags)
	}
	return fresh, n.checkTagCount("", fresh)
}
