package gateway

import (
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// orders are all orders of a list.
func orders[T any](list []T) [][]T {
	if len(list) < 2 {
		return [][]T{list}
	}
	var out [][]T
	for i, first := range list {
		for _, rest := range orders(slices.Delete(slices.Clone(list), i, i+1)) {
			out = append(out, append([]T{first}, rest...))
		}
	}
	return out
}

// left are the objects that are still there, with their finalizers.
func (w *world) left(objects []client.Object) []string {
	w.Helper()
	var out []string
	for _, o := range objects {
		have, ok := o.DeepCopyObject().(client.Object)
		if !ok {
			w.Fatalf("%T is no object", o)
		}
		err := w.api.Get(w.Context(), client.ObjectKeyFromObject(o), have)
		if client.IgnoreNotFound(err) != nil {
			w.Fatal(err)
		}
		if err == nil {
			out = append(out, o.GetName()+" "+strings.Join(have.GetFinalizers(), " "))
		}
	}
	return out
}

// goes are the objects of a furnished shop that have finalizers: Gateway, class, and a configuration of each kind.
func goes(objects []client.Object) []client.Object {
	return slices.DeleteFunc(slices.Clone(objects), func(o client.Object) bool {
		switch o.(type) {
		case *gwv1.GatewayClass, *gwv1.Gateway, *awsgwv1.LoadBalancerConfiguration, *awsgwv1.TargetGroupConfiguration, *awsgwv1.ListenerRuleConfiguration:
			return o.GetName() == "idle" || o.GetName() == "class" || o.GetName() == "default"
		}
		return true
	})
}

// TestDeletionEndsInAnyOrder deletes everything one by one: what is in use waits for its users, and in the end nothing is left.
func TestDeletionEndsInAnyOrder(t *testing.T) {
	t.Parallel()
	few := slices.DeleteFunc(goes(furnished(t)), func(o client.Object) bool { return o.GetName() == "login" })
	for _, order := range orders(few) {
		w := newWorld(t, furnished(t)...)
		w.settle()
		var names []string
		for _, o := range order {
			names = append(names, o.GetName())
			w.must(w.api.Delete(t.Context(), o))
			w.settle()
			if g := w.gateway(); g.Name != "" && len(w.left(order)) != len(order) {
				t.Errorf("%v: the Gateway is there, and of what it uses only %v", names, w.left(order))
			}
		}
		if left := w.left(order); len(left) > 0 || len(w.clouds.made) > 0 {
			t.Errorf("%v: left %v, in AWS %v", names, left, w.clouds.made)
		}
	}
}

// TestDeletionEndsAtOnce deletes everything at once, as the deletion of a namespace does, and lets the reconcilers look in any order.
func TestDeletionEndsAtOnce(t *testing.T) {
	t.Parallel()
	for _, restarted := range []string{"", "after a restart"} {
		for first := range 3 {
			w := newWorld(t, furnished(t)...)
			w.settle()
			all := goes(furnished(t))
			for _, o := range all {
				w.must(w.api.Delete(t.Context(), o))
			}
			if restarted != "" {
				w.op.uses = newLedger()
			}
			looks := []func(){func() { w.reconcile() }, func() { w.judgeClass() }, w.keep}
			for i := range 3 * len(looks) {
				looks[(first+i)%len(looks)]()
			}
			if left := w.left(all); len(left) > 0 || len(w.clouds.made) > 0 {
				t.Errorf("from %d %s: left %v, in AWS %v", first, restarted, left, w.clouds.made)
			}
			if slices.ContainsFunc(w.notes.all, func(note string) bool { return strings.HasSuffix(note, reasonStays) }) {
				t.Errorf("what goes together needs no word: %v", w.notes.all)
			}
		}
	}
}

// A namespace that is deleted marks its objects one after the other, and takes no events.
func TestNamespaceThatGoesIsToldNothing(t *testing.T) {
	t.Parallel()
	now := metav1.Now()
	infra := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "infra", DeletionTimestamp: &now, Finalizers: []string{"kubernetes"}}}
	w := newWorld(t, append(furnished(t), infra)...)
	w.settle()
	w.must(w.api.Delete(t.Context(), w.configs()["infra/own"]))
	w.notes.all = nil
	w.settle()
	if len(w.notes.all) > 0 || w.configs()["infra/own"] == nil {
		t.Error(w.notes.all)
	}
}

func TestClassThatGoesTellsWhoKeepsIt(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.settle()
	w.must(w.api.Delete(t.Context(), w.judgeClass()))
	w.judgeClass()
	w.judgeClass()
	var told []string
	for i, note := range w.notes.all {
		if note == "alb "+reasonStays {
			told = append(told, w.notes.texts[i])
		}
	}
	if len(told) != 1 || !strings.Contains(told[0], "infra/gw") {
		t.Errorf("invariant 8: once, and by name: %v", told)
	}
}
