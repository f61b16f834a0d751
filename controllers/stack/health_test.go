package stack_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/event"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// renamed is the member with another Service.
func renamed(f *intent.Fragment) {
	s := *f.Routes[0].Forward.Backends[0].Service
	s.ID, s.Name = "shop/a-new:80", "svc-new"
	f.Routes[0].Forward = &intent.Forward{Backends: []intent.Backend{{Weight: 1, Service: &s}}}
}

// targets tells the board how the targets of a group are: wanted ones, and the states of those that are there.
func (w *world) targets(group string, want int, states ...string) {
	w.Helper()
	w.targetsOf(owner(), group, want, states...)
}

func (w *world) targetsOf(at model.Owner, group string, want int, states ...string) {
	w.Helper()
	for _, g := range w.aws.stacks[at].TargetGroups {
		if g.ID != group {
			continue
		}
		var health []model.TargetHealth
		for _, s := range states {
			health = append(health, model.TargetHealth{State: s})
		}
		w.loop.Board().Want(g.ARN, want)
		if err := w.loop.Board().Health(w.Context(), g.ARN, health); err != nil {
			w.Fatal(err)
		}
	}
}

// waits are what a result says that it waits for.
func waits(res stack.Result) string {
	var out []string
	for _, s := range res.Outputs.Waiting {
		name := s.Key.ID
		if i := strings.LastIndex(name, "-"); strings.HasPrefix(name, "k8s-") {
			name = name[:i] // a hash follows
		}
		out = append(out, name+" "+s.For)
	}
	slices.Sort(out)
	return strings.Join(out, ", ")
}

// TestTargetGroupIsHealthyBeforeItIsUsed: the rule moves when enough targets are healthy, the old group goes when that has reached every
// node, and neither is forgotten over a restart. What shall be there, and what serves now, decides what is enough.
func TestTargetGroupIsHealthyBeforeItIsUsed(t *testing.T) {
	for _, row := range []struct {
		why string
		// old and new are the states of targets; want is how many there shall be in the new group.
		old, new []string
		want     int
		moves    bool
	}{
		{"all that shall be there", []string{"healthy", "healthy"}, []string{"healthy"}, 1, true},
		{"as many as serve now", []string{"healthy"}, []string{"healthy", "initial", "initial"}, 3, true},
		{"fewer than serve now", []string{"healthy", "healthy"}, []string{"healthy", "initial"}, 2, false},
		{"those that serve now were not checked yet", []string{"initial", "initial"}, []string{"healthy", "initial"}, 2, false},
		{"none serves now", []string{"unhealthy"}, []string{"initial"}, 1, true},
		{"nobody checks", []string{"healthy"}, []string{"unavailable"}, 1, true},
		{"none shall be there, where one serves: its pods may have no address yet", []string{"healthy"}, nil, 0, false},
		{"none shall be there, where none is healthy either", []string{"unhealthy"}, nil, 0, true},
		{"none shall be there, where none is", nil, nil, 0, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			w := newWorld(t)
			w.aws.patient = true
			w.settle(request(member("a")))
			w.targets("shop/a-svc:80", len(row.old), row.old...)
			next := request(member("a", renamed))
			if got := waits(w.run(next)); got != "shop/a-new:80 healthy" {
				t.Fatalf("waits for %q, want the new group", got)
			}
			w.restart()
			w.targets("shop/a-svc:80", len(row.old), row.old...)
			w.targets("shop/a-new:80", row.want, row.new...)
			got := waits(w.run(next))
			if moved := w.answers()[0] == "a.example.com shop/a-new:80"; moved != row.moves {
				t.Fatalf("the rule answers %s, and it waits for %q", w.answers()[0], got)
			}
			if !row.moves {
				return
			}
			if got != "k8s-shop-svca released" {
				t.Errorf("waits for %q, want the old group", got)
			}
			w.restart()
			w.now = w.now.Add(rests - time.Second)
			if w.run(next); !slices.Contains(w.groups(), "shop/a-svc:80") {
				t.Error("the old group goes before its time")
			}
			w.now = w.now.Add(time.Second)
			if res := w.run(next); !res.Settled || slices.Contains(w.groups(), "shop/a-svc:80") || len(w.aws.stacks[owner()].Listeners[0].Parked) > 0 {
				t.Errorf("when its time is over: settled %v, groups %v, waits for %q", res.Settled, w.groups(), waits(res))
			}
		})
	}
}

