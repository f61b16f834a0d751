package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	simfault "github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
	"github.com/headgate/headgate/test/rig"
)

// fresh is a converged stack and who made it.
func fresh(t *testing.T, a *account, transport *wire) (*cloud.Client, model.Stack) {
	t.Helper()
	desired := shop(a.certificate(t, "shop.example"))
	c := a.client(t, transport)
	converge(t, c, desired)
	return c, desired
}

func TestPriorityInUse(t *testing.T) {
	a := newAccount(t)
	c, desired := fresh(t, a, newWire())
	listener := observe(t, c).Listeners[1]
	there := listener.Rules[0]
	known := map[model.Key]model.ARN{{Kind: model.KindListener, ID: "443"}: listener.ARN}
	for _, g := range observe(t, c).TargetGroups {
		known[model.Key{Kind: model.KindTargetGroup, ID: g.ID}] = g.ARN
	}
	create := func(r model.Rule) plan.Plan {
		return plan.Plan{Owner: owner(), Known: known, Changes: []plan.Change{{
			ID: 1, Op: plan.CreateRule, Action: plan.Create, Key: plan.RuleKey(443, r), Port: 443, Rule: &r, Priority: there.Priority,
		}}}
	}
	out, err := c.Apply(t.Context(), create(desired.Listeners[1].Rules[0]))
	if err != nil || out.Done != 1 || out.ARNs[plan.RuleKey(443, desired.Listeners[1].Rules[0])] != there.ARN {
		t.Errorf("a rule that is there with that priority is not taken as made: %+v, %v", out, err)
	}
	other := rule(answer("418"), model.Condition{Field: model.FieldHost, Values: []string{"elsewhere.example"}})
	if out, err = c.Apply(t.Context(), create(other)); fault.Of(err) != fault.Conflict || out.Done != 0 {
		t.Errorf("got %+v, %v; want a conflict: another rule has the priority", out, err)
	}
}

func TestDeletionsWait(t *testing.T) {
	a := newAccount(t)
	c, _ := fresh(t, a, newWire())
	seen := observe(t, c)
	group, security := seen.TargetGroups[0], seen.SecurityGroups[0]
	p := plan.Plan{Owner: owner(), Changes: []plan.Change{
		{ID: 1, Op: plan.DeleteTargetGroup, Action: plan.Delete, Key: model.Key{Kind: model.KindTargetGroup, ID: group.ID}, ARN: group.ARN},
		{ID: 2, Op: plan.DeleteSecurityGroup, Action: plan.Delete, Key: model.Key{Kind: model.KindSecurityGroup, ID: security.ID}, ARN: security.ARN},
		{ID: 3, Op: plan.DeleteTargetGroup, Action: plan.Delete, Key: model.Key{Kind: model.KindTargetGroup, ID: "gone"},
			ARN: group.ARN + "0", After: []int{1}},
	}}
	out, err := c.Apply(t.Context(), p)
	if err != nil {
		t.Fatalf("what is in use for now is an error: %v", err)
	}
	want := map[string]string{"TargetGroup/" + group.ID: "unused", "SecurityGroup/" + security.ID: "network interfaces released"}
	got := map[string]string{}
	for _, w := range out.Waiting {
		got[w.Key.String()] = w.For
	}
	if diff := cmp.Diff(want, got); diff != "" || out.Done != 0 {
		t.Errorf("%d done; waiting (-want +got):\n%s", out.Done, diff)
	}
}

func TestNeedsWait(t *testing.T) {
	var passed atomic.Int64
	start := time.Now()
	a := accountOf(t, sim.Options{Now: func() time.Time { return start.Add(time.Duration(passed.Load())) }})
	w := newWire()
	c, _ := fresh(t, a, w)
	seen := observe(t, c)
	lb := *seen.LoadBalancer
	change := func(state string) plan.Plan {
		return plan.Plan{Owner: owner(), Changes: []plan.Change{{
			ID: 1, Op: plan.ModifyLoadBalancerAttributes, Action: plan.Update, Key: model.Key{Kind: model.KindLoadBalancer, ID: lb.ID}, ARN: lb.ARN,
			Needs:      []plan.Need{{Key: model.Key{Kind: model.KindLoadBalancer, ID: lb.ID}, ARN: lb.ARN, State: state}},
			Attributes: map[string]string{"idle_timeout.timeout_seconds": "11"},
		}}}
	}
	w.take(true)
	out, err := c.Apply(t.Context(), change(plan.StateActive))
	if err != nil || len(out.Waiting) != 1 || out.Waiting[0].For != plan.StateActive || len(w.take(true)) != 0 {
		t.Errorf("a state that is not reached is not waited for: %+v, %v", out, err)
	}
	passed.Store(int64(5 * time.Minute))
	if state := observe(t, c).LoadBalancer.State; state != plan.StateActive {
		t.Errorf("a load balancer that was provisioned is seen as %s: what is not settled is looked at again", state)
	}
	if out, err = c.Apply(t.Context(), change(plan.StateActive)); err != nil || out.Done != 1 {
		t.Errorf("a state that is reached is waited for: %+v, %v", out, err)
	}
}

