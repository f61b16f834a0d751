package stack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

func TestStackIsMadeOnceAndThenCostsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := request(member("a"), member("b"))
	res := w.settle(req)
	if diff := cmp.Diff([]string{"a.example.com shop/a-svc:80", "b.example.com shop/b-svc:80"}, w.answers()); diff != "" {
		t.Error(diff)
	}
	if res.LoadBalancer == nil || res.LoadBalancer.DNSName == "" || !slices.Equal(res.Ports, []int{80}) {
		t.Errorf("the result shows no load balancer on port 80: %+v", res)
	}
	w.quiet("invariant 1: a second run", func() {
		if res := w.run(req); !res.Settled || res.LoadBalancer.DNSName == "" || res.RequeueAfter <= 0 {
			t.Errorf("a steady stack is settled, has its address and is verified some day: %+v", res)
		}
	})
	w.restart()
	w.quiet("invariant 1: a restart", func() { w.run(req) })
	page := w.page()
	want := headgatev1alpha1.Summary{Listeners: "HTTP:80", Rules: "2/100", Healthy: "0/0"}
	if diff := cmp.Diff(want, page.Status.Summary); diff != "" {
		t.Error(diff)
	}
	if !meta.IsStatusConditionTrue(page.Status.Conditions, headgatev1alpha1.ConditionProgrammed) || len(page.Status.Members) != 2 {
		t.Errorf("the LoadBalancer is not programmed with two members: %+v", page.Status)
	}
}

func TestOrderOfObjectsDoesNotMatter(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := request(member("a"), member("b"))
	req.Intent.Order = intent.BySpecificity
	w.settle(req)
	req.Intent.Fragments = []intent.Fragment{member("b"), member("a")}
	w.restart()
	w.quiet("invariant 10: routes that are ranked by what they match, shuffled", func() { w.run(req) })
}

func TestLoadBalancerIsWatchedUntilItIsActive(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.slow = true
	req := request(member("a"))
	if res := w.run(req); res.RequeueAfter <= 0 || res.RequeueAfter > 5*time.Second {
		t.Errorf("a load balancer that comes up is looked at soon, not after %s", res.RequeueAfter)
	}
	if s := w.page().Status; s.State != "provisioning" || meta.IsStatusConditionTrue(s.Conditions, headgatev1alpha1.ConditionReady) {
		t.Errorf("state %q, conditions %v", s.State, s.Conditions)
	}
	w.aws.stacks[owner()].LoadBalancer.State = "active"
	if res := w.run(req); res.LoadBalancer.State != "active" || !res.Settled {
		t.Errorf("%+v", res)
	}
	if got := w.page().Status.State; got != "active" {
		t.Errorf("the object still says %s", got)
	}
}

func TestSweepFindsDrift(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := request(member("a"))
	w.settle(req)
	drifted := w.aws.stacks[owner()]
	drifted.Listeners[0].Rules = nil
	w.aws.stacks[owner()] = drifted
	w.quiet("nothing is read before the sweep", func() { w.run(req) })
	w.now = w.now.Add(2 * time.Minute)
	if res := w.run(req); !res.Drift || w.forgot == 0 || len(w.answers()) != 1 {
		t.Errorf("drift %v, caches dropped %d times, rules %v", res.Drift, w.forgot, w.answers())
	}
	w.quiet("once a stack was verified it rests", func() { w.run(req) })
	if w.aws.idle != 1 {
		t.Errorf("%d of %d observations let others go first, want that of the sweep alone", w.aws.idle, w.aws.reads)
	}
}

