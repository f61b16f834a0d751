package stack_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// under is a request whose changes are made in a certain way.
func under(c stack.Changes, req stack.Request) stack.Request {
	req.Policy.Changes = c
	return req
}

// approve writes the hash of the pending plan where users write it.
func (w *world) approve() {
	w.Helper()
	var list headgatev1alpha1.LoadBalancerList
	if err := w.api.List(w.Context(), &list); err != nil {
		w.Fatal(err)
	}
	i := slices.IndexFunc(list.Items, func(p headgatev1alpha1.LoadBalancer) bool { return p.Status.PendingPlan != nil })
	if i < 0 {
		w.Fatal("no plan waits")
	}
	page := &list.Items[i]
	page.Spec.ApprovedPlan = page.Status.PendingPlan.Hash
	if err := w.api.Update(w.Context(), page); err != nil {
		w.Fatal(err)
	}
}

// still runs a request that must write nothing to AWS, and gives its result.
func (w *world) still(why string, req stack.Request) stack.Result {
	w.Helper()
	before := len(w.aws.writes)
	res := w.run(req)
	if wrote := w.aws.writes[before:]; len(wrote) > 0 {
		w.Errorf("%s: wrote %v", why, wrote)
	}
	return res
}

func TestPlanWaitsForApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := under(stack.Approve, request(member("a")))
	res := w.still("nothing is made before it is approved, the shared security group neither", req)
	if res.Settled || res.Held == nil || res.Held.Reason != outcome.ReasonApproval || res.RequeueAfter <= 0 {
		t.Fatalf("the plan waits: %+v", res)
	}
	first := w.page()
	c := meta.FindStatusCondition(first.Status.Conditions, headgatev1alpha1.ConditionPlanApproved)
	if c == nil || c.Status != metav1.ConditionFalse || !strings.Contains(c.Message, first.Status.PendingPlan.Hash) {
		t.Errorf("invariant 8: who waits is told the hash that is to be approved: %+v", c)
	}
	w.approve()
	changed := under(stack.Approve, request(member("a"), member("b")))
	if res := w.still("another plan than the approved one", changed); !strings.Contains(res.Held.Message, "is another plan") {
		t.Errorf("it is said why the approval does not count: %s", res.Held.Message)
	}
	w.restart()
	w.still("a restart approves nothing", changed)
	w.approve()
	w.settle(changed)
	if len(w.answers()) != 2 {
		t.Errorf("the approved plan was not carried out: %v", w.answers())
	}
	page := w.page()
	if page.Spec.ApprovedPlan != "" || page.Status.PendingPlan != nil ||
		meta.FindStatusCondition(page.Status.Conditions, headgatev1alpha1.ConditionPlanApproved) != nil {
		t.Errorf("an approval counts once: %+v, %+v", page.Spec, page.Status)
	}
	w.quiet("a stack that is as it shall be asks nobody", func() { w.run(changed) })
	if res := w.still("the next change asks anew", under(stack.Approve, request(member("a")))); res.Held == nil {
		t.Error("nothing holds it")
	}
}

// What is shown while a plan waits is what serves, not what the plan leads to.
func TestWhatServesIsShownWhileAPlanWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	other := request(member("a", elsewhere("x.example.com")), member("b", elsewhere("y.example.com"), func(f *intent.Fragment) {
		f.Listeners[0].Port, f.Routes[0].Ports = 8080, []int{8080}
	}))
	res := w.still("it waits", under(stack.Approve, other))
	if s := w.page().Status; s.Rules.Used != 2 || s.Summary.Rules != "2/100" || s.Summary.Listeners != "HTTP:80" {
		t.Errorf("invariant 8: it shows %+v, %+v", s.Summary, s.Listeners)
	}
	if !slices.Equal(res.Ports, []int{80}) {
		t.Errorf("ports %v", res.Ports)
	}
}

