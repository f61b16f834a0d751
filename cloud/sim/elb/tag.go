package elb

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) tagOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AddTags", s.addTags),
		wire.Writes("RemoveTags", s.removeTags),
		wire.Reads("DescribeTags", s.describeTags),
	}
}

const (
	maxTagKey   = 128
	maxTagValue = 256
)

// readTags checks the tags of a call and gives them by key.
func readTags(tags []elbtypes.Tag) (map[string]string, error) {
	all := make(map[string]string, len(tags))
	for _, t := range tags {
		key, value := aws.ToString(t.Key), aws.ToString(t.Value)
		if key == "" || len([]rune(key)) > maxTagKey || strings.ContainsFunc(key, notInTag) {
			return nil, invalid("1 validation error detected: Value '%s' at 'tags.1.member.key' failed to satisfy constraint: "+
				`Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`, key)
		}
		if len([]rune(value)) > maxTagValue || strings.ContainsFunc(value, notInTag) {
			return nil, invalid("1 validation error detected: Value '%s' at 'tags.1.member.value' failed to satisfy constraint: "+
				`Member must satisfy regular expression pattern: ^([\p{L}\p{Z}\p{N}_.:/=+\-@]*)$`, value)
		}
		if strings.HasPrefix(strings.ToLower(key), "aws:") {
			return nil, invalid("Tag keys that begin with 'aws:' are reserved")
		}
		if _, twice := all[key]; twice {
			return nil, wire.Errorf("DuplicateTagKeys", "A tag key was specified more than once: '%s'", key)
		}
		all[key] = value
	}
	if len(all) > tagsPerResource {
		return nil, wire.Errorf("TooManyTags", "You've reached the limit on the number of tags per resource")
	}
	return all, nil
}

func notInTag(r rune) bool {
	return !unicode.IsLetter(r) && !unicode.Is(unicode.Z, r) && !unicode.Is(unicode.N, r) && !strings.ContainsRune("_.:/=+-@", r)
}

// checkTagged demands that all resources exist.
func (s *State) checkTagged(arns []string) error {
	if len(arns) == 0 {
		return invalid("A resource ARN must be specified")
	}
	if err := checkCount(arns, "resourceArns"); err != nil {
		return err
	}
	for _, arn := range arns {
		if err := s.checkResource(arn); err != nil {
			return err
		}
	}
	return nil
}

// checkResource gives the not found error of the kind of resource that the ARN names.
func (s *State) checkResource(arn string) error {
	fields := strings.SplitN(arn, ":", 6)
	if len(fields) < 6 || fields[2] != "elasticloadbalancing" {
		return invalid("'%s' is not a valid ARN", arn)
	}
	kind, _, _ := strings.Cut(fields[5], "/")
	ok := false
	var missing error
	switch kind {
	case "loadbalancer":
		_, ok = s.balancers.Get(arn)
		missing = noLoadBalancer(arn)
	case "listener":
		_, ok = s.listeners.Get(arn)
		missing = noListener(arn)
	case "listener-rule":
		_, ok = s.rules.Get(arn)
		missing = noRule(arn)
	case "targetgroup":
		_, ok = s.groups.Get(arn)
		missing = noTargetGroup(arn)
	case "truststore":
		_, ok = s.stores.Get(arn)
		missing = noTrustStore(arn)
	default:
		missing = invalid("'%s' is not a valid ARN", arn)
	}
	if ok {
		return nil
	}
	return missing
}

func (s *State) addTags(in *sdk.AddTagsInput) (*sdk.AddTagsOutput, error) {
	if err := s.checkTagged(in.ResourceArns); err != nil {
		return nil, err
	}
	fresh, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if len(fresh) == 0 {
		return nil, invalid("At least one tag must be specified")
	}
	for _, arn := range in.ResourceArns {
		merged := maps.Clone(s.tags[arn])
		if merged == nil {
			merged = map[string]string{}
		}
		maps.Copy(merged, fresh)
		if len(merged) > tagsPerResource {
			return nil, wire.Errorf("TooManyTags", "You've reached the limit on the number of tags per resource")
		}
	}
	for _, arn := range in.ResourceArns {
		s.setTags(arn, fresh)
	}
	return &sdk.AddTagsOutput{}, nil
}

func (s *State) setTags(arn string, fresh map[string]string) {
	if len(fresh) == 0 {
		return
	}
	if s.tags[arn] == nil {
		s.tags[arn] = map[string]string{}
	}
	maps.Copy(s.tags[arn], fresh)
}

func (s *State) removeTags(in *sdk.RemoveTagsInput) (*sdk.RemoveTagsOutput, error) {
	if err := s.checkTagged(in.ResourceArns); err != nil {
		return nil, err
	}
	if len(in.TagKeys) == 0 {
		return nil, invalid("At least one tag key must be specified")
	}
	if len(in.TagKeys) > tagsPerResource {
		return nil, wire.Errorf("TooManyTags", "You've reached the limit on the number of tags per resource")
	}
	for _, arn := range in.ResourceArns {
		for _, k := range in.TagKeys {
			delete(s.tags[arn], k)
		}
	}
	return &sdk.RemoveTagsOutput{}, nil
}

func (s *State) describeTags(in *sdk.DescribeTagsInput) (*sdk.DescribeTagsOutput, error) {
	if err := s.checkTagged(in.ResourceArns); err != nil {
		return nil, err
	}
	return &sdk.DescribeTagsOutput{TagDescriptions: view(in.ResourceArns, func(arn string) elbtypes.TagDescription {
		return elbtypes.TagDescription{ResourceArn: aws.String(arn), Tags: s.tagList(arn)}
	})}, nil
}

func (s *State) tagList(arn string) []elbtypes.Tag {
	list := make([]elbtypes.Tag, 0, len(s.tags[arn]))
	for k, v := range s.tags[arn] {
		list = append(list, elbtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	slices.SortFunc(list, func(a, b elbtypes.Tag) int { return cmp.Compare(*a.Key, *b.Key) })
	return list
}
