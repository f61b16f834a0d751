package elb

import (
	"crypto/tls"
	"maps"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

// LoadBalancers gives the application and network load balancers that are active, as the data plane takes them.
func (s *State) LoadBalancers() []dataplane.LoadBalancer {
	var all []dataplane.LoadBalancer
	known := policyConfigs()
	for _, lb := range s.balancers.All() {
		if isGateway(lb) || s.now().Before(lb.ready) || lb.failure != "" {
			continue
		}
		shown := dataplane.LoadBalancer{
			ARN: *lb.LoadBalancerArn, DNSName: *lb.DNSName, Address: lb.address, Attributes: maps.Clone(lb.attributes),
		}
		for _, z := range lb.AvailabilityZones {
			shown.Zones = append(shown.Zones, aws.ToString(z.ZoneName))
		}
		for _, l := range lb.listeners {
			one := s.listenerConfig(l)
			one.Policy = known[aws.ToString(l.SslPolicy)]
			shown.Listeners = append(shown.Listeners, one)
		}
		all = append(all, shown)
	}
	return all
}

func (s *State) listenerConfig(l *listener) dataplane.Listener {
	shown := dataplane.Listener{
		ARN: *l.ListenerArn, Port: int(*l.Port), Protocol: string(l.Protocol), Attributes: maps.Clone(l.attributes),
	}
	if len(l.AlpnPolicy) > 0 {
		shown.ALPN = l.AlpnPolicy[0]
	}
	shown.Certificates, shown.CertificateARNs = s.tlsCertificates(l)
	if m := l.MutualAuthentication; m != nil {
		shown.MutualTLS = dataplane.MutualTLS{
			Mode: aws.ToString(m.Mode), IgnoreExpiry: aws.ToBool(m.IgnoreClientCertificateExpiry),
			AdvertiseNames: m.AdvertiseTrustStoreCaNames == elbtypes.AdvertiseTrustStoreCaNamesEnumOn,
		}
		if t, ok := s.stores.Get(aws.ToString(m.TrustStoreArn)); ok {
			shown.MutualTLS.Trust = t.trust
		}
	}
	for _, r := range l.rules {
		shown.Rules = append(shown.Rules, dataplane.Rule{
			ARN: *r.RuleArn, Conditions: r.Conditions, Actions: r.Actions, Transforms: r.Transforms, Priority: int(r.priority),
			Secrets: r.clientSecrets(),
		})
	}
	return shown
}

// clientSecrets gives the secrets of a rule by the identifiers of their clients.
func (r *rule) clientSecrets() map[string]string {
	var all map[string]string
	keep := func(client *string, key string) {
		if all == nil {
			all = map[string]string{}
		}
		all[aws.ToString(client)] = r.secrets[key]
	}
	for _, a := range r.Actions {
		if c := a.AuthenticateOidcConfig; c != nil {
			keep(c.ClientId, oidcKey(c))
		}
		if c := a.AuthenticateCognitoConfig; c != nil {
			keep(c.UserPoolClientId, cognitoKey(c))
		}
	}
	return all
}

// policyConfigs gives the security policies by name, as the data plane takes them.
func policyConfigs() map[string]dataplane.Policy {
	all := map[string]dataplane.Policy{}
	for _, p := range policies() {
		all[p.name] = dataplane.Policy{Name: p.name, Protocols: p.protocols, Ciphers: p.ciphers}
	}
	return all
}

// tlsCertificates gives what a listener serves, with the ARNs.
func (s *State) tlsCertificates(l *listener) ([]*tls.Certificate, []string) {
	var all []*tls.Certificate
	var arns []string
	for _, arn := range certificatesOf(l) {
		if held, ok := s.tlsCertificate(arn); ok {
			all, arns = append(all, held), append(arns, arn)
		}
	}
	return all, arns
}

// TargetGroups gives the target groups by ARN, as the data plane takes them.
func (s *State) TargetGroups() map[string]dataplane.TargetGroup {
	all := make(map[string]dataplane.TargetGroup, s.groups.Len())
	for arn, g := range s.groups.All() {
		s.dropDrained(g)
		shown := dataplane.TargetGroup{Settings: showGroup(g), Attributes: effectiveAttributes(g), InUse: g.balancer != nil}
		for _, t := range g.targets.All() {
			name := g.name(t.TargetDescription)
			if g.balancer != nil && t.gone.IsZero() && s.unusable(g, t) != nil {
				continue
			}
			one := dataplane.Target{ID: name.ID, Port: name.Port, Zone: aws.ToString(t.AvailabilityZone), Draining: !t.gone.IsZero()}
			s.locate(g, &one)
			shown.Targets = append(shown.Targets, one)
		}
		all[arn] = shown
	}
	return all
}

// effectiveAttributes gives the attributes of a group with that filled in which it leaves to the load balancer.
func effectiveAttributes(g *targetGroup) map[string]string {
	const zones = "load_balancing.cross_zone.enabled"
	all := maps.Clone(g.attributes)
	if g.balancer != nil && all[zones] == "use_load_balancer_configuration" {
		all[zones] = g.balancer.attributes[zones]
	}
	return all
}

// locate fills in where a target is that is no address: an instance is at its private one, a load balancer at its own on loopback.
func (s *State) locate(g *targetGroup, t *dataplane.Target) {
	switch g.TargetType {
	case elbtypes.TargetTypeEnumInstance:
		i, ok := s.network.Instance(t.ID)
		if !ok {
			return
		}
		if i.Placement != nil {
			t.Zone = aws.ToString(i.Placement.AvailabilityZone)
		}
		if a, err := netip.ParseAddr(aws.ToString(i.PrivateIpAddress)); err == nil {
			t.Address = a
		}
	case elbtypes.TargetTypeEnumAlb:
		if lb, ok := s.balancers.Get(t.ID); ok {
			t.Address, t.Balancer = lb.address, true
		}
	default:
	}
}
