package elb

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/cloud/sim/wire"
	"github.com/headgate/headgate/model/attribute"
)

func (s *State) balancerOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateLoadBalancer", s.createLoadBalancer),
		wire.Reads("DescribeLoadBalancers", s.describeLoadBalancers),
		wire.Writes("DeleteLoadBalancer", s.deleteLoadBalancer),
		wire.Writes("SetSubnets", s.setSubnets),
		wire.Writes("SetSecurityGroups", s.setSecurityGroups),
		wire.Writes("SetIpAddressType", s.setIPAddressType),
		wire.Writes("ModifyIpPools", s.modifyIPPools),
	}
}

const maxName = 32

// checkName holds the rules that names of load balancers and target groups share.
func checkName(kind, name string) error {
	switch {
	case name == "":
		return invalid("A %s name must be specified", kind)
	case len(name) > maxName:
		return invalid("%s name '%s' cannot be longer than '%d' characters", strings.ToUpper(kind[:1])+kind[1:], name, maxName)
	case strings.ContainsFunc(name, notInName):
		return invalid("%s name '%s' can only contain characters that are alphanumeric characters and hyphens(-)",
			strings.ToUpper(kind[:1])+kind[1:], name)
	case strings.HasPrefix(name, "-") || strings.HasSuffix(name, "-"):
		return invalid("%s name '%s' cannot begin or end with '-'", strings.ToUpper(kind[:1])+kind[1:], name)
	}
	return nil
}

func notInName(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-'
}

func (s *State) createLoadBalancer(in *sdk.CreateLoadBalancerInput) (*sdk.CreateLoadBalancerOutput, error) {
	name := aws.ToString(in.Name)
	if err := checkName("load balancer", name); err != nil {
		return nil, err
	}
	if strings.HasPrefix(name, "internal-") {
		return nil, invalid("Load balancer name '%s' cannot begin with 'internal-'", name)
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	lb := newBalancer(in)
	placed, err := s.place(lb, in.Subnets, in.SubnetMappings)
	if err != nil {
		return nil, err
	}
	if err := s.fit(lb, placed, in.SecurityGroups); err != nil {
		return nil, err
	}
	if old := s.index.balancers[name]; old != nil {
		return s.createAgain(old, lb, tags)
	}
	if err := s.checkRoom(lb, placed); err != nil {
		return nil, err
	}
	if err := s.addBalancer(lb, placed); err != nil {
		return nil, err
	}
	s.setTags(*lb.LoadBalancerArn, tags)
	return &sdk.CreateLoadBalancerOutput{LoadBalancers: []elbtypes.LoadBalancer{s.showBalancer(lb)}}, nil
}

// newBalancer fills in the defaults of CreateLoadBalancer.
func newBalancer(in *sdk.CreateLoadBalancerInput) *loadBalancer {
	lb := &loadBalancer{groups: map[string]int{}, LoadBalancer: elbtypes.LoadBalancer{
		LoadBalancerName: in.Name, Type: in.Type, Scheme: in.Scheme, IpAddressType: in.IpAddressType,
		CustomerOwnedIpv4Pool: in.CustomerOwnedIpv4Pool, IpamPools: in.IpamPools, EnablePrefixForIpv6SourceNat: in.EnablePrefixForIpv6SourceNat,
	}}
	if lb.Type == "" {
		lb.Type = elbtypes.LoadBalancerTypeEnumApplication
	}
	if lb.Scheme == "" && !isGateway(lb) {
		lb.Scheme = elbtypes.LoadBalancerSchemeEnumInternetFacing
	}
	if lb.IpAddressType == "" {
		lb.IpAddressType = elbtypes.IpAddressTypeIpv4
	}
	if isNetwork(lb) && lb.EnablePrefixForIpv6SourceNat == "" {
		lb.EnablePrefixForIpv6SourceNat = elbtypes.EnablePrefixForIpv6SourceNatEnumOff
	}
	return lb
}

// createAgain answers a create for a name that is taken: the same settings give the existing load balancer.
func (s *State) createAgain(old, wanted *loadBalancer, tags map[string]string) (*sdk.CreateLoadBalancerOutput, error) {
	same := old.Type == wanted.Type && old.Scheme == wanted.Scheme && old.IpAddressType == wanted.IpAddressType &&
		sameSet(subnetIDs(old.AvailabilityZones), subnetIDs(wanted.AvailabilityZones)) && sameSet(old.SecurityGroups, wanted.SecurityGroups) &&
		sameTags(s.tags[*old.LoadBalancerArn], tags)
	if !same {
		return nil, wire.Errorf("DuplicateLoadBalancerName", "A load balancer with the same name '%s' exists, but with different settings",
			*old.LoadBalancerName)
	}
	return &sdk.CreateLoadBalancerOutput{LoadBalancers: []elbtypes.LoadBalancer{s.showBalancer(old)}}, nil
}

func sameTags(held, wanted map[string]string) bool {
	if len(held) != len(wanted) {
		return false
	}
	for k, v := range wanted {
		if have, ok := held[k]; !ok || have != v {
			return false
		}
	}
	return true
}

func sameSet(a, b []string) bool {
	a, b = slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b))
	return slices.Equal(a, b)
}

