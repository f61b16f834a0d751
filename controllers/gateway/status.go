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
	"github.com/headgate/headgate/model/intent"
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

// generation is the generation of the Gateway that was judged: what is written by now may be another one.
func (v *Verdict) generation() int64 { return v.snapshot.Gateway.Generation }

// gatewayStatus brings the status of the Gateway in line. Conditions of others stay.
func (v *Verdict) gatewayStatus(g *gwv1.Gateway, r reached) {
	outcome.Set(&g.Status.Conditions, v.accepted())
	outcome.Set(&g.Status.Conditions, v.programmed(r))
	v.tellFallback(&g.Status.Conditions)
	if names := r.Addresses(); len(names) > 0 {
		g.Status.Addresses = nil
		for _, name := range names {
			g.Status.Addresses = append(g.Status.Addresses, gwv1.GatewayStatusAddress{Type: new(gwv1.HostnameAddressType), Value: name})
		}
	} else if r.err == nil && r.Blocked == "" && r.LoadBalancer == nil {
		g.Status.Addresses = nil
	}
	g.Status.AttachedListenerSets = v.attachedSets(g.Status.AttachedListenerSets, r)
	var out []gwv1.ListenerStatus
	for _, l := range v.ofParent(v.parentOf(gatewayRef(v.snapshot.Gateway))) {
		var have []metav1.Condition
		for _, old := range g.Status.Listeners {
			if old.Name == l.Name {
				have = old.Conditions
			}
		}
		out = append(out, v.listenerStatus(have, l, r))
	}
	g.Status.Listeners = out
}

// accepted: a Gateway is accepted when what it asks for as a whole is valid and at least one of its listeners is.
func (v *Verdict) accepted() metav1.Condition {
	c := condition(string(gwv1.GatewayConditionAccepted), string(gwv1.GatewayReasonAccepted), problem{}, v.generation())
	if p := v.snapshot.ParameterProblem; p != "" {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonInvalidParameters), p
		return c
	}
	if field, p := unsupportedAddress(v.snapshot.Gateway); p.any() {
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, p.reason, field+": "+p.message
		return c
	}
	good, bad := v.usable()
	if len(bad) == 0 {
		return c
	}
	c.Reason, c.Message = string(gwv1.GatewayReasonListenersNotValid), "not valid, see their conditions: "+strings.Join(bad, ", ")
	if len(good) == 0 {
		c.Status = metav1.ConditionFalse
	} else {
		c.Message += "; accepted: " + strings.Join(good, ", ")
	}
	return c
}

// usable are the names of the Gateway's listeners that take traffic and of those that do not.
func (v *Verdict) usable() (good, bad []string) {
	for _, l := range v.ofParent(v.parentOf(gatewayRef(v.snapshot.Gateway))) {
		if l.valid() {
			good = append(good, string(l.Name))
		} else {
			bad = append(bad, string(l.Name))
		}
	}
	return good, bad
}

// programmed: the load balancer is active and holds what was asked for. Its message is the ARN, which others read there.
func (v *Verdict) programmed(r reached) metav1.Condition {
	c := condition(string(gwv1.GatewayConditionProgrammed), string(gwv1.GatewayReasonProgrammed), problem{}, v.generation())
	next := outcome.Of(r.err, nil)
	good, bad := v.usable()
	switch {
	case r.Blocked != "":
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonInvalid), r.Blocked
	case r.err != nil:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, next.Reason, next.Message
	case r.Held != nil:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, r.Held.Reason, r.Held.Message
	case r.LoadBalancer == nil:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonNoResources), "there is no load balancer"
	case r.LoadBalancer.State == "provisioning":
		c.Status, c.Reason, c.Message = metav1.ConditionUnknown, string(gwv1.GatewayReasonPending), "AWS is provisioning the load balancer"
	case r.LoadBalancer.State == "failed":
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonInvalid), "AWS could not set the load balancer up"
	case len(good) == 0 && len(bad) > 0:
		c.Status, c.Reason, c.Message = metav1.ConditionFalse, string(gwv1.GatewayReasonInvalid), "no listener is valid: see their conditions"
	default:
		c.Message = string(r.LoadBalancer.ARN)
	}
	return c
}

