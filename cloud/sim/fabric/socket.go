package fabric

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"time"

	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// socket is a bound port of an entrance. It hands what speaks HTTP to its HTTP server, as a listener of which it appears.
type socket struct {
	server   *Server
	at       netip.AddrPort
	listener net.Listener
	http     *http.Server
	queue    chan net.Conn
	shut     chan struct{}
	once     sync.Once

	mu    sync.Mutex // guards conns, which are open
	conns map[*conn]bool
}

// conn is a client's connection.
type conn struct {
	net.Conn

	socket *socket
	timer  *time.Timer
	once   sync.Once
	// service is the ARN of the one that the client's TLS asked for; empty without TLS.
	service string
}

// Close ends the connection and forgets it.
func (c *conn) Close() error {
	var err error
	c.once.Do(func() {
		c.timer.Stop()
		c.socket.mu.Lock()
		delete(c.socket.conns, c)
		c.socket.mu.Unlock()
		err = c.Conn.Close()
		c.socket.server.work.Done()
	})
	return err //nolint:wrapcheck // what the connection says
}

// bind opens a port and serves it.
func (s *Server) bind(ctx context.Context, at netip.AddrPort) (*socket, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("binding a port of a service network: %w", err)
	}
	b := &socket{server: s, at: at, listener: listener, queue: make(chan net.Conn), shut: make(chan struct{}), conns: map[*conn]bool{}}
	b.http = &http.Server{
		Handler:                      http.HandlerFunc(b.handle),
		BaseContext:                  func(net.Listener) context.Context { return s.base() },
		ConnContext:                  remember,
		ReadHeaderTimeout:            s.idle,
		IdleTimeout:                  s.idle,
		DisableGeneralOptionsHandler: true,
		ErrorLog:                     slog.NewLogLogger(s.options.Logger.Handler(), slog.LevelDebug),
		Protocols:                    new(http.Protocols),
	}
	b.http.Protocols.SetHTTP1(true)
	b.http.Protocols.SetHTTP2(true)
	s.work.Go(func() { _ = b.http.Serve(b) }) // always an error: the port was closed
	s.work.Go(b.accept)
	return b, nil
}

// Accept gives the HTTP server the next connection.
func (b *socket) Accept() (net.Conn, error) {
	select {
	case c := <-b.queue:
		return c, nil
	case <-b.shut:
		return nil, net.ErrClosed
	}
}

// Close gives the HTTP server no more connections.
func (b *socket) Close() error {
	b.once.Do(func() { close(b.shut) })
	return nil
}

// Addr is the bound address.
func (b *socket) Addr() net.Addr { return b.listener.Addr() }

// close ends the port with all that it has.
func (b *socket) close() {
	_ = b.listener.Close() // it is not used again
	_ = b.Close()
	_ = b.http.Close()
	b.mu.Lock()
	open := make([]*conn, 0, len(b.conns))
	for c := range b.conns {
		open = append(open, c)
	}
	b.mu.Unlock()
	for _, c := range open {
		reset(c)
	}
}

// accept takes connections until the port is closed.
func (b *socket) accept() {
	const pause = 10 * time.Millisecond
	for {
		raw, err := b.listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			b.server.options.Logger.Warn("accepting", "at", b.at, "error", err)
			time.Sleep(pause)
			continue
		}
		c := &conn{Conn: raw, socket: b}
		b.server.work.Add(1)
		c.timer = time.AfterFunc(b.server.life, func() { reset(c) })
		b.mu.Lock()
		b.conns[c] = true
		b.mu.Unlock()
		select {
		case <-b.shut: // after close has looked for connections
			reset(c)
		default:
			b.server.work.Go(func() { b.greet(c) })
		}
	}
}

// greet finds out what a client speaks, and whom it wants.
func (b *socket) greet(c *conn) {
	_ = c.SetReadDeadline(time.Now().Add(handshake)) // one that is gone cannot be read
	secure, name, err := peek(c)
	_ = c.SetReadDeadline(time.Time{})
	p := b.server.place(b.at)
	switch {
	case err != nil || p == nil:
		reset(c)
	case !secure:
		b.offer(c, c)
	default:
		b.open(c, named(p.secure, name))
	}
}

// open lets TLS of a client end here, or passes it through. Without a service of the name there is nobody to answer.
func (b *socket) open(c *conn, f *front) {
	switch {
	case f == nil:
		reset(c)
	case f.protocol == types.ListenerProtocolTlsPassthrough:
		b.server.pass(c, f)
	default:
		c.service = f.service.ARN
		b.offer(c, tls.Server(c, b.config(f)))
	}
}

// config is the TLS of a service: versions 1.2 and 1.3, and a certificate that is for the name or none at all.
func (b *socket) config(f *front) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: func(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
			if found := f.certificate(hello.ServerName); found != nil {
				return found, nil
			}
			return nil, fmt.Errorf("service %s under %s: %w", f.service.ARN, hello.ServerName, errNoCertificate)
		},
	}
}

var errNoCertificate = errors.New("there is no certificate for this name")

// offer hands a connection to the HTTP server, unless that is gone.
func (b *socket) offer(c *conn, spoken net.Conn) {
	select {
	case b.queue <- spoken:
	case <-b.shut:
		reset(c)
	}
}

// reset ends a connection as one that does not exist.
func reset(c *conn) {
	if abrupt, ok := c.Conn.(interface{ SetLinger(seconds int) error }); ok {
		_ = abrupt.SetLinger(0) // one that is gone already needs none
	}
	_ = c.Close()
}
