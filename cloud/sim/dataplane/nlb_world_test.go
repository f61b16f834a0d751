package dataplane

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// flows adds a target group of a network load balancer that is probed over TCP. change may be nil.
func (w *world) flows(arn, protocol string, change func(*TargetGroup), backends ...string) {
	w.t.Helper()
	w.group(arn, func(g *TargetGroup) {
		g.Settings.Protocol, g.Settings.ProtocolVersion = elbtypes.ProtocolEnum(protocol), nil
		g.Settings.HealthCheckProtocol, g.Settings.HealthCheckPath, g.Settings.Matcher = elbtypes.ProtocolEnumTcp, nil, nil
		if change != nil {
			change(g)
		}
	}, backends...)
}

func attribute(key, value string) func(*TargetGroup) {
	return func(g *TargetGroup) { g.Attributes[key] = value }
}

// serveLines runs a server of TCP, or TLS if there is a certificate, that answers each line with its name, the peer's host and the line.
// Streams that begin otherwise are looked into by a test of its own.
func serveLines(tb testing.TB, name string, certificates ...*tls.Certificate) string {
	tb.Helper()
	return serveStreams(tb, func(conn net.Conn) {
		if len(certificates) > 0 {
			conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*certificates[0]}, NextProtos: []string{"h2", "http/1.1"}})
		}
		host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
		for in := bufio.NewScanner(conn); in.Scan(); {
			fmt.Fprintf(conn, "%s %s %s\n", name, host, in.Text())
		}
		fmt.Fprintf(conn, "%s bye\n", name)
		closeWrite(conn)
	})
}

// serveStreams runs a server that hands its connections over, and closes them after.
func serveStreams(tb testing.TB, handle func(net.Conn)) string {
	tb.Helper()
	var c net.ListenConfig
	l, err := c.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeBody(l) })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer closeBody(conn)
				handle(conn)
			}()
		}
	}()
	return l.Addr().String()
}

// serveDatagrams answers each datagram with name, peer's host and content. It takes connections of TCP for probes on the same port.
func serveDatagrams(tb testing.TB, name string) string {
	tb.Helper()
	at := serveLines(tb, name)
	var c net.ListenConfig
	conn, err := c.ListenPacket(tb.Context(), "udp", at)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeBody(conn) })
	go func() {
		buffer := make([]byte, 1<<16)
		for {
			n, from, err := conn.ReadFrom(buffer)
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(from.String())
			_, _ = conn.WriteTo(fmt.Appendf(nil, "%s %s %s", name, host, buffer[:n]), from)
		}
	}()
	return at
}

// talker is a client's connection.
type talker struct {
	net.Conn

	tb testing.TB
	in *bufio.Reader
}

// talkFrom connects from an address; the zero one leaves it to the system.
func talkFrom(tb testing.TB, source netip.Addr, network, address string) *talker {
	tb.Helper()
	ctx := context.WithValue(tb.Context(), sourceKey{}, source)
	conn, err := sourceDialer(ctx, network, netip.MustParseAddr("127.0.0.1")).DialContext(ctx, network, address)
	if err != nil {
		tb.Fatal(err)
	}
	return newTalker(tb, conn)
}

func newTalker(tb testing.TB, conn net.Conn) *talker {
	tb.Helper()
	tb.Cleanup(func() { closeBody(conn) })
	if err := conn.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		tb.Fatal(err)
	}
	return &talker{conn, tb, bufio.NewReader(conn)}
}

func talk(tb testing.TB, address string) *talker {
	tb.Helper()
	return talkFrom(tb, netip.Addr{}, "tcp", address)
}

// say sends a line and gives the answer, or what went wrong.
func (c *talker) say(line string) string {
	c.tb.Helper()
	if _, err := io.WriteString(c.Conn, line+"\n"); err != nil {
		return ending(err)
	}
	return c.hear()
}

// sayUnless says nothing where a reset is wanted, which may take a moment.
func (c *talker) sayUnless(wanted, line string) string {
	c.tb.Helper()
	if wanted == "reset" {
		return c.hear()
	}
	return c.say(line)
}

func (c *talker) hear() string {
	c.tb.Helper()
	answer, err := c.in.ReadString('\n')
	if err != nil {
		return ending(err)
	}
	return strings.TrimSpace(answer)
}

// ask sends a datagram and gives the answer.
func (c *talker) ask(content string) string {
	c.tb.Helper()
	if _, err := io.WriteString(c.Conn, content); err != nil {
		return ending(err)
	}
	buffer := make([]byte, 1<<16)
	n, err := c.Read(buffer)
	if err != nil {
		return ending(err)
	}
	return string(buffer[:n])
}

func ending(err error) string {
	switch {
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "reset"
	case errors.Is(err, io.EOF):
		return "end"
	default:
		return err.Error()
	}
}

func want(tb testing.TB, what, got, want string) {
	tb.Helper()
	if got != want {
		tb.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// shared is a forward with weights.
func shared(weights map[string]int32) elbtypes.Action {
	c := &elbtypes.ForwardActionConfig{}
	for _, arn := range []string{groupARN, groupTwoARN} {
		c.TargetGroups = append(c.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: aws.String(arn), Weight: aws.Int32(weights[arn])})
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: c}
}

// switchable is a server of lines that can be down for new connections.
type switchable struct {
	address string
	down    atomic.Bool
}

// behindSwitch dials as usual, but for the addresses that are switched off.
func behindSwitch(all ...*switchable) DialFunc {
	return func(ctx context.Context, network string, to netip.AddrPort) (net.Conn, error) {
		for _, s := range all {
			if s.address == to.String() && s.down.Load() {
				return nil, syscall.ECONNREFUSED
			}
		}
		return DialLoopback(ctx, network, to)
	}
}

// nopConn is a connection to nobody.
type nopConn struct{ net.Conn }

func (nopConn) Close() error { return nil }
