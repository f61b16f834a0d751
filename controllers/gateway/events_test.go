package gateway

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

func TestEachIsToldOnceOnItsOwnObject(t *testing.T) {
	t.Parallel()
	objects := shop(t)
	objects[2] = &gwv1.HTTPRoute{}
	parse(t, routeWith(`{timeouts: {request: 1s}}`), objects[2])
	w := newWorld(t, objects...)
	for range 3 {
		w.reconcile()
	}
	if diff := cmp.Diff([]string{"r UnsupportedValue"}, w.notes.all); diff != "" {
		t.Errorf("invariant 8: %s", diff)
	}
	w.clouds.err = errors.New("cut")
	w.reconcile()
	w.reconcile()
	if diff := cmp.Diff([]string{"r UnsupportedValue", "gw FailedDeployModel"}, w.notes.all); diff != "" {
		t.Errorf("invariant 8: %s", diff)
	}
	w.clouds.err = nil
	w.reconcile()
	w.clouds.err = errors.New("cut")
	w.reconcile()
	if got := len(w.notes.all); got != 3 {
		t.Errorf("what was over and comes again is told again: %v", w.notes.all)
	}
}

func TestWhatWasDoneIsToldAsDone(t *testing.T) {
	t.Parallel()
	change := func(id string, action plan.Action) plan.Change {
		return plan.Change{Key: model.Key{Kind: model.KindTargetGroup, ID: id}, Action: action}
	}
	w := newWorld(t, shop(t)...)
	w.clouds.plan.Changes = []plan.Change{change("a", plan.Create), change("a", plan.Create), change("b", plan.Create), change("c", plan.Update)}
	w.reconcile()
	w.clouds.drift = true
	w.reconcile()
	w.clouds.plan = plan.Plan{}
	w.reconcile()
	want := []string{
		"Created 2, updated 1, deleted 0 AWS resources.",
		"AWS did not hold any more what was asked for. Created 2, updated 1, deleted 0 AWS resources.",
	}
	var got []string
	for i, note := range w.notes.all {
		if note == "gw "+outcome.ReasonDone {
			got = append(got, w.notes.texts[i])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}
