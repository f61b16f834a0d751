package targets

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

// tries has the network bring the rules in line, and gives the bindings that are to be looked at for it.
func (w *world) tries(times int) []string {
	w.Helper()
	ctx, cancel := context.WithCancel(w.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range times {
			w.network.step(ctx)
		}
	}()
	defer cancel()
	var out []string
	for {
		select {
		case e := <-w.network.news:
			out = append(out, e.Object.GetName())
		case <-ended:
			slices.Sort(out)
			return out
		}
	}
}

func TestRightThatIsMissingForTheNetworkIsTold(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", admits))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.aws.fail = func(call string) error {
		if call == string(plan.AuthorizeIngress) {
			return &fault.Error{Class: fault.Denied, Code: "UnauthorizedOperation", Action: "ec2:AuthorizeSecurityGroupIngress", Err: errors.New("no")}
		}
		return nil
	}
	if got := w.tries(1); len(got) > 0 {
		t.Errorf("what may pass by itself is told: %v", got)
	}
	if got := w.tries(2); !slices.Equal(got, []string{"web"}) {
		t.Errorf("the binding is looked at once, not %v", got)
	}
	for range 2 {
		w.reconcile("web")
	}
	const right = "ec2:AuthorizeSecurityGroupIngress"
	if len(w.notes.all) != 1 || !strings.HasPrefix(w.notes.all[0], "FailedNetworkReconcile: ") || !strings.Contains(w.notes.all[0], right) {
		t.Errorf("invariant 8: the missing right is not named, once: %v", w.notes.all)
	}
	if got, _ := w.ready("web"); !strings.HasPrefix(got, "False FailedNetworkReconcile: ") || !strings.Contains(got, right) {
		t.Errorf("invariant 8: the condition says %q", got)
	}
	if got := w.aws.registered(); len(got) != 1 || w.binding("web").Status.ObservedGeneration == nil {
		t.Errorf("its targets are registered all the same: %v", got)
	}
	w.aws.fail = nil
	if got := w.tries(2); !slices.Equal(got, []string{"web"}) {
		t.Errorf("the binding is looked at when the error is over, not %v", got)
	}
	w.reconcile("web")
	if got, _ := w.ready("web"); !strings.HasPrefix(got, "True ") {
		t.Errorf("the error is over, and the condition says %q", got)
	}
}

func TestAddressWithoutAGroupIsToldOfInTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", admits))
	w.aws.hidden = "10.0.0.1"
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	if got := w.tries(3); len(got) > 0 {
		t.Errorf("an address that may be new is told of: %v", got)
	}
	w.now = w.now.Add(10 * time.Minute)
	if got := w.tries(1); !slices.Equal(got, []string{"web"}) {
		t.Errorf("the binding is looked at, not %v", got)
	}
	w.reconcile("web")
	if got, _ := w.ready("web"); !strings.Contains(got, "10.0.0.1") || !strings.Contains(got, "tag exactly one of them") {
		t.Errorf("invariant 8: the condition says %q", got)
	}
	w.remove("web")
	if got := w.tries(1); len(got) > 0 {
		t.Errorf("a binding that is gone is looked at: %v", got)
	}
}

func TestReconcileThatChangesNothingLeavesTheNetworkAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", admits))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	<-w.network.kick
	w.reconcile("web")
	select {
	case <-w.network.kick:
		t.Error("each look at the health tries the rules again, past the time between two tries")
	default:
	}
}

func TestNetworkIsVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web", admits))
	w.endpoints("10.0.0.1")
	w.reconcile("web")
	w.network.pace.Verify = time.Millisecond
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error)
	go func() { ended <- w.network.Start(ctx) }()
	// The account of these tests never shows a rule that was made, so each comparison makes it again.
	for authorised := 0; authorised < 3; time.Sleep(time.Millisecond) {
		w.aws.mu.Lock()
		authorised = len(w.aws.calls) - 2
		w.aws.mu.Unlock()
	}
	cancel()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
}
