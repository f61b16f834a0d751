package vpc

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// subnet is a subnet; its free address count is worked out when it is shown.
type subnet struct {
	ec2types.Subnet
	block netip.Prefix
	taken int32
}

func (n *Network) subnetOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateSubnet", n.createSubnet),
		wire.Reads("DescribeSubnets", n.describeSubnets),
		wire.Writes("DeleteSubnet", n.deleteSubnet),
		wire.Writes("ModifySubnetAttribute", n.modifySubnetAttribute),
	}
}

func (n *Network) createSubnet(in *sdk.CreateSubnetInput) (*sdk.CreateSubnetOutput, error) {
	v, ok := n.vpcs.Get(aws.ToString(in.VpcId))
	if !ok {
		return nil, notFound(aws.ToString(in.VpcId))
	}
	block, err := n.subnetBlock(v, aws.ToString(in.CidrBlock))
	if err != nil {
		return nil, err
	}
	zone, err := n.zone(aws.ToString(in.AvailabilityZone), aws.ToString(in.AvailabilityZoneId))
	if err != nil {
		return nil, err
	}
	if arn := aws.ToString(in.OutpostArn); arn != "" && !strings.HasPrefix(arn, n.account.ARN("outposts", "outpost/op-")) {
		return nil, wire.Errorf("InvalidParameterValue", "Value (%s) for parameter outpostArn is invalid.", arn)
	}
	if in.Ipv6CidrBlock != nil {
		if err := n.checkSix(*v.VpcId, *in.Ipv6CidrBlock); err != nil {
			return nil, err
		}
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeSubnet)
	if err != nil {
		return nil, err
	}
	s := n.addSubnet(n.identify("subnet"), v, block, zone)
	s.OutpostArn = in.OutpostArn
	if in.Ipv6CidrBlock != nil {
		s.Ipv6CidrBlockAssociationSet = []ec2types.SubnetIpv6CidrBlockAssociation{n.subnetSix(*in.Ipv6CidrBlock)}
	}
	n.setTags(*s.SubnetId, tags)
	out := n.subnetView(s)
	return &sdk.CreateSubnetOutput{Subnet: &out}, nil
}

func (n *Network) subnetBlock(v *virtualCloud, text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, missing("cidrBlock")
	}
	block, err := parseBlock(text)
	if err != nil {
		return block, err
	}
	inside := false
	for _, a := range v.CidrBlockAssociationSet {
		p, err := netip.ParsePrefix(*a.CidrBlock)
		inside = inside || err == nil && p.Bits() <= block.Bits() && p.Contains(block.Addr())
	}
	if !inside || block.Bits() > smallestBlock {
		return block, wire.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", block)
	}
	for _, s := range n.subnets.All() {
		if *s.VpcId == *v.VpcId && s.block.Overlaps(block) {
			return block, wire.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
		}
	}
	return block, nil
}

func (n *Network) subnetSix(block string) ec2types.SubnetIpv6CidrBlockAssociation {
	return ec2types.SubnetIpv6CidrBlockAssociation{
		AssociationId: aws.String(n.identify("subnet-cidr-assoc")), Ipv6CidrBlock: aws.String(block),
		Ipv6CidrBlockState: &ec2types.SubnetCidrBlockState{State: ec2types.SubnetCidrBlockStateCodeAssociated},
	}
}

func (n *Network) addSubnet(id string, v *virtualCloud, block netip.Prefix, zone ec2types.AvailabilityZone) *subnet {
	s := &subnet{block: block, Subnet: ec2types.Subnet{
		SubnetId: aws.String(id), VpcId: v.VpcId, CidrBlock: aws.String(block.String()), AvailabilityZone: zone.ZoneName,
		AvailabilityZoneId: zone.ZoneId, State: ec2types.SubnetStateAvailable, OwnerId: aws.String(n.account.ID),
		SubnetArn: aws.String(n.account.ARN("ec2", "subnet/"+id)), MapPublicIpOnLaunch: aws.Bool(false),
		DefaultForAz: aws.Bool(false), AssignIpv6AddressOnCreation: aws.Bool(false), Ipv6Native: aws.Bool(false),
		EnableDns64: aws.Bool(false), MapCustomerOwnedIpOnLaunch: aws.Bool(false),
	}}
	n.subnets.Put(id, s)
	return s
}

// reservedAddresses are the first four and the last address of every subnet (VPC user guide, "Subnet CIDR reservations").
const reservedAddresses = 5

// free is the number of addresses that are left.
func (s *subnet) free() int32 {
	return 1<<(32-s.block.Bits()) - reservedAddresses - s.taken
}

func (n *Network) subnetView(s *subnet) ec2types.Subnet {
	out := s.Subnet
	out.AvailableIpAddressCount = aws.Int32(s.free())
	out.Tags = n.tagList(*s.SubnetId)
	return out
}

