package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// request is what a client asks for.
type request struct{ host, path, method string }

// requests are all that the alphabet of the property tests can tell apart.
func requests() []request {
	var out []request
	for _, h := range []string{"a.example.com", "b.example.com", "c.example.org"} {
		for _, p := range []string{"/", "/x", "/x/1", "/y"} {
			for _, m := range []string{"GET", "PUT"} {
				out = append(out, request{h, p, m})
			}
		}
	}
	return out
}

// alphabet are conditions that overlap in all the ways that matter: not at all, one in another, and partly.
func alphabet() [][]model.Condition {
	put := model.Condition{Field: model.FieldMethod, Values: []string{"PUT"}}
	return [][]model.Condition{
		{host("a.example.com")}, {host("b.example.com")}, {host("*.example.com")}, {path("/x")}, {path("/x*")}, {path("/y")},
		{host("a.example.com"), path("/x")}, {host("a.example.com"), path("/x*")}, {host("a.example.com", "b.example.com"), path("/y")},
		{put}, {put, host("b.example.com")}, {model.Condition{Field: model.FieldHost, Regex: []string{model.HostRegex("a.example.com")}}},
	}
}

// respond is the answer of a listener.
func respond(l model.Listener, q request) string {
	for _, r := range l.Rules {
		if slices.IndexFunc(r.Conditions, func(c model.Condition) bool { return !holds(c, q) }) < 0 {
			return r.Actions[0].FixedResponse.StatusCode
		}
	}
	return l.DefaultActions[0].FixedResponse.StatusCode
}

func holds(c model.Condition, q request) bool {
	value := map[string]string{model.FieldHost: q.host, model.FieldPath: q.path, model.FieldMethod: q.method}[c.Field]
	return slices.ContainsFunc(c.Values, func(v string) bool {
		before, after, wild := strings.Cut(v, "*")
		return v == value || wild && strings.HasPrefix(value, before) && strings.HasSuffix(value, after)
	}) || slices.Contains(c.Regex, model.HostRegex(q.host)) && c.Field == model.FieldHost
}

// oneListener is a stack with one listener and these rules.
func oneListener(def string, rules ...model.Rule) model.Stack {
	return model.Stack{
		Owner: owner(),
		LoadBalancer: &model.LoadBalancer{
			ID: "LoadBalancer", Name: "lb", Type: "application", Scheme: "internal", IPAddressType: "ipv4", Subnets: []string{"s1", "s2"},
		},
		Listeners: []model.Listener{{Port: 80, Protocol: "HTTP", DefaultActions: fixed(def), Rules: rules}},
	}
}

// observed turns a wanted stack into what AWS holds, with the given priorities.
func observed(s model.Stack, priorities []int) model.Stack {
	lb := *s.LoadBalancer
	lb.ARN, lb.State = "lb-1", "active"
	s.LoadBalancer = &lb
	l := s.Listeners[0]
	l.ARN, l.Rules = "listener-1", slices.Clone(l.Rules)
	for i := range l.Rules {
		l.Rules[i].ARN = model.ARN("rule-" + strconv.Itoa(i))
		l.Rules[i].Priority = priorities[i]
	}
	s.Listeners = []model.Listener{l}
	return s
}

func randomRules(r *rand.Rand, most int) []model.Rule {
	letters := alphabet()
	out := make([]model.Rule, r.IntN(most+1))
	for i := range out {
		out[i] = model.Rule{Conditions: letters[r.IntN(len(letters))], Actions: fixed(strconv.Itoa(201 + r.IntN(4)))}
	}
	return out
}

// changed is a list made from another by a few edits, which is what users do.
func changed(r *rand.Rand, rules []model.Rule) []model.Rule {
	out := slices.Clone(rules)
	for range 1 + r.IntN(3) {
		fresh := randomRules(r, 1)
		at := r.IntN(len(out) + 1)
		switch {
		case len(fresh) > 0:
			out = slices.Insert(out, at, fresh[0])
		case at == len(out):
		case r.IntN(2) == 0:
			out = slices.Delete(out, at, at+1)
		default:
			out[at], out[0] = out[0], out[at]
		}
	}
	return out
}

