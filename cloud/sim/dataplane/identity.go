package dataplane

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strconv"
	"time"
)

// HostDialFunc opens a connection to an identity provider by its host name and port.
type HostDialFunc func(ctx context.Context, network, address string) (net.Conn, error)

// Limits towards identity providers.
const (
	identityTimeout = 10 * time.Second
	maxAnswer       = 150 << 10
)

var (
	errTooLarge = errors.New("answer is too large")
	errNoHost   = errors.New("host is not known")
)

// newIdentity makes the client that asks identity providers. It follows no redirects, and its connections are its own.
func (s *Server) newIdentity(o Options) *http.Client {
	dial := o.DialHost
	if dial == nil {
		dial = s.dialHost
	}
	return &http.Client{
		Timeout:       s.atLeast(identityTimeout, connectFloor),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			DialContext: dial,
			//nolint:gosec // a provider on loopback has a certificate of nobody's, unless the caller knows whose
			TLSClientConfig: &tls.Config{RootCAs: o.IdentityRoots, InsecureSkipVerify: o.IdentityRoots == nil},
			IdleConnTimeout: poolIdle,
		},
	}
}

// dialHost reaches hosts that are an address, or localhost. Nothing is looked up, so that nothing leaves the machine.
func (s *Server) dialHost(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("identity provider: %w", err)
	}
	if host == "localhost" {
		host = "127.0.0.1"
	}
	ip, err := netip.ParseAddr(host)
	number, err2 := strconv.ParseUint(port, 10, 16)
	if err := errors.Join(err, err2); err != nil {
		return nil, fmt.Errorf("%s: %w: %w", address, errNoHost, err)
	}
	return s.dial(ctx, network, netip.AddrPortFrom(ip, uint16(number)))
}

// ask sends a request to an identity provider and gives status and body.
func (s *Server) ask(r *http.Request) (int, []byte, error) {
	r.Header.Set("Accept", "application/json")
	res, err := s.identity.Do(r)
	if err != nil {
		return 0, nil, fmt.Errorf("asking the identity provider: %w", err)
	}
	defer closeBody(res.Body)
	body, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer+1))
	if err != nil {
		return 0, nil, fmt.Errorf("reading from the identity provider: %w", err)
	}
	if len(body) > maxAnswer {
		return 0, nil, fmt.Errorf("more than %d bytes from the identity provider: %w", maxAnswer, errTooLarge)
	}
	return res.StatusCode, body, nil
}
