package stack_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// plain is a rule that forwards to nobody.
func plain(f *intent.Fragment) {
	f.Routes = []intent.Route{{
		Ports: []int{80}, Match: f.Routes[0].Match, Field: "spec.rules[0]", Fixed: &intent.Fixed{StatusCode: 404, ContentType: "text/plain"},
	}}
}

// TestLeavingDoesNotWaitForANeighboursError: a leaves, while AWS refuses, again and again, something that is not its.
func TestLeavingDoesNotWaitForANeighboursError(t *testing.T) {
	t.Parallel()
	onPort := func(port int) func(*intent.Fragment) {
		return func(f *intent.Fragment) { f.Listeners[0].Port, f.Routes[0].Ports = port, []int{port} }
	}
	refuse := func(op plan.Op, id string) func(plan.Change) error {
		return func(c plan.Change) error {
			if c.Op == op && c.Key.ID == id {
				return denied()
			}
			return nil
		}
	}
	for _, c := range []struct {
		why  string
		a    func(*intent.Fragment)
		fail func(plan.Change) error
		lost bool
		want []model.ObjectRef
	}{
		{"b's new group cannot be made", nil, refuse(plan.CreateTargetGroup, "shop/new-svc:80"), false, []model.ObjectRef{ref("a")}},
		{"its state is lost, but nothing is left over", nil, refuse(plan.ModifyLoadBalancerAttributes, "LoadBalancer"), true, []model.ObjectRef{ref("a")}},
		{"b's old group cannot be deleted", nil, refuse(plan.DeleteTargetGroup, "shop/b-svc:80"), false, []model.ObjectRef{ref("a")}},
		{"whose group it is that is left over is not known", nil, refuse(plan.DeleteTargetGroup, "shop/b-svc:80"), true, nil},
		{"a's own group cannot be deleted", nil, refuse(plan.DeleteTargetGroup, "shop/a-svc:80"), false, nil},
		{"a's own listener cannot be deleted", onPort(81), refuse(plan.DeleteListener, "81"), false, nil},
		{"a's rule, which forwards to nobody, cannot be deleted", plain, func(c plan.Change) error {
			if c.Op == plan.DeleteRule {
				return denied()
			}
			return nil
		}, false, nil},
	} {
		w := newWorld(t)
		a := []func(*intent.Fragment){}
		if c.a != nil {
			a = append(a, c.a)
		}
		w.settle(request(member("a", a...), member("b")))
		if c.lost {
			w.lose()
			w.restart()
		}
		w.aws.fail = c.fail
		moved := func(f *intent.Fragment) {
			*f = member("new", elsewhere("b.example.com"))
			f.Member, f.Settings.Attributes = ref("b"), map[string]string{"idle_timeout.timeout_seconds": "30"}
		}
		req := request(member("b", moved))
		req.Leaving = []model.ObjectRef{ref("a")}
		var res stack.Result
		var err error
		for range 3 {
			res, err = w.loop.Run(t.Context(), req)
		}
		if err == nil || res.Settled {
			t.Errorf("%s: AWS refuses it, and the stack is settled", c.why)
		}
		if diff := cmp.Diff(c.want, res.Free); diff != "" {
			t.Errorf("invariant 3: %s: free are: %s", c.why, diff)
		}
		w.aws.fail = nil
		if res := w.settle(req); len(res.Free) != 1 {
			t.Errorf("%s: all is settled, and free are %v", c.why, res.Free)
		}
		w.settle(request(member("b", moved)))
		if diff := cmp.Diff([]string{"Ingress/shop/b"}, w.stored()); diff != "" {
			t.Errorf("%s: kept is: %s", c.why, diff)
		}
	}
}

func TestLastMemberLeavesWhenNothingIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a")))
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.DeleteLoadBalancer {
			return errors.New("is protected")
		}
		return nil
	}
	req := request()
	req.Leaving = []model.ObjectRef{ref("a")}
	if res, err := w.loop.Run(t.Context(), req); err == nil || len(res.Free) > 0 {
		t.Errorf("the load balancer is left, and free are %v", res.Free)
	}
	w.aws.fail = nil
	if res := w.settle(req); !res.Gone || len(res.Free) != 1 {
		t.Errorf("nothing is left, and free are %v", res.Free)
	}
}

// TestLeavingOfAMemberThatNeverWasGood: nothing is known of what a asked for, and AWS refuses something of b's.
func TestLeavingOfAMemberThatNeverWasGood(t *testing.T) {
	t.Parallel()
	moved := func(f *intent.Fragment) {
		*f = member("new", elsewhere("b.example.com"))
		f.Member = ref("b")
	}
	for _, c := range []struct {
		why  string
		fail plan.Op
		want []model.ObjectRef
	}{
		{"what is left over is b's of before", plan.CreateTargetGroup, []model.ObjectRef{ref("a")}},
		{"the 503 of a may be anybody's", plan.DeleteRule, nil},
	} {
		w := newWorld(t)
		w.settle(wrong(request(member("a"), member("b")), "spec"))
		w.aws.fail = func(change plan.Change) error {
			if change.Op == c.fail {
				return denied()
			}
			return nil
		}
		req := request(member("b", moved))
		req.Leaving = []model.ObjectRef{ref("a")}
		for range 3 {
			res, err := w.loop.Run(t.Context(), req)
			if err == nil {
				t.Fatalf("%s: AWS refuses it", c.why)
			}
			if diff := cmp.Diff(c.want, res.Free); diff != "" {
				t.Errorf("invariant 3: %s: free are: %s", c.why, diff)
			}
		}
		w.aws.fail = nil
		if res := w.settle(req); len(res.Free) != 1 {
			t.Errorf("%s: all is settled, and free are %v", c.why, res.Free)
		}
	}
}
