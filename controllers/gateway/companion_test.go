package gateway

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// account is the companion of the Gateway infra/gw.
func (w *world) account() *corev1.ServiceAccount {
	w.Helper()
	o := &corev1.ServiceAccount{}
	if err := w.api.Get(w.Context(), client.ObjectKey{Namespace: "infra", Name: "gw-alb"}, o); apierrors.IsNotFound(err) {
		return nil
	} else if err != nil {
		w.Fatal(err)
	}
	return o
}

// infrastructure gives the Gateway labels and annotations.
func (w *world) infrastructure(text string) {
	w.Helper()
	g := &gwv1.Gateway{}
	w.must(w.api.Get(w.Context(), client.ObjectKey{Namespace: "infra", Name: "gw"}, g))
	g.Spec.Infrastructure = nil
	parse(w.T, text, &g.Spec.Infrastructure)
	w.must(w.api.Update(w.Context(), g))
	w.reconcile()
}

func TestInfrastructureGoesToACompanionAndToTags(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.reconcile()
	if w.account() != nil {
		t.Error("a Gateway that asks for nothing has a companion")
	}
	w.infrastructure(`{labels: {team: a, old: b}, annotations: {note: "c (d)"}}`)
	got := w.account()
	if got == nil {
		t.Fatal("there is no companion")
	}
	if diff := cmp.Diff(map[string]string{"team": "a", "old": "b", gwv1.GatewayNameLabelKey: "gw"}, got.Labels); diff != "" || got.Annotations["note"] != "c (d)" {
		t.Error(diff, got.Annotations)
	}
	w.infrastructure(`{labels: {team: a}}`)
	if diff := cmp.Diff(map[string]string{"team": "a", gwv1.GatewayNameLabelKey: "gw"}, w.account().Labels); diff != "" {
		t.Error(diff)
	}
	before := w.account().ResourceVersion
	w.reconcile()
	if w.account().ResourceVersion != before {
		t.Error("invariant 1: a steady companion was written")
	}
	w.infrastructure(`null`)
	if w.account() != nil {
		t.Error("nobody asks for the companion any more")
	}
}

func TestACompanionTakesNobodysPlace(t *testing.T) {
	t.Parallel()
	w := newWorld(t, append(shop(t), &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "gw-alb"}})...)
	w.infrastructure(`{labels: {team: a}}`)
	if got := w.account(); len(got.Labels) > 0 {
		t.Errorf("somebody else's was labelled: %v", got.Labels)
	}
	if !slices.Contains(w.notes.all, "gw "+reasonNameTaken) {
		t.Errorf("nobody is told: %v", w.notes.all)
	}
	w.infrastructure(`null`)
	if w.account() == nil {
		t.Error("somebody else's was deleted")
	}
}

func TestLabelsThatCannotBeTagsAreTold(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, anyListener)
	parse(t, `{labels: {both: label, "elbv2.k8s.aws/cluster": x, team: a}, annotations: {both: annotation, note: "c (d)", "aws:x": y}}`, &s.Gateway.Spec.Infrastructure)
	v := verdictOf(s)
	if diff := cmp.Diff(map[string]string{"both": "label", "team": "a"}, v.Intent.Fragments[0].Settings.Tags); diff != "" {
		t.Error(diff)
	}
	var fields []string
	for _, f := range v.Findings {
		fields = append(fields, f.Field)
	}
	want := []string{"spec.infrastructure.annotations[aws:x]", "spec.infrastructure.annotations[note]", "spec.infrastructure.labels[elbv2.k8s.aws/cluster]"}
	if diff := cmp.Diff(want, fields); diff != "" {
		t.Error(diff)
	}
}
