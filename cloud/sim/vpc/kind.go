package vpc

import (
	"strings"

	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// kind is a kind of resource, told from others by how its identifiers begin.
type kind struct {
	prefix string
	// code is the error of an identifier that names nothing, without ".NotFound".
	code, name string
	resource   ec2types.ResourceType
	exists     func(id string) bool
}

// kinds gives the kinds; where one prefix begins another, the longer one comes first.
func (n *Network) kinds() []kind {
	return []kind{
		{"vpc", "InvalidVpcID", "vpc ID", ec2types.ResourceTypeVpc, func(id string) bool { return has(&n.vpcs, id) }},
		{"subnet", "InvalidSubnetID", "subnet ID", ec2types.ResourceTypeSubnet, func(id string) bool { return has(&n.subnets, id) }},
		{"rtb", "InvalidRouteTableID", "routeTable ID", ec2types.ResourceTypeRouteTable, func(id string) bool { return has(&n.routes, id) }},
		{"igw", "InvalidInternetGatewayID", "internetGateway ID", ec2types.ResourceTypeInternetGateway, func(id string) bool { return has(&n.gateways, id) }},
		{"sg", "InvalidGroup", "security group", ec2types.ResourceTypeSecurityGroup, func(id string) bool { return has(&n.groups, id) }},
		{"sgr", "InvalidSecurityGroupRuleId", "security group rule ID", ec2types.ResourceTypeSecurityGroupRule, n.ruleExists},
		{"eni", "InvalidNetworkInterfaceID", "networkInterface ID", ec2types.ResourceTypeNetworkInterface, func(id string) bool {
			return has(&n.interfaces, id)
		}},
		{"i", "InvalidInstanceID", "instance ID", ec2types.ResourceTypeInstance, func(id string) bool { return has(&n.instances, id) }},
		{"eipalloc", "InvalidAllocationID", "allocation ID", ec2types.ResourceTypeElasticIp, func(id string) bool { return has(&n.addresses, id) }},
		{"pl", "InvalidPrefixListID", "prefix list", ec2types.ResourceTypePrefixList, func(id string) bool { return has(&n.prefixLists, id) }},
		{"pcx", "InvalidVpcPeeringConnectionID", "vpcPeeringConnection ID", ec2types.ResourceTypeVpcPeeringConnection, func(id string) bool {
			return has(&n.peerings, id)
		}},
		{"ipv4pool-coip", "InvalidPoolID", "pool ID", ec2types.ResourceTypeCoipPool, func(id string) bool { return has(&n.coipPools, id) }},
		{"ipam-scope", "InvalidIpamScopeId", "ipam-scope ID", ec2types.ResourceTypeIpamScope, func(id string) bool { return has(&n.scopes, id) }},
		{"ipam-pool", "InvalidIpamPoolId", "ipam-pool ID", ec2types.ResourceTypeIpamPool, func(id string) bool { return has(&n.pools, id) }},
		{"ipam", "InvalidIpamId", "ipam ID", ec2types.ResourceTypeIpam, func(id string) bool { return has(&n.ipams, id) }},
	}
}

func (n *Network) kindOf(id string) (kind, bool) {
	for _, k := range n.kinds() {
		if strings.HasPrefix(id, k.prefix+"-") {
			return k, true
		}
	}
	return kind{}, false
}

func (n *Network) resourceType(id string) ec2types.ResourceType {
	k, _ := n.kindOf(id)
	return k.resource
}

// exists reports whether there is a resource of any kind with this identifier.
func (n *Network) exists(id string) bool {
	k, ok := n.kindOf(id)
	return ok && k.exists(id)
}

// ofKind gives an identifier the form of its kind, so that its error is that of the kind.
func ofKind(prefix, id string) string {
	if strings.HasPrefix(id, prefix+"-") {
		return id
	}
	return prefix + "-" + id
}

// notFound is EC2's error for an identifier that names nothing; the code depends on the kind of resource.
func notFound(id string) error {
	var nothing Network
	k, ok := nothing.kindOf(id)
	if !ok {
		return wire.Errorf("InvalidID", "The ID '%s' is not valid", id)
	}
	return wire.Errorf(k.code+".NotFound", "The %s '%s' does not exist", k.name, id)
}
