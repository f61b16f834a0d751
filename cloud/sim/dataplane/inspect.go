package dataplane

import (
	"bytes"
	"crypto/rand"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"
)

// inspected is a client's connection of HTTP/1.1 on which every head is judged before the server behind sees it. The server gets heads that
// it can read, with the verdict in a header whose name no client knows; instead of others it gets a request that says what to answer.
type inspected struct {
	net.Conn

	accepted *accepted
	secret   string
	// raw holds what was read and not judged yet, ready what may go on.
	raw, ready []byte
	body       body
	// buffer and lines are used again for every head.
	buffer []byte
	lines  [][]byte
	// free says that bytes pass as they are: the connection was upgraded.
	free atomic.Bool
	// stopped says that the server behind wants its read back.
	stopped atomic.Bool
	dead    bool
}

// newSecret makes the name of the header that carries verdicts.
func newSecret() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails
	return http.CanonicalHeaderKey("Verdict-" + hex.EncodeToString(b[:]))
}

// securedConn is an inspected connection inside TLS.
type securedConn struct {
	*inspected

	tls *tls.Conn
}

// ConnectionState lets the server behind know of TLS.
func (c *securedConn) ConnectionState() tls.ConnectionState { return c.tls.ConnectionState() }

// release lets bytes pass as they are from now on.
func (c *inspected) release() { c.free.Store(true) }

// SetReadDeadline tells a deadline that interrupts from one that limits: the server behind interrupts with a time long past.
func (c *inspected) SetReadDeadline(t time.Time) error {
	c.stopped.Store(!t.IsZero() && time.Until(t) < -time.Hour)
	return c.Conn.SetReadDeadline(t) //nolint:wrapcheck // the server behind compares errors
}

// CloseWrite ends the direction to the client.
func (c *inspected) CloseWrite() error {
	closeWrite(c.Conn)
	return nil
}

// Read gives what was judged. Its errors are those of the connection.
func (c *inspected) Read(p []byte) (int, error) {
	for {
		switch {
		case len(c.ready) > 0:
			n := copy(p, c.ready)
			c.ready = c.ready[n:]
			return n, nil
		case c.dead:
			_, err := io.Copy(io.Discard, c.Conn)
			return 0, errors.Join(io.EOF, err)
		case c.free.Load():
			if len(c.raw) > 0 {
				c.ready, c.raw = c.raw, nil
				continue
			}
			return c.Conn.Read(p) //nolint:wrapcheck // the server behind compares errors
		case c.body.left != 0:
			return c.readBody(p)
		}
		if err := c.readHead(); err != nil {
			return 0, err
		}
	}
}

// readBody passes on bytes of a body and not one more.
func (c *inspected) readBody(p []byte) (int, error) {
	if len(c.raw) > 0 {
		n := c.body.take(c.raw)
		c.ready, c.raw = c.raw[:n:n], c.raw[n:]
		n = copy(p, c.ready)
		c.ready = c.ready[n:]
		return n, nil
	}
	if c.body.left > 0 && int64(len(p)) > c.body.left {
		p = p[:c.body.left]
	}
	n, err := c.Conn.Read(p)
	own := c.body.take(p[:n])
	c.raw = append(c.raw, p[own:n]...)
	return own, err //nolint:wrapcheck // the server behind compares errors
}

// recordHandshake begins the first record of TLS (RFC 8446, 5.1), which no line end may ever follow: who speaks it to a port without TLS is
// told at once.
const recordHandshake = 0x16

// readHead reads until a head is whole, and judges it.
func (c *inspected) readHead() error {
	lines, size := splitHead(c.raw, c.lines[:0])
	if lines == nil {
		if len(c.raw) > maxHeaders+maxLine || len(c.raw) > 0 && c.raw[0] == recordHandshake {
			c.refuse(verdict{status: http.StatusBadRequest})
			return nil
		}
		return c.readMore()
	}
	c.lines = lines
	h := readHead(lines)
	if h.status == 0 && size > maxHeaders {
		h.status = http.StatusBadRequest
	}
	switch {
	case h.status != 0:
		c.refuse(h.verdict)
		return nil
	case h.tier == compliant && h.dropped == nil:
		c.ready = c.raw[:size:size]
	default:
		c.ready = c.rewrite(h, lines)
	}
	c.raw = c.raw[size:]
	if len(c.raw) == 0 {
		c.raw = nil
	}
	c.body = body{left: h.length}
	return nil
}

// minRead is the least room for a piece of a head, in bytes.
const minRead = 2 << 10

// readMore reads a piece of a head. A client that stops in the middle is told so.
func (c *inspected) readMore() error {
	if len(c.raw) == 0 {
		c.raw = c.buffer[:0]
	}
	buffer := slices.Grow(c.raw, minRead)
	n, err := c.Conn.Read(buffer[len(buffer):cap(buffer)])
	c.raw = buffer[:len(buffer)+n]
	if cap(buffer) <= bufferSize {
		c.buffer = buffer
	}
	if n == 0 && errors.Is(err, os.ErrDeadlineExceeded) && len(c.raw) > 0 && !c.stopped.Load() {
		c.refuse(verdict{status: http.StatusRequestTimeout})
		return nil
	}
	if n > 0 {
		return nil
	}
	return err //nolint:wrapcheck // the server behind compares errors
}

// splitHead cuts a head into lines, which it appends. It gives nil as long as the head is not whole.
func splitHead(raw []byte, lines [][]byte) ([][]byte, int) {
	for at := 0; ; {
		end := bytes.IndexByte(raw[at:], '\n')
		if end < 0 {
			return nil, 0
		}
		line := bytes.TrimSuffix(raw[at:at+end], []byte("\r"))
		at += end + 1
		if len(line) == 0 && len(lines) > 0 {
			return lines, at
		}
		lines = append(lines, line)
	}
}

// refuse puts a request in place of the client's that says what to answer. Nothing more is read.
func (c *inspected) refuse(v verdict) {
	c.ready = []byte("GET / HTTP/1.1\r\nHost: -\r\n" + c.note(v) + "Connection: close\r\n\r\n")
	c.dead = true
}

func (c *inspected) note(v verdict) string {
	return c.secret + ": " + strconv.Itoa(v.status) + " " + strconv.Itoa(int(v.tier)) + " " + v.reason + "\r\n"
}

// rewrite leaves out the lines that cannot be passed on, and adds the verdict.
func (c *inspected) rewrite(h *head, lines [][]byte) []byte {
	var b bytes.Buffer
	for i, line := range lines {
		switch {
		case i == 0 && h.line != "":
			b.WriteString(h.line)
		case slices.Contains(h.dropped, i):
			continue
		default:
			b.Write(line)
		}
		b.WriteString("\r\n")
		if i == 0 {
			b.WriteString(c.note(h.verdict))
		}
	}
	b.WriteString("\r\n")
	return b.Bytes()
}

// judged takes the verdict out of a request. A request without one is compliant.
func (s *Server) judged(r *http.Request) verdict {
	if r.ProtoMajor != 1 {
		return verdict{}
	}
	values := r.Header[s.secret]
	if len(values) == 0 {
		return verdict{}
	}
	delete(r.Header, s.secret)
	parts := strings.SplitN(values[0]+"  ", " ", 3)
	status, _ := strconv.Atoi(parts[0]) // written by us
	worst, _ := strconv.Atoi(parts[1])
	return verdict{tier(worst), strings.TrimSpace(parts[2]), status}
}