// TestEachHostHasItsTurn: what comes last in a plan does not wait for all that another host has made.
func TestEachHostHasItsTurn(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c, _ := fresh(t, a, w)
	listener := observe(t, c).Listeners[1]
	const many, late = 60, 50
	p := plan.Plan{Owner: owner(), Known: map[model.Key]model.ARN{{Kind: model.KindListener, ID: "443"}: listener.ARN}}
	for n := range many {
		r := rule(answer("418"), model.Condition{Field: model.FieldHost, Values: []string{"many.example"}},
			model.Condition{Field: model.FieldPath, Values: []string{fmt.Sprintf("/%d", n)}})
		if n == late {
			r.Conditions[0].Values = []string{"one.example"}
		}
		p.Changes = append(p.Changes, plan.Change{
			ID: n + 1, Op: plan.CreateRule, Action: plan.Create, Key: plan.RuleKey(443, r), Port: 443, Rule: &r, Priority: 1000 + n,
		})
	}
	var begun atomic.Int64
	const enough = 24 // three turns of all that are made side by side
	out, err := c.Apply(plan.WithCourse(t.Context(), plan.Course{Newer: func() bool { return begun.Add(1) > enough }}), p)
	if err != nil || out.Done == 0 || out.Done > enough {
		t.Fatalf("%d are made, %v", out.Done, err)
	}
	if !slices.ContainsFunc(observe(t, c).Listeners[1].Rules, func(r model.Rule) bool { return slices.Contains(r.Conditions[0].Values, "one.example") }) {
		t.Errorf("the only rule of a host is not among the first %d of %d", out.Done, len(p.Changes))
	}
}

// TestPlanYields: no change is begun once a newer plan is asked for. That is no failure: nothing is read again for it, and nothing made twice.
func TestPlanYields(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"))
	w := newWire()
	c := a.client(t, w)
	var begun atomic.Int64
	const enough = 6
	ctx := plan.WithCourse(t.Context(), plan.Course{Newer: func() bool { return begun.Add(1) > enough }})
	p, out, err := turn(ctx, c, desired)
	if err != nil || !out.Yielded || out.Done == 0 || out.Done > enough || len(p.Changes) <= enough {
		t.Fatalf("%d of %d changes are made, yielded %v, %v", out.Done, len(p.Changes), out.Yielded, err)
	}
	w.take(false)
	observe(t, c)
	if got := w.take(false); len(got) > 0 {
		t.Errorf("what is known is read again: %v", got)
	}
	converge(t, c, desired)
	fresh := newAccount(t)
	converge(t, fresh.client(t, newWire()), shop(fresh.certificate(t, "shop.example")))
	if want, got := fresh.size(t), a.size(t); got != want {
		t.Errorf("in the end the account holds %+v, want %+v as in one go", got, want)
	}
}

func TestFailureStopsOnlyWhatDependsOnIt(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"))
	w := newWire()
	w.intercept = func(action string) verdict {
		if action == string(plan.CreateLoadBalancer) {
			return deny
		}
		return pass
	}
	_, out, err := turn(t.Context(), a.client(t, w), desired)
	denied := fault.All(err)
	if len(denied) != 1 || denied[0].Class != fault.Denied || denied[0].Action != "elasticloadbalancing:CreateLoadBalancer" {
		t.Errorf("got %v, want one error that names the right that is missing", err)
	}
	calls := w.take(true)
	if calls[string(plan.CreateTargetGroup)] != 2 || calls[string(plan.AuthorizeIngress)] == 0 {
		t.Errorf("the failure stopped what does not depend on it: %v", calls)
	}
	if calls[string(plan.CreateListener)]+calls[string(plan.CreateRule)] != 0 || out.LoadBalancer != nil {
		t.Errorf("the failure did not stop what depends on it: %v", calls)
	}
}

func TestNothingBeginsAfterTheEnd(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"))
	w := newWire()
	c := a.client(t, w)
	p := plan.Diff(desired, observe(t, c), plan.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := c.Apply(ctx, p); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want the context's error", err)
	}
	if calls := w.take(true); len(calls) > 0 {
		t.Errorf("calls were made after the context ended: %v", calls)
	}
	ctx, cancel = context.WithCancel(t.Context())
	w.intercept = func(action string) verdict {
		if rig.IsWrite(action) {
			cancel()
		}
		return pass
	}
	out, err := c.Apply(ctx, p)
	if !errors.Is(err, context.Canceled) || out.Done == 0 || out.Done >= len(p.Changes) {
		t.Errorf("%d of %d done, %v: calls that were begun end, no others begin", out.Done, len(p.Changes), err)
	}
}

