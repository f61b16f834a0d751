package gateway

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

func TestIntersect(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why      string
		listener string
		route    []gwv1.Hostname
		want     []string
		matches  bool
	}{
		{"neither names a host: any host", "", nil, nil, true},
		{"only the listener names one", "a.example.com", nil, []string{"a.example.com"}, true},
		{"only the route names one", "", []gwv1.Hostname{"a.example.com"}, []string{"a.example.com"}, true},
		{"a wildcard listener admits what it covers, several labels too", "*.example.com",
			[]gwv1.Hostname{"a.example.com", "b.c.example.com", "other.com"}, []string{"a.example.com", "b.c.example.com"}, true},
		{"a wildcard does not cover its own suffix", "*.example.com", []gwv1.Hostname{"example.com"}, nil, false},
		{"a wildcard route is narrowed to the listener", "a.example.com", []gwv1.Hostname{"*.example.com"}, []string{"a.example.com"}, true},
		{"the narrower of two wildcards", "*.example.com", []gwv1.Hostname{"*.b.example.com"}, []string{"*.b.example.com"}, true},
		{"host names do not tell case apart", "A.example.com", []gwv1.Hostname{"a.EXAMPLE.com"}, []string{"a.example.com"}, true},
		{"nothing in common", "a.example.com", []gwv1.Hostname{"b.example.com"}, nil, false},
	} {
		hostname := gwv1.Hostname(c.listener)
		l := &listener{Listener: gwv1.Listener{Hostname: &hostname}}
		got, ok := intersect(l.hostname(), c.route)
		if ok != c.matches || cmp.Diff(c.want, got) != "" {
			t.Errorf("%s: intersect(%q, %v) = %v, %v, want %v, %v", c.why, c.listener, c.route, got, ok, c.want, c.matches)
		}
	}
}

func TestJudgeListeners(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why       string
		listeners string
		// want is the reason of each listener's conflict, else of what is unsupported, else of its references.
		want []string
	}{
		{"one port, two hosts: fine", `[{name: a, port: 80, protocol: HTTP, hostname: a.com}, {name: b, port: 80, protocol: HTTP, hostname: b.com}]`,
			[]string{"", ""}},
		{"same port and host: neither wins, as the specification says", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP}]`,
			[]string{"HostnameConflict", "HostnameConflict"}},
		{"one port, two protocols: neither wins", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTPS, hostname: b.com}, {name: c, port: 81, protocol: HTTP}]`,
			[]string{"ProtocolConflict", "ProtocolConflict", ""}},
		{"protocols of a port conflict whatever the hosts", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTPS},
			{name: c, port: 80, protocol: HTTP, hostname: c.com}]`, []string{"ProtocolConflict", "ProtocolConflict", "ProtocolConflict"}},
		{"only those that share the host conflict", `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 80, protocol: HTTP},
			{name: c, port: 80, protocol: HTTP, hostname: c.com}]`, []string{"HostnameConflict", "HostnameConflict", ""}},
		{"an ALB has no TCP", `[{name: a, port: 80, protocol: TCP}]`, []string{"UnsupportedProtocol"}},
		{"an ALB does not pass TLS through", `[{name: a, port: 443, protocol: HTTPS, tls: {mode: Passthrough}}]`, []string{"UnsupportedValue"}},
		{"a kind that holds no certificates", `[{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{kind: Vault, name: s}]}}]`,
			[]string{"InvalidCertificateRef"}},
		{"a Secret of somebody else, who does not permit it", `[{name: a, port: 443, protocol: HTTPS, tls: {certificateRefs: [{name: s, namespace: app}]}}]`,
			[]string{"RefNotPermitted"}},
		{"kinds that are not served are named", `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {kinds: [{kind: TCPRoute}, {kind: HTTPRoute}]}}]`,
			[]string{"InvalidRouteKinds"}},
	} {
		s := snapshotOf(t, c.listeners)
		var got []string
		for _, l := range judge(s, s.parents()) {
			reason := l.refs.reason
			if l.unsupported.any() {
				reason = l.unsupported.reason
			}
			if l.conflict.any() {
				reason = l.conflict.reason
			}
			got = append(got, reason)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

func TestAttach(t *testing.T) {
	t.Parallel()
	const listeners = `
- {name: same, port: 80, protocol: HTTP}
- {name: selected, port: 8080, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: Selector, selector: {matchLabels: {team: a}}}}}`
	for _, c := range []struct {
		why, route, want string
	}{
		{"a route of another namespace, by its label", `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [x.example.com]}}`, ""},
		{"a namespace that the named listener does not allow", `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra, sectionName: same}]}}`, "NotAllowedByListeners"},
		{"a section that does not exist", `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra, sectionName: absent}]}}`, "NoMatchingParent"},
		{"section and port disagree", `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra, sectionName: same, port: 8080}]}}`, "NoMatchingParent"},
		{"no host in common", `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [other.com]}}`, "NoMatchingListenerHostname"},
	} {
		s := snapshotOf(t, listeners, c.route)
		parents := s.parents()
		got := (&translator{snapshot: s, parents: parents, listeners: judge(s, parents)}).attach(&s.Routes[0])
		if len(got) != 1 || got[0].refused.reason != c.want {
			t.Errorf("%s: refused %+v, want %q", c.why, got, c.want)
		}
	}
}
