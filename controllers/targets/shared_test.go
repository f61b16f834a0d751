package targets

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/model"
)

func shared(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.MultiClusterTargetGroup = true }

// theirs is a target of another cluster.
func theirs() model.Target { return model.Target{ID: "10.9.0.1", Port: 8080} }

func (w *world) recordOf(name string) string {
	w.Helper()
	var object corev1.ConfigMap
	if err := w.api.Get(w.Context(), client.ObjectKey{Namespace: "shop", Name: "aws-lbc-targets-" + name}, &object); err != nil {
		return err.Error()
	}
	if len(object.OwnerReferences) != 1 || object.OwnerReferences[0].Name != name {
		w.Errorf("the record goes with its binding: %v", object.OwnerReferences)
	}
	return object.Data["targets"]
}

func TestSharedTargetGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", shared))
	w.aws.groups[groupARN][theirs()] = "healthy"
	for _, c := range []struct {
		why       string
		endpoints []string
		calls     []string
		record    string
	}{
		{"the first", []string{"10.0.0.1"}, []string{"health", "register"}, "10.0.0.1:8080"},
		{"a swap", []string{"10.0.0.2"}, []string{"deregister", "register"}, "10.0.0.2:8080"},
		{"none", nil, []string{"deregister"}, ""},
		{"and one again", []string{"10.0.0.3"}, []string{"register"}, "10.0.0.3:8080"},
	} {
		w.endpoints(c.endpoints...)
		if _, calls := w.reconcile("web"); !slices.Equal(calls, c.calls) {
			t.Errorf("%s: %v, want %v", c.why, calls, c.calls)
		}
		if got := w.recordOf("web"); got != c.record {
			t.Errorf("%s: the record says %q, want %q", c.why, got, c.record)
		}
		if got := w.aws.groups[groupARN][theirs()]; got != "healthy" {
			t.Fatalf("%s: the target of another cluster is %s", c.why, got)
		}
		if _, calls := w.reconcile("web"); len(calls) > 0 {
			t.Errorf("%s: invariant 1: %v", c.why, calls)
		}
	}
	w.restart()
	w.endpoints("10.0.0.4")
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.4:8080", "10.9.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("after a restart the record tells ours from theirs: %s", diff)
	}
	w.remove("web")
	if diff := cmp.Diff([]string{"10.9.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("a binding that goes takes its own along: %s", diff)
	}
}

func TestSharedTargetGroupOfTheIncumbent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", shared), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "aws-lbc-targets-web"}, Data: map[string]string{"targets": "10.0.0.1:8080,10.0.0.2:8080"},
	})
	for _, id := range []string{"10.0.0.1", "10.0.0.2"} {
		w.aws.groups[groupARN][model.Target{ID: id, Port: 8080}] = "healthy"
	}
	w.aws.groups[groupARN][theirs()] = "healthy"
	w.endpoints("10.0.0.2")
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.2:8080", "10.9.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Error(diff)
	}
	if got := w.recordOf("web"); got != "10.0.0.2:8080" {
		t.Errorf("the record says %q", got)
	}
}

// TestTargetsAreWrittenDownBeforeTheyAreRegistered cuts between the two: nothing is left that nobody takes out.
func TestTargetsAreWrittenDownBeforeTheyAreRegistered(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", shared))
	watch, ok := w.api.(client.WithWatch)
	if !ok {
		t.Fatal("the fake client cannot watch")
	}
	w.client = interceptor.NewClient(watch, interceptor.Funcs{Create: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.CreateOption) error {
		if _, ok := o.(*corev1.ConfigMap); ok {
			return errors.New("cut")
		}
		return c.Create(ctx, o, opts...)
	}})
	w.endpoints("10.0.0.1")
	if _, calls := w.reconcile("web"); slices.Contains(calls, "register") {
		t.Errorf("invariant 2: registered without a record: %v", calls)
	}
	w.client = w.api
	w.aws.fail = func(call string) error {
		if call == "deregister" {
			return errors.New("cut")
		}
		return nil
	}
	w.reconcile("web")
	w.endpoints("10.0.0.2")
	w.reconcile("web")
	w.aws.fail = nil
	w.restart()
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.2:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("invariant 2: what could not be taken out is still known to be ours: %s", diff)
	}
}

func TestBindingsOfASharedTargetGroup(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", shared), binding("more", shared, younger, func(b *elbv2v1beta1.TargetGroupBinding) { b.Spec.ServiceRef.Name = "none" }))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.reconcile("more")
	if len(w.notes.all) > 0 || len(w.aws.registered()) != 1 {
		t.Errorf("both share: %v, %v", w.notes.all, w.aws.registered())
	}
	one := newWorld(t, service(), binding("web"), binding("more", shared, younger))
	one.reconcile("web")
	one.reconcile("more")
	if said, _ := one.ready("more"); !strings.Contains(said, "unless all of them set multiClusterTargetGroup") {
		t.Errorf("one of them shares, the other does not: %q", said)
	}
}

// TestBindingsOfOneClusterShareTargets: a target that two bindings want stays until neither does.
func TestBindingsOfOneClusterShareTargets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", shared), binding("more", shared, younger))
	w.aws.groups[groupARN][theirs()] = "healthy"
	w.endpoints("10.0.0.1", "10.0.0.2")
	w.reconcile("web")
	w.reconcile("more")
	w.remove("web")
	if diff := cmp.Diff([]string{"10.0.0.1:8080", "10.0.0.2:8080", "10.9.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("invariant 4: the other binding wants them: %s", diff)
	}
	w.restart()
	w.remove("more")
	if diff := cmp.Diff([]string{"10.9.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("nobody of this cluster wants them: %s", diff)
	}
}

// TestBindingThatWantsLessLeavesTheOthers: the other one's Service still has the target.
func TestBindingThatWantsLessLeavesTheOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", shared), binding("more", shared, younger))
	w.endpoints("10.0.0.1", "10.0.0.2")
	w.reconcile("web")
	w.reconcile("more")
	w.endpoints("10.0.0.2")
	w.reconcile("web")
	if diff := cmp.Diff([]string{"10.0.0.1:8080", "10.0.0.2:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("the other binding has not looked yet: %s", diff)
	}
	w.reconcile("more")
	if diff := cmp.Diff([]string{"10.0.0.2:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("neither wants it: %s", diff)
	}
}