// TestTargetGroupIsNotWaitedForForEver: when its time is over it is used, and the plan says so. A Service that is scaled to zero for good costs
// that time once.
func TestTargetGroupIsNotWaitedForForEver(t *testing.T) {
	for _, row := range []struct {
		why  string
		want int
		new  []string
	}{
		{"its targets are not healthy", 1, []string{"unhealthy"}},
		{"it is to have none, as a Service that is scaled to zero", 0, nil},
	} {
		t.Run(row.why, func(t *testing.T) { usedInTheEnd(t, row.want, row.new) })
	}
}

// usedInTheEnd holds it for a group that shall have so many targets and has those in these states.
func usedInTheEnd(t *testing.T, want int, states []string) {
	t.Helper()
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a")))
	next := request(member("a", renamed))
	w.run(next)
	w.targets("shop/a-svc:80", 1, "healthy")
	w.targets("shop/a-new:80", want, states...)
	w.now = w.now.Add(5*time.Minute - time.Second)
	if res := w.run(next); w.answers()[0] != "a.example.com shop/a-svc:80" || res.RequeueAfter == 0 || res.RequeueAfter > 5*time.Second {
		t.Errorf("before its time is over: %s, next look after %s", w.answers()[0], res.RequeueAfter)
	}
	w.now = w.now.Add(time.Second)
	res := w.run(next)
	if note := strings.Join(res.Plan.Notes, ""); w.answers()[0] != "a.example.com shop/a-new:80" || !strings.Contains(note, "though its targets are not healthy") {
		t.Errorf("when its time is over: %s, notes %q", w.answers()[0], note)
	}
}

// TestPatienceIsOfOneGroupAndOneProcess: the time of a target group begins when it is made, also where it replaces one that was waited for,
// and anew after a restart: of the time before nobody knows whether anybody looked.
func TestPatienceIsOfOneGroupAndOneProcess(t *testing.T) {
	again := func(f *intent.Fragment) {
		renamed(f)
		f.Routes[0].Forward.Backends[0].Service.Group.Protocol = "HTTPS"
	}
	const almost = 5*time.Minute - 10*time.Second
	for _, row := range []struct {
		why    string
		begins func(w *world) stack.Request
	}{
		{"it replaces one that was waited for", func(w *world) stack.Request {
			w.run(request(member("a", renamed)))
			w.now = w.now.Add(almost)
			return request(member("a", again))
		}},
		{"the operator was down", func(w *world) stack.Request {
			w.run(request(member("a", renamed)))
			w.now = w.now.Add(time.Hour)
			w.restart()
			return request(member("a", renamed))
		}},
	} {
		t.Run(row.why, func(t *testing.T) {
			w := newWorld(t)
			w.aws.patient = true
			w.settle(request(member("a")))
			next := row.begins(w)
			w.run(next)
			w.now = w.now.Add(almost)
			if w.run(next); w.answers()[0] != "a.example.com shop/a-svc:80" {
				t.Errorf("10 s before its time is over: %s", w.answers()[0])
			}
			w.now = w.now.Add(10 * time.Second)
			if w.run(next); w.answers()[0] != "a.example.com shop/a-new:80" {
				t.Errorf("when its time is over: %s", w.answers()[0])
			}
		})
	}
}

// TestNewIntentTakesOverFromOneThatWaits: a group that nobody waits for any more goes with the rule that parked it.
func TestNewIntentTakesOverFromOneThatWaits(t *testing.T) {
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a")))
	w.run(request(member("a", renamed)))
	if parked := w.aws.stacks[owner()].Listeners[0].Parked; len(parked) != 1 {
		t.Fatalf("%d rules park target groups, want 1", len(parked))
	}
	back := request(member("a"))
	w.run(back)
	w.now = w.now.Add(rests)
	if res := w.run(back); !res.Settled || len(w.groups()) != 1 || len(w.aws.stacks[owner()].Listeners[0].Parked) > 0 {
		t.Errorf("settled %v, groups %v, waits for %q", res.Settled, w.groups(), waits(res))
	}
}

