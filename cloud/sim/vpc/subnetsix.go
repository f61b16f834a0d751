package vpc

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) subnetSixOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AssociateSubnetCidrBlock", n.associateSubnetBlock), wire.Writes("DisassociateSubnetCidrBlock", n.disassociateSubnetBlock),
	}
}

// Sizes of IPv6 blocks of subnets (VPC user guide, "Subnet sizing for IPv6").
const (
	largestSix  = 44
	smallestSix = 64
	stepSix     = 4
)

// checkSix demands a block of the VPC that no other subnet has.
func (n *Network) checkSix(vpc, text string) error {
	block, err := netip.ParsePrefix(text)
	if err != nil || !block.Addr().Is6() || block.Masked() != block {
		return wire.Errorf("InvalidParameterValue", "Value (%s) for parameter ipv6CidrBlock is invalid. This is not a valid IPv6 CIDR block.", text)
	}
	v, ok := n.vpcs.Get(vpc)
	inside := ok && slices.ContainsFunc(v.Ipv6CidrBlockAssociationSet, func(a ec2types.VpcIpv6CidrBlockAssociation) bool {
		whole, err := netip.ParsePrefix(aws.ToString(a.Ipv6CidrBlock))
		return err == nil && whole.Bits() <= block.Bits() && whole.Contains(block.Addr())
	})
	if !inside || block.Bits() < largestSix || block.Bits() > smallestSix || block.Bits()%stepSix != 0 {
		return wire.Errorf("InvalidSubnet.Range", "The CIDR '%s' is invalid.", block)
	}
	for _, s := range n.subnets.All() {
		for _, a := range s.Ipv6CidrBlockAssociationSet {
			if *s.VpcId == vpc && netip.MustParsePrefix(*a.Ipv6CidrBlock).Overlaps(block) {
				return wire.Errorf("InvalidSubnet.Conflict", "The CIDR '%s' conflicts with another subnet", block)
			}
		}
	}
	return nil
}

func (n *Network) associateSubnetBlock(in *sdk.AssociateSubnetCidrBlockInput) (*sdk.AssociateSubnetCidrBlockOutput, error) {
	s, ok := n.subnets.Get(aws.ToString(in.SubnetId))
	switch {
	case !ok:
		return nil, notFound(ofKind("subnet", aws.ToString(in.SubnetId)))
	case in.Ipv6CidrBlock == nil:
		return nil, missing("ipv6CidrBlock")
	case len(s.Ipv6CidrBlockAssociationSet) > 0:
		return nil, wire.Errorf("SubnetLimitExceeded", "The subnet '%s' has an IPv6 CIDR block already.", *s.SubnetId)
	}
	if err := n.checkSix(*s.VpcId, *in.Ipv6CidrBlock); err != nil {
		return nil, err
	}
	made := n.subnetSix(*in.Ipv6CidrBlock)
	s.Ipv6CidrBlockAssociationSet = []ec2types.SubnetIpv6CidrBlockAssociation{made}
	return &sdk.AssociateSubnetCidrBlockOutput{SubnetId: s.SubnetId, Ipv6CidrBlockAssociation: &made}, nil
}

// disassociateSubnetBlock takes its block from a subnet in which no interface has an address of it.
func (n *Network) disassociateSubnetBlock(in *sdk.DisassociateSubnetCidrBlockInput) (*sdk.DisassociateSubnetCidrBlockOutput, error) {
	for _, s := range n.subnets.All() {
		at := slices.IndexFunc(s.Ipv6CidrBlockAssociationSet, func(a ec2types.SubnetIpv6CidrBlockAssociation) bool {
			return *a.AssociationId == aws.ToString(in.AssociationId)
		})
		if at < 0 {
			continue
		}
		for _, i := range n.interfaces.All() {
			if *i.SubnetId == *s.SubnetId && (len(i.Ipv6Addresses) > 0 || len(i.Ipv6Prefixes) > 0) {
				return nil, wire.Errorf("DependencyViolation", "The IPv6 CIDR block of '%s' has addresses in use.", *s.SubnetId)
			}
		}
		gone := s.Ipv6CidrBlockAssociationSet[at]
		gone.Ipv6CidrBlockState = &ec2types.SubnetCidrBlockState{State: ec2types.SubnetCidrBlockStateCodeDisassociating}
		s.Ipv6CidrBlockAssociationSet = slices.Delete(slices.Clone(s.Ipv6CidrBlockAssociationSet), at, at+1)
		return &sdk.DisassociateSubnetCidrBlockOutput{SubnetId: s.SubnetId, Ipv6CidrBlockAssociation: &gone}, nil
	}
	return nil, wire.Errorf("InvalidSubnetCidrBlockAssociationID.NotFound", "The association ID '%s' does not exist", aws.ToString(in.AssociationId))
}
