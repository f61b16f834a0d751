package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// forward sends to the rule's backends. A rule without a valid one answers 500, as the specification says.
func (t *translator) forward(j *judged, rule ruleAt) intent.Route {
	failed := answering(intent.Route{}, failure(j.route.kind))
	var backends []intent.Backend
	invalid := 0
	for i, b := range rule.BackendRefs {
		weight := 1
		if b.Weight != nil {
			weight = int(*b.Weight)
		}
		field := fmt.Sprintf("%s.backendRefs[%d]", rule.field, i)
		backend, p := t.backend(j.route, b.BackendRef)
		backend.Field = field
		if backend.TargetGroupName != "" {
			j.unneeded(field, b.BackendRef)
		}
		if p.any() {
			j.unresolved(field, p)
			if weight > 0 {
				invalid++
			}
			continue
		}
		if backend.Service != nil {
			t.sentPlain(j, field, backend.Service)
			j.needsTLS(field, *backend.Service)
		}
		backend.Weight = weight
		backends = append(backends, backend)
	}
	switch total := weights(backends); {
	case invalid > 0 && total > 0:
		j.leaveOut(rule.field+".backendRefs", fmt.Sprintf("an application load balancer cannot answer %[1]d for the share of an invalid "+
			"backend only, so the whole rule answers %[1]d: mend or remove the invalid one", failure(j.route.kind)))
		return failed
	case total == 0:
		return failed
	}
	out := &intent.Forward{Backends: backends}
	if slices.ContainsFunc(backends, func(b intent.Backend) bool { return b.TargetGroupName != "" }) {
		out.Whole = failure(j.route.kind) // whether it is there is known to the build
	}
	return intent.Route{Forward: out}
}

// kindTargetGroupName is that of backends that are target groups of AWS, which others made, by their names (the incumbent's).
const kindTargetGroupName = "TargetGroupName"

// unneeded tells what means nothing for a target group.
func (j *judged) unneeded(field string, b gwv1.BackendRef) {
	if b.Port != nil {
		j.findings = append(j.findings, unused(j.fragment.Member, field+".port", "targets of a target group have ports of their own: remove it"))
	}
	if b.Namespace != nil {
		j.findings = append(j.findings, unused(j.fragment.Member, field+".namespace", "target groups are in no namespace: remove it"))
	}
}

func weights(backends []intent.Backend) int {
	total := 0
	for _, b := range backends {
		total += b.Weight
	}
	return total
}

// backend resolves a backendRef (Gateway API, BackendRef).
func (t *translator) backend(route *route, b gwv1.BackendRef) (intent.Backend, problem) {
	group, kind := "", kindService
	if b.Group != nil {
		group = string(*b.Group)
	}
	if b.Kind != nil {
		kind = string(*b.Kind)
	}
	switch {
	case group == awsgwv1.Group && kind == kindTargetGroupName:
		return intent.Backend{TargetGroupName: string(b.Name)}, problem{}
	case group != "" || kind != kindService:
		return intent.Backend{}, problem{string(gwv1.RouteReasonInvalidKind), fmt.Sprintf(
			"kind %s/%s cannot be a backend: use a Service, or %s/%s for a target group of AWS", group, kind, awsgwv1.Group, kindTargetGroupName)}
	}
	key := backendKey(route.Namespace, b)
	if !t.snapshot.permits(routeRef(route), target{kindService, key.Namespace, key.Name}) {
		return intent.Backend{}, problem{string(gwv1.RouteReasonRefNotPermitted), fmt.Sprintf(
			"no ReferenceGrant in namespace %s lets %ss of namespace %s refer to Service %s: its owner can create one",
			key.Namespace, route.kind, route.Namespace, key.Name)}
	}
	service, ok := t.snapshot.Services[key]
	if !ok {
		return intent.Backend{}, problem{string(gwv1.RouteReasonBackendNotFound), fmt.Sprintf("Service %s does not exist: create it", key)}
	}
	if b.Port == nil {
		return intent.Backend{}, problem{string(gwv1.RouteReasonUnsupportedValue), "a Service needs a port: name one"}
	}
	return t.service(route, &service, *b.Port)
}

// portOf is the index of a port of a Service, of two of a number that of TCP; -1 without.
func portOf(service *corev1.Service, number gwv1.PortNumber) int {
	has := func(p corev1.ServicePort) bool { return p.Port == number }
	tcp := func(p corev1.ServicePort) bool {
		return has(p) && cmp.Or(p.Protocol, corev1.ProtocolTCP) == corev1.ProtocolTCP
	}
	if i := slices.IndexFunc(service.Spec.Ports, tcp); i >= 0 {
		return i
	}
	return slices.IndexFunc(service.Spec.Ports, has)
}

