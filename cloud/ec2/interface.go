package ec2

import (
	"context"
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/call"
)

// GroupsOfAddresses are the IDs of the security groups of the interfaces that hold addresses in a VPC, by address. An address
// without an interface is left out.
func (c *Client) GroupsOfAddresses(ctx context.Context, vpc string, addresses []string) (map[string][]string, error) {
	byFilter := map[string][]string{}
	for _, a := range addresses {
		name := "addresses.private-ip-address"
		if isIPv6(a) {
			name = "ipv6-addresses.ipv6-address"
		}
		byFilter[name] = append(byFilter[name], a)
	}
	out := map[string][]string{}
	for name, values := range byFilter {
		for some := range slices.Chunk(values, filterLimit) {
			if err := c.interfaces(ctx, []types.Filter{filter(name, some...), filter("vpc-id", vpc)}, out); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}

func (c *Client) interfaces(ctx context.Context, by []types.Filter, out map[string][]string) error {
	pages := sdk.NewDescribeNetworkInterfacesPaginator(c.api, &sdk.DescribeNetworkInterfacesInput{
		Filters: by, MaxResults: aws.Int32(pageSize),
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return fmt.Errorf("reading network interfaces: %w", call.Bare(err))
		}
		for _, i := range page.NetworkInterfaces {
			var groups []string
			for _, g := range i.Groups {
				groups = append(groups, aws.ToString(g.GroupId))
			}
			slices.Sort(groups)
			for _, a := range i.PrivateIpAddresses {
				out[aws.ToString(a.PrivateIpAddress)] = groups
			}
			for _, a := range i.Ipv6Addresses {
				out[aws.ToString(a.Ipv6Address)] = groups
			}
		}
	}
	return nil
}
