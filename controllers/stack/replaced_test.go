package stack_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

func public(f *intent.Fragment) { f.Settings.Scheme = "internet-facing" }

// balancers are the host names of the load balancers that stand.
func (w *world) balancers() []string {
	var out []string
	for _, lb := range w.aws.stacks[owner()].Balancers() {
		out = append(out, lb.DNSName)
	}
	return out
}

// replacement is a world where a stack's load balancer is being replaced, with the addresses of the old and the new one.
func replacement(t *testing.T, from, to stack.Request) (w *world, before, after string) {
	t.Helper()
	w = newWorld(t)
	w.aws.patient = true
	w.settle(from)
	w.targets("shop/a-svc:80", 2, "healthy", "healthy")
	before = w.balancers()[0]
	for i := range w.aws.stacks[owner()].TargetGroups {
		w.aws.stacks[owner()].TargetGroups[i].LoadBalancers = []model.ARN{w.aws.stacks[owner()].LoadBalancer.ARN}
	}
	w.aws.slow = true
	if got := w.run(to).Addresses(); !slices.Equal(got, []string{before}) {
		t.Fatalf("while the new load balancer comes up %v are published, want %s", got, before)
	}
	return w, before, w.aws.stacks[owner()].LoadBalancer.DNSName
}

// up makes the new load balancer active, with healthy targets.
func (w *world) up() {
	s := w.aws.stacks[owner()]
	s.LoadBalancer.State = plan.StateActive
	for _, g := range s.TargetGroups {
		w.loop.Board().Want(g.ARN, 2)
		if err := w.loop.Board().Health(w.Context(), g.ARN, []model.TargetHealth{{State: "healthy"}, {State: "healthy"}}); err != nil {
			w.Fatal(err)
		}
	}
}

// TestReplacedLoadBalancerAnswersOn: until the new load balancer serves the old one alone is published, then both for a day, over restarts;
// then the old one goes. It costs nothing meanwhile, and its targets stay bound.
func TestReplacedLoadBalancerAnswersOn(t *testing.T) {
	next := request(member("a", public))
	w, before, after := replacement(t, request(member("a")), next)

	w.aws.stacks[owner()].LoadBalancer.State = plan.StateActive
	w.restart()
	if res := w.run(next); res.Settled || !slices.Equal(res.Addresses(), []string{before}) {
		t.Fatalf("without healthy targets: settled %v, published %v", res.Settled, res.Addresses())
	}
	w.up()
	res := w.run(next)
	if want := []string{after, before}; !slices.Equal(res.Addresses(), want) || !res.Settled {
		t.Fatalf("when it serves: published %v, want %v; settled %v", res.Addresses(), want, res.Settled)
	}
	if len(w.bindings()) != 2 {
		t.Errorf("there are %d bindings, want one for each load balancer", len(w.bindings()))
	}
	w.restart()
	w.now = w.now.Add(24*time.Hour - time.Second)
	w.quiet("before its time is over", func() {
		if res := w.run(next); len(res.Addresses()) != 2 || res.RequeueAfter > time.Second {
			t.Errorf("published %v, looked at again after %s", res.Addresses(), res.RequeueAfter)
		}
	})
	w.now = w.now.Add(time.Second)
	w.run(next)
	w.now = w.now.Add(10 * time.Second) // what no load balancer uses any more stays for so long
	if res := w.settle(next); !slices.Equal(res.Addresses(), []string{after}) || !slices.Equal(w.balancers(), []string{after}) {
		t.Errorf("in the end: published %v, there are %v", res.Addresses(), w.balancers())
	}
	if len(w.bindings()) != 1 || len(w.groups()) != 1 {
		t.Errorf("left are %d bindings and the target groups %v", len(w.bindings()), w.groups())
	}
}

// TestRetirementThatEndsEarly: what is taken off the internet goes as soon as its successor is published, and what is out of date soon.
func TestRetirementThatEndsEarly(t *testing.T) {
	for _, row := range []struct {
		why      string
		from, to stack.Request
		change   func(*intent.Fragment)
		after    time.Duration
	}{
		{"off the internet", request(member("a", public)), request(member("a")), nil, time.Minute},
		{"changed since", request(member("a")), request(member("a", public)), func(f *intent.Fragment) {
			f.Routes = slices.Clone(f.Routes) // what was handed over is nobody's to change
			f.Routes[0].Match.Hosts = []string{"other.example.com"}
		}, 10 * time.Minute},
	} {
		t.Run(row.why, func(t *testing.T) {
			w, before, after := replacement(t, row.from, row.to)
			w.up()
			if got := w.run(row.to).Addresses(); !slices.Equal(got, []string{after, before}) {
				t.Fatalf("published %v, want both", got)
			}
			if row.change != nil {
				row.change(&row.to.Intent.Fragments[0])
			}
			w.now = w.now.Add(row.after - time.Second)
			if w.run(row.to); !slices.Contains(w.balancers(), before) {
				t.Error("it goes too early")
			}
			w.now = w.now.Add(time.Second)
			if res := w.run(row.to); !slices.Equal(res.Addresses(), []string{after}) || slices.Contains(w.balancers(), before) {
				t.Errorf("published %v, there are %v", res.Addresses(), w.balancers())
			}
		})
	}
}

// TestRetirementAndAClockThatIsPutBack: it begins anew, and lasts no longer than it shall.
func TestRetirementAndAClockThatIsPutBack(t *testing.T) {
	next := request(member("a", public))
	w, _, after := replacement(t, request(member("a")), next)
	w.up()
	w.run(next)
	w.now = w.now.Add(-72 * time.Hour)
	w.restart()
	w.run(next)
	w.now = w.now.Add(24 * time.Hour)
	if w.run(next); !slices.Equal(w.balancers(), []string{after}) {
		t.Errorf("a day later there are %v", w.balancers())
	}
}

// TestReplacedLoadBalancerGoesWithItsStack: nobody waits for the time of what nobody wants.
func TestReplacedLoadBalancerGoesWithItsStack(t *testing.T) {
	next := request(member("a", public))
	w, _, _ := replacement(t, request(member("a")), next)
	w.up()
	w.run(next)
	none := request()
	none.Leaving = []model.ObjectRef{ref("a")}
	for range 3 {
		w.run(none)
	}
	if diff := cmp.Diff([]string(nil), w.balancers()); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
}
