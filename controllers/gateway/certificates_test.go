package gateway

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// grantOf lets Gateways of infra refer to Secrets of app, to all where no name is given.
func grantOf(t *testing.T, name string) gwv1beta1.ReferenceGrant {
	t.Helper()
	g := gwv1beta1.ReferenceGrant{}
	parse(t, `{metadata: {namespace: app, name: x}, spec: {from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: infra}],
		to: [{group: "", kind: Secret`+name+`}]}}`, &g)
	return g
}

// vault is what Secrets are read by in these tests: it notes their names, and those that begin with "no" are not there.
func vault(read *[]string) certificateReader {
	return func(_ context.Context, _ client.Reader, ref model.SecretRef) (intent.Secret, error) {
		*read = append(*read, ref.String())
		out := intent.Secret{Ref: ref, Digest: ref.String(), Domains: []string{"a.example.com"}}
		if ref.Name[:2] == "no" {
			out = intent.Secret{Ref: ref, Reason: "SecretNotFound", Problem: "there is none"}
		}
		return out, nil
	}
}

func TestCertificateRefs(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, refs string
		grants    []gwv1beta1.ReferenceGrant
		config    string
		// read are the Secrets that are looked at, imported those that the listener has.
		read, imported []string
		resolved       string
		programmed     string
	}{
		{"one of its own namespace", `{name: tls}`, nil, "", []string{"infra/tls"}, []string{"infra/tls"}, "True/ResolvedRefs", "True/Programmed"},
		{"it is written out", `{group: "", kind: Secret, name: tls, namespace: infra}`, nil, "", []string{"infra/tls"}, []string{"infra/tls"},
			"True/ResolvedRefs", "True/Programmed"},
		{"one that is not there", `{name: none}`, nil, "", []string{"infra/none"}, []string{"infra/none"}, "False/InvalidCertificateRef", ""},
		{"of another group", `{group: example.com, name: tls}`, nil, "", nil, []string{"infra/tls"}, "False/InvalidCertificateRef", ""},
		{"of another kind", `{kind: ConfigMap, name: tls}`, nil, "", nil, []string{"infra/tls"}, "False/InvalidCertificateRef", ""},
		{"of another namespace, which nobody permits: it is not even read", `{name: none, namespace: app}`, nil, "", nil, nil,
			"False/RefNotPermitted", "False/Invalid"},
		{"another one is permitted", `{name: tls, namespace: app}`, []gwv1beta1.ReferenceGrant{grantOf(t, ", name: other")}, "", nil, nil,
			"False/RefNotPermitted", "False/Invalid"},
		{"this one is permitted", `{name: tls, namespace: app}`, []gwv1beta1.ReferenceGrant{grantOf(t, ", name: tls")}, "", []string{"app/tls"},
			[]string{"app/tls"}, "True/ResolvedRefs", "True/Programmed"},
		{"all are permitted", `{name: tls, namespace: app}`, []gwv1beta1.ReferenceGrant{grantOf(t, "")}, "", []string{"app/tls"},
			[]string{"app/tls"}, "True/ResolvedRefs", "True/Programmed"},
		{"two, of which one is not permitted: the other serves", `{name: tls}, {name: tls, namespace: app}`, nil, "", []string{"infra/tls"},
			[]string{"infra/tls"}, "False/RefNotPermitted", "True/Programmed"},
		{"certificates that the configuration names go before", `{name: tls, namespace: app}`, nil, "arn:c", nil, nil,
			"False/RefNotPermitted", "True/Programmed"},
	} {
		s := snapshotOf(t, `[{name: a, port: 443, protocol: HTTPS, hostname: a.example.com, tls: {certificateRefs: [`+c.refs+`]}}]`)
		s.Grants = c.grants
		if c.config != "" {
			s.GatewayConfig = configOf(t, "gateway", `{listenerConfigurations: [{protocolPort: "HTTPS:443", defaultCertificate: "`+c.config+`"}]}`)
		}
		var read []string
		if err := s.loadSecrets(t.Context(), nil, vault(&read)); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(c.read, read); diff != "" {
			t.Errorf("%s: read: %s", c.why, diff)
		}
		v := verdictOf(s)
		var imported []string
		for _, l := range v.Intent.Fragments[0].Listeners {
			for _, one := range l.Secrets {
				imported = append(imported, one.Ref.String())
			}
			if len(l.DiscoverHosts) > 0 {
				t.Errorf("%s: certificates for %v are looked for beside", c.why, l.DiscoverHosts)
			}
		}
		if diff := cmp.Diff(c.imported, imported); diff != "" {
			t.Errorf("%s: imported: %s", c.why, diff)
		}
		v.gatewayStatus(s.Gateway, up(443))
		got := words(s.Gateway.Status.Listeners[0].Conditions)
		if got["ResolvedRefs"] != c.resolved || c.programmed != "" && got["Programmed"] != c.programmed {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

// TestWithdrawnSecretIsNotKept: of what was good once, only what is still permitted serves; and what was discovered or named needs no leave.
func TestWithdrawnSecretIsNotKept(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: a, port: 80, protocol: HTTP}]`)
	secretOf := func(namespace string) intent.Secret {
		return intent.Secret{Ref: model.SecretRef{Namespace: namespace, Name: "tls"}}
	}
	good := intent.Fragment{Member: gatewayRef(s.Gateway), Listeners: []intent.Listener{
		{Port: 443, Secrets: []intent.Secret{secretOf("infra"), secretOf("app")}}, {Port: 8443, Secrets: []intent.Secret{secretOf("app")}},
		{Port: 444, Certificates: []string{"arn:c"}}, {Port: 445, DiscoverHosts: []string{"a"}},
	}}
	for _, c := range []struct {
		why    string
		grants []gwv1beta1.ReferenceGrant
		want   []string
	}{
		{"it is permitted still", []gwv1beta1.ReferenceGrant{grantOf(t, "")}, []string{"443 infra app", "8443 app", "444", "445"}},
		{"it is not", nil, []string{"443 infra", "444", "445"}},
	} {
		for _, problem := range []string{"", "the parameters are lost"} {
			s.Grants, s.ParameterProblem = c.grants, problem
			var got []string
			for _, l := range verdictOf(s).permit(good).Listeners {
				line := []string{strconv.Itoa(l.Port)}
				for _, one := range l.Secrets {
					line = append(line, one.Ref.Namespace)
				}
				got = append(got, strings.Join(line, " "))
			}
			if diff := cmp.Diff(c.want, got); diff != "" {
				t.Errorf("%s %s: %s", c.why, problem, diff)
			}
		}
	}
	if len(good.Listeners[0].Secrets) != 2 {
		t.Error("what was good is changed itself")
	}
}

// TestRoutesLeaveAListenerWithoutLeave: a listener that may not have its certificate takes no traffic, though another one on its port does.
func TestRoutesLeaveAListenerWithoutLeave(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, `[{name: a, port: 443, protocol: HTTPS, hostname: a.example.com, tls: {certificateRefs: [{name: tls}]}},
		{name: b, port: 443, protocol: HTTPS, hostname: b.example.com, tls: {certificateRefs: [{name: tls, namespace: app}]}}]`,
		`{metadata: {namespace: infra, name: r}, spec: {parentRefs: [{name: gw}], rules: [{backendRefs: [{name: web, port: 80}]}]}}`)
	if err := s.loadSecrets(t.Context(), nil, vault(new([]string))); err != nil {
		t.Fatal(err)
	}
	v := verdictOf(s)
	var hosts []string
	for _, r := range v.Intent.Fragments[1].Routes {
		hosts = append(hosts, r.Match.Hosts...)
	}
	if !slices.Equal(hosts, []string{"a.example.com"}) {
		t.Errorf("served are %v", hosts)
	}
	v.gatewayStatus(s.Gateway, up(443))
	for _, l := range s.Gateway.Status.Listeners {
		want := map[gwv1.SectionName]string{"a": "True/Programmed", "b": "False/Invalid"}[l.Name]
		if got := words(l.Conditions)["Programmed"]; got != want || l.AttachedRoutes != 1 {
			t.Errorf("%s: %s with %d routes, want %s with one", l.Name, got, l.AttachedRoutes, want)
		}
	}
}

// TestRefusedRouteAsksForNoCertificates: the listener that it leads to asks for its own, as it does without routes.
func TestRefusedRouteAsksForNoCertificates(t *testing.T) {
	t.Parallel()
	const listeners = `[{name: a, port: 443, protocol: HTTPS, hostname: "*.example.com", allowedRoutes: {namespaces: {from: All}}}]`
	for _, c := range []struct {
		why, rule string
		want      []string
	}{
		{"a route that is served asks itself", `{backendRefs: [{name: web, port: 80}]}`, nil},
		{"one that is refused", `{timeouts: {request: 1s}, backendRefs: [{name: web, port: 80}]}`, []string{"*.example.com"}},
	} {
		v := verdictOf(snapshotOf(t, listeners, routeWith(c.rule)))
		var got []string
		for _, l := range v.Intent.Fragments[0].Listeners {
			got = append(got, l.DiscoverHosts...)
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("invariant 3: %s: %s", c.why, diff)
		}
	}
}