func TestDeletion(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.settle(request(member("b")))
	if diff := cmp.Diff([]string{"b.example.com shop/b-svc:80"}, w.answers()); diff != "" {
		t.Errorf("deleting a member removes its rules only: %s", diff)
	}
	if diff := cmp.Diff([]string{"shop/b-svc:80"}, w.groups()); diff != "" {
		t.Error(diff)
	}
	if got := w.bindings(); len(got) != 1 || got[0].Spec.ServiceRef.Name != "svc-b" {
		t.Errorf("the binding of the member that is gone stays: %+v", got)
	}
	res := w.settle(request())
	if !res.Gone || len(w.aws.stacks) > 0 || len(w.bindings()) > 0 {
		t.Errorf("invariant 5: left behind in AWS %v, bindings %v, gone %v", w.aws.stacks, w.bindings(), res.Gone)
	}
	var pages headgatev1alpha1.LoadBalancerList
	var states headgatev1alpha1.StackStateList
	if err := errors.Join(w.api.List(t.Context(), &pages), w.api.List(t.Context(), &states)); err != nil {
		t.Fatal(err)
	}
	if len(pages.Items)+len(states.Items) > 0 {
		t.Errorf("left behind in the cluster: %v, %v", pages.Items, states.Items)
	}
}

func TestProtectedLoadBalancerKeepsItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a", func(f *intent.Fragment) {
		f.Settings.Attributes = map[string]string{"deletion_protection.enabled": "true"}
	})))
	res := w.run(request())
	if res.Gone || w.aws.stacks[owner()].LoadBalancer == nil || res.RequeueAfter <= 0 {
		t.Errorf("invariant 5: what AWS protects stays, and so does who asked for it: %+v", res)
	}
}

// TestWaitingIsPatient: what waits for somebody who acts in AWS is read afresh twice a minute, also where it is overdue for a comparison: no
// more, and never later than half a minute after that was done.
func TestWaitingIsPatient(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a", func(f *intent.Fragment) {
		f.Settings.Attributes = map[string]string{"deletion_protection.enabled": "true"}
	})))
	w.now = w.now.Add(2 * time.Minute)
	begun, forgot := w.now, w.forgot
	var last time.Duration
	for w.now.Sub(begun) < time.Hour {
		res := w.run(request())
		if res.RequeueAfter < max(last, 30*time.Second) {
			t.Fatalf("a load balancer that is protected is looked at after %s, and %s before", res.RequeueAfter, last)
		}
		last = res.RequeueAfter
		w.now = w.now.Add(last)
	}
	if reads := w.forgot - forgot; reads > 121 || last > 30*time.Second {
		t.Errorf("what AWS holds is read afresh %d times in an hour, at last after %s", reads, last)
	}
	unprotected := w.aws.stacks[owner()]
	unprotected.LoadBalancer.Attributes = map[string]string{"deletion_protection.enabled": "false"}
	w.aws.stacks[owner()] = unprotected
	if res := w.settle(request()); !res.Gone {
		t.Errorf("the protection is switched off, and the stack stays: %+v", res)
	}
}

func TestWaitForAWSBacksOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	b := w.bindings()[0]
	b.Finalizers = []string{"elbv2.k8s.aws/resources"}
	if err := w.api.Update(t.Context(), &b); err != nil {
		t.Fatal(err)
	}
	w.settle(request(member("c")))
	w.now = w.now.Add(2 * time.Minute)
	req, forgot := request(member("a"), member("c")), w.forgot
	var first, last time.Duration
	for range 20 {
		res := w.run(req)
		if first == 0 {
			first = res.RequeueAfter
		}
		if last = max(last, res.RequeueAfter); res.Settled || res.RequeueAfter < first {
			t.Fatalf("again in %s, first in %s", res.RequeueAfter, first)
		}
		w.now = w.now.Add(res.RequeueAfter)
	}
	if first > 5*time.Second || last < 30*time.Second || w.forgot-forgot > 1 {
		t.Errorf("looked at after %s, at last after %s, read afresh %d times", first, last, w.forgot-forgot)
	}
}

func TestBackendGroupGoesWithTheLastStack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := request(member("a", func(f *intent.Fragment) { f.Routes[0].Forward.Backends[0].Service.NameKey = "other" }))
	other.Intent.Owner.Stack, other.Intent.Group = "other", "other"
	w.settle(request(member("a")))
	w.settle(other)
	w.settle(request())
	if _, ok := w.aws.stacks[model.Owner{Cluster: "c1"}]; !ok {
		t.Error("the shared group went while another stack uses it")
	}
	other.Intent.Fragments = nil
	w.settle(other)
	if len(w.aws.stacks) > 0 {
		t.Errorf("left behind: %v", w.aws.stacks)
	}
}

func TestLostStateIsFoundAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := request(member("a"), member("b"))
	w.settle(req)
	w.lose()
	w.restart()
	writes := len(w.aws.writes)
	w.run(req)
	if got := w.aws.writes[writes:]; len(got) > 0 {
		t.Errorf("everything is found by tags, but %v was written", got)
	}
	w.quiet("the state is known again", func() { w.run(req) })

	w.lose()
	w.settle(request(member("a")))
	w.restart()
	w.quiet("a state that is lost while the operator runs is written anew", func() { w.run(request(member("a"))) })
}

func TestPlanThatWasCutIsNotTakenForDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	before, after := request(member("a")), request(member("a"), member("b"))
	w.settle(before)
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.CreateRule {
			panic("killed")
		}
		return nil
	}
	func() {
		defer func() { _ = recover() }()
		w.run(after)
	}()
	w.aws.fail = nil
	// The operator was killed, and the user took the change back before it came up again.
	w.restart()
	w.settle(before)
	if diff := cmp.Diff([]string{"shop/a-svc:80"}, w.groups()); diff != "" {
		t.Errorf("invariant 2: what the cut plan made is left behind: %s", diff)
	}
}

func TestErrorsAreShownTriedAgainAndForgotten(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := request(member("a"))
	w.settle(req)
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.CreateRule {
			return denied()
		}
		return nil
	}
	req = request(member("a"), member("b"))
	var last time.Duration
	for range 3 {
		res, err := w.loop.Run(t.Context(), req)
		if err == nil || res.RequeueAfter <= 0 || res.RequeueAfter < last {
			t.Fatalf("error %v, again in %s after %s", err, res.RequeueAfter, last)
		}
		if last = res.RequeueAfter; res.LoadBalancer == nil || res.LoadBalancer.DNSName == "" {
			t.Error("invariant 7: the address is blanked for an error")
		}
	}
	s := w.page().Status
	if s.LastError == nil || s.LastError.Code != "PermissionDenied" || s.LastError.NextRetry == nil ||
		!strings.Contains(s.LastError.Message, "elasticloadbalancing:CreateRule") {
		t.Errorf("invariant 8: the object shows %+v", s.LastError)
	}
	if diff := cmp.Diff([]string{"a.example.com shop/a-svc:80"}, w.answers()); diff != "" {
		t.Error(diff)
	}
	w.aws.fail = nil
	w.settle(req)
	if s := w.page().Status; s.LastError != nil || !meta.IsStatusConditionTrue(s.Conditions, headgatev1alpha1.ConditionProgrammed) {
		t.Errorf("the error is over and still shown: %+v", s.LastError)
	}
}

func TestBlockedStackKeepsItsAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.noSubnets = true
	res := w.run(request(member("a")))
	if res.Blocked == "" || res.RequeueAfter <= 0 || res.Settled || len(w.aws.writes) > 1 {
		t.Errorf("without subnets nothing is made but the shared group: %+v, %v", res, w.aws.writes)
	}
	if len(res.Serving) != 1 || res.Serving[0].Held {
		t.Errorf("nothing serves: %+v", res.Serving)
	}
}

func TestAddressIsKeptWhenAWSIsAway(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	want := w.page().Status
	w.restart()
	w.aws.down = true
	res, err := w.loop.Run(t.Context(), request(member("a")))
	if err == nil || res.LoadBalancer == nil || res.LoadBalancer.DNSName == "" || res.Gone {
		t.Errorf("invariant 7: the address is blanked because AWS does not answer: %+v (%v)", res.LoadBalancer, err)
	}
	got := w.page().Status
	if got.LastError == nil || got.DNSName != want.DNSName || len(got.Listeners) != 1 || len(got.Targets) != 1 {
		t.Errorf("invariant 8: what is known stays and the error is shown: %+v", got)
	}
}

func TestAnchorThatNeverWasGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := wrong(request(member("a")), "spec.infrastructure.parametersRef")
	req.Anchor = ref("a")
	if res := w.run(req); res.Blocked != "spec.infrastructure.parametersRef: is not right; make it right" || len(w.aws.writes) > 0 {
		t.Errorf("not even the settings are known, but %v was written; blocked %q", w.aws.writes, res.Blocked)
	}
	good := req
	good.Findings = nil
	w.settle(good)
	w.quiet("its last good state serves", func() {
		if res := w.run(req); res.Blocked != "" || !res.Serving[0].Held {
			t.Errorf("%+v", res)
		}
	})
}

func TestOneWrongListenerHoldsUpNoOther(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	gateway := member("a", func(f *intent.Fragment) {
		f.Routes = nil
		f.Listeners = []intent.Listener{
			{Port: 80, Protocol: "HTTP", Field: "spec.listeners[0]"},
			{Port: 443, Protocol: "HTTPS", DiscoverHosts: []string{"nobody.example.com"}, Field: "spec.listeners[1]"},
		}
	})
	req := request(gateway)
	req.Anchor = ref("a")
	res := w.settle(req)
	if diff := cmp.Diff([]int{80}, res.Ports); diff != "" || res.Blocked != "" || len(res.Serving[0].Problems) != 1 {
		t.Errorf("ports %v, blocked %q, problems %v: the listener that is right is made, the other one is told", res.Ports, res.Blocked, res.Serving[0].Problems)
	}
	w.restart()
	writes := len(w.aws.writes)
	if res = w.run(req); !res.Settled || len(w.aws.writes) != writes {
		t.Errorf("invariant 1: wrote %v", w.aws.writes[writes:])
	}
	w.aws.certificates = []model.Certificate{{ARN: "arn:aws:acm:eu-west-1:1:certificate/c", Domains: []string{"nobody.example.com"}}}
	if res = w.settle(req); len(res.Ports) != 2 || len(res.Serving[0].Problems) != 0 {
		t.Errorf("ports %v, problems %v: there is a certificate now", res.Ports, res.Serving[0].Problems)
	}
}

func TestNothingIsMadeForMistakesOnly(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	res := w.run(wrong(request(member("a")), "spec.rules[0]"))
	if res.Blocked == "" || res.Settled || len(w.aws.writes) > 0 || res.RequeueAfter <= 0 {
		t.Errorf("a load balancer that only answers 503 helps nobody: %v, %+v", w.aws.writes, res)
	}
	if res := w.run(request()); !res.Gone {
		t.Errorf("whose stack never was made can go: %+v", res)
	}
}

func TestStacksAreCountedByCluster(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	for cluster, want := range map[string]int{"c1": 1, "c": 0, "other": 0} {
		if got, err := stack.Count(t.Context(), w.api, cluster); err != nil || got != want {
			t.Errorf("cluster %s has %d stacks, want %d (%v)", cluster, got, want, err)
		}
	}
}

func TestNameOfALoadBalancerThatExists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	called := func(name string) func(*intent.Fragment) {
		return func(f *intent.Fragment) { f.Settings.Name = name }
	}
	w.settle(request(member("a", called("first"))))
	w.quiet("a name alone replaces nothing", func() {
		if got := w.run(request(member("a", called("first")))).Findings; len(got) > 0 {
			t.Errorf("findings %v", got)
		}
	})
	res := w.settle(request(member("a", called("second")), member("b")))
	if w.aws.stacks[owner()].LoadBalancer.Name != "first" {
		t.Error("invariant 7: a name alone replaced the load balancer")
	}
	if got := res.Serving[0].Problems; len(got) != 1 || !strings.Contains(got[0].Message, "keeps its name first") {
		t.Errorf("invariant 8: nobody is told that the name has no effect: %v", got)
	}
	if got := res.Serving[1].Problems; len(got) > 0 {
		t.Errorf("b asks for no name, and is told %v", got)
	}
}
