package build

import (
	"fmt"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Limits of the actions that let only some requests through (ELBv2 API, AuthenticateOidcActionConfig, JwtValidationActionConfig).
const (
	maxSessionSeconds = 604800
	maxExtraParams    = 10
	maxClaims         = 10
	maxClaimValues    = 10
	maxTokenText      = 256
)

// actions are what a route does with requests on a port: first what lets only some through, then what answers. Where AWS cannot keep the
// others away, nobody is let through.
func (b *builder) actions(f *intent.Fragment, r *intent.Route, on *port) ([]model.Action, bool) {
	answer, ok := b.action(f, r, on)
	if ok && answer.Redirect == nil && on.closedTo(f) {
		answer = fixed(503)
	}
	if answer.FixedResponse != nil {
		b.keep(f, r)
	}
	if !ok || r.Auth == nil {
		return []model.Action{answer}, ok
	}
	at := place{routePlace(f, r).object, or(r.AuthField, r.Field)}
	guard, problem := guardOf(*r.Auth)
	if problem != "" {
		b.wrong(at, "InvalidAuthentication", "%s", problem)
		return nil, false
	}
	switch {
	case answer.Redirect != nil && on.protocol != protocolHTTPS || on.closedTo(f):
		return []model.Action{answer}, true // it serves nothing
	case b.onlyForwards(answer):
		b.report(at, model.Closed, "AuthenticationNeedsHTTP1", "AWS signs nobody in and checks no token before it forwards to a target group of "+
			"protocol version HTTP2 or GRPC: what is protected answers 503; check who calls in the backend, or serve it by HTTP1")
		return []model.Action{fixed(503)}, true
	case on.protocol == protocolHTTPS:
		return []model.Action{guard, answer}, true
	}
	b.findings[model.Finding{
		Object: at.object, Severity: model.Closed, Reason: "AuthenticationNeedsHTTPS", Field: at.field, Port: on.number, Message: fmt.Sprintf(
			"port %d is HTTP, on which AWS signs nobody in and checks no token: what is protected answers 503 there; redirect HTTP to "+
				"HTTPS, or serve HTTPS only", on.number),
	}] = true
	return []model.Action{fixed(503)}, true
}

// onlyForwards tells whether an action forwards to a group beside which AWS takes no other action (ALB guide, "Protocol version").
func (b *builder) onlyForwards(a model.Action) bool {
	return a.Forward != nil && slices.ContainsFunc(a.Forward.Groups, func(g model.WeightedGroup) bool {
		group := b.groups[g.Key]
		return group != nil && group.ProtocolVersion != versionHTTP1
	})
}

// transformsOf are the transforms of a route, which are for requests that are forwarded. Beside a fixed answer they mean nothing; those that an
// annotation asks for by their name stay there, as the incumbent has them.
func (b *builder) transformsOf(c *candidate, on *port, actions []model.Action) []model.Transform {
	asked := b.in.Order == intent.ByFragment && c.route.Auth == nil && !on.closedTo(c.fragment)
	if !asked && actions[len(actions)-1].FixedResponse != nil {
		return nil
	}
	return slices.Clone(c.route.Transforms)
}

// guardOf is an action that lets only some requests through with AWS's defaults, or what AWS would refuse of it.
func guardOf(a model.Action) (guard model.Action, problem string) {
	switch {
	case a.OIDC != nil:
		o := *a.OIDC
		o.Session = o.Session.WithDefaults()
		for _, at := range []string{o.Issuer, o.AuthorizationEndpoint, o.TokenEndpoint, o.UserInfoEndpoint} {
			if !strings.HasPrefix(at, "https://") {
				return a, fmt.Sprintf("%q is no URL that AWS calls: the issuer and the endpoints begin with https://", at)
			}
		}
		if o.ClientID == "" {
			return a, "the identifier of the client is missing"
		}
		return model.Action{Type: model.ActionOIDC, OIDC: &o}, sessionProblem(o.Session)
	case a.Cognito != nil:
		c := *a.Cognito
		c.Session = c.Session.WithDefaults()
		switch {
		case !strings.HasPrefix(string(c.UserPoolARN), "arn:") || !strings.Contains(string(c.UserPoolARN), ":cognito-idp:"):
			return a, fmt.Sprintf("%q is no ARN of a user pool", c.UserPoolARN)
		case c.UserPoolClientID == "" || c.UserPoolDomain == "":
			return a, "the client and the domain of the user pool are needed"
		}
		return model.Action{Type: model.ActionCognito, Cognito: &c}, sessionProblem(c.Session)
	case a.JWT != nil:
		return model.Action{Type: model.ActionJWT, JWT: a.JWT}, tokenProblem(*a.JWT)
	}
	return a, "it does not say how requests are let through"
}

func sessionProblem(s model.Session) string {
	switch {
	case !slices.Contains([]string{model.UnauthenticatedAllow, model.UnauthenticatedDeny, model.UnauthenticatedAuthenticate}, s.OnUnauthenticated):
		return fmt.Sprintf("a request that is not signed in meets authenticate, allow or deny, not %q", s.OnUnauthenticated)
	case s.TimeoutSeconds < 1 || s.TimeoutSeconds > maxSessionSeconds:
		return fmt.Sprintf("a session lasts 1 to %d seconds, not %d", maxSessionSeconds, s.TimeoutSeconds)
	case len(s.ExtraParams) > maxExtraParams:
		return fmt.Sprintf("a request to sign in has %d extra parameters at most, not %d", maxExtraParams, len(s.ExtraParams))
	}
	return ""
}

func tokenProblem(j model.JWT) string {
	switch {
	case !strings.HasPrefix(j.JWKSEndpoint, "https://") || len(j.JWKSEndpoint) > maxTokenText:
		return fmt.Sprintf("%q is no place of keys: a URL that begins with https:// and has %d characters at most", j.JWKSEndpoint, maxTokenText)
	case j.Issuer == "" || len(j.Issuer) > maxTokenText:
		return fmt.Sprintf("the issuer of tokens has 1 to %d characters", maxTokenText)
	case len(j.Claims) > maxClaims:
		return fmt.Sprintf("at most %d claims are checked besides issuer and times, not %d", maxClaims, len(j.Claims))
	}
	for _, c := range j.Claims {
		if problem := claimProblem(c); problem != "" {
			return problem
		}
	}
	return ""
}

func claimProblem(c model.Claim) string {
	switch {
	case c.Name == "" || slices.Contains([]string{"exp", "iss", "nbf", "iat"}, c.Name):
		return fmt.Sprintf("%q is no claim to check: exp, iss, nbf and iat are checked anyway", c.Name)
	case !slices.Contains([]string{"single-string", "string-array", "space-separated-values"}, c.Format):
		return fmt.Sprintf("the claim %s has the format %q: use single-string, string-array or space-separated-values", c.Name, c.Format)
	case len(c.Values) == 0 || len(c.Values) > maxClaimValues:
		return fmt.Sprintf("the claim %s has 1 to %d values", c.Name, maxClaimValues)
	case slices.ContainsFunc(c.Values, func(v string) bool { return v == "" || len(v) > maxTokenText }):
		return fmt.Sprintf("a value of the claim %s has 1 to %d characters", c.Name, maxTokenText)
	case c.Format == "space-separated-values" && slices.ContainsFunc(c.Values, func(v string) bool { return strings.Contains(v, " ") }):
		return fmt.Sprintf("a value of the claim %s has no space, for spaces are between values", c.Name)
	}
	return ""
}
