package dataplane

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// maxFlows is how many flows of datagrams a port remembers. Beyond it the one that was silent longest is forgotten.
const maxFlows = 4096

// exchangeOffice carries the datagrams of a port: those of a client to its target, and the answers back.
type exchangeOffice struct {
	port *port
	conn net.PacketConn

	mu    sync.Mutex
	flows map[netip.AddrPort]*datagramFlow
	shut  bool
}

// datagramFlow is a client with its target.
type datagramFlow struct {
	office *exchangeOffice
	client netip.AddrPort
	at     *target
	target net.Conn
	// last is when something moved, in nanoseconds since 1970.
	last atomic.Int64
}

func newExchangeOffice(p *port, conn net.PacketConn) *exchangeOffice {
	return &exchangeOffice{port: p, conn: conn, flows: map[netip.AddrPort]*datagramFlow{}}
}

// receive takes datagrams of clients until the port is closed. One for which there is no target is lost.
func (o *exchangeOffice) receive() {
	buffer := make([]byte, 1<<16)
	for {
		n, from, err := o.conn.ReadFrom(buffer)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			o.port.server.log.Warn("receiving", "at", o.port.at, "error", err)
			time.Sleep(acceptPause)
			continue
		}
		client := endpoint(from)
		for range 2 { // a flow that ended meanwhile makes room for a new one
			f := o.flow(client)
			if f == nil {
				break
			}
			f.touch()
			if _, err := f.target.Write(buffer[:n]); err == nil || !errors.Is(err, net.ErrClosed) {
				break
			}
			o.forget(f)
		}
	}
}

// flow gives the flow of a client, a new one if it has none; nil when there is no target.
func (o *exchangeOffice) flow(client netip.AddrPort) *datagramFlow {
	o.mu.Lock()
	known := o.flows[client]
	o.mu.Unlock()
	if known != nil {
		return known
	}
	s := o.port.server
	now := s.current.Load()
	g := now.inlets[o.port.at]
	if g == nil {
		return nil
	}
	c, ok := s.steer(now, g, tuple{protocol: "udp", client: client, server: o.port.at})
	if !ok || !c.target.address.IsValid() {
		return nil
	}
	ctx, cancel := context.WithCancelCause(o.port.flows())
	target, err := s.dial(context.WithValue(ctx, sourceKey{}, c.source()), "udp", c.target.address)
	if err != nil {
		cancel(err)
		s.log.DebugContext(ctx, "target refused", "listener", g.arn, "target", c.target.key, "error", err)
		return nil
	}
	f := &datagramFlow{office: o, client: client, at: c.target, target: target}
	f.touch()
	if !o.remember(f) {
		cancel(nil)
		closeBody(target)
		return nil
	}
	f.at.calls.add(f, cancel)
	s.work.Go(func() { f.answer(ctx, cancel) })
	return f
}

// remember adds a flow, unless the port is closed.
func (o *exchangeOffice) remember(f *datagramFlow) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.shut {
		return false
	}
	if len(o.flows) >= maxFlows {
		var oldest *datagramFlow
		for _, other := range o.flows {
			if oldest == nil || other.last.Load() < oldest.last.Load() {
				oldest = other
			}
		}
		delete(o.flows, oldest.client)
		closeBody(oldest.target)
	}
	o.flows[f.client] = f
	return true
}

func (o *exchangeOffice) forget(f *datagramFlow) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.flows[f.client] == f {
		delete(o.flows, f.client)
	}
}

// count gives the number of flows.
func (o *exchangeOffice) count() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return len(o.flows)
}

// close ends the port's datagrams. No answer could reach a client any more.
func (o *exchangeOffice) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.shut = true
	closeBody(o.conn)
	for _, f := range o.flows {
		closeBody(f.target)
	}
}

func (f *datagramFlow) touch() { f.last.Store(time.Now().UnixNano()) }

// answer brings datagrams of the target back until the flow is silent for too long, or is cut.
func (f *datagramFlow) answer(ctx context.Context, cancel context.CancelCauseFunc) {
	s := f.office.port.server
	stop := context.AfterFunc(ctx, func() { closeBody(f.target) })
	defer func() {
		stop()
		cancel(nil)
		f.office.forget(f)
		f.at.calls.remove(f)
		closeBody(f.target)
	}()
	held := s.takeBuffer()
	defer s.buffers.Put(held)
	to := net.UDPAddrFromAddrPort(f.client)
	for {
		silent := time.Unix(0, f.last.Load()).Add(s.idleFlow)
		if !time.Now().Before(silent) || f.target.SetReadDeadline(silent) != nil {
			return
		}
		n, err := f.target.Read(*held)
		switch {
		case err == nil:
			f.touch()
			if _, err := f.office.conn.WriteTo((*held)[:n], to); errors.Is(err, net.ErrClosed) {
				return
			}
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, syscall.ECONNREFUSED): // a target that nobody serves may be back
		default:
			return
		}
	}
}
