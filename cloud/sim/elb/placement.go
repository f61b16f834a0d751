package elb

import (
	"net/netip"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// placement is where a load balancer stands: one VPC, one subnet a zone.
type placement struct {
	vpc     string
	subnets []ec2types.Subnet
}

const (
	// freeAddresses must be left in a subnet of an application load balancer.
	freeAddresses = 8
	// smallestSubnet is the smallest block of such a subnet.
	smallestSubnet = 27
)

// place checks subnets and sets the zones of a load balancer.
func (s *State) place(lb *loadBalancer, ids []string, mappings []elbtypes.SubnetMapping) (placement, error) {
	if ids != nil && mappings != nil {
		return placement{}, invalid("You must specify either subnets or subnet mappings, not both")
	}
	for _, id := range ids {
		mappings = append(mappings, elbtypes.SubnetMapping{SubnetId: aws.String(id)})
	}
	if len(mappings) == 0 {
		return placement{}, invalid("At least one subnet must be specified")
	}
	var p placement
	lb.AvailabilityZones = nil
	for _, m := range mappings {
		sub, ok := s.network.Subnet(aws.ToString(m.SubnetId))
		if !ok {
			return p, wire.Errorf("SubnetNotFound", "The subnet ID '%s' does not exist", aws.ToString(m.SubnetId))
		}
		if p.vpc != "" && p.vpc != *sub.VpcId {
			return p, unfit("The subnets must belong to the same VPC")
		}
		p.vpc = *sub.VpcId
		p.subnets = append(p.subnets, sub)
		addresses, err := s.staticAddresses(lb, m)
		if err != nil {
			return p, err
		}
		lb.AvailabilityZones = append(lb.AvailabilityZones, elbtypes.AvailabilityZone{
			ZoneName: sub.AvailabilityZone, SubnetId: sub.SubnetId, OutpostId: nil, LoadBalancerAddresses: addresses,
		})
	}
	if err := checkStatics(mappings); err != nil {
		return p, err
	}
	return p, checkZones(lb, p)
}

// staticAddresses reads the addresses that a mapping of a network load balancer fixes.
func (s *State) staticAddresses(lb *loadBalancer, m elbtypes.SubnetMapping) ([]elbtypes.LoadBalancerAddress, error) {
	none := []elbtypes.LoadBalancerAddress{}
	if m.AllocationId == nil && m.PrivateIPv4Address == nil && m.IPv6Address == nil {
		return none, nil
	}
	internal := lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternal
	switch {
	case !isNetwork(lb):
		return nil, unfit("Addresses cannot be specified for load balancers with type '%s'", lb.Type)
	case m.AllocationId != nil && internal:
		return nil, unfit("Elastic IP addresses cannot be specified for internal load balancers")
	case m.PrivateIPv4Address != nil && !internal:
		return nil, unfit("Private IPv4 addresses can only be specified for internal load balancers")
	case m.IPv6Address != nil && lb.IpAddressType != elbtypes.IpAddressTypeDualstack:
		return nil, unfit("IPv6 addresses can only be specified for dualstack load balancers")
	}
	address := elbtypes.LoadBalancerAddress{AllocationId: m.AllocationId, PrivateIPv4Address: m.PrivateIPv4Address, IPv6Address: m.IPv6Address}
	if m.AllocationId != nil {
		held, ok := s.network.Address(*m.AllocationId)
		if !ok {
			return nil, wire.Errorf("AllocationIdNotFound", "The allocation ID '%s' does not exist", *m.AllocationId)
		}
		if s.addressTaken(lb, *m.AllocationId) || held.AssociationId != nil {
			return nil, wire.Errorf("ResourceInUse", "The allocation ID '%s' is already associated", *m.AllocationId)
		}
		address.IpAddress = held.PublicIp
	}
	return []elbtypes.LoadBalancerAddress{address}, nil
}

func (s *State) addressTaken(except *loadBalancer, allocation string) bool {
	holder, ok := s.index.allocations[allocation]
	return ok && holder != aws.ToString(except.LoadBalancerName)
}

// checkStatics demands an Elastic IP address for all subnets or for none.
func checkStatics(mappings []elbtypes.SubnetMapping) error {
	with := 0
	for _, m := range mappings {
		if m.AllocationId != nil {
			with++
		}
	}
	if with != 0 && with != len(mappings) {
		return unfit("An allocation ID must be specified for each subnet or for none")
	}
	return nil
}

func checkZones(lb *loadBalancer, p placement) error {
	var zones []string
	for _, sub := range p.subnets {
		if slices.Contains(zones, *sub.AvailabilityZone) {
			return unfit("A load balancer cannot be attached to multiple subnets in the same Availability Zone")
		}
		zones = append(zones, *sub.AvailabilityZone)
	}
	if isApplication(lb) && len(zones) < 2 {
		return invalid("At least two subnets in two different Availability Zones must be specified")
	}
	return nil
}

// fit checks what depends on type, scheme and address type.
func (s *State) fit(lb *loadBalancer, p placement, groups []string) error {
	if err := fitAddressType(lb, p.subnets); err != nil {
		return err
	}
	if lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternetFacing && !s.network.HasInternetGateway(p.vpc) {
		return wire.Errorf("InvalidSubnet", "VPC %s has no internet gateway", p.vpc)
	}
	if isGateway(lb) {
		if lb.Scheme != "" || len(groups) > 0 {
			return unfit("Scheme and security groups are not supported for load balancers with type 'gateway'")
		}
		return nil
	}
	if err := s.checkGroups(p.vpc, groups); err != nil {
		return err
	}
	lb.SecurityGroups = groups
	if isApplication(lb) && len(groups) == 0 {
		lb.SecurityGroups = []string{s.network.DefaultGroup(p.vpc)}
	}
	return nil
}

func fitAddressType(lb *loadBalancer, subnets []ec2types.Subnet) error {
	if lb.IpAddressType == elbtypes.IpAddressTypeIpv4 {
		return nil
	}
	if lb.IpAddressType == elbtypes.IpAddressTypeDualstackWithoutPublicIpv4 &&
		(!isApplication(lb) || lb.Scheme != elbtypes.LoadBalancerSchemeEnumInternetFacing) {
		return unfit("The IP address type 'dualstack-without-public-ipv4' is only supported for internet-facing application load balancers")
	}
	for _, sub := range subnets {
		if len(sub.Ipv6CidrBlockAssociationSet) == 0 {
			return wire.Errorf("InvalidSubnet", "The subnet '%s' has no IPv6 CIDR block, which the IP address type '%s' needs", *sub.SubnetId, lb.IpAddressType)
		}
	}
	return nil
}

const groupsPerBalancer = 5

func (s *State) checkGroups(vpcID string, groups []string) error {
	if len(groups) > groupsPerBalancer {
		return unfit("A load balancer cannot have more than %d security groups", groupsPerBalancer)
	}
	for i, id := range groups {
		held, ok := s.network.GroupVPC(id)
		if !ok {
			return wire.Errorf("InvalidSecurityGroup", "The security group '%s' does not exist", id)
		}
		if held != vpcID {
			return unfit("The security group '%s' does not belong to VPC '%s'", id, vpcID)
		}
		if slices.Contains(groups[:i], id) {
			return invalid("The security group '%s' was specified multiple times", id)
		}
	}
	return nil
}

// checkRoom checks quotas and free addresses for what is new.
func (s *State) checkRoom(lb *loadBalancer, p placement) error {
	most := map[elbtypes.LoadBalancerTypeEnum]int{
		elbtypes.LoadBalancerTypeEnumApplication: s.options.Quotas.ApplicationLoadBalancers,
		elbtypes.LoadBalancerTypeEnumNetwork:     s.options.Quotas.NetworkLoadBalancers,
		elbtypes.LoadBalancerTypeEnumGateway:     s.options.Quotas.GatewayLoadBalancers,
	}[lb.Type]
	if s.index.kinds[lb.Type] >= most {
		return wire.Errorf("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
	}
	return checkSpace(lb, p.subnets)
}

func checkSpace(lb *loadBalancer, subnets []ec2types.Subnet) error {
	if !isApplication(lb) {
		return nil
	}
	for _, sub := range subnets {
		block, err := netip.ParsePrefix(*sub.CidrBlock)
		if err != nil || block.Bits() > smallestSubnet || *sub.AvailableIpAddressCount < freeAddresses {
			return wire.Errorf("InvalidSubnet", "Not enough IP space available in %s. ELB requires at least %d free IP addresses in each subnet.",
				*sub.SubnetId, freeAddresses)
		}
	}
	return nil
}

func (s *State) setSubnets(in *sdk.SetSubnetsInput) (*sdk.SetSubnetsOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	wanted := *lb
	if in.IpAddressType != "" {
		wanted.IpAddressType = in.IpAddressType
	}
	placed, err := s.place(&wanted, in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	if placed.vpc != *lb.VpcId {
		return nil, unfit("The subnets must belong to VPC '%s'", *lb.VpcId)
	}
	if err := fitAddressType(&wanted, placed.subnets); err != nil {
		return nil, err
	}
	held := subnetIDs(lb.AvailabilityZones)
	added := slices.DeleteFunc(slices.Clone(placed.subnets), func(sub ec2types.Subnet) bool { return slices.Contains(held, *sub.SubnetId) })
	if err := checkSpace(lb, added); err != nil {
		return nil, err
	}
	if err := s.network.Attach(s.interfaces(&wanted), s.account.Scale(s.options.Linger)); err != nil {
		return nil, invalid("%v", err)
	}
	s.index.removeAllocations(lb)
	lb.AvailabilityZones, lb.IpAddressType = wanted.AvailabilityZones, wanted.IpAddressType
	s.index.addAllocations(lb)
	if in.EnablePrefixForIpv6SourceNat != "" {
		lb.EnablePrefixForIpv6SourceNat = in.EnablePrefixForIpv6SourceNat
	}
	return &sdk.SetSubnetsOutput{
		AvailabilityZones: lb.AvailabilityZones, IpAddressType: lb.IpAddressType, EnablePrefixForIpv6SourceNat: lb.EnablePrefixForIpv6SourceNat,
	}, nil
}

func (s *State) setSecurityGroups(in *sdk.SetSecurityGroupsInput) (*sdk.SetSecurityGroupsOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	switch {
	case isGateway(lb):
		return nil, unfit("SetSecurityGroups is not supported for load balancers of type 'gateway'")
	case isNetwork(lb) && len(lb.SecurityGroups) == 0:
		return nil, unfit("Security groups cannot be set on a load balancer that was created without security groups")
	case len(in.SecurityGroups) == 0:
		return nil, unfit("At least one security group must be specified")
	}
	if err := s.checkGroups(*lb.VpcId, in.SecurityGroups); err != nil {
		return nil, err
	}
	wanted := *lb
	wanted.SecurityGroups = in.SecurityGroups
	if err := s.network.Attach(s.interfaces(&wanted), s.account.Scale(s.options.Linger)); err != nil {
		return nil, invalid("%v", err)
	}
	lb.SecurityGroups = in.SecurityGroups
	if isNetwork(lb) && in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "" {
		lb.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = aws.String(string(in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic))
	}
	return &sdk.SetSecurityGroupsOutput{
		SecurityGroupIds: lb.SecurityGroups, EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic,
	}, nil
}

func (s *State) setIPAddressType(in *sdk.SetIpAddressTypeInput) (*sdk.SetIpAddressTypeOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if in.IpAddressType == "" {
		return nil, invalid("An IP address type must be specified")
	}
	wanted := *lb
	wanted.IpAddressType = in.IpAddressType
	var subnets []ec2types.Subnet
	for _, id := range subnetIDs(lb.AvailabilityZones) {
		if sub, ok := s.network.Subnet(id); ok {
			subnets = append(subnets, sub)
		}
	}
	if err := fitAddressType(&wanted, subnets); err != nil {
		return nil, err
	}
	if in.IpAddressType == elbtypes.IpAddressTypeIpv4 && s.hasIPv6Group(lb) {
		return nil, unfit("The IP address type cannot be 'ipv4' while a target group with IP address type 'ipv6' is in use")
	}
	lb.IpAddressType = in.IpAddressType
	return &sdk.SetIpAddressTypeOutput{IpAddressType: lb.IpAddressType}, nil
}

func (s *State) hasIPv6Group(lb *loadBalancer) bool {
	for arn := range lb.groups {
		if g, ok := s.groups.Get(arn); ok && g.IpAddressType == elbtypes.TargetGroupIpAddressTypeEnumIpv6 {
			return true
		}
	}
	return false
}