// listenerStatus is the status of a listener with those of its conditions that others keep.
func (v *Verdict) listenerStatus(have []metav1.Condition, l *listener, r reached) gwv1.ListenerStatus {
	out := gwv1.ListenerStatus{Name: l.Name, SupportedKinds: l.kinds, AttachedRoutes: v.attached(l, r), Conditions: slices.Clone(have)}
	unaccepted := l.unsupported
	if l.doubtful.any() {
		unaccepted = l.doubtful
	}
	if l.conflict.any() {
		unaccepted = l.conflict
	}
	set := func(kind gwv1.ListenerConditionType, good gwv1.ListenerConditionReason, p problem) {
		outcome.Set(&out.Conditions, condition(string(kind), string(good), p, l.of.generation))
	}
	set(gwv1.ListenerConditionAccepted, gwv1.ListenerReasonAccepted, unaccepted)
	set(gwv1.ListenerConditionResolvedRefs, gwv1.ListenerReasonResolvedRefs, l.refs)
	set(gwv1.ListenerConditionProgrammed, gwv1.ListenerReasonProgrammed, v.unprogrammed(l, r))
	conflicted := condition(string(gwv1.ListenerConditionConflicted), string(gwv1.ListenerReasonNoConflicts), problem{}, l.of.generation)
	conflicted.Status = metav1.ConditionFalse
	if l.conflict.any() {
		conflicted.Status, conflicted.Reason, conflicted.Message = metav1.ConditionTrue, l.conflict.reason, l.conflict.message
	}
	outcome.Set(&out.Conditions, conflicted)
	v.tellOverlap(&out.Conditions, l)
	return out
}

// tellOverlap sets the condition OverlappingTLSConfig, which is never False but absent.
func (v *Verdict) tellOverlap(conditions *[]metav1.Condition, l *listener) {
	kind := string(gwv1.ListenerConditionOverlappingTLSConfig)
	other := l.overlaps(v.listeners)
	if other == "" {
		meta.RemoveStatusCondition(conditions, kind)
		return
	}
	c := condition(kind, string(gwv1.ListenerReasonOverlappingHostnames), problem{}, l.of.generation)
	c.Message = "host names overlap with those of listener " + other + ": a client may use one connection for both"
	outcome.Set(conditions, c)
}

// attached counts the routes that are accepted on a listener (Gateway API, ListenerStatus.attachedRoutes).
func (v *Verdict) attached(l *listener, r reached) int32 {
	var out int32
	for _, j := range v.routes {
		if slices.ContainsFunc(j.attachments, func(a attachment) bool {
			return !j.refusal(a, r).any() && slices.ContainsFunc(a.places, func(p place) bool { return p.listener == l })
		}) {
			out++
		}
	}
	return out
}

// unprogrammed says why a listener takes no traffic.
func (v *Verdict) unprogrammed(l *listener, r reached) problem {
	invalid := string(gwv1.ListenerReasonInvalid)
	switch {
	case l.lost:
		return problem{l.conflict.reason, "the listener is not valid"}
	case !l.valid():
		return problem{invalid, "the listener is not valid"}
	}
	for _, f := range r.Findings {
		if f.Severity == model.Wrong && v.translator.concerns(l, f) {
			return problem{invalid, f.Message}
		}
	}
	switch {
	case v.translator.unverified(l).any():
		return v.translator.unverified(l)
	case v.translator.uncertified(l):
		return problem{invalid, l.refs.message}
	case r.Blocked != "" || r.LoadBalancer == nil:
		return problem{string(gwv1.ListenerReasonPending), "the load balancer is not programmed"}
	case slices.Contains(r.Ports, int(l.Port)):
		return problem{}
	case r.err != nil || !r.Settled:
		return problem{string(gwv1.ListenerReasonPending), "the load balancer does not have the listener yet"}
	}
	return problem{invalid, "no certificate is known for the listener: name one in a LoadBalancerConfiguration, or have one in ACM"}
}

