package fabric

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"time"
)

// peek reads the beginning of what a client says, and leaves it to be read again: whether it is TLS, and the server name in it.
func peek(c *conn) (secure bool, name string, err error) {
	const handshakeRecord = 0x16
	read := &bytes.Buffer{}
	first := make([]byte, 1)
	if _, err := io.ReadFull(c.Conn, first); err != nil {
		return false, "", err //nolint:wrapcheck // nobody is told
	}
	read.Write(first)
	if secure = first[0] == handshakeRecord; secure {
		name, err = serverName(io.MultiReader(bytes.NewReader(first), io.TeeReader(c.Conn, read)))
	}
	c.Conn = &replayed{c.Conn, io.MultiReader(read, c.Conn)}
	return secure, name, err
}

var errRead = errors.New("the hello is read")

// serverName lets the library read a client's hello, and stops it there.
func serverName(from io.Reader) (string, error) {
	name, read := "", false
	probe := tls.Server(silent{from}, &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			name, read = hello.ServerName, true
			return nil, errRead
		},
	})
	if err := probe.Handshake(); !read { //nolint:noctx // the connection has a deadline
		return "", err //nolint:wrapcheck // nobody is told
	}
	return name, nil
}

// replayed is a connection the beginning of which is read again.
type replayed struct {
	net.Conn

	from io.Reader
}

// Read gives what was read before, then the rest.
func (r *replayed) Read(p []byte) (int, error) {
	return r.from.Read(p) //nolint:wrapcheck // io.EOF must stay what it is
}

// SetLinger passes on how the connection is to be closed.
func (r *replayed) SetLinger(seconds int) error {
	if abrupt, ok := r.Conn.(interface{ SetLinger(seconds int) error }); ok {
		return abrupt.SetLinger(seconds) //nolint:wrapcheck // what the connection says
	}
	return nil
}

// CloseWrite ends one direction.
func (r *replayed) CloseWrite() error {
	if half, ok := r.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite() //nolint:wrapcheck // what the connection says
	}
	return nil
}

// silent is a connection that can be read only.
type silent struct{ io.Reader }

// Write says nothing to anybody.
func (silent) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

// The rest of a connection, which reading needs none of.

// Close does nothing.
func (silent) Close() error { return nil }

// LocalAddr is none.
func (silent) LocalAddr() net.Addr { return nil }

// RemoteAddr is none.
func (silent) RemoteAddr() net.Addr { return nil }

// SetDeadline does nothing.
func (silent) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (silent) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (silent) SetWriteDeadline(time.Time) error { return nil }
