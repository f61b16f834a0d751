package vpc

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) gatewayOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateInternetGateway", n.createInternetGateway),
		wire.Reads("DescribeInternetGateways", n.describeInternetGateways),
		wire.Writes("DeleteInternetGateway", n.deleteInternetGateway),
		wire.Writes("AttachInternetGateway", n.attachInternetGateway),
		wire.Writes("DetachInternetGateway", n.detachInternetGateway),
	}
}

func (n *Network) createInternetGateway(in *sdk.CreateInternetGatewayInput) (*sdk.CreateInternetGatewayOutput, error) {
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeInternetGateway)
	if err != nil {
		return nil, err
	}
	g := n.addGateway(n.identify("igw"))
	n.setTags(*g.InternetGatewayId, tags)
	out := n.gatewayView(g)
	return &sdk.CreateInternetGatewayOutput{InternetGateway: &out}, nil
}

func (n *Network) addGateway(id string) *ec2types.InternetGateway {
	g := &ec2types.InternetGateway{InternetGatewayId: aws.String(id), OwnerId: aws.String(n.account.ID)}
	n.gateways.Put(id, g)
	return g
}

func (n *Network) gatewayView(g *ec2types.InternetGateway) ec2types.InternetGateway {
	out := *g
	out.Tags = n.tagList(*g.InternetGatewayId)
	return out
}

func (n *Network) describeInternetGateways(in *sdk.DescribeInternetGatewaysInput) (*sdk.DescribeInternetGatewaysOutput, error) {
	list, err := pick(n, selection{ids: in.InternetGatewayIds, filters: in.Filters}, &n.gateways, gatewayFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.InternetGatewayIds != nil})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeInternetGatewaysOutput{NextToken: next, InternetGateways: []ec2types.InternetGateway{}}
	for _, g := range some {
		out.InternetGateways = append(out.InternetGateways, n.gatewayView(g))
	}
	return out, nil
}

func gatewayFields() fields[*ec2types.InternetGateway] {
	type gateway = *ec2types.InternetGateway
	return fields[gateway]{
		"internet-gateway-id": func(g gateway) []string { return optional(g.InternetGatewayId) },
		"owner-id":            func(g gateway) []string { return optional(g.OwnerId) },
		"attachment.vpc-id": func(g gateway) []string {
			return each(g.Attachments, func(a ec2types.InternetGatewayAttachment) *string { return a.VpcId })
		},
		"attachment.state": func(g gateway) []string {
			return each(g.Attachments, func(a ec2types.InternetGatewayAttachment) *string { return (*string)(&a.State) })
		},
	}
}

func (n *Network) deleteInternetGateway(in *sdk.DeleteInternetGatewayInput) (*sdk.DeleteInternetGatewayOutput, error) {
	id := aws.ToString(in.InternetGatewayId)
	g, ok := n.gateways.Get(id)
	if !ok {
		return nil, notFound(id)
	}
	if len(g.Attachments) > 0 {
		return nil, wire.Errorf("DependencyViolation", "The internetGateway '%s' has dependencies and cannot be deleted.", id)
	}
	n.forget(&n.gateways, id)
	return &sdk.DeleteInternetGatewayOutput{}, nil
}

func (n *Network) attachInternetGateway(in *sdk.AttachInternetGatewayInput) (*sdk.AttachInternetGatewayOutput, error) {
	g, ok := n.gateways.Get(aws.ToString(in.InternetGatewayId))
	if !ok {
		return nil, notFound(aws.ToString(in.InternetGatewayId))
	}
	vpc := aws.ToString(in.VpcId)
	if !has(&n.vpcs, vpc) {
		return nil, notFound(vpc)
	}
	if len(g.Attachments) > 0 {
		return nil, wire.Errorf("Resource.AlreadyAssociated", "resource %s is already attached to network %s", *g.InternetGatewayId, *g.Attachments[0].VpcId)
	}
	if n.HasInternetGateway(vpc) {
		return nil, wire.Errorf("InvalidParameterValue", "Network %s already has an internet gateway attached", vpc)
	}
	g.Attachments = []ec2types.InternetGatewayAttachment{{VpcId: in.VpcId, State: "available"}}
	return &sdk.AttachInternetGatewayOutput{}, nil
}

func (n *Network) detachInternetGateway(in *sdk.DetachInternetGatewayInput) (*sdk.DetachInternetGatewayOutput, error) {
	g, ok := n.gateways.Get(aws.ToString(in.InternetGatewayId))
	if !ok {
		return nil, notFound(aws.ToString(in.InternetGatewayId))
	}
	if len(g.Attachments) == 0 || *g.Attachments[0].VpcId != aws.ToString(in.VpcId) {
		return nil, wire.Errorf("Gateway.NotAttached", "resource %s is not attached to network %s", *g.InternetGatewayId, aws.ToString(in.VpcId))
	}
	g.Attachments = nil
	return &sdk.DetachInternetGatewayOutput{}, nil
}

// HasInternetGateway reports whether a gateway is attached to the VPC.
func (n *Network) HasInternetGateway(vpc string) bool {
	for _, g := range n.gateways.All() {
		for _, a := range g.Attachments {
			if *a.VpcId == vpc {
				return true
			}
		}
	}
	return false
}
