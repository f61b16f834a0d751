package gateway

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

func configOf(t *testing.T, name, spec string) *awsgwv1.LoadBalancerConfiguration {
	t.Helper()
	c := &awsgwv1.LoadBalancerConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: name + "-ns", Name: name}}
	parse(t, spec, &c.Spec)
	return c
}

func TestMergeConfigs(t *testing.T) {
	t.Parallel()
	const (
		class = `{scheme: internal, tags: {a: class, b: class}, loadBalancerAttributes: [{key: x, value: class}],
			listenerConfigurations: [{protocolPort: "HTTP:80", sslPolicy: class}], securityGroups: [sg-class]%s}`
		gateway = `{scheme: internet-facing, loadBalancerName: mine, tags: {b: gateway, c: gateway}, loadBalancerAttributes: [{key: x, value: gateway}, {key: z, value: gateway}],
			listenerConfigurations: [{protocolPort: "HTTP:80", sslPolicy: gateway}, {protocolPort: "HTTPS:443", sslPolicy: gateway}],
			securityGroups: [sg-gateway], minimumLoadBalancerCapacity: {capacityUnits: 5}, defaultTargetGroupConfiguration: {name: d}}`
	)
	for _, c := range []struct{ why, mode, winner string }{
		{"the class wins where it says nothing of it", "", "class"},
		{"the class wins", ", mergingMode: prefer-gateway-class", "class"},
		{"the Gateway wins", ", mergingMode: prefer-gateway", "gateway"},
	} {
		got := mergeConfigs(configOf(t, "class", fill(class, c.mode)), configOf(t, "gateway", gateway))
		scheme := map[string]string{"class": "internal", "gateway": "internet-facing"}[c.winner]
		if string(*got.spec.Scheme) != scheme || *got.spec.LoadBalancerName != "mine" {
			t.Errorf("%s: scheme %s, name %s", c.why, *got.spec.Scheme, *got.spec.LoadBalancerName)
		}
		settings := got.settings()
		if diff := cmp.Diff(map[string]string{"a": "class", "b": c.winner, "c": "gateway"}, settings.Tags); diff != "" {
			t.Errorf("%s: tags by key: %s", c.why, diff)
		}
		if diff := cmp.Diff(map[string]string{"x": c.winner, "z": "gateway"}, settings.Attributes); diff != "" {
			t.Errorf("%s: attributes by key: %s", c.why, diff)
		}
		if diff := cmp.Diff([]string{"sg-" + c.winner}, settings.SecurityGroups); diff != "" {
			t.Errorf("%s: lists whole: %s", c.why, diff)
		}
		if l := got.spec.ListenerConfigurations; len(l) != 2 || *l[0].SSLPolicy != c.winner {
			t.Errorf("%s: listeners by protocol and port: %+v", c.why, l)
		}
		if got.spec.MinimumLoadBalancerCapacity == nil || got.defaultGroup().String() != "gateway-ns/d" {
			t.Errorf("%s: what only one says counts, from its own namespace: %+v, %s", c.why, got.spec, got.defaultGroup())
		}
	}
}

func fill(format, mode string) string {
	return format[:len(format)-len("%s}")] + mode + "}"
}

func TestConfigOfOneSide(t *testing.T) {
	t.Parallel()
	one := configOf(t, "one", `{scheme: internal}`)
	for why, got := range map[string]config{"the class": mergeConfigs(one, nil), "the Gateway": mergeConfigs(nil, one)} {
		if got.settings().Scheme != "internal" || len(got.parts) != 1 || got.parts[0].object.Name != "one" {
			t.Errorf("only %s has a configuration: %+v", why, got)
		}
	}
	if got := mergeConfigs(nil, nil).settings(); got.Scheme != "" || len(got.Tags) > 0 {
		t.Errorf("no configuration asks for nothing: %+v", got)
	}
}

