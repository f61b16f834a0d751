package stack_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

func health(states ...string) []model.TargetHealth {
	var out []model.TargetHealth
	for i, s := range states {
		out = append(out, model.TargetHealth{Target: model.Target{ID: "10.0.0.1", Port: 8080 + i}, State: s})
	}
	return out
}

func (w *world) health(arn model.ARN, states ...string) {
	w.Helper()
	if err := w.loop.Board().Health(w.Context(), arn, health(states...)); err != nil {
		w.Fatal(err)
	}
}

func TestHealthIsShownWhenItChanges(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	arn := w.aws.stacks[owner()].TargetGroups[0].ARN
	for _, c := range []struct {
		why    string
		states []string
		after  time.Duration
		want   string
		ready  bool
		writes bool
	}{
		{"targets come up", []string{"initial", "initial"}, 0, "0/2", false, true},
		{"one is healthy", []string{"healthy", "initial"}, time.Second, "1/2", false, true},
		{"all are", []string{"healthy", "healthy"}, time.Second, "2/2", true, true},
		{"nothing new is not written", []string{"healthy", "healthy"}, time.Second, "2/2", true, false},
		{"a time that is old is", []string{"healthy", "healthy"}, 6 * time.Minute, "2/2", true, true},
		{"what drains is no target any more", []string{"healthy", "draining"}, time.Second, "1/1", true, true},
	} {
		w.now = w.now.Add(c.after)
		version := w.page().ResourceVersion
		w.health(arn, c.states...)
		page := w.page()
		if got := page.Status.Summary.Healthy; got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
		if got := meta.IsStatusConditionTrue(page.Status.Conditions, headgatev1alpha1.ConditionReady); got != c.ready {
			t.Errorf("%s: ready %v", c.why, got)
		}
		if wrote := page.ResourceVersion != version; wrote != c.writes {
			t.Errorf("%s: written %v", c.why, wrote)
		}
	}
	w.restart()
	w.run(request(member("a")))
	if got := w.page().Status.Summary.Healthy; got != "1/1" {
		t.Errorf("a restart does not forget the health: %s", got)
	}
}

func TestLateReadTakesNothingBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	old := w.page()
	w.through(interceptor.Funcs{Get: func(ctx context.Context, c client.WithWatch, key client.ObjectKey, o client.Object, opts ...client.GetOption) error {
		if lb, ok := o.(*headgatev1alpha1.LoadBalancer); ok {
			old.DeepCopyInto(lb) // the cache never hears of what is written
			return nil
		}
		return c.Get(ctx, key, o, opts...)
	}})
	w.run(request(member("a")))
	w.aws.fail = func(plan.Change) error { return denied() }
	if _, err := w.loop.Run(t.Context(), request(member("a"), member("b"))); err == nil {
		t.Fatal("the change is denied")
	}
	w.health(w.aws.stacks[owner()].TargetGroups[0].ARN, "healthy")
	s := w.page().Status
	if s.LastError == nil || s.Summary.Healthy != "1/1" || meta.IsStatusConditionTrue(s.Conditions, headgatev1alpha1.ConditionProgrammed) {
		t.Errorf("the health took the error back: %+v", s)
	}
}

func TestSteadyStackWritesNoObject(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	version := w.page().ResourceVersion
	w.now = w.now.Add(30 * time.Second)
	w.run(request(member("a")))
	if got := w.page().ResourceVersion; got != version {
		t.Error("invariant 1: the LoadBalancer object was written")
	}
}

func TestObjectOfAReplacedLoadBalancerGoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	old := w.page().Name
	w.settle(request(member("a", func(f *intent.Fragment) { f.Settings.Scheme = "internet-facing" })))
	page := w.page()
	if page.Name == old || page.Name != w.aws.stacks[owner()].LoadBalancer.Name {
		t.Errorf("the object is called %s", page.Name)
	}
	if page.Status.Scheme != "internet-facing" {
		t.Errorf("scheme %s", page.Status.Scheme)
	}
}

