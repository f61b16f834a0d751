package crash

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTroubleWithTheAPIServer plays the shop scenario with an API server that answers wrongly, late or not at all (invariants 2 and 3): the
// end of each phase is that of an undisturbed run, nothing is made in AWS more often, nothing is lost, and nothing is left. A sample of it; all
// with -args -every.
func TestTroubleWithTheAPIServer(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	t.Run("kinds", func(t *testing.T) {
		t.Parallel()
		for i, one := range nuisances() {
			if !one.sample && !*every {
				continue
			}
			t.Run(one.why, func(t *testing.T) {
				t.Parallel()
				endure(t, fmt.Sprintf("api-%d", i), one)
			})
		}
	})
}

func endure(t *testing.T, name string, of nuisance) {
	t.Helper()
	p := newPlay(t, common.World, name)
	made, m := &counter{calls: map[string]int{}}, &mischief{by: of.by, seen: map[string]int{}}
	p.start(made, m.pester(common.Config()))
	for _, phase := range phases {
		phase.act(p)
		p.reach(phase.name, common.reference[phase.name])
		for action, n := range made.take() {
			if once(action) && n > common.calls[phase.name][action] {
				t.Errorf("%s: %s was called %d times, %d undisturbed", phase.name, action, n, common.calls[phase.name][action])
			}
		}
	}
	p.gone()
	if m.count() < of.least {
		t.Errorf("%d calls were disturbed, want at least %d: it shows nothing", m.count(), of.least)
	}
}

// once tells whether an action makes something that there is one of.
func once(action string) bool {
	return action == "CreateLoadBalancer" || action == "CreateTargetGroup" || action == "CreateSecurityGroup" || action == "CreateListener"
}

// nuisance is something that the API server does to the operator.
type nuisance struct {
	why string
	by  func(kind string, n int) answer
	// least is how many calls of the scenario it meets.
	least int
	// sample says that it is played in each run of the tests.
	sample bool
}

// nuisances are those of writes, of all calls, and of watches.
func nuisances() []nuisance { return append(append(atWrites(), atCalls()...), atWatches()...) }

var (
	broken   = refusal(http.StatusInternalServerError, metav1.StatusReasonInternalError)
	busy     = refusal(http.StatusTooManyRequests, metav1.StatusReasonTooManyRequests)
	away     = refusal(http.StatusServiceUnavailable, metav1.StatusReasonServiceUnavailable)
	conflict = refusal(http.StatusConflict, metav1.StatusReasonConflict)
	expired  = refusal(http.StatusGone, metav1.StatusReasonExpired)
)

func atWrites() []nuisance {
	first := func(most int, a answer) func(string, int) answer {
		return func(kind string, n int) answer {
			if isChange(kind) && n <= most {
				return a
			}
			return nil
		}
	}
	return []nuisance{
		{why: "somebody else is always faster", by: func(kind string, n int) answer {
			if strings.HasPrefix(kind, "PATCH ") && n%4 != 0 && n < 8 {
				return conflict
			}
			return nil
		}, least: 20, sample: true},
		{why: "writes fail inside, before they are done", by: first(3, broken), least: 20},
		{why: "writes fail inside, after they were done", by: first(3, done(broken)), least: 20, sample: true},
		{why: "no answer comes to writes that are not done", by: first(2, hanging), least: 10},
		{why: "no answer comes to writes that were done", by: first(2, done(hanging)), least: 10},
	}
}

func atCalls() []nuisance {
	return []nuisance{
		{why: "reads and writes are refused, for it is busy or away", by: func(kind string, n int) answer {
			switch {
			case n > 4 || isWatch(kind) && n > 2:
				return nil
			case n%2 == 1:
				return away
			}
			return busy
		}, least: 40},
		{why: "every third call takes a second", by: func(kind string, n int) answer {
			if n%3 == 0 && !isWatch(kind) {
				return slow(time.Second)
			}
			return nil
		}, least: 20},
	}
}

func atWatches() []nuisance {
	all := func(a answer) func(string, int) answer {
		return func(kind string, _ int) answer {
			if isWatch(kind) {
				return a
			}
			return nil
		}
	}
	return []nuisance{
		{why: "watches end after half a second", by: all(brief(500 * time.Millisecond)), least: 20},
		{why: "watches tell what was two seconds ago", by: all(late(2 * time.Second)), least: 10, sample: true},
		{why: "watches must begin anew", by: func(kind string, n int) answer {
			if isWatch(kind) && n%2 == 1 {
				return expired
			}
			return all(brief(2*time.Second))(kind, n)
		}, least: 20},
	}
}

func isWatch(kind string) bool { return strings.HasPrefix(kind, "WATCH ") }

func isChange(kind string) bool {
	return kind != "" && !strings.HasPrefix(kind, "GET ") && !isWatch(kind)
}
