package stack_test

import (
	"slices"
	"testing"
	"time"

	"github.com/headgate/headgate/model/fault"
)

// TestClockThatIsPutBackCostsNoWait: what is remembered with a time that is now to come begins anew, and is not waited for till then.
func TestClockThatIsPutBackCostsNoWait(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a")))
	next := request(member("a", renamed))
	w.run(next)
	w.targets("shop/a-svc:80", 1, "healthy")
	w.targets("shop/a-new:80", 1, "healthy")
	w.run(next) // from here on the old group is held
	w.now = w.now.Add(-48 * time.Hour)
	w.restart()
	w.run(next)
	w.now = w.now.Add(rests + time.Second)
	if res := w.run(next); !res.Settled || slices.Contains(w.groups(), "shop/a-svc:80") {
		t.Errorf("the old group is held for minutes, not for two days: settled %v, groups %v, waits for %q", res.Settled, w.groups(), waits(res))
	}
}

// TestClockThatIsPutBackTriesAgain: the same of what AWS refused.
func TestClockThatIsPutBackTriesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	asked := w.refuses(fault.Invalid, boosted)
	next := request(member("a", boost), member("b"))
	w.settle(next)
	before := *asked
	w.now = w.now.Add(-48 * time.Hour)
	w.restart()
	if w.run(next); *asked == before {
		t.Error("it is not tried again for two days")
	}
}
