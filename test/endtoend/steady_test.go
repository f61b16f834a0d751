package endtoend_test

import (
	"fmt"
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
	before := settled(t, s)
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
		until(t, "a comparison with AWS", func() error {
			if calls(s) == reads {
				return errNotYet
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
	if err := shop.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	emptied(t, s, shop)
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

// settled waits until all targets are healthy and nothing was written for a while, and returns what the account holds then.
func settled(t *testing.T, s *endtoend.Stage) endtoend.Holdings {
	t.Helper()
	const quiet = 2 * time.Second
	var last endtoend.Holdings
	writes, since := -1, time.Now()
	until(t, "the shop's opening", func() error {
		if n := s.Gate.Writes(); n != writes {
			writes, since = n, time.Now()
		}
		var err error
		if last, err = s.Holdings(t.Context()); err != nil {
			return err
		}
		if err := healthy(last); err != nil {
			return err
		}
		if time.Since(since) < quiet {
			return errNotYet
		}
		return nil
	})
	return last
}

// nodes is the security group of nodes and pods.
const nodes = "headgate-nodes"

// healthy checks that the shop is open: both load balancers, five services, all pods.
func healthy(h endtoend.Holdings) error {
	if h.Counts["load balancers"] != 2 || h.Counts["target groups"] != 5 {
		return fmt.Errorf("the account holds %v", h.Counts)
	}
	if h.Counts["rules on "+nodes] == 0 {
		return fmt.Errorf("pods admit no load balancer: %v", h.Counts)
	}
	for name, targets := range h.Targets {
		for _, target := range targets {
			if !strings.HasSuffix(target, " healthy") {
				return fmt.Errorf("in %s there is %s", name, target)
			}
		}
	}
	if len(h.Targets) != 5 {
		return fmt.Errorf("targets are in %d groups only", len(h.Targets))
	}
	return nil
}

// emptied waits until the shop's objects and all that was made for them are gone.
func emptied(t *testing.T, s *endtoend.Stage, shop *endtoend.Shop) {
	t.Helper()
	until(t, "the end of the shop's objects", func() error { return shop.Gone(t.Context()) })
	until(t, "an empty account", func() error {
		h, err := s.Holdings(t.Context())
		if err == nil && !h.Empty() {
			err = fmt.Errorf("the account holds %v", h.Counts)
		}
		return err
	})
}
