package stack_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
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
	w.run(to) // nothing is missing
	return w, before, w.aws.stacks[owner()].LoadBalancer.DNSName
}

// up makes the new load balancer active, with healthy targets, ten seconds after all of it was made.
func (w *world) up() {
	w.now = w.now.Add(10 * time.Second)
	s := w.aws.stacks[owner()]
	s.LoadBalancer.State = plan.StateActive
	for i, g := range s.TargetGroups {
		if len(g.LoadBalancers) == 0 {
			s.TargetGroups[i].LoadBalancers = []model.ARN{s.LoadBalancer.ARN}
		}
		w.loop.Board().Want(g.ARN, 2)
		if err := w.loop.Board().Health(w.Context(), g.ARN, []model.TargetHealth{{State: "healthy"}, {State: "healthy"}}); err != nil {
			w.Fatal(err)
		}
	}
}

// TestReplacedLoadBalancerAnswersOn: until the new load balancer serves the old one alone is published, then both, over restarts; a minute before
// the day is over the old one's address is taken back, then it goes. It costs nothing meanwhile, and its targets stay bound.
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
	w.now = w.now.Add(24*time.Hour - time.Minute - time.Second)
	w.quiet("before its time is over", func() {
		if res := w.run(next); len(res.Addresses()) != 2 || res.RequeueAfter > time.Second {
			t.Errorf("published %v, looked at again after %s", res.Addresses(), res.RequeueAfter)
		}
	})
	w.now = w.now.Add(time.Second)
	w.run(next)
	w.restart()
	w.now = w.now.Add(time.Minute - time.Second)
	if res := w.run(next); !slices.Equal(res.Addresses(), []string{after}) || !slices.Contains(w.balancers(), before) || res.RequeueAfter > time.Second {
		t.Errorf("while resolvers keep its name: published %v, there are %v, looked at again after %s", res.Addresses(), w.balancers(), res.RequeueAfter)
	}
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

