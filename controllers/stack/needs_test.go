package stack_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model/fault"
)

func TestRightThatIsMissingIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	limits := &fault.Error{Class: fault.Denied, Action: "elasticloadbalancing:DescribeAccountLimits", Err: errors.New("no")}
	w.aws.missing = fmt.Errorf("reading quotas: %w", limits)
	res := w.settle(request(member("a"), member("b")))
	if diff := cmp.Diff([]string{serveA, serveB}, w.answers()); diff != "" {
		t.Errorf("what can be built is not: %s", diff)
	}
	for _, s := range res.Serving {
		if len(s.Problems) != 1 || s.Problems[0].Reason != "PermissionDenied" || !strings.Contains(s.Problems[0].Message, limits.Action) {
			t.Errorf("invariant 8: %s is told %v", s.Member, s.Problems)
		}
	}
	w.aws.missing = errors.Join(limits, &fault.Error{Class: fault.Throttled, Action: "ec2:DescribeSubnets", Err: errors.New("no")})
	if _, err := w.loop.Run(t.Context(), request(member("a"))); err == nil {
		t.Error("subnets were not read, and the stack is built")
	}
}
