package vpc

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) coipOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateCoipPool", n.createCoipPool), wire.Writes("DeleteCoipPool", n.deleteCoipPool),
		wire.Writes("CreateCoipCidr", n.createCoipCidr), wire.Writes("DeleteCoipCidr", n.deleteCoipCidr),
		wire.Reads("DescribeCoipPools", n.describeCoipPools), wire.Reads("GetCoipPoolUsage", n.coipUsage),
	}
}

const coipPrefix = "ipv4pool-coip"

// createCoipPool makes a pool. There are no local gateways: of their route tables only the form of the identifier is checked.
func (n *Network) createCoipPool(in *sdk.CreateCoipPoolInput) (*sdk.CreateCoipPoolOutput, error) {
	gateway := aws.ToString(in.LocalGatewayRouteTableId)
	if gateway == "" {
		return nil, missing("LocalGatewayRouteTableId")
	}
	if malformedID(gateway, "lgw-rtb") {
		return nil, wire.Errorf("InvalidLocalGatewayRouteTableID.NotFound", "The local gateway route table ID '%s' does not exist", gateway)
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeCoipPool)
	if err != nil {
		return nil, err
	}
	id := n.identify(coipPrefix)
	p := &ec2types.CoipPool{LocalGatewayRouteTableId: &gateway, PoolId: &id, PoolArn: aws.String(n.account.ARN("ec2", "coip-pool/"+id)), PoolCidrs: []string{}}
	n.coipPools.Put(id, p)
	n.setTags(id, tags)
	return &sdk.CreateCoipPoolOutput{CoipPool: n.coipView(p)}, nil
}

func (n *Network) coipView(p *ec2types.CoipPool) *ec2types.CoipPool {
	out := *p
	out.Tags = n.tagList(*p.PoolId)
	return &out
}

func (n *Network) coip(id *string) (*ec2types.CoipPool, error) {
	p, ok := n.coipPools.Get(aws.ToString(id))
	if !ok {
		return nil, notFound(ofKind(coipPrefix, aws.ToString(id)))
	}
	return p, nil
}

// coipHolders gives the addresses that come from a pool.
func (n *Network) coipHolders(id string) []*ec2types.Address {
	var all []*ec2types.Address
	for _, a := range n.addresses.All() {
		if aws.ToString(a.CustomerOwnedIpv4Pool) == id {
			all = append(all, a)
		}
	}
	return all
}

func (n *Network) deleteCoipPool(in *sdk.DeleteCoipPoolInput) (*sdk.DeleteCoipPoolOutput, error) {
	p, err := n.coip(in.CoipPoolId)
	if err != nil {
		return nil, err
	}
	if len(n.coipHolders(*p.PoolId)) > 0 {
		return nil, wire.Errorf("DependencyViolation", "The pool '%s' has allocated addresses and cannot be deleted.", *p.PoolId)
	}
	out := n.coipView(p)
	n.forget(&n.coipPools, *p.PoolId)
	return &sdk.DeleteCoipPoolOutput{CoipPool: out}, nil
}

func (n *Network) createCoipCidr(in *sdk.CreateCoipCidrInput) (*sdk.CreateCoipCidrOutput, error) {
	p, err := n.coip(in.CoipPoolId)
	if err != nil {
		return nil, err
	}
	block, err := parseBlock(aws.ToString(in.Cidr))
	if err != nil {
		return nil, err
	}
	for _, held := range p.PoolCidrs {
		if netip.MustParsePrefix(held).Overlaps(block) {
			return nil, wire.Errorf("CidrConflict", "The CIDR '%s' conflicts with %s", block, held)
		}
	}
	p.PoolCidrs = append(slices.Clone(p.PoolCidrs), block.String())
	return &sdk.CreateCoipCidrOutput{CoipCidr: &ec2types.CoipCidr{
		Cidr: aws.String(block.String()), CoipPoolId: p.PoolId, LocalGatewayRouteTableId: p.LocalGatewayRouteTableId,
	}}, nil
}

