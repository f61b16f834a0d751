package stack_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// TestPlanMakesRoomForANewerOne: who asks for something else does not wait for the end of a long plan, and a plan is carried out for a moment in
// any case. What it did is not made twice, and nothing is told as wrong.
func TestPlanMakesRoomForANewerOne(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why string
		// each is how long a call takes, newer after how many of them something else is asked for.
		each  time.Duration
		newer int
		// calls are how many are made of the first plan, with one for what the cluster shares; all where it does not make room.
		calls int
	}{
		{"soon after the start", 400 * time.Millisecond, 1, 4},
		{"later", 400 * time.Millisecond, 5, 5},
		{"the plan is soon done", time.Millisecond, 1, 0},
		{"never", 400 * time.Millisecond, 0, 0},
	} {
		w := newWorld(t)
		var members []intent.Fragment
		for _, name := range []string{"a", "b", "c", "d"} {
			members = append(members, member(name))
		}
		calls := 0
		w.aws.fail = func(plan.Change) error {
			w.now = w.now.Add(row.each)
			if calls++; calls == row.newer {
				w.loop.Newer(owner())
			}
			return nil
		}
		first := w.run(request(members...))
		if cut := row.calls > 0; cut && calls != row.calls || first.Outputs.Yielded != cut || first.Settled == cut || cut && first.RequeueAfter > time.Second {
			t.Errorf("%s: %d calls, want %d; made room %v, settled %v, again after %s",
				row.why, calls, row.calls, first.Outputs.Yielded, first.Settled, first.RequeueAfter)
		}
		if c := meta.FindStatusCondition(w.page().Status.Conditions, headgatev1alpha1.ConditionProgrammed); row.calls > 0 && c.Reason != outcome.ReasonWaiting {
			t.Errorf("%s: it is shown as %s", row.why, c.Reason)
		}
		w.goesOn(row.why, members)
	}
}

// goesOn runs a newer plan after one that made room: what was done is known, and not made twice.
func (w *world) goesOn(why string, members []intent.Fragment) {
	w.Helper()
	reads := w.aws.reads
	members[0] = member("a", renamed)
	if res := w.run(request(members...)); !res.Settled || w.aws.reads != reads+1 || len(w.answers()) != len(members) || w.answers()[0] != "a.example.com shop/a-new:80" {
		w.Errorf("%s: the newer one: settled %v, %d reads, rules %v", why, res.Settled, w.aws.reads-reads, w.answers())
	}
	made := map[plan.Op]int{}
	for _, op := range w.aws.writes {
		made[op]++
	}
	if made[plan.CreateLoadBalancer] != 1 || made[plan.CreateListener] != 1 {
		w.Errorf("%s: made twice: %v", why, made)
	}
}

// TestPlansGetOnUnderEdits: where something else is asked for all the time, each plan does more than the one before it.
func TestPlansGetOnUnderEdits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	members := []intent.Fragment{}
	for _, name := range []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"} {
		members = append(members, member(name))
	}
	w.aws.fail = func(plan.Change) error {
		w.now = w.now.Add(400 * time.Millisecond)
		w.loop.Newer(owner())
		return nil
	}
	var done []int
	for range 3 {
		done = append(done, w.run(request(members...)).Outputs.Done)
	}
	if diff := cmp.Diff([]int{3, 5, 10}, done); diff != "" {
		t.Errorf("changes of each plan (-want +got):\n%s", diff)
	}
	w.aws.fail = nil
	if res := w.run(request(members...)); !res.Settled || len(w.answers()) != len(members) {
		t.Errorf("when nobody asks any more: settled %v, rules %v", res.Settled, w.answers())
	}
}
