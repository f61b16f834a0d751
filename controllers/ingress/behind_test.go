package ingress

import (
	"strings"
	"testing"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/headgate/headgate/controllers/annotations"
)

// TestSignInBehindAWeightedAction: what one Service of several asks for is never dropped.
func TestSignInBehindAWeightedAction(t *testing.T) {
	const split = `{"type":"forward","forwardConfig":{"targetGroups":[` +
		`{"serviceName":"web","servicePort":80,"weight":90},{"serviceName":"next","servicePort":80,"weight":10}]}}`
	const foreign = `{"type":"forward","forwardConfig":{"targetGroups":[` +
		`{"serviceName":"web","servicePort":80,"weight":90},{"targetGroupARN":"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/t/1","weight":10}]}}`
	login := []string{annotations.AuthType, "cognito", annotations.AuthCognito, pool}
	other := []string{annotations.AuthType, "cognito", annotations.AuthCognito, strings.Replace(pool, `"c"`, `"other"`, 1)}
	off := []string{annotations.AuthType, "none"}
	rows := []struct {
		why                  string
		ingress, first, next []string
		action, want, told   string
	}{
		{why: "nobody asks", want: "open"},
		{why: "both ask for the same", first: login, next: login, want: "authenticate-cognito"},
		{why: "one asks", first: login, want: "closed", told: "of Service web: Service next answers"},
		{why: "the other one asks", next: login, want: "closed", told: "of Service next: Service web answers"},
		{why: "they ask for two things", first: login, next: other, want: "closed", told: "of Service web: Service next"},
		{why: "one lets all in", first: login, next: off, want: "closed", told: "of Service web: Service next"},
		{why: "beside a target group without a Service", first: login, action: foreign, want: "closed", told: "target group arn:aws"},
		{why: "a misspelt key", next: []string{"auth-typ", "oidc"}, want: "closed", told: "of Service next: "},
		{why: "a kind that is none", next: []string{annotations.AuthType, "saml"}, want: "closed", told: "of Service next: "},
		{why: "the Ingress asks", ingress: login, want: "authenticate-cognito"},
		{why: "the Ingress and one Service ask for the same", ingress: login, first: login, want: "authenticate-cognito"},
		{why: "one Service alone cannot exempt", ingress: login, first: off, want: "authenticate-cognito"},
		{why: "one Service asks for another thing than the Ingress", ingress: login, next: other, want: "closed", told: "of Service next"},
		{why: "both want another thing than the Ingress", ingress: login, first: other, next: other, want: "authenticate-cognito"},
		{why: "tokens", ingress: []string{annotations.JWTValidation, jwt}, want: "jwt-validation"},
		{why: "tokens and sign-in", ingress: []string{annotations.JWTValidation, jwt}, first: login, next: login, want: "closed", told: "cannot be combined"},
		{why: "tokens, and one Service asks", ingress: []string{annotations.JWTValidation, jwt}, first: login, want: "closed", told: "of Service web"},
	}
	for _, row := range rows {
		action := split
		if row.action != "" {
			action = row.action
		}
		ing := newIngress(append([]string{annotations.Actions + ".split", action}, row.ingress...)...)
		ing.Spec.Rules = []networkingv1.IngressRule{ruleOf("a.example.com", pathTo("/", networkingv1.PathTypePrefix, "split", useAnnotation))}
		next := newService("next", row.next...)
		next.UID = "u-2"
		req := requestOf(t, ing, newService("web", row.first...), next, newClass("alb", ""))
		if got := strings.Join(guardsOf(req), " "); got != row.want {
			t.Errorf("%s: %s, want %s (%v)", row.why, got, row.want, req.Findings)
		}
		var messages []string
		for _, f := range req.Findings {
			messages = append(messages, f.Message)
		}
		told := strings.Join(messages, "; ")
		if !strings.Contains(told, row.told) || row.told == "" && told != "" {
			t.Errorf("%s: told %q, want %q", row.why, told, row.told)
		}
	}
}