// routeStatus brings the parents of a route that name the Gateway in line. Those of other Gateways and controllers stay, in their
// places. The list is never left out: the API server asks for it.
func (v *Verdict) routeStatus(j *judged, status *gwv1.RouteStatus, r reached) {
	out := []gwv1.RouteParentStatus{}
	done := map[int]bool{}
	for _, p := range status.Parents {
		if !v.snapshot.stale(p, j.route.Namespace) {
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
	if len(out)+len(status.Parents) > 0 {
		status.Parents = out
	}
}

// droppedRule is what the message begins with where rules are not served as they are written (Gateway API, RouteConditionPartiallyInvalid).
const droppedRule = "Dropped Rule "

func setRouteConditions(conditions *[]metav1.Condition, j *judged, a attachment, r reached) {
	refused := j.refusal(a, r)
	generation := j.route.Generation
	outcome.Set(conditions, condition(
		string(gwv1.RouteConditionAccepted), string(gwv1.RouteReasonAccepted), refused, generation))
	outcome.Set(conditions, condition(
		string(gwv1.RouteConditionResolvedRefs), string(gwv1.RouteReasonResolvedRefs), j.lostRef(r), generation))
	partly := slices.Concat(j.partly, a.partly)
	for _, f := range slices.Concat(a.of(j.shutBy(r)), j.leftOut(r), j.told(r, model.ReasonNoNodePort), a.of(j.told(r, model.ReasonPartly)),
		a.of(j.told(r, model.ReasonLoop))) {
		partly = append(partly, f.Field+": "+f.Message)
	}
	if len(partly) == 0 || refused.any() {
		meta.RemoveStatusCondition(conditions, string(gwv1.RouteConditionPartiallyInvalid))
		return
	}
	c := condition(string(gwv1.RouteConditionPartiallyInvalid), string(gwv1.RouteReasonUnsupportedValue), problem{}, generation)
	c.Message = droppedRule + strings.Join(partly, "; ")
	outcome.Set(conditions, c)
}

// refusal is why a parent does not accept the route; empty when it does.
func (j *judged) refusal(a attachment, r reached) problem {
	for _, p := range []problem{a.refused, j.unsupported, j.waiting, foundWrong(j, r)} {
		if p.any() {
			return p
		}
	}
	for _, lost := range [][]model.Finding{j.leftOut(r), j.told(r, model.ReasonLoop), j.shutBy(r)} {
		if left := a.of(lost); j.allLost(a, left) {
			return problem{string(gwv1.RouteReasonUnsupportedValue), left[0].Text()}
		}
	}
	if len(j.closed) > 0 && len(j.openRoutes) == 0 {
		return problem{string(gwv1.RouteReasonUnsupportedValue), j.closed[0].Text()}
	}
	return problem{}
}

// shutBy are the findings on what answers 503 because it cannot be served as it restricts access: those of the front door and of the build.
func (j *judged) shutBy(r reached) []model.Finding {
	out := slices.Clone(j.closed)
	for _, f := range r.Findings {
		if f.Severity == model.Closed && f.Object.Same(j.fragment.Member) && !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}

// allLost tells whether findings are about all that the route has on the listeners of a parentRef.
func (j *judged) allLost(a attachment, lost []model.Finding) bool {
	mine := slices.DeleteFunc(slices.Clone(j.fragment.Routes), func(one intent.Route) bool { return !a.leadsTo(one.Ports...) })
	return len(mine) > 0 && !slices.ContainsFunc(mine, func(one intent.Route) bool {
		return !slices.ContainsFunc(lost, func(f model.Finding) bool {
			return (f.Field == one.Field || f.Field == one.AuthField && f.Field != "") && (f.Port == 0 || slices.Contains(one.Ports, f.Port))
		})
	})
}

// lostRef is why a reference of the route leads nowhere: what is wrong in the cluster, else a target group that AWS does not have.
func (j *judged) lostRef(r reached) problem {
	if lost := j.told(r, model.ReasonNoTargetGroup); !j.refs.any() && len(lost) > 0 {
		return problem{string(gwv1.RouteReasonBackendNotFound), lost[0].Text()}
	}
	return j.refs
}

// reasonNoRoom is the reason of findings on what a quota of the load balancer has no room for.
const reasonNoRoom = "QuotaExceeded"

// leftOut are the findings on rules of a route that had no room at a quota.
func (j *judged) leftOut(r reached) []model.Finding { return j.told(r, reasonNoRoom) }

// of are the findings that are about listeners of the parentRef, or about all.
func (a attachment) of(all []model.Finding) []model.Finding {
	return slices.DeleteFunc(all, func(f model.Finding) bool { return f.Port != 0 && !a.leadsTo(f.Port) })
}

// leadsTo tells whether the parentRef leads to a listener on one of the ports.
func (a attachment) leadsTo(ports ...int) bool {
	return slices.ContainsFunc(a.places, func(p place) bool { return slices.Contains(ports, int(p.listener.Port)) })
}

// told are the findings of a reason on a route.
func (j *judged) told(r reached, reason string) []model.Finding {
	var out []model.Finding
	for _, f := range r.Findings {
		if f.Reason == reason && f.Object.Same(j.fragment.Member) {
			out = append(out, f)
		}
	}
	return out
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
	kind, _ := named(a, "")
	other, _ := named(b, "")
	return kind == other && a.Name == b.Name && deref(a.Namespace) == deref(b.Namespace) && deref(a.SectionName) == deref(b.SectionName) &&
		deref(a.Port) == deref(b.Port)
}

func deref[T any](p *T) T {
	if p == nil {
		var zero T
		return zero
	}
	return *p
}
