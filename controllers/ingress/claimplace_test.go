package ingress

import (
	"fmt"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// TestEveryPlaceOfAHostIsAsked: whatever a host comes from, one that is not claimed is a mistake that is told with the namespace, the
// host and how to mend it, and nothing else is one.
func TestEveryPlaceOfAHostIsAsked(t *testing.T) {
	t.Parallel()
	const condition = `[{"field":"host-header","hostHeaderConfig":{%s}}]`
	const path = "spec.rules[0].http.paths[0]"
	conditions := func(of string) *networkingv1.Ingress {
		return newIngress("conditions.web", fmt.Sprintf(condition, of))
	}
	host := func(name string) *networkingv1.Ingress {
		return with(func(ing *networkingv1.Ingress) { ing.Spec.Rules[0].Host = name })
	}
	for _, row := range []struct {
		why, hosts string
		ing        *networkingv1.Ingress
		// names are those of the certificate in Secret cert.
		names []string
		// field and host are what is told, empty for nothing.
		field, host string
	}{
		{why: "a rule", hosts: "b.example.com", ing: host("a.example.com"), field: path, host: "a.example.com"},
		{why: "no name has cases", hosts: "A.example.com", ing: host("a.Example.com")},
		{why: "a second rule", hosts: "a.example.com", ing: with(func(ing *networkingv1.Ingress) {
			ing.Spec.Rules = append(ing.Spec.Rules, ruleOf("b.example.com", pathTo("/", networkingv1.PathTypePrefix, "web", "80")))
		}), field: "spec.rules[1].http.paths[0]", host: "b.example.com"},
		{why: "a wildcard asks for more than a name of it", hosts: "a.example.com", ing: host("*.example.com"), field: path, host: "*.example.com"},
		{why: "a wildcard is claimed as it is written", hosts: "*.example.com", ing: host("*.example.com")},
		{why: "a wildcard below a claim", hosts: "*.example.com", ing: host("*.a.example.com")},
		{why: "a wildcard above a claim", hosts: "*.a.example.com", ing: host("*.example.com"), field: path, host: "*.example.com"},
		{why: "no host", hosts: "*.com", ing: host(""), field: path, host: "*, which is every host"},
		{why: "a rule without paths: its host has a certificate", hosts: "a.example.com", ing: with(func(ing *networkingv1.Ingress) {
			ing.Spec.Rules = append(ing.Spec.Rules, networkingv1.IngressRule{Host: "b.example.com"})
		}), field: "spec.rules[1].host", host: "b.example.com"},
		{why: "a rule without anything answers for no host", hosts: "a.example.com", ing: with(func(ing *networkingv1.Ingress) {
			ing.Spec.Rules = append(ing.Spec.Rules, networkingv1.IngressRule{})
		})},
		{why: "a condition beside a host that is claimed", hosts: "a.example.com", ing: conditions(`"values":["b.example.com"]`), field: path, host: "b.example.com"},
		{why: "the second of a condition", hosts: "*.example.com", ing: conditions(`"values":["b.example.com","b.example.net"]`), field: path, host: "b.example.net"},
		{why: "a pattern that reaches beyond the claim", hosts: "*.example.com,a.example.com", ing: conditions(`"values":["*example.com"]`), field: path, host: "*example.com"},
		{why: "a pattern for one letter", hosts: "a.example.com", ing: conditions(`"values":["?.example.com"]`), field: path, host: "?.example.com"},
		{why: "a pattern for everything", hosts: "*.example.com", ing: conditions(`"values":["*"]`), field: path, host: "*"},
		{why: "a regular expression", hosts: "*.example.com", ing: conditions(`"regexValues":["^a[.]example[.]com$"]`), field: path, host: "*, which the expression ^a[.]example[.]com$ needs"},
		{why: "a regular expression where every host is claimed", hosts: "*", ing: conditions(`"regexValues":["^a[.]example[.]com$"]`)},
		{why: "a default backend", hosts: "a.example.com", ing: with(func(ing *networkingv1.Ingress) {
			b := backendTo("web", "80")
			ing.Spec.DefaultBackend, ing.Spec.Rules = &b, nil
		}), field: "spec.defaultBackend", host: "*, which is every host"},
		{why: "the second host of TLS", hosts: "a.example.com", ing: with(func(ing *networkingv1.Ingress) {
			ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"a.example.com", "B.example.com"}}}
		}), field: "spec.tls[0].hosts", host: "B.example.com"},
		{why: "a Secret whose certificate is for more than is claimed", hosts: "a.example.com", ing: secured(),
			names: []string{"a.example.com", "b.example.com"}, field: "spec.tls[0].secretName", host: "b.example.com"},
		{why: "a Secret whose certificate is a wildcard", hosts: "a.example.com", ing: secured(),
			names: []string{"*.example.com"}, field: "spec.tls[0].secretName", host: "*.example.com"},
		{why: "a Secret whose certificate is within the claim", hosts: "*.example.com", ing: secured(), names: []string{"a.example.com"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			ref := model.SecretRef{Namespace: "shop", Name: "cert"}
			g := load(t, Implicit("shop", "web"), append(claiming(claimsRequired, row.hosts), row.ing)...)
			g.Secrets[ref] = intent.Secret{Ref: ref, Digest: "d", Domains: row.names}
			var got, want []string
			for _, f := range Request(g, settingsIP()).Findings {
				if f.Severity == model.Wrong {
					got = append(got, fmt.Sprintf("%s %s: %s", f.Reason, f.Field, f.Message))
				}
			}
			if row.host != "" {
				want = []string{fmt.Sprintf("%s %s: namespace shop may not claim %s: have it added to annotation headgate.dev/hosts of the Namespace, or use another host",
					ReasonHost, row.field, row.host)}
			}
			if fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("told is\n%q, want\n%q", got, want)
			}
		})
	}
}

// secured is the Ingress with a certificate of Secret cert.
func secured() *networkingv1.Ingress {
	return with(func(ing *networkingv1.Ingress) {
		ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"a.example.com"}, SecretName: "cert"}}
	})
}
