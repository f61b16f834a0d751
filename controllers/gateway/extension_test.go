package gateway

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// extendedBy is a snapshot with a route of rules in namespace app, a ListenerRuleConfiguration "login" there, and a client in Secret "idp".
func extendedBy(t *testing.T, spec string, rules ...string) *Snapshot {
	t.Helper()
	s := snapshotOf(t, anyListener, routeWith(strings.Join(rules, ", ")))
	if spec != "" {
		x := &awsgwv1.ListenerRuleConfiguration{}
		x.Namespace, x.Name = "app", "login"
		parse(t, spec, &x.Spec)
		s.Extensions = map[types.NamespacedName]*awsgwv1.ListenerRuleConfiguration{{Namespace: "app", Name: "login"}: x}
	}
	s.Clients = map[model.SecretRef]secret.Client{
		{Namespace: "app", Name: "idp"}:  {ID: "web", Digest: "d"},
		{Namespace: "app", Name: "none"}: {Reason: secret.ReasonMissing, Problem: "there is no Secret app/none"},
	}
	return s
}

const (
	oidcAction = `{type: authenticate-oidc, authenticateOIDCConfig: {issuer: "https://i", authorizationEndpoint: "https://a", tokenEndpoint: "https://t",
		userInfoEndpoint: "https://u", secret: {name: %s}, scope: email, sessionTimeout: 60, onUnauthenticatedRequest: deny, sessionCookieName: c,
		authenticationRequestExtraParams: {a: b}}}`
	cognitoAction = `{type: authenticate-cognito, authenticateCognitoConfig: {userPoolArn: "arn:pool", userPoolClientId: id, userPoolDomain: d}}`
	jwtAction     = `{type: jwt-validation, jwtValidationConfig: {issuer: i, jwksEndpoint: "https://k", additionalClaims: [{format: string-array, name: scp, values: [b, a]}]}}`
	fixedAction   = `{type: fixed-response, fixedResponseConfig: {statusCode: 418, contentType: text/html, messageBody: tea}}`
)

func actions(list ...string) string { return `{actions: [` + strings.Join(list, ", ") + `]}` }

// line is what a route does, in a line.
func line(r intent.Route) string {
	out := answer(r)
	if r.Fixed != nil {
		out = strconv.Itoa(r.Fixed.StatusCode)
	}
	switch {
	case r.Auth == nil:
	case r.Auth.OIDC != nil:
		o := r.Auth.OIDC
		out = fmt.Sprintf("oidc %s %s %s %+v, %s", o.ClientID, o.Secret, o.Digest, o.Session, out)
	case r.Auth.Cognito != nil:
		out = "cognito " + string(r.Auth.Cognito.UserPoolARN) + ", " + out
	case r.Auth.JWT != nil:
		out = fmt.Sprintf("jwt %+v, %s", *r.Auth.JWT, out)
	}
	if r.Forward != nil && r.Forward.StickySeconds > 0 {
		out += fmt.Sprintf(" for %d s", r.Forward.StickySeconds)
	}
	if r.Redirect != nil && r.Redirect.Query != nil {
		out += " with " + *r.Redirect.Query
	}
	if len(r.Match.SourceIPs) > 0 {
		out += " from " + strings.Join(r.Match.SourceIPs, " ")
	}
	if len(r.Tags) > 0 {
		out += fmt.Sprintf(" tagged %v", r.Tags)
	}
	return out
}

