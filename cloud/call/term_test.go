package call

import (
	"errors"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/smithy-go"
)

// TestNoCallBeginsAfterTheTerm: who may not lead any more begins no call, and one that was begun ends before the next one leads.
func TestNoCallBeginsAfterTheTerm(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why         string
		begin, last time.Duration
		bounded     bool
		called      bool
	}{
		{"nobody leads: nothing ends", 0, 0, false, true},
		{"the lease was renewed just now", 10 * time.Second, time.Hour, true, true},
		{"the renew deadline is over", 0, 5 * time.Second, true, false},
		{"the lease is over", -time.Second, -time.Second, true, false},
	} {
		called := false
		var left time.Duration
		c := client(t, Wire{Limits: NewLimits(nil), Term: func() (begin, last time.Duration, bounded bool) { return row.begin, row.last, row.bounded }},
			func(r *http.Request) (*http.Response, error) {
				called = true
				if end, ok := r.Context().Deadline(); ok {
					left = time.Until(end)
				}
				return refusal(400, "RuleNotFound")(r)
			})
		_, err := c.DescribeRules(t.Context(), &elasticloadbalancingv2.DescribeRulesInput{})
		api, _ := errors.AsType[smithy.APIError](err)
		if called != row.called || (api != nil && api.ErrorCode() == OverCode) == row.called || Unsure(err) {
			t.Errorf("%s: called %v, %v", row.why, called, err)
		}
		if row.bounded && row.called && (left <= 0 || left > row.last) {
			t.Errorf("%s: the call may last %s, and the lease %s", row.why, left, row.last)
		}
	}
}

// TestNoRequestLeavesAfterTheTerm: a process that stood still between the beginning of an attempt and its request sends nothing.
func TestNoRequestLeavesAfterTheTerm(t *testing.T) {
	t.Parallel()
	looks, called := 0, false
	stopped := func() (begin, last time.Duration, bounded bool) {
		looks++
		if looks > 2 {
			return -time.Second, -time.Second, true
		}
		return time.Second, time.Minute, true
	}
	c := client(t, Wire{Limits: NewLimits(nil), Term: stopped}, func(r *http.Request) (*http.Response, error) {
		called = true
		return refusal(400, "RuleNotFound")(r)
	})
	_, err := c.DescribeRules(t.Context(), &elasticloadbalancingv2.DescribeRulesInput{})
	if api, _ := errors.AsType[smithy.APIError](err); called || api == nil || api.ErrorCode() != OverCode || Unsure(err) {
		t.Errorf("called %v, %v", called, err)
	}
}
