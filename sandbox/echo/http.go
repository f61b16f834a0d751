package echo

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"time"
)

const headerTimeout = 30 * time.Second

// httpServer is an http.Server with the listeners it was given.
type httpServer struct {
	server *http.Server
	cancel context.CancelFunc
	sniff  *sniffer // nil unless the port takes both TLS and clear text
}

// serveHTTP starts the HTTP server of one port on listener. It serves longer than the context lasts.
func (e *Echo) serveHTTP(ctx context.Context, kind Kind, number string, listener net.Listener) server {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s := &http.Server{
		Handler:           e.handler(kind, number),
		ReadHeaderTimeout: headerTimeout,
		Protocols:         protocols(kind),
		TLSConfig:         e.tls.Clone(),
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ErrorLog:          errorLog(e),
	}
	h := &httpServer{server: s, cancel: cancel}
	switch kind {
	case HTTPS, GRPCS:
		go e.serving(func() error { return s.ServeTLS(listener, "", "") })
	case Any:
		h.sniff = newSniffer(listener)
		go e.serving(func() error { return s.Serve(h.sniff.clear) })
		go e.serving(func() error { return s.ServeTLS(h.sniff.secure, "", "") })
		go h.sniff.run()
	default:
		go e.serving(func() error { return s.Serve(listener) })
	}
	return h
}

// serving runs a server until it is shut down.
func (e *Echo) serving(serve func() error) {
	if err := serve(); !errors.Is(err, http.ErrServerClosed) && !errors.Is(err, net.ErrClosed) {
		e.logf("server ended: %v", err)
	}
}

func (h *httpServer) shutdown(ctx context.Context) error {
	defer h.cancel() // ends WebSockets and delayed answers, which the server does not wait for
	if h.sniff != nil {
		h.sniff.close()
	}
	err := h.server.Shutdown(ctx)
	if err == nil {
		return nil
	}
	if err := h.server.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
		return fmt.Errorf("closing the server: %w", err)
	}
	return nil
}

func protocols(kind Kind) *http.Protocols {
	p := new(http.Protocols)
	switch kind {
	case HTTP:
		p.SetHTTP1(true)
	case H2C:
		p.SetHTTP1(true) // to be told that it is wrong here
		p.SetUnencryptedHTTP2(true)
	case HTTPS:
		p.SetHTTP1(true)
		p.SetHTTP2(true)
	case GRPC:
		p.SetUnencryptedHTTP2(true)
	case GRPCS:
		p.SetHTTP2(true)
	default:
		p.SetHTTP1(true)
		p.SetHTTP2(true)
		p.SetUnencryptedHTTP2(true)
	}
	return p
}

// handler chooses what answers on a port.
func (e *Echo) handler(kind Kind, number string) http.Handler {
	pages := &pages{echo: e, port: number, webSocketAnywhere: kind == Any}
	switch kind {
	case GRPC, GRPCS:
		return e.grpcServer()
	case H2C:
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor != http2 {
				http.Error(w, "Expected h2c request", http.StatusBadRequest)
				return
			}
			pages.echoRequest(w, r)
		})
	case Any:
		calls := e.grpcServer()
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.ProtoMajor == http2 && strings.HasPrefix(r.Header.Get("Content-Type"), "application/grpc") {
				calls.ServeHTTP(w, r)
				return
			}
			pages.ServeHTTP(w, r)
		})
	default:
		return pages
	}
}

// http2 is the major version of HTTP/2.
const http2 = 2

// tlsVersion is the name that the contract gives a TLS version.
func tlsVersion(version uint16) string {
	return strings.Replace(tls.VersionName(version), "TLS ", "TLSv", 1)
}
