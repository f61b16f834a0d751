package zones

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/route53"
	dnstypes "github.com/aws/aws-sdk-go-v2/service/route53/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Zones) tagOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("ChangeTagsForResource", s.changeTags).At("POST /2013-04-01/tags/{ResourceType}/{ResourceId}"),
		wire.Reads("ListTagsForResource", s.listTags).At("GET /2013-04-01/tags/{ResourceType}/{ResourceId}"),
		// It changes nothing, though it is sent as a POST.
		wire.Reads("ListTagsForResources", s.listTagsOfMany).At("POST /2013-04-01/tags/{ResourceType}"),
	}
}

// tagged gives the ARN of a resource that has tags: a zone. There are no health checks.
func (s *Zones) tagged(kind dnstypes.TagResourceType, id *string) (string, error) {
	if kind == dnstypes.TagResourceTypeHealthcheck {
		return "", absent("NoSuchHealthCheck", "The health check %s does not exist.", aws.ToString(id))
	}
	if _, err := s.find(id); err != nil {
		return "", err
	}
	return s.arn(plain(id)), nil
}

// mostTagged is how many tags a call adds, or takes away.
const mostTagged = 10

func (s *Zones) changeTags(in *sdk.ChangeTagsForResourceInput) (*sdk.ChangeTagsForResourceOutput, error) {
	arn, err := s.tagged(in.ResourceType, in.ResourceId)
	if err != nil {
		return nil, err
	}
	if len(in.AddTags) == 0 && len(in.RemoveTagKeys) == 0 || len(in.AddTags) > mostTagged || len(in.RemoveTagKeys) > mostTagged {
		return nil, invalid("1 to %d tags to add, or as many keys to remove, must be given.", mostTagged)
	}
	fresh, err := listing.Read(s.Tags, in.AddTags, func(t dnstypes.Tag) (*string, *string) { return t.Key, t.Value })
	if err != nil {
		return nil, fmt.Errorf("reading tags: %w", err)
	}
	if err := s.Tags.CheckKeys(in.RemoveTagKeys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", arn, err)
	}
	if _, err := s.Tags.Tag(arn, fresh); err != nil {
		return nil, fmt.Errorf("tagging %s: %w", arn, err)
	}
	s.Tags.Untag(arn, in.RemoveTagKeys)
	return &sdk.ChangeTagsForResourceOutput{}, nil
}

func (s *Zones) listTags(in *sdk.ListTagsForResourceInput) (*sdk.ListTagsForResourceOutput, error) {
	set, err := s.tagSet(in.ResourceType, in.ResourceId)
	return &sdk.ListTagsForResourceOutput{ResourceTagSet: set}, err
}

func (s *Zones) tagSet(kind dnstypes.TagResourceType, id *string) (*dnstypes.ResourceTagSet, error) {
	arn, err := s.tagged(kind, id)
	if err != nil {
		return nil, err
	}
	return &dnstypes.ResourceTagSet{
		ResourceType: kind, ResourceId: aws.String(plain(id)),
		Tags: listing.Write(s.Tags, arn, func(k, v *string) dnstypes.Tag { return dnstypes.Tag{Key: k, Value: v} }),
	}, nil
}

func (s *Zones) listTagsOfMany(in *sdk.ListTagsForResourcesInput) (*sdk.ListTagsForResourcesOutput, error) {
	if n := len(in.ResourceIds); n < 1 || n > mostTagged {
		return nil, invalid("1 to %d resources must be given.", mostTagged)
	}
	out := &sdk.ListTagsForResourcesOutput{}
	for _, id := range in.ResourceIds {
		set, err := s.tagSet(in.ResourceType, &id)
		if err != nil {
			return nil, err
		}
		out.ResourceTagSets = append(out.ResourceTagSets, *set)
	}
	return out, nil
}
