package gateway

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/model"
)

// TestServicesThatCannotBeReached (invariants 8, 11): what a load balancer cannot send to is told, and its rule answers 500; what it sends to
// otherwise than the Service says is told too.
func TestServicesThatCannotBeReached(t *testing.T) {
	t.Parallel()
	const web = `{ports: [{port: 80}]}`
	policy := func(section string) []tlsPolicy {
		return []tlsPolicy{{"tls", types.NamespacedName{Namespace: "app", Name: "web"}, section}}
	}
	for _, c := range []struct {
		why, service, group string
		policies            []tlsPolicy
		// want is what the rule does, refs the reason of ResolvedRefs, and told that of a warning.
		want, refs, told string
	}{
		{"pods", web, "", nil, "forward", "", ""},
		{"a name of something else", `{type: ExternalName, externalName: example.com, ports: [{port: 80}]}`, "", nil, "500", "UnsupportedProtocol", ""},
		{"a port of UDP", `{ports: [{port: 80, protocol: UDP}]}`, "", nil, "500", "UnsupportedProtocol", ""},
		{"a port of UDP beside one of TCP", `{ports: [{name: a, port: 80, protocol: UDP}, {name: b, port: 80, protocol: TCP}]}`, "", nil, "forward", "", ""},
		{"TLS", `{ports: [{port: 80, appProtocol: https}]}`, "", nil, "forward", "", "SentInPlain"},
		{"WebSockets over TLS", `{ports: [{port: 80, appProtocol: kubernetes.io/wss}]}`, "", nil, "forward", "", "SentInPlain"},
		{"TLS by a group of TLS", `{ports: [{port: 80, appProtocol: https}]}`, `{targetReference: {name: web}, defaultConfiguration: {protocol: HTTPS}}`, nil, "forward", "", ""},
		{"a certificate that is to be verified", web, "", policy(""), "500", "UnsupportedProtocol", ""},
		{"be it sent by TLS", web, `{targetReference: {name: web}, defaultConfiguration: {protocol: HTTPS}}`, policy(""), "500", "UnsupportedProtocol", ""},
		{"that of a port", `{ports: [{name: a, port: 80}]}`, "", policy("a"), "500", "UnsupportedProtocol", ""},
		{"that of another port", `{ports: [{name: a, port: 80}]}`, "", policy("b"), "forward", "", ""},
	} {
		s := snapshotOf(t, anyListener, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		service := corev1.Service{}
		service.Namespace, service.Name = "app", "web"
		parse(t, c.service, &service.Spec)
		s.Services[types.NamespacedName{Namespace: "app", Name: "web"}], s.policies = service, c.policies
		if c.group != "" {
			s.TargetGroups = append(s.TargetGroups, groupOf(t, c.group))
		}
		v := verdictOf(s)
		told := ""
		if warned := ofSeverity(v.Findings, model.Warning); len(warned) > 0 {
			told = warned[0].Reason
		}
		j := v.routes[0]
		if diff := cmp.Diff([]string{c.want, c.refs, c.told}, []string{line(j.fragment.Routes[0]), j.refs.reason, told}); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

// TestActionsWithoutUseAreTold (invariant 8): nothing of a ListenerRuleConfiguration is left out in silence.
func TestActionsWithoutUseAreTold(t *testing.T) {
	t.Parallel()
	const (
		redirect = `{type: redirect, redirectConfig: {query: a=b}}`
		forward  = `{type: forward, forwardConfig: {targetGroupStickinessConfig: {enabled: true}}}`
		moved    = `{type: RequestRedirect, requestRedirect: {hostname: x.com}}, `
	)
	for _, c := range []struct {
		why, action, filters, backends string
		told                           int
	}{
		{"a redirect for one", redirect, moved, "", 0},
		{"a redirect for none", redirect, "", "{name: web, port: 80}", 1},
		{"a forward for one", forward, "", "{name: web, port: 80}", 0},
		{"a forward beside a redirect", forward, moved, "", 1},
		{"a forward to nobody", forward, "", "", 1},
		{"an answer", fixedAction, "", "", 0},
		{"an answer for backends", fixedAction, "", "{name: web, port: 80}", 1},
		{"an answer for a redirect", fixedAction, moved, "", 1},
	} {
		v := verdictOf(extendedBy(t, actions(c.action), fmt.Sprintf(`{filters: [%s%s], backendRefs: [%s]}`, c.filters, extension, c.backends)))
		got := ofSeverity(v.Findings, model.Warning)
		if len(got) != c.told || len(v.Findings) != c.told || c.told > 0 && got[0].Reason != "ChangesNothing" {
			t.Errorf("%s: %v", c.why, v.Findings)
		}
	}
}

// TestUnknownTypesAreRefused (invariant 11): what newer definitions let through is not taken for something else.
func TestUnknownTypesAreRefused(t *testing.T) {
	t.Parallel()
	for field, rule := range map[string]string{
		"spec.rules[0].matches[0].path.type":                 `{matches: [{path: {type: Glob, value: /a}}], backendRefs: [{name: web, port: 80}]}`,
		"spec.rules[0].matches[0].queryParams[0].type":       `{matches: [{queryParams: [{type: Glob, name: a, value: b}]}], backendRefs: [{name: web, port: 80}]}`,
		"spec.rules[0].filters[0].urlRewrite.path.type":      `{filters: [{type: URLRewrite, urlRewrite: {path: {type: Glob}}}], backendRefs: [{name: web, port: 80}]}`,
		"spec.rules[0].filters[0].requestRedirect.path.type": `{filters: [{type: RequestRedirect, requestRedirect: {path: {type: Glob}}}]}`,
	} {
		v := verdictOf(snapshotOf(t, anyListener, routeWith(rule)))
		if len(v.Findings) != 1 || v.Findings[0].Field != field || v.routes[0].unsupported.reason != "UnsupportedValue" {
			t.Errorf("%s: %v", field, v.Findings)
		}
	}
}
