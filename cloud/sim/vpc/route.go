package vpc

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (n *Network) routeOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateRouteTable", n.createRouteTable),
		wire.Reads("DescribeRouteTables", n.describeRouteTables),
		wire.Writes("DeleteRouteTable", n.deleteRouteTable),
		wire.Writes("CreateRoute", n.createRoute),
		wire.Writes("DeleteRoute", n.deleteRoute),
		wire.Writes("AssociateRouteTable", n.associateRouteTable),
		wire.Writes("DisassociateRouteTable", n.disassociateRouteTable),
	}
}

// tableRole says whether a route table is the main one of its VPC.
type tableRole bool

const (
	mainTable  tableRole = true
	otherTable tableRole = false
)

func (n *Network) createRouteTable(in *sdk.CreateRouteTableInput) (*sdk.CreateRouteTableOutput, error) {
	v, ok := n.vpcs.Get(aws.ToString(in.VpcId))
	if !ok {
		return nil, notFound(aws.ToString(in.VpcId))
	}
	tags, err := n.specified(in.TagSpecifications, ec2types.ResourceTypeRouteTable)
	if err != nil {
		return nil, err
	}
	r := n.addRouteTable(n.identify("rtb"), v, otherTable)
	n.setTags(*r.RouteTableId, tags)
	out := n.routeTableView(r)
	return &sdk.CreateRouteTableOutput{RouteTable: &out}, nil
}

func (n *Network) addRouteTable(id string, v *virtualCloud, role tableRole) *ec2types.RouteTable {
	r := &ec2types.RouteTable{
		RouteTableId: aws.String(id), VpcId: v.VpcId, OwnerId: aws.String(n.account.ID),
		Routes: []ec2types.Route{{
			DestinationCidrBlock: v.CidrBlock, GatewayId: aws.String("local"), State: ec2types.RouteStateActive,
			Origin: ec2types.RouteOriginCreateRouteTable,
		}},
	}
	if role == mainTable {
		r.Associations = []ec2types.RouteTableAssociation{n.routeAssociation(id, nil)}
	}
	n.routes.Put(id, r)
	return r
}

// routeAssociation ties a table to a subnet, or to the VPC as its main table.
func (n *Network) routeAssociation(tableID string, subnetID *string) ec2types.RouteTableAssociation {
	return ec2types.RouteTableAssociation{
		RouteTableAssociationId: aws.String(n.identify("rtbassoc")), RouteTableId: aws.String(tableID), SubnetId: subnetID,
		Main:             aws.Bool(subnetID == nil),
		AssociationState: &ec2types.RouteTableAssociationState{State: ec2types.RouteTableAssociationStateCodeAssociated},
	}
}

func isMain(r *ec2types.RouteTable) bool {
	return slices.ContainsFunc(r.Associations, func(a ec2types.RouteTableAssociation) bool { return aws.ToBool(a.Main) })
}

func (n *Network) routeTableView(r *ec2types.RouteTable) ec2types.RouteTable {
	out := *r
	out.Tags = n.tagList(*r.RouteTableId)
	return out
}

func (n *Network) describeRouteTables(in *sdk.DescribeRouteTablesInput) (*sdk.DescribeRouteTablesOutput, error) {
	list, err := pick(n, selection{ids: in.RouteTableIds, filters: in.Filters}, &n.routes, routeFields())
	if err != nil {
		return nil, err
	}
	some, next, err := cut(list, page{size: in.MaxResults, token: in.NextToken, byID: in.RouteTableIds != nil, most: 100})
	if err != nil {
		return nil, err
	}
	out := &sdk.DescribeRouteTablesOutput{NextToken: next, RouteTables: []ec2types.RouteTable{}}
	for _, r := range some {
		out.RouteTables = append(out.RouteTables, n.routeTableView(r))
	}
	return out, nil
}

