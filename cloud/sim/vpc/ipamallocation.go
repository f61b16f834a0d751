package vpc

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) allocateCidr(in *sdk.AllocateIpamPoolCidrInput) (*sdk.AllocateIpamPoolCidrOutput, error) {
	p, err := n.pool(in.IpamPoolId)
	if err != nil {
		return nil, err
	}
	if in.Cidr != nil && in.NetmaskLength != nil {
		return nil, wire.Errorf("InvalidParameterCombination", "Specify either a CIDR or a netmask length.")
	}
	if len(in.TagSpecifications) > 0 {
		return nil, wire.Errorf("UnsupportedOperation", "Tags of allocations are not available.")
	}
	block, err := p.wanted(in)
	if err != nil {
		return nil, err
	}
	a := ec2types.IpamPoolAllocation{
		Cidr: aws.String(block.String()), Description: in.Description, ResourceType: ec2types.IpamPoolAllocationResourceTypeCustom,
		ResourceOwner: aws.String(n.account.ID), ResourceRegion: aws.String(n.account.Region),
	}
	if !aws.ToBool(in.PreviewNextCidr) {
		a.IpamPoolAllocationId = aws.String(n.identify("ipam-pool-alloc"))
		p.allocations = append(slices.Clone(p.allocations), a)
	}
	return &sdk.AllocateIpamPoolCidrOutput{IpamPoolAllocation: &a}, nil
}

// wanted gives the block that a call asks for, by value or by size.
func (p *pool) wanted(in *sdk.AllocateIpamPoolCidrInput) (netip.Prefix, error) {
	within, held := p.blocks(), p.held()
	if in.Cidr != nil {
		block, err := netip.ParsePrefix(*in.Cidr)
		if err != nil || !slices.ContainsFunc(within, func(w netip.Prefix) bool { return w.Bits() <= block.Bits() && w.Contains(block.Addr()) }) {
			return block, wire.Errorf("InvalidParameterValue", "The CIDR '%s' is not in the pool.", *in.Cidr)
		}
		if slices.ContainsFunc(held, block.Overlaps) {
			return block, wire.Errorf("CidrConflict", "The CIDR '%s' is allocated.", *in.Cidr)
		}
		return block.Masked(), nil
	}
	length := in.NetmaskLength
	if length == nil {
		length = p.AllocationDefaultNetmaskLength
	}
	if length == nil {
		return netip.Prefix{}, missing("NetmaskLength")
	}
	if *length < aws.ToInt32(p.AllocationMinNetmaskLength) || p.AllocationMaxNetmaskLength != nil && *length > *p.AllocationMaxNetmaskLength {
		return netip.Prefix{}, wire.Errorf("InvalidParameterValue", "The netmask length %d is outside of what the pool allows.", *length)
	}
	for _, text := range append(slices.Clone(in.AllowedCidrs), in.DisallowedCidrs...) {
		block, err := netip.ParsePrefix(text)
		if err != nil {
			return block, wire.Errorf("InvalidParameterValue", "The CIDR '%s' is malformed.", text)
		}
		if slices.Contains(in.DisallowedCidrs, text) {
			held = append(held, block)
		}
	}
	if len(in.AllowedCidrs) > 0 {
		return netip.Prefix{}, wire.Errorf("UnsupportedOperation", "AllowedCidrs are not available.")
	}
	return freeBlock(within, held, int(*length))
}

func (p *pool) blocks() []netip.Prefix {
	var all []netip.Prefix
	for _, c := range p.cidrs {
		all = append(all, netip.MustParsePrefix(*c.Cidr))
	}
	return all
}

func (p *pool) held() []netip.Prefix {
	var all []netip.Prefix
	for _, a := range p.allocations {
		all = append(all, netip.MustParsePrefix(*a.Cidr))
	}
	return all
}

