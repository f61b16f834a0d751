package targets

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/client-go/util/workqueue"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/headgate/headgate/model"
)

// slow is an account whose registrations are not answered until they may be.
type slow struct {
	*account

	asked, may chan struct{}
}

func (s slow) Register(ctx context.Context, group model.ARN, targets []model.Target) error {
	s.asked <- struct{}{}
	<-s.may
	return s.account.Register(ctx, group, targets)
}

// registering is a world with two targets in which the registration of a third is not answered until the function is called, which
// gives the calls.
func registering(t *testing.T) (*world, func() []string) {
	t.Helper()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1", "10.0.0.2")
	w.reconcile("web")
	aws := slow{w.aws, make(chan struct{}, 1), make(chan struct{})}
	w.lane.use(groupARN, aws)
	w.home = aws
	w.aws.calls = nil
	w.endpoints("10.0.0.1", "10.0.0.2", "10.0.0.3")
	failed := make(chan error, 1)
	go func() {
		_, err := w.Reconcile(t.Context(), reconcile.Request{NamespacedName: clientKey("web")})
		failed <- err
	}()
	<-aws.asked
	return w, func() []string {
		t.Helper()
		close(aws.may)
		if err := <-failed; err != nil {
			t.Fatal(err)
		}
		return w.aws.calls
	}
}

func (w *world) dismissed() error {
	w.Helper()
	_, err := w.dismiss(w.Context(), reconcile.Request{NamespacedName: clientKey("web")})
	return err
}

func TestTerminatingTargetsDoNotWaitForRegistrations(t *testing.T) {
	t.Parallel()
	w, finish := registering(t)
	w.endpoints("10.0.0.1", "10.0.0.2 terminating", "10.0.0.3")
	for range 2 {
		if err := w.dismissed(); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"10.0.0.1:8080"}, w.aws.registered()); diff != "" {
		t.Errorf("while a registration waits: %s", diff)
	}
	if diff := cmp.Diff([]string{"deregister", "register"}, finish()); diff != "" {
		t.Error(diff)
	}
	if _, calls := w.reconcile("web"); len(calls) > 0 {
		t.Errorf("all is done, and there were %v", calls)
	}
	if diff := cmp.Diff([]string{"10.0.0.1:8080", "10.0.0.3:8080"}, w.aws.registered()); diff != "" {
		t.Error(diff)
	}
}

// TestTheLastThatServesIsNotDismissed: what comes instead is not registered yet.
func TestTheLastThatServesIsNotDismissed(t *testing.T) {
	t.Parallel()
	w, finish := registering(t)
	w.endpoints("10.0.0.1 terminating", "10.0.0.2 terminating", "10.0.0.3")
	if err := w.dismissed(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"register"}, finish()); diff != "" {
		t.Error(diff)
	}
}

// TestDismissalThatFails is tried again, and both do not ask for the same.
func TestDismissalThatFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	w.endpoints("10.0.0.1", "10.0.0.2")
	w.reconcile("web")
	w.endpoints("10.0.0.1", "10.0.0.2 terminating")
	w.aws.fail = func(call string) error {
		if call != "deregister" {
			return nil
		}
		if quiet := w.lane.quiet(groupARN); quiet {
			t.Error("a target that is being deregistered is not known to be")
		}
		if err := w.lane.apply(t.Context(), groupARN, change{deregister: []model.Target{{ID: "10.0.0.2", Port: 8080}}}); err != nil {
			t.Errorf("what another one deregisters: %v", err)
		}
		return errors.New("no answer")
	}
	if err := w.dismissed(); err == nil {
		t.Error("nobody hears that it failed")
	}
	w.aws.fail, w.aws.calls = nil, nil
	if err := w.dismissed(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"deregister"}, w.aws.calls); diff != "" {
		t.Error(diff)
	}
	if !w.lane.quiet(groupARN) {
		t.Error("a claim is left")
	}
}

func TestWhatTerminatesIsHeardOf(t *testing.T) {
	t.Parallel()
	w := newWorld(t, service(), binding("web"))
	for _, row := range []struct {
		why string
		all []string
		ask bool
	}{
		{"nothing terminates", []string{"10.0.0.1", "10.0.0.2 unready"}, false},
		{"one terminates", []string{"10.0.0.1", "10.0.0.2 terminating"}, true},
		{"one does not serve any more", []string{"10.0.0.1", "10.0.0.2 gone"}, true},
	} {
		s := slice("web", row.all...)
		for _, tell := range []func(q *asked){
			func(q *asked) { w.onTermination().Create(t.Context(), event.CreateEvent{Object: s}, q) },
			func(q *asked) {
				w.onTermination().Update(t.Context(), event.UpdateEvent{ObjectOld: &discoveryv1.EndpointSlice{}, ObjectNew: s}, q)
			},
		} {
			var q asked
			if tell(&q); slices.Contains(names(q.all), "shop/web") != row.ask {
				t.Errorf("%s: asked for %v", row.why, names(q.all))
			}
		}
	}
}

// asked is a queue that only keeps what is asked for.
type asked struct {
	workqueue.TypedRateLimitingInterface[reconcile.Request]

	all []reconcile.Request
}

func (a *asked) AddAfter(req reconcile.Request, _ time.Duration) { a.all = append(a.all, req) }
