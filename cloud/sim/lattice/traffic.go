package lattice

import (
	"cmp"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/cloud/sim/fabric"
)

// works reports whether something carries traffic: it was made, and is not on its way out.
func (m *Mesh) works(l life) bool {
	switch m.status(l) {
	case active, updating, "UPDATE_FAILED", "DELETE_FAILED":
		return true
	default:
		return false
	}
}

// Next gives when something changes by itself the next time; zero if nothing will.
func (m *Mesh) Next() time.Time {
	var next time.Time
	now := m.account.Now()
	soon := func(at time.Time) {
		if at.After(now) && (next.IsZero() || at.Before(next)) {
			next = at
		}
	}
	for _, l := range m.links.All() {
		soon(l.ready)
	}
	for _, j := range m.joins.All() {
		soon(j.ready)
	}
	for _, s := range m.services.All() {
		soon(s.ready)
	}
	for _, g := range m.groups.All() {
		soon(g.ready)
		for _, t := range g.targets {
			soon(t.drained)
		}
	}
	return next
}

// Traffic gives what the fabric forwards by: an entrance for each VPC that is associated with a service network.
func (m *Mesh) Traffic() fabric.Config {
	m.sweep()
	served := map[*service]*fabric.Service{}
	var c fabric.Config
	for _, j := range m.joins.All() {
		if !m.works(j.life) {
			continue
		}
		e := fabric.Entrance{
			Address: j.entrance, VPC: j.vpc, VPCARN: m.account.ARN("ec2", "vpc/"+j.vpc), Owner: m.account.ID, NetworkARN: j.network.arn,
			Auth: m.auth(j.network.auth, j.network.arn),
		}
		for _, l := range m.links.All() {
			if l.network != j.network || !m.works(l.life) || !m.works(l.service.life) {
				continue
			}
			if served[l.service] == nil {
				served[l.service] = m.serve(l.service)
			}
			e.Services = append(e.Services, served[l.service])
		}
		c.Entrances = append(c.Entrances, e)
	}
	return c
}

func (m *Mesh) auth(kind types.AuthType, arn string) fabric.Auth {
	return fabric.Auth{Required: kind == types.AuthTypeAwsIam, Policy: m.access[arn].text}
}

// serve gives a service as the fabric takes it. One whose certificate is not there serves without.
func (m *Mesh) serve(s *service) *fabric.Service {
	out := &fabric.Service{ARN: s.arn, Name: *m.address(s).DomainName, Domain: aws.ToString(s.domain), Auth: m.auth(s.auth, s.arn)}
	if s.certificate != nil {
		out.Certificate, _ = m.options.Places.TLS(*s.certificate)
	}
	for _, l := range s.listeners.All() {
		if l.protocol == types.ListenerProtocolHttps && out.Managed == nil {
			if pair, err := m.managed.of(out.Name); err == nil {
				out.Managed = pair
			}
		}
		one := fabric.Listener{Port: int(l.port), Protocol: l.protocol}
		for _, r := range l.sorted() {
			one.Rules = append(one.Rules, fabric.Rule{Match: r.match, Action: m.byARN(r.action)})
		}
		out.Listeners = append(out.Listeners, one)
	}
	return out
}

// byARN gives an action that names its target groups by ARN.
func (m *Mesh) byARN(action types.RuleAction) types.RuleAction {
	f, ok := action.(*types.RuleActionMemberForward)
	if !ok {
		return action
	}
	var all []types.WeightedTargetGroup
	for _, w := range f.Value.TargetGroups {
		if g, ok := m.groups.Get(*w.TargetGroupIdentifier); ok {
			w.TargetGroupIdentifier = &g.arn
		}
		all = append(all, w)
	}
	return &types.RuleActionMemberForward{Value: types.ForwardAction{TargetGroups: all}}
}

// TargetGroups gives the target groups by ARN, as the data plane takes them. Those of functions have no address.
func (m *Mesh) TargetGroups() map[string]dataplane.TargetGroup {
	m.sweep()
	used := map[string]bool{}
	for _, s := range m.services.All() {
		for id := range m.groupsOf(s) {
			used[id] = true
		}
	}
	all := make(map[string]dataplane.TargetGroup, m.groups.Len())
	for id, g := range m.groups.All() {
		if g.kind == types.TargetGroupTypeLambda || !m.works(g.life) {
			continue
		}
		shown := dataplane.TargetGroup{Settings: settings(g), InUse: used[id], Lattice: checks(g)}
		for _, t := range g.targets {
			one := dataplane.Target{ID: t.id, Port: int(t.port), Draining: !t.drained.IsZero()}
			m.locate(g, &one)
			shown.Targets = append(shown.Targets, one)
		}
		all[g.arn] = shown
	}
	return all
}

func checks(g *group) *dataplane.LatticeGroup {
	version := string(types.HealthCheckProtocolVersionHttp1)
	if h := g.config.HealthCheck; h != nil {
		version = cmp.Or(string(h.ProtocolVersion), version)
	}
	return &dataplane.LatticeGroup{CheckVersion: version}
}