// addBalancer gives a checked load balancer its identity and its interfaces.
func (s *State) addBalancer(lb *loadBalancer, placed placement) error {
	lb.id = s.account.Hex(16)
	path := map[elbtypes.LoadBalancerTypeEnum]string{
		elbtypes.LoadBalancerTypeEnumApplication: "app", elbtypes.LoadBalancerTypeEnumNetwork: "net", elbtypes.LoadBalancerTypeEnumGateway: "gwy",
	}[lb.Type] + "/" + *lb.LoadBalancerName + "/" + lb.id
	lb.LoadBalancerArn = aws.String(s.account.ARN("elasticloadbalancing", "loadbalancer/"+path))
	if err := s.network.Attach(s.interfaces(lb), s.account.Scale(s.options.Linger)); err != nil {
		s.network.Detach(*lb.LoadBalancerArn, 0)
		if wire.AsError(err).Code != vpc.AddressTaken {
			return invalid("%v", err)
		}
		lb.failure = wire.AsError(err).Message
	}
	lb.VpcId = aws.String(placed.vpc)
	lb.CreatedTime = aws.Time(s.now())
	lb.ready = s.now().Add(s.account.Scale(s.options.Provisioning))
	lb.DNSName = aws.String(s.dnsName(lb))
	lb.CanonicalHostedZoneId = aws.String(hostedZone(s.account.Region, lb.Type))
	lb.address = s.takeAddress()
	lb.attributes = attribute.Defaults(balancerAttributes(lb))
	s.balancers.Put(*lb.LoadBalancerArn, lb)
	s.index.addBalancer(lb)
	return nil
}

// interfaces says which network interfaces a load balancer has.
func (s *State) interfaces(lb *loadBalancer) vpc.LoadBalancer {
	_, path, _ := strings.Cut(*lb.LoadBalancerArn, "loadbalancer/")
	return vpc.LoadBalancer{
		ARN: *lb.LoadBalancerArn, Description: "ELB " + path, Subnets: subnetIDs(lb.AvailabilityZones), Groups: lb.SecurityGroups,
		Network: isNetwork(lb), Allocations: allocationsBySubnet(lb), Private: privateBySubnet(lb),
	}
}

// privateBySubnet gives the private addresses that were asked for.
func privateBySubnet(lb *loadBalancer) map[string]netip.Addr {
	all := map[string]netip.Addr{}
	for _, z := range lb.AvailabilityZones {
		for _, held := range z.LoadBalancerAddresses {
			if a, err := netip.ParseAddr(aws.ToString(held.PrivateIPv4Address)); err == nil {
				all[aws.ToString(z.SubnetId)] = a
			}
		}
	}
	return all
}

func allocationsBySubnet(lb *loadBalancer) map[string]string {
	all := map[string]string{}
	for _, z := range lb.AvailabilityZones {
		for _, a := range z.LoadBalancerAddresses {
			if a.AllocationId != nil {
				all[aws.ToString(z.SubnetId)] = *a.AllocationId
			}
		}
	}
	return all
}