func randomPriorities(r *rand.Rand, n int) []int {
	switch r.IntN(4) {
	case 0:
		return numbers(n, 1)
	case 1:
		out := numbers(n, 1)
		for i := range out {
			out[i] += 50000 - n
		}
		return out
	case 2:
		return numbers(n, 3)
	default:
		return numbers(n, 100)
	}
}

func numbers(n, step int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = (i + 1) * step
	}
	return out
}

// pair is a random observed and wanted stack.
func pair(r *rand.Rand) (want, have model.Stack) {
	old := randomRules(r, 7)
	rules := randomRules(r, 7)
	if r.IntN(2) == 0 {
		rules = changed(r, old)
	}
	def := []string{"404", "404", "503"}
	have = observed(oneListener(def[r.IntN(3)], old...), randomPriorities(r, len(old)))
	return oneListener(def[r.IntN(3)], rules...), have
}

// shuffled is a random order in which apply may make the changes, as far as they wait for each other.
func shuffled(r *rand.Rand, p plan.Plan) []plan.Change {
	var out []plan.Change
	done := map[int]bool{}
	for len(out) < len(p.Changes) {
		var ready []plan.Change
		for _, c := range p.Changes {
			if !done[c.ID] && !slices.ContainsFunc(c.After, func(id int) bool { return !done[id] }) {
				ready = append(ready, c)
			}
		}
		c := ready[r.IntN(len(ready))]
		done[c.ID] = true
		out = append(out, c)
	}
	return out
}

// wrongAnswer follows changes and names the first request that gets an answer which is neither the old nor the new one.
func wrongAnswer(s model.Stack, want model.Listener, changes []plan.Change) (model.Stack, error) {
	old := s.Listeners[0]
	for n, c := range changes {
		next, err := plan.Step(s, c)
		if err != nil {
			return s, err
		}
		s = next
		for _, q := range requests() {
			got := respond(s.Listeners[0], q)
			if got != respond(old, q) && got != respond(want, q) {
				return s, fmt.Errorf("after %d of %d changes (%s %s) %v gets %s, neither %s nor %s",
					n+1, len(changes), c.Op, c.Key, q, got, respond(old, q), respond(want, q))
			}
		}
	}
	return s, nil
}

// Invariant 4, planning of rules: in every moment every request gets its old answer or its new one; whatever order apply takes
// the changes in, and also when the plan is cut and made again.
func TestNoRequestIsLostToAChangeOfRules(t *testing.T) {
	for seed := range uint64(2000) {
		r := rand.New(rand.NewPCG(seed, 1))
		want, have := pair(r)
		p := plan.Diff(want, have, plan.Options{})
		changes := shuffled(r, p)
		cut := r.IntN(len(changes) + 1)
		s, err := wrongAnswer(have, want.Listeners[0], changes[:cut])
		if err != nil {
			t.Fatalf("seed %d: %v\n%s", seed, err, p)
		}
		again := plan.Diff(want, s, plan.Options{})
		end, err := wrongAnswer(s, want.Listeners[0], shuffled(r, again))
		if err != nil {
			t.Fatalf("seed %d, cut after %d: %v\n%s", seed, cut, err, again)
		}
		if rest := plan.Diff(want, end, plan.Options{}); !rest.Empty() {
			t.Fatalf("seed %d: invariant 2: still to do\n%s", seed, rest)
		}
		for _, q := range requests() {
			if got, should := respond(end.Listeners[0], q), respond(want.Listeners[0], q); got != should {
				t.Fatalf("seed %d: %v gets %s in the end, not %s\n%s", seed, q, got, should, p)
			}
		}
	}
}