// TestObjectOfAGoneStackIsTriedAgain: what could not be deleted with the stack keeps its members, for nobody would look at it again.
func TestObjectOfAGoneStackIsTriedAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	away := true
	w.through(interceptor.Funcs{Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
		if _, ok := o.(*headgatev1alpha1.LoadBalancer); ok && away {
			return errors.New("the API server is away")
		}
		return c.Delete(ctx, o, opts...)
	}})
	leaving := request()
	leaving.Leaving = []model.ObjectRef{ref("a")}
	res := w.run(leaving)
	for range 5 {
		if res.Gone || len(res.Free) > 0 || res.RequeueAfter <= 0 || res.RequeueAfter > 30*time.Second {
			t.Fatalf("its members stay, and it is tried again: gone %v, free %v, after %s", res.Gone, res.Free, res.RequeueAfter)
		}
		res = w.run(leaving)
	}
	away = false
	if res = w.run(leaving); !res.Gone || len(res.Free) != 1 {
		t.Errorf("once it can be deleted all is gone: %v, free %v", res.Gone, res.Free)
	}
	var list headgatev1alpha1.LoadBalancerList
	if err := w.api.List(t.Context(), &list); err != nil || len(list.Items) > 0 {
		t.Errorf("left: %v, %v", list.Items, err)
	}
}

func TestObjectThatWasDeletedComesAgain(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	page, want := w.page(), w.page().Status
	if err := w.api.Delete(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	w.run(request(member("a")))
	got := w.page().Status
	got.LastApplied, want.LastApplied = nil, nil
	if diff := cmp.Diff(want, got, cmpopts.IgnoreFields(metav1.Condition{}, "LastTransitionTime")); diff != "" {
		t.Error(diff)
	}
}

// TestDrainIsWhatTheGroupIsMadeWith: who asks for nothing has what AWS has by itself.
func TestDrainIsWhatTheGroupIsMadeWith(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"": 5 * time.Minute, "30": 30 * time.Second} {
		w := newWorld(t)
		w.settle(request(member("a", func(f *intent.Fragment) {
			if text != "" {
				f.Routes[0].Forward.Backends[0].Service.Group.Attributes = map[string]string{"deregistration_delay.timeout_seconds": text}
			}
		})))
		arn := w.aws.stacks[owner()].TargetGroups[0].ARN
		if got := w.loop.Board().Drain(arn); got != want {
			t.Errorf("%q: a drain of %s", text, got)
		}
	}
}

// TestDeletedObjectComesAgainWithoutARun: the targets of a stack that rests are looked at all the time.
func TestDeletedObjectComesAgainWithoutARun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	arn := w.aws.stacks[owner()].TargetGroups[0].ARN
	w.health(arn, "healthy")
	page, want := w.page(), w.page().Status
	if err := w.api.Delete(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	w.now = w.now.Add(6 * time.Minute)
	w.health(arn, "healthy")
	again := w.page()
	again.Status.Targets[0].ObservedAt = want.Targets[0].ObservedAt
	if diff := cmp.Diff(want, again.Status); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(page.Labels, again.Labels); diff != "" {
		t.Error(diff)
	}
	w.settle(request())
	w.now = w.now.Add(6 * time.Minute)
	w.health(arn, "healthy")
	var pages headgatev1alpha1.LoadBalancerList
	if err := w.api.List(t.Context(), &pages); err != nil || len(pages.Items) > 0 {
		t.Errorf("invariant 5: the stack is gone, and its object came again: %v, %v", pages.Items, err)
	}
}

// What is refused is not shown as if it were there.
func TestShowsWhatAWSHolds(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.CreateListener || c.Op == plan.CreateRule {
			return denied()
		}
		return nil
	}
	tls := member("c", secure("arn:aws:acm:eu-west-1:1:certificate/c"))
	res, err := w.loop.Run(t.Context(), request(member("a"), member("b"), tls))
	if err == nil {
		t.Fatal("the changes are denied")
	}
	if diff := cmp.Diff([]int{80}, res.Ports); diff != "" {
		t.Errorf("ports: %s", diff)
	}
	s := w.page().Status
	if s.Summary.Listeners != "HTTP:80" || s.Summary.Rules != "1/100" || len(s.Listeners) != 1 {
		t.Errorf("listeners %q, rules %q: AWS has one of each", s.Summary.Listeners, s.Summary.Rules)
	}
	ready := map[string]bool{}
	for _, m := range s.Members {
		ready[m.Name] = meta.IsStatusConditionTrue(m.Conditions, headgatev1alpha1.ConditionReady)
	}
	if diff := cmp.Diff(map[string]bool{"a": true, "b": false, "c": false}, ready); diff != "" {
		t.Errorf("only a has all that it asks for: %s", diff)
	}
}
