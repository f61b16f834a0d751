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

// compileAction prepares the actions of a rule. What cannot be served, among it everything that restricts access, becomes a refusal.
func compileAction(actions []elbtypes.Action) (action, error) {
	sorted := slices.Clone(actions)
	slices.SortStableFunc(sorted, func(a, b elbtypes.Action) int {
		return cmp.Compare(aws.ToInt32(a.Order), aws.ToInt32(b.Order))
	})
	if len(sorted) == 0 {
		return refusal{"no action"}, fmt.Errorf("no action: %w", errAction)
	}
	if len(sorted) > 1 {
		return refusal{"action " + string(sorted[0].Type)}, nil
	}
	last := sorted[len(sorted)-1]
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
	x.generate(a.status, a.contentType, a.body)
}
