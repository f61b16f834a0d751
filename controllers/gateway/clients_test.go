package gateway

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// authority is a certificate of an authority, in PEM, and nobody one that cannot be read.
const (
	authority = `-----BEGIN CERTIFICATE-----
MIIBpjCCAU2gAwIBAgIUDVp7A6KDgD2sCn3hUUwLhFX5XoQwCgYIKoZIzj0EAwIw
GjEYMBYGA1UEAwwPYXBpLmV4YW1wbGUuY29tMCAXDTI2MTEyMTEzNTA1MloYDzIx
MjYxMDI4MTM1MDUyWjAaMRgwFgYDVQQDDA9hcGkuZXhhbXBsZS5jb20wWTATBgcq
hkjOPQIBBggqhkjOPQMBBwNCAASKCP7znfXazuzkdI/AMhgA20nZWK/R0UVZuNJE
BgsN2hg7QpA6apTSH3ppP16T2CfRnBRfn+NIMrU/t1RLFufyo28wbTAdBgNVHQ4E
FgQU63Z+OTOZ8iRKlyCeu3ZdSpghLe0wHwYDVR0jBBgwFoAU63Z+OTOZ8iRKlyCe
u3ZdSpghLe0wDwYDVR0TAQH/BAUwAwEB/zAaBgNVHREEEzARgg9hcGkuZXhhbXBs
ZS5jb20wCgYIKoZIzj0EAwIDRwAwRAIgU6Pj/rfsnRo/b++kgGbJUvWCJAiGLHai
KBwkWjcpl/0CIHIxCQKMT5oTBdoABRY3asnImOxJoPEhJoz6n+pCz5h1
-----END CERTIFICATE-----`
	nobody = `-----BEGIN CERTIFICATE-----
MIIBRTCB7KADAgECAgEBMAoGCCqGSM49BAMCMBsxGTAXBgNVBAMTEHNob3AuZXhh
-----END CERTIFICATE-----`
)

