package dataplane

import (
	"crypto/tls"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// flowNote is what is remembered of a connection to a TLS listener for the access log.
type flowNote struct {
	server     *Server
	inlet      *inlet
	connection *connection
	client     netip.AddrPort
	// began is when the client was connected, secure when the handshake had ended.
	began, secure time.Time
	state         tls.ConnectionState
	// agreed is the protocol that was agreed on with the target.
	agreed         string
	alert          string
	received, sent counter
}

// counter counts the bytes that are written to it.
type counter struct{ atomic.Int64 }

func (c *counter) Write(p []byte) (int, error) {
	c.Add(int64(len(p)))
	return len(p), nil
}

func (c *counter) String() string { return strconv.FormatInt(c.Load(), 10) }

func newFlowNote(s *Server, g *inlet, client net.Conn) *flowNote {
	return &flowNote{server: s, inlet: g, connection: &connection{}, client: endpoint(client.RemoteAddr()), began: s.now()}
}

// shaken remembers how the handshake went.
func (n *flowNote) shaken(client net.Conn, err error) {
	n.secure, n.alert = n.server.now(), alertOf(err)
	if secured, ok := client.(*tls.Conn); ok {
		n.state = secured.ConnectionState()
	}
}

// alertOf gives the number of the alert with which a client ended a handshake.
func alertOf(err error) string {
	var remote *net.OpError
	if !errors.As(err, &remote) || remote.Op != "remote error" {
		return ""
	}
	// The type of alerts is the library's own.
	if v := reflect.ValueOf(remote.Err); v.CanUint() {
		return strconv.FormatUint(v.Uint(), 10)
	}
	return ""
}

// joined remembers what was agreed on with the target.
func (n *flowNote) joined(target net.Conn) {
	if secured, ok := target.(*tls.Conn); ok {
		n.agreed = secured.ConnectionState().NegotiatedProtocol
	}
}

// write logs a connection that has ended.
func (n *flowNote) write() {
	if n.inlet.book != nil {
		n.inlet.book.add(n.entry(n.server.now()))
	}
}

// entry writes a connection as a line of the access log (NLB user guide, "Access log entries").
func (n *flowNote) entry(end time.Time) string {
	const second = "2006-01-02T15:04:05"
	g := n.inlet
	fields := []string{
		"tls", "2.0", end.UTC().Format(second), balancerID(g.balancer), g.arn[strings.LastIndex(g.arn, "/")+1:], n.client.String(),
		addressAt(g.address, g.port).String(), millis(n.began, end), millis(n.began, n.secure), n.received.String(), n.sent.String(),
		orDash(n.alert), orDash(n.connection.certificate), "-",
	}
	fields = append(fields, n.negotiated()...)
	fields = append(fields, "-", orDash(url.PathEscape(n.connection.name)))
	fields = append(fields, n.protocols()...)
	return strings.Join(append(fields, n.began.UTC().Format(second)), " ") + "\n"
}

// negotiated gives cipher and version, if the handshake came to its end.
func (n *flowNote) negotiated() []string {
	if !n.state.HandshakeComplete {
		return []string{"-", "-"}
	}
	version := strings.NewReplacer(".", "", "TLS", "tls").Replace(tlsName(n.state.Version))
	if n.state.Version == tls.VersionTLS10 {
		version = "tlsv10"
	}
	return []string{cipherName(tls.CipherSuiteName(n.state.CipherSuite)), version}
}

// maxOffered is the most that is told of the protocols that a client offers, in bytes.
const maxOffered = 256

// protocols gives what was agreed on with client and target, and what the client would speak. Without an ALPN policy there is nothing to say.
func (n *flowNote) protocols() []string {
	if len(preferences(n.inlet.source.ALPN)) == 0 {
		return []string{"-", "-", "-"}
	}
	var offered []string
	for _, protocol := range n.connection.offered {
		offered = append(offered, `"`+strings.ReplaceAll(url.PathEscape(protocol), "%2F", "/")+`"`)
	}
	list := strings.Join(offered, ",")
	return []string{orDash(n.state.NegotiatedProtocol), orDash(n.agreed), orDash(list[:min(len(list), maxOffered)])}
}

func millis(from, to time.Time) string { return strconv.FormatInt(to.Sub(from).Milliseconds(), 10) }
