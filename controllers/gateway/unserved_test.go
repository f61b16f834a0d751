package gateway

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

// told are findings as "Severity object field".
func told(list []model.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, string(f.Severity)+" "+f.Object.String()+" "+f.Field)
	}
	return out
}

const twoListeners = `[{name: a, port: 80, protocol: HTTP}, {name: b, port: 443, protocol: HTTPS, hostname: x.com}]`

func TestFindingNamesTheConfigurationThatAsks(t *testing.T) {
	t.Parallel()
	const mutual = `mutualAuthentication: {mode: passthrough}`
	for _, c := range []struct {
		why, class, gateway string
		want                []string
	}{
		{"each its own", `{disableSecurityGroup: true}`, `{listenerConfigurations: [{protocolPort: "HTTP:80", ` + mutual + `}]}`, []string{
			"Warning LoadBalancerConfiguration class-ns/class spec.disableSecurityGroup",
			"Closed LoadBalancerConfiguration gateway-ns/gateway spec.listenerConfigurations[0].mutualAuthentication",
		}},
		{"by their own index", `{listenerConfigurations: [{protocolPort: "HTTPS:443"}]}`,
			`{listenerConfigurations: [{protocolPort: "HTTP:80", ` + mutual + `}]}`,
			[]string{"Closed LoadBalancerConfiguration gateway-ns/gateway spec.listenerConfigurations[0].mutualAuthentication"}},
		{"the index is that of the list as it is written", `{listenerConfigurations: [{protocolPort: "HTTPS:443"}]}`,
			`{listenerConfigurations: [{protocolPort: "HTTPS:443", alpnPolicy: HTTP2Only}, {protocolPort: "HTTP:80", ` + mutual + `}]}`,
			[]string{"Closed LoadBalancerConfiguration gateway-ns/gateway spec.listenerConfigurations[1].mutualAuthentication"}},
		{"what the class says otherwise asks for nothing", `{listenerConfigurations: [{protocolPort: "HTTP:80"}], disableSecurityGroup: true}`,
			`{listenerConfigurations: [{protocolPort: "HTTP:80", ` + mutual + `}], disableSecurityGroup: true}`,
			[]string{"Warning LoadBalancerConfiguration class-ns/class spec.disableSecurityGroup"}},
		{"what the Gateway says otherwise, where it goes first", `{mergingMode: prefer-gateway, listenerConfigurations: [{protocolPort: "HTTP:80", ` + mutual + `}]}`,
			`{listenerConfigurations: [{protocolPort: "HTTP:80", mutualAuthentication: {mode: "off"}}]}`, nil},
	} {
		s := snapshotOf(t, twoListeners)
		s.ClassConfig, s.GatewayConfig = configOf(t, "class", c.class), configOf(t, "gateway", c.gateway)
		v := verdictOf(s)
		if diff := cmp.Diff(c.want, told(v.Findings)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		if got, want := v.translator.closes(v.listeners[0]), len(ofSeverity(v.Findings, model.Closed)) > 0; got != want {
			t.Errorf("%s: closed %v, told %v", c.why, got, want)
		}
	}
}

func TestSettingsNameTheConfigurationThatTheyAreOf(t *testing.T) {
	t.Parallel()
	got := mergeConfigs(configOf(t, "class", `{scheme: internal, tags: {a: b}}`), configOf(t, "gateway", `{scheme: internal, loadBalancerName: x, securityGroups: []}`)).settings().Fields
	want := map[string]string{
		"scheme": "LoadBalancerConfiguration class-ns/class spec.scheme", "tags": "LoadBalancerConfiguration class-ns/class spec.tags",
		"name": "LoadBalancerConfiguration gateway-ns/gateway spec.loadBalancerName",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestEntryOfNoListenerIsTold(t *testing.T) {
	t.Parallel()
	const entry = "LoadBalancerConfiguration gateway-ns/gateway spec.listenerConfigurations"
	for _, c := range []struct {
		why, class, gateway string
		want                []string
	}{
		{"both are there", ``, `{listenerConfigurations: [{protocolPort: "HTTP:80"}, {protocolPort: "HTTPS:443"}]}`, nil},
		{"another port", ``, `{listenerConfigurations: [{protocolPort: "HTTP:80"}, {protocolPort: "HTTPS:8443"}]}`, []string{"Warning " + entry + "[1].protocolPort"}},
		{"another protocol", ``, `{listenerConfigurations: [{protocolPort: "HTTP:443"}]}`, []string{"Warning " + entry + "[0].protocolPort"}},
		{"no port", ``, `{listenerConfigurations: [{protocolPort: "HTTPS:"}]}`, []string{"Warning " + entry + "[0].protocolPort"}},
		{"twice the same", ``, `{listenerConfigurations: [{protocolPort: "HTTP:80"}, {protocolPort: "HTTP:80"}]}`, []string{"Warning " + entry + "[1].protocolPort"}},
		{"a class is for other Gateways too", `{listenerConfigurations: [{protocolPort: "HTTPS:8443", sslPolicy: x}]}`, ``, nil},
		{"but what restricts access there is told", `{listenerConfigurations: [{protocolPort: "HTTPS:8443", mutualAuthentication: {mode: passthrough}}]}`, ``,
			[]string{"Warning LoadBalancerConfiguration class-ns/class spec.listenerConfigurations[0].protocolPort"}},
	} {
		s := snapshotOf(t, twoListeners)
		if c.class != "" {
			s.ClassConfig = configOf(t, "class", c.class)
		}
		if c.gateway != "" {
			s.GatewayConfig = configOf(t, "gateway", c.gateway)
		}
		v := verdictOf(s)
		if diff := cmp.Diff(c.want, told(v.Findings)); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
			continue
		}
		for _, f := range v.Findings {
			if !strings.Contains(f.Message, "HTTP:80, HTTPS:443") && !strings.Contains(f.Message, "listenerConfigurations[0]") {
				t.Errorf("%s: the message names neither the listeners that there are nor the first entry: %s", c.why, f.Message)
			}
		}
	}
}

func TestSecondEntryOfAListenerClosesToo(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, twoListeners)
	s.GatewayConfig = configOf(t, "c", `{listenerConfigurations: [{protocolPort: "HTTPS:443"}, {protocolPort: "HTTPS:443", mutualAuthentication: {mode: passthrough}}]}`)
	if v := verdictOf(s); !v.translator.closes(v.listeners[1]) {
		t.Errorf("invariant 8: what restricts access closes wherever it is written: %v", v.Findings)
	}
}

func TestAnnotationsOfOtherKindsAreToldOnAGateway(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: a, port: 80, protocol: HTTP}]`)
	s.Gateway.Annotations = map[string]string{
		"service.beta.kubernetes.io/aws-load-balancer-scheme": "internet-facing", "alb.ingress.kubernetes.io/scheme": "internet-facing",
		"gateway-api/skip-this-for-readiness": "true",
	}
	v := verdictOf(s)
	name := s.Gateway.Namespace + "/" + s.Gateway.Name
	want := []string{
		"Warning Gateway " + name + " metadata.annotations[alb.ingress.kubernetes.io/scheme]",
		"Warning Gateway " + name + " metadata.annotations[service.beta.kubernetes.io/aws-load-balancer-scheme]",
	}
	if diff := cmp.Diff(want, told(v.Findings)); diff != "" {
		t.Error(diff)
	}
}
