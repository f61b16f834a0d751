package elb

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/vpc"
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
		zone, err := s.zone(lb, sub, m)
		if err != nil {
			return p, err
		}
		lb.AvailabilityZones = append(lb.AvailabilityZones, zone)
	}
	if err := checkStatics(mappings); err != nil {
		return p, err
	}
	return p, checkZones(lb, p)
}

// zone gives the zone of a load balancer that a mapping asks for.
func (s *State) zone(lb *loadBalancer, sub ec2types.Subnet, m elbtypes.SubnetMapping) (elbtypes.AvailabilityZone, error) {
	zone := elbtypes.AvailabilityZone{ZoneName: sub.AvailabilityZone, SubnetId: sub.SubnetId}
	if slices.Contains(s.options.ConstrainedZones, aws.ToString(sub.AvailabilityZone)) {
		return zone, wire.Errorf("AvailabilityZoneNotSupported", "The Availability Zone '%s' is not supported", aws.ToString(sub.AvailabilityZone))
	}
	if sub.OutpostArn != nil {
		zone.OutpostId = aws.String((*sub.OutpostArn)[strings.LastIndexByte(*sub.OutpostArn, '/')+1:])
	}
	var err error
	if zone.LoadBalancerAddresses, err = s.staticAddresses(lb, m); err != nil {
		return zone, err
	}
	if err := checkWithin(sub, m); err != nil {
		return zone, err
	}
	zone.SourceNatIpv6Prefixes, err = sourcePrefixes(lb, sub, m)
	return zone, err
}

// checkWithin demands that the addresses of a mapping are of its subnet.
func checkWithin(sub ec2types.Subnet, m elbtypes.SubnetMapping) error {
	for _, given := range []*string{m.PrivateIPv4Address, m.IPv6Address} {
		if given == nil {
			continue
		}
		a, err := netip.ParseAddr(*given)
		if err != nil || !slices.ContainsFunc(blocksOf(sub), func(b netip.Prefix) bool { return b.Contains(a) && !vpc.Reserved(b, a) }) {
			return unfit("The address '%s' is not in the subnet '%s', or reserved in it", *given, *sub.SubnetId)
		}
	}
	return nil
}

func blocksOf(sub ec2types.Subnet) []netip.Prefix {
	texts := []string{aws.ToString(sub.CidrBlock)}
	for _, b := range sub.Ipv6CidrBlockAssociationSet {
		texts = append(texts, aws.ToString(b.Ipv6CidrBlock))
	}
	var all []netip.Prefix
	for _, text := range texts {
		if b, err := netip.ParsePrefix(text); err == nil {
			all = append(all, b)
		}
	}
	return all
}

// sourcePrefixes gives the block of IPv6 addresses that a network load balancer sends from in a subnet: /80, chosen or given.
func sourcePrefixes(lb *loadBalancer, sub ec2types.Subnet, m elbtypes.SubnetMapping) ([]string, error) {
	given := aws.ToString(m.SourceNatIpv6Prefix)
	if lb.EnablePrefixForIpv6SourceNat != elbtypes.EnablePrefixForIpv6SourceNatEnumOn {
		if given != "" {
			return nil, unfit("A source NAT prefix needs EnablePrefixForIpv6SourceNat")
		}
		return nil, nil
	}
	const size = 80
	for _, b := range blocksOf(sub) {
		if !b.Addr().Is6() {
			continue
		}
		if given == "" || given == "auto_assigned" {
			return []string{netip.PrefixFrom(b.Addr(), size).String()}, nil
		}
		if p, err := netip.ParsePrefix(given); err == nil && p.Bits() == size && b.Contains(p.Addr()) {
			return []string{p.Masked().String()}, nil
		}
	}
	return nil, unfit("The source NAT prefix '%s' is not a /%d block of the subnet '%s'", given, size, *sub.SubnetId)
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
		if s.addressTaken(lb, held) {
			return nil, wire.Errorf("ResourceInUse", "The allocation ID '%s' is already associated", *m.AllocationId)
		}
		address.IpAddress = held.PublicIp
	}
	return []elbtypes.LoadBalancerAddress{address}, nil
}

// addressTaken reports whether an address is associated with something else than a load balancer of that name. One that was deleted has
// its address until its interfaces are gone.
func (s *State) addressTaken(except *loadBalancer, held ec2types.Address) bool {
	if holder, ok := s.index.allocations[*held.AllocationId]; ok {
		return holder != aws.ToString(except.LoadBalancerName)
	}
	return held.AssociationId != nil
}

// checkStatics demands an Elastic IP address for all subnets or for none.
func checkStatics(mappings []elbtypes.SubnetMapping) error {
	with := 0
	for i, m := range mappings {
		if m.AllocationId == nil {
			continue
		}
		with++
		for _, other := range mappings[:i] {
			if aws.ToString(other.AllocationId) == *m.AllocationId {
				return invalid("The allocation ID '%s' was specified multiple times", *m.AllocationId)
			}
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
	if isApplication(lb) && len(zones) < 2 && !onOutpost(p.subnets) {
		return invalid("At least two subnets in two different Availability Zones must be specified")
	}
	return nil
}

// fit checks what depends on type, scheme and address type.
func (s *State) fit(lb *loadBalancer, p placement, groups []string) error {
	if err := fitAddressType(lb, p.subnets); err != nil {
		return err
	}
	if err := s.checkOwnedPool(lb, p.subnets); err != nil {
		return err
	}
	if err := s.checkPools(lb, lb.IpamPools); err != nil {
		return err
	}
	if lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternetFacing && !s.network.HasInternetGateway(p.vpc) {
		return wire.Errorf("InvalidSubnet", "VPC %s has no internet gateway", p.vpc)
	}
	if isGateway(lb) {
		if lb.Scheme != "" {
			return wire.Errorf("InvalidScheme", "A scheme cannot be specified for load balancers with type 'gateway'")
		}
		if len(groups) > 0 {
			return unfit("Security groups are not supported for load balancers with type 'gateway'")
		}
		return nil
	}
	if err := s.checkGroups(p.vpc, groups); err != nil {
		return err
	}
	lb.SecurityGroups = groups
	if isNetwork(lb) && len(groups) > 0 {
		lb.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic = aws.String("on")
	}
	if isApplication(lb) && len(groups) == 0 {
		lb.SecurityGroups = []string{s.network.DefaultGroup(p.vpc)}
	}
	return nil
}

func fitAddressType(lb *loadBalancer, subnets []ec2types.Subnet) error {
	if lb.EnablePrefixForIpv6SourceNat == elbtypes.EnablePrefixForIpv6SourceNatEnumOn &&
		(!isNetwork(lb) || lb.IpAddressType != elbtypes.IpAddressTypeDualstack) {
		return unfit("Source NAT prefixes are only supported for network load balancers with IP address type 'dualstack'")
	}
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
	if s.index.kinds[lb.Type] >= most || isGateway(lb) && s.gatewaysIn(p.vpc) >= gatewaysPerVPC {
		return wire.Errorf("TooManyLoadBalancers", "The maximum number of load balancers has been reached")
	}
	return checkSpace(lb, p.subnets)
}

func (s *State) gatewaysIn(vpc string) int {
	count := 0
	for _, lb := range s.balancers.All() {
		if isGateway(lb) && *lb.VpcId == vpc {
			count++
		}
	}
	return count
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
