package gateway

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/types"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// config is the LoadBalancerConfigurations of class and Gateway merged into one.
type config struct {
	spec awsgwv1.LoadBalancerConfigurationSpec
	// parts are the configurations in order of precedence, each as far as it counts.
	parts []part
	// without are the add-ons that flags switch off.
	without []model.Addon
}

// part is one configuration without what one of higher precedence sets too. Its listener configurations keep their places; one that
// does not count is empty.
type part struct {
	spec    awsgwv1.LoadBalancerConfigurationSpec
	object  model.ObjectRef
	ofClass bool
}

// mergeConfigs merges field by field: where both sides set one, the side that the class's mergingMode prefers wins. Tags and
// attributes merge by key, listener configurations by protocol and port.
func mergeConfigs(class, gateway *awsgwv1.LoadBalancerConfiguration) config {
	var out config
	sides := []*awsgwv1.LoadBalancerConfiguration{class, gateway}
	if class != nil && class.Spec.MergingMode != nil && *class.Spec.MergingMode == awsgwv1.MergePreferGateway {
		slices.Reverse(sides)
	}
	for _, c := range sides {
		if c == nil {
			continue
		}
		rest := without(*c.Spec.DeepCopy(), out.spec)
		out.parts = append(out.parts, part{spec: rest, object: configRef(c), ofClass: c == class})
		add(&out.spec, rest)
	}
	return out
}

func configRef(c *awsgwv1.LoadBalancerConfiguration) model.ObjectRef {
	return model.ObjectRef{
		Group: awsgwv1.Group, Kind: awsgwv1.KindLoadBalancerConfiguration, Namespace: c.Namespace, Name: c.Name,
	}
}

// isSet tells whether somebody wrote a field. An empty list or map is as good as none.
func isSet(v reflect.Value) bool {
	if k := v.Kind(); k == reflect.Slice || k == reflect.Map {
		return v.Len() > 0
	}
	return !v.IsZero()
}

// or takes the second value where the first is not set.
func or[T any](first **T, second *T) {
	if *first == nil {
		*first = second
	}
}

// without is a configuration less what the winner sets.
func without(spec, winner awsgwv1.LoadBalancerConfigurationSpec) awsgwv1.LoadBalancerConfigurationSpec {
	out := spec
	into, over := reflect.ValueOf(&out).Elem(), reflect.ValueOf(winner)
	for i := range into.NumField() {
		if isSet(over.Field(i)) {
			into.Field(i).SetZero()
		}
	}
	out.MergingMode = spec.MergingMode
	out.Tags = maps.Clone(spec.Tags)
	maps.DeleteFunc(out.Tags, func(k, _ string) bool {
		_, taken := winner.Tags[k]
		return taken
	})
	out.LoadBalancerAttributes = slices.DeleteFunc(slices.Clone(spec.LoadBalancerAttributes), func(a awsgwv1.Attribute) bool {
		return slices.ContainsFunc(winner.LoadBalancerAttributes, func(o awsgwv1.Attribute) bool { return o.Key == a.Key })
	})
	out.ListenerConfigurations = slices.Clone(spec.ListenerConfigurations)
	for i, l := range out.ListenerConfigurations {
		if len(entries(winner, l.ProtocolPort)) > 0 {
			out.ListenerConfigurations[i] = awsgwv1.ListenerConfiguration{}
		}
	}
	return out
}

