package stack_test

import (
	"slices"
	"testing"
	"time"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// rests is how long a target group stays that no rule uses any more: until each node knows, and AWS's default deregistration delay.
const rests = hold + 300*time.Second

// hold is the first part of it.
const hold = 10 * time.Second

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

// newResting is a world in which the target group of a's first Service rests, with what is asked for.
func newResting(t *testing.T) (*world, stack.Request) {
	t.Helper()
	w, next := newWorld(t), request(member("a", renamed))
	w.aws.patient = true
	w.settle(request(member("a")))
	w.moved(next)
	return w, next
}

// TestTargetGroupIsClearedAwayLater: AWS holds all that is wanted once the rule moved. The binding of the group that it left stays till each node
// knows; the group goes when requests had the time that its deregistration delay gives them. Nothing is read or told till then, over a restart
// neither.
func TestTargetGroupIsClearedAwayLater(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		delay string
		want  time.Duration
	}{{"", rests}, {"0", hold}, {"30", hold + 30*time.Second}} {
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
		if !res.Settled || w.answers()[0] != "a.example.com shop/a-new:80" || res.RequeueAfter != hold || len(w.bindings()) != 2 {
			t.Errorf("delay %q: settled %v, the rule answers %s, next look after %s, %d bindings",
				row.delay, res.Settled, w.answers()[0], res.RequeueAfter, len(w.bindings()))
		}
		if got := w.page(); got.Status.Conditions[0].Reason == outcome.ReasonWaiting || got.Status.PendingPlan != nil {
			t.Errorf("delay %q: it is shown as one that waits: %+v", row.delay, got.Status)
		}
		w.restart()
		if row.want > hold {
			w.rest(next, row.want)
		}
		w.now = w.now.Add(hold)
		res = w.run(next)
		if !res.Settled || res.Drift || slices.Contains(w.groups(), "shop/a-svc:80") || len(w.bindings()) != 1 {
			t.Errorf("delay %q: when its time is over: settled %v, drift %v, groups %v, %d bindings", row.delay, res.Settled, res.Drift, w.groups(), len(w.bindings()))
		}
		w.quiet("it is gone", func() { w.run(next) })
	}
}

// rest lets so much time pass but for the length of the hold, while a target group rests.
func (w *world) rest(next stack.Request, all time.Duration) {
	w.Helper()
	var res stack.Result
	w.now = w.now.Add(hold)
	w.quiet("each node knows", func() { res = w.run(next) })
	if !slices.Contains(w.groups(), "shop/a-svc:80") || len(w.bindings()) != 1 || len(res.Plan.Changes) > 0 {
		w.Errorf("when each node knows: groups %v, %d bindings, told %s", w.groups(), len(w.bindings()), res.Plan.Text())
	}
	w.now = w.now.Add(all - 2*hold)
	writes := len(w.aws.writes)
	if res = w.run(next); !slices.Contains(w.groups(), "shop/a-svc:80") || res.RequeueAfter != hold || len(w.aws.writes) != writes {
		w.Errorf("before its time is over: groups %v, next look after %s, wrote %v", w.groups(), res.RequeueAfter, w.aws.writes[writes:])
	}
}

// TestClearingThatFailsIsTold: and tried again as any failure is, until it goes well.
func TestClearingThatFailsIsTold(t *testing.T) {
	t.Parallel()
	w, next := newResting(t)
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.DeleteTargetGroup {
			return denied()
		}
		return nil
	}
	w.now = w.now.Add(rests)
	for range 3 {
		res, err := w.loop.Run(t.Context(), next)
		if err == nil || res.Settled || res.RequeueAfter > 30*time.Second || w.page().Status.LastError == nil {
			t.Fatalf("it cannot be deleted: %v, settled %v, again after %s, told %v", err, res.Settled, res.RequeueAfter, w.page().Status.LastError)
		}
		w.now = w.now.Add(res.RequeueAfter)
	}
	w.aws.fail = nil
	if res := w.run(next); !res.Settled || slices.Contains(w.groups(), "shop/a-svc:80") {
		t.Errorf("once it can: settled %v, groups %v", res.Settled, w.groups())
	}
}

