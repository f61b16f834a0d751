package stack_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

const moveHold = 2 * time.Minute

// newGroup is the stack to which member a moves.
func newGroup() model.Owner {
	out := owner()
	out.Stack = "new"
	return out
}

// parting asks for a stack that a left, of whom some addresses are shown.
func parting(published ...string) stack.Request {
	req := request(member("b"))
	req.Moving = []stack.Move{{Member: ref("a"), Other: newGroup(), Published: published}}
	return req
}

// joining asks for the stack that a goes to.
func joining(published ...string) stack.Request {
	req := request(member("a"))
	req.Intent.Owner, req.Intent.Group = newGroup(), "new"
	req.Arriving = []stack.Move{{Member: ref("a"), Other: owner(), Published: published}}
	return req
}

// stays checks whether a is served by the stack that it leaves.
func (w *world) stays(why string, want bool) {
	w.Helper()
	if got := slices.Contains(w.answers(), "a.example.com shop/a-svc:80"); got != want {
		w.Errorf("%s: a is served where it was: %v, want %v (%v)", why, got, want, w.answers())
	}
}

// TestWhoMovesStaysUntilItsTargetsAreHealthy: as many as serve it where it was, and not for ever.
func TestWhoMovesStaysUntilItsTargetsAreHealthy(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why string
		// old and new are the states of targets, want is how many there shall be.
		old, new []string
		want     int
		arrives  bool
	}{
		{"all that shall be there", []string{"healthy", "healthy"}, []string{"healthy", "healthy"}, 2, true},
		{"as many as serve now", []string{"healthy", "unhealthy"}, []string{"healthy", "initial"}, 2, true},
		{"fewer than serve now", []string{"healthy", "healthy"}, []string{"healthy", "initial"}, 2, false},
		{"none serves now", []string{"unhealthy"}, []string{"initial"}, 1, true},
		{"nobody looked at those that serve now", nil, []string{"healthy", "initial"}, 2, false},
		{"none shall be there, and none is", []string{}, nil, 0, true},
		{"none has an address yet", []string{"healthy"}, nil, 0, false},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(request(member("a"), member("b")))
			if row.old != nil {
				w.targets("shop/a-svc:80", len(row.old), row.old...)
			}
			w.quiet("nobody looked at the other stack", func() {
				if res := w.run(parting()); len(res.Remaining) != 0 || res.RequeueAfter > time.Minute || !told(res, "MovingAway") {
					t.Errorf("%+v: it is not known which address a shall show, and it is looked at again soon", res)
				}
			})
			if res := w.run(joining()); len(res.Coming) != 1 {
				t.Error("its targets were not looked at")
			}
			w.targetsOf(newGroup(), "shop/a-svc:80", row.want, row.new...)
			if res := w.run(joining()); (len(res.Coming) == 0) != row.arrives {
				t.Errorf("still to come %v, want that it arrives: %v", res.Coming, row.arrives)
			}
			if !row.arrives {
				if res := w.run(parting()); len(res.Remaining) != 1 || !told(res, "healthy") {
					t.Errorf("remaining %v, told %v: want a there, and why", res.Remaining, res.Findings)
				}
				w.now = w.now.Add(5 * time.Minute)
				if res := w.run(joining()); len(res.Coming) != 0 {
					t.Error("what does not become healthy is waited for without an end")
				}
			}
			w.leaves()
		})
	}
}

// told tells whether something is told of a with a text.
func told(res stack.Result, text string) bool {
	return slices.ContainsFunc(res.Findings, func(f model.Finding) bool { return f.Object.Same(ref("a")) && strings.Contains(f.String(), text) })
}

// leaves checks that a, who is served by the other stack, leaves this one when clients know that, and not before.
func (w *world) leaves() {
	w.Helper()
	if res := w.run(parting()); len(res.Remaining) != 0 || told(res, outcome.ReasonMoving) || res.RequeueAfter > moveHold {
		w.Errorf("%+v: the address is the other stack's now", res)
	}
	w.now = w.now.Add(moveHold - time.Second)
	w.run(parting())
	w.stays("clients know the old address", true)
	w.now = w.now.Add(2 * time.Second)
	if res := w.settle(parting()); len(res.Free) != 1 || !res.Free[0].Same(ref("a")) {
		w.Errorf("free is %v, want a", res.Free)
	}
	w.stays("in the end", false)
	w.quiet("in the end", func() { w.run(parting()) })
}

