package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
)

// Reasons of findings about fields.
const (
	reasonNotServed = "NotServedYet"
	reasonNetwork   = "NetworkLoadBalancersOnly"
	reasonUnused    = "ChangesNothing"
	reasonUnusable  = "InvalidConfiguration"
	reasonLeaving   = "ConfigurationIsDeleted"
)

// wish is a field with whether somebody asks for something by it.
type wish struct {
	asked    bool
	severity model.Severity
	field    string
}

// notServed are the findings on wishes that are not served yet. What restricts access closes; the rest is a warning.
func notServed(object model.ObjectRef, wishes []wish) []model.Finding {
	var out []model.Finding
	for _, w := range wishes {
		if !w.asked {
			continue
		}
		f := model.Finding{
			Object: object, Severity: w.severity, Reason: reasonNotServed, Field: w.field,
			Message: "is not served yet and changes nothing: remove it",
		}
		if w.severity == model.Closed {
			f.Message = "restricts access and is not served yet: what it protects answers 503; remove it to open it to everybody"
		}
		out = append(out, f)
	}
	return out
}

// networkOnly are the findings on wishes that a network load balancer alone can meet (ELBv2 API), with what comes nearest on an application
// load balancer.
func networkOnly(object model.ObjectRef, nearest map[string]string, wishes []wish) []model.Finding {
	var out []model.Finding
	for _, w := range wishes {
		if !w.asked {
			continue
		}
		text := "is for network load balancers, and changes nothing on an application load balancer"
		if near := nearest[w.field[strings.LastIndex(w.field, ".")+1:]]; near != "" {
			text += ": " + near
		}
		out = append(out, model.Finding{Object: object, Severity: w.severity, Reason: reasonNetwork, Field: w.field, Message: text + "; remove it"})
	}
	return out
}

// nearest is what an application load balancer has in place of settings of network load balancers.
func nearest() map[string]string {
	return map[string]string{
		"disableSecurityGroup":  "it always has security groups, which spec.securityGroups can name",
		"eipAllocation":         "AWS chooses its addresses, in public subnets from the pool in spec.ipv4IPAMPoolId",
		"alpnPolicy":            "its HTTPS listeners offer HTTP/2 unless the attribute routing.http2.enabled says false",
		"targetGroupStickiness": "say it in a ListenerRuleConfiguration, in forwardConfig.targetGroupStickinessConfig",
	}
}

// unused is a finding on a field that is served, but means nothing where it is.
func unused(object model.ObjectRef, field, why string) model.Finding {
	return model.Finding{Object: object, Severity: model.Warning, Reason: reasonUnused, Field: field, Message: "changes nothing: " + why}
}

// findings name what the configurations of a Gateway ask for that is not served, or that means nothing there, each on its own object.
func (c config) findings(listeners []*listener) []model.Finding {
	var out []model.Finding
	for _, p := range c.parts {
		out = append(out, networkOnly(p.object, nearest(), p.wishes())...)
		out = append(out, c.switchedOff(p)...)
		out = append(out, c.idle(p)...)
		for i := range p.spec.ListenerConfigurations {
			out = append(out, p.entry(i, listeners)...)
		}
	}
	return out
}

func (p part) wishes() []wish {
	s := p.spec
	out := []wish{
		{s.DisableSecurityGroup != nil && *s.DisableSecurityGroup, model.Warning, "spec.disableSecurityGroup"},
		{s.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != nil, model.Warning, "spec.enforceSecurityGroupInboundRulesOnPrivateLinkTraffic"},
	}
	for i, sub := range s.LoadBalancerSubnets {
		at := fmt.Sprintf("spec.loadBalancerSubnets[%d].", i)
		out = append(out, wish{sub.EIPAllocation != nil, model.Warning, at + "eipAllocation"},
			wish{sub.PrivateIPv4Allocation != nil, model.Warning, at + "privateIPv4Allocation"},
			wish{sub.IPv6Allocation != nil, model.Warning, at + "ipv6Allocation"},
			wish{sub.SourceNatIPv6Prefix != nil, model.Warning, at + "sourceNatIPv6Prefix"})
	}
	return out
}

