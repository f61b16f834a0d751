// Package ec2 reads the network of a cluster into model types, and writes security groups from model types.
//
// It may import model and the AWS SDK. Its invariants: what it reads is normalised (permissions flat and sorted, peers by group
// ID), and a write is one API call.
package ec2

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
)

// pageSize is the most that the Describe calls used here return at once; route tables come by routePage.
const (
	pageSize  = 1000
	routePage = 100
	// filterLimit is how many values a filter takes.
	filterLimit = 200
)

// Client is the EC2 API of one account and region.
type Client struct {
	api *sdk.Client
}

// New makes a client.
func New(cfg aws.Config) *Client { return &Client{api: sdk.NewFromConfig(cfg)} }

// once is the option of calls that create.
func once(o *sdk.Options) { o.Retryer = call.Once(o.Retryer) }

// VPC reads a VPC with all its blocks.
func (c *Client) VPC(ctx context.Context, id string) (model.VPC, error) {
	out, err := c.api.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{VpcIds: []string{id}})
	if err != nil {
		return model.VPC{}, fmt.Errorf("reading VPC %s: %w", id, call.Bare(err))
	}
	if len(out.Vpcs) == 0 {
		return model.VPC{ID: id}, nil
	}
	return readVPC(out.Vpcs[0]), nil
}

// VPCTagged finds the one VPC that has all tags.
func (c *Client) VPCTagged(ctx context.Context, tags map[string]string) (model.VPC, error) {
	out, err := c.api.DescribeVpcs(ctx, &sdk.DescribeVpcsInput{Filters: tagFilters(tags)})
	if err != nil {
		return model.VPC{}, fmt.Errorf("finding the VPC by tags: %w", call.Bare(err))
	}
	if len(out.Vpcs) != 1 {
		return model.VPC{}, fmt.Errorf("finding the VPC by tags: %d VPCs have all of %v, want exactly one", len(out.Vpcs), tags)
	}
	return readVPC(out.Vpcs[0]), nil
}

func readVPC(in types.Vpc) model.VPC {
	out := model.VPC{ID: aws.ToString(in.VpcId)}
	for _, a := range in.CidrBlockAssociationSet {
		if a.CidrBlockState == nil || a.CidrBlockState.State == types.VpcCidrBlockStateCodeAssociated {
			out.CIDRs = append(out.CIDRs, aws.ToString(a.CidrBlock))
		}
	}
	for _, a := range in.Ipv6CidrBlockAssociationSet {
		if a.Ipv6CidrBlockState == nil || a.Ipv6CidrBlockState.State == types.VpcCidrBlockStateCodeAssociated {
			out.CIDRs = append(out.CIDRs, aws.ToString(a.Ipv6CidrBlock))
		}
	}
	if len(out.CIDRs) == 0 && in.CidrBlock != nil {
		out.CIDRs = []string{*in.CidrBlock}
	}
	slices.Sort(out.CIDRs)
	out.CIDRs = slices.Compact(out.CIDRs)
	return out
}

func filter(name string, values ...string) types.Filter {
	return types.Filter{Name: aws.String(name), Values: values}
}

func tagFilters(tags map[string]string) []types.Filter {
	var out []types.Filter
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, filter("tag:"+k, tags[k]))
	}
	return out
}

func readTags(in []types.Tag) map[string]string {
	out := make(map[string]string, len(in))
	for _, t := range in {
		out[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return out
}

func writeTags(tags map[string]string) []types.Tag {
	out := make([]types.Tag, 0, len(tags))
	for _, k := range slices.Sorted(maps.Keys(tags)) {
		out = append(out, types.Tag{Key: aws.String(k), Value: aws.String(tags[k])})
	}
	return out
}
