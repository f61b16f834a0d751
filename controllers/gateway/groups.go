package gateway

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// groupSettings are the settings of the target group that a route makes for a Service: of the TargetGroupConfiguration that names
// the Service, else of the default one, else none.
func (t *translator) groupSettings(route *route, service *corev1.Service) intent.GroupSettings {
	chosen := t.snapshot.targetGroupConfig(t.config, service)
	if chosen == nil {
		return intent.GroupSettings{}
	}
	t.used = noted(t.used, chosen)
	var layers []layer
	if i := mostSpecific(chosen.Spec.RouteConfigurations, route); i >= 0 {
		layers = append(layers, layer{fmt.Sprintf("spec.routeConfigurations[%d].targetGroupProps.", i), chosen.Spec.RouteConfigurations[i].TargetGroupProps})
	}
	if d := chosen.Spec.DefaultConfiguration; d != nil {
		layers = append(layers, layer{"spec.defaultConfiguration.", *d})
	}
	var props awsgwv1.TargetGroupProps
	for _, l := range slices.Backward(layers) {
		props = overlay(props, *l.props.DeepCopy())
	}
	out := settingsOf(props)
	calls := deref(props.ProtocolVersion) == awsgwv1.ProtocolVersionGRPC || props.ProtocolVersion == nil && route.kind == kindGRPCRoute
	if h := props.HealthCheckConfig; h != nil && h.Matcher != nil {
		// What is for groups of the other sort is none of this one: a configuration may be for both.
		code := h.Matcher.HTTPCode
		if calls {
			code = h.Matcher.GRPCCode
		}
		setText(&out.HealthCheck.Matcher, code)
	}
	out.Fields = written(groupConfigRef(chosen).String()+" ", layers)
	return out
}

// layer is what one place of a configuration says of target groups.
type layer struct {
	at    string
	props awsgwv1.TargetGroupProps
}

// groupFields are the fields that the settings of a target group are made of.
func groupFields() map[string]string {
	return map[string]string{
		"name": "targetGroupName", "targetType": "targetType", "protocol": "protocol", "protocolVersion": "protocolVersion", "tags": "tags",
		"ipAddressType": "ipAddressType",
		"nodes":         "nodeSelector", "multiCluster": "enableMultiCluster", "controlPort": "targetControlPort",
		"attributes": "targetGroupAttributes", "healthCheck.protocol": "healthCheckConfig.healthCheckProtocol",
		"healthCheck.port": "healthCheckConfig.healthCheckPort", "healthCheck.path": "healthCheckConfig.healthCheckPath",
		"healthCheck.intervalSeconds":    "healthCheckConfig.healthCheckInterval",
		"healthCheck.timeoutSeconds":     "healthCheckConfig.healthCheckTimeout",
		"healthCheck.healthyThreshold":   "healthCheckConfig.healthyThresholdCount",
		"healthCheck.unhealthyThreshold": "healthCheckConfig.unhealthyThresholdCount", "healthCheck.matcher": "healthCheckConfig.matcher",
	}
}

// written is where each setting was written, in the first of the layers that has the field.
func written(object string, layers []layer) map[string]string {
	out := map[string]string{}
	for name, field := range groupFields() {
		top, _, _ := strings.Cut(field, ".")
		for _, l := range layers {
			if !sets(reflect.ValueOf(l.props), top) {
				continue
			}
			if sets(reflect.ValueOf(l.props), field) {
				out[name] = object + l.at + field
			}
			break
		}
	}
	return out
}

func groupConfigRef(t *awsgwv1.TargetGroupConfiguration) model.ObjectRef {
	return model.ObjectRef{Group: awsgwv1.Group, Kind: awsgwv1.KindTargetGroupConfiguration, Namespace: t.Namespace, Name: t.Name}
}

// targetGroupConfig is the configuration that names a Service, of several the oldest; else the default one.
func (s *Snapshot) targetGroupConfig(c config, service *corev1.Service) *awsgwv1.TargetGroupConfiguration {
	for i := range s.TargetGroups {
		t := &s.TargetGroups[i]
		if t.Namespace == service.Namespace && namesService(t.Spec.TargetReference, service.Name) {
			return t
		}
	}
	return s.defaultGroupConfig(c)
}

