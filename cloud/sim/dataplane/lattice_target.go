package dataplane

import (
	"context"
	"fmt"
	"net"
	"net/http"
)

// LatticeGroup says what a target group of VPC Lattice has that others have not. Only targets that are well get requests of it: it does not
// fail open.
type LatticeGroup struct {
	// CheckVersion is the protocol version of its health check, HTTP1 or HTTP2, which need not be that of its targets.
	CheckVersion string
}

// Seat is a target that was chosen for one request or connection.
type Seat struct {
	group    *group
	settings *groupSettings
	target   *target
}

// Choose gives each of the targets of a group in turn that take requests now. It reports false if there is none.
func (s *Server) Choose(targetGroupARN string) (*Seat, bool) {
	g := s.current.Load().groups[targetGroupARN]
	if g == nil {
		return nil, false
	}
	settings := g.settings.Load()
	t := g.pick(g.pools.Load().all, settings)
	if t == nil || !t.address.IsValid() {
		return nil, false
	}
	return &Seat{g, settings, t}, true
}

// Take counts a request in. Its context ends when the target has drained and is taken away. The caller calls the function when it is over.
func (t *Seat) Take(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	key := new(byte)
	t.target.outstanding.Add(1)
	t.target.calls.add(key, cancel)
	return ctx, func() {
		t.target.calls.remove(key)
		t.target.outstanding.Add(-1)
		cancel(nil)
	}
}

// RoundTrip sends a request to the target, whatever host its URL names, with the path and query that came in.
func (t *Seat) RoundTrip(r *http.Request) (*http.Response, error) {
	path, query := splitTarget(r)
	out := r.Clone(r.Context())
	out.URL = targetURL(t.settings.scheme, t.target.address, path, query)
	out.URL.ForceQuery = r.URL.ForceQuery && query == ""
	response, err := t.group.transport.RoundTrip(out)
	if err != nil {
		return nil, fmt.Errorf("target %s of %s: %w", t.target.key, t.group.arn, err)
	}
	return response, nil
}

// Dial opens a connection to the target.
func (t *Seat) Dial(ctx context.Context) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, t.group.server.atLeast(connectTimeout, connectFloor))
	defer cancel()
	return t.group.server.reach(ctx, "tcp", t.target.address)
}