func TestPlanThatWaitsForItselfIsRefused(t *testing.T) {
	a := newAccount(t)
	_, err := a.client(t, nil).Apply(t.Context(), plan.Plan{Owner: owner(), Changes: []plan.Change{
		{ID: 1, Op: plan.DeleteRule, After: []int{2}}, {ID: 2, Op: plan.DeleteRule, After: []int{1}},
	}})
	if fault.Of(err) != fault.Invalid {
		t.Errorf("got %v, want it refused", err)
	}
}

func TestTargetsGoInChunks(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c, _ := fresh(t, a, w)
	group := observe(t, c).TargetGroups[0].ARN
	var targets []model.Target
	for n := range 450 {
		targets = append(targets, model.Target{ID: fmt.Sprintf("10.0.%d.%d", 128+n/200, 10+n%200), Port: 8080})
	}
	w.take(true)
	if err := c.Register(t.Context(), group, targets); err != nil {
		t.Fatal(err)
	}
	health, err := c.Health(t.Context(), group)
	if err != nil || len(health) != len(targets) {
		t.Fatalf("%d targets are registered (%v), want %d", len(health), err, len(targets))
	}
	for _, h := range health {
		if h.Target.Zone != "" || h.State == "" {
			t.Fatalf("got %+v: a zone that AWS found is no part of what was registered", h)
		}
	}
	if err := c.Deregister(t.Context(), group, targets); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(map[string]int{"RegisterTargets": 3, "DeregisterTargets": 3}, w.take(true)); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
}

func TestWhatWasJustMadeIsNotGoneBecauseAWSDoesNotFindIt(t *testing.T) {
	a := newAccount(t)
	now := time.Now()
	cfg := a.config()
	c, err := cloud.New(t.Context(), cloud.Options{
		Cluster: cluster, VPC: vpc.DefaultWorld().VPC, AWSConfig: &cfg, Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	desired := shop(a.certificate(t, "shop.example"))
	converge(t, c, desired)
	listener := observe(t, c).Listeners[1]
	rule := listener.Rules[0]
	if err := a.sim.Disturb(sim.Disturbances{Faults: []simfault.Fault{{Action: "DeleteRule", Code: "RuleNotFound", Status: 400, Times: 2}}}); err != nil {
		t.Fatal(err)
	}
	remove := plan.Plan{Owner: owner(), Changes: []plan.Change{
		{ID: 1, Op: plan.DeleteRule, Action: plan.Delete, Key: plan.RuleKey(443, desired.Listeners[1].Rules[0]), Port: 443, ARN: rule.ARN},
	}}
	out, err := c.Apply(t.Context(), remove)
	if err != nil || out.Done != 0 || len(out.Waiting) != 1 || out.Waiting[0].For != "found by AWS" {
		t.Errorf("a rule of a moment ago that AWS does not find: %+v, %v; want it to be waited for", out, err)
	}
	if got := len(observe(t, c).Listeners[1].Rules); got != len(listener.Rules) {
		t.Errorf("%d rules are known, not %d: it was taken as gone", got, len(listener.Rules))
	}
	now = now.Add(2 * time.Minute)
	if out, err = c.Apply(t.Context(), remove); err != nil || out.Done != 1 {
		t.Errorf("a rule that AWS should know by now: %+v, %v; want it to count as gone", out, err)
	}
}

func TestALoadBalancerThatAWSDoesNotFindYetIsNotLost(t *testing.T) {
	a := newAccount(t)
	unfound := func(times int) {
		t.Helper()
		f := simfault.Fault{Action: "DescribeTags", Code: "LoadBalancerNotFound", Status: 400, Times: times}
		if err := a.sim.Disturb(sim.Disturbances{Faults: []simfault.Fault{f}}); err != nil {
			t.Fatal(err)
		}
	}
	desired := shop(a.certificate(t, "shop.example"))
	unfound(1)
	converge(t, a.client(t, newWire()), desired)
	if got := count(a, "CreateLoadBalancer"); got != 1 {
		t.Errorf("%d calls made the load balancer, want 1", got)
	}

	c := a.client(t, newWire())
	unfound(1)
	if got := observe(t, c); got.LoadBalancer != nil {
		t.Errorf("a load balancer without tags is taken as the owner's: %+v", got.LoadBalancer)
	}
	if got := observe(t, c); got.LoadBalancer == nil {
		t.Error("a load balancer that AWS did not find at first is a stranger's for good")
	}
}

func count(a *account, action string) int {
	for _, c := range a.sim.Calls().Calls {
		if c.Action == action {
			return c.Count
		}
	}
	return 0
}
