package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const (
	extension = `{type: ExtensionRef, extensionRef: {group: gateway.k8s.aws, kind: ListenerRuleConfiguration, name: login}}`
	external  = `{type: ExternalAuth, externalAuth: {protocol: HTTP, backendRef: {name: auth, port: 80}}}`
)

// pathRule is a rule for a path prefix that forwards to Service web, with more fields.
func pathRule(path, more string) string {
	return fmt.Sprintf(`{matches: [{path: {type: PathPrefix, value: %s}}], backendRefs: [{name: web, port: 80}]%s}`, path, more)
}

// byPath are the answers of routes: "/a 503".
func byPath(routes []intent.Route) []string {
	var out []string
	for _, r := range routes {
		out = append(out, r.Match.Paths[0].Value+" "+answer(r))
	}
	return out
}

func ofSeverity(list []model.Finding, s model.Severity) []model.Finding {
	var out []model.Finding
	for _, f := range list {
		if f.Severity == s {
			out = append(out, f)
		}
	}
	return out
}

func TestFilterThatRestrictsAccessClosesItsRule(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, closed, field, mend string }{
		{"a configuration that may ask who it is", pathRule("/b", `, filters: [`+extension+`]`), "spec.rules[1].filters[0]", "ListenerRuleConfiguration/login"},
		{"a filter that asks somebody else", pathRule("/b", `, filters: [`+external+`]`), "spec.rules[1].filters[0]", "ExternalAuth"},
		{"a filter that nobody knows", pathRule("/b", `, filters: [{type: Fortify}]`), "spec.rules[1].filters[0]", "Fortify"},
		{"the same on one backend", `{matches: [{path: {type: PathPrefix, value: /b}}], backendRefs: [{name: web, port: 80, filters: [` + extension + `]}]}`,
			"spec.rules[1].backendRefs[0].filters[0]", "ListenerRuleConfiguration/login"},
		{"a redirect is an answer too", `{matches: [{path: {type: PathPrefix, value: /b}}], filters: [{type: RequestRedirect, requestRedirect: {scheme: https}}, ` + external + `]}`,
			"spec.rules[1].filters[1]", "ExternalAuth"},
	} {
		v := verdictOf(snapshotOf(t, anyListener, routeWith(pathRule("/a", "")+`, `+c.closed+`, `+pathRule("/c", ""))))
		j := v.routes[0]
		if diff := cmp.Diff([]string{"/a forward", "/b 503", "/c forward"}, byPath(j.fragment.Routes)); diff != "" {
			t.Errorf("invariant 8: %s: %s", c.why, diff)
		}
		closed := ofSeverity(v.Findings, model.Closed)
		if len(closed) != 1 || len(v.Findings) != 1 || !closed[0].Object.Same(j.fragment.Member) || closed[0].Field != c.field {
			t.Errorf("invariant 8: %s: one finding on the route's %s, got %v", c.why, c.field, v.Findings)
			continue
		}
		for _, word := range []string{c.mend, "503", "remove"} {
			if !strings.Contains(closed[0].Message, word) {
				t.Errorf("%s: the message says what happens and how to mend it, but not %q: %s", c.why, word, closed[0].Message)
			}
		}
		if j.unsupported.any() {
			t.Errorf("%s: the route goes on, it is not refused: %v", c.why, j.unsupported)
		}
		route := j.route.DeepCopy()
		v.routeStatus(j, &route.Status.RouteStatus, up(80))
		want := map[string]string{"Accepted": "True/Accepted", "ResolvedRefs": "True/ResolvedRefs", "PartiallyInvalid": "True/UnsupportedValue"}
		if diff := cmp.Diff(want, words(route.Status.Parents[0].Conditions)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

func TestRouteWhoseRulesAreAllClosedIsNotAccepted(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(pathRule("/a", `, filters: [`+external+`]`))))
	j := v.routes[0]
	route := j.route.DeepCopy()
	v.routeStatus(j, &route.Status.RouteStatus, up(80))
	if got := words(route.Status.Parents[0].Conditions)["Accepted"]; got != "False/UnsupportedValue" {
		t.Errorf("none of its rules is served: %s", got)
	}
	if len(ofSeverity(v.Findings, model.Wrong)) > 0 {
		t.Errorf("invariant 8: its last good state must not serve: %v", v.Findings)
	}
}

