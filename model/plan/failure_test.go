package plan_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

func TestFailures(t *testing.T) {
	cause := &fault.Error{Class: fault.Invalid, Code: "ValidationError", Err: errors.New("no")}
	first, second := &plan.ChangeError{Change: plan.Change{ID: 1}, Err: cause}, &plan.ChangeError{Change: plan.Change{ID: 2}, Err: errors.New("cut")}
	joined := fmt.Errorf("applying: %w", errors.Join(errors.New("stopped"), first, fmt.Errorf("again: %w", second)))
	got := plan.Failures(joined)
	if len(got) != 2 || got[0] != first || got[1] != second {
		t.Errorf("got %v", got)
	}
	if fault.Of(joined) != fault.Invalid || len(fault.All(joined)) != 1 {
		t.Errorf("the class is lost: %v", fault.All(joined))
	}
	if plan.Failures(nil) != nil {
		t.Error("no error has failures")
	}
}
