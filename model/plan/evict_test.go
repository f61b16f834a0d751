package plan_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// waiting has every target group be waited for.
func waiting(plan.Need) (bool, string) { return false, "" }

// round makes the changes of a plan that wait for no target group, and holds that AWS has room for each.
func round(t *testing.T, want, now model.Stack, met func(plan.Need) (bool, string)) (plan.Plan, model.Stack) {
	t.Helper()
	p := plan.Diff(want, now, plan.Options{Met: met})
	missed := map[int]bool{}
	for _, c := range p.Changes {
		waits := slices.ContainsFunc(c.Needs, func(n plan.Need) bool { return n.Key.Kind == model.KindTargetGroup })
		if waits || slices.ContainsFunc(c.After, func(id int) bool { return missed[id] }) {
			missed[c.ID] = true
			continue
		}
		next, err := plan.Step(now, c)
		if err != nil {
			t.Fatalf("%v\n%s", err, p)
		}
		now = next
		used := 0
		for _, g := range now.TargetGroups {
			used += len(g.LoadBalancers)
		}
		if rules := len(now.Listeners[0].Rules) + len(now.Listeners[0].Parked); rules > 100 || used > 100 {
			t.Fatalf("AWS would hold %d rules and %d target groups after %s of %s\n%s", rules, used, c.Op, c.Key, p)
		}
	}
	return p, now
}

// crowd is a stack of so many rules, the first with a Service.
func crowd(n int, service string) model.Stack {
	rules := hostRules(n)
	rules[0].Actions = forward(service)
	s := oneListener("404", rules...)
	s.TargetGroups = []model.TargetGroup{group(service)}
	return s
}

// TestWhatIsParkedMakesRoom: a rule that parks a target group goes where rules that shall be there need its room, and the plan says whom
// that exposes. While there is room, it stays.
func TestWhatIsParkedMakesRoom(t *testing.T) {
	for _, row := range []struct {
		why     string
		rules   int
		service string
		parked  int
		note    string
	}{
		{"a neighbour takes the last room", 99, "shop/web-two:80", 1, ""},
		{"a neighbour takes its room", 100, "shop/web-two:80", 0, "h0.example.com"},
		{"nobody waits for it any more", 100, "shop/web-one:80", 0, ""},
	} {
		now := built(t, crowd(98, "shop/web-one:80"))
		if _, now = round(t, crowd(98, "shop/web-two:80"), now, waiting); len(now.Listeners[0].Parked) != 1 {
			t.Fatalf("%d rules park, want 1", len(now.Listeners[0].Parked))
		}
		want := crowd(row.rules, row.service)
		p, after := round(t, want, now, waiting)
		if got := after.Listeners[0]; len(got.Rules) != row.rules || len(got.Parked) != row.parked {
			t.Errorf("%s: %d rules and %d that park, want %d and %d\n%s", row.why, len(got.Rules), len(got.Parked), row.rules, row.parked, p)
		}
		if note := strings.Join(p.Notes, ""); !strings.Contains(note, row.note) || row.note == "" && note != "" {
			t.Errorf("%s: notes %q, want %q", row.why, note, row.note)
		}
		healthy := func(plan.Need) (bool, string) { return true, "" }
		_, end := round(t, want, after, healthy)
		if rest := plan.Diff(want, end, plan.Options{Met: healthy}); !rest.Empty() {
			t.Errorf("%s: invariant 2: still to do\n%s", row.why, rest)
		}
	}
}

// TestParkedGroupsCount: of a load balancer that takes 100 target groups some are parked, and what comes waits until there is room.
func TestParkedGroupsCount(t *testing.T) {
	stack := func(n int, first string) model.Stack {
		s := oneListener("404", hostRules(n)...)
		for i := range n {
			id := fmt.Sprintf("shop/web-%d:80", i)
			if i == 0 {
				id = first
			}
			g := group(id)
			g.Name = strings.NewReplacer("/", "-", ":", "-").Replace(id)
			s.Listeners[0].Rules[i].Actions = forward(id)
			s.TargetGroups = append(s.TargetGroups, g)
		}
		return s
	}
	for _, row := range []struct {
		why  string
		last []int
	}{
		{"one comes after the other", []int{98, 99, 100}},
		{"two come while one is parked", []int{98, 100}},
		{"all at once", []int{100}},
	} {
		now := built(t, stack(98, "shop/web-0:80"))
		for _, n := range row.last {
			_, now = round(t, stack(n, "shop/web-zero:80"), now, waiting)
		}
		want, healthy := stack(100, "shop/web-zero:80"), func(plan.Need) (bool, string) { return true, "" }
		_, now = round(t, want, now, healthy)
		if rest := plan.Diff(want, now, plan.Options{Met: healthy}); !rest.Empty() {
			t.Errorf("%s: invariant 2: still to do\n%s", row.why, rest)
		}
	}
}
