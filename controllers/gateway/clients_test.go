package gateway

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/headgate/headgate/model"
)

// authority is a certificate of nobody, in PEM.
const authority = `-----BEGIN CERTIFICATE-----
MIIBRTCB7KADAgECAgEBMAoGCCqGSM49BAMCMBsxGTAXBgNVBAMTEHNob3AuZXhh
-----END CERTIFICATE-----`

func TestAuthoritiesAreRead(t *testing.T) {
	t.Parallel()
	held := func(namespace, name, key, text string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{key: text}}
	}
	s := snapshotOf(t, twoListeners)
	parse(t, `{frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: gone}, {group: "", kind: ConfigMap, name: other},
		{group: "", kind: ConfigMap, name: bad}, {group: "", kind: ConfigMap, name: theirs, namespace: app}, {group: "", kind: Secret, name: secret}]}}}}`,
		&s.Gateway.Spec.TLS)
	api := fake.NewClientBuilder().WithObjects(held("infra", "other", "tls.crt", authority), held("infra", "bad", "ca.crt", authority),
		held("app", "theirs", "ca.crt", authority)).Build()
	if err := s.loadAuthorities(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	want := map[types.NamespacedName]string{
		{Namespace: "infra", Name: "gone"}: "there is no", {Namespace: "infra", Name: "other"}: "no certificate in PEM", {Namespace: "infra", Name: "bad"}: "no certificate in PEM",
	}
	if len(s.Authorities) != len(want) {
		t.Errorf("read are %v", s.Authorities)
	}
	for name, problem := range want {
		if !strings.Contains(s.Authorities[name], problem) {
			t.Errorf("%s: %q, want %q", name, s.Authorities[name], problem)
		}
	}
}

func TestCertificatesOfClients(t *testing.T) {
	t.Parallel()
	const (
		both = `[{name: web, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}, {name: secure, port: 443, protocol: HTTPS, hostname: x.com, allowedRoutes: {namespaces: {from: All}}}]`
		well = "True/Accepted True/ResolvedRefs True/Programmed"
	)
	config := func(name, more string) string {
		return `{frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ` + name + `}]` + more + `}}}}`
	}
	for _, c := range []struct {
		why, tls string
		// want are the conditions of the HTTPS listener, mode how it asks for certificates, answer what its routes do.
		want, mode, answer string
		fallback           bool
	}{
		{"nothing is asked", `{frontend: {default: {}}}`, well, "", "forward", false},
		{"everybody is let in", config("ca", ", mode: AllowInsecureFallback"), well, "passthrough", "forward", true},
		{"only who is valid: that is not served, and closes", config("ca", ", mode: AllowValidOnly"), "True/Accepted True/ResolvedRefs False/Invalid", "", "503", false},
		{"no authority is there", config("gone", ", mode: AllowInsecureFallback"), "False/NoValidCACertificate False/InvalidCACertificateRef False/Invalid", "", "", true},
		{"nobody permits it", config("ca, namespace: app", ""), "False/NoValidCACertificate False/RefNotPermitted False/Invalid", "", "", false},
		{"another kind", strings.Replace(config("ca", ""), "ConfigMap", "Service", 1), "False/NoValidCACertificate False/InvalidCACertificateKind False/Invalid", "", "", false},
		{"one of two is there", strings.Replace(config("ca", ", mode: AllowInsecureFallback"), "[{", `[{group: "", kind: ConfigMap, name: gone}, {`, 1),
			"True/Accepted False/InvalidCACertificateRef True/Programmed", "passthrough", "forward", true},
	} {
		s := snapshotOf(t, both, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		parse(t, c.tls, &s.Gateway.Spec.TLS)
		s.Authorities = map[types.NamespacedName]string{{Namespace: "infra", Name: "ca"}: "", {Namespace: "infra", Name: "gone"}: "there is none", {Namespace: "app", Name: "ca"}: ""}
		v := verdictOf(s)
		v.gatewayStatus(s.Gateway, up(80, 443))
		all := words(s.Gateway.Status.Listeners[1].Conditions)
		if got := strings.Join([]string{all["Accepted"], all["ResolvedRefs"], all["Programmed"]}, " "); got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
		if got := words(s.Gateway.Status.Listeners[0].Conditions)["Programmed"]; got != "True/Programmed" {
			t.Errorf("%s: the HTTP listener is %s", c.why, got)
		}
		if _, told := words(s.Gateway.Status.Conditions)["InsecureFrontendValidationMode"]; told != c.fallback {
			t.Errorf("%s: the fallback is told of: %v", c.why, told)
		}
		mode, answered := "", ""
		for _, l := range v.Intent.Fragments[0].Listeners {
			if l.MutualAuth != nil {
				mode = l.MutualAuth.Mode
			}
		}
		for _, r := range v.routes[0].fragment.Routes {
			if r.Ports[0] == 443 {
				answered = answer(r)
			}
		}
		if mode != c.mode || answered != c.answer {
			t.Errorf("invariant 8: %s: asks in mode %q and answers %q", c.why, mode, answered)
		}
		if n := len(ofSeverity(v.Findings, model.Closed)); (n > 0) != (c.answer == "503") {
			t.Errorf("%s: %v", c.why, v.Findings)
		}
	}
}

func TestAuthorityOfAnotherNamespaceNeedsLeave(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, twoListeners)
	parse(t, `{frontend: {default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca, namespace: app}]}}}}`, &s.Gateway.Spec.TLS)
	s.Authorities = map[types.NamespacedName]string{{Namespace: "app", Name: "ca"}: ""}
	grant := grantOf(t, "")
	grant.Spec.To[0].Kind = kindConfigMap
	for _, c := range []struct {
		grants []gwv1beta1.ReferenceGrant
		want   string
	}{{nil, "RefNotPermitted"}, {[]gwv1beta1.ReferenceGrant{grantOf(t, "")}, "RefNotPermitted"}, {[]gwv1beta1.ReferenceGrant{grant}, ""}} {
		s.Grants = c.grants
		got := judge(s, s.parents())[1].refs.reason
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("with %d grants: %s", len(c.grants), diff)
		}
	}
}
