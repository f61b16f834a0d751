package crash

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/headgate/headgate/test/world"
)

// parallelRuns is how many operators run at a time: they mostly wait.
const parallelRuns = "10"

// every has all cuts at writes in the cluster be made, and AWS lag behind by half a minute: `make crash`.
var every = flag.Bool("every", false, "cut at every write in the cluster, not at a sample, and have AWS lag behind by 30 s, not by a few")

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(run(m))
}

func run(m *testing.M) int {
	if err := errors.Join(flag.Set("test.parallel", parallelRuns), world.Environment()); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer func() {
		if common.World != nil {
			_ = common.Stop(context.Background())
		}
	}()
	return m.Run()
}

// common is what the tests share: the API server, and a run of the scenario that nothing disturbed.
var common struct {
	*world.World

	once sync.Once
	// reference is what the account and the cluster hold after each phase, calls what was called in it: AWS's actions, and writes in
	// the cluster.
	reference map[string]holdings
	calls     map[string]map[string]int
}

// undisturbed plays the scenario once, for all tests.
func undisturbed(t *testing.T) {
	t.Helper()
	common.once.Do(func() {
		var err error
		if common.World, err = world.Start(context.Background()); err != nil {
			t.Fatal(err)
		}
		p := newPlay(t, common.World, "undisturbed")
		count := &counter{calls: map[string]int{}}
		p.start(count, count.counting(common.Config()))
		reference, calls := map[string]holdings{}, map[string]map[string]int{}
		for _, phase := range phases {
			phase.act(p)
			reference[phase.name] = p.settle(phase.name)
			calls[phase.name] = count.take()
		}
		p.gone()
		p.Stop()
		common.reference, common.calls = reference, calls
	})
	if common.reference == nil {
		t.Fatal("the scenario does not end when nothing disturbs it")
	}
}

// TestEnd: the scenario leaves nothing; the other tests compare with its end.
func TestEnd(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	end := common.reference["delete"]
	if got := end.Counts; got["load balancers"]+got["target groups"]+got["security groups"] != 0 {
		t.Errorf("an undisturbed run leaves %v in the account", got)
	}
	// The user's class stays, and is kept by nobody.
	if len(end.Written) != 2 || end.Written[0] != "0 stacks are remembered" || strings.Contains(end.Written[1], "gatewayclass") {
		t.Errorf("an undisturbed run leaves %q in the cluster", end.Written)
	}
	for _, phase := range phases {
		t.Logf("%s: the account holds %v; calls: %v", phase.name, common.reference[phase.name].Counts, common.calls[phase.name])
	}
}

// TestCut kills the operator at every AWS write of the shop scenario, before and after its effect, at each kind of read, and at its writes in
// the cluster: finalizers, statuses, bindings, what is shown and what is remembered (invariant 2). The end of each phase is that of an
// undisturbed run, nothing is made twice, and nothing is left.
//
// Each run dies several times in each phase. What did not come, because calls that run side by side vary by a few, is counted.
func TestCut(t *testing.T) {
	t.Parallel()
	undisturbed(t)
	plans := deal(t)
	var cut, missed atomic.Int64
	t.Cleanup(func() {
		t.Logf("%d cuts in %d runs; %d calls did not come", cut.Load(), len(plans), missed.Load())
		if missed.Load() > cut.Load()/3 {
			t.Error("too many calls did not come: too little is shown")
		}
	})
	for i, plan := range plans {
		for _, retention := range retentions(i) {
			t.Run(fmt.Sprintf("%d, retention %s", i, retention), func(t *testing.T) {
				t.Parallel()
				p := newPlay(t, common.World, fmt.Sprintf("cut-%d-%s", i, retention))
				p.retention = retention
				lost := p.mortal(plan)
				missed.Add(int64(lost))
				for _, points := range plan {
					cut.Add(int64(len(points)))
				}
				cut.Add(-int64(lost))
			})
		}
	}
}

