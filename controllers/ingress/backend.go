package ingress

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// serve makes the route forward to one Service. One that is not there is answered 503.
func (d *draft) serve(r *intent.Route, b networkingv1.IngressServiceBackend) {
	port := b.Port.Name
	if port == "" {
		port = strconv.Itoa(int(b.Port.Number))
	}
	service, missing := d.service(b.Name, port)
	if service == nil {
		d.lacks(d.set.DemandServices, backendField(r.Field)+".service", missing)
		r.Fixed = unavailable()
		return
	}
	r.Forward = &intent.Forward{Backends: []intent.Backend{{Service: service, Weight: 1}}}
}

// forward makes the route do what a forward action says. A share of several that has no Service is a mistake: an ALB cannot
// answer 503 for a part of the requests.
func (d *draft) forward(r *intent.Route, action annotations.Action, field string) {
	groups := action.Groups()
	out := &intent.Forward{}
	if action.Forward != nil && action.Forward.Stickiness != nil && action.Forward.Stickiness.Enabled {
		out.StickySeconds = action.Forward.Stickiness.DurationSeconds
	}
	var missing []string
	for _, g := range groups {
		backend := intent.Backend{TargetGroupARN: g.ARN, TargetGroupName: g.Name, Weight: 1}
		if g.Weight != nil {
			backend.Weight = *g.Weight
		}
		if g.ServiceName != "" {
			var why string
			if backend.Service, why = d.service(g.ServiceName, string(g.ServicePort)); backend.Service == nil {
				missing = append(missing, why)
				continue
			}
		}
		out.Backends = append(out.Backends, backend)
	}
	for _, why := range missing {
		if len(missing) == len(groups) {
			d.lacks(d.set.DemandServices, field, why)
			continue
		}
		d.wrong(ReasonNotFound, field, why+", or take it out of the weights")
	}
	if len(out.Backends) == 0 {
		r.Fixed = unavailable()
		return
	}
	r.Forward = out
}

// lacks tells that what a rule serves is not there: it is answered 503, unless it is demanded and the Ingress stays at its last good
// state.
func (d *draft) lacks(demanded bool, field, why string) {
	if demanded {
		d.wrong(ReasonNotFound, field, why)
		return
	}
	d.note(model.Answered, ReasonNotFound, field, why+"; until then the answer is 503")
}

// service is the backend of a Service port, or why there is none and how to mend that.
func (d *draft) service(name, port string) (backend *intent.Service, missing string) {
	ing := d.member.Ingress
	object := d.services[types.NamespacedName{Namespace: ing.Namespace, Name: name}]
	if object == nil {
		return nil, fmt.Sprintf("there is no Service %s in namespace %s: create it", name, ing.Namespace)
	}
	if object.Spec.Type == corev1.ServiceTypeExternalName {
		return nil, fmt.Sprintf("Service %s is an ExternalName, which has no endpoints: name one that has", name)
	}
	entry := portOf(object, port)
	if entry == nil {
		return nil, fmt.Sprintf("Service %s has no TCP port %s: add it, or name one that it has", name, port)
	}
	out := &intent.Service{
		ID:         ing.Namespace + "/" + ing.Name + "-" + name + ":" + port,
		NameKey:    d.key.String() + ing.Namespace + "/" + ing.Name,
		Namespace:  ing.Namespace,
		Name:       name,
		UID:        string(object.UID),
		Port:       port,
		TargetPort: targetPort(*entry),
		NodePort:   int(entry.NodePort),

		TargetPortName: entry.TargetPort.StrVal,
		IPv6:           len(object.Spec.IPFamilies) > 0 && object.Spec.IPFamilies[0] == corev1.IPv6Protocol,
	}
	out.Group = d.groupSettings(object)
	d.controlPort(&out.Group, object, port)
	return out, ""
}

// portOf finds a TCP port by its number or name.
func portOf(s *corev1.Service, port string) *corev1.ServicePort {
	for i := range s.Spec.Ports {
		p := &s.Spec.Ports[i]
		tcp := p.Protocol == corev1.ProtocolTCP || p.Protocol == ""
		if tcp && (strconv.Itoa(int(p.Port)) == port || p.Name == port && port != "") {
			return p
		}
	}
	return nil
}

// targetPort is the port of the pods where it is a number, else 1: each target names its own.
func targetPort(p corev1.ServicePort) int {
	switch {
	case p.TargetPort.Type == intstr.String && p.TargetPort.StrVal != "":
		return 1
	case p.TargetPort.IntVal != 0:
		return int(p.TargetPort.IntVal)
	}
	return int(p.Port)
}

// groupSettings are the settings of a target group: what the class says, then the Service, then the Ingress.
func (d *draft) groupSettings(s *corev1.Service) intent.GroupSettings {
	d.checkService(s)
	own := d.table.Reader(s.Annotations)
	r := own.Over(d.read)
	out := intent.GroupSettings{
		Attributes: r.Map(annotations.TargetGroupAttrs),
		Tags:       merged(merged(d.read.Map(annotations.Tags), own.Map(annotations.Tags)), d.classTags()),
		Fields:     map[string]string{},
	}
	out.TargetType, _ = r.String(annotations.TargetType)
	out.Protocol, _ = r.String(annotations.BackendProtocol)
	out.ProtocolVersion, _ = r.String(annotations.BackendVersion)
	out.Nodes = labels.SelectorFromSet(r.Map(annotations.TargetNodeLabels)).String()
	out.MultiCluster, _ = r.Bool(annotations.MultiCluster)
	out.HealthCheck = healthCheck(r)
	for field, key := range groupFields() {
		if r.Has(key) {
			out.Fields[field] = r.Field(key)
		}
	}
	if class := text(d.params().Spec.TargetType); class != "" {
		out.TargetType, out.Fields["targetType"] = class, d.classField("spec.targetType")
	}
	d.healthPort(&out, s, r)
	out.Fields = orNil(out.Fields)
	return out
}