// TestHealthIsWhatAWSHasWhileAPlanWaits: targets of groups that the plan makes are no targets yet, and those that it would delete serve on.
func TestHealthIsWhatAWSHasWhileAPlanWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	for _, g := range w.aws.stacks[owner()].TargetGroups {
		w.health(g.ARN, "healthy", "healthy")
	}
	other := under(stack.Approve, request(member("a"), member("c")))
	for range 2 {
		w.still("b goes and c comes", other)
		s := w.page().Status
		var backends []string
		for _, one := range s.Targets {
			backends = append(backends, one.Backend)
		}
		slices.Sort(backends)
		if diff := cmp.Diff([]string{"shop/svc-a:80", "shop/svc-b:80"}, backends); diff != "" || s.Summary.Healthy != "4/4" {
			t.Errorf("it shows %s healthy, of %s", s.Summary.Healthy, diff)
		}
		w.restart()
	}
	w.approve()
	w.settle(other)
	if got := len(w.page().Status.Targets); got != 2 {
		t.Errorf("%d target groups are shown", got)
	}
}

// TestWholePlanIsShown: who approves a plan can see all of it, however long it is, and what comes with it.
func TestWholePlanIsShown(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := func(members int, changes stack.Changes) stack.Request {
		var all []intent.Fragment
		for i := range members {
			all = append(all, member(fmt.Sprintf("m%02d", i)))
		}
		return under(changes, request(all...))
	}
	long := w.still("a long plan", req(60, stack.Approve))
	first := w.page().Status.PendingPlan
	if hash := long.Plan.Hash(); first.Hash != hash {
		t.Errorf("what is approved is %s, and the plan is %s", first.Hash, hash)
	}
	text, whole, err := stack.PlanText(*first)
	if err != nil || !whole {
		t.Fatal(whole, err)
	}
	for _, want := range []string{"m00.example.com", "m59.example.com", "& TargetGroup/shop/m59-svc:80: the pods of Service shop/svc-m59, port 80, are registered"} {
		if !strings.Contains(text, want) {
			t.Errorf("all of the plan has no %q", want)
		}
	}
	shown, _, _ := strings.Cut(first.Text, "… and ")
	lines := strings.Count(text, "\n")
	said := fmt.Sprintf("… and %d of %d lines more: `headgate approve` prints all\n", lines-strings.Count(shown, "\n"), lines)
	if len(first.Text) > 9<<10 || !strings.HasPrefix(text, shown) || !strings.HasSuffix(first.Text, said) {
		t.Errorf("the text ends %q, want %q", first.Text[len(first.Text)-80:], said)
	}
	before := w.page().ResourceVersion
	if w.still("nothing new", req(60, stack.Approve)); w.page().ResourceVersion != before {
		t.Error("invariant 1: a plan that is shown already is written again")
	}
	w.still("a short plan", req(1, stack.Approve))
	if short := w.page().Status.PendingPlan; len(short.Whole) > 0 || !strings.Contains(short.Text, "& TargetGroup/shop/m00-svc:80") {
		t.Errorf("a short plan is its text: %d bytes besides, %s", len(short.Whole), short.Text)
	}
}

// What was approved goes on to its end: no step of it asks again.
func TestApprovedPlanGoesOn(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	wider := under(stack.Approve, request(member("a", func(f *intent.Fragment) { f.Settings.Scheme = "internet-facing" })))
	w.still("the load balancer is not replaced", wider)
	old := w.aws.stacks[owner()].LoadBalancer.ARN
	if res := w.still("again", wider); res.LoadBalancer == nil || res.LoadBalancer.ARN != old {
		t.Errorf("invariant 7: what serves is shown while the plan waits: %+v", res.LoadBalancer)
	}
	w.approve()
	w.aws.slow = true
	w.run(wider) // the new one comes up
	w.restart()
	w.aws.slow = false
	s := w.aws.stacks[owner()]
	s.LoadBalancer.State = "active"
	w.aws.stacks[owner()] = s
	w.settle(wider)
	if got := w.aws.stacks[owner()]; len(got.Leftovers) > 0 || got.LoadBalancer.ARN == old || got.LoadBalancer.Scheme != "internet-facing" {
		t.Errorf("the replacement was not finished: %+v", got.LoadBalancer)
	}
}

func TestDriftWaitsForApprovalToo(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := under(stack.Auto, request(member("a")))
	w.settle(req)
	s := w.aws.stacks[owner()]
	s.Listeners[0].Rules = nil
	w.aws.stacks[owner()] = s
	req = under(stack.Approve, request(member("a")))
	w.run(req)
	w.now = w.now.Add(3 * 60e9)
	if res := w.still("AWS was changed by hand", req); res.Held == nil || !res.Drift {
		t.Errorf("%+v", res)
	}
	if res := w.still("it is still so", req); res.Held == nil || meta.IsStatusConditionTrue(w.page().Status.Conditions, headgatev1alpha1.ConditionProgrammed) {
		t.Errorf("invariant 8: what AWS does not hold is not shown as programmed: %+v", res)
	}
}

