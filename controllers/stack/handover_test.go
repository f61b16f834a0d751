package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

func edge() model.Owner {
	return model.Owner{Cluster: "c1", Prefix: model.PrefixGatewayALB, Stack: "shop/edge"}
}

// taker is a request of a Gateway that takes the load balancer of the group.
func taker(change ...func(*intent.Fragment)) stack.Request {
	req := request(member("a", change...))
	req.Intent.Owner, req.Intent.Group, req.Intent.Namespace, req.Intent.Name = edge(), "", "shop", "edge"
	req.Adopt = new(owner())
	return req
}

// given is the request of the group that gives its load balancer.
func given(fragments ...intent.Fragment) stack.Request {
	req := request(fragments...)
	req.GiveTo = new(edge())
	return req
}

// TestNothingIsTakenThatIsNotFit: whatever speaks against taking a load balancer, nothing is made, and the one that is there serves on.
func TestNothingIsTakenThatIsNotFit(t *testing.T) {
	t.Parallel()
	public := func(f *intent.Fragment) { f.Settings.Scheme = "internet-facing" }
	elsewhere := func(f *intent.Fragment) {
		f.Listeners[0].Port, f.Routes[0].Ports = 8080, []int{8080}
	}
	idle := func(f *intent.Fragment) { f.Routes = nil }
	mistaken := taker()
	mistaken.Findings = []model.Finding{{Object: ref("a"), Severity: model.Wrong, Reason: "InvalidValue", Field: "x", Message: "is wrong"}}
	for _, c := range []struct {
		why  string
		give stack.Request
		take stack.Request
		want string
	}{
		{"nobody gives it", request(member("a")), taker(), "does not give its load balancer away"},
		{"it is given to another one", func() stack.Request { r := given(member("a")); r.GiveTo.Stack = "shop/other"; return r }(), taker(),
			"does not give its load balancer away"},
		{"AWS cannot change a scheme", given(member("a")), taker(public), "cannot become internet-facing"},
		{"a port would be lost", given(member("a")), taker(elsewhere), "Listener/80 is there and not asked for"},
		{"all routes would be lost", given(member("a")), taker(idle), "there are no routes here"},
		{"what is wrong would be lost", given(member("a")), mistaken, "mend first what is wrong with Ingress shop/a"},
	} {
		w := newWorld(t)
		w.settle(request(member("a")))
		w.run(c.give)
		before, writes := w.answers(), len(w.aws.writes)
		for range 3 {
			if res := w.run(c.take); !strings.Contains(res.Blocked, c.want) {
				t.Errorf("%s: it is blocked by %q, not because it %s", c.why, res.Blocked, c.want)
			}
			w.run(c.give)
		}
		if !slices.Equal(w.answers(), before) || len(w.aws.writes) != writes {
			t.Errorf("invariant 5: %s: calls %v; the answers were %v and are %v", c.why, w.aws.writes[writes:], before, w.answers())
		}
	}
}

func TestWhoGivesStandsStillUntilItIsTakenOrKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	if res := w.run(given(member("a"), member("b"))); res.LoadBalancer == nil || !strings.Contains(res.Blocked, "is given to Gateway shop/edge") {
		t.Errorf("invariant 7: it says %q, load balancer %v", res.Blocked, res.LoadBalancer)
	}
	if got := w.answers(); len(got) != 1 {
		t.Errorf("who gives its load balancer still changes it: %v", got)
	}
	w.restart()
	gone := given()
	gone.Intent.Fragments = nil
	if res := w.run(gone); res.Gone || !strings.Contains(res.Blocked, "has not taken it yet") || len(w.answers()) != 1 {
		t.Errorf("its load balancer is deleted before it is taken: %+v, %v", res.Blocked, w.answers())
	}
	w.settle(request(member("a"), member("b")))
	if got := w.answers(); len(got) != 2 {
		t.Errorf("who keeps its load balancer is not served: %v", got)
	}
}

func TestWhoHasALoadBalancerTakesNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	own := taker()
	own.Intent.Fragments = []intent.Fragment{member("b")}
	late := own
	own.Adopt = nil
	w.settle(own)
	res := w.settle(late)
	if !slices.ContainsFunc(res.Findings, func(f model.Finding) bool { return f.Reason == "NothingTaken" && f.Severity == model.Warning }) {
		t.Errorf("invariant 8: nobody is told that nothing is taken: %v", res.Findings)
	}
}

// A port that goes on to verify clients by the giver's trust store would keep the giver from its end: it could never delete that.
func TestNoPortIsTakenWithATrustStoreOfTheGivers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	w.run(given(member("a")))
	s := w.aws.stacks[owner()]
	s.TrustStores = []model.TrustStore{{ID: "store", ARN: "arn:store", Tags: owner().Tags("store"), Status: model.TrustStoreUsable}}
	s.Listeners = slices.Clone(s.Listeners)
	s.Listeners[0].MutualAuth = &model.MutualAuth{Mode: model.MutualVerify, TrustStore: "arn:store"}
	w.aws.stacks[owner()] = s
	if res := w.still("clients are verified by what the giver has", taker()); !strings.Contains(res.Blocked, "say here how they are verified") {
		t.Errorf("it is blocked by %q", res.Blocked)
	}
}

// TestTakingWaitsForApproval: who asks for approval takes nothing before the plan that takes it is approved, and all of it after: its steps,
// and a restart among them, ask nobody again.
func TestTakingWaitsForApproval(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why    string
		policy stack.Changes
		change []func(*intent.Fragment)
		held   bool
	}{
		{"every plan waits", stack.Approve, nil, true},
		{"tags alone destroy nothing", stack.ApproveDestructive, nil, false},
		{"a target group of the giver's would be deleted", stack.ApproveDestructive, []func(*intent.Fragment){otherService}, true},
		{"a new target group has to be healthy before the old one goes", stack.Approve, []func(*intent.Fragment){otherService}, true},
	} {
		w := newWorld(t)
		w.settle(request(member("a")))
		w.run(given(member("a")))
		lb := w.aws.stacks[owner()].LoadBalancer.ARN
		w.aws.giver = owner()
		req := under(c.policy, taker(c.change...))
		if c.held {
			res := w.still(c.why+", before it is approved", req)
			if res.Held == nil || res.Held.Reason != outcome.ReasonApproval {
				t.Fatalf("%s: it is not held: %+v, blocked by %q", c.why, res.Held, res.Blocked)
			}
			w.run(given(member("a")))
			w.restart()
			w.still(c.why+", over a restart", req)
			w.approve()
		}
		w.aws.patient = true
		w.run(req)
		w.restart()
		for range 3 {
			if res := w.run(req); res.Held != nil {
				t.Errorf("%s: what was approved asks again: %s", c.why, res.Held.Message)
			}
		}
		w.aws.patient = false
		w.settle(req)
		if got := w.aws.stacks[edge()].LoadBalancer; got == nil || got.ARN != lb {
			t.Errorf("invariant 7: %s: the load balancer is %v, and was %s", c.why, got, lb)
		}
	}
}

// otherService leads the route to another Service.
func otherService(f *intent.Fragment) {
	s := f.Routes[0].Forward.Backends[0].Service
	s.ID, s.Name = "shop/other:80", "other"
}