func routeFields() fields[*ec2types.RouteTable] {
	type table = *ec2types.RouteTable
	type association = ec2types.RouteTableAssociation
	associations := func(read func(association) *string) func(table) []string {
		return func(r table) []string { return each(r.Associations, read) }
	}
	routes := func(read func(ec2types.Route) *string) func(table) []string {
		return func(r table) []string { return each(r.Routes, read) }
	}
	return fields[table]{
		"route-table-id":                         func(r table) []string { return optional(r.RouteTableId) },
		"vpc-id":                                 func(r table) []string { return optional(r.VpcId) },
		"owner-id":                               func(r table) []string { return optional(r.OwnerId) },
		"association.subnet-id":                  associations(func(a association) *string { return a.SubnetId }),
		"association.gateway-id":                 associations(func(a association) *string { return a.GatewayId }),
		"association.main":                       associations(func(a association) *string { return &flag(a.Main)[0] }),
		"association.route-table-id":             associations(func(a association) *string { return a.RouteTableId }),
		"association.route-table-association-id": associations(func(a association) *string { return a.RouteTableAssociationId }),
		"route.destination-cidr-block":           routes(func(x ec2types.Route) *string { return x.DestinationCidrBlock }),
		"route.destination-ipv6-cidr-block":      routes(func(x ec2types.Route) *string { return x.DestinationIpv6CidrBlock }),
		"route.destination-prefix-list-id":       routes(func(x ec2types.Route) *string { return x.DestinationPrefixListId }),
		"route.gateway-id":                       routes(func(x ec2types.Route) *string { return x.GatewayId }),
		"route.nat-gateway-id":                   routes(func(x ec2types.Route) *string { return x.NatGatewayId }),
		"route.instance-id":                      routes(func(x ec2types.Route) *string { return x.InstanceId }),
		"route.transit-gateway-id":               routes(func(x ec2types.Route) *string { return x.TransitGatewayId }),
		"route.vpc-peering-connection-id":        routes(func(x ec2types.Route) *string { return x.VpcPeeringConnectionId }),
		"route.egress-only-internet-gateway-id":  routes(func(x ec2types.Route) *string { return x.EgressOnlyInternetGatewayId }),
		"route.origin":                           routes(func(x ec2types.Route) *string { return (*string)(&x.Origin) }),
		"route.state":                            routes(func(x ec2types.Route) *string { return (*string)(&x.State) }),
	}
}

func (n *Network) deleteRouteTable(in *sdk.DeleteRouteTableInput) (*sdk.DeleteRouteTableOutput, error) {
	id := aws.ToString(in.RouteTableId)
	r, ok := n.routes.Get(id)
	if !ok {
		return nil, notFound(id)
	}
	if len(r.Associations) > 0 {
		return nil, wire.Errorf("DependencyViolation", "The routeTable '%s' has dependencies and cannot be deleted.", id)
	}
	n.forget(&n.routes, id)
	return &sdk.DeleteRouteTableOutput{}, nil
}

func (n *Network) createRoute(in *sdk.CreateRouteInput) (*sdk.CreateRouteOutput, error) {
	r, ok := n.routes.Get(aws.ToString(in.RouteTableId))
	if !ok {
		return nil, notFound(aws.ToString(in.RouteTableId))
	}
	if in.DestinationCidrBlock == nil && in.DestinationIpv6CidrBlock == nil {
		return nil, missing("destinationCidrBlock")
	}
	if g := aws.ToString(in.GatewayId); g != "" && !has(&n.gateways, g) {
		return nil, notFound(g)
	}
	if pcx := aws.ToString(in.VpcPeeringConnectionId); pcx != "" && !has(&n.peerings, pcx) {
		return nil, notFound(pcx)
	}
	if pl := aws.ToString(in.DestinationPrefixListId); pl != "" {
		if _, err := n.list(&pl); err != nil {
			return nil, err
		}
	}
	if findRoute(r, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock) >= 0 {
		return nil, wire.Errorf("RouteAlreadyExists", "The route identified by %s already exists.",
			aws.ToString(in.DestinationCidrBlock)+aws.ToString(in.DestinationIpv6CidrBlock))
	}
	r.Routes = append(slices.Clone(r.Routes), ec2types.Route{
		DestinationCidrBlock: in.DestinationCidrBlock, DestinationIpv6CidrBlock: in.DestinationIpv6CidrBlock,
		GatewayId: in.GatewayId, NatGatewayId: in.NatGatewayId, NetworkInterfaceId: in.NetworkInterfaceId,
		TransitGatewayId: in.TransitGatewayId, VpcPeeringConnectionId: in.VpcPeeringConnectionId,
		State: ec2types.RouteStateActive, Origin: ec2types.RouteOriginCreateRoute,
	})
	return &sdk.CreateRouteOutput{Return: aws.Bool(true)}, nil
}

