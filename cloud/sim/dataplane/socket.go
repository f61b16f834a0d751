package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// farewell bounds how long a closed listener may finish what it has begun.
const farewell = time.Minute

var errPort = errors.New("port is out of range")

// bindAddress is where a listener is bound.
func (s *Server) bindAddress(lb *LoadBalancer, l *Listener) (netip.AddrPort, error) {
	port := l.Port + s.portOffset
	if port < 1 || port > math.MaxUint16 || !lb.Address.IsValid() {
		return netip.AddrPort{}, fmt.Errorf("listener %s: %s:%d: %w", l.ARN, lb.Address, port, errPort)
	}
	return netip.AddrPortFrom(lb.Address, uint16(port)), nil
}

// socket is a bound port. What it accepts goes to the door that is open at that moment, so that a listener can change its protocol
// or its timeouts without a moment at which nobody listens.
type socket struct {
	server   *Server
	at       netip.AddrPort
	listener net.Listener
	door     atomic.Pointer[door]
	// gone says that no door will be opened any more.
	gone atomic.Bool
	// turn counts connections, to spread them over the zones.
	turn atomic.Uint64
}

// manner is what a door is made for; a listener that changes it gets a new door.
type manner struct {
	secure bool
	idle   time.Duration
}

// door is an HTTP server that is handed its connections.
type door struct {
	manner manner
	http   *http.Server
	queue  chan net.Conn
	shut   chan struct{}
	once   sync.Once
	at     net.Addr
}

// bind opens a port. Connections wait until a door is opened.
func (s *Server) bind(ctx context.Context, at netip.AddrPort) (*socket, error) {
	var c net.ListenConfig
	listener, err := c.Listen(ctx, "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("binding: %w", err)
	}
	return &socket{server: s, at: at, listener: listener}, nil
}

// open makes the door for a frontend, unless the present one does.
func (b *socket) open(f *frontend) {
	want := manner{f.secure, f.idle}
	old := b.door.Load()
	if old != nil && old.manner == want {
		return
	}
	d := b.newDoor(want)
	b.server.work.Go(d.serve)
	b.door.Store(d)
	if old == nil {
		b.server.work.Go(b.accept)
		return
	}
	b.leave(old)
}

// accept hands connections to the open door until the port is closed.
func (b *socket) accept() {
	for {
		conn, err := b.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			b.server.log.Warn("accepting", "at", b.at, "error", err)
			time.Sleep(acceptPause)
			continue
		}
		a := b.admit(conn)
		if b.door.Load().manner.secure {
			b.server.work.Go(func() { b.shake(a) })
			continue
		}
		b.logConnection(a, nil)
		b.hand(b.inspect(a, a))
	}
}

// acceptPause is how long a port rests after an error, most often too many open files.
const acceptPause = 10 * time.Millisecond

// offer hands over a connection. It fails when the door is shut.
func (d *door) offer(conn net.Conn) bool {
	select {
	case d.queue <- conn:
		return true
	case <-d.shut:
		return false
	}
}

// close ends a port. Requests that are under way are finished.
func (b *socket) close() {
	b.gone.Store(true)
	closeBody(b.listener)
	if d := b.door.Load(); d != nil {
		b.leave(d)
	}
}

// leave lets a door finish in its own time.
func (b *socket) leave(d *door) {
	closeBody(d)
	b.server.work.Go(func() {
		ctx, cancel := context.WithTimeout(b.server.base(), farewell)
		defer cancel()
		_ = d.http.Shutdown(ctx) // what does not end in time is closed
		closeBody(d.http)
	})
}

// kill ends a port with all that it has.
func (b *socket) kill() {
	b.gone.Store(true)
	closeBody(b.listener)
	if d := b.door.Load(); d != nil {
		closeBody(d)
		closeBody(d.http)
	}
}

func (b *socket) newDoor(m manner) *door {
	s := b.server
	d := &door{manner: m, queue: make(chan net.Conn), shut: make(chan struct{}), at: b.listener.Addr()}
	d.http = &http.Server{
		Handler:                      http.HandlerFunc(b.handle),
		BaseContext:                  func(net.Listener) context.Context { return s.base() },
		ConnContext:                  remember,
		ConnState:                    s.countConnection,
		ReadHeaderTimeout:            m.idle,
		IdleTimeout:                  m.idle,
		MaxHeaderBytes:               2 * maxHeaders,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
		Protocols:                    new(http.Protocols),
		HTTP2:                        &http.HTTP2Config{MaxConcurrentStreams: maxStreams},
	}
	d.http.Protocols.SetHTTP1(true)
	if m.secure {
		d.http.Protocols.SetHTTP2(true)
	}
	return d
}

// maxStreams is how many requests a client may have at once on an HTTP/2 connection.
const maxStreams = 128

func (d *door) serve() {
	_ = d.http.Serve(d) // always an error: the door was shut
}

// Accept gives the next connection.
func (d *door) Accept() (net.Conn, error) {
	select {
	case conn := <-d.queue:
		return conn, nil
	case <-d.shut:
		return nil, net.ErrClosed
	}
}

// Close shuts the door to new connections.
func (d *door) Close() error {
	d.once.Do(func() { close(d.shut) })
	return nil
}

// Addr is the bound address.
func (d *door) Addr() net.Addr { return d.at }

// tlsConfig gives the configuration of this moment to a client that opens a connection.
func (b *socket) tlsConfig(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	front := b.server.current.Load().fronts[b.at]
	if front == nil || front.security == nil {
		return nil, errNoCertificate
	}
	return front.security.greet(hello)
}

// handle serves one request by the configuration of this moment.
func (b *socket) handle(w http.ResponseWriter, r *http.Request) {
	if !b.server.enter() {
		panic(http.ErrAbortHandler)
	}
	defer b.server.work.Done()
	now := b.server.current.Load()
	front := now.fronts[b.at]
	if front == nil {
		panic(http.ErrAbortHandler) // the listener was removed while the request came in
	}
	x := &exchange{server: b.server, front: front, groups: now.groups, writer: w, request: r}
	if c, ok := r.Context().Value(connectionKey{}).(*connection); ok {
		c.requests.Add(1)
		x.connection, x.zone = c, c.zone
	}
	if peer, err := netip.ParseAddrPort(r.RemoteAddr); err == nil {
		x.peer = netip.AddrPortFrom(peer.Addr().Unmap(), peer.Port())
	}
	if front.book != nil {
		x.note.began = b.server.now()
		defer func() { front.book.add(x.entry(b.server.now())) }()
	}
	x.serve()
}

// countConnection keeps Close waiting for every connection.
func (s *Server) countConnection(_ net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		s.work.Add(1)
	case http.StateClosed, http.StateHijacked:
		s.work.Done()
	case http.StateActive, http.StateIdle:
	}
}