// TestPatienceOfTheClassCounts: in place of the operator's five minutes.
func TestPatienceOfTheClassCounts(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		patience, waited time.Duration
		over             bool
	}{{0, 4 * time.Minute, false}, {0, 6 * time.Minute, true}, {time.Minute, 2 * time.Minute, true}, {10 * time.Minute, 6 * time.Minute, false}} {
		w := newWorld(t)
		w.aws.patient = true
		w.settle(request(member("a")))
		next := request(member("a", renamed))
		next.Policy.Patience = row.patience
		w.run(next)
		w.targets("shop/a-svc:80", 1, "healthy")
		w.targets("shop/a-new:80", 1, "unhealthy")
		w.run(next)
		w.now = w.now.Add(row.waited)
		w.run(next)
		if got := w.answers()[0] == "a.example.com shop/a-new:80"; got != row.over {
			t.Errorf("patience %s: after %s the new group is used: %v", row.patience, row.waited, w.answers())
		}
	}
}

// TestTargetsTakeTheAnswerOfALoadBalancer: a rule that answered itself forwards only when as many targets are healthy as there shall be, for nobody
// was refused before.
func TestTargetsTakeTheAnswerOfALoadBalancer(t *testing.T) {
	w := newWorld(t)
	w.aws.patient = true
	w.settle(request(member("a", func(f *intent.Fragment) {
		f.Routes[0].Forward, f.Routes[0].Fixed = nil, &intent.Fixed{StatusCode: 200}
	})))
	next := request(member("a"))
	w.run(next)
	for _, row := range []struct {
		want   int
		states []string
		moves  bool
	}{{2, nil, false}, {2, []string{"initial", "initial"}, false}, {2, []string{"healthy", "initial"}, false}, {2, []string{"healthy", "healthy"}, true}} {
		w.targets("shop/a-svc:80", row.want, row.states...)
		res := w.run(next)
		if moved := w.answers()[0] == "a.example.com shop/a-svc:80"; moved != row.moves {
			t.Errorf("with targets %v the rule answers %s, and it waits for %q", row.states, w.answers()[0], waits(res))
		}
	}
}

// TestConcerns: whoever waits for targets hears of those that are healthy, and nobody hears of what is shown to users only.
func TestConcerns(t *testing.T) {
	t.Parallel()
	object := func(generation int64, reason string, healthy ...int32) *headgatev1alpha1.LoadBalancer {
		lb := &headgatev1alpha1.LoadBalancer{ObjectMeta: metav1.ObjectMeta{Generation: generation}}
		lb.Status.Conditions = []metav1.Condition{{Type: headgatev1alpha1.ConditionProgrammed, Reason: reason}}
		for _, n := range healthy {
			lb.Status.Targets = append(lb.Status.Targets, headgatev1alpha1.TargetGroupStatus{Healthy: n})
		}
		return lb
	}
	for _, row := range []struct {
		why           string
		before, after *headgatev1alpha1.LoadBalancer
		want          bool
	}{
		{"a user wrote to it", object(1, "Programmed", 1), object(2, "Programmed", 1), true},
		{"a target became healthy while it waits", object(1, "Waiting", 1, 0), object(1, "Waiting", 1, 1), true},
		{"a target became healthy, and nobody waits", object(1, "Programmed", 1, 0), object(1, "Programmed", 1, 1), false},
		{"a target became unhealthy while it waits", object(1, "Waiting", 1, 1), object(1, "Waiting", 1, 0), false},
		{"it begins to wait", object(1, "Programmed", 1), object(1, "Waiting", 1), false},
	} {
		if got := stack.Concerns(event.UpdateEvent{ObjectOld: row.before, ObjectNew: row.after}); got != row.want {
			t.Errorf("%s: %t", row.why, got)
		}
	}
}
