package outcome_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/headgate/headgate/controllers/outcome"
)

func TestTries(t *testing.T) {
	t.Parallel()
	var tries outcome.Tries
	bad := errors.New("a webhook says no")
	conflict := apierrors.NewConflict(schema.GroupResource{Resource: "ingresses"}, "a", errors.New("it was changed"))
	for _, step := range []struct {
		why  string
		key  string
		due  time.Duration
		err  error
		want time.Duration
	}{
		{"nothing is wrong", "a", time.Hour, nil, time.Hour},
		{"nothing is due", "a", 0, nil, 0},
		{"sooner than it is due", "a", time.Hour, bad, 2 * time.Second},
		{"later each time", "a", time.Hour, bad, 4 * time.Second},
		{"though nothing is due", "a", 0, bad, 8 * time.Second},
		{"what is due keeps its time", "a", time.Second, bad, time.Second},
		{"of another key", "b", time.Hour, bad, 2 * time.Second},
		{"it went well", "a", time.Hour, nil, time.Hour},
		{"from the start", "a", time.Hour, bad, 2 * time.Second},
		{"somebody was faster", "c", time.Hour, conflict, 100 * time.Millisecond},
		{"and again", "c", time.Hour, errors.Join(conflict, conflict), 200 * time.Millisecond},
	} {
		if got := tries.Next(step.key, step.due, step.err); got != step.want {
			t.Errorf("%s: again in %s, want %s", step.why, got, step.want)
		}
	}
}

func TestPasses(t *testing.T) {
	t.Parallel()
	resource := schema.GroupResource{Resource: "ingresses"}
	conflict, forbidden := apierrors.NewConflict(resource, "a", errors.New("no")), apierrors.NewForbidden(resource, "a", errors.New("no"))
	for _, row := range []struct {
		why  string
		err  error
		want bool
	}{
		{"nothing is wrong", nil, false},
		{"somebody was faster", fmt.Errorf("writing: %w", conflict), true},
		{"it failed inside", apierrors.NewInternalError(errors.New("etcd")), true},
		{"it is busy", apierrors.NewTooManyRequests("later", 1), true},
		{"a webhook refuses", forbidden, false},
		{"one of them does", errors.Join(conflict, forbidden), false},
		{"something else", errors.New("no"), false},
	} {
		if outcome.Passes(row.err) != row.want {
			t.Errorf("%s: want %v", row.why, row.want)
		}
	}
}
