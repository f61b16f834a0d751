package gateway

import (
	"fmt"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model/intent"
)

// callsWith is a GRPCRoute app/calls with one rule.
func callsWith(rule string) string {
	return `{kind: GRPCRoute, metadata: {namespace: app, name: calls}, spec: {parentRefs: [{name: gw, namespace: infra}], rules: [` + rule + `]}}`
}

const callListeners = `[{name: plain, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
	{name: secure, port: 443, protocol: HTTPS, hostname: "*.x.com", allowedRoutes: {namespaces: {from: All}}}]`

// TestCallsNeedHTTPS: AWS forwards gRPC from HTTPS listeners only, so no other one has GRPCRoutes, whatever it allows.
func TestCallsNeedHTTPS(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, listener string
		kinds         int
		want          string
	}{
		{"HTTPS has both by default", `{name: a, port: 443, protocol: HTTPS}`, 2, ""},
		{"HTTP has HTTPRoutes alone", `{name: a, port: 80, protocol: HTTP}`, 1, ""},
		{"HTTPS can have GRPCRoutes alone", `{name: a, port: 443, protocol: HTTPS, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}`, 1, ""},
		{"each once", `{name: a, port: 443, protocol: HTTPS, allowedRoutes: {kinds: [{kind: GRPCRoute}, {kind: GRPCRoute}]}}`, 1, ""},
		{"HTTP cannot, although it says so", `{name: a, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}`, 0,
			"InvalidRouteKinds: spec.listeners[0].allowedRoutes.kinds names GRPCRoute: served are HTTPRoute; an application load balancer takes " +
				"gRPC by HTTPS only: use a listener of the protocol HTTPS"},
		{"what is no HTTP at all has none", `{name: a, port: 80, protocol: TCP, allowedRoutes: {kinds: [{kind: GRPCRoute}]}}`, 0,
			"InvalidRouteKinds: spec.listeners[0].allowedRoutes.kinds names GRPCRoute: none is served by the protocol TCP"},
	} {
		l := verdictOf(snapshotOf(t, "["+c.listener+"]")).listeners[0]
		got := ""
		if l.badKinds.any() {
			got = l.badKinds.reason + ": " + l.badKinds.message
		}
		if len(l.kinds) != c.kinds || got != c.want {
			t.Errorf("%s: %d kinds and %q, want %d and %q", c.why, len(l.kinds), got, c.kinds, c.want)
		}
	}
}

// TestCallsAreOnHTTPSListeners: of a Gateway with both, a GRPCRoute is on those of HTTPS.
func TestCallsAreOnHTTPSListeners(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, callListeners, callsWith(`{backendRefs: [{name: web, port: 80}]}`)))
	var got []string
	for _, r := range v.routes[0].fragment.Routes {
		got = append(got, fmt.Sprintln(r.Ports, r.Match.Hosts, r.Match.Calls, r.Forward.Backends[0].Service.Group.ProtocolVersion))
	}
	if diff := cmp.Diff([]string{"[443] [*.x.com] false GRPC\n"}, got); diff != "" {
		t.Error(diff)
	}
	route := v.routes[0].route.DeepCopy()
	v.routeStatus(v.routes[0], &route.Status.RouteStatus, up(80, 443))
	if got := words(route.Status.Parents[0].Conditions)["Accepted"]; got != "True/Accepted" {
		t.Errorf("it is accepted where one listener takes it: %s", got)
	}
	if plain, secure := v.attached(v.listeners[0], up(80, 443)), v.attached(v.listeners[1], up(80, 443)); plain != 0 || secure != 1 {
		t.Errorf("it is attached to the HTTPS listener alone: %d, %d", plain, secure)
	}
}

// TestCallsWithoutBackendEndUnavailable: clients of gRPC make UNAVAILABLE of 503, UNKNOWN of 500.
func TestCallsWithoutBackendEndUnavailable(t *testing.T) {
	t.Parallel()
	v := verdictOf(snapshotOf(t, callListeners, callsWith(`{backendRefs: [{name: absent, port: 80}]}`), callsWith(`{backendRefs: [{name: web, port: 80}, {name: absent, port: 80}]}`)))
	for _, j := range v.routes {
		for _, r := range j.fragment.Routes {
			if r.Fixed == nil || r.Fixed.StatusCode != http.StatusServiceUnavailable {
				t.Errorf("%s: %+v", r.Field, r)
			}
		}
	}
}