func (n *Network) releaseAllocation(in *sdk.ReleaseIpamPoolAllocationInput) (*sdk.ReleaseIpamPoolAllocationOutput, error) {
	p, err := n.pool(in.IpamPoolId)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(p.allocations, func(a ec2types.IpamPoolAllocation) bool {
		return *a.IpamPoolAllocationId == aws.ToString(in.IpamPoolAllocationId) && *a.Cidr == aws.ToString(in.Cidr)
	})
	if at < 0 {
		return nil, noAllocation(aws.ToString(in.IpamPoolAllocationId))
	}
	if p.allocations[at].ResourceType != ec2types.IpamPoolAllocationResourceTypeCustom {
		return nil, wire.Errorf("InvalidParameterValue", "The allocation '%s' belongs to a resource.", *in.IpamPoolAllocationId)
	}
	p.allocations = slices.Delete(slices.Clone(p.allocations), at, at+1)
	return &sdk.ReleaseIpamPoolAllocationOutput{Success: aws.Bool(true)}, nil
}

func noAllocation(id string) error {
	return wire.Errorf("InvalidIpamPoolAllocationId.NotFound", "The ipam-pool-allocation ID '%s' does not exist", id)
}

// Sizes of pages of allocations (API reference).
const (
	leastAllocations = 1000
	mostAllocations  = 100000
)

func (n *Network) poolAllocations(in *sdk.GetIpamPoolAllocationsInput) (*sdk.GetIpamPoolAllocationsOutput, error) {
	p, err := n.pool(in.IpamPoolId)
	if err != nil {
		return nil, err
	}
	type allocation = ec2types.IpamPoolAllocation
	list, err := sift(p.allocations, in.Filters, fields[allocation]{
		"cidr":          func(a allocation) []string { return optional(a.Cidr) },
		"resource-id":   func(a allocation) []string { return optional(a.ResourceId) },
		"resource-type": func(a allocation) []string { return []string{string(a.ResourceType)} },
	})
	if err != nil {
		return nil, err
	}
	if id := in.IpamPoolAllocationId; id != nil {
		list = slices.DeleteFunc(list, func(a allocation) bool { return *a.IpamPoolAllocationId != *id })
		if len(list) == 0 {
			return nil, noAllocation(*id)
		}
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, least: leastAllocations, most: mostAllocations})
	return &sdk.GetIpamPoolAllocationsOutput{IpamPoolAllocations: some, NextToken: next}, err
}

// nextPublic gives a free address of a public pool.
func (n *Network) nextPublic(id string) (string, error) {
	p, err := n.pool(&id)
	if err != nil {
		return "", err
	}
	if p.IpamScopeType != ec2types.IpamScopeTypePublic || p.AddressFamily != ec2types.AddressFamilyIpv4 {
		return "", wire.Errorf("InvalidParameterValue", "The pool '%s' has no public IPv4 addresses.", id)
	}
	const one = 32
	block, err := freeBlock(p.blocks(), p.held(), one)
	if err != nil {
		return "", wire.Errorf("InsufficientAddressCapacity", "The pool '%s' has no free address.", id)
	}
	return block.Addr().String(), nil
}

// allocatePublic notes which address of a pool an Elastic IP address is.
func (n *Network) allocatePublic(id, allocation, ip string) {
	p, ok := n.pools.Get(id)
	if !ok {
		return
	}
	p.allocations = append(slices.Clone(p.allocations), ec2types.IpamPoolAllocation{
		Cidr: aws.String(ip + "/32"), IpamPoolAllocationId: aws.String(n.identify("ipam-pool-alloc")), ResourceId: &allocation,
		ResourceOwner: aws.String(n.account.ID), ResourceRegion: aws.String(n.account.Region), ResourceType: ec2types.IpamPoolAllocationResourceTypeEip,
	})
}

// releasePublic gives the address of an Elastic IP address back to its pool.
func (n *Network) releasePublic(allocation string) {
	for _, p := range n.pools.All() {
		p.allocations = slices.DeleteFunc(slices.Clone(p.allocations), func(a ec2types.IpamPoolAllocation) bool {
			return aws.ToString(a.ResourceId) == allocation
		})
	}
}
