package echo

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"net"
	"strconv"
	"sync"
)

// welcome is the first line that the TCP server sends.
const welcome = "Gateway API Test TCP Server"

// tcpAnswer is what TEST is answered with.
type tcpAnswer struct {
	identity
	TCPPort string        `json:"tcpport"`
	TLSPort string        `json:"tlsport,omitempty"`
	IsTLS   bool          `json:"isTLS"`
	TLS     *tcpTLSAnswer `json:"tls,omitempty"`
}

type tcpTLSAnswer struct {
	Version            string `json:"version"`
	ServerName         string `json:"serverName"`
	NegotiatedProtocol string `json:"negotiatedProtocol,omitempty"`
	Curves             string `json:"curves,omitempty"`
	CipherSuite        string `json:"cipherSuite"`
}

// lineServer speaks lines over TCP.
type lineServer struct {
	echo     *Echo
	port     string
	listener net.Listener
	open     connections
}

// serveLines serves longer than the context lasts.
func (e *Echo) serveLines(ctx context.Context, kind Kind, number int, listener net.Listener) server {
	if kind == TLS {
		listener = tls.NewListener(listener, e.tls)
	}
	s := &lineServer{echo: e, port: strconv.Itoa(number), listener: listener}
	go s.accept(context.WithoutCancel(ctx))
	return s
}

func (s *lineServer) accept(ctx context.Context) {
	for {
		connection, err := s.listener.Accept()
		if err != nil {
			return // closed
		}
		go s.talk(ctx, connection)
	}
}

// talk greets the client and answers its commands until it goes.
func (s *lineServer) talk(ctx context.Context, connection net.Conn) {
	if !s.open.add(connection) {
		return
	}
	defer s.open.remove(connection)
	s.echo.logf("established connection %s", connection.RemoteAddr())
	told := tcpAnswer{identity: s.echo.identity(), TCPPort: s.port}
	if secure, ok := connection.(*tls.Conn); ok {
		if err := secure.HandshakeContext(ctx); err != nil {
			s.echo.logf("TLS handshake failed: %v", err)
			return
		}
		told.IsTLS, told.TLSPort, told.TLS = true, s.port, tcpTLSAnswerOf(secure.ConnectionState())
	}
	payload, err := json.Marshal(told)
	if err != nil {
		s.echo.logf("encoding the answer: %v", err)
		return
	}
	replies := map[string]string{"TEST": string(payload), "IS_TLS": strconv.FormatBool(told.IsTLS), "PING": "PONG"}
	if _, err := fmt.Fprintln(connection, welcome); err != nil {
		return
	}
	for commands := bufio.NewScanner(connection); commands.Scan(); {
		reply, known := replies[commands.Text()]
		if !known {
			continue
		}
		if _, err := fmt.Fprintln(connection, reply); err != nil {
			return
		}
	}
}

func tcpTLSAnswerOf(state tls.ConnectionState) *tcpTLSAnswer {
	return &tcpTLSAnswer{
		Version: tls.VersionName(state.Version), ServerName: state.ServerName, Curves: state.CurveID.String(),
		NegotiatedProtocol: state.NegotiatedProtocol, CipherSuite: tls.CipherSuiteName(state.CipherSuite),
	}
}

// shutdown does not wait: a line protocol has no end of an answer to wait for.
func (s *lineServer) shutdown(context.Context) error {
	err := s.listener.Close()
	s.open.closeAll()
	if err != nil {
		return fmt.Errorf("closing the listener: %w", err)
	}
	return nil
}

// connections are those that are open, to be closed together.
type connections struct {
	mu     sync.Mutex
	closed bool
	open   map[net.Conn]bool
}

// add says whether the connection may be served; if not, it was closed.
func (c *connections) add(connection net.Conn) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		_ = connection.Close()
		return false
	}
	if c.open == nil {
		c.open = map[net.Conn]bool{}
	}
	c.open[connection] = true
	return true
}

// forget gives a connection to somebody else to close.
func (c *connections) forget(connection net.Conn) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.open, connection)
}

func (c *connections) remove(connection net.Conn) {
	c.forget(connection)
	_ = connection.Close()
}

func (c *connections) closeAll() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closed = true
	for connection := range c.open {
		_ = connection.Close()
	}
}