func listenerWishes(at string, l awsgwv1.ListenerConfiguration) []wish {
	return []wish{
		{l.ALPNPolicy != nil && *l.ALPNPolicy != awsgwv1.ALPNPolicyNone, model.Warning, at + ".alpnPolicy"},
		{l.QUICEnabled != nil && *l.QUICEnabled, model.Warning, at + ".quicEnabled"},
		{l.TargetGroupStickiness != nil && *l.TargetGroupStickiness, model.Warning, at + ".targetGroupStickiness"},
	}
}

// lostDefault tells of a default TargetGroupConfiguration that is not there.
func (c config) lostDefault(s *Snapshot) []model.Finding {
	d := c.defaultGroup()
	if d == nil || s.defaultGroupConfig(c) != nil {
		return nil
	}
	i := slices.IndexFunc(c.parts, func(p part) bool { return p.spec.DefaultTargetGroupConfiguration != nil })
	return []model.Finding{unused(c.parts[i].object, "spec.defaultTargetGroupConfiguration", fmt.Sprintf(
		"there is no TargetGroupConfiguration %s without a spec.targetReference: create it", d))}
}

// leaving tells a Gateway of its configurations that are being deleted: they wait until nothing uses them. One that goes with its
// namespace needs no word.
func leaving(s *Snapshot) []model.Finding {
	if namespace := s.Namespaces[s.Gateway.Namespace]; !namespace.DeletionTimestamp.IsZero() {
		return nil
	}
	var out []model.Finding
	for _, c := range []*awsgwv1.LoadBalancerConfiguration{s.ClassConfig, s.GatewayConfig} {
		if c != nil && !c.DeletionTimestamp.IsZero() {
			out = append(out, model.Finding{
				Object: gatewayRef(s.Gateway), Severity: model.Warning, Reason: reasonLeaving,
				Message: configRef(c).String() + " is deleted as soon as no Gateway uses it, and counts until then: remove the parametersRef to it",
			})
		}
	}
	return out
}

// idle names what counts for nothing beside the rest of the configuration.
func (c config) idle(p part) []model.Finding {
	var out []model.Finding
	if p.spec.MergingMode != nil && !p.ofClass {
		out = append(out, unused(p.object, "spec.mergingMode", "the mode of the GatewayClass's configuration counts"))
	}
	for _, f := range []struct{ field, over, why string }{
		{"loadBalancerSubnetsSelector", "loadBalancerSubnets", "lists the subnets"},
		{"sourceRanges", "securityGroups", "says who may connect: put the ranges into those groups"},
		{"securityGroupPrefixes", "securityGroups", "says who may connect: put the prefix lists into those groups"},
		{"enableICMP", "securityGroups", "says who may connect: let ICMP into those groups"},
	} {
		if by := c.where(f.over); by != "" && p.sets(f.field) {
			out = append(out, unused(p.object, "spec."+f.field, by+" "+f.why))
		}
	}
	if by := c.where("securityGroups"); by == "" && p.sets("manageBackendSecurityGroupRules") {
		out = append(out, unused(p.object, "spec.manageBackendSecurityGroupRules", "it is for load balancers with spec.securityGroups of their own"))
	}
	return out
}

