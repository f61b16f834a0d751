package elbv2

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// secretKey is the key of clients' secrets in a context.
type secretKey struct{}

// WithSecret gives the calls of a context the secret of a provider's client, which is in no value of package model.
func WithSecret(ctx context.Context, secret string) context.Context {
	return context.WithValue(ctx, secretKey{}, sealed{secret})
}

// sealed is a secret in a context. A context that is printed shows strings that it has, and of this the type only.
type sealed struct{ text string }

// withSecrets are actions with the secret that the context has, where AWS is not to keep the one that it has.
func withSecrets(ctx context.Context, actions []types.Action) []types.Action {
	secret, ok := ctx.Value(secretKey{}).(sealed)
	for _, a := range actions {
		if c := a.AuthenticateOidcConfig; ok && c != nil && !aws.ToBool(c.UseExistingClientSecret) {
			c.ClientSecret = aws.String(secret.text)
		}
	}
	return actions
}

// writeGuard writes an action that lets only some requests through.
func writeGuard(out *types.Action, a model.Action) {
	switch {
	case a.OIDC != nil:
		o := a.OIDC
		out.AuthenticateOidcConfig = &types.AuthenticateOidcActionConfig{
			Issuer: aws.String(o.Issuer), AuthorizationEndpoint: aws.String(o.AuthorizationEndpoint),
			TokenEndpoint: aws.String(o.TokenEndpoint), UserInfoEndpoint: aws.String(o.UserInfoEndpoint), ClientId: aws.String(o.ClientID),
			OnUnauthenticatedRequest: types.AuthenticateOidcActionConditionalBehaviorEnum(o.Session.OnUnauthenticated),
			Scope:                    optional(o.Session.Scope), SessionCookieName: optional(o.Session.Cookie), SessionTimeout: seconds(o.Session),
			AuthenticationRequestExtraParams: o.Session.ExtraParams,
		}
		if o.KeepSecret {
			out.AuthenticateOidcConfig.UseExistingClientSecret = aws.Bool(true)
		}
	case a.Cognito != nil:
		c := a.Cognito
		out.AuthenticateCognitoConfig = &types.AuthenticateCognitoActionConfig{
			UserPoolArn: aws.String(string(c.UserPoolARN)), UserPoolClientId: aws.String(c.UserPoolClientID), UserPoolDomain: aws.String(c.UserPoolDomain),
			OnUnauthenticatedRequest: types.AuthenticateCognitoActionConditionalBehaviorEnum(c.Session.OnUnauthenticated),
			Scope:                    optional(c.Session.Scope), SessionCookieName: optional(c.Session.Cookie), SessionTimeout: seconds(c.Session),
			AuthenticationRequestExtraParams: c.Session.ExtraParams,
		}
	case a.JWT != nil:
		out.JwtValidationConfig = &types.JwtValidationActionConfig{Issuer: aws.String(a.JWT.Issuer), JwksEndpoint: aws.String(a.JWT.JWKSEndpoint)}
		for _, c := range a.JWT.Claims {
			out.JwtValidationConfig.AdditionalClaims = append(out.JwtValidationConfig.AdditionalClaims, types.JwtValidationActionAdditionalClaim{
				Name: aws.String(c.Name), Format: types.JwtValidationActionAdditionalClaimFormatEnum(c.Format), Values: c.Values,
			})
		}
	}
}

func seconds(s model.Session) *int64 {
	if s.TimeoutSeconds == 0 {
		return nil
	}
	return aws.Int64(int64(s.TimeoutSeconds))
}

// readGuard reads an action that lets only some requests through.
func readGuard(out *model.Action, a types.Action) {
	switch {
	case a.AuthenticateOidcConfig != nil:
		o := a.AuthenticateOidcConfig
		out.OIDC = &model.OIDC{
			Issuer: aws.ToString(o.Issuer), AuthorizationEndpoint: aws.ToString(o.AuthorizationEndpoint), TokenEndpoint: aws.ToString(o.TokenEndpoint),
			UserInfoEndpoint: aws.ToString(o.UserInfoEndpoint), ClientID: aws.ToString(o.ClientId),
			Session: model.Session{
				OnUnauthenticated: string(o.OnUnauthenticatedRequest), Scope: aws.ToString(o.Scope), Cookie: aws.ToString(o.SessionCookieName),
				TimeoutSeconds: int(aws.ToInt64(o.SessionTimeout)), ExtraParams: o.AuthenticationRequestExtraParams,
			}.WithDefaults(),
		}
	case a.AuthenticateCognitoConfig != nil:
		c := a.AuthenticateCognitoConfig
		out.Cognito = &model.Cognito{
			UserPoolARN: model.ARN(aws.ToString(c.UserPoolArn)), UserPoolClientID: aws.ToString(c.UserPoolClientId),
			UserPoolDomain: aws.ToString(c.UserPoolDomain),
			Session: model.Session{
				OnUnauthenticated: string(c.OnUnauthenticatedRequest), Scope: aws.ToString(c.Scope), Cookie: aws.ToString(c.SessionCookieName),
				TimeoutSeconds: int(aws.ToInt64(c.SessionTimeout)), ExtraParams: c.AuthenticationRequestExtraParams,
			}.WithDefaults(),
		}
	case a.JwtValidationConfig != nil:
		j := a.JwtValidationConfig
		out.JWT = &model.JWT{Issuer: aws.ToString(j.Issuer), JWKSEndpoint: aws.ToString(j.JwksEndpoint)}
		for _, c := range j.AdditionalClaims {
			out.JWT.Claims = append(out.JWT.Claims, model.Claim{
				Name: aws.ToString(c.Name), Format: string(c.Format), Values: slices.Sorted(slices.Values(c.Values)),
			})
		}
		slices.SortStableFunc(out.JWT.Claims, func(a, b model.Claim) int { return cmp.Compare(a.Name, b.Name) })
	}
}

// writeMutual says whether clients show certificates; nil leaves it as it is.
func writeMutual(m *model.MutualAuth) *types.MutualAuthenticationAttributes {
	if m == nil {
		return nil
	}
	out := &types.MutualAuthenticationAttributes{Mode: aws.String(m.Mode)}
	if m.Mode == model.MutualVerify {
		out.TrustStoreArn = aws.String(string(m.TrustStore))
		out.IgnoreClientCertificateExpiry = aws.Bool(m.IgnoreExpiry)
		out.AdvertiseTrustStoreCaNames = types.AdvertiseTrustStoreCaNamesEnum(m.AdvertiseNames)
	}
	return out
}

// readMutual is how clients show certificates; nil where they do not.
func readMutual(m *types.MutualAuthenticationAttributes) *model.MutualAuth {
	if m == nil || aws.ToString(m.Mode) == "" || aws.ToString(m.Mode) == model.MutualOff {
		return nil
	}
	out := model.MutualAuth{
		Mode: aws.ToString(m.Mode), TrustStore: model.ARN(aws.ToString(m.TrustStoreArn)), IgnoreExpiry: aws.ToBool(m.IgnoreClientCertificateExpiry),
		AdvertiseNames: string(m.AdvertiseTrustStoreCaNames),
	}.WithDefaults()
	return &out
}
