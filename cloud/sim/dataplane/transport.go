package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// Durations and limits towards targets.
const (
	connectTimeout     = 10 * time.Second
	handshakeTimeout   = 10 * time.Second
	poolIdle           = 60 * time.Second
	poolSize           = 256
	maxResponseHeaders = 32 << 10
)

// DialFunc opens a connection to a target.
type DialFunc func(ctx context.Context, network string, target netip.AddrPort) (net.Conn, error)

var errNotLoopback = errors.New("target is not a loopback address")

// DialLoopback reaches loopback addresses and nothing else, so that nothing leaves the machine. Where the load balancer has an address of its
// own in this, or keeps that of its client, the connection comes from there.
func DialLoopback(ctx context.Context, network string, target netip.AddrPort) (net.Conn, error) {
	if !target.Addr().IsLoopback() {
		return nil, fmt.Errorf("%s: %w: %w", target, errNotLoopback, syscall.EHOSTUNREACH)
	}
	conn, err := sourceDialer(ctx, network, target.Addr()).DialContext(ctx, network, target.String())
	if errors.Is(err, syscall.EADDRNOTAVAIL) { // not every system has all addresses of the loopback block
		conn, err = (&net.Dialer{}).DialContext(ctx, network, target.String())
	}
	if err != nil {
		return nil, fmt.Errorf("dialling %s: %w", target, err)
	}
	return conn, nil
}

// newTransport makes the pool of connections to the targets of one group. The version decides between HTTP/1.1 and HTTP/2; the latter is
// spoken in clear without asking. Certificates of targets are not verified, as load balancers do not.
func (s *Server) newTransport(version string) *http.Transport {
	t := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			target, err := netip.ParseAddrPort(address)
			if err != nil {
				return nil, fmt.Errorf("target address: %w", err)
			}
			ctx, cancel := context.WithTimeout(ctx, s.atLeast(connectTimeout, connectFloor))
			defer cancel()
			return s.reach(ctx, network, target)
		},
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true}, //nolint:gosec // load balancers do not verify targets
		TLSHandshakeTimeout:    s.atLeast(handshakeTimeout, connectFloor),
		DisableCompression:     true,
		MaxIdleConnsPerHost:    poolSize,
		IdleConnTimeout:        poolIdle,
		MaxResponseHeaderBytes: maxResponseHeaders,
		WriteBufferSize:        bufferSize,
		ReadBufferSize:         bufferSize,
		Protocols:              new(http.Protocols),
	}
	if version == versionHTTP2 || version == versionGRPC {
		t.Protocols.SetHTTP2(true)
		t.Protocols.SetUnencryptedHTTP2(true)
		return t
	}
	t.Protocols.SetHTTP1(true)
	return t
}

// bufferSize is that of reads and writes on connections, in bytes.
const bufferSize = 16 << 10

// newProbes makes the transport of health checks: each probe has a connection of its own.
func (s *Server) newProbes(version string) *http.Transport {
	t := s.newTransport(version)
	t.DisableKeepAlives = true
	return t
}
