package cert

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/listing"
)

func tagParts(t acmtypes.Tag) (*string, *string) { return t.Key, t.Value }

func (s *Store) addTags(in *sdk.AddTagsToCertificateInput) (*sdk.AddTagsToCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	fresh, err := listing.Read(s.Tags, in.Tags, tagParts)
	if err == nil {
		_, err = s.Tags.Tag(c.arn, fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("tagging %s: %w", c.arn, err)
	}
	return &sdk.AddTagsToCertificateOutput{}, nil
}

// removeTags takes tags by key, and where a value is given only if it is that one.
func (s *Store) removeTags(in *sdk.RemoveTagsFromCertificateInput) (*sdk.RemoveTagsFromCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	keys := make([]string, len(in.Tags))
	for i, t := range in.Tags {
		keys[i] = aws.ToString(t.Key)
	}
	if err := s.Tags.CheckKeys(keys); err != nil {
		return nil, fmt.Errorf("untagging %s: %w", c.arn, err)
	}
	held := s.Tags.Of(c.arn)
	for _, t := range in.Tags {
		key := aws.ToString(t.Key)
		if value, ok := held[key]; ok && (t.Value == nil || *t.Value == value) {
			s.Tags.Untag(c.arn, []string{key})
		}
	}
	return &sdk.RemoveTagsFromCertificateOutput{}, nil
}

func (s *Store) listTags(in *sdk.ListTagsForCertificateInput) (*sdk.ListTagsForCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	all := listing.Write(s.Tags, c.arn, func(k, v *string) acmtypes.Tag { return acmtypes.Tag{Key: k, Value: v} })
	return &sdk.ListTagsForCertificateOutput{Tags: all}, nil
}