func subnetIDs(zones []elbtypes.AvailabilityZone) []string {
	return view(zones, func(z elbtypes.AvailabilityZone) string { return aws.ToString(z.SubnetId) })
}

// showBalancer gives a load balancer as it is now.
func (s *State) showBalancer(lb *loadBalancer) elbtypes.LoadBalancer {
	out := lb.LoadBalancer
	out.State = &elbtypes.LoadBalancerState{Code: elbtypes.LoadBalancerStateEnumActive}
	switch {
	case s.now().Before(lb.ready):
		out.State.Code = elbtypes.LoadBalancerStateEnumProvisioning
	case lb.failure != "":
		out.State.Code, out.State.Reason = elbtypes.LoadBalancerStateEnumFailed, aws.String(lb.failure)
	}
	return out
}

func (s *State) describeLoadBalancers(in *sdk.DescribeLoadBalancersInput) (*sdk.DescribeLoadBalancersOutput, error) {
	if in.LoadBalancerArns != nil && in.Names != nil {
		return nil, invalid("Load balancer names and load balancer ARNs cannot be specified at the same time")
	}
	if err := checkCount(in.LoadBalancerArns, "loadBalancerArns"); err != nil {
		return nil, err
	}
	if err := checkCount(in.Names, "names"); err != nil {
		return nil, err
	}
	all, err := s.chooseBalancers(in)
	if err != nil {
		return nil, err
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeLoadBalancersOutput{LoadBalancers: view(some, s.showBalancer), NextMarker: next}, nil
}

func (s *State) chooseBalancers(in *sdk.DescribeLoadBalancersInput) ([]*loadBalancer, error) {
	if in.LoadBalancerArns == nil && in.Names == nil {
		return s.balancers.Values(), nil
	}
	all, err := named(in.LoadBalancerArns, s.balancer)
	if err != nil {
		return nil, err
	}
	for _, name := range in.Names {
		lb := s.index.balancers[name]
		if lb == nil {
			return nil, noLoadBalancer(name)
		}
		all = append(all, lb)
	}
	return all, nil
}

// balancer finds a load balancer by ARN.
func (s *State) balancer(arn *string) (*loadBalancer, error) {
	if aws.ToString(arn) == "" {
		return nil, invalid("A load balancer ARN must be specified")
	}
	if !strings.Contains(*arn, ":loadbalancer/") {
		return nil, invalid("'%s' is not a valid load balancer ARN", *arn)
	}
	lb, ok := s.balancers.Get(*arn)
	if !ok {
		return nil, noLoadBalancer(*arn)
	}
	return lb, nil
}

func (s *State) deleteLoadBalancer(in *sdk.DeleteLoadBalancerInput) (*sdk.DeleteLoadBalancerOutput, error) {
	arn := aws.ToString(in.LoadBalancerArn)
	if !strings.Contains(arn, ":loadbalancer/") {
		return nil, invalid("'%s' is not a valid load balancer ARN", arn)
	}
	lb, ok := s.balancers.Get(arn)
	if !ok {
		return &sdk.DeleteLoadBalancerOutput{}, nil
	}
	if lb.attributes["deletion_protection.enabled"] == "true" {
		return nil, wire.Errorf("OperationNotPermitted", "Load balancer '%s' cannot be deleted because deletion protection is enabled", arn)
	}
	if s.isTarget(arn) {
		return nil, wire.Errorf("ResourceInUse", "Load balancer '%s' cannot be deleted because it is currently associated with another service", arn)
	}
	for _, l := range slices.Clone(lb.listeners) {
		s.removeListener(l)
	}
	s.network.Detach(arn, s.account.Scale(s.options.Linger))
	s.balancers.Delete(arn)
	s.index.removeBalancer(lb)
	delete(s.tags, arn)
	return &sdk.DeleteLoadBalancerOutput{}, nil
}

// isTarget reports whether a load balancer is registered in a target group of type alb.
func (s *State) isTarget(arn string) bool {
	for g := range s.index.behind[arn] {
		s.dropDrained(g)
	}
	return len(s.index.behind[arn]) > 0
}
