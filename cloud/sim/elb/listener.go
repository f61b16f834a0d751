package elb

import (
	"cmp"
	"reflect"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
	"github.com/headgate/headgate/model/attribute"
)

func (s *State) listenerOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateListener", s.createListener),
		wire.Reads("DescribeListeners", s.describeListeners),
		wire.Writes("ModifyListener", s.modifyListener),
		wire.Writes("DeleteListener", s.deleteListener),
	}
}

const maxPort = 65535

// draft is a listener with the actions and certificates that a call asks for, before they take effect.
type draft struct {
	listener
	secrets secrets
}

func (s *State) createListener(in *sdk.CreateListenerInput) (*sdk.CreateListenerOutput, error) {
	lb, err := s.balancer(in.LoadBalancerArn)
	if err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	d := &draft{listener: listener{balancer: lb, Listener: elbtypes.Listener{
		LoadBalancerArn: lb.LoadBalancerArn, Port: in.Port, Protocol: in.Protocol, SslPolicy: in.SslPolicy, AlpnPolicy: in.AlpnPolicy,
		Certificates: in.Certificates, MutualAuthentication: in.MutualAuthentication,
	}}}
	if err := s.complete(d, in.DefaultActions, nil); err != nil {
		return nil, err
	}
	if old := lb.onPort(aws.ToInt32(in.Port)); old != nil {
		return s.createListenerAgain(old, d, tags)
	}
	if len(lb.listeners) >= s.options.Quotas.ListenersPerLoadBalancer {
		return nil, wire.Errorf("TooManyListeners", "You've reached the limit on the number of listeners per load balancer")
	}
	if err := s.relink(lb, nil, d.DefaultActions); err != nil {
		return nil, err
	}
	l := s.addListener(d)
	s.setTags(*l.ListenerArn, tags)
	return &sdk.CreateListenerOutput{Listeners: []elbtypes.Listener{l.Listener}}, nil
}

func (s *State) createListenerAgain(old *listener, d *draft, tags map[string]string) (*sdk.CreateListenerOutput, error) {
	wanted := d.Listener
	wanted.ListenerArn = old.ListenerArn
	if !reflect.DeepEqual(old.Listener, wanted) || !sameTags(s.tags[*old.ListenerArn], tags) {
		return nil, duplicateListener(old.balancer)
	}
	return &sdk.CreateListenerOutput{Listeners: []elbtypes.Listener{old.Listener}}, nil
}

func duplicateListener(lb *loadBalancer) error {
	return wire.Errorf("DuplicateListener", "A listener already exists on this port for this load balancer '%s'", *lb.LoadBalancerArn)
}

func (lb *loadBalancer) onPort(port int32) *listener {
	for _, l := range lb.listeners {
		if aws.ToInt32(l.Port) == port {
			return l
		}
	}
	return nil
}

// addListener makes a listener of a checked draft, with its default rule.
func (s *State) addListener(d *draft) *listener {
	l := d.listener
	lb := l.balancer
	l.id = s.account.Hex(16)
	_, path, _ := strings.Cut(*lb.LoadBalancerArn, "loadbalancer/")
	l.ListenerArn = aws.String(s.account.ARN("elasticloadbalancing", "listener/"+path+"/"+l.id))
	l.attributes = attribute.Defaults(listenerAttributes(&l))
	made := &l
	s.listeners.Put(*l.ListenerArn, made)
	s.index.addListener(made)
	lb.listeners = append(lb.listeners, made)
	slices.SortFunc(lb.listeners, func(a, b *listener) int { return cmp.Compare(aws.ToInt32(a.Port), aws.ToInt32(b.Port)) })
	r := &rule{listener: made, secrets: d.secrets, Rule: elbtypes.Rule{
		Actions: l.DefaultActions, Conditions: []elbtypes.RuleCondition{}, IsDefault: aws.Bool(true), Priority: aws.String("default"),
		RuleArn: aws.String(s.ruleARN(made)), Transforms: []elbtypes.RuleTransform{},
	}}
	made.rules = []*rule{r}
	s.rules.Put(*r.RuleArn, r)
	return made
}

