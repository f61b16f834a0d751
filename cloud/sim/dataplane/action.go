package dataplane

import (
	"cmp"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

var errAction = errors.New("action cannot be served")

// action answers a request that a rule has chosen.
type action interface {
	serve(x *exchange)
}

// gate stands before an action. One that does not let a request through has answered it.
type gate interface {
	admit(x *exchange) bool
}

// guarded is an action behind gates.
type guarded struct {
	gates []gate
	then  action
}

func (a guarded) serve(x *exchange) {
	for _, g := range a.gates {
		if !g.admit(x) {
			return
		}
	}
	a.then.serve(x)
}

// compileActions prepares the actions of a rule. What cannot be served, among it everything that restricts access, becomes a refusal.
func compileActions(source *Rule) (action, error) {
	sorted := slices.Clone(source.Actions)
	slices.SortStableFunc(sorted, func(a, b elbtypes.Action) int {
		return cmp.Compare(aws.ToInt32(a.Order), aws.ToInt32(b.Order))
	})
	if len(sorted) == 0 {
		return refusal{"no action"}, fmt.Errorf("no action: %w", errAction)
	}
	var gates []gate
	for _, a := range sorted[:len(sorted)-1] {
		g, err := compileGate(a, source)
		if err != nil {
			return refusal{"action " + string(a.Type)}, err
		}
		gates = append(gates, g)
	}
	last, err := compileLast(sorted[len(sorted)-1])
	if len(gates) == 0 || err != nil {
		return last, err
	}
	return guarded{gates, last}, nil
}

func compileGate(a elbtypes.Action, source *Rule) (gate, error) {
	switch {
	case a.Type == elbtypes.ActionTypeEnumJwtValidation && a.JwtValidationConfig != nil:
		return compileJWT(a.JwtValidationConfig), nil
	case a.Type == elbtypes.ActionTypeEnumAuthenticateOidc && a.AuthenticateOidcConfig != nil:
		return compileOIDC(a.AuthenticateOidcConfig, source.Secrets), nil
	case a.Type == elbtypes.ActionTypeEnumAuthenticateCognito && a.AuthenticateCognitoConfig != nil:
		return compileCognito(a.AuthenticateCognitoConfig, source.Secrets)
	default:
		return nil, fmt.Errorf("action %q before the last: %w", a.Type, errAction)
	}
}

func compileLast(last elbtypes.Action) (action, error) {
	switch {
	case last.Type == elbtypes.ActionTypeEnumForward:
		return compileForward(last)
	case last.Type == elbtypes.ActionTypeEnumRedirect && last.RedirectConfig != nil:
		return newRedirect(last.RedirectConfig), nil
	case last.Type == elbtypes.ActionTypeEnumFixedResponse && last.FixedResponseConfig != nil:
		return compileFixed(last.FixedResponseConfig)
	default:
		return refusal{"action " + string(last.Type)}, fmt.Errorf("action %q: %w", last.Type, errAction)
	}
}

// refusal stands for an action that is not served. It closes: nothing behind it is reached.
type refusal struct{ what string }

func (a refusal) serve(x *exchange) {
	x.server.log.WarnContext(x.request.Context(), "refusing a request", "listener", x.front.arn, "because", a.what)
	x.refuse(http.StatusServiceUnavailable)
}

// fixed answers without a target.
type fixed struct {
	status      int
	contentType string
	body        string
}

func compileFixed(c *elbtypes.FixedResponseActionConfig) (action, error) {
	status, err := strconv.Atoi(aws.ToString(c.StatusCode))
	if err != nil || status < 200 || status > 599 {
		return refusal{"fixed response without a status code"}, fmt.Errorf("status code %q: %w", aws.ToString(c.StatusCode), errAction)
	}
	contentType := aws.ToString(c.ContentType)
	if contentType == "" {
		contentType = "text/plain"
	}
	return fixed{status: status, contentType: contentType + "; charset=utf-8", body: aws.ToString(c.MessageBody)}, nil
}

func (a fixed) serve(x *exchange) {
	x.did("fixed-response")
	x.generate(a.status, a.contentType, a.body)
}
