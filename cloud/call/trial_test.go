package call

import (
	"context"
	"errors"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/headgate/headgate/model/fault"
)

// TestTrialWaitsForNobody: a call of a trial that the lane has no room for is put off at once, and costs those who wait nothing.
func TestTrialWaitsForNobody(t *testing.T) {
	t.Parallel()
	l := NewLimiter(newClock())
	ctx, trial := WithTrial(t.Context())
	if err := l.admit(ctx); err != nil {
		t.Fatalf("there is room: %v", err)
	}
	l.Throttled()
	before := l.tokens
	err := l.admit(ctx)
	if fault.Of(classed(err, "EC2", "Do")) != fault.Throttled || Unsure(err) {
		t.Errorf("got %v, want what says that there is no room, and that nothing was asked", err)
	}
	if len(l.queues[Background]) > 0 || l.tokens != before {
		t.Errorf("it waits all the same, or took a turn: %d tokens, %v before", len(l.queues[Background]), before)
	}
	if trial.Touched() {
		t.Error("nothing was called")
	}
}

// TestTrialKnowsWhetherItChangedSomething: what AWS takes, and what it may have taken, not what it refuses or only tells.
func TestTrialKnowsWhetherItChangedSomething(t *testing.T) {
	t.Parallel()
	refused := &smithy.GenericAPIError{Code: "ValidationError", Fault: smithy.FaultClient}
	for _, row := range []struct {
		why       string
		operation string
		err       error
		want      bool
	}{
		{"taken", "CreateRule", nil, true},
		{"not answered", "CreateRule", errors.New("connection reset"), true},
		{"refused", "CreateRule", refused, false},
		{"a read", "DescribeRules", nil, false},
	} {
		ctx, trial := WithTrial(context.Background())
		TrialOf(ctx).note(row.operation, row.err)
		if trial.Touched() != row.want {
			t.Errorf("%s: changed something %v, want %v", row.why, trial.Touched(), row.want)
		}
	}
	TrialOf(context.Background()).note("CreateRule", nil) // no trial, nothing to note
}
