package elb

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Defaults of the authenticate actions (API reference).
const (
	sessionCookie  = "AWSELBAuthSessionCookie"
	sessionTimeout = 604800
	sessionScope   = "openid"
	maxExtraParams = 10
)

// session are the fields that both authenticate actions share.
type session struct {
	cookie, scope **string
	timeout       **int64
	extra         map[string]string
}

func (x session) fill() error {
	if *x.cookie == nil {
		*x.cookie = aws.String(sessionCookie)
	}
	if *x.scope == nil {
		*x.scope = aws.String(sessionScope)
	}
	if *x.timeout == nil {
		*x.timeout = aws.Int64(sessionTimeout)
	}
	if **x.timeout < 1 || **x.timeout > sessionTimeout {
		return invalid("The session timeout '%d' must be between 1 and %d", **x.timeout, sessionTimeout)
	}
	if len(x.extra) > maxExtraParams {
		return invalid("At most %d extra authentication request parameters can be specified", maxExtraParams)
	}
	return nil
}

// secrets are the secrets of the clients of a rule. AWS keeps them and never gives them back.
type secrets map[string]string

func oidcKey(c *elbtypes.AuthenticateOidcActionConfig) string {
	return aws.ToString(c.Issuer) + " " + aws.ToString(c.ClientId)
}

// cognitoKey is none that oidcKey gives: issuers begin with https.
func cognitoKey(c *elbtypes.AuthenticateCognitoActionConfig) string {
	return aws.ToString(c.UserPoolArn) + " " + aws.ToString(c.UserPoolClientId)
}

// ofOIDC reports whether there are secrets that were given with a rule.
func (x secrets) ofOIDC() bool {
	for key := range x {
		if strings.HasPrefix(key, "https://") {
			return true
		}
	}
	return false
}

func readOIDC(a elbtypes.Action) (elbtypes.Action, error) {
	c := *a.AuthenticateOidcConfig
	if err := (session{&c.SessionCookieName, &c.Scope, &c.SessionTimeout, c.AuthenticationRequestExtraParams}).fill(); err != nil {
		return a, err
	}
	if c.OnUnauthenticatedRequest == "" {
		c.OnUnauthenticatedRequest = elbtypes.AuthenticateOidcActionConditionalBehaviorEnumAuthenticate
	}
	if aws.ToString(c.ClientId) == "" {
		return a, invalid("A client ID must be specified")
	}
	for _, url := range []*string{c.Issuer, c.AuthorizationEndpoint, c.TokenEndpoint, c.UserInfoEndpoint} {
		if !strings.HasPrefix(aws.ToString(url), "https://") {
			return a, invalid("The OIDC endpoint '%s' must be an HTTPS URL", aws.ToString(url))
		}
	}
	a.AuthenticateOidcConfig = &c
	return a, nil
}

// takeSecret moves the client secret out of a configuration. Without one, a modify may keep the secret of before.
func takeSecret(c *elbtypes.AuthenticateOidcActionConfig, held, kept secrets) error {
	key := oidcKey(c)
	existing := aws.ToBool(c.UseExistingClientSecret)
	switch {
	case c.ClientSecret != nil && existing:
		return invalid("A client secret cannot be specified together with UseExistingClientSecret")
	case c.ClientSecret != nil:
		kept[key] = *c.ClientSecret
	case !existing:
		return invalid("A client secret must be specified")
	case !held.ofOIDC():
		return invalid("There is no existing client secret to use")
	default:
		kept[key] = held[key]
	}
	c.ClientSecret, c.UseExistingClientSecret = nil, nil
	return nil
}

func (s *State) readCognito(a elbtypes.Action, kept secrets) (elbtypes.Action, error) {
	c := *a.AuthenticateCognitoConfig
	if err := (session{&c.SessionCookieName, &c.Scope, &c.SessionTimeout, c.AuthenticationRequestExtraParams}).fill(); err != nil {
		return a, err
	}
	if c.OnUnauthenticatedRequest == "" {
		c.OnUnauthenticatedRequest = elbtypes.AuthenticateCognitoActionConditionalBehaviorEnumAuthenticate
	}
	if !strings.Contains(aws.ToString(c.UserPoolArn), ":cognito-idp:") {
		return a, invalid("The user pool ARN '%s' is not valid", aws.ToString(c.UserPoolArn))
	}
	if aws.ToString(c.UserPoolClientId) == "" || aws.ToString(c.UserPoolDomain) == "" {
		return a, invalid("A user pool client ID and a user pool domain must be specified")
	}
	if s.options.UserPools == nil {
		return a, badAction("User pool '%s' does not exist", *c.UserPoolArn)
	}
	client, err := s.options.UserPools.Client(*c.UserPoolArn, *c.UserPoolClientId, *c.UserPoolDomain)
	if err != nil {
		return a, badAction("%v", err)
	}
	kept[cognitoKey(&c)] = client.Secret
	a.AuthenticateCognitoConfig = &c
	return a, nil
}

const (
	maxJWTText   = 256
	maxJWTClaims = 10
)

func checkJWT(c *elbtypes.JwtValidationActionConfig) error {
	endpoint, issuer := aws.ToString(c.JwksEndpoint), aws.ToString(c.Issuer)
	if !strings.HasPrefix(endpoint, "https://") || len(endpoint) > maxJWTText {
		return invalid("The JWKS endpoint '%s' must be an HTTPS URL of at most %d characters", endpoint, maxJWTText)
	}
	if issuer == "" || len(issuer) > maxJWTText {
		return invalid("An issuer of at most %d characters must be specified", maxJWTText)
	}
	if len(c.AdditionalClaims) > maxJWTClaims {
		return invalid("At most %d additional claims can be specified", maxJWTClaims)
	}
	for _, claim := range c.AdditionalClaims {
		if err := checkClaim(claim); err != nil {
			return err
		}
	}
	return nil
}

func checkClaim(c elbtypes.JwtValidationActionAdditionalClaim) error {
	name := aws.ToString(c.Name)
	if name == "" || slices.Contains([]string{"exp", "iss", "nbf", "iat"}, name) {
		return invalid("The additional claim name '%s' is not allowed", name)
	}
	if c.Format == "" || len(c.Values) == 0 || len(c.Values) > maxJWTClaims {
		return invalid("The additional claim '%s' must have a format and 1 to %d values", name, maxJWTClaims)
	}
	for _, v := range c.Values {
		if v == "" || len(v) > maxJWTText {
			return invalid("A value of the additional claim '%s' must have 1 to %d characters", name, maxJWTText)
		}
		if c.Format == elbtypes.JwtValidationActionAdditionalClaimFormatEnumSpaceSeparatedValues && strings.Contains(v, " ") {
			return invalid("A space separated value of the additional claim '%s' cannot contain spaces", name)
		}
	}
	return nil
}
