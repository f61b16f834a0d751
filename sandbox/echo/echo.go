// Package echo answers requests in a pod's stead, in process: it says which pod it is and what it received.
// It follows the contract of the Gateway API conformance suite's echo server, and is generous (Any) where a
// manifest does not say what its image speaks.
//
// It imports no Kubernetes client. Its invariant: it listens on 127.0.0.1 only, and after Close nothing of it
// is left, open connections included.
package echo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
)

// Kind is what a port speaks.
type Kind int

const (
	// Any speaks HTTP/1.1, HTTP/2 with prior knowledge, gRPC and, on any path, WebSocket; in the clear and
	// over TLS on the same port.
	Any Kind = iota
	// HTTP speaks HTTP/1.1, and WebSocket on /ws.
	HTTP
	// H2C speaks HTTP/2 with prior knowledge, and answers 400 to HTTP/1.1.
	H2C
	// HTTPS is HTTP, and HTTP/2, over TLS.
	HTTPS
	// GRPC speaks gRPC in the clear.
	GRPC
	// GRPCS speaks gRPC over TLS.
	GRPCS
	// TCP sends a welcome line and then answers commands: TEST, IS_TLS, PING.
	TCP
	// TLS is TCP over TLS.
	TLS
	// UDP answers every datagram with JSON.
	UDP
	// DNS answers every query over UDP with one address.
	DNS
)

// Config is what the servers of one container have in common.
type Config struct {
	// Namespace, Pod, Service and Ingress are told in every answer.
	Namespace, Pod, Service, Ingress string
	// Certificate serves TLS; nil means a certificate that nobody signed, as many backends have.
	Certificate *tls.Certificate
	// ClientCAs, if set, verify the client's certificate if it shows one.
	ClientCAs *x509.CertPool
	// Log receives a line for every request; nil discards them.
	Log io.Writer
}

// Echo is the servers of one container.
type Echo struct {
	config Config
	tls    *tls.Config
	retry  retries

	mu      sync.Mutex
	servers []server
	log     io.Writer
}

// server is one listener with what serves it.
type server interface {
	// shutdown stops accepting and waits for what is being answered, until the context ends; then it closes.
	shutdown(ctx context.Context) error
}

// New returns an Echo that listens nowhere yet.
func New(config Config) (*Echo, error) {
	if config.Log == nil {
		config.Log = io.Discard
	}
	if config.Certificate == nil {
		certificate, err := selfSigned(config.Pod)
		if err != nil {
			return nil, err
		}
		config.Certificate = certificate
	}
	e := &Echo{config: config, retry: retries{attempts: map[string]int{}}, log: config.Log}
	e.tls = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{*config.Certificate}}
	if config.ClientCAs != nil {
		e.tls.ClientCAs, e.tls.ClientAuth = config.ClientCAs, tls.VerifyClientCertIfGiven
	}
	return e, nil
}

// Listen serves the container's port number as kind, and returns the loopback address that stands for it. A
// TCP and a UDP port of the same number should have the same address: pass what the first call returned as
// at, otherwise "127.0.0.1:0".
func (e *Echo) Listen(ctx context.Context, kind Kind, number int, at string) (string, error) {
	var (
		started server
		address net.Addr
		err     error
	)
	if kind == UDP || kind == DNS {
		started, address, err = e.listenUDP(ctx, kind, at)
	} else {
		started, address, err = e.listenTCP(ctx, kind, number, at)
	}
	if err != nil {
		return "", fmt.Errorf("serving port %d: %w", number, err)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.servers = append(e.servers, started)
	return address.String(), nil
}

func (e *Echo) listenTCP(ctx context.Context, kind Kind, number int, at string) (server, net.Addr, error) {
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", at)
	if err != nil {
		return nil, nil, fmt.Errorf("listening: %w", err)
	}
	if kind == TCP || kind == TLS {
		return e.serveLines(ctx, kind, number, listener), listener.Addr(), nil
	}
	return e.serveHTTP(ctx, kind, strconv.Itoa(number), listener), listener.Addr(), nil
}

// Shutdown stops accepting on every port and waits for what is being answered; when the context ends it cuts
// the rest off.
func (e *Echo) Shutdown(ctx context.Context) error {
	e.mu.Lock()
	servers := e.servers
	e.servers = nil
	e.mu.Unlock()
	failures := make([]error, len(servers))
	var waiting sync.WaitGroup
	for i, one := range servers {
		waiting.Go(func() { failures[i] = one.shutdown(ctx) })
	}
	waiting.Wait()
	return errors.Join(failures...)
}

// Close stops at once, cutting off what is being answered.
func (e *Echo) Close() error {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return e.Shutdown(ctx)
}

// logf writes a line; a log that cannot be written is no reason not to answer.
func (e *Echo) logf(format string, args ...any) {
	_, _ = fmt.Fprintf(e.log, format+"\n", args...)
}
