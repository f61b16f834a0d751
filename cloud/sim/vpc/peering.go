package vpc

import (
	"net/netip"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) peeringOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateVpcPeeringConnection", n.createPeering),
		wire.Writes("AcceptVpcPeeringConnection", n.acceptPeering),
		wire.Writes("RejectVpcPeeringConnection", n.rejectPeering),
		wire.Writes("DeleteVpcPeeringConnection", n.deletePeering),
		wire.Reads("DescribeVpcPeeringConnections", n.describePeerings),
	}
}

type peering = ec2types.VpcPeeringConnection

// Codes of the states of a peering connection.
const (
	peeringPending  = ec2types.VpcPeeringConnectionStateReasonCodePendingAcceptance
	peeringActive   = ec2types.VpcPeeringConnectionStateReasonCodeActive
	peeringRejected = ec2types.VpcPeeringConnectionStateReasonCodeRejected
	peeringDeleted  = ec2types.VpcPeeringConnectionStateReasonCodeDeleted
	peeringExpired  = ec2types.VpcPeeringConnectionStateReasonCodeExpired
)

// peeringLife is how long a request waits for the other side (VPC peering guide).
const peeringLife = 7 * 24 * time.Hour

func (n *Network) createPeering(in *sdk.CreateVpcPeeringConnectionInput) (*sdk.CreateVpcPeeringConnectionOutput, error) {
	ours, err := n.peer(in.VpcId)
	if err != nil {
		return nil, err
	}
	if in.PeerVpcId == nil {
		return nil, missing("peerVpcId")
	}
	if other := aws.ToString(in.PeerOwnerId); other != "" && other != n.account.ID || in.PeerRegion != nil && *in.PeerRegion != n.account.Region {
		return nil, wire.Errorf("OperationNotPermitted", "The VPC '%s' of another account or Region is not reachable from here.", *in.PeerVpcId)
	}
	theirs, err := n.peer(in.PeerVpcId)
	if err != nil {
		return nil, err
	}
	if overlap(ours, theirs) {
		return nil, wire.Errorf("InvalidParameterValue", "The VPCs '%s' and '%s' have overlapping CIDR blocks.", *ours.VpcId, *theirs.VpcId)
	}
	if n.peered(*ours.VpcId, *theirs.VpcId) != nil {
		return nil, wire.Errorf("VpcPeeringConnectionAlreadyExists", "A peering connection between '%s' and '%s' exists already.", *ours.VpcId, *theirs.VpcId)
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeVpcPeeringConnection)
	if err != nil {
		return nil, err
	}
	id := n.identify("pcx")
	p := &peering{
		VpcPeeringConnectionId: &id, RequesterVpcInfo: n.peerInfo(ours), AccepterVpcInfo: n.peerInfo(theirs),
		ExpirationTime: aws.Time(n.now().Add(n.account.Scale(peeringLife))), Status: peeringState(peeringPending, "Pending Acceptance by "+n.account.ID),
	}
	n.peerings.Put(id, p)
	n.setTags(id, tags)
	out := n.peeringView(p)
	return &sdk.CreateVpcPeeringConnectionOutput{VpcPeeringConnection: &out}, nil
}

func (n *Network) peer(id *string) (*virtualCloud, error) {
	v, ok := n.vpcs.Get(aws.ToString(id))
	if !ok {
		return nil, notFound(aws.ToString(id))
	}
	return v, nil
}

func (n *Network) peerInfo(v *virtualCloud) *ec2types.VpcPeeringConnectionVpcInfo {
	return &ec2types.VpcPeeringConnectionVpcInfo{
		VpcId: v.VpcId, CidrBlock: v.CidrBlock, OwnerId: aws.String(n.account.ID), Region: aws.String(n.account.Region),
	}
}

func peeringState(code ec2types.VpcPeeringConnectionStateReasonCode, message string) *ec2types.VpcPeeringConnectionStateReason {
	return &ec2types.VpcPeeringConnectionStateReason{Code: code, Message: aws.String(message)}
}

// overlap reports whether two VPCs have addresses in common. One and the same VPC has.
func overlap(a, b *virtualCloud) bool {
	for _, x := range a.CidrBlockAssociationSet {
		for _, y := range b.CidrBlockAssociationSet {
			if netip.MustParsePrefix(*x.CidrBlock).Overlaps(netip.MustParsePrefix(*y.CidrBlock)) {
				return true
			}
		}
	}
	return false
}

// peered gives the connection between two VPCs that is active or waits to be.
func (n *Network) peered(a, b string) *peering {
	for _, p := range n.peerings.All() {
		one, other := *p.RequesterVpcInfo.VpcId, *p.AccepterVpcInfo.VpcId
		if (one == a && other == b || one == b && other == a) && (n.peeringCode(p) == peeringActive || n.peeringCode(p) == peeringPending) {
			return p
		}
	}
	return nil
}

