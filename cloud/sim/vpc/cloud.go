package vpc

import (
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// virtualCloud is a VPC with its attributes.
type virtualCloud struct {
	ec2types.Vpc
	attributes map[ec2types.VpcAttributeName]bool
}

func (n *Network) cloudOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateVpc", n.createVpc),
		wire.Reads("DescribeVpcs", n.describeVpcs),
		wire.Writes("DeleteVpc", n.deleteVpc),
		wire.Writes("ModifyVpcAttribute", n.modifyVpcAttribute),
		wire.Reads("DescribeVpcEndpoints", n.describeVpcEndpoints),
		wire.Reads("DescribeVpcAttribute", n.describeVpcAttribute),
		wire.Writes("AssociateVpcCidrBlock", n.associateVpcCidrBlock),
	}
}

// Sizes of an IPv4 block of a VPC or subnet in bits (VPC user guide, "VPC CIDR blocks").
const (
	largestBlock  = 16
	smallestBlock = 28
)

func parseBlock(text string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(text)
	if err != nil || !p.Addr().Is4() {
		return netip.Prefix{}, wire.Errorf("InvalidParameterValue", "Value (%s) for parameter cidrBlock is invalid. This is not a valid CIDR block.", text)
	}
	return p.Masked(), nil
}

func (n *Network) createVpc(in *sdk.CreateVpcInput) (*sdk.CreateVpcOutput, error) {
	if in.CidrBlock == nil {
		return nil, missing("cidrBlock")
	}
	block, err := parseBlock(*in.CidrBlock)
	if err != nil {
		return nil, err
	}
	if block.Bits() < largestBlock || block.Bits() > smallestBlock {
		return nil, wire.Errorf("InvalidVpc.Range", "The CIDR '%s' is invalid.", block)
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeVpc)
	if err != nil {
		return nil, err
	}
	v := n.addVpc(n.identify("vpc"), block)
	if aws.ToBool(in.AmazonProvidedIpv6CidrBlock) {
		v.Ipv6CidrBlockAssociationSet = []ec2types.VpcIpv6CidrBlockAssociation{n.providedBlock()}
	}
	n.setTags(*v.VpcId, tags)
	out := n.vpcView(v)
	return &sdk.CreateVpcOutput{Vpc: &out}, nil
}

// addVpc makes a VPC with what AWS makes along with it: the main route table and the default security group.
func (n *Network) addVpc(id string, block netip.Prefix) *virtualCloud {
	v := &virtualCloud{
		Vpc: ec2types.Vpc{
			VpcId: aws.String(id), CidrBlock: aws.String(block.String()), State: ec2types.VpcStateAvailable,
			OwnerId: aws.String(n.account.ID), IsDefault: aws.Bool(false), InstanceTenancy: ec2types.TenancyDefault,
			DhcpOptionsId: aws.String(n.identify("dopt")),
		},
		attributes: map[ec2types.VpcAttributeName]bool{ec2types.VpcAttributeNameEnableDnsSupport: true},
	}
	v.CidrBlockAssociationSet = []ec2types.VpcCidrBlockAssociation{n.association(block)}
	n.vpcs.Put(id, v)
	n.addRouteTable(n.identify("rtb"), v, mainTable)
	n.addGroup(group{id: n.identify("sg"), name: defaultGroup, description: "default VPC security group", vpc: id})
	return v
}

func (n *Network) association(block netip.Prefix) ec2types.VpcCidrBlockAssociation {
	return ec2types.VpcCidrBlockAssociation{
		AssociationId: aws.String(n.identify("vpc-cidr-assoc")), CidrBlock: aws.String(block.String()),
		CidrBlockState: &ec2types.VpcCidrBlockState{State: ec2types.VpcCidrBlockStateCodeAssociated},
	}
}

func (n *Network) providedBlock() ec2types.VpcIpv6CidrBlockAssociation {
	h := n.account.Hex(4)
	return n.provided(netip.MustParsePrefix("2600:1f14:1" + h[:3] + ":" + h[3:] + "00::/56"))
}

