package outcome_test

import (
	"testing"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

func TestAppliedPlan(t *testing.T) {
	t.Parallel()
	change := func(id string, action plan.Action) plan.Change {
		return plan.Change{Key: model.Key{Kind: model.KindTargetGroup, ID: id}, Action: action}
	}
	for _, c := range []struct {
		why     string
		changes []plan.Change
		want    string
	}{
		{"several calls for one resource are one", []plan.Change{
			change("a", plan.Create), change("a", plan.Update), change("b", plan.Create), change("c", plan.Delete),
		}, "Created 2, updated 0, deleted 1 AWS resources."},
		{"a replacement is both", []plan.Change{change("a", plan.Replace), change("b", plan.Update)}, "Created 1, updated 1, deleted 1 AWS resources."},
	} {
		if got := outcome.AppliedPlan(plan.Plan{Changes: c.changes}); got != c.want {
			t.Errorf("%s: %q, want %q", c.why, got, c.want)
		}
	}
}