// TestWhoMovesStaysWhileTheOtherStackDoesNotServeIt: whatever keeps it from that.
func TestWhoMovesStaysWhileTheOtherStackDoesNotServeIt(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why   string
		join  func() stack.Request
		upset func(*account)
		told  string
	}{
		{"it is wrong there", func() stack.Request { return wrong(joining(), "spec") }, nil, "spec: is not right"},
		{"its access is closed there", func() stack.Request {
			req := joining()
			req.Findings = []model.Finding{{Object: ref("a"), Severity: model.Closed, Reason: "R", Field: "f", Message: "m"}}
			return req
		}, nil, "wrong"},
		{"the load balancer comes up", func() stack.Request { return joining() }, func(a *account) { a.slow = true }, "not active"},
		{"its rule is refused", func() stack.Request { return joining() }, func(a *account) {
			a.fail = func(c plan.Change) error {
				if c.Op == plan.CreateRule {
					return errors.New("AWS is out of order")
				}
				return nil
			}
		}, "not all of its "},
		{"the plan waits for approval", func() stack.Request {
			req := joining()
			req.Policy.Changes = stack.Approve
			return req
		}, nil, "waits for approval"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.settle(request(member("a"), member("b")))
			if row.upset != nil {
				row.upset(w.aws)
			}
			for range 4 {
				res, _ := w.loop.Run(t.Context(), row.join()) // what fails is told by others
				if len(res.Coming) != 1 {
					t.Fatalf("it is served there: %+v", res)
				}
				w.targetsOf(newGroup(), "shop/a-svc:80", 0)
				w.quiet("it stays", func() {
					if res := w.run(parting()); len(res.Remaining) != 1 || !told(res, row.told) {
						t.Errorf("remaining %v, told %v, want %q", res.Remaining, res.Findings, row.told)
					}
				})
				w.now = w.now.Add(5 * time.Second)
			}
			w.stays("in the end", true)
		})
	}
}

// TestMovesOutliveARestart: who was served by the other stack shows its address, and who began to leave is not made anew.
func TestMovesOutliveARestart(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.run(parting())
	w.run(joining())
	w.targetsOf(newGroup(), "shop/a-svc:80", 0)
	address := w.run(joining()).LoadBalancer.DNSName
	w.restart()
	w.quiet("the other stack was not looked at since", func() { w.run(parting(address)) })
	if res := w.run(joining(address)); len(res.Coming) != 0 {
		t.Error("its address is shown: it was served")
	}
	w.run(parting(address))
	w.now = w.now.Add(moveHold + time.Second)
	w.aws.fail = func(c plan.Change) error {
		if c.Op == plan.DeleteTargetGroup {
			return errors.New("AWS is out of order")
		}
		return nil
	}
	if _, err := w.loop.Run(t.Context(), parting(address)); err == nil {
		t.Fatal("nothing failed")
	}
	w.stays("its rule is gone", false)
	w.aws.fail = nil
	w.restart()
	w.run(parting(address))
	w.stays("after a restart", false)
	w.settle(request(member("b"), member("a")))
	w.stays("it came back", true)
	w.settle(parting())
	w.stays("and goes anew", true)
}

// TestWhoMovesLeavesWhatIsNotPermitted: of what was good of it, and at once where nothing is remembered of it.
func TestWhoMovesLeavesWhatIsNotPermitted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	req := parting()
	req.Permit = func(f intent.Fragment) intent.Fragment {
		if f.Member.Same(ref("a")) {
			f.Routes = nil
		}
		return f
	}
	w.run(req)
	w.stays("its host is not its any more", false)
	w.lose()
	w.restart()
	if res := w.settle(parting()); len(res.Free) != 1 {
		t.Errorf("free is %v, want a, of whom nothing is remembered", res.Free)
	}
}