// TestSharedHosts: where HTTPRoutes have hosts of a GRPCRoute on a port, it takes calls only; and it does so in its last good state too, by
// the HTTPRoutes of now.
func TestSharedHosts(t *testing.T) {
	t.Parallel()
	const web = `{metadata: {namespace: app, name: web}, spec: {parentRefs: [{name: gw, namespace: infra%s}], hostnames: [%s], rules: [{backendRefs: [{name: web, port: 80}]}]}}`
	good := verdictOf(snapshotOf(t, callListeners, callsWith(`{backendRefs: [{name: web, port: 80}]}`))).routes[0].fragment
	for _, c := range []struct {
		why, web string
		want     bool
	}{
		{"a host under the wildcard", fmt.Sprintf(web, "", `a.x.com`), true},
		{"all hosts", fmt.Sprintf(web, "", ``), true},
		{"another host", fmt.Sprintf(web, "", `y.com`), false},
		{"another port", fmt.Sprintf(web, ", sectionName: plain", `a.x.com`), false},
	} {
		v := verdictOf(snapshotOf(t, callListeners, c.web, callsWith(`{matches: [{method: {service: a}}], backendRefs: [{name: web, port: 80}]}`)))
		now, then := v.routes[1].fragment.Routes, v.Request().Permit(good).Routes
		if len(now) != 1 || now[0].Match.Calls != c.want {
			t.Errorf("%s: %+v, want %v", c.why, now, c.want)
		}
		if len(then) != 1 || then[0].Match.Calls != c.want {
			t.Errorf("%s, with the last good state: %+v, want %v", c.why, then, c.want)
		}
	}
}

// TestPathsOfCallsThatMeet: who is closed by a mistake elsewhere is told by hosts and paths.
func TestPathsOfCallsThatMeet(t *testing.T) {
	t.Parallel()
	of := func(service, method string) intent.Path {
		return intent.Path{Kind: intent.PathCall, Value: service, Method: method}
	}
	expression := intent.Path{Kind: intent.PathCallRegex, Value: "a"}
	for _, c := range []struct {
		why          string
		a, b         intent.Path
		meet, yields bool
	}{
		{"one service", of("a", ""), of("a", "M"), true, true},
		{"the more specific one does not yield", of("a", "M"), of("a", ""), true, false},
		{"other services", of("a", ""), of("b", ""), false, false},
		{"a service and a method", of("", "M"), of("a", ""), true, true},
		{"all and one", of("", ""), of("a", "M"), true, true},
		{"nobody knows of expressions", of("", "M"), expression, true, false},
		{"nor the other way", expression, of("a", "M"), true, false},
	} {
		on := func(p intent.Path) intent.Route {
			return intent.Route{Ports: []int{443}, Match: intent.Match{Paths: []intent.Path{p}}}
		}
		if got := meet(on(c.a).Match, on(c.b).Match); got != c.meet {
			t.Errorf("%s: meet says %v", c.why, got)
		}
		if got := yields(on(c.a), on(c.b)); c.meet && got != c.yields {
			t.Errorf("%s: yields says %v", c.why, got)
		}
	}
}

func groupOf(t *testing.T, spec string) awsgwv1.TargetGroupConfiguration {
	t.Helper()
	out := awsgwv1.TargetGroupConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "x"}}
	parse(t, spec, &out.Spec)
	return out
}

// TestHealthOfCalls: of a configuration for both, calls have the gRPC codes and other requests those of HTTP.
func TestHealthOfCalls(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, callListeners, callsWith(`{backendRefs: [{name: web, port: 80}]}`), routeWith(`{backendRefs: [{name: web, port: 80}]}`))
	s.TargetGroups = append(s.TargetGroups, groupOf(t, `{targetReference: {name: web}, defaultConfiguration: {healthCheckConfig: {matcher: {grpcCode: "0", httpCode: "204"}}}}`))
	var got []string
	for _, j := range verdictOf(s).routes {
		got = append(got, j.fragment.Routes[0].Forward.Backends[0].Service.Group.HealthCheck.Matcher)
	}
	if diff := cmp.Diff([]string{"0", "204"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestMatcherIsOfTheProtocolVersion: a configuration may be for groups of both sorts, and what is for the other one is none of theirs.
func TestMatcherIsOfTheProtocolVersion(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, matcher, web, calls string }{
		{"both", `{grpcCode: "0", httpCode: "204"}`, "204", "0"},
		{"for HTTP only", `{httpCode: "204"}`, "204", ""},
		{"for calls only", `{grpcCode: "0"}`, "", "0"},
	} {
		config := groupOf(t, `{targetReference: {name: web}, defaultConfiguration: {healthCheckConfig: {matcher: `+c.matcher+`}}}`)
		s := snapshotOf(t, anyListener)
		s.TargetGroups = append(s.TargetGroups, config)
		service := &corev1.Service{}
		service.Namespace, service.Name = config.Namespace, "web"
		for kind, want := range map[string]string{kindHTTPRoute: c.web, kindGRPCRoute: c.calls} {
			got := (&translator{snapshot: s}).groupSettings(&route{kind: kind}, service).HealthCheck.Matcher
			if got != want {
				t.Errorf("%s: %s has the matcher %q, expected %q", c.why, kind, got, want)
			}
		}
	}
}
