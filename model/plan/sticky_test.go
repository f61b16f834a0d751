package plan_test

import (
	"math/rand/v2"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// mixed is a stack with two rules, and the default, that divide their requests between the same two target groups: all of it sticky, or
// nothing.
func mixed(sticky bool) model.Stack {
	forward := model.Forward{Groups: []model.WeightedGroup{{Key: "shop/web-one:80", Weight: 1}, {Key: "shop/web-two:80", Weight: 1}}}
	attributes := map[string]string{"stickiness.enabled": "false"}
	if sticky {
		forward.StickySeconds, attributes = 60, map[string]string{"stickiness.enabled": "true"}
	}
	actions := []model.Action{{Type: model.ActionForward, Forward: &forward}}
	s := oneListener("404", rule(actions, host("a.example.com")), rule(actions, host("b.example.com")))
	s.Listeners[0].DefaultActions = actions
	for _, id := range []string{"shop/web-one:80", "shop/web-two:80"} {
		g := group(id)
		g.Attributes = attributes
		s.TargetGroups = append(s.TargetGroups, g)
	}
	return s
}

// TestStickyTargetsNeedStickyForwards: AWS takes sticky targets in a forward to several groups only with group stickiness. Whatever order a
// plan's changes are made in, it is never asked for less.
func TestStickyTargetsNeedStickyForwards(t *testing.T) {
	one := mixed(false)
	for i := range one.Listeners[0].Rules {
		one.Listeners[0].Rules[i].Actions = forward("shop/web-one:80")
	}
	one.Listeners[0].DefaultActions, one.TargetGroups = forward("shop/web-one:80"), one.TargetGroups[:1]
	one.TargetGroups[0].Attributes = map[string]string{"stickiness.enabled": "true"}
	for _, row := range []struct {
		why        string
		have, want model.Stack
	}{
		{"targets become sticky", mixed(false), mixed(true)},
		{"they stop being so", mixed(true), mixed(false)},
		{"one group stays, and is sticky alone", mixed(false), one},
		{"a sticky one gets company", one, mixed(false)},
		{"and company that is sticky, too", one, mixed(true)},
	} {
		have := built(t, row.have)
		p := plan.Diff(row.want, have, plan.Options{})
		for seed := range uint64(30) {
			s := have
			for _, c := range shuffled(rand.New(rand.NewPCG(seed, 5)), p) {
				next, err := plan.Step(s, c)
				if err != nil {
					t.Fatalf("%s: %v\n%s", row.why, err, p)
				}
				s = next
			}
			if rest := plan.Diff(row.want, s, plan.Options{}); !rest.Empty() {
				t.Fatalf("%s: still to do\n%s", row.why, rest)
			}
		}
	}
}
