package elb

import (
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Tagged gives the ARNs and tags of everything that has tags or had them.
func (s *State) Tagged() map[string]map[string]string {
	all := make(map[string]map[string]string, len(s.tags))
	for arn, tags := range s.tags {
		all[arn] = maps.Clone(tags)
	}
	return all
}

// Tag gives a resource more tags. It reports false if there is no such resource.
func (s *State) Tag(arn string, fresh map[string]string) (bool, error) {
	if !s.has(arn) {
		return false, nil
	}
	in := &sdk.AddTagsInput{ResourceArns: []string{arn}}
	for k, v := range fresh {
		in.Tags = append(in.Tags, elbtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err := s.addTags(in)
	return err == nil, err
}

// Untag takes tags from a resource. It reports false if there is no such resource.
func (s *State) Untag(arn string, keys []string) bool {
	if !s.has(arn) {
		return false
	}
	for _, k := range keys {
		delete(s.tags[arn], k)
	}
	return true
}

func (s *State) has(arn string) bool { return s.checkResource(arn) == nil }
