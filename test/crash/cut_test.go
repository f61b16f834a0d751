package crash

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

// moment is when a call is cut.
type moment int

const (
	before moment = iota
	after
)

func (m moment) String() string { return [...]string{"before", "after"}[m] }

var errCut = errors.New("connection reset: the operator was killed here")

// guillotine kills the operator at one call: from then on nothing that it sends arrives, to AWS or to the API server.
type guillotine struct {
	// counts tells which calls count.
	counts func(action string) bool
	// at is the number of the call, from 1.
	at   int
	when moment

	mu   sync.Mutex
	seen int
	dead atomic.Bool
	fell chan struct{}
}

func newGuillotine(counts func(string) bool, at int, when moment) *guillotine {
	return &guillotine{counts: counts, at: at, when: when, fell: make(chan struct{})}
}

// RoundTrip carries an AWS call.
func (g *guillotine) RoundTrip(req *http.Request) (*http.Response, error) {
	if g.dead.Load() {
		return nil, errCut
	}
	action, err := actionOf(req)
	if err != nil {
		return nil, err
	}
	if !g.falls(action) {
		return http.DefaultTransport.RoundTrip(req)
	}
	if g.when == after {
		resp, err := http.DefaultTransport.RoundTrip(req)
		if err == nil {
			_ = resp.Body.Close()
		}
	}
	close(g.fell)
	return nil, errCut
}

// falls tells whether this is the call, and kills from here on.
func (g *guillotine) falls(action string) bool {
	if !g.counts(action) {
		return false
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.seen++
	if g.seen != g.at {
		return false
	}
	g.dead.Store(true)
	return true
}

// severed lets nothing through to the API server after the operator's death.
func (g *guillotine) severed(config *rest.Config) *rest.Config {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			if g.dead.Load() && req.Method != http.MethodGet {
				return nil, errCut
			}
			return next.RoundTrip(req)
		})
	})
	return config
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// actionOf is the API action of a call: of the Query protocols in the body, of the JSON protocols in a header.
func actionOf(req *http.Request) (string, error) {
	if target := req.Header.Get("X-Amz-Target"); target != "" {
		return target[strings.LastIndex(target, ".")+1:], nil
	}
	if req.Body == nil {
		return "", nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return "", err
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return "", err
	}
	return form.Get("Action"), nil
}

func isWrite(action string) bool {
	return action != "" && !strings.HasPrefix(action, "Describe") && !strings.HasPrefix(action, "List") && !strings.HasPrefix(action, "Get")
}

// counter counts the calls of an undisturbed run, by action.
type counter struct {
	mu    sync.Mutex
	calls map[string]int
}

func (c *counter) RoundTrip(req *http.Request) (*http.Response, error) {
	action, err := actionOf(req)
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	c.calls[action]++
	c.mu.Unlock()
	return http.DefaultTransport.RoundTrip(req)
}
