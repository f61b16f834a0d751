package endtoend_test

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/test/endtoend"
	"github.com/headgate/headgate/test/policy"
)

// windowVariable names how long a steady sandbox is watched: HEADGATE_STEADY=2m for a long look.
const (
	windowVariable = "HEADGATE_STEADY"
	shortWindow    = 10 * time.Second
)

// steady checks that an operator with nothing to do writes nothing (invariant 1), though it compares with AWS all the time; and
// that starting it again makes it write nothing either.
func steady(t *testing.T, s *endtoend.Stage, shop *endtoend.Shop) {
	t.Helper()
	window := shortWindow
	if text := os.Getenv(windowVariable); text != "" {
		var err error
		if window, err = time.ParseDuration(text); err != nil {
			t.Fatalf("%s: %v", windowVariable, err)
		}
	}
	if err := shop.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	before, err := shop.Settle(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	writes := watchWrites(s)
	reads := s.Gate.Counts()["elasticloadbalancing:DescribeRules"]
	time.Sleep(window)
	compared := s.Gate.Counts()["elasticloadbalancing:DescribeRules"] - reads
	if compared == 0 {
		t.Error("the operator never compared its listeners with AWS: nothing was tested")
	}
	if all := writes(); len(all) > 0 {
		t.Errorf("within %s the operator wrote %v", window, all)
	}
	t.Logf("%d listeners were compared within %s", compared, window)
	t.Run("restart", func(t *testing.T) {
		writes := watchWrites(s)
		if err := s.KillOperator(); err != nil {
			t.Fatal(err)
		}
		reads := calls(s)
		if err := s.RestartOperator(t.Context()); err != nil {
			t.Fatal(err)
		}
		until(t, "a comparison with AWS", func(context.Context) error {
			if calls(s) == reads {
				return errors.New("no call was made")
			}
			return nil
		})
		time.Sleep(shortWindow / 2)
		if all := writes(); len(all) > 0 {
			t.Errorf("after its restart the operator wrote %v", all)
		}
		t.Logf("the restart and %s after it took %d calls", shortWindow/2, calls(s)-reads)
	})
	after, err := s.Holdings(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("what the account holds has changed:\n%s", diff)
	}
	if err := shop.Vacate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// watchWrites gives a function that tells which calls have written since.
func watchWrites(s *endtoend.Stage) func() map[string]int {
	before := s.Gate.Counts()
	return func() map[string]int {
		out := map[string]int{}
		for action, n := range s.Gate.Counts() {
			service, name, _ := strings.Cut(action, ":")
			if (policy.Call{Service: service, Action: name}).Writes() && n > before[action] {
				out[action] = n - before[action]
			}
		}
		return out
	}
}
