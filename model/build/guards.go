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
	// maxTrustStores is the count of trust stores of one load balancer, which AWS never raises.
	maxTrustStores = 2
)

// actions are what a route does with requests on a port: first what lets only some through, then what answers. Where AWS cannot keep the
// others away, nobody is let through.
func (b *builder) actions(f *intent.Fragment, r *intent.Route, on *port) ([]model.Action, bool) {
	answer, ok := b.action(f, r, on)
	if !ok || r.Auth == nil {
		return []model.Action{answer}, ok
	}
	at := place{routePlace(f, r).object, or(r.AuthField, r.Field)}
	guard, problem := guardOf(*r.Auth)
	if problem != "" {
		b.wrong(at, "InvalidAuthentication", "%s", problem)
		return nil, false
	}
	if on.protocol == protocolHTTPS {
		return []model.Action{guard, answer}, true
	}
	if answer.Redirect != nil {
		return []model.Action{answer}, true // it serves nothing
	}
	b.report(at, model.Closed, "AuthenticationNeedsHTTPS", fmt.Sprintf(
		"port %d is HTTP, on which AWS signs nobody in and checks no token: what is protected answers 503 there; redirect HTTP to HTTPS, or serve HTTPS only",
		on.number))
	return []model.Action{fixed(503)}, true
}

// transformsOf are the transforms of a route, which are for requests that are forwarded.
func transformsOf(r *intent.Route, actions []model.Action) []model.Transform {
	if r.Auth != nil && actions[len(actions)-1].FixedResponse != nil {
		return nil
	}
	return slices.Clone(r.Transforms)
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

// mutualPlace is where mutual authentication was written.
func mutualPlace(w wish) place {
	if m := w.listener.MutualAuth; m != nil && m.Field != "" {
		return place{w.fragment.Member, m.Field}
	}
	return w.place()
}

// describeMutual settles whether the clients of a port show certificates.
func (b *builder) describeMutual(one *port) {
	var found []*model.MutualAuth
	claims := make([]claim, len(one.wishes))
	for i, w := range one.wishes {
		m := b.mutual(w, one)
		found = append(found, m)
		claims[i] = b.claim(w, setting{read: func(b *builder, w wish) (string, bool) { return mutualValue(b.usableMutual(w)) }})
		claims[i].at = mutualPlace(w)
		claims[i].asked = m != nil
	}
	won := decide(claims, "", func(lost, won claim) {
		b.wrong(lost.at, "ConflictingSetting", "conflicts with how %s asks for certificates of clients on port %d; use the same or another port",
			won.at.object, one.number)
	})
	if won >= 0 {
		one.mutual = found[won]
	}
}

func mutualValue(m *model.MutualAuth) (string, bool) {
	if m == nil {
		return "", false
	}
	return fmt.Sprintf("%s %s %t %s", m.Mode, m.TrustStore, m.IgnoreExpiry, m.AdvertiseNames), true
}

// mutual is how a member asks for certificates of clients, nil where it does not, or where AWS cannot do it, which is told.
func (b *builder) mutual(w wish, one *port) *model.MutualAuth {
	m := w.listener.MutualAuth
	if m == nil {
		return nil
	}
	at := mutualPlace(w)
	switch {
	case one.protocol != protocolHTTPS && m.Mode == model.MutualOff:
		return nil
	case one.protocol != protocolHTTPS:
		b.wrong(at, "InvalidMutualAuthentication", "port %d is HTTP, on which clients show no certificates: name an HTTPS port", one.number)
		return nil
	case !slices.Contains([]string{model.MutualOff, model.MutualPassthrough, model.MutualVerify}, m.Mode):
		b.wrong(at, "InvalidMutualAuthentication", "the mode %q is not off, passthrough or verify", m.Mode)
		return nil
	case m.Mode == model.MutualVerify && m.TrustStore == "":
		b.wrong(at, "InvalidMutualAuthentication", "port %d verifies certificates of clients and names no trust store: name one", one.number)
		return nil
	case m.Mode == model.MutualVerify && b.facts.TrustStores[m.TrustStore] == "":
		b.wrong(at, "TrustStoreNotFound", "there is no trust store %q in this account and region: create it, or name one that is there", m.TrustStore)
		return nil
	}
	out := b.usableMutual(w)
	if out.TrustStore != "" && !b.admits(out.TrustStore) {
		b.wrong(at, "TooManyTrustStores", "the load balancer uses %d trust stores already, which is all that AWS takes: use one of these", maxTrustStores)
		return nil
	}
	return out
}

// usableMutual is what a member asks for in AWS's words.
func (b *builder) usableMutual(w wish) *model.MutualAuth {
	m := w.listener.MutualAuth
	if m == nil {
		return nil
	}
	out := model.MutualAuth{
		Mode: m.Mode, TrustStore: b.facts.TrustStores[m.TrustStore], IgnoreExpiry: m.IgnoreExpiry, AdvertiseNames: m.AdvertiseNames,
	}.WithDefaults()
	return &out
}

// admits takes a trust store, where there is room for it.
func (b *builder) admits(store model.ARN) bool {
	if !slices.Contains(b.usage.trustStores, store) {
		if len(b.usage.trustStores) >= maxTrustStores {
			return false
		}
		b.usage.trustStores = append(b.usage.trustStores, store)
	}
	return true
}

// wantsClients tells whether somebody asks for certificates of clients, be it in a way that cannot be served.
func (one *port) wantsClients() bool {
	return slices.ContainsFunc(one.wishes, func(w wish) bool {
		return w.listener.MutualAuth != nil && w.listener.MutualAuth.Mode != model.MutualOff
	})
}