// TestHeldRouteIsClosedToo takes the fragment of a route that was good, and what is left of it when the route restricts access and has a
// mistake besides.
func TestHeldRouteIsClosedToo(t *testing.T) {
	t.Parallel()
	const mistake = `{matches: [{path: {value: /m}}], timeouts: {request: 1s}}`
	before := routeWith(pathRule("/a", "") + `, ` + pathRule("/b", "") + `, ` + pathRule("/b/x", "") + `, ` + pathRule("/bc", "") + `, ` + pathRule("/", ""))
	for _, c := range []struct {
		why, now string
		want     []string
	}{
		{"only a mistake: all goes on", routeWith(pathRule("/a", "") + `, ` + mistake), []string{"/a forward", "/b forward", "/b/x forward", "/bc forward", "/ forward"}},
		{"what is closed now is closed there, with what lies under it, and nothing else", routeWith(pathRule("/b", `, filters: [`+external+`]`) + `, ` + mistake),
			[]string{"/a forward", "/b 503", "/b/x 503", "/bc forward", "/ forward"}},
		{"what lies under it and is open by its owner's word stays open",
			routeWith(pathRule("/b", `, filters: [`+external+`]`) + `, ` + pathRule("/b/x", "") + `, ` + mistake),
			[]string{"/a forward", "/b 503", "/b/x forward", "/bc forward", "/ forward"}},
		{"a new rule that is closed comes first", routeWith(pathRule("/b/x/y", `, filters: [`+external+`]`) + `, ` + pathRule("/b", "") + `, ` + pathRule("/b/x", "") + `, ` + mistake),
			[]string{"/b/x/y 503", "/a forward", "/b forward", "/b/x forward", "/bc forward", "/ forward"}},
		{"a rule that is both", routeWith(pathRule("/b", `, timeouts: {request: 1s}, filters: [`+extension+`]`)),
			[]string{"/a forward", "/b 503", "/b/x 503", "/bc forward", "/ forward"}},
	} {
		good := verdictOf(snapshotOf(t, anyListener, before)).routes[0].fragment
		v := verdictOf(snapshotOf(t, anyListener, c.now))
		if len(ofSeverity(v.Findings, model.Wrong)) != 1 {
			t.Errorf("%s: %v", c.why, v.Findings)
		}
		if diff := cmp.Diff(c.want, byPath(v.Request().Permit(good).Routes)); diff != "" {
			t.Errorf("invariant 8: %s: %s", c.why, diff)
		}
	}
}

func TestWrongRouteThatIsClosedNamesNoRulesToHold(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(pathRule("/a", "")+`, `+pathRule("/b", `, filters: [`+external+`]`)+`, {timeouts: {request: 1s}}`)))
	for _, r := range v.routes[0].fragment.Routes {
		if answer(r) != "503" {
			t.Errorf("invariant 8: without a good state the rules that AWS holds would be kept, open ones too: %s", byPath(v.routes[0].fragment.Routes))
		}
	}
}

func TestPermitLeavesAClosedRouteAsItIs(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, anyListener, routeWith(pathRule("/a", "")+`, `+pathRule("/b", `, filters: [`+external+`]`))))
	good := v.routes[0].fragment
	if diff := cmp.Diff(good, v.Request().Permit(good)); diff != "" {
		t.Errorf("invariant 1: %s", diff)
	}
}

func TestClientCertificatesOfAGatewayClose(t *testing.T) {
	t.Parallel()
	const (
		listeners = `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
			{name: b, port: 443, protocol: HTTPS, hostname: x.com, allowedRoutes: {namespaces: {from: All}}},
			{name: c, port: 8443, protocol: HTTPS, hostname: x.com, allowedRoutes: {namespaces: {from: All}}}]`
		validation = `validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}`
	)
	for _, c := range []struct {
		why, tls string
		want     []string
		findings int
	}{
		{"none are asked for", `{frontend: {default: {}}}`, []string{"80 forward", "443 forward", "8443 forward"}, 0},
		{"on all HTTPS listeners", `{frontend: {default: {` + validation + `}}}`, []string{"80 forward", "443 503", "8443 503"}, 1},
		{"on one port", `{frontend: {default: {}, perPort: [{port: 8443, tls: {` + validation + `}}]}}`, []string{"80 forward", "443 forward", "8443 503"}, 1},
		{"not on one port", `{frontend: {default: {` + validation + `}, perPort: [{port: 8443, tls: {}}]}}`, []string{"80 forward", "443 503", "8443 forward"}, 1},
	} {
		s := snapshotOf(t, listeners, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		good := verdictOf(s).routes[0].fragment
		parse(t, c.tls, &s.Gateway.Spec.TLS)
		s.Authorities = map[types.NamespacedName]authorities{{Namespace: "infra", Name: "ca"}: {}}
		v := verdictOf(s)
		for what, f := range map[string]intent.Fragment{"written": v.routes[0].fragment, "held": v.Request().Permit(good)} {
			var got []string
			for _, r := range f.Routes {
				got = append(got, fmt.Sprintf("%d %s", r.Ports[0], answer(r)))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("invariant 8: client certificates %s, as %s: %s", c.why, what, diff)
			}
		}
		closed := ofSeverity(v.Findings, model.Closed)
		if len(closed) != c.findings || len(closed) > 0 && (!closed[0].Object.Same(gatewayRef(s.Gateway)) || !strings.HasPrefix(closed[0].Field, "spec.tls.frontend")) {
			t.Errorf("invariant 8: %s: %v", c.why, closed)
		}
	}
}