// provided is an IPv6 block that Amazon gave to a VPC.
func (n *Network) provided(block netip.Prefix) ec2types.VpcIpv6CidrBlockAssociation {
	return ec2types.VpcIpv6CidrBlockAssociation{
		AssociationId: aws.String(n.identify("vpc-cidr-assoc")), Ipv6CidrBlock: aws.String(block.String()),
		Ipv6CidrBlockState: &ec2types.VpcCidrBlockState{State: ec2types.VpcCidrBlockStateCodeAssociated},
	}
}

func (n *Network) vpcView(v *virtualCloud) ec2types.Vpc {
	out := v.Vpc
	out.Tags = n.tagList(*v.VpcId)
	return out
}

func (n *Network) describeVpcs(in *sdk.DescribeVpcsInput) (*sdk.DescribeVpcsOutput, error) {
	list, err := pick(n, selection{ids: in.VpcIds, filters: in.Filters}, &n.vpcs, vpcFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.VpcIds != nil})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeVpcsOutput{NextToken: next, Vpcs: []ec2types.Vpc{}}
	for _, v := range some {
		out.Vpcs = append(out.Vpcs, n.vpcView(v))
	}
	return out, nil
}

func vpcFields() fields[*virtualCloud] {
	four := func(read func(ec2types.VpcCidrBlockAssociation) *string) func(*virtualCloud) []string {
		return func(v *virtualCloud) []string { return each(v.CidrBlockAssociationSet, read) }
	}
	six := func(read func(ec2types.VpcIpv6CidrBlockAssociation) *string) func(*virtualCloud) []string {
		return func(v *virtualCloud) []string { return each(v.Ipv6CidrBlockAssociationSet, read) }
	}
	isDefault := func(v *virtualCloud) []string { return flag(v.IsDefault) }
	return fields[*virtualCloud]{
		"vpc-id":                                func(v *virtualCloud) []string { return optional(v.VpcId) },
		"cidr":                                  func(v *virtualCloud) []string { return optional(v.CidrBlock) },
		"state":                                 func(v *virtualCloud) []string { return []string{string(v.State)} },
		"owner-id":                              func(v *virtualCloud) []string { return optional(v.OwnerId) },
		"dhcp-options-id":                       func(v *virtualCloud) []string { return optional(v.DhcpOptionsId) },
		"is-default":                            isDefault,
		"isDefault":                             isDefault,
		"cidr-block-association.cidr-block":     four(func(a ec2types.VpcCidrBlockAssociation) *string { return a.CidrBlock }),
		"cidr-block-association.association-id": four(func(a ec2types.VpcCidrBlockAssociation) *string { return a.AssociationId }),
		"cidr-block-association.state":          four(func(a ec2types.VpcCidrBlockAssociation) *string { return (*string)(&a.CidrBlockState.State) }),
		"ipv6-cidr-block-association.ipv6-cidr-block": six(func(a ec2types.VpcIpv6CidrBlockAssociation) *string { return a.Ipv6CidrBlock }),
		"ipv6-cidr-block-association.association-id":  six(func(a ec2types.VpcIpv6CidrBlockAssociation) *string { return a.AssociationId }),
		"ipv6-cidr-block-association.ipv6-pool":       six(func(a ec2types.VpcIpv6CidrBlockAssociation) *string { return a.Ipv6Pool }),
		"ipv6-cidr-block-association.state": six(func(a ec2types.VpcIpv6CidrBlockAssociation) *string {
			return (*string)(&a.Ipv6CidrBlockState.State)
		}),
	}
}

func (n *Network) deleteVpc(in *sdk.DeleteVpcInput) (*sdk.DeleteVpcOutput, error) {
	id := aws.ToString(in.VpcId)
	if !has(&n.vpcs, id) {
		return nil, notFound(id)
	}
	if n.vpcHasDependents(id) {
		return nil, wire.Errorf("DependencyViolation", "The vpc '%s' has dependencies and cannot be deleted.", id)
	}
	for _, g := range n.groups.Values() {
		if g.vpc == id {
			n.forget(&n.groups, g.id)
		}
	}
	for _, r := range n.routes.Values() {
		if *r.VpcId == id {
			n.routes.Delete(*r.RouteTableId)
			delete(n.tags, *r.RouteTableId)
		}
	}
	n.vpcs.Delete(id)
	delete(n.tags, id)
	return &sdk.DeleteVpcOutput{}, nil
}