// retiring is how long a load balancer answers on that is replaced, where one does.
const retiring = time.Second

// retentions are those that the nth run is played with: in turn none and one, and both with -args -every.
func retentions(n int) []time.Duration {
	both := []time.Duration{0, retiring}
	if *every {
		return both
	}
	return both[n%2 : n%2+1]
}

// deaths are how often a run dies in a phase, at most.
const deaths = 4

// deal spreads the points of each phase over so few runs that none dies too often.
func deal(t *testing.T) []map[string][]point {
	t.Helper()
	all, runs := map[string][]point{}, 0
	for _, phase := range phases {
		aws, cluster := points(common.calls[phase.name]), inCluster(common.calls[phase.name])
		chosen := cluster
		if !*every {
			chosen = sampled(cluster)
		}
		t.Logf("%s: %d points at AWS, %d of %d in the cluster", phase.name, len(aws), len(chosen), len(cluster))
		all[phase.name] = append(aws, chosen...)
		runs = max(runs, (len(all[phase.name])+deaths-1)/deaths)
	}
	out := make([]map[string][]point, runs)
	for i := range out {
		out[i] = map[string][]point{}
	}
	for name, points := range all {
		for i, p := range points {
			out[i%runs][name] = append(out[i%runs][name], p)
		}
	}
	return out
}

// mortal plays the scenario with cuts, by phase, and compares with the undisturbed run after each. It tells how many did not come.
func (p *play) mortal(cuts map[string][]point) (missed int) {
	p.t.Helper()
	death := &reaper{}
	death.begin(nil)
	now := newLife(death)
	p.start(now, now.severed(common.Config()))
	p.restart = func() {
		select {
		case <-now.fell:
			p.Kill()
			now = newLife(death)
			p.start(now, now.severed(common.Config()))
		default:
		}
	}
	for _, phase := range phases {
		p.t.Logf("%s dies %v", phase.name, cuts[phase.name])
		missed += death.begin(cuts[phase.name])
		phase.act(p)
		p.reach(phase.name, common.reference[phase.name])
		p.linger(death.waits)
		p.reach(phase.name, common.reference[phase.name])
	}
	missed += death.begin(nil)
	p.gone()
	return missed
}

// point is where a run is cut: at the nth of some calls of a phase.
type point struct {
	action string
	at     int
	when   moment
}

// anyWrite stands for all writes to AWS.
const anyWrite = "write"

func (p point) String() string { return fmt.Sprintf("%s %s %d", p.when, p.action, p.at) }

func (p point) counts(action string) bool {
	if p.action == anyWrite {
		return isWrite(action)
	}
	return action == p.action
}

// points are all writes to AWS, and the first of each kind of read.
func points(calls map[string]int) []point {
	writes := 0
	var out []point
	for _, action := range slices.Sorted(maps.Keys(calls)) {
		switch {
		case isWrite(action):
			writes += calls[action]
		case !inTheCluster(action):
			out = append(out, point{action, 1, before}, point{action, 1, after})
		}
	}
	for n := 1; n <= writes; n++ {
		out = append(out, point{anyWrite, n, before}, point{anyWrite, n, after})
	}
	return out
}

// inCluster are all writes in the cluster.
func inCluster(calls map[string]int) []point {
	var out []point
	for _, what := range slices.Sorted(maps.Keys(calls)) {
		if !inTheCluster(what) {
			continue
		}
		for n := 1; n <= calls[what]; n++ {
			out = append(out, point{what, n, before}, point{what, n, after})
		}
	}
	return out
}

// sampled are of each kind of write the first, before its effect, and the one in the middle, after it.
func sampled(all []point) []point {
	var out []point
	for start := 0; start < len(all); {
		end := start
		for end < len(all) && all[end].action == all[start].action {
			end++
		}
		half := (end - start) / 2
		out = append(out, all[start], all[start+half/2*2+1])
		start = end
	}
	return out
}
