package gateway

import (
	"fmt"
	"net/http"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// judged is a route with the judgement on it.
type judged struct {
	route       *route
	attachments []attachment
	// places are the listeners that take traffic for it, each once, with the hosts that are theirs alone.
	places []place
	// refs says why ResolvedRefs is not good.
	refs problem
	// unfits says which protocols of listeners cannot serve the route.
	unfits map[gwv1.ProtocolType]model.Finding
	// partly says which rules are not served as they are written.
	partly []string
	// unsupported says why the route is refused as a whole; waiting, that its Gateway keeps it from being judged.
	unsupported problem
	waiting     problem
	fragment    intent.Fragment
	// closed are the findings on filters that restrict access and are not served; shutRoutes the routes of their rules, which answer
	// 503, and openRoutes those of the others.
	closed                 []model.Finding
	shutRoutes, openRoutes []intent.Route
	findings               []model.Finding
	// used are the configurations that its target groups are made by, and asked the listeners for which it asks for certificates.
	used  map[*awsgwv1.TargetGroupConfiguration]bool
	asked map[*listener]bool
}

// openPlaces are the listeners of all accepted parentRefs, each once, that take traffic.
func (t *translator) openPlaces(j *judged) []place {
	var out []place
	for _, a := range j.attachments {
		for _, p := range a.places {
			if !t.serves(p.listener) || slices.ContainsFunc(out, func(o place) bool { return o.listener == p.listener && o.narrowed == p.narrowed }) {
				continue
			}
			out = append(out, p)
		}
	}
	return out
}

// conclude makes findings of what is wrong with the route.
func (j *judged) conclude(s *Snapshot) {
	if s.ParameterProblem != "" {
		// What protects the routes is not known now: what was good serves on, and nothing new is opened.
		j.waiting = problem{string(gwv1.RouteReasonPending), "the parameters of the Gateway are not valid: until its owner mends them, " +
			"the last good state of the route serves"}
	}
	if j.unsupported.any() && len(j.closed) > 0 {
		// Where no good state is known, rules that AWS holds and that forward as these do are kept. That would open what is closed.
		for i, r := range j.fragment.Routes {
			j.fragment.Routes[i] = answering(r, http.StatusServiceUnavailable)
		}
	}
	if j.waiting.any() {
		j.findings = append(j.findings, j.wrong("", j.waiting))
	}
	j.findings = append(j.findings, j.closed...)
	for _, a := range j.attachments {
		if a.refused.any() {
			j.note(a.field, a.refused)
		}
	}
	if scope := j.route.Spec.UseDefaultGateways; scope != "" && scope != gwv1.GatewayDefaultScopeNone {
		j.findings = append(j.findings, notServed(j.fragment.Member, []wish{{true, model.Warning, "spec.useDefaultGateways"}})...)
	}
}

// refuse notes that the route cannot be served as it is written. The condition has room for the first reason.
func (j *judged) refuse(field, format string, args ...any) {
	p := problem{string(gwv1.RouteReasonUnsupportedValue), fmt.Sprintf(format, args...)}
	j.findings = append(j.findings, j.wrong(field, p))
	if !j.unsupported.any() {
		p.message = field + ": " + p.message
		j.unsupported = p
	}
}

func (j *judged) wrong(field string, p problem) model.Finding {
	return model.Finding{Object: j.fragment.Member, Severity: model.Wrong, Reason: p.reason, Field: field, Message: p.message}
}

// unresolved notes that a reference leads nowhere. The condition has room for the first.
func (j *judged) unresolved(field string, p problem) {
	if !j.refs.any() {
		j.refs = problem{p.reason, field + ": " + p.message}
	}
	j.note(field, p)
}

// leaveOut notes that a rule is not served as it is written.
func (j *judged) leaveOut(field, why string) {
	j.partly = append(j.partly, field+": "+why)
	j.note(field, problem{string(gwv1.RouteReasonUnsupportedValue), why})
}

// note notes what the specification has an answer for.
func (j *judged) note(field string, p problem) {
	j.findings = append(j.findings, model.Finding{
		Object: j.fragment.Member, Severity: model.Answered, Reason: p.reason, Field: field, Message: p.message,
	})
}
