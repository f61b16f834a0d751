package vpc

import (
	"math"
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// pool is an IPAM pool with its blocks and what of them is allocated. No two allocations overlap, and each lies in a block.
type pool struct {
	ec2types.IpamPool
	cidrs       []ec2types.IpamPoolCidr
	allocations []ec2types.IpamPoolAllocation
}

func (n *Network) createIpamPool(in *sdk.CreateIpamPoolInput) (*sdk.CreateIpamPoolOutput, error) {
	scope, ok := n.scopes.Get(aws.ToString(in.IpamScopeId))
	if !ok {
		return nil, notFound(ofKind("ipam-scope", aws.ToString(in.IpamScopeId)))
	}
	if err := n.checkPool(in, scope.IpamScopeType); err != nil {
		return nil, err
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeIpamPool)
	if err != nil {
		return nil, err
	}
	id := n.identify("ipam-pool")
	p := &pool{IpamPool: ec2types.IpamPool{
		IpamPoolId: &id, IpamPoolArn: aws.String(n.account.ARN("ec2", "ipam-pool/"+id)), AddressFamily: in.AddressFamily, Description: in.Description,
		IpamArn: scope.IpamArn, IpamScopeArn: scope.IpamScopeArn, IpamScopeType: scope.IpamScopeType, IpamRegion: &n.account.Region,
		Locale: in.Locale, OwnerId: &n.account.ID, PoolDepth: aws.Int32(1), SourceIpamPoolId: in.SourceIpamPoolId, AwsService: in.AwsService,
		PublicIpSource: in.PublicIpSource, AutoImport: aws.Bool(aws.ToBool(in.AutoImport)), State: ec2types.IpamPoolStateCreateComplete,
		AllocationDefaultNetmaskLength: in.AllocationDefaultNetmaskLength, AllocationMinNetmaskLength: in.AllocationMinNetmaskLength,
		AllocationMaxNetmaskLength: in.AllocationMaxNetmaskLength,
	}}
	if in.Locale == nil {
		p.Locale = aws.String("None")
	}
	if from, ok := n.pools.Get(aws.ToString(in.SourceIpamPoolId)); ok {
		p.PoolDepth = aws.Int32(*from.PoolDepth + 1)
	}
	n.pools.Put(id, p)
	n.setTags(id, tags)
	out := n.poolView(p)
	out.State = ec2types.IpamPoolStateCreateInProgress
	return &sdk.CreateIpamPoolOutput{IpamPool: &out}, nil
}

func (n *Network) checkPool(in *sdk.CreateIpamPoolInput, scope ec2types.IpamScopeType) error {
	switch {
	case in.AddressFamily == "":
		return missing("AddressFamily")
	case in.SourceIpamPoolId != nil && !has(&n.pools, *in.SourceIpamPoolId):
		return notFound(ofKind("ipam-pool", *in.SourceIpamPoolId))
	case in.Locale != nil && *in.Locale != "None" && *in.Locale != n.account.Region:
		return wire.Errorf("InvalidParameterValue", "The locale '%s' is not an operating Region of the IPAM.", *in.Locale)
	case in.AwsService != "" && scope != ec2types.IpamScopeTypePublic:
		return wire.Errorf("InvalidParameterCombination", "AwsService is for pools in a public scope.")
	case in.PublicIpSource != "" && scope != ec2types.IpamScopeTypePublic:
		return wire.Errorf("InvalidParameterCombination", "PublicIpSource is for pools in a public scope.")
	case in.SourceResource != nil || len(in.AllocationResourceTags) > 0:
		return wire.Errorf("UnsupportedOperation", "Pools of a resource, and required tags, are not available.")
	}
	return nil
}

func (n *Network) poolView(p *pool) ec2types.IpamPool {
	out := p.IpamPool
	out.Tags = n.tagList(*p.IpamPoolId)
	return out
}

func (n *Network) pool(id *string) (*pool, error) {
	p, ok := n.pools.Get(aws.ToString(id))
	if !ok {
		return nil, notFound(ofKind("ipam-pool", aws.ToString(id)))
	}
	return p, nil
}

func (n *Network) deleteIpamPool(in *sdk.DeleteIpamPoolInput) (*sdk.DeleteIpamPoolOutput, error) {
	p, err := n.pool(in.IpamPoolId)
	if err != nil {
		return nil, err
	}
	if len(p.allocations) > 0 || !aws.ToBool(in.Cascade) && len(p.cidrs) > 0 || sourcePools(n.pools.Values(), *p.IpamPoolId) {
		return nil, wire.Errorf("DependencyViolation", "The pool '%s' has CIDRs, allocations or pools and cannot be deleted.", *p.IpamPoolId)
	}
	out := n.poolView(p)
	out.State = ec2types.IpamPoolStateDeleteInProgress
	n.forget(&n.pools, *p.IpamPoolId)
	return &sdk.DeleteIpamPoolOutput{IpamPool: &out}, nil
}

func (n *Network) describeIpamPools(in *sdk.DescribeIpamPoolsInput) (*sdk.DescribeIpamPoolsOutput, error) {
	list, err := pick(n, selection{ids: in.IpamPoolIds, filters: in.Filters}, &n.pools, fields[*pool]{
		"ipam-pool-id":    func(p *pool) []string { return optional(p.IpamPoolId) },
		"ipam-scope-arn":  func(p *pool) []string { return optional(p.IpamScopeArn) },
		"ipam-scope-type": func(p *pool) []string { return []string{string(p.IpamScopeType)} },
		"ipam-arn":        func(p *pool) []string { return optional(p.IpamArn) },
		"address-family":  func(p *pool) []string { return []string{string(p.AddressFamily)} },
		"locale":          func(p *pool) []string { return optional(p.Locale) },
		"owner-id":        func(p *pool) []string { return optional(p.OwnerId) },
		"state":           func(p *pool) []string { return []string{string(p.State)} },
		"description":     func(p *pool) []string { return optional(p.Description) },
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken})
	out := &sdk.DescribeIpamPoolsOutput{NextToken: next, IpamPools: []ec2types.IpamPool{}}
	for _, p := range some {
		out.IpamPools = append(out.IpamPools, n.poolView(p))
	}
	return out, err
}

// amazonBlock is the shape of what Amazon gives to a public pool: blocks of /29 to /30 of IPv4, here of the documentation's block (IPAM guide).
const amazonBlock = "192.0.2.0/24"

func (n *Network) provisionCidr(in *sdk.ProvisionIpamPoolCidrInput) (*sdk.ProvisionIpamPoolCidrOutput, error) {
	p, err := n.pool(in.IpamPoolId)
	if err != nil {
		return nil, err
	}
	if (in.Cidr == nil) == (in.NetmaskLength == nil) {
		return nil, wire.Errorf("InvalidParameterCombination", "Specify either a CIDR or a netmask length.")
	}
	var block netip.Prefix
	if in.Cidr != nil {
		block, err = netip.ParsePrefix(*in.Cidr)
		if err != nil || block.Addr().Is4() != (p.AddressFamily == ec2types.AddressFamilyIpv4) {
			return nil, wire.Errorf("InvalidParameterValue", "The CIDR '%s' is not a valid %s block.", *in.Cidr, p.AddressFamily)
		}
	} else if block, err = n.amazonCidr(p, int(*in.NetmaskLength)); err != nil {
		return nil, err
	}
	block = block.Masked()
	for _, other := range n.pools.All() {
		for _, c := range other.cidrs {
			if *other.IpamScopeArn == *p.IpamScopeArn && netip.MustParsePrefix(*c.Cidr).Overlaps(block) {
				return nil, wire.Errorf("CidrConflict", "The CIDR '%s' conflicts with %s", block, *c.Cidr)
			}
		}
	}
	c := ec2types.IpamPoolCidr{
		Cidr: aws.String(block.String()), IpamPoolCidrId: aws.String(n.identify("ipam-pool-cidr")),
		NetmaskLength: aws.Int32(int32(block.Bits() & math.MaxUint8)), State: ec2types.IpamPoolCidrStateProvisioned,
	}
	p.cidrs = append(slices.Clone(p.cidrs), c)
	c.State = ec2types.IpamPoolCidrStatePendingProvision
	return &sdk.ProvisionIpamPoolCidrOutput{IpamPoolCidr: &c}, nil
}

// amazonCidr gives a block of Amazon's to a public pool.
func (n *Network) amazonCidr(p *pool, bits int) (netip.Prefix, error) {
	if p.PublicIpSource != ec2types.IpamPoolPublicIpSourceAmazon || p.AddressFamily != ec2types.AddressFamilyIpv4 {
		return netip.Prefix{}, wire.Errorf("InvalidParameterCombination", "A netmask length is for public pools with addresses of Amazon's.")
	}
	if bits < 24 || bits > 30 {
		return netip.Prefix{}, wire.Errorf("InvalidParameterValue", "The netmask length %d is not available.", bits)
	}
	var held []netip.Prefix
	for _, other := range n.pools.All() {
		for _, c := range other.cidrs {
			held = append(held, netip.MustParsePrefix(*c.Cidr))
		}
	}
	return freeBlock([]netip.Prefix{netip.MustParsePrefix(amazonBlock)}, held, bits)
}

// freeBlock gives the first block of a size that lies in one of some and overlaps none of others.
func freeBlock(in, held []netip.Prefix, bits int) (netip.Prefix, error) {
	for _, whole := range in {
		at := netip.PrefixFrom(whole.Addr(), bits)
		for bits >= whole.Bits() && whole.Contains(at.Addr()) {
			taken := slices.IndexFunc(held, func(h netip.Prefix) bool { return h.Overlaps(at) })
			if taken < 0 {
				return at, nil
			}
			at = netip.PrefixFrom(following(at), bits)
		}
	}
	return netip.Prefix{}, wire.Errorf("InsufficientCidrBlocks", "There is no free block of netmask length %d.", bits)
}

// following is the first address after a block.
func following(block netip.Prefix) netip.Addr {
	raw := block.Addr().AsSlice()
	carry := uint(1) << ((8*len(raw) - block.Bits()) % 8)
	for i := (block.Bits() - 1) / 8; i >= 0 && carry > 0; i-- {
		sum := uint(raw[i]) + carry
		raw[i], carry = byte(sum&0xff), sum>>8
	}
	next, _ := netip.AddrFromSlice(raw)
	return next
}

func (n *Network) deprovisionCidr(in *sdk.DeprovisionIpamPoolCidrInput) (*sdk.DeprovisionIpamPoolCidrOutput, error) {
	p, err := n.pool(in.IpamPoolId)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(p.cidrs, func(c ec2types.IpamPoolCidr) bool { return *c.Cidr == aws.ToString(in.Cidr) })
	if at < 0 {
		return nil, wire.Errorf("InvalidParameterValue", "The CIDR '%s' is not provisioned to the pool.", aws.ToString(in.Cidr))
	}
	block := netip.MustParsePrefix(*in.Cidr)
	for _, a := range p.allocations {
		if netip.MustParsePrefix(*a.Cidr).Overlaps(block) {
			return nil, wire.Errorf("DependencyViolation", "The CIDR '%s' has allocations.", *in.Cidr)
		}
	}
	gone := p.cidrs[at]
	gone.State = ec2types.IpamPoolCidrStatePendingDeprovision
	p.cidrs = slices.Delete(slices.Clone(p.cidrs), at, at+1)
	return &sdk.DeprovisionIpamPoolCidrOutput{IpamPoolCidr: &gone}, nil
}

func (n *Network) poolCidrs(in *sdk.GetIpamPoolCidrsInput) (*sdk.GetIpamPoolCidrsOutput, error) {
	p, err := n.pool(in.IpamPoolId)
	if err != nil {
		return nil, err
	}
	type cidr = ec2types.IpamPoolCidr
	list, err := sift(p.cidrs, in.Filters, fields[cidr]{
		"cidr":  func(c cidr) []string { return optional(c.Cidr) },
		"state": func(c cidr) []string { return []string{string(c.State)} },
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken})
	return &sdk.GetIpamPoolCidrsOutput{IpamPoolCidrs: some, NextToken: next}, err
}