func TestAuthoritiesAreRead(t *testing.T) {
	t.Parallel()
	held := func(namespace, name, key, text string) *corev1.ConfigMap {
		return &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string]string{key: text}}
	}
	s := snapshotOf(t, twoListeners)
	parse(t, `{frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: gone}, {group: "", kind: ConfigMap, name: other}, {group: "", kind: ConfigMap, name: well}, {group: "", kind: ConfigMap, name: cut},
		{group: "", kind: ConfigMap, name: bad}, {group: "", kind: ConfigMap, name: theirs, namespace: app}, {group: "", kind: Secret, name: secret}]}}}}`,
		&s.Gateway.Spec.TLS)
	api := fake.NewClientBuilder().WithObjects(held("infra", "other", "tls.crt", authority), held("infra", "bad", "ca.crt", nobody), held("infra", "cut", "ca.crt", authority+"\n"+nobody[:90]),
		held("infra", "well", "ca.crt", authority), held("app", "theirs", "ca.crt", authority)).Build()
	if err := s.loadAuthorities(t.Context(), api); err != nil {
		t.Fatal(err)
	}
	want := map[types.NamespacedName]string{
		{Namespace: "infra", Name: "gone"}: "there is no", {Namespace: "infra", Name: "other"}: "no certificate in PEM", {Namespace: "infra", Name: "bad"}: "cannot be read",
		{Namespace: "infra", Name: "cut"}: "can be read", {Namespace: "infra", Name: "well"}: "",
	}
	if len(s.Authorities) != len(want) {
		t.Errorf("read are %v", s.Authorities)
	}
	for name, problem := range want {
		if got := s.Authorities[name]; !strings.Contains(got.problem, problem) || (problem == "") != (got.problem == "") || (got.pem == "") == (problem == "") {
			t.Errorf("%s: %q, want %q", name, got.problem, problem)
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
		{"only who is valid", config("ca", ", mode: AllowValidOnly"), well, "verify clients/infra/ca", "forward", false},
		{"only who is valid, by several", strings.Replace(config("ca", ""), "[{", `[{group: "", kind: ConfigMap, name: more}, {`, 1), well, "verify clients/infra/more-HASH", "forward", false},
		{"one of two is there", strings.Replace(config("ca", ""), "[{", `[{group: "", kind: ConfigMap, name: gone}, {`, 1),
			"True/Accepted False/InvalidCACertificateRef True/Programmed", "verify clients/infra/gone-HASH", "forward", false},
		{"only who is valid, and nobody is known", config("gone", ""), "False/NoValidCACertificate False/InvalidCACertificateRef False/Invalid", "verify nobody", "forward", false},
		{"no authority is there", config("gone", ", mode: AllowInsecureFallback"), "False/NoValidCACertificate False/InvalidCACertificateRef False/Invalid", "", "", true},
		{"nobody permits it", config("ca, namespace: app", ""), "False/NoValidCACertificate False/RefNotPermitted False/Invalid", "", "", false},
		{"another kind", strings.Replace(config("ca", ""), "ConfigMap", "Service", 1), "False/NoValidCACertificate False/InvalidCACertificateKind False/Invalid", "verify nobody", "forward", false},
		{"one of two is there", strings.Replace(config("ca", ", mode: AllowInsecureFallback"), "[{", `[{group: "", kind: ConfigMap, name: gone}, {`, 1),
			"True/Accepted False/InvalidCACertificateRef True/Programmed", "passthrough", "forward", true},
	} {
		s := snapshotOf(t, both, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		parse(t, c.tls, &s.Gateway.Spec.TLS)
		s.Authorities = map[types.NamespacedName]authorities{
			{Namespace: "infra", Name: "ca"}: {pem: authority}, {Namespace: "infra", Name: "more"}: {pem: authority},
			{Namespace: "infra", Name: "gone"}: {problem: "there is none"}, {Namespace: "app", Name: "ca"}: {pem: authority},
		}
		v := keeping(s)
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
				mode = asked(l.MutualAuth)
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

// keeping judges with a bucket for authorities.
func keeping(s *Snapshot) *Verdict {
	set := Settings{ClusterName: "c", DefaultTargetType: "ip", DefaultScheme: "internal", Shelf: model.Shelf{Bucket: "authorities"}}
	return Judge(s, set, Owner("c", types.NamespacedName{Namespace: "infra", Name: "gw"}))
}

// asked is how clients show certificates, in words.
func asked(m *intent.MutualAuth) string {
	a := m.Authorities
	switch {
	case a == nil:
		return m.Mode
	case a.Problem != "":
		return m.Mode + " nobody"
	case a.Digest == "" || len(a.ConfigMaps) == 0:
		return m.Mode + " by nothing"
	}
	return m.Mode + " " + regexp.MustCompile("-[0-9a-f]{10}$").ReplaceAllString(a.ID, "-HASH")
}

// TestWhoCannotVerifyCloses: for want of a bucket, or where somebody says otherwise how clients are verified.
func TestWhoCannotVerifyCloses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, config, told string
		bucket            bool
	}{
		{"there is no bucket", ``, "--trust-store-bucket", false},
		{"a configuration names a trust store", `{mode: verify, trustStore: clients}`, "remove one of the two", true},
		{"a configuration lets everybody in", `{mode: "off"}`, "remove one of the two", true},
	} {
		s := snapshotOf(t, `[{name: secure, port: 443, protocol: HTTPS, hostname: x.com, allowedRoutes: {namespaces: {from: All}}}]`,
			routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		parse(t, `{frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}}}}`, &s.Gateway.Spec.TLS)
		s.Authorities = map[types.NamespacedName]authorities{{Namespace: "infra", Name: "ca"}: {pem: authority}}
		if c.config != "" {
			s.GatewayConfig = &awsgwv1.LoadBalancerConfiguration{}
			parse(t, `{listenerConfigurations: [{protocolPort: "HTTPS:443", mutualAuthentication: `+c.config+`}]}`, &s.GatewayConfig.Spec)
		}
		v := verdictOf(s)
		if c.bucket {
			v = keeping(s)
		}
		v.gatewayStatus(s.Gateway, up(443))
		programmed := s.Gateway.Status.Listeners[0].Conditions
		if got := words(programmed)["Programmed"]; got != "False/Invalid" || !strings.Contains(fmt.Sprint(programmed), c.told) {
			t.Errorf("invariant 8: %s: the listener says %v", c.why, programmed)
		}
		if got := answer(v.routes[0].fragment.Routes[0]); got != "503" {
			t.Errorf("invariant 8: %s: the route answers %s", c.why, got)
		}
		if m := v.Intent.Fragments[0].Listeners[0].MutualAuth; m == nil || !m.Unserved || m.Mode != model.MutualVerify {
			t.Errorf("invariant 8: %s: what AWS holds is switched off: %+v", c.why, m)
		}
		if closed := ofSeverity(v.Findings, model.Closed); len(closed) != 1 || !strings.Contains(closed[0].Message, c.told) {
			t.Errorf("invariant 8: %s: %v", c.why, v.Findings)
		}
	}
}

// TestWithdrawnAuthoritiesAreNotKept: what was good before stays for mistakes, and not for what nobody permits any more.
func TestWithdrawnAuthoritiesAreNotKept(t *testing.T) {
	t.Parallel()
	far := types.NamespacedName{Namespace: "app", Name: "ca"}
	grant := grantOf(t, "")
	grant.Spec.To[0].Kind = kindConfigMap
	s := snapshotOf(t, `[{name: secure, port: 443, protocol: HTTPS, hostname: x.com}]`)
	parse(t, `{frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca, namespace: app}]}}}}`, &s.Gateway.Spec.TLS)
	s.Grants = []gwv1beta1.ReferenceGrant{grant}
	s.Authorities = map[types.NamespacedName]authorities{far: {pem: authority}}
	good := keeping(s).Intent.Fragments[0]
	for _, c := range []struct {
		why    string
		grants []gwv1beta1.ReferenceGrant
		now    authorities
		want   string
	}{
		{"nothing changed", s.Grants, authorities{pem: authority}, "verify clients/app/ca, before verify clients/app/ca"},
		{"the ConfigMap is gone", s.Grants, authorities{problem: "there is none"}, "verify nobody, before verify clients/app/ca"},
		{"leave is withdrawn", nil, authorities{pem: authority}, ""},
	} {
		s.Grants, s.Authorities[far] = c.grants, c.now
		got := ""
		for _, l := range keeping(s).Request().Permit(good).Listeners {
			got = asked(l.MutualAuth)
			if l.MutualAuth.Good != nil {
				got += ", before " + asked(l.MutualAuth.Good)
			}
		}
		if got != c.want {
			t.Errorf("%s: clients are asked %q, want %q", c.why, got, c.want)
		}
	}
}

func TestAuthorityOfAnotherNamespaceNeedsLeave(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, twoListeners)
	parse(t, `{frontend: {default: {validation: {mode: AllowInsecureFallback, caCertificateRefs: [{group: "", kind: ConfigMap, name: ca, namespace: app}]}}}}`, &s.Gateway.Spec.TLS)
	s.Authorities = map[types.NamespacedName]authorities{{Namespace: "app", Name: "ca"}: {pem: authority}}
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

// A Gateway hears of each ConfigMap that it names, wherever it names it, and of no other.
func TestGatewaysHearOfTheirAuthorities(t *testing.T) {
	t.Parallel()
	g := &gwv1.Gateway{}
	parse(t, `{metadata: {namespace: infra, name: gw}, spec: {gatewayClassName: alb, listeners: `+twoListeners+`, tls: {frontend: {
		default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}},
		perPort: [{port: 443, tls: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: theirs, namespace: app}]}}}]}}}}`, g)
	w := newWorld(t, append(shop(t)[:1], g)...)
	for name, want := range map[string]int{"infra/ca": 1, "app/theirs": 1, "infra/theirs": 0, "app/ca": 0, "infra/other": 0} {
		namespace, name, _ := strings.Cut(name, "/")
		about := &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}
		if got := w.op.gatewaysOfConfigMap(t.Context(), about); len(got) != want {
			t.Errorf("%s/%s wakes %v", namespace, name, got)
		}
	}
}
