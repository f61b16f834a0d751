package annotations

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// Keys about who is let through. Those of sign-in may be written on a Service too.
const (
	AuthOnUnauthenticated = "auth-on-unauthenticated-request"
	AuthScope             = "auth-scope"
	AuthSessionCookie     = "auth-session-cookie"
	AuthSessionTimeout    = "auth-session-timeout"
)

// The values of auth-type.
const (
	AuthNone        = "none"
	AuthWithOIDC    = "oidc"
	AuthWithCognito = "cognito"
)

const (
	maxSessionTimeout = 604800
	maxExtraParams    = 10
)

func authSpecs() []Spec {
	off := []string{AuthNone}
	asks := func(value string) bool { return !slices.Contains(off, value) }
	specs := []Spec{
		{Key: AuthType, Default: AuthNone, Off: off, Values: []string{AuthNone, AuthWithOIDC, AuthWithCognito}, Guards: asks},
		{Key: AuthCognito, Type: JSON, Check: shape[CognitoProvider], Odd: unknownField[CognitoProvider], Guards: asks},
		{Key: AuthOIDC, Type: JSON, Check: shape[OIDCProvider], Odd: unknownField[OIDCProvider], Guards: asks},
		{
			Key: AuthOnUnauthenticated, Default: model.UnauthenticatedAuthenticate,
			Values: []string{model.UnauthenticatedAuthenticate, model.UnauthenticatedAllow, model.UnauthenticatedDeny},
			Guards: func(value string) bool { return value == model.UnauthenticatedDeny },
		},
		{Key: AuthScope, Default: "openid", Check: checkFilled},
		{Key: AuthSessionCookie, Default: "AWSELBAuthSessionCookie", Check: checkFilled},
		{Key: AuthSessionTimeout, Type: Int, Default: "604800", Min: 1, Max: maxSessionTimeout},
	}
	for i := range specs {
		specs[i].On, specs[i].Scope = Both, PerRule
	}
	return append(specs,
		Spec{
			Key: JWTValidation, Type: JSON, On: OnIngress, Scope: PerRule, Check: shape[TokenCheck], Odd: unknownField[TokenCheck], Guards: asks,
		},
		Spec{
			Key: MutualAuthentication, Type: JSON, On: OnIngress, Scope: PerPort, Default: "left as it is", Check: shape[MutualAuthList],
			Odd: unknownField[MutualAuthList], Guards: asks,
		})
}

// OIDCProvider is the value of auth-idp-oidc.
type OIDCProvider struct {
	Issuer                string            `json:"issuer"`
	AuthorizationEndpoint string            `json:"authorizationEndpoint"`
	TokenEndpoint         string            `json:"tokenEndpoint"`
	UserInfoEndpoint      string            `json:"userInfoEndpoint"`
	SecretName            string            `json:"secretName"`
	ExtraParams           map[string]string `json:"authenticationRequestExtraParams"`
}

// Validate holds the rules of a provider.
func (p OIDCProvider) Validate() error {
	for _, f := range []struct{ name, value string }{
		{"issuer", p.Issuer}, {"authorizationEndpoint", p.AuthorizationEndpoint}, {"tokenEndpoint", p.TokenEndpoint},
		{"userInfoEndpoint", p.UserInfoEndpoint},
	} {
		if !strings.HasPrefix(f.value, "https://") {
			return fmt.Errorf("%s is %s: write a URL that begins with https://", f.name, quote(f.value))
		}
	}
	if p.SecretName == "" {
		return errors.New("secretName is missing: write the name of a Secret with the keys clientID and clientSecret")
	}
	return checkExtraParams(p.ExtraParams)
}

func checkExtraParams(params map[string]string) error {
	if len(params) > maxExtraParams {
		return fmt.Errorf("authenticationRequestExtraParams has %d parameters: AWS takes %d", len(params), maxExtraParams)
	}
	return nil
}

// CognitoProvider is the value of auth-idp-cognito.
type CognitoProvider struct {
	UserPoolARN      string            `json:"userPoolARN"`
	UserPoolClientID string            `json:"userPoolClientID"`
	UserPoolDomain   string            `json:"userPoolDomain"`
	ExtraParams      map[string]string `json:"authenticationRequestExtraParams"`
}