func findRoute(r *ec2types.RouteTable, v4, v6 *string) int {
	return slices.IndexFunc(r.Routes, func(x ec2types.Route) bool {
		return aws.ToString(x.DestinationCidrBlock) == aws.ToString(v4) && aws.ToString(x.DestinationIpv6CidrBlock) == aws.ToString(v6)
	})
}

func (n *Network) deleteRoute(in *sdk.DeleteRouteInput) (*sdk.DeleteRouteOutput, error) {
	r, ok := n.routes.Get(aws.ToString(in.RouteTableId))
	if !ok {
		return nil, notFound(aws.ToString(in.RouteTableId))
	}
	at := findRoute(r, in.DestinationCidrBlock, in.DestinationIpv6CidrBlock)
	if at < 0 {
		return nil, wire.Errorf("InvalidRoute.NotFound", "no route with destination-cidr-block %s in route table %s",
			aws.ToString(in.DestinationCidrBlock)+aws.ToString(in.DestinationIpv6CidrBlock), *r.RouteTableId)
	}
	r.Routes = slices.Delete(slices.Clone(r.Routes), at, at+1)
	return &sdk.DeleteRouteOutput{}, nil
}

func (n *Network) associateRouteTable(in *sdk.AssociateRouteTableInput) (*sdk.AssociateRouteTableOutput, error) {
	r, ok := n.routes.Get(aws.ToString(in.RouteTableId))
	if !ok {
		return nil, notFound(aws.ToString(in.RouteTableId))
	}
	if !has(&n.subnets, aws.ToString(in.SubnetId)) {
		return nil, notFound(aws.ToString(in.SubnetId))
	}
	for _, other := range n.routes.All() {
		for _, a := range other.Associations {
			if aws.ToString(a.SubnetId) == *in.SubnetId {
				return nil, wire.Errorf("Resource.AlreadyAssociated", "the specified association for route table %s conflicts with an existing association",
					*other.RouteTableId)
			}
		}
	}
	a := n.routeAssociation(*r.RouteTableId, in.SubnetId)
	r.Associations = append(slices.Clone(r.Associations), a)
	return &sdk.AssociateRouteTableOutput{AssociationId: a.RouteTableAssociationId, AssociationState: a.AssociationState}, nil
}

func (n *Network) disassociateRouteTable(in *sdk.DisassociateRouteTableInput) (*sdk.DisassociateRouteTableOutput, error) {
	for _, r := range n.routes.Values() {
		for i, a := range r.Associations {
			if *a.RouteTableAssociationId != aws.ToString(in.AssociationId) {
				continue
			}
			if aws.ToBool(a.Main) {
				return nil, wire.Errorf("InvalidParameterValue", "cannot disassociate the main route table association %s", *in.AssociationId)
			}
			r.Associations = slices.Delete(slices.Clone(r.Associations), i, i+1)
			return &sdk.DisassociateRouteTableOutput{}, nil
		}
	}
	return nil, wire.Errorf("InvalidAssociationID.NotFound", "The association ID '%s' does not exist", aws.ToString(in.AssociationId))
}
