package stack_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

func TestRetainedThingsStayAndAreOursNoMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	w.run(request(member("a")))
	gone := request()
	gone.Policy.Retain = true
	before, wrote := w.aws.stacks[owner()], len(w.aws.writes)
	if res := w.settle(gone); !res.Gone {
		t.Fatalf("the owner does not go: %+v", res)
	}
	for _, op := range w.aws.writes[wrote:] {
		if op != plan.RemoveTags && op != plan.AddTags {
			t.Errorf("invariant 5: what is retained is changed by %s", op)
		}
	}
	after := w.aws.stacks[owner()]
	if after.LoadBalancer == nil || len(after.TargetGroups) != 1 || len(after.Listeners) != len(before.Listeners) {
		t.Errorf("left of it: %+v", after)
	}
	if _, ours := owner().Owns(after.LoadBalancer.Tags); ours {
		t.Errorf("the load balancer is still ours: %v", after.LoadBalancer.Tags)
	}
	if len(w.aws.stacks[model.Owner{Cluster: "c1"}].SecurityGroups) != 1 {
		t.Error("the shared security group that it has is deleted")
	}
	if got := w.bindings(); len(got) != 1 || stack.Made(&got[0]) {
		t.Errorf("its pods are followed no more: %+v", got)
	}
	// Another stack that comes and goes waits for nothing.
	if res := w.settle(request()); !res.Gone {
		t.Errorf("%+v", res)
	}
}

func TestObservedAndRetainedIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	gone := under(stack.Observe, request())
	gone.Policy.Retain = true
	if res := w.still("neither deleted nor let go", gone); !res.Gone {
		t.Errorf("the owner does not go: %+v", res)
	}
}

func TestProtectionGoesOnlyWhereItIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	on := member("a")
	on.Settings.Attributes = map[string]string{"deletion_protection.enabled": "true"}
	w.settle(request(on))
	w.settle(request(member("a")))
	if got := w.aws.stacks[owner()].LoadBalancer.Attributes["deletion_protection.enabled"]; got != "true" {
		t.Errorf("invariant 5: nobody switched the protection off, and it is %q", got)
	}
	res := w.run(request())
	c := meta.FindStatusCondition(w.page().Status.Conditions, headgatev1alpha1.ConditionProgrammed)
	if res.Gone || c == nil || c.Reason != outcome.ReasonProtected {
		t.Errorf("invariant 8: %+v", c)
	}
	off := member("a")
	off.Settings.Attributes = map[string]string{"deletion_protection.enabled": "false"}
	w.settle(request(off))
	if res := w.settle(request()); !res.Gone {
		t.Errorf("%+v", res)
	}
}

// alone is the member of one of many stacks.
func alone(i int) intent.Fragment {
	return member("a", func(f *intent.Fragment) { f.Routes[0].Forward.Backends[0].Service.NameKey = fmt.Sprintf("s%d", i) })
}

// many settles stacks of one member each, and gives the requests that delete them.
func (w *world) many(n int) []stack.Request {
	w.Helper()
	var out []stack.Request
	for i := range n {
		req := request(alone(i))
		req.Intent.Owner.Stack, req.Intent.Group = fmt.Sprintf("s%d", i), fmt.Sprintf("s%d", i)
		w.settle(req)
		req.Intent.Fragments = nil
		out = append(out, req)
	}
	return out
}

// held are how many of the requests the breaker holds.
func (w *world) held(all []stack.Request) int {
	w.Helper()
	n := 0
	for _, req := range all {
		if res := w.run(req); res.Held != nil {
			if res.Held.Reason != outcome.ReasonPaused || !strings.Contains(res.Held.Message, "headgate approve") {
				w.Errorf("invariant 8: who is held is told how it goes on: %+v", res.Held)
			}
			n++
		}
	}
	return n
}