func (n *Network) vpcHasDependents(id string) bool {
	for _, s := range n.subnets.All() {
		if *s.VpcId == id {
			return true
		}
	}
	for _, g := range n.groups.All() {
		if g.vpc == id && g.name != defaultGroup {
			return true
		}
	}
	for _, r := range n.routes.All() {
		if *r.VpcId == id && !isMain(r) {
			return true
		}
	}
	for _, p := range n.peerings.All() {
		if n.peeringCode(p) == peeringActive && (*p.RequesterVpcInfo.VpcId == id || *p.AccepterVpcInfo.VpcId == id) {
			return true
		}
	}
	return n.HasInternetGateway(id)
}

func (n *Network) modifyVpcAttribute(in *sdk.ModifyVpcAttributeInput) (*sdk.ModifyVpcAttributeOutput, error) {
	v, ok := n.vpcs.Get(aws.ToString(in.VpcId))
	if !ok {
		return nil, notFound(aws.ToString(in.VpcId))
	}
	set := func(name ec2types.VpcAttributeName, value *ec2types.AttributeBooleanValue) {
		if value != nil {
			v.attributes[name] = aws.ToBool(value.Value)
		}
	}
	set(ec2types.VpcAttributeNameEnableDnsHostnames, in.EnableDnsHostnames)
	set(ec2types.VpcAttributeNameEnableDnsSupport, in.EnableDnsSupport)
	set(ec2types.VpcAttributeNameEnableNetworkAddressUsageMetrics, in.EnableNetworkAddressUsageMetrics)
	return &sdk.ModifyVpcAttributeOutput{}, nil
}

func (n *Network) describeVpcAttribute(in *sdk.DescribeVpcAttributeInput) (*sdk.DescribeVpcAttributeOutput, error) {
	v, ok := n.vpcs.Get(aws.ToString(in.VpcId))
	if !ok {
		return nil, notFound(aws.ToString(in.VpcId))
	}
	value := &ec2types.AttributeBooleanValue{Value: aws.Bool(v.attributes[in.Attribute])}
	out := &sdk.DescribeVpcAttributeOutput{VpcId: in.VpcId}
	switch in.Attribute {
	case ec2types.VpcAttributeNameEnableDnsHostnames:
		out.EnableDnsHostnames = value
	case ec2types.VpcAttributeNameEnableDnsSupport:
		out.EnableDnsSupport = value
	case ec2types.VpcAttributeNameEnableNetworkAddressUsageMetrics:
		out.EnableNetworkAddressUsageMetrics = value
	default:
		return nil, missing("attribute")
	}
	return out, nil
}

func (n *Network) associateVpcCidrBlock(in *sdk.AssociateVpcCidrBlockInput) (*sdk.AssociateVpcCidrBlockOutput, error) {
	v, ok := n.vpcs.Get(aws.ToString(in.VpcId))
	if !ok {
		return nil, notFound(aws.ToString(in.VpcId))
	}
	if aws.ToBool(in.AmazonProvidedIpv6CidrBlock) {
		a := n.providedBlock()
		v.Ipv6CidrBlockAssociationSet = append(v.Ipv6CidrBlockAssociationSet, a)
		return &sdk.AssociateVpcCidrBlockOutput{VpcId: in.VpcId, Ipv6CidrBlockAssociation: &a}, nil
	}
	block, err := parseBlock(aws.ToString(in.CidrBlock))
	if err != nil {
		return nil, err
	}
	for _, held := range v.CidrBlockAssociationSet {
		if p, err := netip.ParsePrefix(*held.CidrBlock); err == nil && p.Overlaps(block) {
			return nil, wire.Errorf("CidrConflict", "The CIDR '%s' conflicts with %s", block, p)
		}
	}
	a := n.association(block)
	v.CidrBlockAssociationSet = append(v.CidrBlockAssociationSet, a)
	return &sdk.AssociateVpcCidrBlockOutput{VpcId: in.VpcId, CidrBlockAssociation: &a}, nil
}
