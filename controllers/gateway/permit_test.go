package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// TestPermit takes the fragment of a route that was good, changes who may do what, and looks at what is left.
func TestPermit(t *testing.T) {
	t.Parallel()
	const (
		listeners = `[{name: a, port: 80, protocol: HTTP, hostname: "*.x.com", allowedRoutes: {namespaces: {from: All}}},
			{name: b, port: 81, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]`
		route = `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [one.x.com, two.x.com],
			rules: [{backendRefs: [{name: web, namespace: infra, port: 80}]}]}}`
		grant = `{metadata: {namespace: infra, name: g}, spec: {
			from: [{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: app}], to: [{group: "", kind: Service}]}}`
	)
	for _, c := range []struct {
		why    string
		change func(*testing.T, *Snapshot)
		want   []string
	}{
		{"nothing changed", func(*testing.T, *Snapshot) {}, []string{"80 one.x.comtwo.x.com forward", "81 one.x.comtwo.x.com forward"}},
		{"the grant is withdrawn", func(_ *testing.T, s *Snapshot) { s.Grants = nil }, []string{"80 one.x.comtwo.x.com 500", "81 one.x.comtwo.x.com 500"}},
		{"a listener is gone", func(t *testing.T, s *Snapshot) {
			t.Helper()
			s.Gateway.Spec.Listeners = s.Gateway.Spec.Listeners[1:]
		}, []string{"81 one.x.comtwo.x.com forward"}},
		{"the listeners admit their own namespace only", func(_ *testing.T, s *Snapshot) {
			for i := range s.Gateway.Spec.Listeners {
				s.Gateway.Spec.Listeners[i].AllowedRoutes = nil
			}
		}, nil},
		{"a host name is narrowed", func(t *testing.T, s *Snapshot) {
			t.Helper()
			parse(t, `two.x.com`, &s.Gateway.Spec.Listeners[0].Hostname)
		}, []string{"80 two.x.com forward", "81 one.x.comtwo.x.com forward"}},
		{"access is restricted by what is not served", func(t *testing.T, s *Snapshot) {
			t.Helper()
			s.GatewayConfig = configOf(t, "c", `{listenerConfigurations: [{protocolPort: "HTTP:80", mutualAuthentication: {mode: passthrough}},
				{protocolPort: "HTTP:81", mutualAuthentication: {mode: passthrough}}]}`)
		}, []string{"80 one.x.comtwo.x.com 503", "81 one.x.comtwo.x.com 503"}},
	} {
		s := snapshotOf(t, listeners, route)
		g := gwv1beta1.ReferenceGrant{}
		parse(t, grant, &g)
		s.Grants = append(s.Grants, g)
		good := verdictOf(s).routes[0].fragment
		c.change(t, s)
		var got []string
		for _, r := range verdictOf(s).Request().Permit(good).Routes {
			got = append(got, map[int]string{80: "80 ", 81: "81 "}[r.Ports[0]]+join(r.Match.Hosts)+" "+answer(r))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("withdrawn permission is never kept: %s: %s", c.why, diff)
		}
	}
}

