package crash

import (
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"

	"github.com/headgate/headgate/test/world"
)

// parallelRuns is how many operators run at a time: they mostly wait.
const parallelRuns = "10"

func TestMain(m *testing.M) {
	flag.Parse()
	if err := errors.Join(flag.Set("test.parallel", parallelRuns), world.Environment()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// TestCut cuts the operator at every AWS write of the shop scenario, before and after its effect, and at each kind of read
// (invariant 2): the end is that of an undisturbed run, nothing is made twice, and nothing is left.
func TestCut(t *testing.T) {
	w := world.Open(t)
	reference, calls := undisturbed(t, w)
	if got := reference["delete"].Counts; got["load balancers"]+got["target groups"]+got["security groups"] != 0 {
		t.Fatalf("an undisturbed run leaves %v", got)
	}
	t.Run("points", func(t *testing.T) {
		for i, p := range points(calls) {
			t.Run(p.name(), func(t *testing.T) {
				t.Parallel()
				cut(t, w, fmt.Sprintf("cut-%d", i), p, reference)
			})
		}
	})
}

// undisturbed plays the scenario without a cut. It returns what the account holds after each phase, and the calls by action.
func undisturbed(t *testing.T, w *world.World) (map[string]holdings, map[string]int) {
	t.Helper()
	p := newPlay(t, w, "undisturbed")
	count := &counter{calls: map[string]int{}}
	p.Start(count)
	out := map[string]holdings{}
	for _, phase := range phases {
		phase.act(p)
		out[phase.name] = p.settle(phase.name)
	}
	p.gone()
	return out, count.calls
}

// point is where a run is cut: at the nth write, or at the first call of a read.
type point struct {
	action string
	at     int
	when   moment
}

func (p point) name() string {
	if p.action == "" {
		return fmt.Sprintf("%s write %d", p.when, p.at)
	}
	return fmt.Sprintf("%s %s", p.when, p.action)
}

func (p point) counts(action string) bool {
	if p.action == "" {
		return isWrite(action)
	}
	return action == p.action
}

func points(calls map[string]int) []point {
	writes := 0
	var out []point
	for _, action := range slices.Sorted(maps.Keys(calls)) {
		if isWrite(action) {
			writes += calls[action]
			continue
		}
		out = append(out, point{action, 1, before}, point{action, 1, after})
	}
	for n := 1; n <= writes; n++ {
		out = append(out, point{"", n, before}, point{"", n, after})
	}
	return out
}

// cut plays the scenario with one cut, and compares the account after each phase with the undisturbed run.
func cut(t *testing.T, w *world.World, name string, at point, reference map[string]holdings) {
	t.Helper()
	p := newPlay(t, w, name)
	g := newGuillotine(at.counts, at.at, at.when)
	p.StartSevered(g, g.severed(w.Config()))
	p.restart = func() {
		select {
		case <-g.fell:
			p.Kill()
			p.Start(nil)
			p.restart = func() {}
		default:
		}
	}
	for _, phase := range phases {
		phase.act(p)
		p.reach(phase.name, reference[phase.name])
	}
	p.gone()
	if !g.dead.Load() {
		t.Logf("the call did not come this time: calls that run side by side vary by a few")
	}
}
