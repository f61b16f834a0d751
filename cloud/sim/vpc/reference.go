package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) referenceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("DescribeSecurityGroupReferences", n.groupReferences),
		wire.Reads("DescribeStaleSecurityGroups", n.staleGroups),
		wire.Reads("GetSecurityGroupsForVpc", n.groupsForVPC),
		wire.Writes("AssociateSecurityGroupVpc", n.associateGroup),
		wire.Writes("DisassociateSecurityGroupVpc", n.disassociateGroup),
		wire.Reads("DescribeSecurityGroupVpcAssociations", n.describeGroupAssociations),
	}
}

// groupReferences gives the VPCs at the other side of a peering connection whose groups refer to a group.
func (n *Network) groupReferences(in *sdk.DescribeSecurityGroupReferencesInput) (*sdk.DescribeSecurityGroupReferencesOutput, error) {
	if len(in.GroupId) == 0 {
		return nil, missing("groupId")
	}
	out := &sdk.DescribeSecurityGroupReferencesOutput{SecurityGroupReferenceSet: []ec2types.SecurityGroupReference{}}
	for _, id := range in.GroupId {
		g, ok := n.groups.Get(id)
		if !ok {
			return nil, notFound(id)
		}
		seen := map[string]bool{g.vpc: true}
		for _, other := range n.groups.All() {
			p := n.linked(g.vpc, other.vpc)
			if seen[other.vpc] || p == nil || !other.refersTo(id) {
				continue
			}
			seen[other.vpc] = true
			out.SecurityGroupReferenceSet = append(out.SecurityGroupReferenceSet, ec2types.SecurityGroupReference{
				GroupId: aws.String(id), ReferencingVpcId: aws.String(other.vpc), VpcPeeringConnectionId: p.VpcPeeringConnectionId,
			})
		}
	}
	return out, nil
}

func (g *group) refersTo(id string) bool {
	for _, r := range g.rules.All() {
		if r.group == id {
			return true
		}
	}
	return false
}

// mostStale is the largest page of stale groups (API reference).
const mostStale = 255

func (n *Network) staleGroups(in *sdk.DescribeStaleSecurityGroupsInput) (*sdk.DescribeStaleSecurityGroupsOutput, error) {
	id := aws.ToString(in.VpcId)
	if id == "" {
		return nil, missing("vpcId")
	}
	if !n.VPC(id) {
		return nil, notFound(id)
	}
	all := []ec2types.StaleSecurityGroup{}
	for _, g := range n.groups.All() {
		in, out := n.stale(g, ingress), n.stale(g, egress)
		if g.vpc == id && len(in)+len(out) > 0 {
			all = append(all, ec2types.StaleSecurityGroup{
				Description: text(g.description), GroupId: text(g.id), GroupName: text(g.name), VpcId: text(g.vpc),
				StaleIpPermissions: in, StaleIpPermissionsEgress: out,
			})
		}
	}
	some, next, err := cut(all, page{size: in.MaxResults, token: in.NextToken, most: mostStale})
	return &sdk.DescribeStaleSecurityGroupsOutput{NextToken: next, StaleSecurityGroupSet: some}, err
}

func (n *Network) stale(g *group, d direction) []ec2types.StaleIpPermission {
	all := []ec2types.StaleIpPermission{}
	for _, r := range g.rules.All() {
		if r.egress != d || r.peerVPC == "" {
			continue
		}
		if _, ok := n.groups.Get(r.group); ok && n.linked(g.vpc, r.peerVPC) != nil {
			continue
		}
		all = append(all, ec2types.StaleIpPermission{
			FromPort: r.from(), ToPort: r.to(), IpProtocol: text(r.protocol), UserIdGroupPairs: []ec2types.UserIdGroupPair{n.groupPair(r)},
		})
	}
	return all
}

// groupPair shows the group that a rule refers to; over a peering connection with what is known of it.
func (n *Network) groupPair(r *rule) ec2types.UserIdGroupPair {
	pair := ec2types.UserIdGroupPair{GroupId: text(r.group), UserId: aws.String(n.account.ID), Description: text(r.description)}
	if r.peerVPC != "" {
		pair.VpcId, pair.VpcPeeringConnectionId = text(r.peerVPC), text(r.peering)
		if p, ok := n.peerings.Get(r.peering); ok {
			pair.PeeringStatus = aws.String(string(n.peeringCode(p)))
		}
	}
	return pair
}

// checkReference demands that a referenced group exists, in the same VPC or at the other side of an active peering connection, and writes
// into the rule which.
func (n *Network) checkReference(g *group, r *rule, pair ec2types.UserIdGroupPair) error {
	r.group = aws.ToString(pair.GroupId)
	if r.group == "" {
		return missing("groupId")
	}
	if malformedID(r.group, "sg") {
		return wire.Errorf("InvalidGroupId.Malformed", "Invalid id: \"%s\" (expecting \"sg-...\")", r.group)
	}
	if owner := aws.ToString(pair.UserId); owner != "" && owner != n.account.ID {
		return notFound(r.group)
	}
	other, ok := n.groups.Get(r.group)
	if !ok {
		// A rule may name a group that is gone, to be revoked: as it is held.
		if held := g.holds(r.group); held != nil {
			r.peerVPC, r.peering = held.peerVPC, held.peering
			return nil
		}
		return notFound(r.group)
	}
	if other.vpc == g.vpc || n.associated(other.id, g.vpc) {
		return nil
	}
	p := n.linked(g.vpc, other.vpc)
	if p == nil {
		if held := g.holds(r.group); held != nil {
			r.peerVPC, r.peering = held.peerVPC, held.peering
			return nil
		}
		return wire.Errorf("InvalidGroup.NotFound", "You have specified two resources that belong to different networks.")
	}
	r.peerVPC, r.peering = other.vpc, *p.VpcPeeringConnectionId
	return nil
}

// holds gives a rule of a group that refers to another one over a peering connection.
func (g *group) holds(id string) *rule {
	for _, r := range g.rules.All() {
		if r.group == id && r.peerVPC != "" {
			return r
		}
	}
	return nil
}
