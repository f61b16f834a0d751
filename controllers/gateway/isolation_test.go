package gateway

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// nested are listeners of one port, each within the one before it, and one of another port.
const nested = `[
	{name: all, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
	{name: wide, port: 80, protocol: HTTP, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}},
	{name: narrow, port: 80, protocol: HTTP, hostname: "*.foo.example.com", allowedRoutes: {namespaces: {from: All}}},
	{name: one, port: 80, protocol: HTTP, hostname: "a.foo.example.com", allowedRoutes: {namespaces: {from: All}}},
	{name: apart, port: 81, protocol: HTTP, hostname: "b.foo.example.com", allowedRoutes: {namespaces: {from: All}}}]`

// A request is for its most specific listener, and takes no route of another one.
func TestListenersAreIsolated(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, section, hosts string
		// want are the hosts of the route's rules, or of those that end what is for another listener.
		want, bounds []string
	}{
		{"any host but those of the others", "all", `[]`, []string{"*"}, []string{"*.example.com", "*.foo.example.com", "a.foo.example.com"}},
		{"a host of a narrower listener", "all", `[x.foo.example.com, example.org]`, []string{"example.org"},
			[]string{"*.example.com", "*.foo.example.com", "a.foo.example.com"}},
		{"the listener's own", "wide", `[]`, []string{"*.example.com"}, []string{"*.foo.example.com", "a.foo.example.com"}},
		{"a wildcard that another listener has whole", "wide", `["*.foo.example.com", "*.bar.foo.example.com", "*.bar.example.com"]`,
			[]string{"*.bar.example.com"}, []string{"*.foo.example.com", "a.foo.example.com"}},
		{"nothing is left for it", "narrow", `[a.foo.example.com]`, nil, []string{"a.foo.example.com"}},
		{"the most specific one has all", "one", `[]`, []string{"a.foo.example.com"}, nil},
		{"another port is another matter", "apart", `[]`, []string{"b.foo.example.com"}, nil},
	} {
		route := fmt.Sprintf(`{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra, sectionName: %s}], hostnames: %s,
			rules: [{matches: [{path: {value: /a}}], backendRefs: [{name: web, port: 80}]}]}}`, c.section, c.hosts)
		v := verdictOf(snapshotOf(t, nested, route))
		var got, bounds []string
		for _, f := range v.Intent.Fragments {
			for _, r := range f.Routes {
				switch {
				case r.Fixed != nil && r.Fixed.StatusCode == 404:
					bounds = append(bounds, r.Match.Hosts...)
				case len(r.Match.Hosts) == 0:
					got = append(got, "*")
				default:
					got = append(got, r.Match.Hosts...)
				}
			}
		}
		slices.Sort(bounds)
		if diff := cmp.Diff([][]string{c.want, c.bounds}, [][]string{got, bounds}); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

// What was good once keeps to the listeners of now.
func TestLastGoodRoutesLeaveHostsToNarrowerListeners(t *testing.T) {
	t.Parallel()
	const route = `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra, sectionName: all}],
		hostnames: [a.foo.example.com, example.org], rules: [{backendRefs: [{name: web, port: 80}]}]}}`
	old := verdictOf(snapshotOf(t, anyListener, `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}],
		hostnames: [a.foo.example.com, example.org], rules: [{backendRefs: [{name: web, port: 80}]}]}}`)).Intent.Fragments
	now := verdictOf(snapshotOf(t, nested, route))
	var hosts []string
	for _, r := range now.permit(old[1]).Routes {
		if slices.Contains(r.Match.Hosts, "example.org") {
			hosts = append(hosts, r.Match.Hosts...)
		}
	}
	if diff := cmp.Diff([]string{"example.org"}, hosts); diff != "" {
		t.Error(diff)
	}
	if got := now.permit(old[0]).Routes; len(got) != 3 {
		t.Errorf("the bounds of now are %+v", got)
	}
}

// What ends requests for a listener is asked for whatever its routes take: which of them are served is known to the build only.
func TestRequestsEndWhateverIsAskedFor(t *testing.T) {
	t.Parallel()
	const listeners = `[{name: all, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
		{name: one, port: 80, protocol: HTTP, hostname: a.example.com, allowedRoutes: {namespaces: {from: All}}}]`
	for _, c := range []struct{ why, rule string }{
		{"everything is taken", `{backendRefs: [{name: web, port: 80}]}`},
		{"everything would be, but for a wish that is refused", `{timeouts: {request: 1s}, backendRefs: [{name: web, port: 80}]}`},
	} {
		v := verdictOf(snapshotOf(t, listeners, fmt.Sprintf(`{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}],
			rules: [%s]}}`, c.rule)))
		if got := v.Intent.Fragments[0].Routes; len(got) != 1 || !got[0].Ends {
			t.Errorf("invariant 3: %s: bounds %+v, want one", c.why, got)
		}
	}
}
