package elb

import (
	"crypto/tls"
	"maps"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

// LoadBalancers gives the application load balancers that are active, as the data plane takes them.
func (s *State) LoadBalancers() []dataplane.LoadBalancer {
	var all []dataplane.LoadBalancer
	for _, lb := range s.balancers.All() {
		if !isApplication(lb) || s.now().Before(lb.ready) {
			continue
		}
		shown := dataplane.LoadBalancer{
			ARN: *lb.LoadBalancerArn, DNSName: *lb.DNSName, Address: lb.address, Attributes: maps.Clone(lb.attributes),
		}
		for _, l := range lb.listeners {
			shown.Listeners = append(shown.Listeners, s.listenerConfig(l))
		}
		all = append(all, shown)
	}
	return all
}

func (s *State) listenerConfig(l *listener) dataplane.Listener {
	shown := dataplane.Listener{
		ARN: *l.ListenerArn, Port: int(*l.Port), Protocol: string(l.Protocol), SSLPolicy: aws.ToString(l.SslPolicy),
		Attributes: maps.Clone(l.attributes), Certificates: s.tlsCertificates(l),
	}
	for _, r := range l.rules {
		shown.Rules = append(shown.Rules, dataplane.Rule{
			ARN: *r.RuleArn, Conditions: r.Conditions, Actions: r.Actions, Transforms: r.Transforms,
		})
	}
	return shown
}

func (s *State) tlsCertificates(l *listener) []*tls.Certificate {
	var all []*tls.Certificate
	for _, c := range l.Certificates {
		if held, ok := s.certificates.TLS(aws.ToString(c.CertificateArn)); ok {
			all = append(all, held)
		}
	}
	for _, arn := range l.certificates {
		if held, ok := s.certificates.TLS(arn); ok {
			all = append(all, held)
		}
	}
	return all
}

// TargetGroups gives the target groups by ARN, as the data plane takes them.
func (s *State) TargetGroups() map[string]dataplane.TargetGroup {
	all := make(map[string]dataplane.TargetGroup, s.groups.Len())
	for arn, g := range s.groups.All() {
		s.dropDrained(g)
		shown := dataplane.TargetGroup{Settings: showGroup(g), Attributes: maps.Clone(g.attributes), InUse: g.balancer != nil}
		for _, t := range g.targets.All() {
			name := g.name(t.TargetDescription)
			if g.balancer != nil && t.gone.IsZero() && s.unusable(g, t) != nil {
				continue
			}
			shown.Targets = append(shown.Targets, dataplane.Target{
				ID: name.ID, Port: name.Port, Zone: aws.ToString(t.AvailabilityZone), Draining: !t.gone.IsZero(),
				Address: s.instanceAddress(g, t),
			})
		}
		all[arn] = shown
	}
	return all
}

// instanceAddress is the private address of a target that is an instance.
func (s *State) instanceAddress(g *targetGroup, t *target) netip.Addr {
	if g.TargetType != elbtypes.TargetTypeEnumInstance {
		return netip.Addr{}
	}
	i, ok := s.network.Instance(*t.Id)
	if !ok {
		return netip.Addr{}
	}
	a, err := netip.ParseAddr(aws.ToString(i.PrivateIpAddress))
	if err != nil {
		return netip.Addr{}
	}
	return a
}

// Next gives the time of the next change that comes by itself: a load balancer becoming active, a target drained. Zero: none.
func (s *State) Next() time.Time {
	var next time.Time
	soonest := func(t time.Time) {
		if t.After(s.now()) && (next.IsZero() || t.Before(next)) {
			next = t
		}
	}
	for _, lb := range s.balancers.All() {
		soonest(lb.ready)
	}
	for _, g := range s.groups.All() {
		for _, t := range g.targets.All() {
			soonest(t.gone)
		}
	}
	return next
}

// Summary is a load balancer in few words, for those who test against the simulator.
type Summary struct {
	ARN     string     `json:"arn"`
	Name    string     `json:"name"`
	Type    string     `json:"type"`
	DNSName string     `json:"dnsName"`
	State   string     `json:"state"`
	Address netip.Addr `json:"address"`
	// Ports are the listener ports as AWS knows them.
	Ports []int32 `json:"ports"`
}

// Summaries lists all load balancers.
func (s *State) Summaries() []Summary {
	all := []Summary{}
	for arn, lb := range s.balancers.All() {
		one := Summary{
			ARN: arn, Name: *lb.LoadBalancerName, Type: string(lb.Type), DNSName: *lb.DNSName, Address: lb.address,
			State: string(s.showBalancer(lb).State.Code), Ports: []int32{},
		}
		for _, l := range lb.listeners {
			one.Ports = append(one.Ports, aws.ToInt32(l.Port))
		}
		all = append(all, one)
	}
	return all
}

// Resolve gives the loopback address of a load balancer by its DNS name, in any case and with the prefix dualstack.
func (s *State) Resolve(name string) (netip.Addr, bool) {
	name = strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(name, ".")), "dualstack.")
	for _, lb := range s.balancers.All() {
		if strings.ToLower(*lb.DNSName) == name {
			return lb.address, true
		}
	}
	return netip.Addr{}, false
}

// Dump gives everything that the service holds, in the shapes of the API and without secrets.
func (s *State) Dump() any {
	type group struct {
		elbtypes.TargetGroup
		Attributes map[string]string
		Targets    []elbtypes.TargetHealthDescription
	}
	type listening struct {
		elbtypes.Listener
		Attributes   map[string]string
		Certificates []string
		Rules        []elbtypes.Rule
	}
	type balancer struct {
		elbtypes.LoadBalancer
		Address    string
		Attributes map[string]string
		Listeners  []listening
	}
	var out struct {
		LoadBalancers []balancer
		TargetGroups  []group
		Tags          map[string]map[string]string
	}
	for _, lb := range s.balancers.All() {
		b := balancer{LoadBalancer: s.showBalancer(lb), Address: lb.address.String(), Attributes: lb.attributes}
		for _, l := range lb.listeners {
			b.Listeners = append(b.Listeners, listening{
				Listener: l.Listener, Attributes: l.attributes, Certificates: l.certificates,
				Rules: view(l.rules, func(r *rule) elbtypes.Rule { return r.Rule }),
			})
		}
		out.LoadBalancers = append(out.LoadBalancers, b)
	}
	for _, g := range s.groups.All() {
		s.dropDrained(g)
		shown, probed := group{TargetGroup: showGroup(g), Attributes: g.attributes}, s.probed(g)
		for _, t := range g.targets.All() {
			shown.Targets = append(shown.Targets, s.describeTarget(g, t, probed))
		}
		out.TargetGroups = append(out.TargetGroups, shown)
	}
	out.Tags = s.tags
	return out
}