func TestConfigSettings(t *testing.T) {
	t.Parallel()
	got := mergeConfigs(nil, configOf(t, "c", `{ipAddressType: dualstack, manageBackendSecurityGroupRules: true,
		loadBalancerSubnets: [{identifier: subnet-1}, {identifier: named}], loadBalancerSubnetsSelector: {tier: [a, b]}}`)).settings()
	if got.IPAddressType != "dualstack" || got.ManageBackendRules != "true" || cmp.Diff([]string{"subnet-1", "named"}, got.Subnets) != "" ||
		cmp.Diff(map[string][]string{"tier": {"a", "b"}}, got.SubnetTags) != "" {
		t.Errorf("%+v", got)
	}
}

func TestWhatRestrictsAccessAndIsNotServedCloses(t *testing.T) {
	t.Parallel()
	const listeners = `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}, {name: b, port: 443, protocol: HTTPS, hostname: x.com, allowedRoutes: {namespaces: {from: All}}}]`
	for _, c := range []struct {
		why, spec string
		want      []string
		findings  int
	}{
		{"nothing is restricted", `{}`, []string{"forward", "forward"}, 0},
		{"client certificates where AWS asks for them", `{listenerConfigurations: [{protocolPort: "HTTPS:443", mutualAuthentication: {mode: passthrough}}]}`, []string{"forward", "forward"}, 0},
		{"client certificates without TLS", `{listenerConfigurations: [{protocolPort: "HTTP:80", mutualAuthentication: {mode: passthrough}}]}`, []string{"503", "forward"}, 1},
		{"client certificates by two entries that differ", `{listenerConfigurations: [{protocolPort: "HTTPS:443", mutualAuthentication: {mode: passthrough}},
			{protocolPort: "HTTPS:443", mutualAuthentication: {mode: verify, trustStore: x}}]}`, []string{"forward", "503"}, 2},
		{"client certificates that are off", `{listenerConfigurations: [{protocolPort: "HTTPS:443", mutualAuthentication: {mode: "off"}}]}`, []string{"forward", "forward"}, 0},
	} {
		s := snapshotOf(t, listeners, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		s.GatewayConfig = configOf(t, "c", c.spec)
		v := verdictOf(s)
		var got []string
		for _, r := range v.routes[0].fragment.Routes {
			got = append(got, answer(r))
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("invariant 8: %s: %s", c.why, diff)
		}
		if len(v.Findings) != c.findings {
			t.Errorf("invariant 8: %s: %d findings: %v", c.why, len(v.Findings), v.Findings)
		}
	}
}

func TestListenersOfAGateway(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: HTTPS, hostname: x.com},
		{name: c, port: 8443, protocol: HTTPS, allowedRoutes: {namespaces: {from: All}}}, {name: d, port: 9443, protocol: HTTPS}]`,
		`{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [y.com]}}`)
	s.GatewayConfig = configOf(t, "c", `{sourceRanges: [10.0.0.0/8], listenerConfigurations: [
		{protocolPort: "HTTPS:9443", defaultCertificate: "arn:d", certificates: ["arn:e"], sslPolicy: strict}]}`)
	v := verdictOf(s)
	var got []string
	for _, l := range v.Intent.Fragments[0].Listeners {
		got = append(got, l.Field+" "+l.Protocol+" "+join(l.DiscoverHosts)+join(l.Certificates)+l.SSLPolicy+string(l.Only))
		if cmp.Diff([]string{"10.0.0.0/8"}, l.InboundCIDRs) != "" {
			t.Errorf("port %d admits %v", l.Port, l.InboundCIDRs)
		}
	}
	want := []string{"spec.listeners[0] HTTP ", "spec.listeners[1] HTTPS x.com", "spec.listeners[2] HTTPS port", "spec.listeners[3] HTTPS arn:darn:estrict"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("a listener that names neither certificate nor host leaves that to its routes: %s", diff)
	}
	route := v.Intent.Fragments[1].Listeners
	asked := []intent.Listener{{
		Port: 8443, Protocol: "HTTPS", Only: intent.PartCertificates, DiscoverHosts: []string{"y.com"}, Field: "spec.hostnames",
	}}
	if diff := cmp.Diff(asked, route); diff != "" {
		t.Errorf("the route asks for the certificate of its host, and for nothing else of the port: %s", diff)
	}
}

// TestCertificatesAreFoundByTheHostsOfRoutes: for a listener with a wildcard it is the hosts of its routes that count, as the incumbent
// has it.
func TestCertificatesAreFoundByTheHostsOfRoutes(t *testing.T) {
	t.Parallel()
	const route = `{metadata: {namespace: app, name: r}, spec: {parentRefs: [{name: gw, namespace: infra}], hostnames: [%s]}}`
	const listener = `{name: %s, port: 443, protocol: HTTPS, hostname: "%s", allowedRoutes: {namespaces: {from: All}}}`
	for _, c := range []struct {
		why            string
		hosts          []string
		route          string
		gateway, asked []string
	}{
		{"the listener's own host", []string{"a.x.com"}, "a.x.com", []string{"a.x.com"}, nil},
		{"the hosts under its wildcard", []string{"*.x.com"}, "b.x.com, a.x.com, other.com", []string{"port"}, []string{"a.x.com,b.x.com"}},
		{"the wildcard where the route names no host", []string{"*.x.com"}, "", []string{"port"}, []string{"*.x.com"}},
		{"the wildcard where no route is", []string{"*.x.com"}, "other.com", []string{"*.x.com"}, nil},
		{"one port, several wildcards: asked for at once", []string{"*.x.com", "*.y.com"}, "a.x.com, a.y.com", []string{"port", "port"}, []string{"a.x.com,a.y.com"}},
	} {
		var listeners []string
		for i, h := range c.hosts {
			listeners = append(listeners, fmt.Sprintf(listener, string(rune('a'+i)), h))
		}
		v := verdictOf(snapshotOf(t, "["+strings.Join(listeners, ", ")+"]", fmt.Sprintf(route, c.route)))
		hosts := func(list []intent.Listener) []string {
			var out []string
			for _, l := range list {
				one := strings.Join(l.DiscoverHosts, ",")
				if l.Only == intent.PartPort {
					one += "port"
				}
				out = append(out, one)
			}
			return out
		}
		if diff := cmp.Diff(c.gateway, hosts(v.Intent.Fragments[0].Listeners)); diff != "" {
			t.Errorf("%s: of the Gateway: %s", c.why, diff)
		}
		if diff := cmp.Diff(c.asked, hosts(v.routes[0].fragment.Listeners)); diff != "" {
			t.Errorf("%s: of the route: %s", c.why, diff)
		}
		if f := v.routes[0].fragment; cmp.Diff(f, v.Request().Permit(f)) != "" {
			t.Errorf("invariant 1: %s: %s", c.why, cmp.Diff(f, v.Request().Permit(f)))
		}
	}
}

func join(list []string) string { return strings.Join(list, "") }

func TestTargetGroupSettings(t *testing.T) {
	t.Parallel()
	const (
		base     = `defaultConfiguration: {healthCheckConfig: {healthCheckPath: /base}, protocol: HTTPS, tags: {a: base, b: base}, targetGroupAttributes: [{key: k, value: base}]}`
		specific = `routeConfigurations: [
			{routeIdentifier: {kind: HTTPRoute}, targetGroupProps: {healthCheckConfig: {healthCheckPath: /kind}}},
			{routeIdentifier: {kind: HTTPRoute, namespace: app, name: r}, targetGroupProps: {healthCheckConfig: {healthCheckPath: /name}, tags: {b: name}, targetGroupAttributes: [{key: k, value: name}]}},
			{routeIdentifier: {kind: HTTPRoute, namespace: app}, targetGroupProps: {healthCheckConfig: {healthCheckPath: /namespace}}},
			{routeIdentifier: {kind: GRPCRoute, namespace: app, name: r}, targetGroupProps: {healthCheckConfig: {healthCheckPath: /other}}}]`
	)
	named := func(namespace, name, spec string) awsgwv1.TargetGroupConfiguration {
		c := awsgwv1.TargetGroupConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		parse(t, spec, &c.Spec)
		return c
	}
	for _, c := range []struct {
		why         string
		configs     []awsgwv1.TargetGroupConfiguration
		route       string
		path, proto string
		tag         string
	}{
		{"none", nil, "r", "", "", ""},
		{"of another Service", []awsgwv1.TargetGroupConfiguration{named("app", "x", `{targetReference: {name: api}, `+base+`}`)}, "r", "", "", ""},
		{"of a Service of that name elsewhere", []awsgwv1.TargetGroupConfiguration{named("infra", "x", `{targetReference: {name: web}, `+base+`}`)}, "r", "", "", ""},
		{"of the Service", []awsgwv1.TargetGroupConfiguration{named("app", "x", `{targetReference: {name: web}, `+base+`}`)}, "r", "/base", "HTTPS", "base"},
		{"for the route by name", []awsgwv1.TargetGroupConfiguration{named("app", "x", `{targetReference: {name: web}, `+base+`, `+specific+`}`)}, "r", "/name", "HTTPS", "name"},
		{"for the route by namespace", []awsgwv1.TargetGroupConfiguration{named("app", "x", `{targetReference: {name: web}, `+base+`, `+specific+`}`)}, "s", "/namespace", "HTTPS", "base"},
		{"the default one", []awsgwv1.TargetGroupConfiguration{named("c-ns", "d", `{`+base+`}`)}, "r", "/base", "HTTPS", "base"},
		{"the Service's goes before the default one", []awsgwv1.TargetGroupConfiguration{named("c-ns", "d", `{`+base+`}`),
			named("app", "x", `{targetReference: {name: web}, defaultConfiguration: {healthCheckConfig: {healthCheckPath: /own}}}`)}, "r", "/own", "", ""},
	} {
		s := snapshotOf(t, anyListener)
		s.TargetGroups = c.configs
		s.GatewayConfig = configOf(t, "c", `{defaultTargetGroupConfiguration: {name: d}}`)
		v := verdictOf(s)
		asRead, _ := routeOf(&gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: c.route}})
		got := v.translator.groupSettings(&asRead, &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "web"}})
		if got.HealthCheck.Path != c.path || got.Protocol != c.proto || got.Tags["b"] != c.tag || got.Attributes["k"] != c.tag {
			t.Errorf("%s: %+v", c.why, got)
		}
	}
}

func TestTargetGroupSettingsNameWhereTheyAreWritten(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, anyListener, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
	group := awsgwv1.TargetGroupConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "x"}}
	parse(t, `{targetReference: {name: web}, defaultConfiguration: {targetType: ip, protocol: HTTP, healthCheckConfig: {healthCheckPath: /a, healthCheckTimeout: 900}},
		routeConfigurations: [{routeIdentifier: {kind: GRPCRoute}, targetGroupProps: {}}, {routeIdentifier: {kind: HTTPRoute}, targetGroupProps: {protocol: TCP, tags: {a: b}}}]}`, &group.Spec)
	s.TargetGroups = append(s.TargetGroups, group)
	const at = "TargetGroupConfiguration app/x spec."
	want := map[string]string{
		"targetType": at + "defaultConfiguration.targetType", "protocol": at + "routeConfigurations[1].targetGroupProps.protocol",
		"tags": at + "routeConfigurations[1].targetGroupProps.tags", "healthCheck.path": at + "defaultConfiguration.healthCheckConfig.healthCheckPath",
		"healthCheck.timeoutSeconds": at + "defaultConfiguration.healthCheckConfig.healthCheckTimeout",
	}
	got := verdictOf(s).routes[0].fragment.Routes[0].Forward.Backends[0].Service.Group.Fields
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("invariant 8: a mistake is the route's, and its place is in another object: %s", diff)
	}
}

func TestHealthCheckOf(t *testing.T) {
	t.Parallel()
	var h awsgwv1.HealthCheckConfiguration
	parse(t, `{healthCheckInterval: 10, healthCheckPath: /x, healthCheckPort: "81", healthCheckProtocol: HTTPS, healthCheckTimeout: 4,
		healthyThresholdCount: 2, unhealthyThresholdCount: 5}`, &h)
	got := healthCheckOf(h)
	want := model.HealthCheck{
		Protocol: "HTTPS", Port: "81", Path: "/x", IntervalSeconds: 10, TimeoutSeconds: 4, HealthyThreshold: 2, UnhealthyThreshold: 5,
	}
	if model.HealthCheck(got) != want {
		t.Errorf("%+v", got)
	}
}
