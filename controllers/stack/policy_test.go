package stack_test

import (
	"testing"
	"time"

	"github.com/headgate/headgate/controllers/stack"
)

// TestTimesOfClasses: each time is read by itself, and what cannot be read leaves the operator's.
func TestTimesOfClasses(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why       string
		values    map[string]string
		patience  time.Duration
		retention time.Duration
		problem   string
	}{
		{"none", nil, 0, 0, ""},
		{"both", map[string]string{stack.PatienceKey: "10m", stack.RetentionKey: " 48h "}, 10 * time.Minute, 48 * time.Hour, ""},
		{"the longest", map[string]string{stack.PatienceKey: "24h", stack.RetentionKey: "720h"}, 24 * time.Hour, 720 * time.Hour, ""},
		{"too long to be meant", map[string]string{stack.PatienceKey: "1m", stack.RetentionKey: "721h"}, time.Minute, 0, stack.RetentionKey},
		{"no time", map[string]string{stack.PatienceKey: "soon", stack.RetentionKey: "1h"}, 0, time.Hour, stack.PatienceKey},
	} {
		got, problems := stack.PolicyOfClass(row.values)
		told := ""
		if len(problems) == 1 {
			told = problems[0].Key
		}
		if got.Patience != row.patience || got.Retention != row.retention || told != row.problem || len(problems) > 1 {
			t.Errorf("%s: patience %s, retention %s, told %v", row.why, got.Patience, got.Retention, problems)
		}
	}
	longer := stack.Policy{Retention: time.Hour}.With(stack.Policy{Retention: 2 * time.Hour, Patience: time.Minute})
	if longer.Retention != 2*time.Hour || longer.Patience != time.Minute {
		t.Errorf("of two classes the longer times count, not %+v", longer)
	}
}