func TestListenerRuleConfiguration(t *testing.T) {
	t.Parallel()
	const filter = `, filters: [` + extension + `]`
	plain := pathRule("/", filter)
	for _, c := range []struct {
		why, spec, rule string
		// want is what the route of each match does on the first listener; problem a part of the finding that closes the rule.
		want    []string
		problem string
	}{
		{"users sign in", actions(fmt.Sprintf(oidcAction, "idp")), plain,
			[]string{"oidc web app/idp d {OnUnauthenticated:deny Scope:email Cookie:c TimeoutSeconds:60 ExtraParams:map[a:b]}, forward"}, ""},
		{"by a user pool, then an answer", actions(cognitoAction, fixedAction), plain, []string{"cognito arn:pool, 418"}, ""},
		{"tokens", actions(jwtAction), plain,
			[]string{"jwt {Issuer:i JWKSEndpoint:https://k Claims:[{Name:scp Format:string-array Values:[a b]}]}, forward"}, ""},
		{"an answer of its own", actions(fixedAction), plain, []string{"418"}, ""},
		{"stickiness by default", actions(`{type: forward, forwardConfig: {targetGroupStickinessConfig: {enabled: true}}}`), plain, []string{"forward for 3600 s"}, ""},
		{"stickiness", actions(`{type: forward, forwardConfig: {targetGroupStickinessConfig: {enabled: true, durationSeconds: 60}}}`), plain, []string{"forward for 60 s"}, ""},
		{"stickiness that is off", actions(`{type: forward, forwardConfig: {targetGroupStickinessConfig: {durationSeconds: 60}}}`), plain, []string{"forward"}, ""},
		{"the query of a redirect", actions(`{type: redirect, redirectConfig: {query: a=b}}`),
			`{filters: [{type: RequestRedirect, requestRedirect: {hostname: x.com}}, ` + extension + `]}`, []string{"redirect with a=b"}, ""},
		{"addresses for all matches", `{conditions: [{field: source-ip, sourceIPConfig: {values: [10.0.0.0/8]}}], tags: {a: b}}`,
			`{matches: [{path: {value: /a}}, {path: {value: /b}}], backendRefs: [{name: web, port: 80}]` + filter + `}`,
			[]string{"forward from 10.0.0.0/8 tagged map[a:b]", "forward from 10.0.0.0/8 tagged map[a:b]"}, ""},
		{"addresses for one of them", `{conditions: [{field: source-ip, matchIndexes: [1], sourceIPConfig: {values: [10.0.0.0/8]}}]}`,
			`{matches: [{path: {value: /a}}, {path: {value: /b}}], backendRefs: [{name: web, port: 80}]` + filter + `}`,
			[]string{"forward", "forward from 10.0.0.0/8"}, ""},
		{"it is not there", "", plain, []string{"503"}, "create it"},
		{"the client is not there", actions(fmt.Sprintf(oidcAction, "none")), plain, []string{"503"}, "app/none"},
		{"two ways to check", actions(fmt.Sprintf(oidcAction, "idp"), jwtAction), plain, []string{"503"}, "two ways"},
		{"an action without its configuration", actions(`{type: jwt-validation}`), plain, []string{"503"}, "no configuration"},
		{"an action that nobody knows", actions(`{type: captcha}`), plain, []string{"503"}, "nobody knows"},
		{"a condition that cannot be read", `{conditions: [{field: source-ip}]}`, plain, []string{"503"}, "spec.conditions[0]"},
		{"an address that is none", `{conditions: [{field: source-ip, sourceIPConfig: {values: [10.0.0.0/8, 10.0.0.0/99]}}]}`, plain, []string{"503"},
			"spec.conditions[0].sourceIPConfig.values[1]"},
		{"addresses for a match that is not there", `{conditions: [{field: source-ip, matchIndexes: [1], sourceIPConfig: {values: [10.0.0.0/8]}}]}`, plain,
			[]string{"503"}, "names match 1, and the rule has 1"},
		{"addresses for a match before the first", `{conditions: [{field: source-ip, matchIndexes: [-1], sourceIPConfig: {values: [10.0.0.0/8]}}]}`, plain,
			[]string{"503"}, "names match -1"},
		{"addresses twice", `{conditions: [{field: source-ip, sourceIPConfig: {values: [10.0.0.0/8]}}, {field: source-ip, sourceIPConfig: {values: [10.1.0.0/16]}}]}`,
			plain, []string{"503"}, "spec.conditions[0] and spec.conditions[1]"},
		{"addresses for a match each", `{conditions: [{field: source-ip, matchIndexes: [0], sourceIPConfig: {values: [10.0.0.0/8]}},
			{field: source-ip, matchIndexes: [1], sourceIPConfig: {values: [10.1.0.0/16]}}]}`,
			`{matches: [{path: {value: /a}}, {path: {value: /b}}], backendRefs: [{name: web, port: 80}]` + filter + `}`,
			[]string{"forward from 10.0.0.0/8", "forward from 10.1.0.0/16"}, ""},
		{"two for one rule", actions(fixedAction), pathRule("/", `, filters: [`+extension+`, `+extension+`]`), []string{"503"}, "has one"},
	} {
		v := verdictOf(extendedBy(t, c.spec, c.rule))
		var got []string
		for _, r := range v.routes[0].fragment.Routes {
			if r.Ports[0] == 80 {
				got = append(got, line(r))
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
		closed := ofSeverity(v.Findings, model.Closed)
		if (len(closed) > 0) != (c.problem != "") || c.problem != "" && !strings.Contains(closed[0].Message, c.problem) {
			t.Errorf("invariant 8: %s: %v", c.why, v.Findings)
		}
	}
}

// TestGoodRouteIsGuardedAsNow: a route that has a mistake by now serves what it did, behind what its owner says now of who is let through.
func TestGoodRouteIsGuardedAsNow(t *testing.T) {
	t.Parallel()
	const mistake = `{matches: [{path: {value: /m}}], timeouts: {request: 1s}}`
	guard, filter := actions(jwtAction), `, filters: [`+extension+`]`
	for _, c := range []struct {
		why, before, spec string
		now, want         []string
	}{
		{"a guard is new", pathRule("/", ""), guard, []string{pathRule("/", filter)}, []string{"jwt, forward"}},
		{"a guard was there and stays", pathRule("/", filter), guard, []string{pathRule("/", filter)}, []string{"jwt, forward"}},
		{"what lies under a guarded path and is written no more is closed", pathRule("/a/b", ""), guard, []string{pathRule("/a", filter)}, []string{"503"}},
		{"what is open by its owner's word stays open", pathRule("/a/b", ""), guard, []string{pathRule("/a", filter), pathRule("/a/b", "")}, []string{"forward"}},
		{"addresses are new", pathRule("/", ""), `{conditions: [{field: source-ip, sourceIPConfig: {values: [10.0.0.0/8]}}]}`, []string{pathRule("/", filter)},
			[]string{"503"}},
	} {
		good := verdictOf(extendedBy(t, c.spec, c.before)).routes[0].fragment
		v := verdictOf(extendedBy(t, c.spec, append(c.now, mistake)...))
		var got []string
		for _, r := range v.Request().Permit(good).Routes {
			if r.Ports[0] == 80 {
				text, _, found := strings.Cut(line(r), " {")
				if found {
					text += ", forward"
				}
				got = append(got, text)
			}
		}
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("invariant 8: %s: %s", c.why, diff)
		}
	}
}
