package stack_test

import (
	"slices"
	"testing"
	"time"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// rests is how long a target group stays that no rule uses any more: until each node knows, and AWS's default deregistration delay.
const rests = 10*time.Second + 300*time.Second

// sweeps is when the first stack is compared with AWS after a start.
const sweeps = time.Minute

// moved has a's rule go to another Service, whose targets are healthy.
func (w *world) moved(next stack.Request) stack.Result {
	w.Helper()
	w.run(next)
	w.targets("shop/a-svc:80", 1, "healthy")
	w.targets("shop/a-new:80", 1, "healthy")
	return w.run(next)
}

// TestTargetGroupIsClearedAwayLater: AWS holds all that is wanted once the rule moved; the group that it left goes, with its binding, when
// requests had the time that its deregistration delay gives them, and nothing is read or told till then, over a restart neither.
func TestTargetGroupIsClearedAwayLater(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		delay string
		want  time.Duration
	}{{"", rests}, {"0", 10 * time.Second}, {"30", 40 * time.Second}} {
		w := newWorld(t)
		w.aws.patient = true
		delayed := func(f *intent.Fragment) {
			if row.delay != "" {
				f.Routes[0].Forward.Backends[0].Service.Group.Attributes = map[string]string{"deregistration_delay.timeout_seconds": row.delay}
			}
		}
		w.settle(request(member("a", delayed)))
		next := request(member("a", renamed))
		res := w.moved(next)
		if !res.Settled || w.answers()[0] != "a.example.com shop/a-new:80" || res.RequeueAfter != min(row.want, sweeps) {
			t.Errorf("delay %q: settled %v, the rule answers %s, next look after %s, want %s", row.delay, res.Settled, w.answers()[0], res.RequeueAfter, row.want)
		}
		if got := w.page(); got.Status.Conditions[0].Reason == outcome.ReasonWaiting || got.Status.PendingPlan != nil {
			t.Errorf("delay %q: it is shown as one that waits: %+v", row.delay, got.Status)
		}
		w.restart()
		w.now = w.now.Add(row.want - time.Second)
		w.quiet("before its time is over", func() { res = w.run(next) })
		if !slices.Contains(w.groups(), "shop/a-svc:80") || len(w.bindings()) != 2 || res.RequeueAfter != time.Second {
			t.Errorf("delay %q: before its time is over: groups %v, %d bindings, next look after %s", row.delay, w.groups(), len(w.bindings()), res.RequeueAfter)
		}
		w.now = w.now.Add(time.Second)
		res = w.run(next)
		if !res.Settled || res.Drift || slices.Contains(w.groups(), "shop/a-svc:80") || len(w.bindings()) != 1 {
			t.Errorf("delay %q: when its time is over: settled %v, drift %v, groups %v, %d bindings", row.delay, res.Settled, res.Drift, w.groups(), len(w.bindings()))
		}
		w.quiet("it is gone", func() { w.run(next) })
	}
}

// TestWhoLeavesDoesNotWaitForTargetGroups: nobody's deletion takes as long as requests to its targets may.
func TestWhoLeavesDoesNotWaitForTargetGroups(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a"), member("b")))
	next := request(member("b"))
	next.Leaving = []model.ObjectRef{ref("a")}
	if res := w.run(next); len(res.Free) != 1 || len(w.answers()) != 1 || !slices.Contains(w.groups(), "shop/a-svc:80") {
		t.Errorf("free are %v, rules %v, groups %v", res.Free, w.answers(), w.groups())
	}
	next.Leaving = nil
	w.now = w.now.Add(rests)
	if w.run(next); slices.Contains(w.groups(), "shop/a-svc:80") {
		t.Error("what it left stays for ever")
	}
}

// TestTargetGroupIsWantedAgainBeforeItIsCleared: it is used as it is.
func TestTargetGroupIsWantedAgainBeforeItIsCleared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a")))
	w.moved(request(member("a", renamed)))
	w.now = w.now.Add(rests / 2)
	w.moved(request(member("a")))
	w.now = w.now.Add(rests / 2)
	if w.run(request(member("a"))); len(w.groups()) != 2 {
		t.Errorf("the one that was left last has all of its time, too: %v", w.groups())
	}
	w.now = w.now.Add(rests / 2)
	if w.run(request(member("a"))); !slices.Equal(w.groups(), []string{"shop/a-svc:80"}) || slices.Contains(w.aws.writes[1:], plan.DeleteLoadBalancer) {
		t.Errorf("left are %v", w.groups())
	}
}

// TestComparisonWhileATargetGroupRests: what is only to be cleared away is nothing that AWS lacks.
func TestComparisonWhileATargetGroupRests(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a")))
	next := request(member("a", renamed))
	w.moved(next)
	w.restart()
	w.run(next)
	w.now = w.now.Add(sweeps)
	reads, writes := w.aws.reads, len(w.aws.writes)
	res := w.run(next)
	if w.aws.reads == reads || len(w.aws.writes) != writes || res.Drift || !res.Settled || res.RequeueAfter > rests-sweeps {
		t.Errorf("%d reads, writes %v, drift %v, settled %v, next look after %s",
			w.aws.reads-reads, w.aws.writes[writes:], res.Drift, res.Settled, res.RequeueAfter)
	}
}

// TestClearingIsApprovedWithThePlan: the deletion that was approved with its plan is not asked for again, and nothing else goes with it.
func TestClearingIsApprovedWithThePlan(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.patient = true
	w.settle(under(stack.Approve, approved(w, request(member("a")))))
	next := under(stack.Approve, approved(w, request(member("a", renamed))))
	w.moved(next)
	if got := w.page().Spec.ApprovedPlan; got != "" {
		t.Errorf("what was approved is done, and %s stands", got)
	}
	lost := w.aws.stacks[owner()]
	lost.Listeners[0].Rules = nil
	w.aws.stacks[owner()] = lost
	w.restart()
	w.run(next)
	w.now = w.now.Add(sweeps)
	if res := w.run(next); res.Held == nil || len(w.aws.stacks[owner()].Listeners[0].Rules) > 0 {
		t.Errorf("somebody deleted a rule meanwhile, and it is mended unasked: %+v", res.Held)
	}
	w.approve()
	if res := w.settle(next); res.Held != nil || len(w.answers()) != 1 {
		t.Errorf("once approved: %+v, %v", res.Held, w.answers())
	}
	w.now = w.now.Add(rests)
	if res := w.run(next); res.Held != nil || slices.Contains(w.groups(), "shop/a-svc:80") {
		t.Errorf("when its time is over: %+v, groups %v", res.Held, w.groups())
	}
}
