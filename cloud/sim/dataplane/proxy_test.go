package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

func TestTargetFailures(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why    string
		target func(*testing.T) string
		idle   string
		want   int
	}{
		{"nobody listens", func(t *testing.T) string { t.Helper(); return fmt.Sprintf("127.0.0.1:%d", freePort(t)) }, "60", http.StatusBadGateway},
		{"not a loopback address", func(*testing.T) string { return "192.0.2.1:80" }, "60", http.StatusBadGateway},
		{"the connection is closed instead of an answer", func(t *testing.T) string {
			t.Helper()
			return newBackend(t, "", func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }).address
		}, "60", http.StatusBadGateway},
		{"the answer is no HTTP", func(t *testing.T) string { t.Helper(); return rawBackend(t, "HELLO\r\n") }, "60", http.StatusBadGateway},
		{"headers of more than 32 KB", func(t *testing.T) string {
			t.Helper()
			return newBackend(t, "", func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("X", strings.Repeat("x", 40<<10)) }).address
		}, "60", http.StatusBadGateway},
		{"no answer before the idle timeout", func(t *testing.T) string {
			t.Helper()
			return newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }).address
		}, "1", http.StatusGatewayTimeout},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.config.LoadBalancers[0].Attributes["idle_timeout.timeout_seconds"] = row.idle
			w.group(groupARN, nil, row.target(t))
			at := w.listen("HTTP", always(forwardTo(groupARN)))
			got := get(t, "http://"+at)
			if got.StatusCode != row.want || got.Header.Get("Server") != serverName {
				t.Errorf("status %d of %q, want %d of ours", got.StatusCode, got.Header.Get("Server"), row.want)
			}
		})
	}
}

func TestAResponseThatBreaksOffDoesNotLookWhole(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		if err := http.NewResponseController(w).Flush(); err != nil {
			panic(err)
		}
		panic(http.ErrAbortHandler)
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBody(res.Body)
	if _, err := res.Body.Read(make([]byte, 4)); err != nil {
		t.Fatal(err)
	}
	if _, err := res.Body.Read(make([]byte, 4)); err == nil || err.Error() == "EOF" {
		t.Errorf("the end of the body is %v, want an error", err)
	}
}

// inFlight is a world with a request that its target never answers, where it was sent, and what comes of it.
func inFlight(t *testing.T) (w *world, at string, status <-chan int) {
	t.Helper()
	w = newWorld(t, Options{})
	asked, came := make(chan struct{}), make(chan int)
	b := newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
	})
	w.group(groupARN, nil, b.address)
	at = w.listen("HTTP", always(forwardTo(groupARN)))
	go func() { came <- get(t, "http://"+at).StatusCode }()
	<-asked
	return w, at, came
}

func TestInFlightRequestsEndWithTheDeregistrationDelay(t *testing.T) {
	t.Parallel()
	w, at, status := inFlight(t)
	w.config.TargetGroups[groupARN].Targets[0].Draining = true
	w.apply()
	if got := get(t, "http://"+at).StatusCode; got != http.StatusServiceUnavailable {
		t.Errorf("a group that only drains answers %d", got)
	}
	select {
	case got := <-status:
		t.Fatalf("the request in flight ended with %d while draining", got)
	default:
	}
	w.group(groupARN, nil)
	w.apply()
	if got := <-status; got != http.StatusBadGateway {
		t.Errorf("the request in flight ended with %d", got)
	}
}

func TestInFlightRequestsEndWithTheirTargetGroup(t *testing.T) {
	t.Parallel()
	w, _, status := inFlight(t)
	delete(w.config.TargetGroups, groupARN)
	w.apply()
	if got := <-status; got != http.StatusBadGateway {
		t.Errorf("the request in flight ended with %d", got)
	}
}

func TestAClientThatLeavesCancelsTheTarget(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	asked, left := make(chan struct{}), make(chan struct{})
	b := newBackend(t, "", func(_ http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		close(left)
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	ctx, cancel := context.WithCancel(t.Context())
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		<-asked
		cancel()
	}()
	if err := try(client(t), r); !errors.Is(err, context.Canceled) {
		t.Errorf("the client got %v", err)
	}
	<-left
}
