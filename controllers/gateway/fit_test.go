package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
)

// TestParentsAreJudgedByThemselves: what listeners of one parentRef cannot serve is no matter of another one's.
func TestParentsAreJudgedByThemselves(t *testing.T) {
	t.Parallel()
	const (
		listeners = `[{name: plain, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
			{name: secure, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}]`
		plain, secure = "{name: gw, namespace: infra, sectionName: plain}", "{name: gw, namespace: infra, sectionName: secure}"
		both          = "{name: gw, namespace: infra}"
		second        = "{backendRefs: [{name: stream, port: 80}]}"
		first         = "{matches: [{path: {value: /a}}], backendRefs: [{name: web, port: 80}]}"
		back          = "{filters: [{type: RequestRedirect, requestRedirect: {scheme: http}}]}"
		there         = "{filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}]}"
		guarded       = "{matches: [{path: {value: /b}}], filters: [{type: ExternalAuth}], backendRefs: [{name: web, port: 80}]}"
		yes, no       = "True/Accepted", "False/UnsupportedValue"
	)
	for _, c := range []struct {
		why, parents, rules string
		// accepted are the conditions of the parents, partly those that have a dropped rule, answers the routes that are left.
		accepted []string
		partly   string
		answers  []string
		severity model.Severity
	}{
		{"HTTP/2 to backends", plain + "," + secure, first + "," + second, []string{no, yes}, "", []string{"443 forward", "443 forward"}, model.Answered},
		{"in the other order", secure + "," + plain, second, []string{yes, no}, "", []string{"443 forward"}, model.Answered},
		{"one parentRef to both listeners", both, second, []string{yes}, "spec.rules[0].backendRefs[0]", []string{"443 forward"}, model.Answered},
		{"nowhere", plain, second, []string{no}, "", []string{"80 forward"}, model.Wrong},
		{"everywhere", secure, second, []string{yes}, "", []string{"443 forward"}, ""},
		{"from HTTPS to HTTP", plain + "," + secure, "{matches: [{path: {value: /a}}], " + back[1:], []string{yes, no}, "", []string{"80 redirect"}, model.Answered},
		{"what restricts access closes where it is not served", plain + "," + secure, second + "," + guarded, []string{no, yes}, "spec.rules[1].filters[0]",
			[]string{"443 503", "443 forward", "80 503"}, model.Answered},
		{"one rule for one listener, one for the other", plain + "," + secure, second + "," + back, []string{no, no}, "",
			[]string{"443 forward", "443 redirect", "80 forward", "80 redirect"}, model.Wrong},
		{"a redirect to HTTPS is for both as far as the front door sees", plain + "," + secure, there, []string{yes, yes}, "", []string{"443 redirect", "80 redirect"}, ""},
	} {
		s := snapshotOf(t, listeners, fmt.Sprintf(`{metadata: {namespace: app, name: r}, spec: {parentRefs: [%s], rules: [%s]}}`, c.parents, c.rules))
		h2c := "kubernetes.io/h2c"
		s.Services[types.NamespacedName{Namespace: "app", Name: "stream"}] = corev1.Service{
			Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80, AppProtocol: &h2c}}},
		}
		v := verdictOf(s)
		j := v.routes[0]
		var status gwv1.RouteStatus
		v.routeStatus(j, &status, up(80, 443))
		var accepted, answers []string
		dropped := ""
		for _, p := range status.Parents {
			accepted = append(accepted, words(p.Conditions)["Accepted"])
			if partly := meta.FindStatusCondition(p.Conditions, "PartiallyInvalid"); partly != nil {
				dropped = partly.Message
			}
		}
		for _, r := range j.fragment.Routes {
			answers = append(answers, fmt.Sprintf("%d %s", r.Ports[0], answer(r)))
		}
		slices.Sort(answers)
		if diff := cmp.Diff(c.accepted, accepted); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if !strings.Contains(dropped, c.partly) || (c.partly == "") != (dropped == "") {
			t.Errorf("%s: what is not served: %q", c.why, dropped)
		}
		if diff := cmp.Diff(c.answers, answers); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		told := slices.DeleteFunc(slices.Clone(j.findings), func(f model.Finding) bool { return f.Severity == model.Closed })
		if (len(told) > 0) != (c.severity != "") || slices.ContainsFunc(told, func(f model.Finding) bool { return f.Severity != c.severity }) {
			t.Errorf("invariant 8: %s: told is %v", c.why, told)
		}
	}
}