// Validate holds the rules of a user pool.
func (p CognitoProvider) Validate() error {
	switch {
	case !userPool().names(p.UserPoolARN):
		return fmt.Errorf("userPoolARN %s is no user pool: write its ARN, arn:aws:cognito-idp:<region>:<account>:userpool/<id>", quote(p.UserPoolARN))
	case p.UserPoolClientID == "":
		return errors.New("userPoolClientID is missing: write the ID of the pool's client")
	case p.UserPoolDomain == "":
		return errors.New("userPoolDomain is missing: write the pool's domain")
	}
	return checkExtraParams(p.ExtraParams)
}

// TokenCheck is the value of jwt-validation.
type TokenCheck struct {
	JWKSEndpoint     string       `json:"jwksEndpoint"`
	Issuer           string       `json:"issuer"`
	AdditionalClaims []TokenClaim `json:"additionalClaims"`
}

// TokenClaim is a claim that a token must make.
type TokenClaim struct {
	Name   string   `json:"name"`
	Format string   `json:"format"`
	Values []string `json:"values"`
}

// Validate holds the rules of a check of tokens. What AWS limits besides, the build refuses.
func (c TokenCheck) Validate() error {
	switch {
	case !strings.HasPrefix(c.JWKSEndpoint, "https://"):
		return fmt.Errorf("jwksEndpoint is %s: write a URL that begins with https://", quote(c.JWKSEndpoint))
	case c.Issuer == "":
		return errors.New("issuer is missing: write what tokens name as theirs")
	}
	for i, claim := range c.AdditionalClaims {
		if !slices.Contains([]string{"single-string", "string-array", "space-separated-values"}, claim.Format) {
			return fmt.Errorf(
				"additionalClaims[%d].format %s is not known: write single-string, string-array or space-separated-values", i, quote(claim.Format))
		}
		if claim.Name == "" || len(claim.Values) == 0 {
			return fmt.Errorf("additionalClaims[%d] needs a name and values", i)
		}
	}
	return nil
}

// MutualAuthList is the value of mutual-authentication.
type MutualAuthList []MutualAuth

// MutualAuth is whether clients of one port show certificates.
type MutualAuth struct {
	Port         int    `json:"port"`
	Mode         string `json:"mode"`
	TrustStore   string `json:"trustStore"`
	IgnoreExpiry *bool  `json:"ignoreClientCertificateExpiry"`
	Advertise    string `json:"advertiseTrustStoreCaNames"`
}

// Validate holds the rules of mutual authentication.
func (l MutualAuthList) Validate() error {
	seen := map[int]bool{}
	for i, m := range l {
		if err := m.validate(); err != nil {
			return fmt.Errorf("entry %d: %w", i, err)
		}
		if seen[m.Port] {
			return fmt.Errorf("entry %d: port %d is there twice: write it once", i, m.Port)
		}
		seen[m.Port] = true
	}
	return nil
}

func (m MutualAuth) validate() error {
	verify := m.Mode == model.MutualVerify
	switch {
	case !slices.Contains([]string{model.MutualOff, model.MutualPassthrough, model.MutualVerify}, m.Mode):
		return fmt.Errorf("mode %s is not known: write off, passthrough or verify", quote(m.Mode))
	case m.Port < 1 || m.Port > maxPort:
		return fmt.Errorf("port %d is out of bounds: write 1 to %d", m.Port, maxPort)
	case verify && m.TrustStore == "":
		return errors.New("mode verify needs trustStore: write the ARN or name of one")
	case !verify && (m.TrustStore != "" || m.IgnoreExpiry != nil || m.Advertise != ""):
		return errors.New("trustStore, ignoreClientCertificateExpiry and advertiseTrustStoreCaNames are for mode verify: leave them out")
	case !slices.Contains([]string{"", "on", "off"}, m.Advertise):
		return fmt.Errorf("advertiseTrustStoreCaNames %s is not known: write on or off", quote(m.Advertise))
	case verify:
		return checkTrustStore(m.TrustStore)
	}
	return nil
}