func TestBreakerStopsManyDeletions(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.many(10)
	if n := w.held(all[:4]); n != 0 {
		t.Fatalf("%d of four deletions wait: fewer than five are nothing unusual", n)
	}
	if n := w.held(all[4:9]); n != 5 {
		t.Fatalf("%d of five more deletions wait", n)
	}
	w.now = w.now.Add(time.Hour)
	w.restart()
	if n := w.held(all[4:9]); n != 5 {
		t.Errorf("what was paused waits for somebody, over a restart too: %d of 5 wait", n)
	}
	back := all[4]
	back.Intent.Fragments = []intent.Fragment{alone(4)}
	if res := w.settle(back); res.Held != nil {
		t.Errorf("an owner that came back waits for nothing: %+v", res.Held)
	}
	var list headgatev1alpha1.LoadBalancerList
	if err := w.api.List(t.Context(), &list); err != nil {
		t.Fatal(err)
	}
	for _, page := range list.Items {
		if page.Status.PendingPlan != nil {
			page.Spec.ApprovedPlan = page.Status.PendingPlan.Hash
			if err := w.api.Update(t.Context(), &page); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := w.held(all[5:9]); n != 0 {
		t.Errorf("%d wait although they are approved", n)
	}
}

// Who came back before the deletion was approved is no deletion any more: neither a later one of its own waits for it, nor anybody else's.
func TestBreakerForgetsWhoCameBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	all := w.many(9)
	if n := w.held(all); n != 5 {
		t.Fatalf("%d of nine deletions wait", n)
	}
	for i := 4; i < len(all); i++ {
		back := all[i]
		back.Intent.Fragments = []intent.Fragment{alone(i)}
		w.settle(back)
	}
	w.now = w.now.Add(time.Hour)
	if n := w.held(all[4:5]); n != 0 {
		t.Error("one deletion long after waits for an approval")
	}
	w.now = w.now.Add(time.Hour)
	w.restart()
	if n := w.held(all[5:6]); n != 0 {
		t.Error("one deletion long after waits for an approval, after a restart")
	}
}

func TestBreakerCountsWithinItsWindow(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why         string
		opts        stack.BreakerOptions
		deleted, of int
		want        bool
	}{
		{"fewer than five", stack.BreakerOptions{}, 4, 4, false},
		{"five of twenty-five are a fifth, not more", stack.BreakerOptions{}, 5, 25, false},
		{"five of twenty-four", stack.BreakerOptions{}, 5, 24, true},
		{"switched off", stack.BreakerOptions{Percent: 100}, 50, 50, false},
		{"settings", stack.BreakerOptions{Percent: 50, Least: 2}, 2, 3, true},
	} {
		if got := row.opts.WithDefaults().Trips(row.deleted, row.of); got != row.want {
			t.Errorf("%s: %v", row.why, got)
		}
	}
	w := newWorld(t)
	all := w.many(20)
	for i, req := range all[:12] {
		if res := w.run(req); res.Held != nil {
			t.Fatalf("deletion %d waits, although those before are long ago: %+v", i, res.Held)
		}
		w.now = w.now.Add(3 * time.Minute)
	}
}

// TestPolicyOfWhoIsGoneCounts: a class that is gone before its members still has its load balancer retained, over a restart, too; one that is
// there and says nothing any more does not.
func TestPolicyOfWhoIsGoneCounts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		before []stack.Policy
		last   stack.Policy
		there  bool
		held   bool
	}{
		{"it retained", []stack.Policy{{Retain: true}}, stack.Policy{Unread: true}, true, false},
		{"it asked for approval", []stack.Policy{{Changes: stack.Approve}}, stack.Policy{Unread: true}, true, true},
		{"it took that back", []stack.Policy{{Retain: true, Changes: stack.Observe}, {}}, stack.Policy{Unread: true}, false, false},
		{"it is there and retains no more", []stack.Policy{{Retain: true}}, stack.Policy{}, false, false},
		{"it retained and was missing for a while", []stack.Policy{{Retain: true}, {Unread: true}}, stack.Policy{Unread: true}, true, false},
		{"it never said anything", []stack.Policy{{}}, stack.Policy{Unread: true}, false, false},
	} {
		w := newWorld(t)
		w.settle(request(member("a")))
		for _, policy := range row.before {
			req := request(member("a"))
			req.Policy = policy
			w.run(req)
		}
		w.restart()
		leaving := request()
		leaving.Policy = row.last
		res := w.run(leaving)
		for range 3 {
			if !res.Gone && res.Held == nil {
				res = w.run(leaving)
			}
		}
		if there := w.aws.stacks[owner()].LoadBalancer != nil; there != row.there || (res.Held != nil) != row.held {
			t.Errorf("%s: the load balancer is there: %v, want %v; held: %v", row.why, there, row.there, res.Held)
		}
	}
}
