package dataplane

import (
	"bufio"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// shakeHands opens a connection of TLS and gives it with what was agreed on, or the error.
func shakeHands(tb testing.TB, at, name string, protocols ...string) (*talker, tls.ConnectionState, error) {
	tb.Helper()
	conn := tls.Client(talk(tb, at), &tls.Config{InsecureSkipVerify: true, ServerName: name, NextProtos: protocols})
	if err := conn.HandshakeContext(tb.Context()); err != nil {
		return nil, tls.ConnectionState{}, fmt.Errorf("handshake: %w", err)
	}
	return newTalker(tb, conn), conn.ConnectionState(), nil
}

func TestNLBTerminatesTLS(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	inner := selfSigned(t, curve(t), "inner", "inner.test")
	w.flows(groupARN, "TCP", nil, serveLines(t, "plain"))
	w.flows(groupTwoARN, "TLS", nil, serveLines(t, "secure", inner))
	plain, secure := w.listen("TLS", always(forwardTo(groupARN))), w.listen("TLS", always(forwardTo(groupTwoARN)))
	certificates := []*tls.Certificate{selfSigned(t, curve(t), "a", "a.test"), selfSigned(t, curve(t), "b", "*.b.test")}
	for i := range w.config.LoadBalancers[0].Listeners {
		w.config.LoadBalancers[0].Listeners[i].Certificates = certificates
	}
	w.apply()
	w.await(groupARN, healthy)
	w.await(groupTwoARN, healthy)
	for _, row := range []struct{ why, at, name, title, answer string }{
		{"the first certificate is the default", plain, "other.test", "a", "plain 127.0.0.1 x"},
		{"others are chosen by name", plain, "www.b.test", "b", "plain 127.0.0.1 x"},
		{"targets may speak TLS, with any certificate", secure, "a.test", "a", "secure 127.0.0.1 x"},
	} {
		c, state, err := shakeHands(t, row.at, row.name)
		if err != nil {
			t.Fatalf("%s: %v", row.why, err)
		}
		want(t, row.why, state.PeerCertificates[0].Subject.CommonName, row.title)
		want(t, row.why, c.say("x"), row.answer)
		closeWrite(c.Conn)
		want(t, row.why+", ends", c.hear(), strings.Fields(row.answer)[0]+" bye")
	}
	w.config.LoadBalancers[0].Listeners[0].Policy = Policy{Name: "old", Protocols: []string{"TLSv1.2"}, Ciphers: []string{"ECDHE-ECDSA-AES128-GCM-SHA256"}}
	w.apply()
	if _, state, err := shakeHands(t, plain, "a.test"); err != nil || state.Version != tls.VersionTLS12 {
		t.Errorf("the security policy is not kept: %x, %v", state.Version, err)
	}
}

func TestNLBOffersTargetsWhatWasAgreedOn(t *testing.T) {
	t.Parallel()
	certificate := selfSigned(t, curve(t), "a", "a.test")
	w := newWorld(t, Options{})
	w.flows(groupARN, "TLS", nil, serveStreams(t, func(conn net.Conn) {
		secured := tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*certificate}, NextProtos: []string{"h2", "http/1.1"}})
		if secured.HandshakeContext(t.Context()) == nil {
			fmt.Fprintf(secured, "agreed on %q\n", secured.ConnectionState().NegotiatedProtocol)
		}
	}))
	at := w.listen("TLS", always(forwardTo(groupARN)))
	w.listener().Certificates, w.listener().ALPN = []*tls.Certificate{certificate}, "HTTP2Optional"
	w.apply()
	w.await(groupARN, healthy)
	for _, offered := range []string{"http/1.1", "h2", ""} {
		var protocols []string
		if offered != "" {
			protocols = []string{offered}
		}
		c, _, err := shakeHands(t, at, "a.test", protocols...)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "the target", c.hear(), fmt.Sprintf("agreed on %q", offered))
	}
}