// TestSuccessorIsPublishedWhole: while something of the new load balancer is missing, and until every one of its nodes knows all, clients hear
// of the old one only.
func TestSuccessorIsPublishedWhole(t *testing.T) {
	next := request(member("a", public))
	w, before, after := replacement(t, request(member("a")), next)
	w.aws.stacks[owner()].Listeners[0].Rules = nil // as if the operator had ended before it was made
	w.restart()
	w.up()
	w.now = w.now.Add(time.Hour)
	if got := w.run(next).Addresses(); !slices.Equal(got, []string{before}) {
		t.Errorf("without its rule: published %v", got)
	}
	if len(w.aws.stacks[owner()].Listeners[0].Rules) == 0 {
		t.Fatal("the rule is not made")
	}
	for range 2 {
		if got := w.run(next).Addresses(); !slices.Equal(got, []string{before}) {
			t.Errorf("before its nodes know the rule: published %v", got)
		}
		w.now = w.now.Add(5 * time.Second)
	}
	if got := w.run(next).Addresses(); !slices.Equal(got, []string{after, before}) {
		t.Errorf("then published %v", got)
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
			w.now = w.now.Add(row.after - time.Minute)
			if got := w.run(row.to).Addresses(); !slices.Equal(got, []string{after}) {
				t.Errorf("a minute before it goes %v are published", got)
			}
			w.now = w.now.Add(time.Minute - time.Second)
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

// TestAddressIsTakenBackHoweverLateThatIs: an operator that looks when the time is long over, or a change that ends it, gives clients the minute that
// their resolvers need.
func TestAddressIsTakenBackHoweverLateThatIs(t *testing.T) {
	for _, row := range []struct {
		why    string
		change func(*intent.Fragment)
		late   time.Duration
	}{
		{"no operator ran for days", nil, 72 * time.Hour},
		{"a change after hours says that it is out of date", func(f *intent.Fragment) {
			f.Routes = slices.Clone(f.Routes)
			f.Routes[0].Match.Hosts = []string{"other.example.com"}
		}, 5 * time.Hour},
	} {
		t.Run(row.why, func(t *testing.T) {
			next := request(member("a", public))
			w, before, after := replacement(t, request(member("a")), next)
			w.up()
			w.run(next)
			if row.change != nil {
				row.change(&next.Intent.Fragments[0])
			}
			w.now = w.now.Add(row.late)
			w.restart()
			if got := w.run(next).Addresses(); !slices.Equal(got, []string{after}) || !slices.Contains(w.balancers(), before) {
				t.Errorf("published %v, there are %v", got, w.balancers())
			}
			w.now = w.now.Add(time.Minute - time.Second)
			if w.run(next); !slices.Contains(w.balancers(), before) {
				t.Error("it goes while resolvers keep its name")
			}
			w.now = w.now.Add(time.Second)
			if w.run(next); slices.Contains(w.balancers(), before) {
				t.Error("it stays")
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
	w.now = w.now.Add(24*time.Hour - time.Minute)
	w.run(next)
	w.now = w.now.Add(time.Minute)
	if w.run(next); !slices.Equal(w.balancers(), []string{after}) {
		t.Errorf("a day later there are %v", w.balancers())
	}
}

// TestRetirementThatEndsDuringARun: a run that began before the time was over looks again at once; nothing else would.
func TestRetirementThatEndsDuringARun(t *testing.T) {
	next := request(member("a", public))
	w, _, after := replacement(t, request(member("a")), next)
	w.up()
	w.run(next)
	w.now = w.now.Add(24*time.Hour - time.Minute)
	w.run(next) // its address is taken back
	w.now = w.now.Add(time.Minute - time.Second)
	w.through(interceptor.Funcs{List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
		if _, bindings := list.(*elbv2v1beta1.TargetGroupBindingList); bindings {
			w.now = w.now.Add(2 * time.Second)
		}
		return c.List(ctx, list, opts...)
	}})
	if res := w.run(next); res.RequeueAfter > time.Second {
		t.Errorf("it is looked at again after %s", res.RequeueAfter)
	}
	if w.run(next); !slices.Equal(w.balancers(), []string{after}) {
		t.Errorf("then there are %v", w.balancers())
	}
}

// TestWhatRetiresIsWantedAgain: the older load balancer takes its place again with what was changed since, both stay published, and the newer
// one retires in turn. One that was never published goes at once.
func TestWhatRetiresIsWantedAgain(t *testing.T) {
	first, next := request(member("a")), request(member("a", public))
	w, before, after := replacement(t, first, next)
	w.up()
	w.run(next)
	w.now = w.now.Add(time.Hour)
	back := request(member("a"), member("b"))
	for i, want := range [][]string{{before, after}, {before}, {before}} { // what is off the internet is published no more
		if i == 2 {
			w.restart()
			w.up()
		}
		if got := w.run(back).Addresses(); !slices.Equal(got, want) || len(w.balancers()) != 2 {
			t.Fatalf("when it is wanted again, in run %d: published %v, there are %v, want %v", i, got, w.balancers(), want)
		}
	}
	if diff := cmp.Diff([]string{"a.example.com shop/a-svc:80", "b.example.com shop/b-svc:80"}, w.answers()); diff != "" {
		t.Errorf("the older one answers (-want +got):\n%s", diff)
	}
	w.settle(back)
	w.now = w.now.Add(time.Minute)
	if res := w.settle(back); !slices.Equal(res.Addresses(), []string{before}) || !slices.Equal(w.balancers(), []string{before}) {
		t.Errorf("what is taken off the internet goes soon: published %v, there are %v", res.Addresses(), w.balancers())
	}

	w, before, _ = replacement(t, first, next)
	if got := w.run(first).Addresses(); !slices.Equal(got, []string{before}) || !slices.Equal(w.balancers(), []string{before}) {
		t.Errorf("one that was never published: published %v, there are %v", got, w.balancers())
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
