package vpc

import (
	"maps"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// Tagged gives the ARNs and tags of everything in the network that has tags.
func (n *Network) Tagged() map[string]map[string]string {
	all := make(map[string]map[string]string, len(n.tags))
	for id, tags := range n.tags {
		all[n.account.ARN("ec2", string(n.resourceType(id))+"/"+id)] = maps.Clone(tags)
	}
	return all
}

// TagsOf gives the tags of a resource; nil if it is not there or has none.
func (n *Network) TagsOf(arn string) map[string]string {
	id, ok := n.byARN(arn)
	if !ok {
		return nil
	}
	return n.tags[id]
}

// byARN gives the identifier of a resource of this network.
func (n *Network) byARN(arn string) (string, bool) {
	path, ok := strings.CutPrefix(arn, n.account.ARN("ec2", ""))
	_, id, slash := strings.Cut(path, "/")
	return id, ok && slash && n.exists(id)
}

// Tag gives a resource more tags. It reports false if there is no such resource.
func (n *Network) Tag(arn string, fresh map[string]string) (bool, error) {
	id, ok := n.byARN(arn)
	if !ok {
		return false, nil
	}
	in := &sdk.CreateTagsInput{Resources: []string{id}}
	for k, v := range fresh {
		in.Tags = append(in.Tags, ec2types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	_, err := n.createTags(in)
	return err == nil, err
}

// Untag takes tags from a resource. It reports false if there is no such resource.
func (n *Network) Untag(arn string, keys []string) bool {
	id, ok := n.byARN(arn)
	for _, k := range keys {
		if ok {
			delete(n.tags[id], k)
		}
	}
	return ok
}
