package wire

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"testing"
	"time"

	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// register is a lock that takes what is written, unless it is down.
type register struct {
	resourcelock.Interface

	down  bool
	while func()
}

func (r *register) Identity() string { return "me" }

func (r *register) Update(context.Context, resourcelock.LeaderElectionRecord) error {
	if r.while != nil {
		r.while()
	}
	if r.down {
		return errors.New("the API server is away")
	}
	return nil
}

func TestTermFollowsTheLease(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	of := &term{now: func() time.Time { return now }}
	api := &register{}
	lock := lease{Interface: api, term: of}
	renew := func(holder string) {
		_ = lock.Update(t.Context(), resourcelock.LeaderElectionRecord{HolderIdentity: holder})
	}
	if _, _, bounded := of.left(); bounded {
		t.Error("who does not lead yet is bound by nothing: it only reads")
	}
	look := func(why string, begin, last time.Duration) {
		t.Helper()
		if b, l, bounded := of.left(); !bounded || b != begin || l != last {
			t.Errorf("%s: calls begin for %s and last %s, want %s and %s", why, b, l, begin, last)
		}
	}
	api.while = func() { now = now.Add(time.Second) }
	renew("me")
	look("counted from before the write: others may have seen it at once", 9*time.Second, 13*time.Second)
	now = now.Add(3 * time.Second)
	api.down = true
	renew("me")
	look("a renewal that fails renews nothing", 5*time.Second, 9*time.Second)
	now = now.Add(5 * time.Second)
	if begin, last, _ := of.left(); begin > 0 || last <= 0 || last >= leaseTime-renewDeadline {
		t.Errorf("after the renew deadline calls begin for %s; those that run have %s", begin, last)
	}
	api.down = false
	renew("me")
	look("renewed", 9*time.Second, 13*time.Second)
	renew("")
	if begin, last, bounded := of.left(); !bounded || begin > 0 || last > 0 {
		t.Errorf("who gave the lease back begins no call: %s, %s", begin, last)
	}
}

type passed struct {
	count int
	err   error
	last  *http.Request
}

func (p *passed) RoundTrip(r *http.Request) (*http.Response, error) {
	p.count++
	p.last = r
	if p.err != nil {
		return nil, p.err
	}
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

func TestWhoLedBeforeWritesNothing(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	of := &term{now: func() time.Time { return now }}
	api := &passed{}
	try := func(why, method string, goes bool) {
		t.Helper()
		request, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		before := api.count
		answer, err := of.guard(api).RoundTrip(request)
		if err == nil {
			_ = answer.Body.Close()
		}
		if went := err == nil && api.count == before+1; went != goes {
			t.Errorf("%s: %s goes: %v (%v), want %v", why, method, went, err, goes)
		}
	}
	try("who does not lead keeps the webhook's certificate all the same", http.MethodPatch, true)
	of.took(true, now)
	try("who leads writes", http.MethodPatch, true)
	now = now.Add(renewDeadline)
	try("the lease was not renewed", http.MethodPatch, false)
	try("the lease was not renewed", http.MethodGet, true)
	api.err = io.EOF
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1/", nil)
	if err != nil {
		t.Fatal(err)
	}
	// client-go tries again what ended so, and compares the error as it is (apimachinery, IsProbableEOF).
	answer, err := of.guard(api).RoundTrip(request)
	if err == nil {
		_ = answer.Body.Close()
	}
	if !utilnet.IsProbableEOF(&url.Error{Op: "Get", URL: "http://127.0.0.1/", Err: err}) {
		t.Errorf("an error of the connection became %v", err)
	}
}

// TestAWriteEndsBeforeTheLease: one that hangs is given up before somebody else may lead, and would take effect over what that one writes. Watches
// are for long.
func TestAWriteEndsBeforeTheLease(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	of, api := &term{now: func() time.Time { return now }}, &passed{}
	send := func(method string) (end time.Time, during, after error) {
		request, err := http.NewRequestWithContext(t.Context(), method, "http://127.0.0.1/", nil)
		if err != nil {
			t.Fatal(err)
		}
		answer, err := of.guard(api).RoundTrip(request)
		if err != nil {
			t.Fatal(err)
		}
		ctx := api.last.Context()
		end, _ = ctx.Deadline()
		during = ctx.Err()
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
		return end, during, ctx.Err()
	}
	of.took(true, now)
	now = now.Add(renewDeadline - time.Second)
	end, during, after := send(http.MethodPut)
	if left := time.Until(end); left <= 0 || left > leaseTime-leaseMargin-(renewDeadline-time.Second) {
		t.Errorf("a write that begins %s after the renewal may last %s", renewDeadline-time.Second, left)
	}
	if during != nil || after == nil {
		t.Errorf("its answer can be read: %v; when it was read its time is over: %v", during, after)
	}
	if end, _, _ := send(http.MethodGet); !end.IsZero() {
		t.Error("a watch ends with the lease")
	}
}
