package elb

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) setSubnets(in *sdk.SetSubnetsInput) (*sdk.SetSubnetsOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	if s.capacityPending(lb) {
		return nil, wire.Errorf("CapacityReservationPending", "There is a pending capacity reservation for load balancer '%s'", *lb.LoadBalancerArn)
	}
	wanted := *lb
	if in.IpAddressType != "" {
		wanted.IpAddressType = in.IpAddressType
	}
	if in.EnablePrefixForIpv6SourceNat != "" {
		wanted.EnablePrefixForIpv6SourceNat = in.EnablePrefixForIpv6SourceNat
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
	if err := s.fitListeners(&wanted); err != nil {
		return nil, err
	}
	if err := checkKeptAddresses(lb, &wanted); err != nil {
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
	lb.EnablePrefixForIpv6SourceNat = wanted.EnablePrefixForIpv6SourceNat
	return &sdk.SetSubnetsOutput{
		AvailabilityZones: lb.AvailabilityZones, IpAddressType: lb.IpAddressType, EnablePrefixForIpv6SourceNat: lb.EnablePrefixForIpv6SourceNat,
	}, nil
}

// checkKeptAddresses holds that a subnet that stays keeps the private address that was asked for in it, or none.
func checkKeptAddresses(lb, wanted *loadBalancer) error {
	was, shall := privateBySubnet(lb), privateBySubnet(wanted)
	for _, id := range subnetIDs(lb.AvailabilityZones) {
		if slices.Contains(subnetIDs(wanted.AvailabilityZones), id) && was[id] != shall[id] {
			return unfit("The private IPv4 address of the load balancer in the subnet '%s' cannot be changed", id)
		}
	}
	return nil
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
	case !isNetwork(lb) && in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "":
		return nil, unfit("Rules for PrivateLink traffic are supported only for load balancers of type 'network'")
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
	if in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != "" {
		lb.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = aws.String(string(in.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic))
	}
	return &sdk.SetSecurityGroupsOutput{
		SecurityGroupIds: lb.SecurityGroups,
		EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic: elbtypes.EnforceSecurityGroupInboundRulesOnPrivateLinkTrafficEnum(
			aws.ToString(lb.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic)),
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
	if err := s.fitListeners(&wanted); err != nil {
		return nil, err
	}
	lb.IpAddressType = in.IpAddressType
	return &sdk.SetIpAddressTypeOutput{IpAddressType: lb.IpAddressType}, nil
}

// fitListeners holds what listeners, rules and target groups demand of the IP address type of their load balancer.
func (s *State) fitListeners(lb *loadBalancer) error {
	if lb.IpAddressType == elbtypes.IpAddressTypeIpv4 {
		if s.hasIPv6Group(lb) {
			return unfit("The IP address type cannot be 'ipv4' while a target group with IP address type 'ipv6' is in use")
		}
		for _, l := range lb.listeners {
			if isNetwork(lb) && len(l.rules) > 1 {
				return unfit("The IP address type cannot be 'ipv4' while a listener has rules")
			}
		}
		return nil
	}
	for _, l := range lb.listeners {
		on := *l
		on.balancer = lb
		if err := s.checkDualStack(&on); err != nil {
			return err
		}
	}
	return nil
}

func (s *State) hasIPv6Group(lb *loadBalancer) bool {
	for arn := range lb.groups {
		if g, ok := s.groups.Get(arn); ok && g.IpAddressType == elbtypes.TargetGroupIpAddressTypeEnumIpv6 {
			return true
		}
	}
	return false
}
