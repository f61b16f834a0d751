package plan_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// Apply makes what does not wait for each other side by side, so every order that After allows must be one that AWS takes, and
// all must lead to the same end.
func TestEveryOrderThatAfterAllowsWorks(t *testing.T) {
	nothing := model.Stack{Owner: owner()}
	try := func(why string, want, have model.Stack, opts plan.Options) {
		p := plan.Diff(want, have, opts)
		end := bare(follow(t, have, p))
		for seed := range uint64(20) {
			s := have
			for _, c := range shuffled(rand.New(rand.NewPCG(seed, 3)), p) {
				next, err := plan.Step(s, c)
				if err != nil {
					t.Fatalf("%s, seed %d: %v\n%s", why, seed, err, p)
				}
				s = next
			}
			if diff := cmp.Diff(end, bare(s)); diff != "" {
				t.Fatalf("%s, seed %d: %s", why, seed, diff)
			}
		}
	}
	have := built(t, shop())
	try("everything is made", shop(), nothing, plan.Options{})
	try("everything is deleted", nothing, have, plan.Options{})
	for _, c := range slices.Concat(resourceCases(), listenerCases(), acceptedCases()) {
		want := shop()
		c.edit(&want)
		try(c.why, want, have, c.opts)
	}
}

// Without After that test fails: it is not the patience of Step that makes it pass.
func TestChangesThatDoNotWaitAreRefused(t *testing.T) {
	p := plan.Diff(shop(), model.Stack{Owner: owner()}, plan.Options{})
	for i := range p.Changes {
		p.Changes[i].After = nil
	}
	s := model.Stack{Owner: owner()}
	refused := 0
	for _, c := range shuffled(rand.New(rand.NewPCG(1, 1)), p) {
		next, err := plan.Step(s, c)
		if err != nil {
			refused++
			continue
		}
		s = next
	}
	if refused == 0 {
		t.Error("rules were made before their listeners, and nobody minded")
	}
}

// Many edits one after the other, each from what the last one left: priorities narrow and are spread again, and no plan is cut
// short by it.
func TestManyEditsOfOneList(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 7))
	rules := hostRules(12)
	have := observed(oneListener("404", rules...), numbers(12, 100))
	renumbered := 0
	for n := range 400 {
		at := r.IntN(3)
		rules = slices.Insert(slices.Delete(slices.Clone(rules), at+4, at+5), 3, model.Rule{
			Conditions: []model.Condition{path("/" + string(rune('a'+n%26)) + "/*")}, Actions: fixed("200"),
		})
		want := oneListener("404", rules...)
		p := plan.Diff(want, have, plan.Options{})
		renumbered += calls(p)[plan.SetRulePriorities]
		if len(p.Changes) > 3 {
			t.Fatalf("edit %d costs\n%s", n, p)
		}
		have = follow(t, have, p)
	}
	if renumbered == 0 || renumbered > 100 {
		t.Errorf("%d of 400 inserts into one place spread the numbers again", renumbered)
	}
}
