package ec2

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
)

// zoneOutpost is the zone type of a subnet on an Outpost, which EC2 tells by the subnet and not by the zone.
const zoneOutpost = "outpost"

// zoneAvailability is the zone type of an Availability Zone.
const zoneAvailability = "availability-zone"

// Subnets are the subnets of a VPC, by ID, with what their zones and route tables say.
func (c *Client) Subnets(ctx context.Context, vpc string) ([]model.Subnet, error) {
	found, err := c.subnets(ctx, filter("vpc-id", vpc))
	if err != nil {
		return nil, err
	}
	zones, err := c.zoneTypes(ctx, found)
	if err != nil {
		return nil, err
	}
	routes, err := c.routes(ctx, vpc)
	if err != nil {
		return nil, err
	}
	out := make([]model.Subnet, 0, len(found))
	for _, s := range found {
		out = append(out, readSubnet(s, zones, routes))
	}
	return out, nil
}

// SubnetsByID reads subnets wherever they are, by ID; one that does not exist is left out.
func (c *Client) SubnetsByID(ctx context.Context, ids []string) ([]model.Subnet, error) {
	var out []model.Subnet
	for some := range slices.Chunk(ids, filterLimit) {
		found, err := c.subnets(ctx, filter("subnet-id", some...))
		if err != nil {
			return nil, err
		}
		for _, s := range found {
			out = append(out, readSubnet(s, nil, &routing{}))
		}
	}
	return out, nil
}

func (c *Client) subnets(ctx context.Context, by types.Filter) ([]types.Subnet, error) {
	pages := sdk.NewDescribeSubnetsPaginator(c.api, &sdk.DescribeSubnetsInput{
		Filters: []types.Filter{by}, MaxResults: aws.Int32(pageSize),
	})
	var out []types.Subnet
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading subnets: %w", call.Bare(err))
		}
		out = append(out, page.Subnets...)
	}
	slices.SortFunc(out, func(a, b types.Subnet) int { return cmp.Compare(*a.SubnetId, *b.SubnetId) })
	return out, nil
}

// plainZone is the name of an Availability Zone: the region and a letter. Zones of other types have the place in their names
// (EC2 User Guide, Regions and Zones: us-west-2-lax-1a, us-east-1-wl1-bos-wlz-1).
var plainZone = regexp.MustCompile(`^[a-z]+(-[a-z]+)+-[0-9]+[a-z]$`)

// zoneTypes are the types of the zones of subnets. AWS is asked only where a name does not tell.
func (c *Client) zoneTypes(ctx context.Context, subnets []types.Subnet) (map[string]string, error) {
	out := map[string]string{}
	plain := true
	for _, s := range subnets {
		zone := aws.ToString(s.AvailabilityZone)
		plain = plain && plainZone.MatchString(zone)
		out[zone] = zoneAvailability
	}
	if plain {
		return out, nil
	}
	got, err := c.api.DescribeAvailabilityZones(ctx, &sdk.DescribeAvailabilityZonesInput{})
	if err != nil {
		return nil, fmt.Errorf("reading zones: %w", call.Bare(err))
	}
	for _, z := range got.AvailabilityZones {
		out[aws.ToString(z.ZoneName)] = aws.ToString(z.ZoneType)
	}
	return out, nil
}

// routing says of a VPC which subnets reach an internet gateway by a route table of their own, and whether the main table does.
type routing struct {
	own  map[string]bool
	main bool
}

func (r *routing) public(subnet string) bool {
	if own, ok := r.own[subnet]; ok {
		return own
	}
	return r.main
}

func (c *Client) routes(ctx context.Context, vpc string) (*routing, error) {
	pages := sdk.NewDescribeRouteTablesPaginator(c.api, &sdk.DescribeRouteTablesInput{
		Filters: []types.Filter{filter("vpc-id", vpc)}, MaxResults: aws.Int32(routePage),
	})
	out := &routing{own: map[string]bool{}}
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("reading route tables: %w", call.Bare(err))
		}
		for _, table := range page.RouteTables {
			out.read(table)
		}
	}
	return out, nil
}

func (r *routing) read(table types.RouteTable) {
	public := slices.ContainsFunc(table.Routes, func(route types.Route) bool {
		return strings.HasPrefix(aws.ToString(route.GatewayId), "igw-")
	})
	for _, a := range table.Associations {
		if aws.ToBool(a.Main) {
			r.main = public
		}
		if a.SubnetId != nil {
			r.own[*a.SubnetId] = public
		}
	}
}

func readSubnet(in types.Subnet, zones map[string]string, routes *routing) model.Subnet {
	out := model.Subnet{
		ID:            aws.ToString(in.SubnetId),
		Zone:          aws.ToString(in.AvailabilityZone),
		ZoneType:      zones[aws.ToString(in.AvailabilityZone)],
		CIDR:          aws.ToString(in.CidrBlock),
		FreeAddresses: int(aws.ToInt32(in.AvailableIpAddressCount)),
		Public:        routes.public(aws.ToString(in.SubnetId)),
		Tags:          readTags(in.Tags),
	}
	if in.OutpostArn != nil {
		out.ZoneType = zoneOutpost
	}
	out.IPv6 = slices.ContainsFunc(in.Ipv6CidrBlockAssociationSet, func(a types.SubnetIpv6CidrBlockAssociation) bool {
		return a.Ipv6CidrBlockState == nil || a.Ipv6CidrBlockState.State == types.SubnetCidrBlockStateCodeAssociated
	})
	return out
}
