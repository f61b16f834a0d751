package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// TestNewListenerAnswersNothingBeforeItsRules: until the rules of a new port are there, its default actions would answer what a rule shall, one
// that restricts access among them. So they come last. A load balancer that nobody knows yet need not care.
func TestNewListenerAnswersNothingBeforeItsRules(t *testing.T) {
	want, had := shop(), shop()
	rules := slices.Clone(want.Listeners[0].Rules)
	want.Listeners = append(want.Listeners, model.Listener{
		Port: 8080, Protocol: "HTTP", DefaultActions: forward("shop/web:80"), Rules: rules,
	})
	have := built(t, had)
	p := plan.Diff(want, have, plan.Options{})
	first, last := plan.Change{}, plan.Change{}
	made := []int{}
	for _, c := range p.Changes {
		switch {
		case c.Port != 8080:
		case c.Op == plan.CreateListener:
			first = c
		case c.Op == plan.CreateRule:
			made = append(made, c.ID)
		case c.Op == plan.ModifyListener:
			last = c
		}
	}
	if first.Listener == nil || first.Listener.DefaultActions[0].FixedResponse == nil || first.Listener.DefaultActions[0].FixedResponse.StatusCode != "404" {
		t.Errorf("the port opens with its default actions:\n%s", p)
	}
	if last.Listener == nil || !model.ActionsEqual(last.Listener.DefaultActions, forward("shop/web:80")) || len(made) != len(rules) {
		t.Fatalf("its default actions are not set in the end:\n%s", p)
	}
	if !after(p, last.ID, made) {
		t.Errorf("its default actions do not wait for its rules %v: %+v", made, last)
	}
	converges(t, want, have, plan.Options{})
	if diff := cmp.Diff(0, count(plan.Diff(want, model.Stack{Owner: want.Owner}, plan.Options{}), plan.ModifyListener)); diff != "" {
		t.Errorf("a new load balancer costs a call more: %s", diff)
	}
}

// after tells whether a change comes after all others, by what it waits for.
func after(p plan.Plan, id int, others []int) bool {
	before, next := map[int]bool{}, []int{id}
	for len(next) > 0 {
		at := next[0]
		next = next[1:]
		for _, earlier := range p.Changes[at-1].After {
			if !before[earlier] {
				before[earlier] = true
				next = append(next, earlier)
			}
		}
	}
	return !slices.ContainsFunc(others, func(other int) bool { return !before[other] })
}

func count(p plan.Plan, op plan.Op) int {
	n := 0
	for _, c := range p.Changes {
		if c.Op == op {
			n++
		}
	}
	return n
}

// TestTargetsAdmitTheBackendGroupFirst: a load balancer that loses the groups that its targets admit, and gets the shared one for them, has
// both until the targets admit that one.
func TestTargetsAdmitTheBackendGroupFirst(t *testing.T) {
	want, had := shop(), shop()
	backend := model.GroupRef{Key: model.ResourceBackendSecurityGroup}
	had.SecurityGroups, had.LoadBalancer.SecurityGroups = nil, []model.GroupRef{{ID: "sg-own"}}
	want.SecurityGroups, want.LoadBalancer.SecurityGroups = nil, []model.GroupRef{{ID: "sg-other"}, backend}
	have, admitted := built(t, had), false
	opts := plan.Options{Met: func(n plan.Need) (bool, string) { return n.State != plan.StateAdmitted || admitted, "" }}
	p := plan.Diff(want, have, opts)
	var steps [][]model.GroupRef
	for _, c := range p.Changes {
		if c.Op == plan.SetSecurityGroups {
			steps = append(steps, c.LoadBalancer.SecurityGroups)
			if waits := len(c.Needs) > 0; waits != (len(steps) == 2) {
				t.Errorf("step %d waits: %t", len(steps), waits)
			}
		}
	}
	if diff := cmp.Diff([][]model.GroupRef{{{ID: "sg-other"}, backend, {ID: "sg-own"}}, {{ID: "sg-other"}, backend}}, steps); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	admitted = true
	if p := plan.Diff(want, have, opts); count(p, plan.SetSecurityGroups) != 1 {
		t.Errorf("nothing is waited for any more:\n%s", p)
	}
}
