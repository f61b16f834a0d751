package cert

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

const (
	maxTags     = 50
	maxTagKey   = 128
	maxTagValue = 256
)

func readTags(tags []acmtypes.Tag) (map[string]string, error) {
	all := make(map[string]string, len(tags))
	for _, t := range tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if key == "" || len([]rune(key)) > maxTagKey || len([]rune(value)) > maxTagValue || strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, wire.Errorf("InvalidTagException", "The tag '%s' is not valid.", key)
		}
		if _, twice := all[key]; twice {
			return nil, wire.Errorf("InvalidTagException", "The tag key '%s' was specified more than once.", key)
		}
		all[key] = value
	}
	if len(all) > maxTags {
		return nil, wire.Errorf("TooManyTagsException", "A certificate can have at most %d tags.", maxTags)
	}
	return all, nil
}

func (s *Store) addTags(in *sdk.AddTagsToCertificateInput) (*sdk.AddTagsToCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	fresh, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	merged := maps.Clone(c.tags)
	maps.Copy(merged, fresh)
	if len(merged) > maxTags {
		return nil, wire.Errorf("TooManyTagsException", "A certificate can have at most %d tags.", maxTags)
	}
	c.tags = merged
	return &sdk.AddTagsToCertificateOutput{}, nil
}

func (s *Store) removeTags(in *sdk.RemoveTagsFromCertificateInput) (*sdk.RemoveTagsFromCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	for _, t := range in.Tags {
		held, ok := c.tags[aws.ToString(t.Key)]
		if ok && (t.Value == nil || *t.Value == held) {
			delete(c.tags, *t.Key)
		}
	}
	return &sdk.RemoveTagsFromCertificateOutput{}, nil
}

func (s *Store) listTags(in *sdk.ListTagsForCertificateInput) (*sdk.ListTagsForCertificateOutput, error) {
	c, err := s.get(in.CertificateArn)
	if err != nil {
		return nil, err
	}
	list := []acmtypes.Tag{}
	for k, v := range c.tags {
		list = append(list, acmtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	slices.SortFunc(list, func(a, b acmtypes.Tag) int { return cmp.Compare(*a.Key, *b.Key) })
	return &sdk.ListTagsForCertificateOutput{Tags: list}, nil
}

// Tag gives a certificate more tags. It reports false if there is no such certificate.
func (s *Store) Tag(arn string, fresh map[string]string) (bool, error) {
	if _, ok := s.certificates.Get(arn); !ok {
		return false, nil
	}
	in := &sdk.AddTagsToCertificateInput{CertificateArn: aws.String(arn)}
	for k, v := range fresh {
		in.Tags = append(in.Tags, acmtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err := s.addTags(in)
	return err == nil, err
}

// Untag takes tags from a certificate. It reports false if there is no such certificate.
func (s *Store) Untag(arn string, keys []string) bool {
	c, ok := s.certificates.Get(arn)
	for _, k := range keys {
		if ok {
			delete(c.tags, k)
		}
	}
	return ok
}