func TestPermitChangesNothingWithoutAReason(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: a, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}]`,
		`{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [x.com],
			rules: [{backendRefs: [{name: web, port: 80}]}, {filters: [{type: RequestRedirect, requestRedirect: {hostname: z.com}}]}]}}`)
	s.GatewayConfig = configOf(t, "c", `{sourceRanges: [10.0.0.0/8]}`)
	v := verdictOf(s)
	permit := v.Request().Permit
	for _, f := range v.Intent.Fragments {
		if diff := cmp.Diff(f, permit(f)); diff != "" {
			t.Errorf("invariant 1: %s: %s", f.Member, diff)
		}
	}
	s.GatewayConfig = configOf(t, "c", `{sourceRanges: [192.168.0.0/16]}`)
	gateway, earlier := v.Intent.Fragments[0], v.Intent.Fragments[1]
	earlier.Listeners = slices.Clone(earlier.Listeners)
	earlier.Listeners[0].Only, earlier.Listeners[0].InboundCIDRs = "", []string{"10.0.0.0/8"}
	permit = verdictOf(s).Request().Permit
	if got := permit(earlier).Listeners[0]; got.Only != intent.PartCertificates || len(got.InboundCIDRs) > 0 {
		t.Errorf("who may connect is the Gateway's to say, also where an earlier version had routes say it: %+v", got)
	}
	for _, listeners := range [][]intent.Listener{gateway.Listeners, nil} {
		gateway.Listeners = listeners
		got := permit(gateway).Listeners
		if len(got) != 1 || got[0].Only != intent.PartPort || join(got[0].InboundCIDRs) != "192.168.0.0/16" {
			t.Errorf("who may connect counts as it is said now, also where only routes had the port: %+v", got)
		}
	}
}

// TestWhoMayConnectNowCounts: what the configuration says of it takes effect although something else of the Gateway is wrong.
func TestWhoMayConnectNowCounts(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, before, now, want string }{
		{"as before", `{sourceRanges: [10.0.0.0/8]}`, `{sourceRanges: [10.0.0.0/8]}`, "10.0.0.0/8"},
		{"narrowed", `{sourceRanges: [0.0.0.0/0]}`, `{sourceRanges: [10.0.0.0/8]}`, "10.0.0.0/8"},
		{"narrowed to a prefix list", `{}`, `{securityGroupPrefixes: [pl-1]}`, "pl-1"},
		{"groups in place of everybody", `{sourceRanges: [0.0.0.0/0]}`,
			`{sourceRanges: [10.0.0.0/8], securityGroups: [sg-1], manageBackendSecurityGroupRules: true}`,
			"10.0.0.0/8 sg-1 true LoadBalancerConfiguration c-ns/c spec.securityGroups"},
		{"other groups", `{securityGroups: [sg-wide]}`, `{securityGroups: [sg-1]}`, "sg-1  LoadBalancerConfiguration c-ns/c spec.securityGroups"},
		{"ranges in place of groups", `{securityGroups: [sg-1]}`, `{sourceRanges: [10.0.0.0/8]}`, "10.0.0.0/8"},
	} {
		s := snapshotOf(t, anyListener, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		s.GatewayConfig = configOf(t, "c", c.before)
		good := verdictOf(s).Intent.Fragments[0]
		before := fmt.Sprint(good)
		s.GatewayConfig = configOf(t, "c", c.now)
		parse(t, `[{type: IPAddress, value: 10.1.1.1}]`, &s.Gateway.Spec.Addresses)
		v := verdictOf(s)
		if len(wrongOf(v.Findings, good.Member)) == 0 {
			t.Fatalf("%s: the Gateway is not wrong", c.why)
		}
		f := v.Request().Permit(good)
		got := join(slices.Concat(f.Listeners[0].InboundCIDRs, f.Listeners[0].PrefixLists)) + " " + join(f.Settings.SecurityGroups) + " " +
			f.Settings.ManageBackendRules + " " + f.Settings.Fields["securityGroups"]
		if diff := cmp.Diff(c.want, strings.TrimSpace(got)); diff != "" {
			t.Errorf("invariant 8: %s: %s", c.why, diff)
		}
		if fmt.Sprint(good) != before {
			t.Errorf("%s: the good fragment itself is changed", c.why)
		}
	}
}

func TestUnknownParametersOpenNothing(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, anyListener, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
	s.ParameterProblem = "spec.infrastructure.parametersRef names nothing"
	v := verdictOf(s)
	wrong := map[string]bool{}
	for _, f := range v.Findings {
		wrong[f.Object.String()] = f.Severity == model.Wrong
	}
	if diff := cmp.Diff(map[string]bool{"Gateway infra/gw": true, "HTTPRoute app/r": true}, wrong); diff != "" {
		t.Errorf("Gateway and routes are held as they were: %s", diff)
	}
	if req := v.Request(); !req.Anchor.Same(gatewayRef(s.Gateway)) {
		t.Errorf("anchor %v", req.Anchor)
	}
}

func TestRouteWithoutRulesMatchesEverything(t *testing.T) {
	t.Parallel()
	const head = `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}]`
	bare := verdictOf(snapshotOf(t, anyListener, head+`}}`)).Intent
	full := verdictOf(snapshotOf(t, anyListener, head+`, rules: [{matches: [{path: {type: PathPrefix, value: /}}]}]}}`)).Intent
	if diff := cmp.Diff(full, bare); diff != "" {
		t.Errorf("an absent field means its default: %s", diff)
	}
	var r intent.Route
	if r = bare.Fragments[1].Routes[0]; answer(r) != "500" {
		t.Errorf("no backend answers 500: %+v", r)
	}
}

// TestLostConfigurationOpensNothing takes the fragments of a Gateway under a configuration, loses the configuration, and looks at what
// of them serves on.
func TestLostConfigurationOpensNothing(t *testing.T) {
	t.Parallel()
	const (
		listeners = `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
			{name: b, port: 443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}]`
		route = `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [x.com],
			rules: [{backendRefs: [{name: web, port: 80}]}]}}`
	)
	for _, c := range []struct{ why, spec string }{
		{"source ranges", `{sourceRanges: [10.0.0.0/8]}`},
		{"prefix lists", `{securityGroupPrefixes: [pl-1]}`},
		{"security groups", `{securityGroups: [sg-1]}`},
		{"a firewall", `{wafV2: {webACL: arn}}`},
		{"client certificates", `{listenerConfigurations: [{protocolPort: "HTTPS:443", mutualAuthentication: {mode: passthrough}}]}`},
		{"a TLS policy", `{listenerConfigurations: [{protocolPort: "HTTPS:443", sslPolicy: strict, listenerAttributes: [{key: k, value: v}]}]}`},
		{"certificates", `{listenerConfigurations: [{protocolPort: "HTTPS:443", defaultCertificate: "arn:d"}]}`},
	} {
		for _, where := range []string{"Gateway", "class"} {
			s := snapshotOf(t, listeners, route)
			set := func(spec string) {
				s.GatewayConfig, s.ClassConfig, s.ParameterProblem = nil, nil, ""
				switch {
				case spec == "":
					s.ParameterProblem = "names a LoadBalancerConfiguration that does not exist"
				case where == "Gateway":
					s.GatewayConfig = configOf(t, "c", spec)
				default:
					s.ClassConfig = configOf(t, "c", spec)
				}
			}
			set(c.spec)
			before := verdictOf(s).Intent.Fragments
			set("")
			v := verdictOf(s)
			for _, f := range before {
				if diff := cmp.Diff(f, v.Request().Permit(f)); diff != "" {
					t.Errorf("invariant 8: %s of the %s are lost, and %s changes: %s", c.why, where, f.Member, diff)
				}
			}
			for _, f := range before {
				if len(wrongOf(v.Findings, f.Member)) == 0 {
					t.Errorf("%s of the %s are lost, and %s is served as it is written", c.why, where, f.Member)
				}
			}
		}
	}
}

func wrongOf(list []model.Finding, object model.ObjectRef) []model.Finding {
	var out []model.Finding
	for _, f := range ofSeverity(list, model.Wrong) {
		if f.Object.Same(object) {
			out = append(out, f)
		}
	}
	return out
}

// TestSharedPortLosesOnlyWhoIsNotAllowed narrows who may attach to one of two listeners that share a port.
func TestSharedPortLosesOnlyWhoIsNotAllowed(t *testing.T) {
	t.Parallel()
	const (
		listener  = `{name: %[1]s, port: 80, protocol: HTTP, hostname: %[1]s.com, allowedRoutes: {namespaces: {from: %[2]s}}}`
		route     = `{metadata: {namespace: %s, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], rules: [{backendRefs: [{name: web, port: 80}]}]}}`
		everybody = "All"
	)
	listeners := func(b string) string {
		return `[` + fmt.Sprintf(listener, "a", everybody) + `, ` + fmt.Sprintf(listener, "b", b) + `]`
	}
	routes := []string{fmt.Sprintf(route, "app"), fmt.Sprintf(route, "infra")}
	before := verdictOf(snapshotOf(t, listeners(everybody), routes...))
	after := verdictOf(snapshotOf(t, listeners("Same"), routes...))
	hosts := func(f intent.Fragment) string {
		var out []string
		for _, r := range f.Routes {
			out = append(out, join(r.Match.Hosts))
		}
		return strings.Join(out, " ")
	}
	want := map[string]string{"HTTPRoute app/r": "a.com", "HTTPRoute infra/r": "a.com b.com"}
	written, held := map[string]string{}, map[string]string{}
	for i, j := range before.routes {
		written[j.fragment.Member.String()] = hosts(after.routes[i].fragment)
		held[j.fragment.Member.String()] = hosts(after.Request().Permit(j.fragment))
	}
	if diff := cmp.Diff(want, written); diff != "" {
		t.Errorf("as written: %s", diff)
	}
	if diff := cmp.Diff(want, held); diff != "" {
		t.Errorf("withdrawn permission is never kept, and nobody else loses: %s", diff)
	}
}
