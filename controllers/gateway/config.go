package gateway

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// config is the LoadBalancerConfigurations of class and Gateway merged into one.
type config struct {
	spec awsgwv1.LoadBalancerConfigurationSpec
	// source is the object that findings about the configuration name.
	source model.ObjectRef
	// namespace of the configuration that names a default TargetGroupConfiguration.
	namespace string
}

// mergeConfigs merges field by field: where both sides set one, the side that the class's mergingMode prefers wins. Tags and
// attributes merge by key, listener configurations by protocol and port.
func mergeConfigs(class, gateway *awsgwv1.LoadBalancerConfiguration) config {
	switch {
	case class == nil && gateway == nil:
		return config{}
	case class == nil:
		return config{spec: gateway.Spec, source: configRef(gateway), namespace: gateway.Namespace}
	case gateway == nil:
		return config{spec: class.Spec, source: configRef(class), namespace: class.Namespace}
	}
	first, second := class, gateway
	if m := class.Spec.MergingMode; m != nil && *m == awsgwv1.MergePreferGateway {
		first, second = gateway, class
	}
	out := config{spec: *first.Spec.DeepCopy(), source: configRef(first), namespace: first.Namespace}
	mergeSpec(&out.spec, second.Spec)
	if first.Spec.DefaultTargetGroupConfiguration == nil {
		out.namespace = second.Namespace
	}
	return out
}

func configRef(c *awsgwv1.LoadBalancerConfiguration) model.ObjectRef {
	return model.ObjectRef{
		Group: awsgwv1.Group, Kind: awsgwv1.KindLoadBalancerConfiguration, Namespace: c.Namespace, Name: c.Name,
	}
}

// or takes the second value where the first is not set.
func or[T any](first **T, second *T) {
	if *first == nil {
		*first = second
	}
}

func orList[T any](first *[]T, second []T) {
	if len(*first) == 0 {
		*first = second
	}
}

func mergeSpec(into *awsgwv1.LoadBalancerConfigurationSpec, from awsgwv1.LoadBalancerConfigurationSpec) {
	or(&into.LoadBalancerName, from.LoadBalancerName)
	or(&into.Scheme, from.Scheme)
	or(&into.IPAddressType, from.IPAddressType)
	or(&into.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic, from.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic)
	or(&into.CustomerOwnedIpv4Pool, from.CustomerOwnedIpv4Pool)
	or(&into.IPv4IPAMPoolID, from.IPv4IPAMPoolID)
	or(&into.DisableSecurityGroup, from.DisableSecurityGroup)
	or(&into.EnableICMP, from.EnableICMP)
	or(&into.ManageBackendSecurityGroupRules, from.ManageBackendSecurityGroupRules)
	or(&into.MinimumLoadBalancerCapacity, from.MinimumLoadBalancerCapacity)
	or(&into.WAFv2, from.WAFv2)
	or(&into.ShieldConfiguration, from.ShieldConfiguration)
	or(&into.DefaultTargetGroupConfiguration, from.DefaultTargetGroupConfiguration)
	orList(&into.LoadBalancerSubnets, from.LoadBalancerSubnets)
	orList(&into.SecurityGroups, from.SecurityGroups)
	orList(&into.SecurityGroupPrefixes, from.SecurityGroupPrefixes)
	orList(&into.SourceRanges, from.SourceRanges)
	if len(into.LoadBalancerSubnetsSelector) == 0 {
		into.LoadBalancerSubnetsSelector = from.LoadBalancerSubnetsSelector
	}
	tags := maps.Clone(from.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, into.Tags)
	into.Tags = tags
	for _, a := range from.LoadBalancerAttributes {
		if !slices.ContainsFunc(into.LoadBalancerAttributes, func(o awsgwv1.Attribute) bool { return o.Key == a.Key }) {
			into.LoadBalancerAttributes = append(into.LoadBalancerAttributes, a)
		}
	}
	for _, l := range from.ListenerConfigurations {
		same := func(o awsgwv1.ListenerConfiguration) bool { return o.ProtocolPort == l.ProtocolPort }
		if !slices.ContainsFunc(into.ListenerConfigurations, same) {
			into.ListenerConfigurations = append(into.ListenerConfigurations, l)
		}
	}
}

// settings are the settings of the whole load balancer.
func (c config) settings() intent.Settings {
	out := intent.Settings{
		Tags: c.spec.Tags, Attributes: attributeMap(c.spec.LoadBalancerAttributes), SecurityGroups: c.spec.SecurityGroups,
		SubnetTags: c.spec.LoadBalancerSubnetsSelector,
		Fields: map[string]string{
			"name": "spec.loadBalancerName", "scheme": "spec.scheme", "ipAddressType": "spec.ipAddressType",
			"subnets": "spec.loadBalancerSubnets", "subnetTags": "spec.loadBalancerSubnetsSelector",
			"securityGroups": "spec.securityGroups", "attributes": "spec.loadBalancerAttributes", "tags": "spec.tags",
		},
	}
	if c.spec.LoadBalancerName != nil {
		out.Name = *c.spec.LoadBalancerName
	}
	if c.spec.Scheme != nil {
		out.Scheme = string(*c.spec.Scheme)
	}
	if c.spec.IPAddressType != nil {
		out.IPAddressType = string(*c.spec.IPAddressType)
	}
	if b := c.spec.ManageBackendSecurityGroupRules; b != nil {
		out.ManageBackendRules = strconv.FormatBool(*b)
	}
	for _, s := range c.spec.LoadBalancerSubnets {
		out.Subnets = append(out.Subnets, s.Identifier)
	}
	return out
}

