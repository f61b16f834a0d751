package ec2

import (
	"context"
	"fmt"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/call"
)

// GroupsOfAddresses are the IDs of the security groups of the interfaces that hold addresses in a VPC, by address. An address
// without an interface is left out; one in a delegated prefix too, because EC2 has no filter for these: see [Client.Blocks].
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
			found, err := c.interfaces(ctx, []types.Filter{filter(name, some...), filter("vpc-id", vpc)})
			if err != nil {
				return nil, err
			}
			for _, i := range found {
				groups := groupsOf(i)
				for _, a := range i.PrivateIpAddresses {
					out[aws.ToString(a.PrivateIpAddress)] = groups
				}
				for _, a := range i.Ipv6Addresses {
					out[aws.ToString(a.Ipv6Address)] = groups
				}
			}
		}
	}
	return out, nil
}

// Block is a prefix that is delegated to an interface (/28 of IPv4, /80 of IPv6): all its addresses are those of pods behind it.
type Block struct {
	netip.Prefix

	// Groups are the IDs of the interface's security groups, sorted.
	Groups []string
}

// Holds tells whether an address is in the block.
func (b Block) Holds(ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && b.Contains(addr)
}

// Blocks are the delegated prefixes of all interfaces of a VPC.
func (c *Client) Blocks(ctx context.Context, vpc string) ([]Block, error) {
	found, err := c.interfaces(ctx, []types.Filter{filter("vpc-id", vpc)})
	if err != nil {
		return nil, err
	}
	var out []Block
	for _, i := range found {
		groups := groupsOf(i)
		add := func(text *string) {
			if p, err := netip.ParsePrefix(aws.ToString(text)); err == nil {
				out = append(out, Block{Prefix: p, Groups: groups})
			}
		}
		for _, p := range i.Ipv4Prefixes {
			add(p.Ipv4Prefix)
		}
		for _, p := range i.Ipv6Prefixes {
			add(p.Ipv6Prefix)
		}
	}
	return out, nil
}

func (c *Client) interfaces(ctx context.Context, by []types.Filter) ([]types.NetworkInterface, error) {
	pages := sdk.NewDescribeNetworkInterfacesPaginator(c.api, &sdk.DescribeNetworkInterfacesInput{
		Filters: by, MaxResults: aws.Int32(pageSize),
	})
	var out []types.NetworkInterface
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading network interfaces: %w", call.Bare(err))
		}
		out = append(out, page.NetworkInterfaces...)
	}
	return out, nil
}

func groupsOf(i types.NetworkInterface) []string {
	out := make([]string, 0, len(i.Groups))
	for _, g := range i.Groups {
		out = append(out, aws.ToString(g.GroupId))
	}
	slices.Sort(out)
	return out
}