func (s *Snapshot) defaultGroupConfig(c config) *awsgwv1.TargetGroupConfiguration {
	d := c.defaultGroup()
	for i := range s.TargetGroups {
		t := &s.TargetGroups[i]
		if d != nil && t.Namespace == d.Namespace && t.Name == d.Name && t.Spec.TargetReference == nil {
			return t
		}
	}
	return nil
}

func namesService(r *awsgwv1.Reference, name string) bool {
	return r != nil && r.Name == name && deref(r.Group) == "" && (r.Kind == nil || *r.Kind == kindService)
}

// mostSpecific is the index of the configuration for a route: kind, namespace and name before kind and namespace before kind; -1 without.
func mostSpecific(list []awsgwv1.RouteConfiguration, route *route) int {
	best, rank := -1, 0
	for i, c := range list {
		id := c.RouteIdentifier
		if id.Kind != "" && id.Kind != route.kind || id.Namespace != "" && id.Namespace != route.Namespace ||
			id.Name != "" && id.Name != route.Name {
			continue
		}
		this := 1
		if id.Namespace != "" {
			this = 2
		}
		if id.Name != "" {
			this = 3
		}
		if this > rank {
			best, rank = i, this
		}
	}
	return best
}

// overlay puts what over sets on top of base: tags and attributes by key, everything else whole.
func overlay(base, over awsgwv1.TargetGroupProps) awsgwv1.TargetGroupProps {
	out := over
	or(&out.HealthCheckConfig, base.HealthCheckConfig)
	or(&out.TargetGroupName, base.TargetGroupName)
	or(&out.TargetType, base.TargetType)
	or(&out.Protocol, base.Protocol)
	or(&out.ProtocolVersion, base.ProtocolVersion)
	or(&out.IPAddressType, base.IPAddressType)
	or(&out.NodeSelector, base.NodeSelector)
	or(&out.EnableMultiCluster, base.EnableMultiCluster)
	or(&out.TargetControlPort, base.TargetControlPort)
	out.Tags = maps.Clone(base.Tags)
	if out.Tags == nil {
		out.Tags = map[string]string{}
	}
	maps.Copy(out.Tags, over.Tags)
	out.TargetGroupAttributes = append(append([]awsgwv1.Attribute{}, base.TargetGroupAttributes...), over.TargetGroupAttributes...)
	return out
}

func settingsOf(p awsgwv1.TargetGroupProps) intent.GroupSettings {
	out := intent.GroupSettings{Attributes: attributeMap(p.TargetGroupAttributes), Tags: p.Tags}
	setText(&out.Name, p.TargetGroupName)
	if p.TargetType != nil {
		out.TargetType = string(*p.TargetType)
	}
	if p.Protocol != nil {
		out.Protocol = string(*p.Protocol)
	}
	if p.ProtocolVersion != nil {
		out.ProtocolVersion = string(*p.ProtocolVersion)
	}
	if p.IPAddressType != nil {
		out.IPAddressType = string(*p.IPAddressType)
	}
	if s := p.NodeSelector; s != nil && len(s.MatchLabels)+len(s.MatchExpressions) > 0 {
		out.Nodes = metav1.FormatLabelSelector(p.NodeSelector)
	}
	out.MultiCluster = p.EnableMultiCluster != nil && *p.EnableMultiCluster
	setNumber(&out.ControlPort, p.TargetControlPort)
	if h := p.HealthCheckConfig; h != nil {
		out.HealthCheck = healthCheckOf(*h)
	}
	return out
}

func healthCheckOf(h awsgwv1.HealthCheckConfiguration) intent.HealthCheck {
	var out intent.HealthCheck
	setText(&out.Port, h.HealthCheckPort)
	setText(&out.Path, h.HealthCheckPath)
	if h.HealthCheckProtocol != nil {
		out.Protocol = string(*h.HealthCheckProtocol)
	}
	setNumber(&out.IntervalSeconds, h.HealthCheckInterval)
	setNumber(&out.TimeoutSeconds, h.HealthCheckTimeout)
	setNumber(&out.HealthyThreshold, h.HealthyThresholdCount)
	setNumber(&out.UnhealthyThreshold, h.UnhealthyThresholdCount)
	return out
}

func setText(into, from *string) {
	if from != nil {
		*into = *from
	}
}

func setNumber(into *int, from *int32) {
	if from != nil {
		*into = int(*from)
	}
}
