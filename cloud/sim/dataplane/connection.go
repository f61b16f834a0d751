package dataplane

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"time"
)

// accepted is a connection as it was accepted.
type accepted struct {
	net.Conn

	connection *connection
	// stop undoes what ends it with the server.
	stop func() bool
}

// admit takes in a connection. It ends with the server, also where the server behind has just taken it and does not know that it is closed.
func (b *socket) admit(conn net.Conn) *accepted {
	a := &accepted{Conn: conn, connection: newConnection(b.zone())}
	a.stop = context.AfterFunc(b.server.base(), func() { closeBody(conn) })
	return a
}

// Close ends the connection.
func (a *accepted) Close() error {
	a.stop()
	return a.Conn.Close() //nolint:wrapcheck // the server behind compares errors
}

func (b *socket) inspect(conn net.Conn, a *accepted) *inspected {
	return &inspected{Conn: conn, accepted: a, secret: b.server.secret}
}

// hand gives a connection to the open door.
func (b *socket) hand(conn net.Conn) {
	for !b.door.Load().offer(conn) {
		if b.gone.Load() {
			closeBody(conn)
			return
		}
	}
}

// shake makes a connection secure. What speaks HTTP/2 goes on as it is, HTTP/1.1 is inspected.
func (b *socket) shake(a *accepted) {
	ctx := context.WithValue(b.server.base(), connectionKey{}, a.connection)
	ctx, cancel := context.WithTimeout(ctx, b.server.atLeast(handshakeTimeout, connectFloor))
	defer cancel()
	secured := tls.Server(a, &tls.Config{GetConfigForClient: b.tlsConfig, MinVersion: tls.VersionTLS12})
	began := b.server.now()
	err := secured.HandshakeContext(ctx)
	b.logConnection(a, &handshake{b.server.now().Sub(began), secured.ConnectionState(), err})
	if err != nil {
		b.server.log.Debug("handshake", "at", b.at, "client", a.RemoteAddr(), "error", err)
		var plain tls.RecordHeaderError
		if errors.As(err, &plain) && looksLikeHTTP(plain.RecordHeader) {
			_, _ = io.WriteString(a, plainToSecure) // a client that left cannot be told
		}
		closeBody(a)
		return
	}
	if secured.ConnectionState().NegotiatedProtocol == "h2" {
		b.hand(secured)
		return
	}
	b.hand(&securedConn{b.inspect(secured, a), secured})
}

// looksLikeHTTP reports whether a client began with a method instead of a handshake.
func looksLikeHTTP(first [5]byte) bool {
	for _, c := range first {
		if c != ' ' && c != '/' && (c < 'A' || c > 'Z') {
			return false
		}
	}
	return true
}

// plainToSecure is the answer to clients that speak without TLS to a port with it.
const plainToSecure = "HTTP/1.1 400 Bad Request\r\nServer: " + serverName + "\r\nContent-Type: text/html\r\nContent-Length: 220\r\nConnection: close\r\n\r\n" +
	"<html>\r\n<head><title>400 The plain HTTP request was sent to HTTPS port</title></head>\r\n<body>\r\n" +
	"<center><h1>400 Bad Request</h1></center>\r\n<center>The plain HTTP request was sent to HTTPS port</center>\r\n</body>\r\n</html>\r\n"

// connection is what is kept of a client's connection.
type connection struct {
	began time.Time
	// zone is that of the node that the client came to.
	zone string
	// requests counts what came in on it.
	requests atomic.Int64
	// trace names the connection in logs, certificate is the ARN of the one that was served.
	trace, certificate string
	// name is the server that the client asked for, offered the protocols that it speaks. Network load balancers log both.
	name    string
	offered []string
}

func newConnection(zone string) *connection {
	var random [16]byte
	_, _ = rand.Read(random[:]) // never fails
	return &connection{began: time.Now(), zone: zone, trace: hex.EncodeToString(random[:])}
}

// connectionKey is where the context holds the connection.
type connectionKey struct{}

// remember puts the connection into the context of its requests.
func remember(ctx context.Context, c net.Conn) context.Context {
	var a *accepted
	switch c := c.(type) {
	case *inspected:
		a = c.accepted
	case *securedConn:
		a = c.accepted
	case *tls.Conn:
		a, _ = c.NetConn().(*accepted) // it is always one
	}
	if a == nil {
		return ctx
	}
	return context.WithValue(ctx, connectionKey{}, a.connection)
}

// maxRequests is how many requests an HTTP/2 connection takes (ALB user guide, "Listeners").
const maxRequests = 10000

// expired reports whether the client's connection has reached its lifetime and shall end with this response.
func (x *exchange) expired() bool {
	c := x.connection
	return c != nil && (time.Since(c.began) > x.front.lifetime || x.request.ProtoMajor == 2 && c.requests.Load() >= maxRequests)
}