func TestOnlyDestructivePlansAsk(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(under(stack.ApproveDestructive, request(member("a"))))
	w.settle(under(stack.ApproveDestructive, request(member("a"), member("b"))))
	if res := w.still("a rule and a target group go", under(stack.ApproveDestructive, request(member("b")))); res.Held == nil {
		t.Errorf("%+v", res)
	}
	w.approve()
	w.settle(under(stack.ApproveDestructive, request(member("b"))))
}

func TestDeletionOfTheOwnerWaitsForApproval(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(under(stack.Approve, approved(w, request(member("a")))))
	gone := under(stack.Approve, request())
	gone.Leaving = append(gone.Leaving, ref("a"))
	res := w.still("the owner is deleted", gone)
	if got := w.page().Status.Sources; len(got) != 1 || got[0].Name != "a" {
		t.Errorf("an approval is found by the owner that is deleted: %v", got)
	}
	if res.Gone || len(res.Free) > 0 || res.LoadBalancer == nil || len(w.bindings()) != 1 {
		t.Errorf("who is deleted waits, and what it had serves: %+v, bindings %v", res, w.bindings())
	}
	w.approve()
	if res := w.settle(gone); !res.Gone || len(w.aws.stacks) > 0 {
		t.Errorf("left: %+v", w.aws.stacks)
	}
}

// approved has the plan of a request approved.
func approved(w *world, req stack.Request) stack.Request {
	w.Helper()
	w.run(under(stack.Approve, req))
	w.approve()
	return req
}

// TestObserveTouchesNoBinding: a binding is neither made nor changed nor deleted where AWS holds all already, for pods would be registered with
// it, and those of others taken out. Those that are there stay, and are followed by the targets' lane.
func TestObserveTouchesNoBinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	req := under(stack.Observe, request(member("a"), member("b")))
	if res := w.still("all is there", req); res.Held != nil || !res.Settled {
		t.Errorf("AWS and the bindings are as they shall be: %+v", res.Held)
	}
	kept, lost := w.bindings()[0], w.bindings()[1]
	changed := kept.DeepCopy()
	changed.Spec.VpcID = "vpc-other"
	if err := errors.Join(w.api.Update(w.Context(), changed), w.api.Delete(w.Context(), &lost)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		res := w.still("bindings are not as they shall be", req)
		if res.Held == nil || res.Held.Reason != outcome.ReasonObserved || !strings.Contains(res.Held.Message, "2 TargetGroupBindings") {
			t.Errorf("invariant 8: who observes is not told: %+v", res.Held)
		}
		if got := w.bindings(); len(got) != 1 || got[0].Spec.VpcID != "vpc-other" {
			t.Errorf("invariant 5: bindings were written: %+v", got)
		}
		w.restart()
	}
	w.settle(request(member("a"), member("b")))
	if got := w.bindings(); len(got) != 2 || got[0].Spec.VpcID == "vpc-other" || got[1].Spec.VpcID == "vpc-other" {
		t.Errorf("once it is observed no more: %+v", got)
	}
}

func TestObserveWritesNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	req := under(stack.Observe, request(member("a")))
	w.still("nothing is made", req)
	w.approve()
	if res := w.still("not even what is approved", req); res.Held == nil || res.Held.Reason != outcome.ReasonObserved {
		t.Errorf("%+v", res)
	}
	if text := w.page().Status.PendingPlan.Text; !strings.Contains(text, string(plan.CreateLoadBalancer)) {
		t.Errorf("the plan is shown: %s", text)
	}
	gone := under(stack.Observe, request())
	if res := w.run(gone); !res.Gone {
		t.Errorf("where nothing was made nothing keeps the owner: %+v", res)
	}
	w.settle(request(member("a")))
	if res := w.still("the owner is deleted", gone); res.Gone {
		t.Errorf("what stays in AWS keeps its owner: %+v", res)
	}
}