// sentPlain tells that a backend says it speaks TLS and is sent to without.
func (t *translator) sentPlain(j *judged, field string, s *intent.Service) {
	service := t.snapshot.Services[types.NamespacedName{Namespace: s.Namespace, Name: s.Name}]
	number, _ := strconv.ParseInt(s.Port, 10, 32) // it was made of a number
	i := portOf(&service, gwv1.PortNumber(number))
	if i < 0 || s.Group.Protocol == protocolHTTPS {
		return
	}
	if p := deref(service.Spec.Ports[i].AppProtocol); p == "https" || p == "kubernetes.io/wss" {
		j.findings = append(j.findings, model.Finding{
			Object: j.fragment.Member, Severity: model.Warning, Reason: "SentInPlain", Field: field, Message: fmt.Sprintf(
				"port %s of Service %s/%s has the appProtocol %s, and its target group sends without TLS: set protocol HTTPS in a "+
					"TargetGroupConfiguration for the Service", s.Port, s.Namespace, s.Name, p),
		})
	}
}

// needsTLS notes a backend that AWS forwards to from HTTPS listeners only (ALB guide, "Protocol version").
func (j *judged) needsTLS(field string, s intent.Service) {
	version := awsgwv1.ProtocolVersion(s.Group.ProtocolVersion)
	if version == "" || version == awsgwv1.ProtocolVersionHTTP1 {
		return
	}
	j.unfit(gwv1.HTTPProtocolType, field, fmt.Sprintf("the backend has protocol version %s, by which AWS forwards from HTTPS listeners only: name in "+
		"parentRefs a listener of the protocol HTTPS only, or use HTTP1 (by the appProtocol of the Service's port, or protocolVersion of a "+
		"TargetGroupConfiguration)", version))
}

// unreachable is why an application load balancer can send nothing to a port of a Service.
func unreachable(service *corev1.Service, port corev1.ServicePort) problem {
	switch {
	case service.Spec.Type == corev1.ServiceTypeExternalName:
		return problem{string(gwv1.RouteReasonUnsupportedProtocol), fmt.Sprintf(
			"Service %s/%s is a name of something else (ExternalName), and a target group has addresses: use a Service with pods, or redirect there",
			service.Namespace, service.Name)}
	case port.Protocol != "" && port.Protocol != corev1.ProtocolTCP:
		return problem{string(gwv1.RouteReasonUnsupportedProtocol), fmt.Sprintf(
			"port %d of Service %s/%s is %s, and an application load balancer speaks TCP to its targets: use a port of that protocol",
			port.Port, service.Namespace, service.Name, port.Protocol)}
	}
	return problem{}
}

func (t *translator) service(route *route, service *corev1.Service, number gwv1.PortNumber) (intent.Backend, problem) {
	i := portOf(service, number)
	if i < 0 {
		return intent.Backend{}, problem{string(gwv1.RouteReasonBackendNotFound), fmt.Sprintf(
			"Service %s/%s has no port %d: use one that it has", service.Namespace, service.Name, number)}
	}
	port := service.Spec.Ports[i]
	if p := cmp.Or(unreachable(service, port), t.snapshot.unverifiable(service, port)); p.any() {
		return intent.Backend{}, p
	}
	gateway := t.snapshot.Gateway
	out := &intent.Service{
		ID: fmt.Sprintf("%s/%s:%s-%s:%s-%s-%s:%d", gateway.Namespace, gateway.Name, route.Namespace, route.Name, route.kind,
			service.Namespace, service.Name, number),
		NameKey:   fmt.Sprintf("%s/%s %s/%s", gateway.Namespace, gateway.Name, route.Namespace, route.Name),
		Namespace: service.Namespace, Name: service.Name, UID: string(service.UID),
		Port: strconv.Itoa(int(number)), TargetPort: targetPort(port), NodePort: int(port.NodePort),
		TargetPortName: port.TargetPort.StrVal,
		IPv6:           len(service.Spec.IPFamilies) > 0 && service.Spec.IPFamilies[0] == corev1.IPv6Protocol,
		DualStack:      len(service.Spec.IPFamilies) > 1,
		Group:          t.groupSettings(route, service),
	}
	switch {
	case out.Group.ProtocolVersion != "":
	case route.kind == kindGRPCRoute:
		out.Group.ProtocolVersion = string(awsgwv1.ProtocolVersionGRPC)
	case deref(port.AppProtocol) == "kubernetes.io/h2c":
		out.Group.ProtocolVersion = string(awsgwv1.ProtocolVersionHTTP2)
	}
	if route.kind == kindGRPCRoute && out.Group.ProtocolVersion == string(awsgwv1.ProtocolVersionHTTP1) {
		return intent.Backend{}, problem{string(gwv1.RouteReasonUnsupportedProtocol), fmt.Sprintf(
			"%s is HTTP1, by which AWS forwards no gRPC: use GRPC, in an entry of spec.routeConfigurations for the kind %s",
			cmp.Or(out.Group.Fields["protocolVersion"], "the protocol version"), kindGRPCRoute)}
	}
	return intent.Backend{Service: out}, problem{}
}

// targetPort is the number that a target group is made with: 1 where the target port is a name, which each pod resolves itself.
func targetPort(p corev1.ServicePort) int {
	switch {
	case p.TargetPort.StrVal != "":
		return 1
	case p.TargetPort.IntVal != 0:
		return int(p.TargetPort.IntVal)
	}
	return int(p.Port)
}