// TestLoopsAreOfTheirParents: a redirect that leads to itself on one listener is told of the parentRef that leads there.
func TestLoopsAreOfTheirParents(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, `[{name: plain, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
		{name: other, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]`,
		`{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra, sectionName: plain}, {name: gw, namespace: infra, port: 81}],
			rules: [{filters: [{type: RequestRedirect, requestRedirect: {port: 81}}]}]}}`))
	got := up(80, 81)
	got.Findings = []model.Finding{{
		Object: v.routes[0].fragment.Member, Severity: model.Answered, Reason: model.ReasonLoop, Field: "spec.rules[0].matches[0]", Port: 81, Message: "it loops",
	}}
	var status gwv1.RouteStatus
	v.routeStatus(v.routes[0], &status, got)
	for i, want := range []string{"True/Accepted", "False/UnsupportedValue"} {
		said := words(status.Parents[i].Conditions)
		if said["Accepted"] != want || said["PartiallyInvalid"] != "" {
			t.Errorf("parent %d: %v", i, said)
		}
	}
}

// TestRulesThatTheBuildShuts (invariant 8): a rule that answers 503 because AWS signs nobody in on a listener is told of the parentRef that
// leads there, and so is a backend that cannot be reached.
func TestRulesThatTheBuildShuts(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, `[{name: plain, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
		{name: secure, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}]`,
		`{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra, sectionName: plain}, {name: gw, namespace: infra, sectionName: secure}],
			rules: [{matches: [{path: {value: /a}}], backendRefs: [{name: web, port: 80}]}, {backendRefs: [{name: web, port: 80}]}]}}`))
	j := v.routes[0]
	for i := range j.fragment.Routes {
		j.fragment.Routes[i].AuthField = strings.TrimSuffix(j.fragment.Routes[i].Field, ".matches[0]") + ".filters[0]"
	}
	finding := func(severity model.Severity, reason, field string, port int) model.Finding {
		return model.Finding{Object: j.fragment.Member, Severity: severity, Reason: reason, Field: field, Port: port, Message: "answers 503"}
	}
	one := finding(model.Closed, "AuthenticationNeedsHTTPS", "spec.rules[0].filters[0]", 80)
	for _, c := range []struct {
		why      string
		findings []model.Finding
		// plain and secure are the conditions of the parents.
		plain, secure string
	}{
		{"nothing", nil, "True/Accepted ", "True/Accepted "},
		{"one of two rules", []model.Finding{one}, "True/Accepted True/UnsupportedValue", "True/Accepted "},
		{"both rules", []model.Finding{one, finding(model.Closed, "AuthenticationNeedsHTTPS", "spec.rules[1].filters[0]", 80)},
			"False/UnsupportedValue ", "True/Accepted "},
		{"on both listeners", []model.Finding{finding(model.Closed, "AuthenticationNeedsHTTP1", "spec.rules[0].filters[0]", 0)},
			"True/Accepted True/UnsupportedValue", "True/Accepted True/UnsupportedValue"},
		{"no node port", []model.Finding{finding(model.Answered, model.ReasonNoNodePort, "spec.rules[0].backendRefs[0]", 0)},
			"True/Accepted True/UnsupportedValue", "True/Accepted True/UnsupportedValue"},
	} {
		got := up(80, 443)
		got.Findings = c.findings
		var status gwv1.RouteStatus
		v.routeStatus(j, &status, got)
		for i, want := range []string{c.plain, c.secure} {
			said := words(status.Parents[i].Conditions)
			if have := said["Accepted"] + " " + said["PartiallyInvalid"]; have != want {
				t.Errorf("%s: parent %d: %s, want %s", c.why, i, have, want)
			}
		}
	}
}
