package vpc

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Sizes of blocks that are delegated to an interface (EC2 guide, "Assign prefixes to network interfaces").
const (
	delegated4 = 28
	delegated6 = 80
)

// delegate4 gives an interface blocks of IPv4 addresses, by value or by number. All addresses of a block are taken.
func (n *Network) delegate4(i *networkInterface, s *subnet, texts []string, count *int32) ([]ec2types.Ipv4PrefixSpecification, error) {
	if count != nil && len(texts) > 0 {
		return nil, wire.Errorf("InvalidParameterCombination", "Specify either prefixes or their number.")
	}
	blocks, err := n.wantedBlocks(s, texts, int(aws.ToInt32(count)))
	if err != nil {
		return nil, err
	}
	var all []ec2types.Ipv4PrefixSpecification
	for _, b := range blocks {
		for a := b.Addr(); b.Contains(a); a = a.Next() {
			n.used[place{*s.VpcId, a}] = *i.NetworkInterfaceId
			s.taken++
		}
		all = append(all, ec2types.Ipv4PrefixSpecification{Ipv4Prefix: aws.String(b.String())})
	}
	i.Ipv4Prefixes = append(slices.Clone(i.Ipv4Prefixes), all...)
	return all, nil
}

// wantedBlocks gives blocks of a subnet that are wholly free.
func (n *Network) wantedBlocks(s *subnet, texts []string, count int) ([]netip.Prefix, error) {
	var blocks []netip.Prefix
	for _, t := range texts {
		b, err := netip.ParsePrefix(t)
		if err != nil || b.Bits() != delegated4 || b.Masked() != b || !s.block.Contains(b.Addr()) {
			return nil, wire.Errorf("InvalidParameterValue", "The prefix '%s' is not a /%d block of the subnet.", t, delegated4)
		}
		if !n.wholeFree(s, b) || slices.Contains(blocks, b) {
			return nil, wire.Errorf("InvalidIPAddress.InUse", "The prefix '%s' has addresses that are in use or reserved.", t)
		}
		blocks = append(blocks, b)
	}
	for b := netip.PrefixFrom(s.block.Addr(), delegated4); len(blocks) < count && s.block.Contains(b.Addr()); b = netip.PrefixFrom(following(b), delegated4) {
		if n.wholeFree(s, b) {
			blocks = append(blocks, b)
		}
	}
	if len(blocks) < count {
		return nil, wire.Errorf("InsufficientCidrBlocks", "The subnet '%s' does not have enough free CIDR blocks of /%d.", *s.SubnetId, delegated4)
	}
	return blocks, nil
}

func (n *Network) wholeFree(s *subnet, b netip.Prefix) bool {
	for a := b.Addr(); b.Contains(a); a = a.Next() {
		if n.checkAddress(s, a) != nil {
			return false
		}
	}
	return true
}

// undelegate4 takes blocks from an interface.
func (n *Network) undelegate4(i *networkInterface, texts []string) error {
	held := each(i.Ipv4Prefixes, func(p ec2types.Ipv4PrefixSpecification) *string { return p.Ipv4Prefix })
	for _, t := range texts {
		if !slices.Contains(held, t) {
			return wire.Errorf("InvalidParameterValue", "The prefix '%s' is not assigned to interface %s", t, *i.NetworkInterfaceId)
		}
	}
	for _, t := range texts {
		b := netip.MustParsePrefix(t)
		for a := b.Addr(); b.Contains(a); a = a.Next() {
			delete(n.used, place{*i.VpcId, a})
		}
		if s, ok := n.subnets.Get(*i.SubnetId); ok {
			s.taken -= 1 << (32 - delegated4)
		}
	}
	i.Ipv4Prefixes = slices.DeleteFunc(slices.Clone(i.Ipv4Prefixes), func(p ec2types.Ipv4PrefixSpecification) bool {
		return slices.Contains(texts, *p.Ipv4Prefix)
	})
	return nil
}

// assignIpv6 gives an interface IPv6 addresses and /80 blocks of its subnet's block, by value or by number.
func (n *Network) assignIpv6(in *sdk.AssignIpv6AddressesInput) (*sdk.AssignIpv6AddressesOutput, error) {
	i, ok := n.interfaces.Get(aws.ToString(in.NetworkInterfaceId))
	if !ok {
		return nil, notFound(aws.ToString(in.NetworkInterfaceId))
	}
	s, ok := n.subnets.Get(*i.SubnetId)
	if !ok || len(s.Ipv6CidrBlockAssociationSet) == 0 {
		return nil, wire.Errorf("InvalidParameterValue", "The subnet '%s' has no IPv6 CIDR block.", *i.SubnetId)
	}
	if len(in.Ipv6Addresses) > 0 && in.Ipv6AddressCount != nil || len(in.Ipv6Prefixes) > 0 && in.Ipv6PrefixCount != nil {
		return nil, wire.Errorf("InvalidParameterCombination", "Specify either values or their number.")
	}
	if err := fits6(i, in); err != nil {
		return nil, err
	}
	addresses, err := n.wanted6(s, wish6{in.Ipv6Addresses, int(aws.ToInt32(in.Ipv6AddressCount)), 128})
	if err != nil {
		return nil, err
	}
	prefixes, err := n.wanted6(s, wish6{in.Ipv6Prefixes, int(aws.ToInt32(in.Ipv6PrefixCount)), delegated6})
	if err != nil {
		return nil, err
	}
	out := &sdk.AssignIpv6AddressesOutput{NetworkInterfaceId: i.NetworkInterfaceId}
	i.Ipv6Addresses, i.Ipv6Prefixes = slices.Clone(i.Ipv6Addresses), slices.Clone(i.Ipv6Prefixes)
	for _, p := range addresses {
		text := p.Addr().String()
		i.Ipv6Addresses = append(i.Ipv6Addresses, ec2types.NetworkInterfaceIpv6Address{Ipv6Address: &text, IsPrimaryIpv6: aws.Bool(false)})
		out.AssignedIpv6Addresses = append(out.AssignedIpv6Addresses, text)
	}
	for _, p := range prefixes {
		text := p.String()
		i.Ipv6Prefixes = append(i.Ipv6Prefixes, ec2types.Ipv6PrefixSpecification{Ipv6Prefix: &text})
		out.AssignedIpv6Prefixes = append(out.AssignedIpv6Prefixes, text)
	}
	return out, nil
}

