package traffic

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
)

// ask is a request and what comes of it.
type ask struct {
	// to is "METHOD URL" as a browser would have it: names and ports are those of the load balancer.
	to string
	// want is what [client.ask] says of the answer.
	want string
	// header is a field of the request, "Name: value".
	header string
	// from is the address of the client; 127.0.0.1 without it.
	from string
	// show names a field of the answer that is told too.
	show string
}

// client is a browser: it keeps cookies and a list of authorities, and follows no redirect.
type client struct {
	stage *stage
	http  *http.Client
	// anew makes a connection for each request.
	anew bool
}

// newClient opens connections from an address, whatever the name, to the stage's load balancer.
func (s *stage) newClient(from string) *client {
	s.t.Helper()
	dialer := &net.Dialer{}
	if from != "" {
		dialer.LocalAddr = &net.TCPAddr{IP: net.ParseIP(from)}
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.trust)
	out := &client{stage: s}
	transport := &http.Transport{
		DialContext: func(ctx context.Context, network, address string) (net.Conn, error) {
			_, port, err := net.SplitHostPort(address)
			if err != nil {
				return nil, fmt.Errorf("reading %s: %w", address, err)
			}
			at, err := out.address(port)
			if err != nil {
				return nil, err
			}
			return dialer.DialContext(ctx, network, at)
		},
		TLSClientConfig: s.trusting(roots), ForceAttemptHTTP2: true,
	}
	s.t.Cleanup(transport.CloseIdleConnections)
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	out.http = &http.Client{Transport: transport, Timeout: patience, Jar: jar,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	return out
}

// address is where a client connects to for a port.
func (c *client) address(port string) (string, error) {
	if c.stage.directory != nil {
		return c.stage.directory.address(c.stage, c, port)
	}
	return c.stage.address(port)
}

// learn has a client hear of the load balancers' names. Where they are others, it gives up the connections that it has open.
func (c *client) learn() {
	if c.stage.directory.learn(c) {
		c.http.CloseIdleConnections()
	}
}

// trusting is whom clients believe. Where the stage looks at certificates itself, a wrong one ends no connection: it is told with the answer.
func (s *stage) trusting(roots *x509.CertPool) *tls.Config {
	return &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12, InsecureSkipVerify: s.credulous}
}

// answer is what a client got.
type answer struct {
	tls    *tls.ConnectionState
	status int
	header http.Header
	body   []byte
}

// seen is what a pod says that it received.
type seen struct {
	Pod    string    `json:"pod"`
	Host   string    `json:"host"`
	Path   string    `json:"path"`
	Method string    `json:"method"`
	Proto  string    `json:"proto"`
	TLS    *struct{} `json:"tls"`

	Headers http.Header `json:"headers"`
}

// ask sends a request and says what came of it: "pod: METHOD host/path" of a pod, with "over TLS" where it was, and the protocol
// unless it was HTTP/1.1; "status location" of a
// redirect; "status type body" of what the load balancer answers itself.
func (c *client) ask(a ask) string {
	c.stage.t.Helper()
	got, err := c.send(a)
	if err != nil {
		return unanswered(err)
	}
	text := got.told() + c.mistrust(a, got)
	if a.show != "" {
		text += fmt.Sprintf(" [%s: %s]", a.show, strings.Join(got.header.Values(a.show), " | "))
	}
	return text
}

// What clients say where they get no answer, and of an answer that they would not have got.
const (
	noConnection = "no connection"
	noTrust      = " [certificate of another name]"
)

// mistrust tells whether a client that looks at certificates would have had an answer.
func (c *client) mistrust(a ask, got answer) string {
	to, err := url.Parse(strings.Fields(a.to)[1])
	if !c.stage.credulous || err != nil || got.tls == nil || got.tls.PeerCertificates[0].VerifyHostname(to.Hostname()) == nil {
		return ""
	}
	return noTrust
}

// unanswered puts into words why there is no answer. Who waited for nothing has no excuse: that is told as it is.
func unanswered(err error) string {
	if waited, ok := errors.AsType[net.Error](err); ok && waited.Timeout() {
		return err.Error()
	}
	return noConnection + ": " + err.Error()
}

func (c *client) request(a ask) (*http.Request, error) {
	method, to, _ := strings.Cut(a.to, " ")
	request, err := http.NewRequestWithContext(c.stage.t.Context(), method, to, nil)
	if err != nil {
		return nil, fmt.Errorf("asking: %w", err)
	}
	request.Close = c.anew
	if name, value, ok := strings.Cut(a.header, ": "); ok {
		request.Header.Set(name, value)
	}
	return request, nil
}

func (c *client) send(a ask) (answer, error) {
	request, err := c.request(a)
	if err != nil {
		return answer{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return answer{}, fmt.Errorf("asking: %w", err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return answer{}, fmt.Errorf("reading the answer: %w", err)
	}
	return answer{tls: response.TLS, status: response.StatusCode, header: response.Header, body: body}, nil
}

// told puts the answer into words.
func (a answer) told() string {
	if location := a.header.Get("Location"); location != "" {
		return fmt.Sprintf("%d %s", a.status, location)
	}
	var got seen
	if err := json.Unmarshal(a.body, &got); err != nil || got.Pod == "" {
		return strings.TrimSpace(fmt.Sprintf("%d %s %s", a.status, a.header.Get("Content-Type"), plain(a.body)))
	}
	text := fmt.Sprintf("%s: %s %s%s", got.Pod, got.Method, got.Host, got.Path)
	if got.TLS != nil {
		text += " over TLS"
	}
	if got.Proto != "HTTP/1.1" {
		text += " by " + got.Proto
	}
	return text
}

// plain leaves out the pages that load balancers make, whose words are not ours.
func plain(body []byte) string {
	if strings.HasPrefix(string(body), "<html>") {
		return ""
	}
	return string(body)
}

// pod is who answers a request; the whole answer where no pod does.
func (c *client) pod(a ask) string {
	c.stage.t.Helper()
	name, _, ok := strings.Cut(c.ask(a), ": ")
	if !ok {
		return c.ask(a)
	}
	return name
}

// check asks all, each as a client of its own.
func (s *stage) check(t *testing.T, asks []ask) {
	t.Helper()
	for _, a := range asks {
		if got := s.newClient(a.from).ask(a); got != a.want {
			t.Errorf("%s %s (from %s)\n got %s\nwant %s", a.to, a.header, a.from, got, a.want)
		}
	}
}