// linked gives the active connection between two VPCs.
func (n *Network) linked(a, b string) *peering {
	if p := n.peered(a, b); p != nil && n.peeringCode(p) == peeringActive {
		return p
	}
	return nil
}

// peeringCode is the state of a connection now: a request that nobody accepts expires.
func (n *Network) peeringCode(p *peering) ec2types.VpcPeeringConnectionStateReasonCode {
	if p.Status.Code == peeringPending && !n.now().Before(*p.ExpirationTime) {
		return peeringExpired
	}
	return p.Status.Code
}

func (n *Network) peeringView(p *peering) peering {
	out := *p
	if n.peeringCode(p) == peeringExpired {
		out.Status = peeringState(peeringExpired, "Expired")
	}
	out.Tags = n.tagList(*p.VpcPeeringConnectionId)
	return out
}

// changePeering moves a connection to a state, if its own is one of some.
func (n *Network) changePeering(
	id *string, to *ec2types.VpcPeeringConnectionStateReason, from ...ec2types.VpcPeeringConnectionStateReasonCode,
) (*peering, error) {
	p, ok := n.peerings.Get(aws.ToString(id))
	if !ok {
		return nil, notFound(aws.ToString(id))
	}
	for _, code := range from {
		if n.peeringCode(p) == code {
			p.Status = to
			out := n.peeringView(p)
			return &out, nil
		}
	}
	return nil, wire.Errorf("InvalidStateTransition", "Invalid state transition for %s, attempted to transition from %s to %s",
		*id, n.peeringCode(p), to.Code)
}

func (n *Network) acceptPeering(in *sdk.AcceptVpcPeeringConnectionInput) (*sdk.AcceptVpcPeeringConnectionOutput, error) {
	p, err := n.changePeering(in.VpcPeeringConnectionId, peeringState(peeringActive, "Active"), peeringPending)
	if err != nil {
		return nil, err
	}
	return &sdk.AcceptVpcPeeringConnectionOutput{VpcPeeringConnection: p}, nil
}

func (n *Network) rejectPeering(in *sdk.RejectVpcPeeringConnectionInput) (*sdk.RejectVpcPeeringConnectionOutput, error) {
	_, err := n.changePeering(in.VpcPeeringConnectionId, peeringState(peeringRejected, "Rejected by "+n.account.ID), peeringPending)
	if err != nil {
		return nil, err
	}
	return &sdk.RejectVpcPeeringConnectionOutput{Return: aws.Bool(true)}, nil
}

func (n *Network) deletePeering(in *sdk.DeleteVpcPeeringConnectionInput) (*sdk.DeleteVpcPeeringConnectionOutput, error) {
	_, err := n.changePeering(in.VpcPeeringConnectionId, peeringState(peeringDeleted, "Deleted by "+n.account.ID), peeringPending, peeringActive)
	if err != nil {
		return nil, err
	}
	return &sdk.DeleteVpcPeeringConnectionOutput{Return: aws.Bool(true)}, nil
}

func (n *Network) describePeerings(in *sdk.DescribeVpcPeeringConnectionsInput) (*sdk.DescribeVpcPeeringConnectionsOutput, error) {
	list, err := pick(n, selection{ids: in.VpcPeeringConnectionIds, filters: in.Filters}, &n.peerings, n.peeringFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.VpcPeeringConnectionIds != nil})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeVpcPeeringConnectionsOutput{NextToken: next, VpcPeeringConnections: []peering{}}
	for _, p := range some {
		out.VpcPeeringConnections = append(out.VpcPeeringConnections, n.peeringView(p))
	}
	return out, nil
}

func (n *Network) peeringFields() fields[*peering] {
	known := fields[*peering]{
		"vpc-peering-connection-id": func(p *peering) []string { return optional(p.VpcPeeringConnectionId) },
		"status-code":               func(p *peering) []string { return []string{string(n.peeringCode(p))} },
		"status-message":            func(p *peering) []string { return optional(n.peeringView(p).Status.Message) },
		"expiration-time":           func(p *peering) []string { return moment(p.ExpirationTime) },
	}
	for side, of := range map[string]func(*peering) *ec2types.VpcPeeringConnectionVpcInfo{
		"accepter":  func(p *peering) *ec2types.VpcPeeringConnectionVpcInfo { return p.AccepterVpcInfo },
		"requester": func(p *peering) *ec2types.VpcPeeringConnectionVpcInfo { return p.RequesterVpcInfo },
	} {
		known[side+"-vpc-info.cidr-block"] = func(p *peering) []string { return optional(of(p).CidrBlock) }
		known[side+"-vpc-info.owner-id"] = func(p *peering) []string { return optional(of(p).OwnerId) }
		known[side+"-vpc-info.vpc-id"] = func(p *peering) []string { return optional(of(p).VpcId) }
	}
	return known
}
