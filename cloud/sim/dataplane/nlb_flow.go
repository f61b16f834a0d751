package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
)

// serve carries one connection: TLS ends here if the listener says so, then a target is chosen, and then nothing is looked at any more.
func (p *port) serve(client net.Conn) {
	s := p.server
	now := s.current.Load()
	g := now.inlets[p.at]
	if g == nil {
		reset(client)
		return
	}
	ctx, cancel := context.WithCancelCause(p.flows())
	defer cancel(nil)
	n := newFlowNote(s, g, client)
	defer n.write()
	client, protocol, err := s.terminate(context.WithValue(ctx, connectionKey{}, n.connection), g, client)
	n.shaken(client, err)
	if err != nil {
		s.log.DebugContext(ctx, "handshake", "listener", g.arn, "error", err)
		closeBody(client)
		return
	}
	course, ok := s.steer(now, g, tuple{"tcp", endpoint(client.RemoteAddr()), p.at, p.serial.Add(1)})
	if !ok {
		reset(client)
		return
	}
	key := new(byte)
	course.target.calls.add(key, cancel)
	defer course.target.calls.remove(key)
	course.target.outstanding.Add(1)
	defer course.target.outstanding.Add(-1)
	target, err := s.connect(ctx, &course, protocol)
	if err != nil {
		s.log.DebugContext(ctx, "target refused", "listener", g.arn, "target", course.target.key, "error", err)
		reset(client)
		return
	}
	n.joined(target)
	guard := newWatchdog(g.idle, func() { cancel(errIdle) })
	defer guard.stop()
	in, out := io.MultiWriter(guard, &n.received), io.MultiWriter(guard, &n.sent)
	carry(ctx, lane{client, in}, lane{target, out})
}

// terminate ends the client's TLS, if the listener does, and gives the protocol that was agreed on.
func (s *Server) terminate(ctx context.Context, g *inlet, client net.Conn) (net.Conn, string, error) {
	if g.security == nil {
		return client, "", nil
	}
	ctx, cancel := context.WithTimeout(ctx, s.atLeast(handshakeTimeout, connectFloor))
	defer cancel()
	secured := tls.Server(client, &tls.Config{GetConfigForClient: g.greet, MinVersion: tls.VersionTLS12})
	if err := secured.HandshakeContext(ctx); err != nil {
		return secured, "", fmt.Errorf("with the client: %w", err)
	}
	return secured, secured.ConnectionState().NegotiatedProtocol, nil
}

var errNoProtocol = errors.New("client has no protocol of the ALPN policy")

// greet gives the configuration for a client. One that has no protocol of the policy is refused here, because the library lets some in.
func (g *inlet) greet(hello *tls.ClientHelloInfo) (*tls.Config, error) {
	ours, theirs := g.security.config.NextProtos, hello.SupportedProtos
	if c, ok := hello.Context().Value(connectionKey{}).(*connection); ok {
		c.name, c.offered = hello.ServerName, theirs
	}
	if len(ours) > 0 && len(theirs) > 0 && !slices.ContainsFunc(theirs, func(p string) bool { return slices.Contains(ours, p) }) {
		return nil, errNoProtocol
	}
	return g.security.greet(hello)
}

// endpoint is an address of a connection as one of its family.
func endpoint(a net.Addr) netip.AddrPort {
	at, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(at.Addr().Unmap(), at.Port())
}

// lane is a connection and who sees what comes from it.
type lane struct {
	net.Conn

	seen io.Writer
}

// carry joins two connections until both directions have ended. One that breaks off, or is cut, resets both.
func carry(ctx context.Context, client, target lane) {
	stop := context.AfterFunc(ctx, func() {
		reset(client.Conn)
		reset(target.Conn)
	})
	defer stop()
	done := make(chan error)
	go func() { done <- pass(target.Conn, client) }()
	go func() { done <- pass(client.Conn, target) }()
	for range 2 {
		if err := <-done; err != nil {
			reset(client.Conn)
			reset(target.Conn)
		}
	}
	closeBody(client.Conn)
	closeBody(target.Conn)
}

// pass copies one direction and hands on its end. A client of TLS that ends without saying so has ended all the same.
func pass(to net.Conn, from lane) error {
	if err := relay(to, from.Conn, from.seen); err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return err
	}
	closeWrite(to)
	return nil
}

// reset ends a connection as one that does not exist.
func reset(c net.Conn) {
	if secured, ok := c.(*tls.Conn); ok {
		c = secured.NetConn()
	}
	if abrupt, ok := c.(interface{ SetLinger(seconds int) error }); ok {
		_ = abrupt.SetLinger(0) // one that is gone already needs none
	}
	closeBody(c)
}