// entry names what a listener configuration asks for that is not served, or says for nothing: of no listener, of one that has an entry
// already, about TLS where there is none. A class is for other Gateways too: of the listeners that this one has not, only what restricts
// access must not be lost on a misspelt port.
func (p part) entry(i int, listeners []*listener) []model.Finding {
	l, at := p.spec.ListenerConfigurations[i], fmt.Sprintf("spec.listenerConfigurations[%d]", i)
	known := slices.ContainsFunc(listeners, func(o *listener) bool { return protocolPort(o) == l.ProtocolPort })
	switch {
	case l.ProtocolPort == "": // an entry of the other configuration counts
		return nil
	case !known && p.ofClass && !restrictsClients(l):
		return nil
	case !known:
		return []model.Finding{unused(p.object, at+".protocolPort", fmt.Sprintf(
			"%s is none of the Gateway's listeners, which are %s: use one of them", l.ProtocolPort, names(listeners)))}
	}
	first := slices.IndexFunc(p.spec.ListenerConfigurations, func(o awsgwv1.ListenerConfiguration) bool { return o.ProtocolPort == l.ProtocolPort })
	out := notServed(p.object, []wish{{restrictsClients(l) && !serves(p.spec.ListenerConfigurations[first], l), model.Closed, at + ".mutualAuthentication"}})
	out = append(out, networkOnly(p.object, nearest(), listenerWishes(at, l))...)
	if first < i {
		out = append(out, unused(p.object, at+".protocolPort", fmt.Sprintf(
			"spec.listenerConfigurations[%d] is for %s already: make one of the two", first, l.ProtocolPort)))
	}
	if strings.HasPrefix(string(l.ProtocolPort), protocolHTTPS) {
		return out
	}
	for _, w := range []wish{
		{l.DefaultCertificate != nil, model.Warning, at + ".defaultCertificate"}, {len(l.Certificates) > 0, model.Warning, at + ".certificates"},
		{l.SSLPolicy != nil, model.Warning, at + ".sslPolicy"},
	} {
		if w.asked {
			out = append(out, unused(p.object, w.field, string(l.ProtocolPort)+" has no TLS: it is for HTTPS listeners"))
		}
	}
	return out
}

// names are the listeners as configurations name them.
func names(listeners []*listener) string {
	var out []string
	for _, l := range listeners {
		out = append(out, string(protocolPort(l)))
	}
	slices.Sort(out)
	return strings.Join(slices.Compact(out), ", ")
}

// listenerFindings name what is wrong with a listener: the specification says what becomes of it.
func (t *translator) listenerFindings(l *listener) []model.Finding {
	var out []model.Finding
	for _, p := range []problem{l.unsupported, l.doubtful, l.conflict, l.badKinds} {
		if p.any() {
			out = append(out, model.Finding{
				Object: l.of.ref, Severity: model.Answered, Reason: p.reason, Field: l.field(), Message: p.message,
			})
		}
	}
	options := wish{l.TLS != nil && len(l.TLS.Options) > 0, model.Warning, l.field() + ".tls.options"}
	return slices.Concat(out, notServed(l.of.ref, []wish{options}), t.certificateFindings(l))
}

// unservedOfGateway names what a Gateway asks for that is not served yet.
func unservedOfGateway(g *gwv1.Gateway) []model.Finding {
	wishes := []wish{
		{g.Spec.TLS != nil && g.Spec.TLS.Backend != nil, model.Warning, "spec.tls.backend"},
		{g.Spec.DefaultScope != "" && g.Spec.DefaultScope != gwv1.GatewayDefaultScopeNone, model.Warning, "spec.defaultScope"},
	}
	return append(notServed(gatewayRef(g), wishes), strayAnnotations(g)...)
}

// strayAnnotations are those of Services and Ingresses: on a Gateway nobody reads them.
func strayAnnotations(g *gwv1.Gateway) []model.Finding {
	var out []model.Finding
	for _, key := range slices.Sorted(maps.Keys(g.Annotations)) {
		if strings.HasPrefix(key, "service.beta.kubernetes.io/aws-load-balancer-") || strings.HasPrefix(key, "alb.ingress.kubernetes.io/") {
			out = append(out, unused(gatewayRef(g), "metadata.annotations["+key+"]",
				"it is no annotation of Gateways; say it in the LoadBalancerConfiguration that spec.infrastructure.parametersRef names, and remove it"))
		}
	}
	return out
}
