package elb

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// checkForwardTo checks that a listener may forward to a target group.
func (s *State) checkForwardTo(l *listener, arn string) error {
	g, err := s.group(&arn)
	if err != nil {
		return err
	}
	if g.balancer != nil && g.balancer != l.balancer {
		return wire.Errorf("TargetGroupAssociationLimit", "The following target groups cannot be associated with more than one load balancer: %s", arn)
	}
	if g.VpcId != nil && *g.VpcId != *l.balancer.VpcId {
		return unfit("The following target groups are not in the same VPC as load balancer '%s': %s", *l.balancer.LoadBalancerArn, arn)
	}
	if err := checkCompatible(l, g); err != nil {
		return err
	}
	if g.IpAddressType == elbtypes.TargetGroupIpAddressTypeEnumIpv6 && l.balancer.IpAddressType == elbtypes.IpAddressTypeIpv4 {
		return unfit("The target group '%s' with IP address type 'ipv6' needs a dualstack load balancer", arn)
	}
	return nil
}

// checkCompatible compares the protocols of listener and target group (NLB user guide, "Listeners").
func checkCompatible(l *listener, g *targetGroup) error {
	bad := wire.Errorf("IncompatibleProtocols", "Target group '%s' with protocol '%s' cannot be used by a listener with protocol '%s'",
		*g.TargetGroupArn, g.Protocol, l.Protocol)
	if isGateway(l.balancer) {
		if g.Protocol != elbtypes.ProtocolEnumGeneve {
			return bad
		}
		return nil
	}
	if isApplication(l.balancer) {
		return checkApplicationGroup(l, g, bad)
	}
	allowed := map[elbtypes.ProtocolEnum][]elbtypes.ProtocolEnum{
		elbtypes.ProtocolEnumTcp:     {elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumTcpUdp},
		elbtypes.ProtocolEnumTls:     {elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumTls},
		elbtypes.ProtocolEnumUdp:     {elbtypes.ProtocolEnumUdp, elbtypes.ProtocolEnumTcpUdp},
		elbtypes.ProtocolEnumTcpUdp:  {elbtypes.ProtocolEnumTcpUdp},
		elbtypes.ProtocolEnumQuic:    {elbtypes.ProtocolEnumQuic, elbtypes.ProtocolEnumTcpQuic},
		elbtypes.ProtocolEnumTcpQuic: {elbtypes.ProtocolEnumTcpQuic},
	}
	if !slices.Contains(allowed[l.Protocol], g.Protocol) {
		return bad
	}
	if g.TargetType == elbtypes.TargetTypeEnumAlb && l.Protocol != elbtypes.ProtocolEnumTcp {
		return bad
	}
	return nil
}

func checkApplicationGroup(l *listener, g *targetGroup, bad error) error {
	if g.TargetType == elbtypes.TargetTypeEnumLambda {
		return nil
	}
	if g.Protocol != elbtypes.ProtocolEnumHttp && g.Protocol != elbtypes.ProtocolEnumHttps {
		return bad
	}
	version := aws.ToString(g.ProtocolVersion)
	if l.Protocol == elbtypes.ProtocolEnumHttp && version != "" && version != "HTTP1" {
		return unfit("Listener protocol 'HTTP' is not supported with a target group with the protocol version '%s'", version)
	}
	return nil
}

// link counts the target groups of actions as used by a load balancer. It is undone by unlink.
func (s *State) link(lb *loadBalancer, actions []elbtypes.Action) {
	for _, arn := range targetsOf(actions) {
		lb.groups[arn]++
		g, ok := s.groups.Get(arn)
		if ok && g.balancer == nil {
			g.balancer, g.used = lb, s.now()
		}
	}
}

func (s *State) unlink(lb *loadBalancer, actions []elbtypes.Action) {
	for _, arn := range targetsOf(actions) {
		if lb.groups[arn]--; lb.groups[arn] > 0 {
			continue
		}
		delete(lb.groups, arn)
		if g, ok := s.groups.Get(arn); ok {
			g.balancer = nil
			s.dropDrained(g)
		}
	}
}

// relink replaces actions by others, if the quotas of the load balancer allow it.
func (s *State) relink(lb *loadBalancer, old, fresh []elbtypes.Action) error {
	unique := map[string]bool{}
	for arn, uses := range lb.groups {
		for _, gone := range targetsOf(old) {
			if gone == arn {
				uses--
			}
		}
		if uses > 0 {
			unique[arn] = true
		}
	}
	for _, arn := range targetsOf(fresh) {
		unique[arn] = true
	}
	if isApplication(lb) && len(unique) > s.options.Quotas.GroupsPerLoadBalancer {
		return wire.Errorf("TooManyUniqueTargetGroupsPerLoadBalancer", "You've reached the limit on the number of unique target groups per load balancer")
	}
	if err := s.checkLoad(lb, load{groups: unique}); err != nil {
		return err
	}
	// Linking first keeps a group that is in both lists in use, and so its targets as healthy as they are.
	s.link(lb, fresh)
	s.unlink(lb, old)
	return nil
}
