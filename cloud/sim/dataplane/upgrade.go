package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
)

var errUpgrade = errors.New("connection cannot be upgraded")

// webSocket reports whether a request asks for a WebSocket. Other upgrades do not pass.
func webSocket(r *http.Request) bool {
	if r.ProtoMajor != 1 || !strings.EqualFold(r.Header.Get(headerUpgrade), "websocket") {
		return false
	}
	for _, line := range r.Header[headerConnection] {
		for name := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(name), "upgrade") {
				return true
			}
		}
	}
	return false
}

// splice joins client and target once the target has switched protocols. It returns when both directions have ended.
func (x *exchange) splice(ctx context.Context, c *call, res *http.Response, guard *watchdog) {
	target, ok := res.Body.(io.ReadWriteCloser)
	if !ok || !webSocket(x.request) {
		x.refuse(http.StatusBadGateway)
		return
	}
	for _, cookie := range c.cookies {
		res.Header.Add("Set-Cookie", cookie)
	}
	if err := x.join(ctx, res, target, guard); err != nil {
		x.server.log.DebugContext(ctx, "upgraded connection ended", "listener", x.front.arn, "error", err)
	}
}

// join writes the target's answer to the client and carries bytes both ways until one side ends.
func (x *exchange) join(ctx context.Context, res *http.Response, target io.ReadWriteCloser, guard *watchdog) error {
	client, buffered, err := http.NewResponseController(x.writer).Hijack()
	if err != nil {
		return fmt.Errorf("%w: %w", errUpgrade, err)
	}
	if c, ok := client.(interface{ release() }); ok {
		c.release()
	}
	stop := context.AfterFunc(ctx, func() {
		closeBody(client)
		closeBody(target)
	})
	defer stop()
	defer closeBody(client)
	res.Body = nil
	x.note.status = res.StatusCode
	x.finishHeader(res.Header)
	res.Header.Set(headerConnection, "Upgrade")
	if err := errors.Join(res.Write(buffered), buffered.Flush()); err != nil {
		return fmt.Errorf("writing to the client: %w", err)
	}
	done := make(chan error, 2)
	go func() { done <- relay(target, buffered.Reader, guard); closeWrite(target) }()
	go func() { done <- relay(client, target, guard); closeWrite(client) }()
	first := <-done
	closeBody(target)
	closeBody(client)
	return errors.Join(first, <-done)
}

// relay copies one direction; what passes is seen, by the watchdog among others.
func relay(to io.Writer, from io.Reader, seen io.Writer) error {
	_, err := io.Copy(to, io.TeeReader(from, seen))
	if err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("relaying: %w", err)
	}
	return nil
}

// closeWrite ends one direction where the connection can.
func closeWrite(c any) {
	if half, ok := c.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite() // the other end may be gone already
	}
}

// closeBody closes what is not needed any more. There is nobody to tell of an error.
func closeBody(c io.Closer) {
	_ = c.Close()
}
