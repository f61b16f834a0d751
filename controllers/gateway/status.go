package gateway

import (
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// reached is what became of a verdict.
type reached struct {
	stack.Result

	err error
}

// condition makes a condition that holds, or does not for the reason of a problem.
func condition(kind, good string, p problem, generation int64) metav1.Condition {
	c := metav1.Condition{Type: kind, Status: metav1.ConditionTrue, Reason: good, ObservedGeneration: generation}
	if p.any() {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, p.reason, p.message
	}
	return c
}

// gatewayStatus brings the status of the Gateway in line. Conditions of others stay.
func (v *Verdict) gatewayStatus(g *gwv1.Gateway, r reached) {
	meta.SetStatusCondition(&g.Status.Conditions, v.accepted(g))
	meta.SetStatusCondition(&g.Status.Conditions, programmed(g, r))
	if lb := r.LoadBalancer; lb != nil && lb.DNSName != "" {
		kind := gwv1.HostnameAddressType
		g.Status.Addresses = []gwv1.GatewayStatusAddress{{Type: &kind, Value: strings.ToLower(lb.DNSName)}}
	} else if r.err == nil && r.Blocked == "" && lb == nil {
		g.Status.Addresses = nil
	}
	var out []gwv1.ListenerStatus
	for _, l := range v.listeners {
		out = append(out, v.listenerStatus(g, l, r))
	}
	g.Status.Listeners = out
}

// accepted: a Gateway is accepted when its parameters are valid and at least one of its listeners is.
func (v *Verdict) accepted(g *gwv1.Gateway) metav1.Condition {
	c := condition(string(gwv1.GatewayConditionAccepted), string(gwv1.GatewayReasonAccepted), problem{}, g.Generation)
	if p := v.snapshot.ParameterProblem; p != "" {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonInvalidParameters), p
		return c
	}
	bad := 0
	for _, l := range v.listeners {
		if !l.usable() {
			bad++
		}
	}
	if bad > 0 {
		c.Reason, c.Message = string(gwv1.GatewayReasonListenersNotValid), "some listeners are not valid: see their conditions"
	}
	if bad > 0 && bad == len(v.listeners) {
		c.Status = metav1.ConditionFalse
	}
	return c
}

// programmed: the load balancer is active and holds what was asked for. Its message is the ARN, which others read there.
func programmed(g *gwv1.Gateway, r reached) metav1.Condition {
	c := condition(string(gwv1.GatewayConditionProgrammed), string(gwv1.GatewayReasonProgrammed), problem{}, g.Generation)
	next := outcome.Of(r.err, nil)
	switch {
	case r.Blocked != "":
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonInvalid), r.Blocked
	case r.err != nil:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, next.Reason, next.Message
	case r.LoadBalancer == nil:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonNoResources), "there is no load balancer"
	case r.LoadBalancer.State == "provisioning":
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, string(gwv1.GatewayReasonPending), "AWS is provisioning the load balancer"
	case r.LoadBalancer.State == "failed":
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonInvalid), "AWS could not set the load balancer up"
	default:
		c.Message = string(r.LoadBalancer.ARN)
	}
	return c
}

func (v *Verdict) listenerStatus(g *gwv1.Gateway, l *listener, r reached) gwv1.ListenerStatus {
	out := gwv1.ListenerStatus{Name: l.Name, SupportedKinds: l.kinds, AttachedRoutes: l.attached}
	for _, have := range g.Status.Listeners {
		if have.Name == l.Name {
			out.Conditions = slices.Clone(have.Conditions)
		}
	}
	unaccepted := l.unsupported
	if l.conflict.any() {
		unaccepted = l.conflict
	}
	set := func(kind gwv1.ListenerConditionType, good gwv1.ListenerConditionReason, p problem) {
		meta.SetStatusCondition(&out.Conditions, condition(string(kind), string(good), p, g.Generation))
	}
	set(gwv1.ListenerConditionAccepted, gwv1.ListenerReasonAccepted, unaccepted)
	set(gwv1.ListenerConditionResolvedRefs, gwv1.ListenerReasonResolvedRefs, l.refs)
	set(gwv1.ListenerConditionProgrammed, gwv1.ListenerReasonProgrammed, v.unprogrammed(g, l, r))
	conflicted := metav1.Condition{
		Type: string(gwv1.ListenerConditionConflicted), Status: metav1.ConditionFalse, ObservedGeneration: g.Generation,
		Reason: string(gwv1.ListenerReasonNoConflicts),
	}
	if l.conflict.any() {
		conflicted.Status, conflicted.Reason, conflicted.Message = metav1.ConditionTrue, l.conflict.reason, l.conflict.message
	}
	meta.SetStatusCondition(&out.Conditions, conflicted)
	return out
}

