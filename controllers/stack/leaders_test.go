package stack_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// TestLeaderChangesInTheMiddleOfAPlan: who led is cut after any call, another one finishes, and the first goes on with what it remembers: nothing
// is made twice, nothing is taken back, and the second has nothing to mend.
func TestLeaderChangesInTheMiddleOfAPlan(t *testing.T) {
	t.Parallel()
	req, wider := request(member("a")), request(member("a"), member("b", func(f *intent.Fragment) { f.Rank = 1 }))
	for cut := 0; ; cut++ {
		w := newWorld(t)
		w.settle(req)
		first, begun := w.loop, 0
		w.aws.fail = func(plan.Change) error {
			if begun++; begun > cut {
				return errors.New("the lease is lost")
			}
			return nil
		}
		_, err := first.Run(t.Context(), wider)
		w.aws.fail = nil
		w.restart()
		w.settle(wider)
		want := w.answers()
		wrote := len(w.aws.writes)
		if _, err := first.Run(t.Context(), wider); err != nil {
			t.Errorf("cut after %d: the first finds out what the second did: %v", cut, err)
		}
		w.run(wider)
		if more := w.aws.writes[wrote:]; len(more) > 0 || !slices.Equal(want, w.answers()) {
			t.Errorf("invariant 2: cut after %d, once both ran %v was written on top", cut, more)
		}
		for _, op := range []plan.Op{plan.CreateLoadBalancer, plan.CreateListener} {
			if n := len(slices.DeleteFunc(slices.Clone(w.aws.writes), func(o plan.Op) bool { return o != op })); n != 1 {
				t.Errorf("invariant 2: cut after %d, %s was called %d times", cut, op, n)
			}
		}
		if err == nil {
			return
		}
	}
}
