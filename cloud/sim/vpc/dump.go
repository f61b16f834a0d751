package vpc

import ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

// Dump gives everything that the network holds, in the shapes of the API.
func (n *Network) Dump() any {
	n.sweep()
	var out struct {
		Vpcs              []ec2types.Vpc
		Subnets           []ec2types.Subnet
		RouteTables       []ec2types.RouteTable
		InternetGateways  []ec2types.InternetGateway
		SecurityGroups    []ec2types.SecurityGroup
		NetworkInterfaces []ec2types.NetworkInterface
		Instances         []ec2types.Instance
		Addresses         []ec2types.Address
	}
	for _, v := range n.vpcs.All() {
		out.Vpcs = append(out.Vpcs, n.vpcView(v))
	}
	for _, s := range n.subnets.All() {
		out.Subnets = append(out.Subnets, n.subnetView(s))
	}
	for _, r := range n.routes.All() {
		out.RouteTables = append(out.RouteTables, n.routeTableView(r))
	}
	for _, g := range n.gateways.All() {
		out.InternetGateways = append(out.InternetGateways, n.gatewayView(g))
	}
	for _, g := range n.groups.All() {
		out.SecurityGroups = append(out.SecurityGroups, n.groupView(g))
	}
	for _, i := range n.interfaces.All() {
		out.NetworkInterfaces = append(out.NetworkInterfaces, n.interfaceView(i))
	}
	for _, i := range n.instances.All() {
		out.Instances = append(out.Instances, n.instanceView(i))
	}
	for _, a := range n.addresses.All() {
		out.Addresses = append(out.Addresses, n.addressView(a))
	}
	return out
}
