package stack_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

const goneGroup = "arn:aws:elasticloadbalancing:eu-west-1:1:targetgroup/gone/1"

// refuses has AWS refuse some changes with a class, and counts how often it was asked.
func (w *world) refuses(class fault.Class, bad func(plan.Change) bool) *int {
	asked := 0
	w.aws.fail = func(c plan.Change) error {
		if !bad(c) {
			return nil
		}
		asked++
		return &plan.ChangeError{Change: c, Err: &fault.Error{Class: class, Code: "Refused", Action: "elasticloadbalancing:" + string(c.Op), Err: errors.New("no such value")}}
	}
	return &asked
}

// astray leads the member to a target group that is not there.
func astray(f *intent.Fragment) {
	f.Routes[0].Forward = &intent.Forward{Backends: []intent.Backend{{TargetGroupARN: goneGroup, Weight: 1}}}
}

func toGone(c plan.Change) bool {
	return c.Rule != nil && c.Action != plan.Delete && leadsTo(*c.Rule, goneGroup)
}

func leadsTo(r model.Rule, arn model.ARN) bool {
	return r.Actions[0].Forward != nil && r.Actions[0].Forward.Groups[0].ARN == arn
}

func boost(f *intent.Fragment) {
	f.Settings.Attributes = map[string]string{"idle_timeout.timeout_seconds": "75", "routing.http4.enabled": "true"}
	f.Settings.Fields = map[string]string{"attributes": "load-balancer-attributes"}
}

func boosted(c plan.Change) bool { return c.Attributes["routing.http4.enabled"] == "true" }

// TestRefusalStaysWithItsMember: what AWS refuses is told to who asked for it, who keeps what served before; the neighbour's change lands
// in the same run. AWS is asked again within half a minute, with one call, which changes nothing else; once it takes the call, all is done.
func TestRefusalStaysWithItsMember(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		damage func(*intent.Fragment)
		bad    func(plan.Change) bool
		class  fault.Class
		field  string
		// asked is how often AWS was asked before it was taken for refused.
		asked int
	}{
		{"a target group that is not there", astray, toGone, fault.NotFound, "spec.rules[0]", 2},
		{"a target group that AWS does not take", astray, toGone, fault.Invalid, "spec.rules[0]", 1},
		{"a target group of another load balancer", astray, toGone, fault.InUse, "spec.rules[0]", 2},
		{"an attribute that nobody knows", boost, boosted, fault.Invalid, "load-balancer-attributes", 1},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(request(member("a"), member("b")))
			asked := w.refuses(row.class, row.bad)
			req := request(member("a", row.damage), member("b", elsewhere("new.example.com")))
			res := w.settle(req)
			w.isRefused(res, row.field)
			if *asked != row.asked {
				t.Errorf("AWS was asked %d times, want %d", *asked, row.asked)
			}
			if diff := cmp.Diff([]string{serveA, "new.example.com shop/b-svc:80"}, w.answers()); diff != "" {
				t.Errorf("invariant 3: %s", diff)
			}
			w.quiet("it is not tried hotly", func() { w.isRefused(w.run(req), row.field) })
			for range 20 {
				before, writes := *asked, len(w.aws.writes)
				w.isRefused(w.due(req), row.field)
				if *asked != before+1 || len(w.aws.writes) != writes {
					t.Errorf("after %s AWS was asked %d times and took %v, want once and nothing", w.now, *asked-before, w.aws.writes[writes:])
				}
			}
			w.aws.fail = nil
			if res := w.due(req); len(res.Findings) > 0 || res.Serving[0].Held {
				t.Errorf("AWS takes it now: %+v", res.Findings)
			}
			w.quiet("what is done is done", func() { w.run(req) })
		})
	}
}

// due runs when each run says, until AWS is to have been asked again for what it refused.
func (w *world) due(req stack.Request) stack.Result {
	w.Helper()
	start, res := w.now, w.run(req)
	for w.now.Sub(start) < 25*time.Second {
		if res.RequeueAfter <= 0 {
			w.Fatal("invariant 8: it is looked at no more")
		}
		w.now = w.now.Add(res.RequeueAfter)
		res = w.settle(req)
	}
	if late := w.now.Sub(start); late > 30*time.Second {
		w.Fatalf("invariant 8: it is looked at again after %s", late)
	}
	return res
}

