package ec2

import (
	"cmp"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/model"
)

// readPermissions flattens what EC2 groups by protocol and ports.
func readPermissions(in []types.IpPermission) []model.Permission {
	var out []model.Permission
	for _, p := range in {
		base := model.Permission{
			Protocol: aws.ToString(p.IpProtocol), FromPort: int(aws.ToInt32(p.FromPort)), ToPort: int(aws.ToInt32(p.ToPort)),
		}
		add := func(description *string, set func(*model.Permission)) {
			one := base
			one.Description = aws.ToString(description)
			set(&one)
			out = append(out, one)
		}
		for _, r := range p.IpRanges {
			add(r.Description, func(m *model.Permission) { m.CIDR = aws.ToString(r.CidrIp) })
		}
		for _, r := range p.Ipv6Ranges {
			add(r.Description, func(m *model.Permission) { m.CIDR = aws.ToString(r.CidrIpv6) })
		}
		for _, r := range p.PrefixListIds {
			add(r.Description, func(m *model.Permission) { m.PrefixList = aws.ToString(r.PrefixListId) })
		}
		for _, r := range p.UserIdGroupPairs {
			add(r.Description, func(m *model.Permission) { m.Source = model.GroupRef{ID: aws.ToString(r.GroupId)} })
		}
	}
	slices.SortFunc(out, compare)
	return out
}

func compare(a, b model.Permission) int {
	return cmp.Or(
		cmp.Compare(a.Protocol, b.Protocol), cmp.Compare(a.FromPort, b.FromPort), cmp.Compare(a.ToPort, b.ToPort),
		cmp.Compare(a.CIDR, b.CIDR), cmp.Compare(a.PrefixList, b.PrefixList), cmp.Compare(a.Source.ID, b.Source.ID),
	)
}

// writePermissions gives each permission an entry of its own: EC2 merges them.
func writePermissions(in []model.Permission) []types.IpPermission {
	out := make([]types.IpPermission, len(in))
	for i, p := range in {
		out[i] = writePermission(p)
	}
	return out
}

func writePermission(p model.Permission) types.IpPermission {
	out := types.IpPermission{IpProtocol: aws.String(p.Protocol)}
	if p.Protocol != "-1" {
		out.FromPort, out.ToPort = port(p.FromPort), port(p.ToPort)
	}
	var description *string
	if p.Description != "" {
		description = aws.String(p.Description)
	}
	switch {
	case p.PrefixList != "":
		out.PrefixListIds = []types.PrefixListId{{PrefixListId: aws.String(p.PrefixList), Description: description}}
	case p.Source.ID != "":
		out.UserIdGroupPairs = []types.UserIdGroupPair{{GroupId: aws.String(p.Source.ID), Description: description}}
	case isIPv6(p.CIDR):
		out.Ipv6Ranges = []types.Ipv6Range{{CidrIpv6: aws.String(p.CIDR), Description: description}}
	default:
		out.IpRanges = []types.IpRange{{CidrIp: aws.String(p.CIDR), Description: description}}
	}
	return out
}

// port is n as the API wants it; ICMP uses -1 for all.
func port(n int) *int32 {
	return aws.Int32(int32(min(max(n, -1), math.MaxUint16)))
}

func isIPv6(s string) bool { return slices.Contains([]byte(s), ':') }
