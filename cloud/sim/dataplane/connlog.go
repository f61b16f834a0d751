package dataplane

import (
	"crypto/tls"
	"errors"
	"strconv"
	"strings"
	"time"
)

// handshake is how TLS began, or did not.
type handshake struct {
	took  time.Duration
	state tls.ConnectionState
	err   error
}

// logConnection writes a connection to the connection log: when it was accepted, or after its handshake. Without TLS there is none.
func (b *socket) logConnection(a *accepted, h *handshake) {
	front := b.server.current.Load().fronts[b.at]
	if front == nil || front.connections == nil {
		return
	}
	peer := endpoint(a.RemoteAddr())
	fields := []string{stamp(b.server.now()), peer.Addr().String(), strconv.Itoa(int(peer.Port())), strconv.Itoa(front.port)}
	fields = append(fields, h.fields()...)
	fields = append(fields, "TID_"+a.connection.trace, h.exchanged(), balancerID(front.balancer), b.at.Addr().String())
	front.connections.add(strings.Join(fields, " ") + "\n")
}

// fields are protocol, cipher, duration, the client's certificate and the outcome (ALB user guide, "Connection log entries").
func (h *handshake) fields() []string {
	if h == nil {
		return []string{"-", "-", "-", quoted(""), "-", "-", "-"}
	}
	version, cipher, took, outcome := "-", "-", "-", "Success"
	if h.state.Version != 0 {
		version = tlsName(h.state.Version)
	}
	if h.state.CipherSuite != 0 {
		cipher = cipherName(tls.CipherSuiteName(h.state.CipherSuite))
	}
	if h.err == nil {
		took = strconv.FormatFloat(h.took.Seconds(), 'f', 3, 64)
	} else {
		outcome = "Failed:" + reasonOf(h.err)
	}
	fields := []string{version, cipher, took}
	if len(h.state.PeerCertificates) == 0 {
		return append(fields, quoted(""), "-", "-", outcome)
	}
	leaf := h.state.PeerCertificates[0]
	return append(fields, quoted(leaf.Subject.String()), validity(leaf), orDash(serialNumber(leaf)), outcome)
}

// exchanged names the key exchange as registries do. AWS does not say how it writes it.
func (h *handshake) exchanged() string {
	if h == nil || h.state.CurveID == 0 {
		return "-"
	}
	known := map[tls.CurveID]string{tls.CurveP256: "secp256r1", tls.CurveP384: "secp384r1", tls.CurveP521: "secp521r1", tls.X25519: "x25519"}
	if name := known[h.state.CurveID]; name != "" {
		return name
	}
	return h.state.CurveID.String()
}

// unmapped is the reason of a handshake that failed for something else than the client's certificate.
const unmapped = "UnmappedConnectionError"

// reasonOf gives the word of the connection log for a handshake that failed.
func reasonOf(err error) string {
	if refused, ok := errors.AsType[*clientError](err); ok {
		return refused.code
	}
	return unmapped
}