// add puts what counts of a further configuration to the merged one.
func add(into *awsgwv1.LoadBalancerConfigurationSpec, rest awsgwv1.LoadBalancerConfigurationSpec) {
	tags := maps.Clone(rest.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	maps.Copy(tags, into.Tags)
	attributes := slices.Concat(into.LoadBalancerAttributes, rest.LoadBalancerAttributes)
	listeners := slices.Clone(into.ListenerConfigurations)
	for _, l := range rest.ListenerConfigurations {
		if l.ProtocolPort != "" {
			listeners = append(listeners, l)
		}
	}
	to, from := reflect.ValueOf(into).Elem(), reflect.ValueOf(rest)
	for i := range to.NumField() {
		if isSet(from.Field(i)) {
			to.Field(i).Set(from.Field(i))
		}
	}
	into.Tags, into.LoadBalancerAttributes, into.ListenerConfigurations = tags, attributes, listeners
}

// settingFields are the fields of a configuration that settings are made of.
func settingFields() map[string]string {
	return map[string]string{
		"name": "loadBalancerName", "scheme": "scheme", "ipAddressType": "ipAddressType", "subnets": "loadBalancerSubnets",
		"subnetTags": "loadBalancerSubnetsSelector", "securityGroups": "securityGroups", "attributes": "loadBalancerAttributes",
		"tags": "tags", "manageBackendRules": "manageBackendSecurityGroupRules",
		string(model.AddonWebACL): "wafV2", string(model.AddonProtection): "shieldConfiguration",
		string(model.AddonCapacity): "minimumLoadBalancerCapacity", string(model.AddonIPAMPool): "ipv4IPAMPoolId",
		intent.FieldCustomerOwnedPool: "customerOwnedIpv4Pool",
	}
}

// where is the object and field that a field of the merged configuration comes from; empty where nobody sets it.
func (c config) where(field string) string {
	for _, p := range c.parts {
		if p.sets(field) {
			return p.object.String() + " spec." + field
		}
	}
	return ""
}

// defaultGroup names the default TargetGroupConfiguration, which is in the namespace of the configuration that asks for it; nil without.
func (c config) defaultGroup() *types.NamespacedName {
	for _, p := range c.parts {
		if d := p.spec.DefaultTargetGroupConfiguration; d != nil {
			return &types.NamespacedName{Namespace: p.object.Namespace, Name: d.Name}
		}
	}
	return nil
}

// sets tells whether a configuration sets the field of this JSON name.
func (p part) sets(field string) bool { return sets(reflect.ValueOf(p.spec), field) }

// sets tells whether the field at a path of JSON names is set: "healthCheckConfig.healthCheckPath".
func sets(in reflect.Value, path string) bool {
	if in.Kind() == reflect.Pointer {
		in = in.Elem()
	}
	if !in.IsValid() {
		return false
	}
	first, rest, deeper := strings.Cut(path, ".")
	for i := range in.NumField() {
		if name, _, _ := strings.Cut(in.Type().Field(i).Tag.Get("json"), ","); name != first {
			continue
		}
		if deeper {
			return sets(in.Field(i), rest)
		}
		return isSet(in.Field(i))
	}
	return false
}

// settings are the settings of the whole load balancer.
func (c config) settings() intent.Settings {
	out := intent.Settings{
		Tags: c.spec.Tags, Attributes: attributeMap(c.spec.LoadBalancerAttributes), SecurityGroups: c.spec.SecurityGroups,
		SubnetTags: c.spec.LoadBalancerSubnetsSelector, Fields: map[string]string{}, Addons: c.addons(),
	}
	for name, field := range settingFields() {
		if at := c.where(field); at != "" {
			out.Fields[name] = at
		}
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
	if b := c.spec.EnableICMP; b != nil && *b {
		out.ICMP = "true"
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
	for _, lc := range entries(c.spec, protocolPort(l)) {
		return lc
	}
	return awsgwv1.ListenerConfiguration{}
}

// entries are the configurations for a protocol and port. The first one counts; what restricts access counts in each.
func entries(spec awsgwv1.LoadBalancerConfigurationSpec, name awsgwv1.ProtocolPort) []awsgwv1.ListenerConfiguration {
	var out []awsgwv1.ListenerConfiguration
	for _, lc := range spec.ListenerConfigurations {
		if lc.ProtocolPort == name {
			out = append(out, lc)
		}
	}
	return out
}

func protocolPort(l *listener) awsgwv1.ProtocolPort {
	return awsgwv1.ProtocolPort(fmt.Sprintf("%s:%d", l.Protocol, l.Port))
}

// closes tells whether requests to a listener must be refused because something that restricts access to it is not served.
func (c config) closes(l *listener) bool {
	all := entries(c.spec, protocolPort(l))
	return c.walledOff() || slices.ContainsFunc(all, func(lc awsgwv1.ListenerConfiguration) bool { return restrictsClients(lc) && !serves(all[0], lc) })
}

// gatewayRef names the Gateway.
func gatewayRef(g *gwv1.Gateway) model.ObjectRef {
	return model.ObjectRef{Group: gwv1.GroupName, Kind: "Gateway", Namespace: g.Namespace, Name: g.Name, UID: string(g.UID)}
}

func routeRef(r *route) model.ObjectRef {
	return model.ObjectRef{Group: gwv1.GroupName, Kind: r.kind, Namespace: r.Namespace, Name: r.Name, UID: string(r.UID)}
}
