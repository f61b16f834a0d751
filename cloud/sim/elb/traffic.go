package elb

import (
	"crypto/tls"
	"maps"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

// LoadBalancers gives the application load balancers that are active, as the data plane takes them.
func (s *State) LoadBalancers() []dataplane.LoadBalancer {
	var all []dataplane.LoadBalancer
	known := policyConfigs()
	for _, lb := range s.balancers.All() {
		if !isApplication(lb) || s.now().Before(lb.ready) {
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
	for _, a := range r.Actions {
		c := a.AuthenticateOidcConfig
		if c == nil {
			continue
		}
		if all == nil {
			all = map[string]string{}
		}
		all[aws.ToString(c.ClientId)] = r.secrets[aws.ToString(c.Issuer)+" "+aws.ToString(c.ClientId)]
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
	for _, c := range l.Certificates {
		if held, ok := s.certificates.TLS(aws.ToString(c.CertificateArn)); ok {
			all, arns = append(all, held), append(arns, *c.CertificateArn)
		}
	}
	for _, arn := range l.certificates {
		if held, ok := s.certificates.TLS(arn); ok {
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