func (n *Network) describeSubnets(in *sdk.DescribeSubnetsInput) (*sdk.DescribeSubnetsOutput, error) {
	n.sweep()
	list, err := pick(n, selection{ids: in.SubnetIds, filters: in.Filters}, &n.subnets, subnetFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.SubnetIds != nil})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeSubnetsOutput{NextToken: next, Subnets: []ec2types.Subnet{}}
	for _, s := range some {
		out.Subnets = append(out.Subnets, n.subnetView(s))
	}
	return out, nil
}

func subnetFields() fields[*subnet] {
	zone := func(s *subnet) []string { return optional(s.AvailabilityZone) }
	zoneID := func(s *subnet) []string { return optional(s.AvailabilityZoneId) }
	block := func(s *subnet) []string { return optional(s.CidrBlock) }
	isDefault := func(s *subnet) []string { return flag(s.DefaultForAz) }
	six := func(read func(ec2types.SubnetIpv6CidrBlockAssociation) *string) func(*subnet) []string {
		return func(s *subnet) []string { return each(s.Ipv6CidrBlockAssociationSet, read) }
	}
	return fields[*subnet]{
		"subnet-id": func(s *subnet) []string { return optional(s.SubnetId) }, "vpc-id": func(s *subnet) []string { return optional(s.VpcId) },
		"availability-zone": zone, "availabilityZone": zone, "availability-zone-id": zoneID, "availabilityZoneId": zoneID,
		"cidr-block": block, "cidr": block, "cidrBlock": block, "default-for-az": isDefault, "defaultForAz": isDefault,
		"state":                           func(s *subnet) []string { return []string{string(s.State)} },
		"map-public-ip-on-launch":         func(s *subnet) []string { return flag(s.MapPublicIpOnLaunch) },
		"map-customer-owned-ip-on-launch": func(s *subnet) []string { return flag(s.MapCustomerOwnedIpOnLaunch) },
		"ipv6-native":                     func(s *subnet) []string { return flag(s.Ipv6Native) },
		"enable-dns64":                    func(s *subnet) []string { return flag(s.EnableDns64) },
		"outpost-arn":                     func(s *subnet) []string { return optional(s.OutpostArn) },
		"owner-id":                        func(s *subnet) []string { return optional(s.OwnerId) },
		"subnet-arn":                      func(s *subnet) []string { return optional(s.SubnetArn) },
		"customer-owned-ipv4-pool":        func(s *subnet) []string { return optional(s.CustomerOwnedIpv4Pool) },
		"available-ip-address-count":      func(s *subnet) []string { return []string{strconv.Itoa(int(s.free()))} },
		"ipv6-cidr-block-association.ipv6-cidr-block": six(func(a ec2types.SubnetIpv6CidrBlockAssociation) *string { return a.Ipv6CidrBlock }),
		"ipv6-cidr-block-association.association-id":  six(func(a ec2types.SubnetIpv6CidrBlockAssociation) *string { return a.AssociationId }),
		"ipv6-cidr-block-association.state": six(func(a ec2types.SubnetIpv6CidrBlockAssociation) *string {
			return (*string)(&a.Ipv6CidrBlockState.State)
		}),
	}.none("enable-lni-at-device-index", "private-dns-name-options-on-launch.hostname-type",
		"private-dns-name-options-on-launch.enable-resource-name-dns-a-record", "private-dns-name-options-on-launch.enable-resource-name-dns-aaaa-record")
}

func (n *Network) deleteSubnet(in *sdk.DeleteSubnetInput) (*sdk.DeleteSubnetOutput, error) {
	n.sweep()
	id := aws.ToString(in.SubnetId)
	s, ok := n.subnets.Get(id)
	if !ok {
		return nil, notFound(id)
	}
	if s.taken > 0 {
		return nil, wire.Errorf("DependencyViolation", "The subnet '%s' has dependencies and cannot be deleted.", id)
	}
	for _, r := range n.routes.Values() {
		r.Associations = slices.DeleteFunc(r.Associations, func(a ec2types.RouteTableAssociation) bool { return aws.ToString(a.SubnetId) == id })
	}
	n.forget(&n.subnets, id)
	return &sdk.DeleteSubnetOutput{}, nil
}

func (n *Network) modifySubnetAttribute(in *sdk.ModifySubnetAttributeInput) (*sdk.ModifySubnetAttributeOutput, error) {
	s, ok := n.subnets.Get(aws.ToString(in.SubnetId))
	if !ok {
		return nil, notFound(aws.ToString(in.SubnetId))
	}
	if in.MapPublicIpOnLaunch != nil {
		s.MapPublicIpOnLaunch = in.MapPublicIpOnLaunch.Value
	}
	if in.AssignIpv6AddressOnCreation != nil {
		s.AssignIpv6AddressOnCreation = in.AssignIpv6AddressOnCreation.Value
	}
	return &sdk.ModifySubnetAttributeOutput{}, nil
}