func attributeMap(list []awsgwv1.Attribute) map[string]string {
	if len(list) == 0 {
		return nil
	}
	out := map[string]string{}
	for _, a := range list {
		out[a.Key] = a.Value
	}
	return out
}

// listenerConfig is the configuration of a listener; the zero value without one.
func (c config) listenerConfig(l *listener) awsgwv1.ListenerConfiguration {
	name := awsgwv1.ProtocolPort(fmt.Sprintf("%s:%d", l.Protocol, l.Port))
	for _, lc := range c.spec.ListenerConfigurations {
		if lc.ProtocolPort == name {
			return lc
		}
	}
	return awsgwv1.ListenerConfiguration{}
}

// findings name what a configuration asks for that is not served yet. What restricts access closes; the rest is a warning.
func (c config) findings() []model.Finding {
	var out []model.Finding
	add := func(asked bool, severity model.Severity, field string) {
		if asked {
			out = append(out, notServedYet(c.source, severity, field))
		}
	}
	s := c.spec
	add(s.WAFv2 != nil, model.Closed, "spec.wafV2")
	for i, l := range s.ListenerConfigurations {
		at := fmt.Sprintf("spec.listenerConfigurations[%d]", i)
		add(restrictsClients(l), model.Closed, at+".mutualAuthentication")
		add(l.ALPNPolicy != nil && *l.ALPNPolicy != awsgwv1.ALPNPolicyNone, model.Warning, at+".alpnPolicy")
		add(l.QUICEnabled != nil && *l.QUICEnabled, model.Warning, at+".quicEnabled")
		add(l.TargetGroupStickiness != nil && *l.TargetGroupStickiness, model.Warning, at+".targetGroupStickiness")
	}
	add(s.ShieldConfiguration != nil && s.ShieldConfiguration.Enabled, model.Warning, "spec.shieldConfiguration")
	add(s.CustomerOwnedIpv4Pool != nil, model.Warning, "spec.customerOwnedIpv4Pool")
	add(s.IPv4IPAMPoolID != nil, model.Warning, "spec.ipv4IPAMPoolId")
	add(s.MinimumLoadBalancerCapacity != nil, model.Warning, "spec.minimumLoadBalancerCapacity")
	add(s.DisableSecurityGroup != nil && *s.DisableSecurityGroup, model.Warning, "spec.disableSecurityGroup")
	add(s.EnableICMP != nil && *s.EnableICMP, model.Warning, "spec.enableICMP")
	add(s.EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic != nil, model.Warning,
		"spec.enforceSecurityGroupInboundRulesOnPrivateLinkTraffic")
	for i, sub := range s.LoadBalancerSubnets {
		add(sub.EIPAllocation != nil || sub.PrivateIPv4Allocation != nil || sub.IPv6Allocation != nil || sub.SourceNatIPv6Prefix != nil,
			model.Warning, fmt.Sprintf("spec.loadBalancerSubnets[%d]: addresses of an application load balancer", i))
	}
	return out
}

func restrictsClients(l awsgwv1.ListenerConfiguration) bool {
	return l.MutualAuthentication != nil && l.MutualAuthentication.Mode != awsgwv1.MutualAuthenticationOff
}

const reasonNotServed = "NotServedYet"

func notServedYet(object model.ObjectRef, severity model.Severity, field string) model.Finding {
	f := model.Finding{
		Object: object, Severity: severity, Reason: reasonNotServed, Field: field,
		Message: "is not served yet and changes nothing: remove it",
	}
	if severity == model.Closed {
		f.Message = "restricts access and is not served yet: what it protects answers 503; remove it to open it to everybody"
	}
	return f
}

// closes tells whether requests to a listener must be refused because something that restricts access to it is not served.
func (c config) closes(l *listener) bool {
	return c.spec.WAFv2 != nil || restrictsClients(c.listenerConfig(l))
}

// gatewayRef names the Gateway.
func gatewayRef(g *gwv1.Gateway) model.ObjectRef {
	return model.ObjectRef{Group: gwv1.GroupName, Kind: "Gateway", Namespace: g.Namespace, Name: g.Name, UID: string(g.UID)}
}

func routeRef(r *gwv1.HTTPRoute) model.ObjectRef {
	return model.ObjectRef{Group: gwv1.GroupName, Kind: kindHTTPRoute, Namespace: r.Namespace, Name: r.Name, UID: string(r.UID)}
}
