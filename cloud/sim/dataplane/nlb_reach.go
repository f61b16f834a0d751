package dataplane

import (
	"context"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"net"
	"net/netip"
	"slices"
)

// preambleKey is where the context holds what is sent to a target before anything else, sourceKey where the connection comes from.
type (
	preambleKey struct{}
	sourceKey   struct{}
)

// sourceDialer dials from the address in the context. Where it is of another family, or no loopback address, the system chooses.
func sourceDialer(ctx context.Context, network string, target netip.Addr) *net.Dialer {
	from, ok := ctx.Value(sourceKey{}).(netip.Addr)
	if !ok || !from.IsLoopback() || from.Is4() != target.Unmap().Is4() {
		return &net.Dialer{}
	}
	if network == "udp" {
		return &net.Dialer{LocalAddr: net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	}
	return &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
}

// reach dials a target and sends what the context says comes first.
func (s *Server) reach(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
	conn, err := s.dial(ctx, network, to)
	if err != nil {
		return nil, err
	}
	first, ok := ctx.Value(preambleKey{}).([]byte)
	if !ok {
		return conn, nil
	}
	if _, err := conn.Write(first); err != nil {
		closeBody(conn)
		return nil, fmt.Errorf("announcing the client: %w", err)
	}
	return conn, nil
}

var errUnreachable = errors.New("target has no address")

// connect opens a connection for a flow: from the client's address if it is preserved, otherwise from the load balancer's. The protocol is
// what client and load balancer agreed on; a target with TLS is offered the same.
func (s *Server) connect(ctx context.Context, c *course, protocol string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, s.atLeast(connectTimeout, connectFloor))
	defer cancel()
	if !c.target.address.IsValid() {
		return nil, errUnreachable
	}
	ctx = context.WithValue(ctx, sourceKey{}, c.source())
	if c.settings.flows.announce {
		ctx = context.WithValue(ctx, preambleKey{}, clientHeader(c.client, addressAt(c.inlet.address, c.inlet.port)))
	}
	conn, err := s.reach(ctx, "tcp", c.target.address)
	if err != nil || !c.settings.flows.secure {
		return conn, err
	}
	config := &tls.Config{InsecureSkipVerify: true} //nolint:gosec // load balancers do not verify targets
	if protocol != "" {
		config.NextProtos = []string{protocol}
	}
	secured := tls.Client(conn, config)
	if err := secured.HandshakeContext(ctx); err != nil {
		closeBody(conn)
		return nil, fmt.Errorf("handshake with the target: %w", err)
	}
	return secured, nil
}

// source is the address that a target sees.
func (c *course) source() netip.Addr {
	if c.settings.flows.preserve {
		return c.client.Addr()
	}
	return c.inlet.address
}

// Parts of a header of the proxy protocol, version 2.
const (
	proxySignature = "\r\n\r\n\x00\r\nQUIT\n"
	proxyLocal     = 0x20
	proxyProxy     = 0x21
	proxyTCP4      = 0x11
	proxyTCP6      = 0x21
	proxyChecksum  = 0x03
)

// localHeader begins probes: the load balancer speaks for itself.
func localHeader() []byte { return proxyHeader(proxyLocal, 0, nil) }

// clientHeader tells a target who the client is, and what it connected to.
func clientHeader(client, server netip.AddrPort) []byte {
	family := byte(proxyTCP4)
	if client.Addr().Is6() {
		family = proxyTCP6
	}
	addresses := slices.Concat(client.Addr().AsSlice(), server.Addr().AsSlice())
	addresses = binary.BigEndian.AppendUint16(addresses, client.Port())
	return proxyHeader(proxyProxy, family, binary.BigEndian.AppendUint16(addresses, server.Port()))
}

// proxyHeader ends with the checksum over all of it, taken while it is zero.
func proxyHeader(command, family byte, addresses []byte) []byte {
	const checksumSize = 4
	header := append([]byte(proxySignature), command, family)
	header = binary.BigEndian.AppendUint16(header, uint16(len(addresses)+3+checksumSize)) //nolint:gosec // a few dozen bytes
	header = append(header, addresses...)
	header = append(header, proxyChecksum, 0, checksumSize, 0, 0, 0, 0)
	sum := crc32.Checksum(header, crc32.MakeTable(crc32.Castagnoli))
	binary.BigEndian.PutUint32(header[len(header)-checksumSize:], sum)
	return header
}
