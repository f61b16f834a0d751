package targets

import (
	"slices"
	"testing"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/headgate/headgate/model"
)

// TestAGroupThatAStackWaitsForIsLookedAt: also one that nobody had a reason to look at for minutes, as after a start or while all was well.
// It is looked at until nobody waits any more.
func TestAGroupThatAStackWaitsForIsLookedAt(t *testing.T) {
	t.Parallel()
	owner := model.Owner{Cluster: "c1", Stack: "shop"}
	for _, row := range []struct {
		why string
		// before is what happens before the stack waits.
		before func(*world)
		// wakes says that the binding was reconciled before.
		wakes bool
	}{
		{"it waited before the binding was heard of", func(*world) {}, false},
		{"after a start", func(w *world) { w.reconcile("web") }, true},
		{"after a start, when all were seen healthy", func(w *world) {
			w.reconcile("web")
			w.now = w.now.Add(pollStart)
			w.reconcile("web")
		}, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, service(), binding("web"))
			w.endpoints("10.0.0.1")
			w.reconcile("web")
			w.becomes("healthy")
			w.quiet()
			w.restart()
			var woken []reconcile.Request
			w.heed(func(r reconcile.Request) { woken = append(woken, r) })
			row.before(w)
			w.board.Await(owner, []model.ARN{groupARN})
			if got := slices.Equal(names(woken), []string{"shop/web"}); got != row.wakes {
				t.Errorf("woken is %v", names(woken))
			}
			res, calls := w.reconcile("web")
			if !slices.Equal(calls, []string{"health"}) || res.RequeueAfter > pollPending {
				t.Errorf("called %v, looked at again after %s", calls, res.RequeueAfter)
			}
			w.board.Await(owner, []model.ARN{groupARN})
			if len(woken) > 1 {
				t.Error("who waits already wakes again")
			}
			w.board.Await(owner, nil)
			w.now = w.now.Add(time.Second)
			if _, calls := w.reconcile("web"); len(calls) > 0 {
				t.Errorf("nobody waits any more, and it called %v", calls)
			}
		})
	}
}
