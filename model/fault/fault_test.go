package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/headgate/headgate/model/fault"
)

func TestClassOfAnErrorTree(t *testing.T) {
	cause := errors.New("cause")
	throttled := &fault.Error{Class: fault.Throttled, Code: "ThrottlingException", Action: "a:B", Err: cause}
	denied := &fault.Error{Class: fault.Denied, Err: cause}
	joined := fmt.Errorf("applying: %w", errors.Join(cause, fmt.Errorf("one: %w", throttled), denied))
	cases := []struct {
		why string
		err error
		of  fault.Class
		all int
	}{
		{"no error has no class", nil, "", 0},
		{"an error without a class is unknown", cause, fault.Unknown, 0},
		{"a classed one", throttled, fault.Throttled, 1},
		{"wrapped and joined: the first counts, all are found", joined, fault.Throttled, 2},
	}
	for _, c := range cases {
		if got := fault.Of(c.err); got != c.of {
			t.Errorf("%s: %q", c.why, got)
		}
		if got := fault.All(c.err); len(got) != c.all {
			t.Errorf("%s: %v", c.why, got)
		}
	}
	if !fault.Is(joined, fault.Denied) || fault.Is(joined, fault.Quota) {
		t.Error("any error of the tree may have the class")
	}
	if !errors.Is(joined, cause) || throttled.Error() != "a:B (Throttled, ThrottlingException): cause" {
		t.Errorf("the cause is kept: %v", throttled)
	}
}
