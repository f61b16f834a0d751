package outcome_test

import (
	"errors"
	"testing"
	"time"

	"github.com/headgate/headgate/controllers/outcome"
)

func TestTries(t *testing.T) {
	t.Parallel()
	var tries outcome.Tries
	bad := errors.New("a webhook says no")
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
	} {
		if got := tries.Next(step.key, step.due, step.err); got != step.want {
			t.Errorf("%s: again in %s, want %s", step.why, got, step.want)
		}
	}
}