// unprogrammed says why a listener takes no traffic.
func (v *Verdict) unprogrammed(g *gwv1.Gateway, l *listener, r reached) problem {
	invalid := string(gwv1.ListenerReasonInvalid)
	if !l.usable() {
		return problem{invalid, "the listener is not valid"}
	}
	for _, f := range r.Findings {
		if f.Object.Same(gatewayRef(g)) && f.Severity == model.Wrong && strings.HasPrefix(f.Field, l.field()) {
			return problem{invalid, f.Message}
		}
	}
	if r.err != nil || r.Blocked != "" || r.LoadBalancer == nil {
		return problem{string(gwv1.ListenerReasonPending), "the load balancer is not programmed"}
	}
	if !slices.Contains(r.Ports, int(l.Port)) {
		return problem{invalid, "no certificate is known for the listener: name one in a LoadBalancerConfiguration, or have one in ACM"}
	}
	return problem{}
}

// routeStatus brings the parents of a route that name the Gateway in line. Those of other Gateways and controllers stay, in their
// places.
func (v *Verdict) routeStatus(j *judged, route *gwv1.HTTPRoute, r reached) {
	var out []gwv1.RouteParentStatus
	done := map[int]bool{}
	for _, p := range route.Status.Parents {
		if p.ControllerName != ControllerName || !refersTo(p.ParentRef, route.Namespace, v.snapshot.Gateway) {
			out = append(out, p)
			continue
		}
		i := slices.IndexFunc(j.attachments, func(a attachment) bool { return sameParent(p.ParentRef, a.parent) })
		if i >= 0 && !done[i] {
			done[i] = true
			p.Conditions = slices.Clone(p.Conditions)
			setRouteConditions(&p.Conditions, j, j.attachments[i], r)
			out = append(out, p)
		}
	}
	for i, a := range j.attachments {
		if !done[i] {
			p := gwv1.RouteParentStatus{ParentRef: a.parent, ControllerName: ControllerName}
			setRouteConditions(&p.Conditions, j, a, r)
			out = append(out, p)
		}
	}
	route.Status.Parents = out
}

func setRouteConditions(conditions *[]metav1.Condition, j *judged, a attachment, r reached) {
	refused := j.refusal(a, r)
	generation := j.route.Generation
	meta.SetStatusCondition(conditions, condition(
		string(gwv1.RouteConditionAccepted), string(gwv1.RouteReasonAccepted), refused, generation))
	meta.SetStatusCondition(conditions, condition(
		string(gwv1.RouteConditionResolvedRefs), string(gwv1.RouteReasonResolvedRefs), j.refs, generation))
	partly := slices.Clone(j.partly)
	for _, f := range j.closed {
		partly = append(partly, f.Field+": "+f.Message)
	}
	if len(partly) == 0 || refused.any() {
		meta.RemoveStatusCondition(conditions, string(gwv1.RouteConditionPartiallyInvalid))
		return
	}
	c := condition(string(gwv1.RouteConditionPartiallyInvalid), string(gwv1.RouteReasonUnsupportedValue), problem{}, generation)
	c.Message = strings.Join(partly, "; ")
	meta.SetStatusCondition(conditions, c)
}

// refusal is why a parent does not accept the route; empty when it does.
func (j *judged) refusal(a attachment, r reached) problem {
	for _, p := range []problem{a.refused, j.unsupported, j.waiting, foundWrong(j, r)} {
		if p.any() {
			return p
		}
	}
	if len(j.closed) > 0 && len(j.openRoutes) == 0 {
		return problem{string(gwv1.RouteReasonUnsupportedValue), j.closed[0].Field + ": " + j.closed[0].Message}
	}
	return problem{}
}

// foundWrong is the first mistake that the build found in a route.
func foundWrong(j *judged, r reached) problem {
	for _, f := range r.Findings {
		if f.Object.Same(j.fragment.Member) && f.Severity == model.Wrong {
			return problem{string(gwv1.RouteReasonUnsupportedValue), strings.TrimPrefix(f.Field+": "+f.Message, ": ")}
		}
	}
	return problem{}
}

func sameParent(a, b gwv1.ParentReference) bool {
	return a.Name == b.Name && deref(a.Namespace) == deref(b.Namespace) && deref(a.SectionName) == deref(b.SectionName) &&
		deref(a.Port) == deref(b.Port)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
