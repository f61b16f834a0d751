package demo

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/headgate/headgate/sandbox/selfsigned"
)

// certificate is a self-signed certificate that clients of the demo trust.
type certificate struct {
	arn       string
	cert, key []byte
	pool      *x509.CertPool
}

// newCertificate makes a certificate for host names.
func newCertificate(hosts ...string) (certificate, error) {
	made, err := selfsigned.New(hosts...)
	if err != nil {
		return certificate{}, fmt.Errorf("for the shop: %w", err)
	}
	out := certificate{cert: made.Cert, key: made.Key, pool: x509.NewCertPool()}
	out.pool.AppendCertsFromPEM(out.cert)
	return out, nil
}

// clients send requests to load balancers as a client on the network would: by DNS name and real TLS, with the Host header of the
// shop.
type clients struct {
	resolver *net.Resolver
	pool     *x509.CertPool
	offset   int
}

// request is one request to a load balancer.
type request struct {
	// loadBalancer is its DNS name.
	loadBalancer string
	scheme       string
	host, path   string
	header       map[string]string
}

// String is the request as people write it.
func (r request) String() string {
	parts := []string{r.scheme + "://" + r.host + r.path}
	for _, name := range slices.Sorted(maps.Keys(r.header)) {
		parts = append(parts, name+": "+r.header[name])
	}
	return strings.Join(parts, " with ")
}

// response is what came back.
type response struct {
	status   int
	location string
	// pod that answered, empty when it was the load balancer itself.
	pod  string
	body string
}

func (c clients) do(ctx context.Context, r request) (response, error) {
	transport := &http.Transport{
		DisableKeepAlives: true,
		TLSClientConfig:   &tls.Config{RootCAs: c.pool, ServerName: r.host, MinVersion: tls.VersionTLS12},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			port := map[string]int{"http": 80, "https": 443}[r.scheme] + c.offset
			dialer := &net.Dialer{Resolver: c.resolver, Timeout: 5 * time.Second}
			return dialer.DialContext(ctx, network, net.JoinHostPort(r.loadBalancer, strconv.Itoa(port)))
		},
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, r.scheme+"://"+r.host+r.path, http.NoBody)
	if err != nil {
		return response{}, fmt.Errorf("making a request: %w", err)
	}
	for k, v := range r.header {
		req.Header.Set(k, v)
	}
	resp, err := transport.RoundTrip(req)
	if err != nil {
		return response{}, fmt.Errorf("%s://%s%s through %s: %w", r.scheme, r.host, r.path, r.loadBalancer, err)
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return response{}, fmt.Errorf("reading the answer: %w", err)
	}
	out := response{status: resp.StatusCode, location: resp.Header.Get("Location"), body: string(body)}
	echo := struct {
		Pod string `json:"pod"`
	}{}
	if json.Unmarshal(body, &echo) == nil {
		out.pod = echo.Pod
	}
	return out, nil
}