func (n *Network) deleteCoipCidr(in *sdk.DeleteCoipCidrInput) (*sdk.DeleteCoipCidrOutput, error) {
	p, err := n.coip(in.CoipPoolId)
	if err != nil {
		return nil, err
	}
	at := slices.Index(p.PoolCidrs, aws.ToString(in.Cidr))
	if at < 0 {
		return nil, wire.Errorf("InvalidParameterValue", "The CIDR '%s' is not in the pool '%s'.", aws.ToString(in.Cidr), *p.PoolId)
	}
	block := netip.MustParsePrefix(*in.Cidr)
	for _, a := range n.coipHolders(*p.PoolId) {
		if block.Contains(netip.MustParseAddr(*a.CustomerOwnedIp)) {
			return nil, wire.Errorf("DependencyViolation", "The CIDR '%s' has allocated addresses and cannot be deleted.", *in.Cidr)
		}
	}
	p.PoolCidrs = slices.Delete(slices.Clone(p.PoolCidrs), at, at+1)
	return &sdk.DeleteCoipCidrOutput{CoipCidr: &ec2types.CoipCidr{Cidr: in.Cidr, CoipPoolId: p.PoolId}}, nil
}

// ownedAddress takes a free address of a pool.
func (n *Network) ownedAddress(a *ec2types.Address, pool string) (*ec2types.Address, error) {
	p, err := n.coip(&pool)
	if err != nil {
		return nil, err
	}
	held := each(n.coipHolders(pool), func(a *ec2types.Address) *string { return a.CustomerOwnedIp })
	for _, text := range p.PoolCidrs {
		block := netip.MustParsePrefix(text)
		for ip := block.Addr().Next(); block.Contains(ip); ip = ip.Next() {
			if !slices.Contains(held, ip.String()) {
				a.CustomerOwnedIp, a.CustomerOwnedIpv4Pool, a.PublicIpv4Pool = aws.String(ip.String()), &pool, nil
				a.PublicIp = a.CustomerOwnedIp
				return a, nil
			}
		}
	}
	return nil, wire.Errorf("InsufficientAddressCapacity", "The pool '%s' has no free address.", pool)
}

func (n *Network) describeCoipPools(in *sdk.DescribeCoipPoolsInput) (*sdk.DescribeCoipPoolsOutput, error) {
	for _, id := range in.PoolIds {
		if _, err := n.coip(&id); err != nil {
			return nil, err
		}
	}
	list, err := pick(n, selection{ids: in.PoolIds, filters: in.Filters}, &n.coipPools, fields[*ec2types.CoipPool]{
		"coip-pool.pool-id":                      func(p *ec2types.CoipPool) []string { return optional(p.PoolId) },
		"coip-pool.local-gateway-route-table-id": func(p *ec2types.CoipPool) []string { return optional(p.LocalGatewayRouteTableId) },
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken})
	out := &sdk.DescribeCoipPoolsOutput{NextToken: next, CoipPools: []ec2types.CoipPool{}}
	for _, p := range some {
		out.CoipPools = append(out.CoipPools, *n.coipView(p))
	}
	return out, err
}

func (n *Network) coipUsage(in *sdk.GetCoipPoolUsageInput) (*sdk.GetCoipPoolUsageOutput, error) {
	p, err := n.coip(in.PoolId)
	if err != nil {
		return nil, err
	}
	type usage = ec2types.CoipAddressUsage
	all := []usage{}
	for _, a := range n.coipHolders(*p.PoolId) {
		all = append(all, usage{AllocationId: a.AllocationId, AwsAccountId: text(n.account.ID), CoIp: a.CustomerOwnedIp})
	}
	list, err := sift(all, in.Filters, fields[usage]{
		"coip-address-usage.allocation-id":  func(u usage) []string { return optional(u.AllocationId) },
		"coip-address-usage.aws-account-id": func(u usage) []string { return optional(u.AwsAccountId) },
		"coip-address-usage.aws-service":    func(u usage) []string { return optional(u.AwsService) },
		"coip-address-usage.co-ip":          func(u usage) []string { return optional(u.CoIp) },
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken})
	return &sdk.GetCoipPoolUsageOutput{
		CoipAddressUsages: some, CoipPoolId: p.PoolId, LocalGatewayRouteTableId: p.LocalGatewayRouteTableId, NextToken: next,
	}, err
}
