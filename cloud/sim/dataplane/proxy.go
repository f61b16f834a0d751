package dataplane

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// call is one request to one target.
type call struct {
	group    *group
	settings *groupSettings
	target   *target
	// cookies keep the client where it is: values of Set-Cookie.
	cookies []string
}

// proxy passes the request on and the response back. It never asks a second target.
func (x *exchange) proxy(c call) {
	ctx, cancel := context.WithCancelCause(x.request.Context())
	defer cancel(nil)
	c.target.outstanding.Add(1)
	defer c.target.outstanding.Add(-1)
	c.target.calls.add(&c, cancel)
	defer c.target.calls.remove(&c)
	guard := newWatchdog(x.front.idle, func() { x.interrupt(cancel) })
	defer guard.stop()

	out, err := x.outgoing(ctx, &c, guard)
	if err != nil {
		x.server.log.InfoContext(ctx, "transform failed", "listener", x.front.arn, "error", err)
		x.refuse(http.StatusInternalServerError)
		return
	}
	x.note.target, x.note.group, x.note.sent = c.target.address.String(), c.group.arn, x.server.now()
	res, err := c.group.transport.RoundTrip(out)
	if err != nil {
		c.group.count(c.target, x.request.Context().Err() == nil)
		x.fail(ctx, err)
		return
	}
	x.note.answered, x.note.targetStatus = x.server.now(), res.StatusCode
	c.group.count(c.target, res.StatusCode >= http.StatusInternalServerError)
	defer closeBody(res.Body)
	guard.touch()
	if res.StatusCode == http.StatusSwitchingProtocols {
		x.splice(ctx, &c, res, guard)
		return
	}
	x.respond(ctx, &c, res, guard)
}

// interrupt ends an exchange on which nothing moves. The transport waits for a read of the client's body, which has to end first.
func (x *exchange) interrupt(cancel context.CancelCauseFunc) {
	cancel(errIdle)
	if x.uploading.Load() {
		_ = http.NewResponseController(x.writer).SetReadDeadline(time.Unix(1, 0)) // a connection that is gone needs none
	}
}

// outgoing makes the request to the target out of the one that came in.
func (x *exchange) outgoing(ctx context.Context, c *call, guard *watchdog) (*http.Request, error) {
	to, err := x.transform()
	if err != nil {
		return nil, err
	}
	in := x.request
	x.prepareHeader(in.Header, c.settings.version)
	out := &http.Request{
		Method:        in.Method,
		URL:           targetURL(c.settings.scheme, c.target.address, to.path, to.query),
		Host:          x.targetHost(to.host),
		Header:        in.Header,
		ContentLength: in.ContentLength,
		Trailer:       in.Trailer,
		Proto:         "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Close: x.closing,
	}
	out.URL.ForceQuery = in.URL.ForceQuery && to.query == ""
	if in.ContentLength != 0 && in.Body != nil && in.Body != http.NoBody {
		x.uploading.Store(true)
		out.Body = &watchedBody{in.Body, guard, &x.uploading}
		// A target may answer before it has read everything; what the client still sends must reach it.
		if err := http.NewResponseController(x.writer).EnableFullDuplex(); err != nil {
			x.server.log.DebugContext(ctx, "no full duplex", "error", err)
		}
	}
	return out.WithContext(ctx), nil
}

// fail answers for a target that did not.
func (x *exchange) fail(ctx context.Context, err error) {
	log := x.server.log.With("listener", x.front.arn)
	switch {
	case errors.Is(context.Cause(ctx), errIdle) && x.uploading.Load():
		x.closing = true
		x.refuse(http.StatusRequestTimeout)
	case errors.Is(context.Cause(ctx), errIdle):
		x.refuse(http.StatusGatewayTimeout)
	case errors.Is(context.Cause(ctx), errDeregistered):
		x.refuse(http.StatusBadGateway)
	case x.request.Context().Err() != nil:
		x.note.status = statusClientClosed
		log.DebugContext(ctx, "client went away", "status", statusClientClosed)
		panic(http.ErrAbortHandler)
	case timedOut(err) && !strings.Contains(err.Error(), "TLS handshake"):
		x.refuse(http.StatusGatewayTimeout)
	default:
		log.DebugContext(ctx, "target failed", "error", err)
		x.refuse(http.StatusBadGateway)
	}
}

// respond passes a response to the client. A response that breaks off breaks the client's connection too: it must not look whole.
func (x *exchange) respond(ctx context.Context, c *call, res *http.Response, guard *watchdog) {
	h := x.writer.Header()
	stripHopByHop(res.Header)
	maps.Copy(h, res.Header)
	for _, cookie := range append(c.cookies, c.appCookie(x, res)...) {
		h.Add("Set-Cookie", cookie)
	}
	announced := len(res.Trailer)
	for name := range res.Trailer {
		h.Add(headerTrailer, name)
	}
	x.finishHeader(h)
	x.note.status = res.StatusCode
	x.writer.WriteHeader(res.StatusCode)
	err := x.copyBody(res, guard)
	if err != nil {
		x.server.log.DebugContext(ctx, "response broke off", "listener", x.front.arn, "error", err)
		panic(http.ErrAbortHandler)
	}
	for name, values := range res.Trailer {
		if announced != len(res.Trailer) {
			name = http.TrailerPrefix + name
		}
		h[name] = values
	}
}

// copyBody passes the body on. What has no known length is a stream and is passed on as it comes.
func (x *exchange) copyBody(res *http.Response, guard *watchdog) error {
	buffer := x.server.takeBuffer()
	defer x.server.buffers.Put(buffer)
	stream := res.ContentLength == -1
	control := http.NewResponseController(x.writer)
	if stream {
		if err := control.Flush(); err != nil {
			return fmt.Errorf("flushing: %w", err)
		}
	}
	for {
		n, err := res.Body.Read(*buffer)
		if n > 0 {
			guard.touch()
			x.note.bytes += int64(n)
			if _, err := x.writer.Write((*buffer)[:n]); err != nil {
				return fmt.Errorf("writing to the client: %w", err)
			}
			if stream {
				if err := control.Flush(); err != nil {
					return fmt.Errorf("flushing: %w", err)
				}
			}
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading from the target: %w", err)
		}
	}
}

// statusClientClosed stands in logs for a client that left while it waited.
const statusClientClosed = 460

// watchdog cancels an exchange on which nothing has moved for the idle timeout.
type watchdog struct {
	timer *time.Timer
	idle  time.Duration
}

func newWatchdog(idle time.Duration, bark func()) *watchdog {
	return &watchdog{timer: time.AfterFunc(idle, bark), idle: idle}
}

func (w *watchdog) touch() { w.timer.Reset(w.idle) }

func (w *watchdog) stop() { w.timer.Stop() }

// Write lets the watchdog see what passes.
func (w *watchdog) Write(p []byte) (int, error) {
	w.touch()
	return len(p), nil
}

// watchedBody is a request body that keeps the watchdog quiet while the client sends.
type watchedBody struct {
	io.ReadCloser

	guard     *watchdog
	uploading *atomic.Bool
}

// Read tells the watchdog of what comes, and remembers the end.
func (b *watchedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if n > 0 {
		b.guard.touch()
	}
	if errors.Is(err, io.EOF) {
		b.uploading.Store(false)
	}
	return n, err //nolint:wrapcheck // io.EOF must stay what it is
}
