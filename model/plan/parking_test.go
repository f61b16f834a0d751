package plan_test

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// patient is AWS and an operator to which target groups are healthy one round after they were attached.
type patient struct {
	*testing.T

	now, want model.Stack
	// old are the answers at the start. healthy are the groups whose targets AWS has checked, held those that were seen unused.
	old           map[request]string
	healthy, held map[model.ARN]bool
}

// said is who answers a request: the ID of a group, or a code.
func said(s model.Stack, q request) (text string, group model.ARN) {
	l := s.Listeners[0]
	actions := l.DefaultActions
	for _, r := range l.Rules {
		if !slices.ContainsFunc(r.Conditions, func(c model.Condition) bool { return !holds(c, q) }) {
			actions = r.Actions
			break
		}
	}
	if actions[0].FixedResponse != nil {
		return actions[0].FixedResponse.StatusCode, ""
	}
	g := actions[0].Forward.Groups[0]
	for _, known := range s.TargetGroups {
		if g.ARN != "" && known.ARN == g.ARN {
			return known.ID + " " + known.Protocol, g.ARN
		}
	}
	for _, known := range s.TargetGroups {
		if known.ID == g.Key {
			return known.ID + " " + known.Protocol, ""
		}
	}
	return "a group that is not there", ""
}

// met is what the operator knows when it plans.
func (p *patient) met(n plan.Need) (bool, string) {
	if n.State == plan.StateReleased {
		return p.held[n.ARN], ""
	}
	return p.healthy[n.ARN], ""
}

// round applies what does not wait, one change after the other, and looks at all requests after each. It tells whether nothing is left.
func (p *patient) round() bool {
	todo := plan.Diff(p.want, p.now, plan.Options{Met: p.met})
	missed := map[int]bool{}
	for _, c := range todo.Changes {
		waits := slices.ContainsFunc(c.Needs, func(n plan.Need) bool { return n.Key.Kind == model.KindTargetGroup })
		if waits || slices.ContainsFunc(c.After, func(id int) bool { return missed[id] }) {
			missed[c.ID] = true
			continue
		}
		next, err := plan.Step(p.now, c)
		if err != nil {
			p.Fatalf("%v\n%s", err, todo)
		}
		p.now = next
		p.look(todo, c)
	}
	p.healthy, p.held = attachedIn(p.now), map[model.ARN]bool{}
	for _, g := range p.now.TargetGroups {
		p.held[g.ARN] = !p.healthy[g.ARN]
	}
	return todo.Empty()
}

// look holds that every request meets its old answer or its new one, and no group whose targets AWS has not checked.
func (p *patient) look(todo plan.Plan, c plan.Change) {
	p.Helper()
	for _, q := range requests() {
		text, group := said(p.now, q)
		fresh, _ := said(p.want, q)
		if text != p.old[q] && text != fresh {
			p.Fatalf("%v: %s, neither %s nor %s, after change %d of\n%s", q, text, p.old[q], fresh, c.ID, todo)
		}
		if group != "" && !p.healthy[group] && p.old[q] != "404" {
			p.Fatalf("%v: %s answers before it is healthy, after change %d of\n%s", q, text, c.ID, todo)
		}
	}
}

// attachedIn are the target groups that some rule forwards to.
func attachedIn(s model.Stack) map[model.ARN]bool {
	out := map[model.ARN]bool{}
	for _, g := range s.TargetGroups {
		out[g.ARN] = len(g.LoadBalancers) > 0
	}
	return out
}

// backends is a wanted stack by chance: rules with answers of their own, of groups, and a default.
func backends(r *rand.Rand) model.Stack {
	groups := []string{"shop/web-one:80", "shop/web-two:80", "shop/web-three:80"}
	answer := func() []model.Action {
		if n := r.IntN(4); n < len(groups) {
			return forward(groups[n])
		}
		return fixed("201")
	}
	rules := randomRules(r, 5)
	for i := range rules {
		rules[i].Actions = answer()
	}
	s := oneListener("404", rules...)
	if r.IntN(3) == 0 {
		s.Listeners[0].DefaultActions = answer()
	}
	used := s.Listeners[0].DefaultActions
	for _, rule := range rules {
		used = slices.Concat(used, rule.Actions)
	}
	protocol := []string{"HTTP", "HTTPS"}[r.IntN(2)]
	for _, id := range groups {
		if slices.ContainsFunc(used, func(a model.Action) bool { return a.Forward != nil && a.Forward.Groups[0].Key == id }) {
			g := group(id)
			g.Name, g.Protocol = g.Name+strings.ToLower(protocol), protocol
			s.TargetGroups = append(s.TargetGroups, g)
		}
	}
	return s
}

// TestNoRequestMeetsTargetsThatWereNotChecked: random configurations follow each other, some before the one before is done. Whoever was
// answered by a rule never meets a target group that AWS had no time to check, and nothing parked is left.
func TestNoRequestMeetsTargetsThatWereNotChecked(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 11))
	parked := 0
	for range 250 {
		p := &patient{T: t, now: built(t, backends(r))}
		p.healthy = attachedIn(p.now)
		for range 2 {
			p.want, p.old = backends(r), map[request]string{}
			for _, q := range requests() {
				p.old[q], _ = said(p.now, q)
			}
			for n := 0; !p.round(); n++ {
				parked += len(p.now.Listeners[0].Parked)
				if n > 10 {
					t.Fatalf("there is no end:\n%s", plan.Diff(p.want, p.now, plan.Options{Met: p.met}))
				}
			}
			if left := p.now.Listeners[0].Parked; len(left) > 0 {
				t.Fatalf("at the end is parked %v", left)
			}
		}
	}
	if parked == 0 {
		t.Error("nothing was parked: the test proves nothing")
	}
}