// complete checks a draft as a whole and fills in its defaults.
func (s *State) complete(d *draft, actions []elbtypes.Action, held secrets) error {
	if err := checkProtocol(&d.listener); err != nil {
		return err
	}
	if err := s.checkSecurity(&d.listener); err != nil {
		return err
	}
	var err error
	d.DefaultActions, d.secrets, err = s.readActions(&d.listener, actions, held)
	if err != nil {
		return err
	}
	if err := s.checkDualStack(&d.listener); err != nil {
		return err
	}
	return checkAlone(&d.listener)
}

// checkProtocol checks port and protocol against the type of the load balancer.
func checkProtocol(l *listener) error {
	if isGateway(l.balancer) {
		if l.Port != nil || l.Protocol != "" {
			return invalid("A port and a protocol cannot be specified for listeners of load balancers with type 'gateway'")
		}
		return nil
	}
	if l.Port == nil {
		return invalid("A listener port must be specified")
	}
	if err := checkPort("port", *l.Port); err != nil {
		return err
	}
	if l.Protocol == "" {
		return invalid("A listener protocol must be specified")
	}
	allowed := []elbtypes.ProtocolEnum{elbtypes.ProtocolEnumHttp, elbtypes.ProtocolEnumHttps}
	if isNetwork(l.balancer) {
		allowed = []elbtypes.ProtocolEnum{
			elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumTls, elbtypes.ProtocolEnumUdp, elbtypes.ProtocolEnumTcpUdp,
			elbtypes.ProtocolEnumQuic, elbtypes.ProtocolEnumTcpQuic,
		}
	}
	if !slices.Contains(allowed, l.Protocol) {
		names := view(allowed, func(p elbtypes.ProtocolEnum) string { return string(p) })
		return invalid("Listener protocol '%s' must be one of '%s'", l.Protocol, strings.Join(names, ", "))
	}
	return nil
}

// checkPort holds the range of ports.
func checkPort(parameter string, port int32) error {
	if port < 1 || port > maxPort {
		return invalid("1 validation error detected: Value '%d' at '%s' failed to satisfy constraint: Member must have value between 1 and %d",
			port, parameter, maxPort)
	}
	return nil
}

// checkAlone holds what QUIC listeners exclude (NLB user guide, "Create a listener").
func checkAlone(l *listener) error {
	if isQUIC(l.Protocol) && len(l.balancer.SecurityGroups) > 0 {
		return unfit("QUIC listeners are not supported on load balancers that have security groups")
	}
	if l.Protocol == elbtypes.ProtocolEnumTls && l.balancer.capacity.units > 0 {
		return unfit("TLS listeners are not supported on load balancers with a capacity reservation")
	}
	for _, other := range l.balancer.listeners {
		if aws.ToString(other.ListenerArn) == aws.ToString(l.ListenerArn) || aws.ToInt32(other.Port) == aws.ToInt32(l.Port) {
			continue
		}
		if isQUIC(l.Protocol) && (isQUIC(other.Protocol) || isUDP(other.Protocol)) || isUDP(l.Protocol) && isQUIC(other.Protocol) {
			return unfit("A load balancer can have one QUIC listener, and not together with UDP listeners")
		}
	}
	return nil
}

func isQUIC(p elbtypes.ProtocolEnum) bool {
	return p == elbtypes.ProtocolEnumQuic || p == elbtypes.ProtocolEnumTcpQuic
}

func isUDP(p elbtypes.ProtocolEnum) bool {
	return p == elbtypes.ProtocolEnumUdp || p == elbtypes.ProtocolEnumTcpUdp
}