// The property above must be able to fail: it does for every planner that takes one of the wrong turns.
func TestWrongOrdersLoseRequests(t *testing.T) {
	turns := map[string]func([]plan.Change) []plan.Change{
		"creates from the bottom up":  func(c []plan.Change) []plan.Change { return reversed(c, plan.CreateRule) },
		"deletes from the top down":   func(c []plan.Change) []plan.Change { return reversed(c, plan.DeleteRule) },
		"deletes before all the rest": func(c []plan.Change) []plan.Change { return ahead(c, plan.DeleteRule) },
		"modifications before creates": func(c []plan.Change) []plan.Change {
			return ahead(ahead(c, plan.ModifyRule), plan.SetRulePriorities)
		},
		"no order between rules that meet": func(c []plan.Change) []plan.Change {
			out := slices.Clone(c)
			for i := range out {
				out[i].After = nil
			}
			return shuffled(rand.New(rand.NewPCG(1, 1)), plan.Plan{Changes: out})
		},
		"the default before creates": func(c []plan.Change) []plan.Change { return ahead(c, plan.ModifyListener) },
	}
	for name, turn := range turns {
		found := 0
		for seed := range uint64(800) {
			want, have := pair(rand.New(rand.NewPCG(seed, 1)))
			p := plan.Diff(want, have, plan.Options{})
			if _, err := wrongAnswer(have, want.Listeners[0], turn(p.Changes)); err != nil && strings.Contains(err.Error(), "neither") {
				found++
			}
		}
		if found == 0 {
			t.Errorf("%s: no request was lost, so the property test proves nothing", name)
		}
	}
}

// reversed turns the order of the changes with op around, at their places. Numbers of new rules stay with their rules.
func reversed(changes []plan.Change, op plan.Op) []plan.Change {
	out := slices.Clone(changes)
	var at []int
	for i, c := range out {
		if c.Op == op {
			at = append(at, i)
		}
	}
	for i, j := 0, len(at)-1; i < j; i, j = i+1, j-1 {
		out[at[i]], out[at[j]] = out[at[j]], out[at[i]]
	}
	return out
}

// ahead takes the changes with op first.
func ahead(changes []plan.Change, op plan.Op) []plan.Change {
	out := slices.Clone(changes)
	slices.SortStableFunc(out, func(a, b plan.Change) int {
		switch {
		case a.Op == op && b.Op != op:
			return -1
		case a.Op != op && b.Op == op:
			return 1
		default:
			return 0
		}
	})
	return out
}

func TestCallsOfOneChange(t *testing.T) {
	list := func(n int) []model.Rule {
		out := make([]model.Rule, n)
		for i := range out {
			out[i] = model.Rule{Conditions: []model.Condition{host(fmt.Sprintf("h%d.example.com", i))}, Actions: fixed("200")}
		}
		return out
	}
	inserted := slices.Insert(list(99), 50, model.Rule{Conditions: []model.Condition{path("/new")}, Actions: fixed("200")})
	swapped := list(99)
	swapped[10], swapped[80] = swapped[80], swapped[10]
	answered := list(99)
	answered[7].Actions = fixed("201")
	regex := list(99)
	for i := range regex {
		regex[i].Conditions = []model.Condition{{Field: model.FieldHost, Regex: []string{model.HostRegex(fmt.Sprintf("h%d.example.com", i))}}}
	}
	both := slices.Clone(regex)
	both[7].Actions = fixed("201")
	cases := []struct {
		why   string
		rules []model.Rule
		step  int
		calls map[plan.Op]int
	}{
		{"an equal list costs nothing", list(99), 100, map[plan.Op]int{}},
		{"a rule is inserted into a gap", inserted, 100, map[plan.Op]int{plan.CreateRule: 1}},
		{"dense numbers of the incumbent are spread once", inserted, 1, map[plan.Op]int{plan.CreateRule: 1, plan.SetRulePriorities: 1}},
		{"a swap is one atomic call", swapped, 100, map[plan.Op]int{plan.SetRulePriorities: 1}},
		{"so it is with dense numbers", swapped, 1, map[plan.Op]int{plan.SetRulePriorities: 1}},
		{"an answer changes in place", answered, 1, map[plan.Op]int{plan.ModifyRule: 1}},
		{"a removed rule is deleted", list(98), 1, map[plan.Op]int{plan.DeleteRule: 1}},
		{"the incumbent's plain hosts are accepted", regex, 1, map[plan.Op]int{}},
		{"only the rule that changes is encoded anew", both, 1, map[plan.Op]int{plan.ModifyRule: 1}},
	}
	for _, c := range cases {
		have := observed(oneListener("404", list(99)...), numbers(99, c.step))
		p := plan.Diff(oneListener("404", c.rules...), have, plan.Options{})
		if got := calls(p); fmt.Sprint(got) != fmt.Sprint(c.calls) {
			t.Errorf("%s: %v, want %v", c.why, got, c.calls)
		}
	}
}