// groupFields are the annotations of a target group's settings by the path of the setting.
func groupFields() map[string]string {
	return map[string]string{
		"targetType":                     annotations.TargetType,
		"protocol":                       annotations.BackendProtocol,
		"protocolVersion":                annotations.BackendVersion,
		"attributes":                     annotations.TargetGroupAttrs,
		"tags":                           annotations.Tags,
		"nodes":                          annotations.TargetNodeLabels,
		"multiCluster":                   annotations.MultiCluster,
		"healthCheck.protocol":           annotations.HealthProtocol,
		"healthCheck.port":               annotations.HealthPort,
		"healthCheck.path":               annotations.HealthPath,
		"healthCheck.intervalSeconds":    annotations.HealthInterval,
		"healthCheck.timeoutSeconds":     annotations.HealthTimeout,
		"healthCheck.healthyThreshold":   annotations.HealthyThreshold,
		"healthCheck.unhealthyThreshold": annotations.UnhealthyThreshold,
		"healthCheck.matcher":            annotations.SuccessCodes,
	}
}

// controlPort reads the target control port of a Service port, which is named as the backend names it.
func (d *draft) controlPort(out *intent.GroupSettings, s *corev1.Service, port string) {
	key := annotations.TargetControlPort + "." + s.Name + "." + port
	d.used[key] = true
	r := d.table.Reader(s.Annotations).Over(d.read)
	number, ok := r.Int(key)
	if !ok {
		return
	}
	out.ControlPort = number
	if out.Fields == nil {
		out.Fields = map[string]string{}
	}
	out.Fields["controlPort"] = r.Field(key)
}

func healthCheck(r annotations.Reader) intent.HealthCheck {
	var out intent.HealthCheck
	out.Protocol, _ = r.String(annotations.HealthProtocol)
	out.Path, _ = r.String(annotations.HealthPath)
	out.Matcher, _ = r.String(annotations.SuccessCodes)
	out.IntervalSeconds, _ = r.Int(annotations.HealthInterval)
	out.TimeoutSeconds, _ = r.Int(annotations.HealthTimeout)
	out.HealthyThreshold, _ = r.Int(annotations.HealthyThreshold)
	out.UnhealthyThreshold, _ = r.Int(annotations.UnhealthyThreshold)
	return out
}

// healthPort reads a port that may be the name of one of the Service's.
func (d *draft) healthPort(out *intent.GroupSettings, s *corev1.Service, r annotations.Reader) {
	raw, ok := r.String(annotations.HealthPort)
	if !ok || raw == trafficPort || annotations.CheckPort(raw) == nil {
		out.HealthCheck.Port = raw
		return
	}
	field := r.Field(annotations.HealthPort)
	entry := portOf(s, raw)
	if entry == nil || entry.Name != raw {
		d.wrong(ReasonInvalid, field, fmt.Sprintf(
			"%q is neither traffic-port nor a port's number, nor the name of a port of Service %s", raw, s.Name))
		return
	}
	number := int(entry.NodePort)
	if or(out.TargetType, d.set.defaults().TargetType) == targetTypeIP {
		if number = targetPort(*entry); entry.TargetPort.Type == intstr.String && entry.TargetPort.StrVal != "" {
			number = 0
		}
	}
	if number == 0 {
		d.wrong(ReasonInvalid, field, fmt.Sprintf(
			"port %s of Service %s has no number that is the same for all targets: write the number", raw, s.Name))
		return
	}
	out.HealthCheck.Port = strconv.Itoa(number)
}

// checkService finds what is wrong with a Service's annotations. Its owner is told, and the Ingress that uses it held.
func (d *draft) checkService(s *corev1.Service) {
	ref := model.ObjectRef{Kind: "Service", Namespace: s.Namespace, Name: s.Name, UID: string(s.UID)}
	for _, p := range d.table.Check(annotations.OnService, s.Annotations) {
		d.notes.add(model.Finding{Object: ref, Severity: p.Severity, Reason: p.Reason, Field: p.Key, Message: p.Message})
		if p.Severity == model.Wrong {
			d.wrong(p.Reason, p.Key, "of Service "+s.Name+": "+p.Message)
		}
	}
	own := d.table.Reader(s.Annotations)
	for _, key := range slices.Sorted(maps.Keys(own.Map(annotations.Tags))) {
		if slices.Contains(d.set.ExternalManagedTags, key) {
			d.wrong(ReasonInvalid, own.Field(annotations.Tags), fmt.Sprintf(
				"tag %q of Service %s is managed by somebody else (--external-managed-tags): leave it out", key, s.Name))
		}
	}
}
