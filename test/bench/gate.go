package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/headgate/headgate/test/policy"
)

var errNoFigure = errors.New("no figure")

// profile is what stands between the operator and AWS.
type profile struct {
	name string
	// read and write are what a call takes longer.
	read, write time.Duration
	// throttled puts token buckets before the services.
	throttled bool
}

// The profiles of the incumbent's figures.
func plain() profile { return profile{name: "no latency"} }
func awslike() profile {
	return profile{name: "AWS-like", read: 40 * time.Millisecond, write: 150 * time.Millisecond}
}
func throttled() profile {
	p := awslike()
	p.name, p.throttled = "throttled", true
	return p
}

// made is a call that was answered.
type made struct {
	policy.Call

	began, ended time.Time
	refused      bool
	// body of a call that registers or deregisters targets, or makes a rule.
	body string
}

// gate counts calls on their way to AWS, and slows them down.
type gate struct {
	profile profile
	url     string
	server  *http.Server
	buckets map[string]*rate.Limiter

	mu    sync.Mutex
	calls []made
	seen  chan struct{} // closed and replaced with each call
}

// bucketSizes are those of the incumbent's figures.
func bucketSizes() map[string]*rate.Limiter {
	return map[string]*rate.Limiter{
		"elasticloadbalancing read":  rate.NewLimiter(10, 40),
		"elasticloadbalancing write": rate.NewLimiter(5, 20),
		"ec2 read":                   rate.NewLimiter(20, 100),
		"ec2 write":                  rate.NewLimiter(5, 50),
	}
}

// newGate opens a gate to an endpoint.
func newGate(ctx context.Context, p profile, endpoint string) (*gate, error) {
	to, err := url.Parse(endpoint)
	if err != nil {
		return nil, fmt.Errorf("reading the endpoint: %w", err)
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("opening the gate: %w", err)
	}
	g := &gate{profile: p, url: "http://" + listener.Addr().String(), buckets: bucketSizes(), seen: make(chan struct{})}
	const connections = 256
	proxy := httputil.NewSingleHostReverseProxy(to)
	proxy.Transport = &http.Transport{MaxIdleConnsPerHost: connections, DisableCompression: true}
	g.server = &http.Server{Handler: g.through(proxy), ReadHeaderTimeout: time.Minute}
	go func() { _ = g.server.Serve(listener) }() // it ends with Close
	return g, nil
}

func (g *gate) through(proxy http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		began := time.Now()
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		call, err := policy.ReadCall(r, body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		m := made{Call: call, began: began}
		if strings.HasSuffix(call.Action, "registerTargets") || call.Action == "RegisterTargets" || call.Action == "CreateRule" {
			m.body = string(body)
		}
		if g.refuses(call) {
			m.refused = true
			refuse(w, call)
		} else {
			g.delay(r.Context(), call)
			answer := &watched{ResponseWriter: w, status: http.StatusOK}
			proxy.ServeHTTP(answer, r)
			m.refused = answer.status != http.StatusOK
		}
		m.ended = time.Now()
		g.note(m)
	})
}

// watched remembers the status of an answer.
type watched struct {
	http.ResponseWriter

	status int
}

func (w *watched) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

func (g *gate) refuses(call policy.Call) bool {
	if !g.profile.throttled {
		return false
	}
	kind := " read"
	if call.Writes() {
		kind = " write"
	}
	bucket := g.buckets[call.Service+kind]
	return bucket != nil && !bucket.Allow()
}

// refuse answers as AWS does when it is asked too often.
func refuse(w http.ResponseWriter, call policy.Call) {
	if call.Service == "ec2" {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprint(w, `<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors></Response>`)
		return
	}
	w.WriteHeader(http.StatusBadRequest)
	fmt.Fprint(w, `<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error></ErrorResponse>`)
}

func (g *gate) delay(ctx context.Context, call policy.Call) {
	d := g.profile.read
	if call.Writes() {
		d = g.profile.write
	}
	if d == 0 {
		return
	}
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

func (g *gate) note(m made) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.calls = append(g.calls, m)
	close(g.seen)
	g.seen = make(chan struct{})
}

// since gives the calls that began after a moment, and a channel that is closed with the next one.
func (g *gate) since(t time.Time) ([]made, <-chan struct{}) {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []made
	for _, m := range g.calls {
		if m.began.After(t) {
			out = append(out, m)
		}
	}
	return out, g.seen
}

func (g *gate) close() error {
	if err := g.server.Close(); err != nil {
		return fmt.Errorf("closing the gate: %w", err)
	}
	return nil
}

// count sums calls up.
func count(calls []made) (reads, writes, refused int) {
	for _, m := range calls {
		switch {
		case m.Writes():
			writes++
		default:
			reads++
		}
		if m.refused {
			refused++
		}
	}
	return reads, writes, refused
}
