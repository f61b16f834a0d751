package examples_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"strconv"
	"strings"
	"time"

	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

const (
	shop     = "shop.example.com"
	plain    = "http://" + shop
	secure   = "https://" + shop
	patientD = 5 * time.Second
)

// visitor is a client of one load balancer: whatever host it asks for it reaches there, but for identity providers.
type visitor struct {
	stage *stage
	// balancer is its DNS name.
	balancer string
	// certificate is what it shows; nil shows none.
	certificate *tls.Certificate
	// signsIn says that it follows redirects and keeps cookies, as a browser does.
	signsIn bool
}

// visit is a visitor of the load balancer of the Ingress, once that has an address.
func (s *stage) visit(ctx context.Context, namespace, name string) (visitor, error) {
	in := &networkingv1.Ingress{}
	if err := s.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, in); err != nil {
		return visitor{}, fmt.Errorf("reading the Ingress: %w", err)
	}
	addresses := in.Status.LoadBalancer.Ingress
	if len(addresses) == 0 {
		return visitor{}, errors.New("the Ingress has no address")
	}
	return visitor{stage: s, balancer: addresses[0].Hostname}, nil
}

// answer is what came back.
type answer struct {
	status   int
	location string
	// echo is what the pod says that it got; empty where the load balancer answered by itself.
	echo echo
	tls  *tls.ConnectionState
}

// echo is what a pod says that it got.
type echo struct {
	Pod       string              `json:"pod"`
	Namespace string              `json:"namespace"`
	Path      string              `json:"path"`
	Host      string              `json:"host"`
	Headers   map[string][]string `json:"headers"`
}

// dial reaches the load balancer, or an identity provider.
func (v visitor) dial(ctx context.Context, network, address string) (net.Conn, error) {
	dialer := &net.Dialer{Timeout: patientD, Resolver: &net.Resolver{
		PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, v.stage.Simulator().DNSAddr())
		},
	}}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if to, ok := v.stage.account.hosts[host]; ok {
		return dialer.DialContext(ctx, network, to)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	return dialer.DialContext(ctx, network, net.JoinHostPort(v.balancer, strconv.Itoa(number+v.stage.offset)))
}

// dialAny is dial for clients that know no networks.
func (v visitor) dialAny(ctx context.Context, address string) (net.Conn, error) {
	return v.dial(ctx, "tcp", address)
}

func (v visitor) tlsConfig() *tls.Config {
	config := &tls.Config{RootCAs: v.stage.account.trusted, MinVersion: tls.VersionTLS12}
	if v.certificate != nil {
		config.Certificates = []tls.Certificate{*v.certificate}
	}
	return config
}

// get asks for a URL with headers, each "Name: value".
func (v visitor) get(ctx context.Context, url string, headers ...string) (answer, error) {
	transport := &http.Transport{DialContext: v.dial, TLSClientConfig: v.tlsConfig(), DisableKeepAlives: true}
	web := &http.Client{Transport: transport, Timeout: 2 * patientD, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	if v.signsIn {
		jar, err := cookiejar.New(nil)
		if err != nil {
			return answer{}, err
		}
		web.Jar, web.CheckRedirect = jar, nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return answer{}, err
	}
	for _, header := range headers {
		name, value, _ := strings.Cut(header, ": ")
		request.Header.Set(name, value)
	}
	response, err := web.Do(request)
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }()
	out := answer{status: response.StatusCode, location: response.Header.Get("Location"), tls: response.TLS}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, err
	}
	if response.Header.Get("Content-Type") == "application/json" {
		err = json.Unmarshal(body, &out.echo)
	}
	return out, err
}

// want is an answer that is expected: its status, the app whose pod gives it ("" is the load balancer) and the location.
type want struct {
	url, header string
	status      int
	app         string
	location    string
}

// expect checks answers one by one.
func (v visitor) expect(ctx context.Context, all ...want) error {
	for _, w := range all {
		var headers []string
		if w.header != "" {
			headers = append(headers, w.header)
		}
		got, err := v.get(ctx, w.url, headers...)
		if err != nil {
			return fmt.Errorf("%s: %w", w.url, err)
		}
		app, _, _ := strings.Cut(got.echo.Pod, "-")
		if got.status != w.status || app != w.app || got.location != w.location {
			return fmt.Errorf("%s %s: %d from %q, location %q; expected %d from %q, location %q",
				w.url, w.header, got.status, app, got.location, w.status, w.app, w.location)
		}
	}
	return nil
}