// isRefused holds that a is told of a refusal at a field, and nobody else of anything.
func (w *world) isRefused(res stack.Result, field string) {
	w.Helper()
	if len(res.Findings) != 1 {
		w.Fatalf("findings: %+v", res.Findings)
	}
	f := res.Findings[0]
	if !f.Object.Same(ref("a")) || f.Field != field || f.Reason != "RefusedByAWS" || f.Severity != model.Wrong || !strings.Contains(f.Message, "no such value") {
		w.Errorf("invariant 8: %+v", f)
	}
	if !res.Settled || !res.Serving[0].Held || res.Serving[1].Held {
		w.Errorf("settled %v, served %+v", res.Settled, res.Serving)
	}
}

// TestRefusalEndsWithAnotherText: what is written anew is tried at once.
func TestRefusalEndsWithAnotherText(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.refuses(fault.Invalid, toGone)
	w.isRefused(w.settle(request(member("a", astray), member("b"))), "spec.rules[0]")
	if res := w.settle(request(member("a", elsewhere("mended.example.com")), member("b"))); len(res.Findings) > 0 {
		t.Errorf("findings: %+v", res.Findings)
	}
	if diff := cmp.Diff([]string{"mended.example.com shop/a-svc:80", serveB}, w.answers()); diff != "" {
		t.Error(diff)
	}
}

// TestNewcomerThatAWSRefuses has nothing good: it answers 503, and its neighbours go on.
func TestNewcomerThatAWSRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("b")))
	w.refuses(fault.Invalid, toGone)
	res := w.settle(request(member("a", astray), member("b")))
	if diff := cmp.Diff([]string{serveB, "a.example.com 503"}, w.answers()); diff != "" {
		t.Errorf("invariant 3: %s", diff)
	}
	if len(res.Findings) != 1 || !res.Findings[0].Object.Same(ref("a")) {
		t.Errorf("invariant 8: %+v", res.Findings)
	}
}

// TestFailureOfNobody: what no member asked for, and what passes by itself, is nobody's mistake and an error as before.
func TestFailureOfNobody(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why   string
		class fault.Class
		bad   func(plan.Change) bool
	}{
		{"AWS is asked too often", fault.Throttled, toGone},
		{"a right is missing", fault.Denied, toGone},
		{"the account has no room", fault.Quota, toGone},
		{"what is ours is not there any more", fault.NotFound, func(c plan.Change) bool { return c.Op == plan.CreateTargetGroup }},
		{"the subnets that were discovered", fault.Invalid, func(c plan.Change) bool { return c.Op == plan.CreateLoadBalancer }},
	} {
		w := newWorld(t)
		w.refuses(row.class, row.bad)
		res, err := w.loop.Run(t.Context(), request(member("a", astray), member("b")))
		if fault.Of(err) != row.class || len(res.Findings) > 0 {
			t.Errorf("%s: %v, findings %+v", row.why, err, res.Findings)
		}
	}
}

// TestRefusalOfWhatWasNeverDone: what was never applied whole is no good state. A member that writes a mistake while AWS has yet to take what
// it wrote before is served by what served then, when AWS refuses that.
func TestRefusalOfWhatWasNeverDone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.aws.fail = func(c plan.Change) error {
		if toGone(c) {
			return errors.New("no answer")
		}
		return nil
	}
	if _, err := w.loop.Run(w.Context(), request(member("a", astray), member("b"))); err == nil {
		t.Fatal("the call did not fail")
	}
	w.restart()
	w.refuses(fault.Invalid, toGone)
	req := wrong(request(member("a", badPath), member("b", elsewhere("new.example.com"))), "spec.rules[0]")
	w.settle(req)
	if diff := cmp.Diff([]string{serveA, "new.example.com shop/b-svc:80"}, w.answers()); diff != "" {
		t.Errorf("invariant 3: %s", diff)
	}
	if diff := cmp.Diff([]string{"Ingress/shop/a", "Ingress/shop/b"}, w.stored()); diff != "" {
		t.Errorf("invariant 3: what is known to be good: %s", diff)
	}
}
