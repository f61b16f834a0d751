package crash

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/rest"

	"github.com/headgate/headgate/test/rig"
)

// moment is when a call is cut.
type moment int

const (
	before moment = iota
	after
)

func (m moment) String() string { return [...]string{"before", "after"}[m] }

var errCut = errors.New("connection reset: the operator was killed here")

// reaper knows the calls at which the operator of a run is killed. It counts those of a phase over all of the operator's lives.
type reaper struct {
	mu   sync.Mutex
	seen map[string]int
	// next are the points of the phase that are still to come.
	next []point
}

// begin starts a phase. It returns how many points of the one before did not come.
func (r *reaper) begin(next []point) (missed int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	missed = len(r.next)
	r.seen, r.next = map[string]int{}, slices.Clone(next)
	return missed
}

// waits tells whether there are points to come.
func (r *reaper) waits() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return len(r.next) > 0
}

// takes counts a call, and tells whether the operator dies of it, and when.
func (r *reaper) takes(action string) (moment, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.seen[action]++
	if isWrite(action) {
		r.seen[anyWrite]++
	}
	for i, p := range r.next {
		// What is begun again after a cut varies: who comes later is as good.
		if p.counts(action) && r.seen[p.action] >= p.at {
			r.next = slices.Delete(r.next, i, i+1)
			return p.when, true
		}
	}
	return before, false
}

// life is one of the operator's: after its end nothing that it sends arrives, at AWS or at the API server.
type life struct {
	*reaper

	dead atomic.Bool
	fell chan struct{}
}

func newLife(r *reaper) *life { return &life{reaper: r, fell: make(chan struct{})} }

// carry lets a call through, or ends the life at it.
func (l *life) carry(action string, call func() (*http.Response, error)) (*http.Response, error) {
	if l.dead.Load() {
		return nil, errCut
	}
	when, ends := l.takes(action)
	if !ends || !l.dead.CompareAndSwap(false, true) {
		return call()
	}
	if when == after {
		if resp, err := call(); err == nil {
			_ = resp.Body.Close()
		}
	}
	close(l.fell)
	return nil, errCut
}

// RoundTrip carries an AWS call.
func (l *life) RoundTrip(req *http.Request) (*http.Response, error) {
	action, err := rig.Action(req)
	if err != nil {
		return nil, err
	}
	return l.carry(action, func() (*http.Response, error) { return http.DefaultTransport.RoundTrip(req) })
}

// severed carries calls to the API server. Reads and watches go on: they do nothing.
func (l *life) severed(config *rest.Config) *rest.Config {
	return wrapped(config, func(next http.RoundTripper) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			if req.Method == http.MethodGet {
				return next.RoundTrip(req)
			}
			return l.carry(writeOf(req), func() (*http.Response, error) { return next.RoundTrip(req) })
		}
	})
}

// inTheCluster tells whether an action is a write in the cluster: it has two words.
func inTheCluster(action string) bool { return strings.Contains(action, " ") }

// isWrite tells whether an AWS call writes.
func isWrite(action string) bool {
	return action != "" && !inTheCluster(action) && rig.IsWrite(action)
}

// counter counts what an operator does that nothing disturbs.
type counter struct {
	mu    sync.Mutex
	calls map[string]int
}

func (c *counter) count(action string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.calls[action]++
}

// take gives what was counted, and begins anew.
func (c *counter) take() map[string]int {
	c.mu.Lock()
	defer c.mu.Unlock()
	out := c.calls
	c.calls = map[string]int{}
	return out
}

// RoundTrip counts an AWS call.
func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	action, err := rig.Action(req)
	if err != nil {
		return nil, err
	}
	c.count(action)
	return http.DefaultTransport.RoundTrip(req)
}

// counting counts what is written in the cluster.
func (c *counter) counting(config *rest.Config) *rest.Config {
	return wrapped(config, func(next http.RoundTripper) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			if write := writeOf(req); write != "" {
				c.count(write)
			}
			return next.RoundTrip(req)
		}
	})
}
