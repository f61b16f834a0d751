package ec2

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
)

// GroupsTagged are the security groups of a VPC that have all tags.
func (c *Client) GroupsTagged(ctx context.Context, vpc string, tags map[string]string) ([]model.SecurityGroup, error) {
	return c.groups(ctx, append(tagFilters(tags), filter("vpc-id", vpc)))
}

// GroupsWithTag are the security groups of a VPC that have one of the tags, whatever its value.
func (c *Client) GroupsWithTag(ctx context.Context, vpc string, keys ...string) ([]model.SecurityGroup, error) {
	return c.groups(ctx, []types.Filter{filter("tag-key", keys...), filter("vpc-id", vpc)})
}

// GroupsAdmitting are the security groups of a VPC with an ingress rule whose source is the group id.
func (c *Client) GroupsAdmitting(ctx context.Context, vpc, id string) ([]model.SecurityGroup, error) {
	return c.groups(ctx, []types.Filter{filter("ip-permission.group-id", id), filter("vpc-id", vpc)})
}

// GroupNamed finds the security group of a group name in a VPC; ok is false when there is none.
func (c *Client) GroupNamed(ctx context.Context, vpc, name string) (group model.SecurityGroup, ok bool, err error) {
	found, err := c.groups(ctx, []types.Filter{filter("group-name", name), filter("vpc-id", vpc)})
	if err != nil || len(found) == 0 {
		return model.SecurityGroup{}, false, err
	}
	return found[0], true, nil
}

// GroupsGiven are the security groups of a VPC by ID; one that it does not have is left out.
func (c *Client) GroupsGiven(ctx context.Context, vpc string, ids []string) ([]model.SecurityGroup, error) {
	return c.groupsByID(ctx, ids, filter("vpc-id", vpc))
}

// GroupsByID reads security groups by ID; one that does not exist is left out.
func (c *Client) GroupsByID(ctx context.Context, ids []string) ([]model.SecurityGroup, error) {
	return c.groupsByID(ctx, ids)
}

func (c *Client) groupsByID(ctx context.Context, ids []string, also ...types.Filter) ([]model.SecurityGroup, error) {
	var out []model.SecurityGroup
	for some := range slices.Chunk(ids, filterLimit) {
		found, err := c.groups(ctx, append([]types.Filter{filter("group-id", some...)}, also...))
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	return out, nil
}

func (c *Client) groups(ctx context.Context, by []types.Filter) ([]model.SecurityGroup, error) {
	pages := sdk.NewDescribeSecurityGroupsPaginator(c.api, &sdk.DescribeSecurityGroupsInput{Filters: by, MaxResults: aws.Int32(pageSize)})
	var out []model.SecurityGroup
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading security groups: %w", call.Bare(err))
		}
		for _, g := range page.SecurityGroups {
			out = append(out, readGroup(g))
		}
	}
	slices.SortFunc(out, func(a, b model.SecurityGroup) int { return cmp.Compare(a.ARN, b.ARN) })
	return out, nil
}

// CreateGroup makes a security group with its tags and without ingress rules, and gives its ID.
func (c *Client) CreateGroup(ctx context.Context, g model.SecurityGroup) (model.ARN, error) {
	out, err := c.api.CreateSecurityGroup(ctx, &sdk.CreateSecurityGroupInput{
		GroupName: aws.String(g.Name), Description: aws.String(g.Description), VpcId: aws.String(g.VPC),
		TagSpecifications: []types.TagSpecification{{ResourceType: types.ResourceTypeSecurityGroup, Tags: writeTags(g.Tags)}},
	}, once)
	if err != nil {
		return "", fmt.Errorf("creating security group %s: %w", g.Name, call.Bare(err))
	}
	if out.GroupId == nil {
		return "", fmt.Errorf("creating security group %s: %w", g.Name, errEmpty)
	}
	return model.ARN(*out.GroupId), nil
}

var errEmpty = errors.New("the answer is empty")

// Authorize adds ingress permissions to a group: all of them or, when one is there already, none.
func (c *Client) Authorize(ctx context.Context, id model.ARN, permissions []model.Permission) error {
	_, err := c.api.AuthorizeSecurityGroupIngress(ctx, &sdk.AuthorizeSecurityGroupIngressInput{
		GroupId: aws.String(string(id)), IpPermissions: writePermissions(permissions),
	})
	if err != nil {
		return fmt.Errorf("authorising ingress of %s: %w", id, call.Bare(err))
	}
	return nil
}

// Revoke removes ingress permissions from a group: all of them or, when one is not there, none.
func (c *Client) Revoke(ctx context.Context, id model.ARN, permissions []model.Permission) error {
	_, err := c.api.RevokeSecurityGroupIngress(ctx, &sdk.RevokeSecurityGroupIngressInput{
		GroupId: aws.String(string(id)), IpPermissions: writePermissions(permissions),
	})
	if err != nil {
		return fmt.Errorf("revoking ingress of %s: %w", id, call.Bare(err))
	}
	return nil
}

// DeleteGroup deletes a security group that nothing uses.
func (c *Client) DeleteGroup(ctx context.Context, id model.ARN) error {
	if _, err := c.api.DeleteSecurityGroup(ctx, &sdk.DeleteSecurityGroupInput{GroupId: aws.String(string(id))}); err != nil {
		return fmt.Errorf("deleting %s: %w", id, call.Bare(err))
	}
	return nil
}

// AddTags sets tags of a resource; the others stay.
func (c *Client) AddTags(ctx context.Context, id model.ARN, tags map[string]string) error {
	if _, err := c.api.CreateTags(ctx, &sdk.CreateTagsInput{Resources: []string{string(id)}, Tags: writeTags(tags)}); err != nil {
		return fmt.Errorf("tagging %s: %w", id, call.Bare(err))
	}
	return nil
}

// RemoveTags removes tags of a resource.
func (c *Client) RemoveTags(ctx context.Context, id model.ARN, keys []string) error {
	in := &sdk.DeleteTagsInput{Resources: []string{string(id)}}
	for _, k := range keys {
		in.Tags = append(in.Tags, types.Tag{Key: aws.String(k)})
	}
	if _, err := c.api.DeleteTags(ctx, in); err != nil {
		return fmt.Errorf("removing tags of %s: %w", id, call.Bare(err))
	}
	return nil
}

func readGroup(in types.SecurityGroup) model.SecurityGroup {
	return model.SecurityGroup{
		ARN:         model.ARN(aws.ToString(in.GroupId)),
		Name:        aws.ToString(in.GroupName),
		Description: aws.ToString(in.Description),
		VPC:         aws.ToString(in.VpcId),
		Ingress:     readPermissions(in.IpPermissions),
		Tags:        readTags(in.Tags),
	}
}
