package elb

import (
	"maps"
	"net/netip"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

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
	for g := range s.index.draining {
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
func (s *State) Summaries() []Summary { return view(s.balancers.Values(), s.summary) }

func (s *State) summary(lb *loadBalancer) Summary {
	return Summary{
		ARN: *lb.LoadBalancerArn, Name: *lb.LoadBalancerName, Type: string(lb.Type), DNSName: *lb.DNSName, Address: lb.address,
		State: string(s.showBalancer(lb).State.Code), Ports: view(lb.listeners, func(l *listener) int32 { return aws.ToInt32(l.Port) }),
	}
}

// Balancer gives a load balancer by its ARN.
func (s *State) Balancer(arn string) (Summary, bool) {
	lb, ok := s.balancers.Get(arn)
	if !ok {
		return Summary{}, false
	}
	return s.summary(lb), true
}

// TagsOf gives the tags of a load balancer, a target group or another resource; nil where there is none of that ARN.
func (s *State) TagsOf(arn string) map[string]string {
	if !s.has(arn) {
		return nil
	}
	return maps.Clone(s.tags[arn])
}

// byName finds a load balancer by its DNS name, in any case and with the prefix dualstack.
func (s *State) byName(name string) (*loadBalancer, bool) {
	lb, ok := s.index.names[strings.TrimPrefix(strings.ToLower(strings.TrimSuffix(name, ".")), "dualstack.")]
	return lb, ok
}

// HostedZone gives the zone in which AWS keeps the DNS name of a load balancer.
func (s *State) HostedZone(name string) (string, bool) {
	lb, ok := s.byName(name)
	if !ok {
		return "", false
	}
	return *lb.CanonicalHostedZoneId, true
}

// Resolve gives the loopback address of a load balancer by its DNS name, in any case and with the prefix dualstack.
func (s *State) Resolve(name string) (netip.Addr, bool) {
	lb, ok := s.byName(name)
	if !ok {
		return netip.Addr{}, false
	}
	return lb.address, true
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