// checkDualStack holds what dual-stack mode excludes: QUIC; and UDP but with source NAT prefixes and IPv6 targets (NLB user guide).
func (s *State) checkDualStack(l *listener) error {
	lb := l.balancer
	if !isNetwork(lb) || lb.IpAddressType != elbtypes.IpAddressTypeDualstack {
		return nil
	}
	if isQUIC(l.Protocol) {
		return unfit("QUIC listeners are not supported on load balancers with IP address type 'dualstack'")
	}
	if !isUDP(l.Protocol) {
		return nil
	}
	if lb.EnablePrefixForIpv6SourceNat != elbtypes.EnablePrefixForIpv6SourceNatEnumOn {
		return unfit("UDP listeners on load balancers with IP address type 'dualstack' need EnablePrefixForIpv6SourceNat")
	}
	for _, arn := range targetsOf(l.DefaultActions) {
		if g, ok := s.groups.Get(arn); ok && g.IpAddressType != elbtypes.TargetGroupIpAddressTypeEnumIpv6 {
			return unfit("UDP listeners on load balancers with IP address type 'dualstack' need target groups with IP address type 'ipv6'")
		}
	}
	return nil
}

// listener finds a listener by ARN.
func (s *State) listener(arn *string) (*listener, error) {
	if aws.ToString(arn) == "" {
		return nil, invalid("A listener ARN must be specified")
	}
	if !strings.Contains(*arn, ":listener/") {
		return nil, invalid("'%s' is not a valid listener ARN", *arn)
	}
	l, ok := s.listeners.Get(*arn)
	if !ok {
		return nil, noListener(*arn)
	}
	return l, nil
}

func (s *State) describeListeners(in *sdk.DescribeListenersInput) (*sdk.DescribeListenersOutput, error) {
	if (in.LoadBalancerArn == nil) == (in.ListenerArns == nil) {
		return nil, invalid("You must specify either listener ARNs or a load balancer ARN")
	}
	all, err := named(in.ListenerArns, s.listener)
	if err != nil {
		return nil, err
	}
	if in.LoadBalancerArn != nil {
		lb, err := s.balancer(in.LoadBalancerArn)
		if err != nil {
			return nil, err
		}
		all = lb.listeners
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeListenersOutput{
		Listeners: view(some, func(l *listener) elbtypes.Listener { return l.Listener }), NextMarker: next,
	}, nil
}

func (s *State) deleteListener(in *sdk.DeleteListenerInput) (*sdk.DeleteListenerOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if err := s.checkNoTarget(l); err != nil {
		return nil, err
	}
	s.removeListener(l)
	return &sdk.DeleteListenerOutput{}, nil
}

// checkNoTarget refuses to take away a port that a target is registered with.
func (s *State) checkNoTarget(l *listener) error {
	if !s.isTargetPort(l) {
		return nil
	}
	return wire.Errorf("ResourceInUse", "Listener port '%d' is in use by registered target '%s' and cannot be removed.",
		*l.Port, *l.balancer.LoadBalancerArn)
}

// isTargetPort reports whether the load balancer is registered as a target on the listener's port.
func (s *State) isTargetPort(l *listener) bool {
	name := Target{ID: *l.balancer.LoadBalancerArn, Port: int(aws.ToInt32(l.Port))}
	for g := range s.index.behind[name.ID] {
		s.dropDrained(g)
		if _, ok := g.targets.Get(name.key()); ok {
			return true
		}
	}
	return false
}

func (s *State) removeListener(l *listener) {
	for _, r := range l.rules {
		s.unlink(l.balancer, r.Actions)
		s.rules.Delete(*r.RuleArn)
		delete(s.tags, *r.RuleArn)
	}
	l.balancer.listeners = slices.DeleteFunc(slices.Clone(l.balancer.listeners), func(x *listener) bool { return x == l })
	s.index.removeListener(l)
	s.listeners.Delete(*l.ListenerArn)
	delete(s.tags, *l.ListenerArn)
}
