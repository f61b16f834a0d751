package plan_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// grouped has rules and default actions of a stack forward to target groups, each to that of its answer. Those that are replaced are of another
// protocol than before. A 404 stays one.
func grouped(s model.Stack, replaced map[string]bool) model.Stack {
	to := func(actions []model.Action) []model.Action {
		code := actions[0].FixedResponse.StatusCode
		if code == "404" {
			return actions
		}
		g := group("shop/s" + code + ":80")
		g.Name = "name-" + code
		if replaced[code] {
			g.Name, g.Protocol = "other-"+code, "HTTPS"
		}
		if !slices.ContainsFunc(s.TargetGroups, func(have model.TargetGroup) bool { return have.ID == g.ID }) {
			s.TargetGroups = append(s.TargetGroups, g)
		}
		return forward(g.ID)
	}
	l := s.Listeners[0]
	l.Rules = slices.Clone(l.Rules)
	for i := range l.Rules {
		l.Rules[i].Actions, l.Rules[i].ARN, l.Rules[i].Priority = to(l.Rules[i].Actions), "", 0
	}
	l.DefaultActions, l.ARN = to(l.DefaultActions), ""
	s.Listeners, s.LoadBalancer.ARN, s.LoadBalancer.State = []model.Listener{l}, "", ""
	return s
}

// nameOf is the name of the target group that actions forward to, or the answer itself.
func nameOf(s model.Stack, actions []model.Action) string {
	if actions[0].Forward == nil {
		return actions[0].FixedResponse.StatusCode
	}
	to := actions[0].Forward.Groups[0]
	for _, g := range s.TargetGroups {
		if to.ARN != "" && g.ARN == to.ARN || to.ARN == "" && g.ID == to.Key {
			return g.Name
		}
	}
	return fmt.Sprint("nothing: ", to)
}

// namedAnswer is where a request goes.
func namedAnswer(s model.Stack, q request) string {
	for _, r := range s.Listeners[0].Rules {
		if slices.IndexFunc(r.Conditions, func(c model.Condition) bool { return !holds(c, q) }) < 0 {
			return nameOf(s, r.Actions)
		}
	}
	return nameOf(s, s.Listeners[0].DefaultActions)
}

// groupsUsed counts the target groups that the load balancer uses.
func groupsUsed(s model.Stack) int {
	var out []string
	for _, r := range append([]model.Rule{{Actions: s.Listeners[0].DefaultActions}}, s.Listeners[0].Rules...) {
		if r.Actions[0].Forward != nil {
			out = append(out, nameOf(s, r.Actions))
		}
	}
	slices.Sort(out)
	return len(slices.Compact(out))
}

// TestShortageOfTargetGroups: where the load balancer takes no target group more than the old or the new rules use, and some are replaced, no plan
// uses more, each ends where it should, and a request that gets an answer which is neither the old nor the new one was named.
func TestShortageOfTargetGroups(t *testing.T) {
	exposed, short := 0, 0
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 3))
		replaced := map[string]bool{}
		for _, code := range []string{"201", "202", "203", "204", "503"} {
			replaced[code] = r.IntN(2) == 0
		}
		want, have := pair(r)
		want, have = grouped(want, replaced), built(t, grouped(have, nil))
		quota := max(groupsUsed(want), groupsUsed(have), 1)
		opts := plan.Options{Quotas: model.Quotas{TargetGroupsPerLoadBalancer: quota}}
		p := plan.Diff(want, have, opts)
		s, wrong := have, ""
		for _, c := range shuffled(r, p) {
			next, err := plan.Step(s, c)
			if err != nil {
				t.Fatalf("seed %d: %v\n%s", seed, err, p)
			}
			s = next
			if n := groupsUsed(s); n > quota {
				t.Fatalf("seed %d: %d target groups are used after change %d, and the quota is %d\n%s", seed, n, c.ID, quota, p)
			}
			for _, q := range requests() {
				if got := namedAnswer(s, q); got != namedAnswer(have, q) && got != namedAnswer(want, q) {
					wrong = cmp.Or(wrong, fmt.Sprintf("after change %d %v goes to %s, neither %s nor %s", c.ID, q, got, namedAnswer(have, q), namedAnswer(want, q)))
				}
			}
		}
		if rest := plan.Diff(want, s, opts); !rest.Empty() {
			t.Fatalf("seed %d: invariant 2: still to do\n%s\nafter\n%s", seed, rest, p)
		}
		if wrong != "" {
			exposed++
			if len(p.Notes) == 0 {
				t.Fatalf("seed %d: nobody was told: %s\n%s", seed, wrong, p)
			}
		}
		short += len(p.Notes)
	}
	if exposed == 0 || short == 0 {
		t.Errorf("%d plans exposed somebody, and %d notes said so: there was always room, so the test proves nothing", exposed, short)
	}
	t.Logf("%d of 1,500 plans exposed somebody", exposed)
}
