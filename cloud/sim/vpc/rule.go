package vpc

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
)

// direction says whether a rule is about traffic that leaves.
type direction = bool

const (
	ingress direction = false
	egress  direction = true
)

// rule is one security group rule: one protocol, one range of ports, one peer. Exactly one of the four peers is set.
type rule struct {
	id       string
	egress   direction
	protocol string
	// ranged says that the rule has a range of ports: of a protocol without ports it has none.
	ranged                          bool
	fromPort, toPort                int32
	cidr4, cidr6, group, prefixList string
	description                     string
	// peerVPC and peering tell how a group of another VPC is reached.
	peerVPC, peering string
}

const allProtocols = "-1"

// same reports whether two rules are one to EC2: the description is no part of a rule's identity.
func (r *rule) same(o *rule) bool {
	a, b := *r, *o
	a.id, a.description, a.peerVPC, a.peering = "", "", "", ""
	b.id, b.description, b.peerVPC, b.peering = "", "", "", ""
	return a == b
}

func (r *rule) from() *int32 {
	if !r.ranged {
		return nil
	}
	return aws.Int32(r.fromPort)
}

func (r *rule) to() *int32 {
	if !r.ranged {
		return nil
	}
	return aws.Int32(r.toPort)
}

func (r *rule) peer() string { return r.cidr4 + r.cidr6 + r.group + r.prefixList }

// String describes the rule as EC2 does in its errors.
func (r *rule) String() string {
	protocol, ports := strings.ToUpper(r.protocol), ""
	if r.protocol == allProtocols {
		protocol = "ALL"
	}
	if r.ranged {
		ports = fmt.Sprintf("from port: %d, to port: %d, ", r.fromPort, r.toPort)
	}
	return fmt.Sprintf("peer: %s, %s, %sALLOW", r.peer(), protocol, ports)
}

func (n *Network) putRule(g *group, r rule) *rule {
	r.id = n.identify("sgr")
	g.rules.Put(r.id, &r)
	return &r
}

// find gives the rule of a group that is the same.
func (g *group) find(wanted *rule) *rule {
	for _, r := range g.rules.All() {
		if r.same(wanted) {
			return r
		}
	}
	return nil
}

func (n *Network) ruleExists(id string) bool {
	_, r := n.ruleByID(id)
	return r != nil
}

func (n *Network) ruleByID(id string) (*group, *rule) {
	if !strings.HasPrefix(id, "sgr-") {
		return nil, nil
	}
	for _, g := range n.groups.All() {
		if r, ok := g.rules.Get(id); ok {
			return g, r
		}
	}
	return nil, nil
}

func (n *Network) ruleView(g *group, r *rule) ec2types.SecurityGroupRule {
	out := ec2types.SecurityGroupRule{
		SecurityGroupRuleId: aws.String(r.id), GroupId: aws.String(g.id), GroupOwnerId: aws.String(n.account.ID),
		IsEgress: aws.Bool(r.egress), IpProtocol: aws.String(r.protocol), FromPort: aws.Int32(-1), ToPort: aws.Int32(-1),
		CidrIpv4: text(r.cidr4), CidrIpv6: text(r.cidr6), PrefixListId: text(r.prefixList), Description: text(r.description),
		SecurityGroupRuleArn: aws.String(n.account.ARN("ec2", "security-group-rule/"+r.id)), Tags: n.tagList(r.id),
	}
	if r.ranged {
		out.FromPort, out.ToPort = r.from(), r.to()
	}
	if r.group != "" {
		pair := n.groupPair(r)
		out.ReferencedGroupInfo = &ec2types.ReferencedSecurityGroup{
			GroupId: pair.GroupId, UserId: pair.UserId, VpcId: pair.VpcId, VpcPeeringConnectionId: pair.VpcPeeringConnectionId,
			PeeringStatus: pair.PeeringStatus,
		}
	}
	return out
}

// text gives nil for an empty string.
func text(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// permissions merges the rules of one direction by protocol and ports, as describing a group shows them.
func (n *Network) permissions(g *group, d direction) []ec2types.IpPermission {
	merged := []ec2types.IpPermission{}
	for _, r := range g.rules.All() {
		if r.egress != d {
			continue
		}
		at := slices.IndexFunc(merged, func(p ec2types.IpPermission) bool {
			return *p.IpProtocol == r.protocol && equal(p.FromPort, r.from()) && equal(p.ToPort, r.to())
		})
		if at < 0 {
			merged = append(merged, ec2types.IpPermission{
				IpProtocol: aws.String(r.protocol), FromPort: r.from(), ToPort: r.to(), IpRanges: []ec2types.IpRange{},
				Ipv6Ranges: []ec2types.Ipv6Range{}, PrefixListIds: []ec2types.PrefixListId{}, UserIdGroupPairs: []ec2types.UserIdGroupPair{},
			})
			at = len(merged) - 1
		}
		n.addPeer(&merged[at], r)
	}
	slices.SortStableFunc(merged, func(a, b ec2types.IpPermission) int {
		return cmp.Or(cmp.Compare(*a.IpProtocol, *b.IpProtocol), cmp.Compare(aws.ToInt32(a.FromPort), aws.ToInt32(b.FromPort)))
	})
	return merged
}

func (n *Network) addPeer(p *ec2types.IpPermission, r *rule) {
	description := text(r.description)
	switch {
	case r.cidr4 != "":
		p.IpRanges = append(p.IpRanges, ec2types.IpRange{CidrIp: text(r.cidr4), Description: description})
	case r.cidr6 != "":
		p.Ipv6Ranges = append(p.Ipv6Ranges, ec2types.Ipv6Range{CidrIpv6: text(r.cidr6), Description: description})
	case r.prefixList != "":
		p.PrefixListIds = append(p.PrefixListIds, ec2types.PrefixListId{PrefixListId: text(r.prefixList), Description: description})
	default:
		p.UserIdGroupPairs = append(p.UserIdGroupPairs, n.groupPair(r))
	}
}

func equal(a, b *int32) bool {
	return (a == nil) == (b == nil) && aws.ToInt32(a) == aws.ToInt32(b)
}
