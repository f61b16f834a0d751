package dataplane

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// jwtGate lets requests through that bring a valid token. They are passed on as they are.
type jwtGate struct {
	endpoint, issuer string
	claims           []wantedClaim
}

// wantedClaim is an additional claim with what must be in it.
type wantedClaim struct {
	name   string
	format elbtypes.JwtValidationActionAdditionalClaimFormatEnum
	values []string
}

func compileJWT(c *elbtypes.JwtValidationActionConfig) gate {
	g := jwtGate{endpoint: aws.ToString(c.JwksEndpoint), issuer: aws.ToString(c.Issuer)}
	for _, claim := range c.AdditionalClaims {
		g.claims = append(g.claims, wantedClaim{aws.ToString(claim.Name), claim.Format, claim.Values})
	}
	return g
}

func (g jwtGate) admit(x *exchange) bool {
	x.did("jwt-validation")
	scheme, text, _ := strings.Cut(x.request.Header.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") || text == "" {
		return x.deny(http.StatusUnauthorized, "JWTHeaderNotPresent")
	}
	t, err := parseToken(strings.TrimSpace(text))
	if err != nil {
		return x.deny(http.StatusUnauthorized, "JWTRequestFormatInvalid")
	}
	keys, err := x.server.keys(x.request.Context(), g.endpoint, t.keyID)
	if err != nil {
		x.server.log.WarnContext(x.request.Context(), "no keys for tokens", "endpoint", g.endpoint, "error", err)
		return x.deny(http.StatusInternalServerError, "JWKSRequestFailed")
	}
	if !t.signedBy(keys) {
		return x.deny(http.StatusUnauthorized, "JWTSignatureValidationFailed")
	}
	if err := g.check(x, t); err != nil {
		return x.deny(http.StatusUnauthorized, "JWTClaimValueInvalid")
	}
	return true
}

// check compares the claims of a token whose signature is right.
func (g jwtGate) check(x *exchange, t *jwt) error {
	if t.text("iss") != g.issuer {
		return fmt.Errorf("claim iss: %w", errToken)
	}
	if err := t.current(x.server.now()); err != nil {
		return err
	}
	for _, c := range g.claims {
		if !c.in(t) {
			return fmt.Errorf("claim %s: %w", c.name, errToken)
		}
	}
	return nil
}

// in reports whether the token has all that is wanted.
func (c *wantedClaim) in(t *jwt) bool {
	var has []string
	switch c.format {
	case elbtypes.JwtValidationActionAdditionalClaimFormatEnumStringArray:
		has = t.list(c.name)
	case elbtypes.JwtValidationActionAdditionalClaimFormatEnumSpaceSeparatedValues:
		has = strings.Fields(t.text(c.name))
	case elbtypes.JwtValidationActionAdditionalClaimFormatEnumSingleString:
		has = []string{t.text(c.name)}
	}
	for _, value := range c.values {
		if !slices.Contains(has, value) {
			return false
		}
	}
	return len(has) > 0
}