// TestRestIsNotBegunAnew: by a plan that makes room for another one, by one that fails, nor by one that waits for approval.
func TestRestIsNotBegunAnew(t *testing.T) {
	t.Parallel()
	for why, meanwhile := range map[string]func(w *world){
		"a plan makes room": func(w *world) {
			w.aws.fail = func(plan.Change) error {
				w.now = w.now.Add(time.Second)
				w.loop.Newer(owner())
				return nil
			}
			if res := w.run(request(member("a", renamed), member("b"), member("c"))); !res.Outputs.Yielded {
				w.Error("no plan makes room")
			}
			w.aws.fail = nil
		},
		"a plan fails": func(w *world) {
			w.aws.fail = func(c plan.Change) error {
				if c.Op == plan.CreateTargetGroup {
					return denied()
				}
				return nil
			}
			if _, err := w.loop.Run(w.Context(), request(member("a", renamed), member("b"))); err == nil {
				w.Error("no plan fails")
			}
			w.aws.fail = nil
		},
		"a plan waits for approval": func(w *world) {
			if res := w.run(under(stack.Approve, request(member("a", renamed), member("b")))); res.Held == nil {
				w.Error("no plan waits")
			}
		},
	} {
		w, _ := newResting(t)
		w.now = w.now.Add(rests / 2)
		meanwhile(w)
		w.now = w.now.Add(rests / 2)
		if w.run(request(member("a", renamed))); slices.Contains(w.groups(), "shop/a-svc:80") {
			t.Errorf("%s: the group rests anew", why)
		}
	}
}

// TestEditsWhileATargetGroupRests: a harmless one is not held for a deletion that was decided before it; and one that is held, does not hold that
// deletion.
func TestEditsWhileATargetGroupRests(t *testing.T) {
	t.Parallel()
	w, _ := newResting(t)
	if res := w.run(under(stack.ApproveDestructive, request(member("a", renamed), member("b")))); res.Held != nil || len(w.answers()) != 2 {
		t.Errorf("a rule more: held %+v, rules %v", res.Held, w.answers())
	}
	w.now = w.now.Add(rests)
	res := w.run(under(stack.ApproveDestructive, request(member("a", renamed))))
	if res.Held == nil || slices.Contains(w.groups(), "shop/a-svc:80") || len(w.answers()) != 2 {
		t.Errorf("a rule less: held %+v, groups %v, rules %v", res.Held, w.groups(), w.answers())
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
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.CreateTargetGroup {
			return denied()
		}
		return nil
	}
	failing := request(member("b", renamed))
	failing.Leaving = next.Leaving
	if res, err := w.loop.Run(t.Context(), failing); err == nil || len(res.Free) != 1 {
		t.Errorf("a neighbour's failure holds who leaves: free are %v, %v", res.Free, err)
	}
	w.aws.fail, next.Leaving = nil, nil
	w.now = w.now.Add(rests)
	if w.run(next); slices.Contains(w.groups(), "shop/a-svc:80") {
		t.Error("what it left stays for ever")
	}
}

// TestTargetGroupIsWantedAgainBeforeItIsCleared: it is used as it is.
func TestTargetGroupIsWantedAgainBeforeItIsCleared(t *testing.T) {
	t.Parallel()
	w, _ := newResting(t)
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
	w, next := newResting(t)
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

// TestWhatNobodyDecidedIsAsked: a target group that nobody uses, and of which nothing is remembered, is not deleted where plans are approved.
func TestWhatNobodyDecidedIsAsked(t *testing.T) {
	t.Parallel()
	for _, changes := range []stack.Changes{stack.Approve, stack.ApproveDestructive, stack.Observe} {
		w, _ := newResting(t)
		w.lose()
		w.restart()
		for range 2 {
			if res := w.run(under(changes, request(member("a", renamed)))); res.Held == nil || !slices.Contains(w.groups(), "shop/a-svc:80") {
				t.Errorf("%v: held %+v, groups %v", changes, res.Held, w.groups())
			}
			w.now = w.now.Add(rests)
		}
	}
}

// TestHeldStacksFollowNoTargetGroupThatRests: its binding goes when each node knows, also while another plan waits: new pods would not be ready.
func TestHeldStacksFollowNoTargetGroupThatRests(t *testing.T) {
	t.Parallel()
	for why, change := range map[string]func(w *world) stack.Request{
		"a plan waits for approval": func(*world) stack.Request { return under(stack.Approve, request(member("a", renamed), member("b"))) },
		"a plan waits for targets": func(*world) stack.Request {
			return request(member("a", renamed, func(f *intent.Fragment) { f.Routes[0].Forward.Backends[0].Service.Group.Protocol = "HTTPS" }))
		},
		"a plan fails": func(w *world) stack.Request {
			w.aws.fail = func(c plan.Change) error {
				if c.Op == plan.CreateTargetGroup {
					return denied()
				}
				return nil
			}
			return request(member("a", renamed), member("b"))
		},
	} {
		w, _ := newResting(t)
		bound := func() bool {
			return slices.ContainsFunc(w.bindings(), func(b elbv2v1beta1.TargetGroupBinding) bool { return b.Spec.ServiceRef.Name == "svc-a" })
		}
		req := change(w)
		for _, after := range []time.Duration{hold / 2, hold / 2} {
			w.now = w.now.Add(after)
			_, _ = w.loop.Run(t.Context(), req) // one of them fails
		}
		if !slices.Contains(w.groups(), "shop/a-svc:80") || bound() {
			t.Errorf("%s: groups %v, bound %v", why, w.groups(), bound())
		}
	}
}