func TestNLBALPN(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.flows(groupARN, "TCP", nil, serveLines(t, "one"))
	at := w.listen("TLS", always(forwardTo(groupARN)))
	w.listener().Certificates = []*tls.Certificate{selfSigned(t, curve(t), "a", "a.test")}
	for _, row := range []struct {
		why, policy string
		offered     []string
		want        string
	}{
		{"None agrees on nothing", "None", []string{"h2", "http/1.1"}, ""},
		{"HTTP1Only", "HTTP1Only", []string{"h2", "http/1.1"}, "http/1.1"},
		{"HTTP1Only knows the first version", "HTTP1Only", []string{"http/1.0"}, "http/1.0"},
		{"HTTP2Only", "HTTP2Only", []string{"http/1.1", "h2"}, "h2"},
		{"HTTP2Optional prefers the first version", "HTTP2Optional", []string{"h2", "http/1.1"}, "http/1.1"},
		{"HTTP2Optional takes the second", "HTTP2Optional", []string{"h2"}, "h2"},
		{"HTTP2Preferred", "HTTP2Preferred", []string{"http/1.1", "h2"}, "h2"},
		{"a client that does not ask", "HTTP2Only", nil, ""},
		{"nothing in common", "HTTP2Only", []string{"http/1.1"}, "refused"},
	} {
		w.listener().ALPN = row.policy
		w.apply()
		_, state, err := shakeHands(t, at, "a.test", row.offered...)
		got := state.NegotiatedProtocol
		if err != nil {
			got = "refused"
		}
		want(t, row.why, got, row.want)
	}
}

// readHeader takes a header of the proxy protocol apart: command, client and server.
func readHeader(in io.Reader) (string, error) {
	head := make([]byte, 16)
	if _, err := io.ReadFull(in, head); err != nil {
		return "", fmt.Errorf("reading: %w", err)
	}
	rest := make([]byte, binary.BigEndian.Uint16(head[14:]))
	if _, err := io.ReadFull(in, rest); err != nil {
		return "", fmt.Errorf("reading: %w", err)
	}
	if signature := hex.EncodeToString(head[:12]); signature != "0d0a0d0a000d0a515549540a" {
		return "signature " + signature, nil
	}
	whole := slices.Concat(head, rest)
	sum := binary.BigEndian.Uint32(whole[len(whole)-4:])
	clear(whole[len(whole)-4:])
	if crc32.Checksum(whole, crc32.MakeTable(crc32.Castagnoli)) != sum {
		return "checksum", nil
	}
	if head[12] == 0x20 {
		return "local", nil
	}
	at := func(host, port int) netip.AddrPort {
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte(rest[host:])), binary.BigEndian.Uint16(rest[port:]))
	}
	return fmt.Sprintf("%x%02x %s %s", head[12], head[13], at(0, 8), at(4, 10)), nil
}

func TestNLBProxyProtocol(t *testing.T) {
	t.Parallel()
	certificate := selfSigned(t, curve(t), "a", "a.test")
	probed := make(chan string, 100)
	serve := func(secure bool) string {
		return serveStreams(t, func(conn net.Conn) {
			header, err := readHeader(conn)
			if err != nil {
				return
			}
			if header == "local" {
				select {
				case probed <- header:
				default:
				}
				return
			}
			if secure {
				conn = tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*certificate}})
			}
			line, _ := bufio.NewReader(conn).ReadString('\n')
			fmt.Fprintf(conn, "%s %s", header, line)
		})
	}
	w := newWorld(t, Options{PortOffset: -30000})
	w.flows(groupARN, "TCP", attribute("proxy_protocol_v2.enabled", "true"), serve(false))
	w.flows(groupTwoARN, "TLS", attribute("proxy_protocol_v2.enabled", "true"), serve(true))
	w.listen("TCP", always(forwardTo(groupARN)))
	w.listen("TLS", always(forwardTo(groupARN)))
	w.listen("TLS", always(forwardTo(groupTwoARN)))
	listeners := w.config.LoadBalancers[0].Listeners
	for i := range listeners {
		listeners[i].Certificates = []*tls.Certificate{certificate}
	}
	w.apply()
	w.await(groupARN, healthy)
	w.await(groupTwoARN, healthy)
	want(t, "a probe", <-probed, "local")
	for _, l := range listeners {
		at := netip.AddrPortFrom(w.address, uint16(l.Port-30000)).String()
		c := talk(t, at)
		if l.Protocol == "TLS" {
			var err error
			if c, _, err = shakeHands(t, at, "a.test"); err != nil {
				t.Fatal(err)
			}
		}
		wanted := fmt.Sprintf("2111 %s %s:%d x", c.LocalAddr(), w.address, l.Port)
		want(t, l.Protocol, c.say("x"), wanted)
	}
	six := clientHeader(netip.MustParseAddrPort("[2001:db8::1]:5"), netip.MustParseAddrPort("[2001:db8::2]:443"))
	if six[13] != 0x21 || len(six) != 16+36+7 || binary.BigEndian.Uint16(six[14:]) != 36+7 {
		t.Errorf("header of IPv6: %x", six)
	}
}
