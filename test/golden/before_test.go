package golden_test

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/preview"
)

// begin is what a case starts from. With a before.yaml that is what the operator has made of it: the objects of in.yaml as they were,
// those of before.yaml in place of theirs. AWS then holds the outcome, and the operator remembers what it applied.
func (c golden) begin(t *testing.T) golden {
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
	return c
}

// settle has the operator do all there is to do, and gives the states that it remembers.
func (c golden) settle(t *testing.T, account *preview.Account, objects documents) documents {
	t.Helper()
	states := map[string]map[string]any{}
	for n := 0; ; n++ {
		done := len(account.Changes)
		from := objects
		for _, name := range slices.Sorted(maps.Keys(states)) {
			from = append(slices.Clip(from), states[name])
		}
		source := from.source(t)
		source.Wrote = func(object client.Object) {
			if state, ok := object.(*headgatev1alpha1.StackState); ok {
				remember(t, states, state)
			}
		}
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
	fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
	if err != nil {
		t.Fatal(err)
	}
	fields["apiVersion"], fields["kind"] = headgatev1alpha1.GroupVersion().String(), "StackState"
	states[object.GetName()] = fields
}

// anew is the outcome of objects in an account that holds nothing.
func (c golden) anew(t *testing.T, objects documents) string {
	t.Helper()
	return c.after(t, preview.NewAccount(c.facts), objects)
}

// after is the outcome of objects in an account: all stacks, and the bindings of their target groups.
func (c golden) after(t *testing.T, account *preview.Account, objects documents) string {
	t.Helper()
	states := c.settle(t, account, objects)
	bindings := map[string]elbv2v1beta1.TargetGroupBindingSpec{}
	source := append(slices.Clip(objects), states...).source(t)
	source.Wrote = func(object client.Object) {
		if b, ok := object.(*elbv2v1beta1.TargetGroupBinding); ok {
			spec := b.DeepCopy().Spec
			spec.TargetGroupARN = ""
			// The names that an account in memory gives are not those of AWS: two may be alike.
			bindings[fmt.Sprintf("%s/%s %s:%s", b.Namespace, b.Name, spec.ServiceRef.Name, &spec.ServiceRef.Port)] = spec
		}
	}
	c.run(t, account, source)
	out, err := yaml.Marshal([]any{ends(account), bindings})
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}