// settings gives a group in the words of the data plane, which knows groups of load balancers. One of TCP is reached as one of HTTP is.
func settings(g *group) elbtypes.TargetGroup {
	out := elbtypes.TargetGroup{
		TargetGroupArn: &g.arn, Protocol: elbtypes.ProtocolEnumHttp, ProtocolVersion: aws.String(string(g.config.ProtocolVersion)),
		HealthCheckEnabled: aws.Bool(false),
	}
	if g.config.Protocol == types.TargetGroupProtocolHttps {
		out.Protocol = elbtypes.ProtocolEnumHttps
	}
	h := g.config.HealthCheck
	if h == nil {
		return out
	}
	out.HealthCheckEnabled, out.HealthCheckProtocol, out.HealthCheckPath = h.Enabled, elbtypes.ProtocolEnum(h.Protocol), h.Path
	out.HealthCheckIntervalSeconds, out.HealthCheckTimeoutSeconds = h.HealthCheckIntervalSeconds, h.HealthCheckTimeoutSeconds
	out.HealthyThresholdCount, out.UnhealthyThresholdCount = h.HealthyThresholdCount, h.UnhealthyThresholdCount
	if m, ok := h.Matcher.(*types.MatcherMemberHttpCode); ok {
		out.Matcher = &elbtypes.Matcher{HttpCode: &m.Value}
	}
	if port := aws.ToInt32(h.Port); port > 0 {
		out.HealthCheckPort = aws.String(strconv.Itoa(int(port)))
	}
	return out
}

// locate fills in where a target is that is no address.
func (m *Mesh) locate(g *group, t *dataplane.Target) {
	switch g.kind {
	case types.TargetGroupTypeInstance:
		t.Address, _ = m.options.Places.InstanceAddress(t.ID)
	case types.TargetGroupTypeAlb:
		t.Address, t.Balancer = m.options.Places.BalancerAddress(t.ID)
	case types.TargetGroupTypeIp, types.TargetGroupTypeLambda:
	}
}

// Resolve gives the loopback address at which a service is found by the name that AWS gave it: that of the oldest association of a VPC that
// leads to it. It is not valid where there is none; then nobody can reach the service. It reports false for a name that no service has.
func (m *Mesh) Resolve(name string) (netip.Addr, bool) {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	for _, s := range m.services.All() {
		if *m.address(s).DomainName != name || m.gone(s.life) {
			continue
		}
		for _, j := range m.joins.All() {
			if m.works(j.life) && m.leads(j, s) {
				return j.entrance, true
			}
		}
		return netip.Addr{}, true
	}
	return netip.Addr{}, false
}

// leads reports whether clients of an associated VPC reach a service.
func (m *Mesh) leads(j *join, s *service) bool {
	for _, l := range m.links.All() {
		if l.network == j.network && l.service == s && m.works(l.life) && m.works(s.life) {
			return true
		}
	}
	return false
}

// Summary is a VPC that is associated with a service network, in few words.
type Summary struct {
	Association    string `json:"association"`
	VPC            string `json:"vpc"`
	ServiceNetwork string `json:"serviceNetwork"`
	Status         string `json:"status"`
	// Address is the loopback address at which clients in the VPC find all services of the network.
	Address  netip.Addr       `json:"address"`
	Services []ServiceSummary `json:"services"`
}

// ServiceSummary is a service that is found at an address. Ports are those of its listeners, without any offset.
type ServiceSummary struct {
	ARN     string  `json:"arn"`
	Name    string  `json:"name"`
	DNSName string  `json:"dnsName"`
	Domain  string  `json:"customDomainName,omitempty"`
	Ports   []int32 `json:"ports"`
}

// Summaries lists all associations of VPCs.
func (m *Mesh) Summaries() []Summary {
	m.sweep()
	all := []Summary{}
	for _, j := range m.joins.All() {
		one := Summary{
			Association: j.arn, VPC: j.vpc, ServiceNetwork: j.network.arn, Status: m.status(j.life), Address: j.entrance, Services: []ServiceSummary{},
		}
		for _, l := range m.links.All() {
			if l.network != j.network || !m.works(l.life) {
				continue
			}
			s := l.service
			shown := ServiceSummary{ARN: s.arn, Name: s.title, DNSName: *m.address(s).DomainName, Domain: aws.ToString(s.domain), Ports: []int32{}}
			for _, listener := range s.listeners.All() {
				shown.Ports = append(shown.Ports, listener.port)
			}
			slices.Sort(shown.Ports)
			one.Services = append(one.Services, shown)
		}
		all = append(all, one)
	}
	return all
}

// UsesCertificate lists the services that have a certificate, by ARN.
func (m *Mesh) UsesCertificate(arn string) []string {
	var all []string
	for _, s := range m.services.All() {
		if aws.ToString(s.certificate) == arn && !m.gone(s.life) {
			all = append(all, s.arn)
		}
	}
	return all
}