// maxAddresses6 is how many IPv6 addresses and prefixes an interface of the largest instances has (EC2 user guide, "Network interfaces";
// the code is believed).
const maxAddresses6 = 50

func fits6(i *networkInterface, in *sdk.AssignIpv6AddressesInput) error {
	wanted := int64(aws.ToInt32(in.Ipv6AddressCount)) + int64(aws.ToInt32(in.Ipv6PrefixCount))
	if held := len(i.Ipv6Addresses) + len(i.Ipv6Prefixes) + len(in.Ipv6Addresses) + len(in.Ipv6Prefixes); int64(held)+wanted > maxAddresses6 {
		return wire.Errorf("PrivateIpAddressLimitExceeded", "Interface '%s' has at most %d IPv6 addresses and prefixes", *i.NetworkInterfaceId, maxAddresses6)
	}
	return nil
}

// wish6 is what somebody wants of a subnet's IPv6 block: some blocks of a size by value, or so many.
type wish6 struct {
	texts []string
	count int
	bits  int
}

func (n *Network) wanted6(s *subnet, w wish6) ([]netip.Prefix, error) {
	block, err := netip.ParsePrefix(*s.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock)
	if err != nil {
		return nil, wire.Errorf("InvalidParameterValue", "The IPv6 CIDR block of '%s' is malformed.", *s.SubnetId)
	}
	held := n.held6(s)
	var all []netip.Prefix
	for _, t := range w.texts {
		p, err := netip.ParsePrefix(t)
		if a, wrong := netip.ParseAddr(t); wrong == nil {
			p, err = netip.PrefixFrom(a, a.BitLen()), nil
		}
		if err != nil || p.Bits() != w.bits || !block.Contains(p.Addr()) {
			return nil, wire.Errorf("InvalidParameterValue", "'%s' is not in the IPv6 CIDR block of the subnet.", t)
		}
		if slices.ContainsFunc(held, p.Overlaps) {
			return nil, wire.Errorf("InvalidIPAddress.InUse", "Address %s is in use.", t)
		}
		all, held = append(all, p), append(held, p)
	}
	for range w.count {
		p, err := freeBlock([]netip.Prefix{block}, held, w.bits)
		if err != nil {
			return nil, err
		}
		all, held = append(all, p), append(held, p)
	}
	return all, nil
}

// held6 gives the parts of a subnet's IPv6 block that are taken; the first four addresses are AWS's.
func (n *Network) held6(s *subnet) []netip.Prefix {
	block := netip.MustParsePrefix(*s.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock)
	held := []netip.Prefix{netip.PrefixFrom(block.Addr(), 126)}
	for _, i := range n.interfaces.All() {
		for _, a := range i.Ipv6Addresses {
			held = append(held, netip.PrefixFrom(netip.MustParseAddr(*a.Ipv6Address), 128))
		}
		for _, p := range i.Ipv6Prefixes {
			held = append(held, netip.MustParsePrefix(*p.Ipv6Prefix))
		}
	}
	return held
}

func (n *Network) unassignIpv6(in *sdk.UnassignIpv6AddressesInput) (*sdk.UnassignIpv6AddressesOutput, error) {
	i, ok := n.interfaces.Get(aws.ToString(in.NetworkInterfaceId))
	if !ok {
		return nil, notFound(aws.ToString(in.NetworkInterfaceId))
	}
	held := each(i.Ipv6Addresses, func(a ec2types.NetworkInterfaceIpv6Address) *string { return a.Ipv6Address })
	held = append(held, each(i.Ipv6Prefixes, func(p ec2types.Ipv6PrefixSpecification) *string { return p.Ipv6Prefix })...)
	for _, t := range slices.Concat(in.Ipv6Addresses, in.Ipv6Prefixes) {
		if !slices.Contains(held, t) {
			return nil, wire.Errorf("InvalidParameterValue", "'%s' is not assigned to interface %s", t, *i.NetworkInterfaceId)
		}
	}
	i.Ipv6Addresses = slices.DeleteFunc(slices.Clone(i.Ipv6Addresses), func(a ec2types.NetworkInterfaceIpv6Address) bool {
		return slices.Contains(in.Ipv6Addresses, *a.Ipv6Address)
	})
	i.Ipv6Prefixes = slices.DeleteFunc(slices.Clone(i.Ipv6Prefixes), func(p ec2types.Ipv6PrefixSpecification) bool {
		return slices.Contains(in.Ipv6Prefixes, *p.Ipv6Prefix)
	})
	return &sdk.UnassignIpv6AddressesOutput{
		NetworkInterfaceId: i.NetworkInterfaceId, UnassignedIpv6Addresses: in.Ipv6Addresses, UnassignedIpv6Prefixes: in.Ipv6Prefixes,
	}, nil
}
