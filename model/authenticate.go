package model

import (
	"cmp"
	"maps"
	"slices"
)

// The types of actions that come before the one that answers (ELBv2 API, Action.Type). They need HTTPS.
const (
	ActionOIDC    = "authenticate-oidc"
	ActionCognito = "authenticate-cognito"
	ActionJWT     = "jwt-validation"
)

// What happens to a request that is not signed in (ELBv2 API, OnUnauthenticatedRequest).
const (
	UnauthenticatedDeny         = "deny"
	UnauthenticatedAllow        = "allow"
	UnauthenticatedAuthenticate = "authenticate"
)

// Session is how users stay signed in.
type Session struct {
	// OnUnauthenticated is deny, allow or authenticate.
	OnUnauthenticated string `json:"onUnauthenticated,omitempty"`
	// Scope is what the provider is asked for, words with spaces between them.
	Scope  string `json:"scope,omitempty"`
	Cookie string `json:"cookie,omitempty"`
	// TimeoutSeconds is 1 to 604800.
	TimeoutSeconds int `json:"timeoutSeconds,omitempty"`
	// ExtraParams go to the provider with a request to sign in.
	ExtraParams map[string]string `json:"extraParams,omitempty"`
}

// WithDefaults fills AWS's defaults in.
func (s Session) WithDefaults() Session {
	for at, value := range map[*string]string{
		&s.OnUnauthenticated: UnauthenticatedAuthenticate, &s.Scope: "openid", &s.Cookie: "AWSELBAuthSessionCookie",
	} {
		if *at == "" {
			*at = value
		}
	}
	if s.TimeoutSeconds == 0 {
		s.TimeoutSeconds = 604800
	}
	if len(s.ExtraParams) == 0 {
		s.ExtraParams = nil
	}
	return s
}

// OIDC signs users in with an OpenID Connect provider.
type OIDC struct {
	Issuer                string  `json:"issuer"`
	AuthorizationEndpoint string  `json:"authorizationEndpoint"`
	TokenEndpoint         string  `json:"tokenEndpoint"`
	UserInfoEndpoint      string  `json:"userInfoEndpoint"`
	ClientID              string  `json:"clientId"`
	Session               Session `json:"session,omitzero"`

	// Secret has the client's secret: desired only, no part of a comparison.
	Secret SecretRef `json:"secret,omitzero"`
	// Digest is a keyed digest of the client's secret, by which a new one is noticed. AWS does not tell the secret: observed it is empty.
	Digest string `json:"digest,omitempty"`
	// KeepSecret has AWS keep the secret that it has: in changes of a plan, or where a user says so.
	KeepSecret bool `json:"keepSecret,omitempty"`
}

// Cognito signs users in with a user pool.
type Cognito struct {
	UserPoolARN      ARN     `json:"userPoolARN"`
	UserPoolClientID string  `json:"userPoolClientId"`
	UserPoolDomain   string  `json:"userPoolDomain"`
	Session          Session `json:"session,omitzero"`
}

// JWT lets requests with a valid token through.
type JWT struct {
	Issuer       string  `json:"issuer"`
	JWKSEndpoint string  `json:"jwksEndpoint"`
	Claims       []Claim `json:"claims,omitempty"`
}

// Claim is something that a token must say beside issuer and times.
type Claim struct {
	Name string `json:"name"`
	// Format is single-string, string-array or space-separated-values.
	Format string `json:"format"`
	// Values are sorted.
	Values []string `json:"values"`
}

// Guards tells whether the action lets only some requests through to the one that follows.
func (a Action) Guards() bool { return a.OIDC != nil || a.Cognito != nil || a.JWT != nil }

// GuardOf is the action among actions that lets only some requests through, nil without one.
func GuardOf(actions []Action) *Action {
	if i := slices.IndexFunc(actions, Action.Guards); i >= 0 {
		return &actions[i]
	}
	return nil
}

// SecretDigest is the digest of the client's secret that actions need, empty where they need none or AWS is to keep the one that it has.
func SecretDigest(actions []Action) string {
	for _, a := range actions {
		if a.OIDC != nil {
			return a.OIDC.Digest
		}
	}
	return ""
}

// sansSecret is the action as AWS shows it.
func sansSecret(a Action) Action {
	if a.OIDC == nil {
		return a
	}
	o := *a.OIDC
	o.Secret, o.Digest, o.KeepSecret = SecretRef{}, "", false
	a.OIDC = &o
	return a
}

// SansSecrets are actions as AWS shows them: without what a plan says of secrets.
func SansSecrets(actions []Action) []Action { return mapped(actions, sansSecret) }

func normalizeGuard(a Action) Action {
	switch {
	case a.OIDC != nil:
		o := *a.OIDC
		o.Session = o.Session.WithDefaults()
		o.Session.ExtraParams = maps.Clone(o.Session.ExtraParams)
		a.OIDC = &o
	case a.Cognito != nil:
		c := *a.Cognito
		c.Session = c.Session.WithDefaults()
		c.Session.ExtraParams = maps.Clone(c.Session.ExtraParams)
		a.Cognito = &c
	case a.JWT != nil:
		j := *a.JWT
		j.Claims = mapped(j.Claims, func(c Claim) Claim {
			c.Values = set(c.Values, cmp.Compare[string])
			return c
		})
		slices.SortStableFunc(j.Claims, func(a, b Claim) int { return cmp.Compare(a.Name, b.Name) })
		a.JWT = &j
	}
	return a
}

// The modes of mutual authentication (ELBv2 API, MutualAuthenticationAttributes.Mode).
const (
	MutualOff         = "off"
	MutualPassthrough = "passthrough"
	MutualVerify      = "verify"
)

// MutualAuth says whether clients of a listener show certificates.
type MutualAuth struct {
	// Mode is off, passthrough or verify.
	Mode string `json:"mode"`
	// TrustStore, IgnoreExpiry and AdvertiseNames are of verify. AdvertiseNames is on or off.
	// Desired, TrustStore may be a [TrustStore.Reference] to one of the stack.
	TrustStore     ARN    `json:"trustStore,omitempty"`
	IgnoreExpiry   bool   `json:"ignoreExpiry,omitempty"`
	AdvertiseNames string `json:"advertiseNames,omitempty"`
}

// WithDefaults fills AWS's defaults in.
func (m MutualAuth) WithDefaults() MutualAuth {
	if m.Mode != MutualVerify {
		return MutualAuth{Mode: m.Mode}
	}
	if m.AdvertiseNames == "" {
		m.AdvertiseNames = MutualOff
	}
	return m
}
