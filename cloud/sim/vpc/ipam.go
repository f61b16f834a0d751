package vpc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) ipamOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateIpam", once(n, n.createIpam, func(in *sdk.CreateIpamInput) **string { return &in.ClientToken })),
		wire.Writes("DeleteIpam", n.deleteIpam), wire.Reads("DescribeIpams", n.describeIpams), wire.Reads("DescribeIpamScopes", n.describeIpamScopes),
		wire.Writes("CreateIpamPool", once(n, n.createIpamPool, func(in *sdk.CreateIpamPoolInput) **string { return &in.ClientToken })),
		wire.Writes("DeleteIpamPool", n.deleteIpamPool), wire.Reads("DescribeIpamPools", n.describeIpamPools),
		wire.Writes("ProvisionIpamPoolCidr", once(n, n.provisionCidr, func(in *sdk.ProvisionIpamPoolCidrInput) **string { return &in.ClientToken })),
		wire.Writes("DeprovisionIpamPoolCidr", n.deprovisionCidr), wire.Reads("GetIpamPoolCidrs", n.poolCidrs),
		wire.Writes("AllocateIpamPoolCidr", once(n, n.allocateCidr, func(in *sdk.AllocateIpamPoolCidrInput) **string { return &in.ClientToken })),
		wire.Writes("ReleaseIpamPoolAllocation", n.releaseAllocation), wire.Reads("GetIpamPoolAllocations", n.poolAllocations),
	}
}

func (n *Network) createIpam(in *sdk.CreateIpamInput) (*sdk.CreateIpamOutput, error) {
	if n.ipams.Len() > 0 {
		return nil, wire.Errorf("IpamLimitExceeded", "The maximum number of IPAMs in the Region has been reached.")
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeIpam)
	if err != nil {
		return nil, err
	}
	m := &ec2types.Ipam{
		Description: in.Description, IpamId: aws.String(n.identify("ipam")), IpamRegion: &n.account.Region, OwnerId: &n.account.ID,
		ScopeCount: aws.Int32(2), State: ec2types.IpamStateCreateComplete, Tier: in.Tier,
	}
	if m.Tier == "" {
		m.Tier = ec2types.IpamTierAdvanced
	}
	for _, r := range in.OperatingRegions {
		m.OperatingRegions = append(m.OperatingRegions, ec2types.IpamOperatingRegion{RegionName: r.RegionName})
	}
	m.IpamArn = aws.String(n.account.ARN("ec2", "ipam/"+*m.IpamId))
	m.PrivateDefaultScopeId, m.PublicDefaultScopeId = n.addScope(m, ec2types.IpamScopeTypePrivate), n.addScope(m, ec2types.IpamScopeTypePublic)
	n.ipams.Put(*m.IpamId, m)
	n.setTags(*m.IpamId, tags)
	out := n.ipamView(m)
	out.State = ec2types.IpamStateCreateInProgress
	return &sdk.CreateIpamOutput{Ipam: out}, nil
}

func (n *Network) addScope(m *ec2types.Ipam, of ec2types.IpamScopeType) *string {
	id := n.identify("ipam-scope")
	n.scopes.Put(id, &ec2types.IpamScope{
		IpamScopeId: &id, IpamScopeArn: aws.String(n.account.ARN("ec2", "ipam-scope/"+id)), IpamArn: m.IpamArn, IpamRegion: m.IpamRegion,
		IpamScopeType: of, IsDefault: aws.Bool(true), OwnerId: m.OwnerId, State: ec2types.IpamScopeStateCreateComplete,
	})
	return &id
}

func (n *Network) ipamView(m *ec2types.Ipam) *ec2types.Ipam {
	out := *m
	out.Tags = n.tagList(*m.IpamId)
	return &out
}

// deleteIpam deletes an IPAM with its scopes; with cascade also the pools of the private one.
func (n *Network) deleteIpam(in *sdk.DeleteIpamInput) (*sdk.DeleteIpamOutput, error) {
	m, ok := n.ipams.Get(aws.ToString(in.IpamId))
	if !ok {
		return nil, notFound(ofKind("ipam", aws.ToString(in.IpamId)))
	}
	for _, p := range n.pools.All() {
		if !aws.ToBool(in.Cascade) || p.IpamScopeType == ec2types.IpamScopeTypePublic {
			return nil, wire.Errorf("DependencyViolation", "The IPAM '%s' has the pool '%s' and cannot be deleted.", *m.IpamId, *p.IpamPoolId)
		}
	}
	out := n.ipamView(m)
	out.State = ec2types.IpamStateDeleteInProgress
	for _, p := range n.pools.Values() {
		n.forget(&n.pools, *p.IpamPoolId)
	}
	for _, s := range n.scopes.Values() {
		n.forget(&n.scopes, *s.IpamScopeId)
	}
	n.forget(&n.ipams, *m.IpamId)
	return &sdk.DeleteIpamOutput{Ipam: out}, nil
}

func (n *Network) describeIpams(in *sdk.DescribeIpamsInput) (*sdk.DescribeIpamsOutput, error) {
	list, err := pick(n, selection{ids: in.IpamIds, filters: in.Filters}, &n.ipams, fields[*ec2types.Ipam]{
		"ipam-id":  func(m *ec2types.Ipam) []string { return optional(m.IpamId) },
		"ipam-arn": func(m *ec2types.Ipam) []string { return optional(m.IpamArn) },
		"owner-id": func(m *ec2types.Ipam) []string { return optional(m.OwnerId) },
		"state":    func(m *ec2types.Ipam) []string { return []string{string(m.State)} },
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken})
	out := &sdk.DescribeIpamsOutput{NextToken: next, Ipams: []ec2types.Ipam{}}
	for _, m := range some {
		out.Ipams = append(out.Ipams, *n.ipamView(m))
	}
	return out, err
}

func (n *Network) describeIpamScopes(in *sdk.DescribeIpamScopesInput) (*sdk.DescribeIpamScopesOutput, error) {
	type scope = ec2types.IpamScope
	list, err := pick(n, selection{ids: in.IpamScopeIds, filters: in.Filters}, &n.scopes, fields[*scope]{
		"ipam-scope-id":   func(s *scope) []string { return optional(s.IpamScopeId) },
		"ipam-scope-type": func(s *scope) []string { return []string{string(s.IpamScopeType)} },
		"ipam-arn":        func(s *scope) []string { return optional(s.IpamArn) },
		"owner-id":        func(s *scope) []string { return optional(s.OwnerId) },
		"state":           func(s *scope) []string { return []string{string(s.State)} },
	})
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken})
	out := &sdk.DescribeIpamScopesOutput{NextToken: next, IpamScopes: []scope{}}
	for _, s := range some {
		view := *s
		view.Tags, view.PoolCount = n.tagList(*s.IpamScopeId), aws.Int32(n.poolsIn(*s.IpamScopeArn))
		out.IpamScopes = append(out.IpamScopes, view)
	}
	return out, err
}

func (n *Network) poolsIn(scope string) int32 {
	count := int32(0)
	for _, p := range n.pools.All() {
		if *p.IpamScopeArn == scope {
			count++
		}
	}
	return count
}

func sourcePools(all []*pool, id string) bool {
	return slices.ContainsFunc(all, func(p *pool) bool { return aws.ToString(p.SourceIpamPoolId) == id })
}
