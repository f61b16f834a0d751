package takeover

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"k8s.io/client-go/rest"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// meter notes what the operator writes in the cluster, but for events and its lease, and how it changes rules.
type meter struct {
	mu     sync.Mutex
	writes []string
	rules  []url.Values
}

// changes are the calls that change rules.
func (m *meter) changes() []url.Values {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.rules)
}

// RoundTrip carries an AWS call.
func (m *meter) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.Body != nil {
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return nil, err
		}
		req.Body = io.NopCloser(bytes.NewReader(body))
		if form, err := url.ParseQuery(string(body)); err == nil && form.Get("Action") == "ModifyRule" {
			m.mu.Lock()
			m.rules = append(m.rules, form)
			m.mu.Unlock()
		}
	}
	return http.DefaultTransport.RoundTrip(req)
}

// on has the requests to an API server noted.
func (m *meter) on(config *rest.Config) *rest.Config {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		return roundTripper(func(req *http.Request) (*http.Response, error) {
			m.note(req)
			return next.RoundTrip(req)
		})
	})
	return config
}

func (m *meter) note(req *http.Request) {
	if req.Method == http.MethodGet || strings.Contains(req.URL.Path, "/events") || strings.Contains(req.URL.Path, "/leases") {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.writes = append(m.writes, req.Method+" "+req.URL.Path)
}

// others are the writes to what is not the operator's own, but for patches of bindings, where it notes its checkpoint, and the statuses of
// Gateways and routes, which have words of their own from each operator. A GatewayClass is shared by the operators of all cases, and each sees
// the Gateways of its namespace only.
func (m *meter) others() []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(m.writes), func(w string) bool {
		return strings.Contains(w, " /apis/headgate.dev/") || strings.Contains(w, "/gatewayclasses/") ||
			strings.Contains(w, "/gateway.networking.k8s.io/") && strings.HasSuffix(w, "/status") ||
			strings.HasPrefix(w, "PATCH ") && strings.Contains(w, "/targetgroupbindings/")
	})
}

var errCut = errors.New("connection reset: the operator was killed here")

// blade kills the operator after so many requests, to AWS or writes to the API server: from then on nothing that it sends arrives.
type blade struct {
	left atomic.Int64
	fell chan struct{}
}

func newBlade(after int) *blade {
	b := &blade{fell: make(chan struct{})}
	b.left.Store(int64(after))
	return b
}

// cut puts the blade into the way of requests.
func (b *blade) cut(next http.RoundTripper, counts func(*http.Request) bool) http.RoundTripper {
	return roundTripper(func(req *http.Request) (*http.Response, error) {
		if !counts(req) {
			return next.RoundTrip(req)
		}
		switch left := b.left.Add(-1); {
		case left == -1:
			close(b.fell)
			return nil, errCut
		case left < 0:
			return nil, errCut
		}
		return next.RoundTrip(req)
	})
}

func every(*http.Request) bool { return true }

func writing(req *http.Request) bool { return req.Method != http.MethodGet }
