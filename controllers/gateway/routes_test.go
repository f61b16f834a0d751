package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const anyListener = `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]`

// routeWith is an HTTPRoute of namespace app with one rule.
func routeWith(rule string) string {
	return `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], rules: [` + rule + `]}}`
}

func TestRuleAnswers(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, rule string
		// want is "forward", "redirect", or the code of a fixed response.
		want              string
		refs, unsupported string
		partly            string
	}{
		{why: "a backend that exists", rule: `{backendRefs: [{name: web, port: 80}]}`, want: "forward"},
		{why: "no backends: 500, as the specification says", rule: `{}`, want: "500"},
		{why: "a Service that is missing", rule: `{backendRefs: [{name: absent, port: 80}]}`, want: "500", refs: "BackendNotFound"},
		{why: "a port that is missing", rule: `{backendRefs: [{name: web, port: 81}]}`, want: "500", refs: "BackendNotFound"},
		{why: "a kind that is no backend", rule: `{backendRefs: [{kind: Pod, name: web, port: 80}]}`, want: "500", refs: "InvalidKind"},
		{why: "another namespace without a grant", rule: `{backendRefs: [{name: web, namespace: infra, port: 80}]}`, want: "500", refs: "RefNotPermitted"},
		{why: "an ALB cannot answer 500 for a share", rule: `{backendRefs: [{name: web, port: 80}, {name: absent, port: 80}]}`,
			want: "500", refs: "BackendNotFound", partly: "spec.rules[0]"},
		{why: "an invalid backend of weight 0 takes no share", rule: `{backendRefs: [{name: web, port: 80}, {name: absent, port: 80, weight: 0}]}`,
			want: "forward", refs: "BackendNotFound"},
		{why: "all weights 0", rule: `{backendRefs: [{name: web, port: 80, weight: 0}]}`, want: "500"},
		{why: "a redirect", rule: `{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 301}}]}`, want: "redirect"},
		{why: "an ALB knows 301 and 302", rule: `{filters: [{type: RequestRedirect, requestRedirect: {scheme: https, statusCode: 307}}]}`,
			want: "redirect", unsupported: "UnsupportedValue"},
		{why: "an ALB edits no headers", rule: `{filters: [{type: RequestHeaderModifier, requestHeaderModifier: {add: [{name: a, value: b}]}}], backendRefs: [{name: web, port: 80}]}`,
			want: "forward", unsupported: "UnsupportedValue"},
		{why: "an ALB has no timeouts by route", rule: `{timeouts: {request: 1s}, backendRefs: [{name: web, port: 80}]}`, want: "forward", unsupported: "UnsupportedValue"},
	} {
		v := verdictOf(snapshotOf(t, anyListener, routeWith(c.rule)))
		j := v.routes[0]
		got := []string{answer(j.fragment.Routes[0]), j.refs.reason, j.unsupported.reason, strings.Join(j.partly, "")}
		got[3], _, _ = strings.Cut(got[3], ".backendRefs")
		if diff := cmp.Diff([]string{c.want, c.refs, c.unsupported, c.partly}, got); diff != "" {
			t.Errorf("%s (answer, refs, unsupported, partly): %s", c.why, diff)
		}
	}
}

func answer(r intent.Route) string {
	switch {
	case r.Forward != nil:
		return "forward"
	case r.Redirect != nil:
		return "redirect"
	}
	return map[int]string{500: "500", 503: "503"}[r.Fixed.StatusCode]
}

func TestReferenceGrant(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, anyListener, routeWith(`{backendRefs: [{name: web, namespace: infra, port: 80}]}`))
	grant := gwv1beta1.ReferenceGrant{}
	parse(t, `{metadata: {namespace: infra, name: g}, spec: {
		from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: app}], to: [{group: "", kind: Service}]}}`, &grant)
	s.Grants = append(s.Grants, grant)
	if got := answer(verdictOf(s).routes[0].fragment.Routes[0]); got != "forward" {
		t.Errorf("a grant permits the reference, but the rule answers %s", got)
	}
	s.Grants[0].Namespace = "app"
	if got := answer(verdictOf(s).routes[0].fragment.Routes[0]); got != "500" {
		t.Errorf("a grant in another namespace permits nothing, but the rule answers %s", got)
	}
}

func TestRedirectPort(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, redirect, want string }{
		{"the default port of the scheme that is given", `{scheme: https}`, "443"},
		{"the listener's port without a scheme", `{hostname: x.com}`, "80"},
		{"the port that is given", `{scheme: https, port: 8443}`, "8443"},
	} {
		v := verdictOf(snapshotOf(t, anyListener, routeWith(`{filters: [{type: RequestRedirect, requestRedirect: `+c.redirect+`}]}`)))
		if got := v.routes[0].fragment.Routes[0].Redirect.Port; got != c.want {
			t.Errorf("%s: port %s, want %s", c.why, got, c.want)
		}
	}
}

func TestSecondMatchOfOneNameIsIgnored(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(`{matches: [{
		headers: [{name: X-Team, value: a}, {name: x-team, value: b}, {name: X-Other, value: c}],
		queryParams: [{name: q, value: a}, {name: q, value: b}, {name: Q, value: c}]}]}`)))
	m := v.routes[0].fragment.Routes[0].Match
	var got []string
	for _, h := range m.Headers {
		got = append(got, h.Name+"="+join(h.Values))
	}
	for _, q := range m.Queries {
		got = append(got, q.Pairs[0].Key+"="+q.Pairs[0].Value)
	}
	if diff := cmp.Diff([]string{"X-Team=a", "X-Other=c", "q=a", "Q=c"}, got); diff != "" {
		t.Errorf("of one name only the first entry counts (Gateway API, HTTPHeaderMatch.name, HTTPQueryParamMatch.name): %s", diff)
	}
}

func TestWhatIsNotServedAsWrittenIsAFinding(t *testing.T) {
	t.Parallel()
	const route = `{metadata: {namespace: app, name: r}, spec: {parentRefs: [%s], hostnames: [x.com], rules: [%s]}}`
	const ours = `{name: gw, namespace: infra}`
	for _, c := range []struct{ why, parents, rule, want string }{ // want is reasons and fields
		{"a Service that is missing", ours, `{backendRefs: [{name: absent, port: 80}]}`, "BackendNotFound spec.rules[0].backendRefs[0]"},
		{"one of two", ours, `{backendRefs: [{name: absent, port: 80}, {name: web, port: 80}]}`,
			"BackendNotFound spec.rules[0].backendRefs[0], UnsupportedValue spec.rules[0].backendRefs"},
		{"no leave to refer to it", ours, `{backendRefs: [{name: web, namespace: infra, port: 80}]}`, "RefNotPermitted spec.rules[0].backendRefs[0]"},
		{"no such listener", `{name: other}, {name: gw, namespace: infra, sectionName: z}`, `{}`, "NoMatchingParent spec.parentRefs[1]"},
		{"not let in", `{name: gw, namespace: infra, sectionName: b}`, `{}`, "NotAllowedByListeners spec.parentRefs[0]"},
	} {
		v := verdictOf(snapshotOf(t, `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}, {name: b, port: 81, protocol: HTTP}]`,
			fmt.Sprintf(route, c.parents, c.rule)))
		var got []string
		for _, f := range v.Findings {
			if f.Severity == model.Answered && f.Object.Same(v.routes[0].fragment.Member) {
				got = append(got, f.Reason+" "+f.Field)
			}
		}
		if diff := cmp.Diff(c.want, strings.Join(got, ", ")); diff != "" {
			t.Errorf("invariant 8: %s: %s", c.why, diff)
		}
	}
}
