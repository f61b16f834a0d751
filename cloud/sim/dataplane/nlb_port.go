package dataplane

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"
)

// port is what a listener of a network load balancer has bound: TCP, UDP or both.
type port struct {
	server *Server
	at     netip.AddrPort
	// flows gives the context that ends with what was accepted.
	flows func() context.Context
	end   context.CancelFunc
	// serial counts connections.
	serial atomic.Uint64

	// The lock of updates guards these.
	stream    net.Listener
	datagrams *exchangeOffice
}

// closePorts closes what has no listener any more.
func (s *Server) closePorts(next *snapshot) {
	for at, p := range s.ports {
		if next.inlets[at] == nil {
			delete(s.ports, at)
			p.leave()
		}
	}
}

// openPorts binds what is new. It comes after everything else was closed.
func (s *Server) openPorts(ctx context.Context, next *snapshot) []error {
	var errs []error
	for at, g := range next.inlets {
		p := s.ports[at]
		if p == nil {
			p = s.newPort(at) //nolint:contextcheck // flows outlive an update
			s.ports[at] = p
		}
		if err := p.open(ctx, g); err != nil {
			errs = append(errs, fmt.Errorf("listener %s: %w", g.arn, err))
		}
	}
	return errs
}

func (s *Server) newPort(at netip.AddrPort) *port {
	flows, end := context.WithCancel(s.base())
	return &port{server: s, at: at, flows: func() context.Context { return flows }, end: end}
}

// open binds what the listener's protocol asks for, and closes what it does not.
func (p *port) open(ctx context.Context, g *inlet) error {
	if !g.streams {
		p.closeStream()
	}
	if !g.datagrams {
		p.closeDatagrams()
	}
	var c net.ListenConfig
	if g.streams && p.stream == nil {
		listener, err := c.Listen(ctx, "tcp", p.at.String())
		if err != nil {
			return fmt.Errorf("binding: %w", err)
		}
		p.stream = listener
		p.server.work.Go(func() { p.accept(listener) }) //nolint:contextcheck // flows outlive an update
	}
	if g.datagrams && p.datagrams == nil {
		conn, err := c.ListenPacket(ctx, "udp", p.at.String())
		if err != nil {
			return fmt.Errorf("binding: %w", err)
		}
		p.datagrams = newExchangeOffice(p, conn)
		p.server.work.Go(p.datagrams.receive)
	}
	return nil
}

func (p *port) closeStream() {
	if p.stream != nil {
		closeBody(p.stream)
		p.stream = nil
	}
}

func (p *port) closeDatagrams() {
	if p.datagrams != nil {
		p.datagrams.close()
		p.datagrams = nil
	}
}

// leave closes the port and lets connections end in their own time, but for no longer than a while.
func (p *port) leave() {
	p.closeStream()
	p.closeDatagrams()
	p.server.work.Go(func() {
		timer := time.NewTimer(farewell)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-p.flows().Done():
		}
		p.end()
	})
}

// close ends the port with all that it has.
func (p *port) close() {
	p.closeStream()
	p.closeDatagrams()
	p.end()
}

// accept takes connections until the port is closed.
func (p *port) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			p.server.log.Warn("accepting", "at", p.at, "error", err)
			time.Sleep(acceptPause)
			continue
		}
		p.server.work.Go(func() { p.serve(conn) })
	}
}
