package golden_test

import (
	"maps"
	"os"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/preview"
	"github.com/headgate/headgate/model"
)

// begin is what a case starts from. With a before.yaml that is what the operator has made of it: the objects of in.yaml as they were,
// those of before.yaml in place of theirs. AWS then holds the outcome, and the operator remembers what it applied.
func (c *golden) begin(t *testing.T) {
	t.Helper()
	now := manifest(t, c.inDir("in.yaml"))
	if _, err := os.Stat(c.inDir("before.yaml")); err == nil {
		if c.observed != nil {
			t.Fatal("a case begins with before.yaml or with observed.yaml: take one away")
		}
		account := preview.NewAccount(c.facts)
		c.states = c.settle(t, account, manifest(t, c.inDir("in.yaml"), c.inDir("before.yaml")))
		c.observed = account.Stacks()
	}
	c.objects = append(now, c.states...).source(t)
}

// settle has the operator do all there is to do, and gives the states that it remembers.
func (c *golden) settle(t *testing.T, account *preview.Account, objects documents) documents {
	t.Helper()
	states := map[string]map[string]any{}
	for n := 0; ; n++ {
		done := len(account.Changes)
		from := objects
		for _, name := range slices.Sorted(maps.Keys(states)) {
			from = append(from[:len(from):len(from)], states[name])
		}
		source := from.source(t)
		source.Wrote = func(object client.Object) { remember(t, states, object) }
		c.run(t, account, source)
		if len(account.Changes) == done {
			break
		}
		if n == 10 {
			t.Fatal("before.yaml comes to no end")
		}
	}
	var out documents
	for _, name := range slices.Sorted(maps.Keys(states)) {
		out = append(out, states[name])
	}
	return out
}

// remember keeps a state as a manifest, as the API server would.
func remember(t *testing.T, states map[string]map[string]any, object client.Object) {
	t.Helper()
	state, ok := object.(*headgatev1alpha1.StackState)
	if !ok {
		return
	}
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(state)
	if err != nil {
		t.Fatal(err)
	}
	fields["apiVersion"], fields["kind"] = headgatev1alpha1.GroupVersion().String(), "StackState"
	states[state.Name] = fields
}

// anew is the end of objects in an account that holds nothing.
func (c *golden) anew(t *testing.T, objects documents) []model.Stack {
	t.Helper()
	return c.after(t, preview.NewAccount(c.facts), objects)
}

// after is the end of objects in an account.
func (c *golden) after(t *testing.T, account *preview.Account, objects documents) []model.Stack {
	t.Helper()
	c.settle(t, account, objects)
	return ends(account)
}

// text of stacks, to compare them.
func text(t *testing.T, stacks []model.Stack) string {
	t.Helper()
	out, err := yaml.Marshal(stacks)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
