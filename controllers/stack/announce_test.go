package stack_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model/plan"
)

// TestAddressesNeedNotWait looks at when the front door is told the load balancer: when all calls are made, and not where something is missing.
func TestAddressesNeedNotWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var told []stack.Result
	req := request(member("a"))
	req.Reached = func(_ context.Context, res stack.Result) { told = append(told, res) }
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.CreateRule {
			return errors.New("AWS is out of order")
		}
		return nil
	}
	if _, err := w.loop.Run(t.Context(), req); err == nil || len(told) != 0 {
		t.Errorf("the rule is missing (%v): %v", err, told)
	}
	w.aws.fail = nil
	res := w.settle(req)
	if len(told) != 1 || told[0].LoadBalancer == nil || told[0].LoadBalancer.DNSName != res.LoadBalancer.DNSName || !slices.Equal(told[0].Ports, []int{80}) {
		t.Errorf("told %+v, want what came of it in the end: %+v", told, res)
	}
	w.settle(req)
	if len(told) != 1 {
		t.Errorf("told %d times: nothing was to be done", len(told))
	}
	req.Intent.Fragments = nil
	w.settle(req)
	if len(told) != 1 {
		t.Errorf("told %d times: everything goes", len(told))
	}
}
