package fabric

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httputil"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/cloud/sim/policy"
)

// connectionKey is where the context of requests holds their connection.
type connectionKey struct{}

func remember(ctx context.Context, c net.Conn) context.Context {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	return context.WithValue(ctx, connectionKey{}, c)
}

// front finds whom a request is for by the configuration of this moment: the service that TLS asked for, or that of the Host.
func (b *socket) front(r *http.Request) *front {
	p := b.server.place(b.at)
	c, ok := r.Context().Value(connectionKey{}).(*conn)
	if p == nil || !ok {
		return nil
	}
	if c.service == "" {
		return named(p.plain, withoutPort(r.Host))
	}
	for _, f := range p.secure {
		if f.service.ARN == c.service {
			return f
		}
	}
	return nil
}

func withoutPort(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

// host is the host that a client asked for, as it would be if the listener were bound at its own port.
func (f *front) host(asked string, bound int) string {
	const plain, secure = 80, 443
	name, ok := strings.CutSuffix(asked, ":"+strconv.Itoa(bound))
	standard := map[string]int{"http": plain, "https": secure}[f.scheme()]
	switch {
	case !ok || bound == f.port:
		return asked
	case f.port == standard:
		return name
	default:
		return name + ":" + strconv.Itoa(f.port)
	}
}

// handle serves one request: whose it is, whether it may, the rule, the action.
func (b *socket) handle(w http.ResponseWriter, r *http.Request) {
	f := b.front(r)
	if f == nil {
		answer(w, http.StatusNotFound, "")
		return
	}
	if r.Method == http.MethodConnect {
		answer(w, http.StatusBadRequest, "")
		return
	}
	r.Host = f.host(r.Host, int(b.at.Port()))
	if refused := f.admits(r); refused != "" {
		answer(w, http.StatusForbidden, refused)
		return
	}
	chosen := f.choose(r)
	switch {
	case chosen == nil:
		answer(w, http.StatusServiceUnavailable, "")
	case chosen.status != 0:
		answer(w, chosen.status, "")
	default:
		b.server.forward(w, r, f, chosen.next())
	}
}

// answer is what the fabric says itself.
func answer(w http.ResponseWriter, status int, text string) {
	h := w.Header()
	h.Set("Content-Length", strconv.Itoa(len(text)))
	h["Content-Type"] = nil
	if text != "" {
		h.Set("Content-Type", "text/plain")
	}
	w.WriteHeader(status)
	_, _ = io.WriteString(w, text) //nolint:gosec // plain text; a client that is gone cannot be told
}

var errIdle = errors.New("idle timeout")

// forward passes a request to a target and the response back. It never asks a second one.
func (s *Server) forward(w http.ResponseWriter, r *http.Request, f *front, arn string) {
	seat, ok := s.options.Groups.Choose(arn)
	if !ok {
		answer(w, http.StatusServiceUnavailable, "")
		return
	}
	ctx, done := seat.Take(r.Context())
	defer done()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	guard := time.AfterFunc(s.patience, func() { cancel(errIdle) })
	defer guard.Stop()
	proxy := &httputil.ReverseProxy{
		Rewrite:      func(p *httputil.ProxyRequest) { f.rewrite(p, arn) },
		Transport:    seat,
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) { s.fail(w, r, err) },
	}
	proxy.ModifyResponse = func(answered *http.Response) error {
		guard.Stop()
		// Who fails a gRPC call says so in headers that end the stream. Flushed early they would not end it any more.
		if answered.ContentLength != 0 {
			proxy.FlushInterval = -1
		}
		return nil
	}
	proxy.ServeHTTP(w, r.WithContext(ctx))
}

// fail answers for a target that did not.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	s.options.Logger.Debug("a target failed", "error", err)
	if errors.Is(context.Cause(r.Context()), errIdle) {
		answer(w, http.StatusGatewayTimeout, "")
		return
	}
	answer(w, http.StatusBadGateway, "")
}

// rewrite edits a request as VPC Lattice does, and not more. What it says of the caller itself it takes from nobody.
func (f *front) rewrite(p *httputil.ProxyRequest, arn string) {
	p.Out.URL.Scheme, p.Out.URL.Host = "http", f.service.Name // the seat knows where to
	p.Out.Host = p.In.Host
	h := p.Out.Header
	h.Del("Connection") // there are no WebSockets
	h.Del("Upgrade")
	for _, name := range []string{"Forwarded", "X-Forwarded-Host", "X-Forwarded-Proto"} {
		if values := p.In.Header.Values(name); len(values) > 0 {
			h[name] = values
		}
	}
	client, _, _ := net.SplitHostPort(p.In.RemoteAddr) // net/http wrote it
	h.Set("X-Forwarded-For", strings.Join(append(p.In.Header.Values("X-Forwarded-For"), client), ", "))
	h.Set("X-Forwarded-For-Port", strconv.Itoa(f.port))
	h.Set("X-Forwarded-For-Proto", f.scheme())
	h.Del("X-Amzn-Lattice-Identity")
	h.Del("X-Amzn-Lattice-Identity-Tags")
	h.Set("X-Amzn-Lattice-Network", "SourceVpcArn="+f.entrance.VPCARN)
	h.Set("X-Amzn-Lattice-Target", "ServiceArn="+f.service.ARN+";ServiceNetworkArn="+f.entrance.NetworkARN+";TargetGroupArn="+arn)
	h.Set("X-Amzn-Requestid", strings.ToLower(rand.Text()))
}

// pass joins a client that speaks TLS with a target that does. The policies see no more than the connection.
func (s *Server) pass(c *conn, f *front) {
	call := policy.Call{Action: connect, Resource: f.service.ARN, Keys: f.keys()}
	seat, ok := (*dataplane.Seat)(nil), false
	if f.decide(call) == "" {
		seat, ok = s.options.Groups.Choose(f.rules[len(f.rules)-1].next())
	}
	if !ok {
		reset(c)
		return
	}
	ctx, done := seat.Take(s.base())
	defer done()
	target, err := seat.Dial(ctx)
	if err != nil {
		s.options.Logger.DebugContext(ctx, "a target refused", "error", err)
		reset(c)
		return
	}
	stop := context.AfterFunc(ctx, func() {
		reset(c)
		_ = target.Close() // it is not used again
	})
	defer stop()
	s.join(c, target)
}

// join carries both directions until they have ended. A connection on which nothing moves ends too.
func (s *Server) join(c *conn, target net.Conn) {
	guard := time.AfterFunc(s.idle, func() {
		reset(c)
		_ = target.Close()
	})
	defer guard.Stop()
	ended := make(chan struct{})
	carry := func(to, from net.Conn) {
		_, _ = io.Copy(to, &watched{from, func() { guard.Reset(s.idle) }}) // it ends either way
		if half, ok := to.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		ended <- struct{}{}
	}
	go carry(target, c)
	go carry(c.Conn, target)
	<-ended
	<-ended
	_ = target.Close()
	_ = c.Close()
}

// watched tells of what is read.
type watched struct {
	from  io.Reader
	touch func()
}

// Read tells of what comes.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.from.Read(p)
	if n > 0 {
		w.touch()
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
