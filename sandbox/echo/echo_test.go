package echo_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/websocket"
	"github.com/miekg/dns"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"

	"github.com/headgate/headgate/sandbox/echo"
)

// reply is the part of the contract's JSON that the tests look at.
type reply struct {
	Path      string              `json:"path"`
	Host      string              `json:"host"`
	Method    string              `json:"method"`
	Proto     string              `json:"proto"`
	HTTPPort  string              `json:"httpPort"`
	Namespace string              `json:"namespace"`
	Ingress   string              `json:"ingress"`
	Service   string              `json:"service"`
	Pod       string              `json:"pod"`
	Headers   map[string][]string `json:"headers"`
	TLS       *struct {
		Version    string `json:"version"`
		ServerName string `json:"serverName"`
	} `json:"tls"`
}

// response is an answer of HTTP, read to its end.
type response struct {
	status int
	header http.Header
	body   []byte
}

func TestHTTPTellsWhatItReceived(t *testing.T) {
	server := newServer(t)
	got := server.get(t, "http://"+server.listen(t, echo.HTTP, 3000)+"/a//b?c=d", http.Header{
		"X-Test": {"1"}, "X-Echo-Set-Header": {"x-lower:1, X-Two:a,X-Two:b"},
	})
	told := decode(t, got)
	want := reply{
		Path: "/a//b?c=d", Host: "shop.example.test", Method: "GET", Proto: "HTTP/1.1", HTTPPort: "3000",
		Namespace: "team", Ingress: "in", Service: "cart", Pod: "cart-abc-xyz", Headers: told.Headers,
	}
	if diff := cmp.Diff(want, told); diff != "" {
		t.Errorf("answer (-want +got):\n%s", diff)
	}
	if told.Headers["X-Test"][0] != "1" {
		t.Errorf("headers %v lack the one sent", told.Headers)
	}
	if got.header.Get("Content-Type") != "application/json" {
		t.Errorf("content type %q", got.header.Get("Content-Type"))
	}
	if got.header.Get("X-Lower") != "1" || got.header.Get("X-Two") != "a,b" {
		t.Errorf("asked for headers, got %v", got.header)
	}
	if log := server.log.String(); !strings.Contains(log, "Echoing back request made to /a//b?c=d to client (127.0.0.1:") {
		t.Errorf("log %q lacks the request", log)
	}
}

func TestStatusOfTheContractsPaths(t *testing.T) {
	server := newServer(t)
	base := "http://" + server.listen(t, echo.HTTP, 3000)
	for _, row := range []struct {
		why, path string
		want      int
	}{
		{why: "health checks", path: "/health", want: 200},
		{why: "a wanted status", path: "/status/418", want: 418},
		{why: "what is no status", path: "/status/abc", want: 400},
		{why: "an informational status is no answer", path: "/status/100", want: 400},
		{why: "a short wait", path: "/?delay=1ms", want: 200},
		{why: "a wait that cannot be read", path: "/?delay=long", want: 500},
		{why: "first attempt fails", path: "/retry/x?uuid=u&succeedAfter=1&responseCode=503", want: 503},
		{why: "second attempt of the same request", path: "/retry/x?uuid=u&succeedAfter=1&responseCode=503", want: 200},
		{why: "retry needs to know which request", path: "/retry/x?succeedAfter=1", want: 400},
		{why: "any path is echoed", path: "/any/thing/../at%20all", want: 200},
	} {
		if got := server.get(t, base+row.path, nil); got.status != row.want {
			t.Errorf("%s: %s gave %d, want %d", row.why, row.path, got.status, row.want)
		}
	}
}

func TestRetryBreaksTheConnection(t *testing.T) {
	server := newServer(t)
	connection := dial(t, server.listen(t, echo.HTTP, 3000))
	if _, err := io.WriteString(connection, "GET /retry/?uuid=1&succeedAfter=1 HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadAll(connection); !errors.Is(err, syscall.ECONNRESET) {
		t.Errorf("reading gave %v, want a reset", err)
	}
}

func TestProtocolsOfTheHTTPKinds(t *testing.T) {
	clear1, clear2, secure := new(http.Protocols), new(http.Protocols), new(http.Protocols)
	clear1.SetHTTP1(true)
	clear2.SetUnencryptedHTTP2(true)
	secure.SetHTTP2(true)
	for _, row := range []struct {
		why       string
		kind      echo.Kind
		scheme    string
		protocols *http.Protocols
		status    int
		proto     string
	}{
		{why: "h2c port", kind: echo.H2C, scheme: "http", protocols: clear2, status: 200, proto: "HTTP/2.0"},
		{why: "h2c port refuses HTTP/1.1", kind: echo.H2C, scheme: "http", protocols: clear1, status: 400},
		{why: "HTTPS port, HTTP/1.1", kind: echo.HTTPS, scheme: "https", protocols: clear1, status: 200, proto: "HTTP/1.1"},
		{why: "HTTPS port, HTTP/2", kind: echo.HTTPS, scheme: "https", protocols: secure, status: 200, proto: "HTTP/2.0"},
		{why: "any port, HTTP/1.1", kind: echo.Any, scheme: "http", protocols: clear1, status: 200, proto: "HTTP/1.1"},
		{why: "any port, h2c", kind: echo.Any, scheme: "http", protocols: clear2, status: 200, proto: "HTTP/2.0"},
		{why: "any port, TLS, HTTP/1.1", kind: echo.Any, scheme: "https", protocols: clear1, status: 200, proto: "HTTP/1.1"},
		{why: "any port, TLS, HTTP/2", kind: echo.Any, scheme: "https", protocols: secure, status: 200, proto: "HTTP/2.0"},
	} {
		t.Run(row.why, func(t *testing.T) {
			server := newServer(t)
			server.transport.Protocols = row.protocols
			got := server.get(t, row.scheme+"://"+server.listen(t, row.kind, 8443)+"/", nil)
			if got.status != row.status {
				t.Fatalf("status %d, want %d", got.status, row.status)
			}
			if row.status != http.StatusOK {
				return
			}
			told := decode(t, got)
			if told.Proto != row.proto {
				t.Errorf("pod saw %s, want %s", told.Proto, row.proto)
			}
			if secure := told.TLS != nil; secure != (row.scheme == "https") {
				t.Errorf("pod saw TLS %t", secure)
			}
			if told.TLS != nil && (told.TLS.Version != "TLSv1.3" || told.TLS.ServerName != "cart.example.test") {
				t.Errorf("pod saw of TLS: %+v", *told.TLS)
			}
		})
	}
}

func TestPlainHTTPPortDoesNotSpeakHTTP2(t *testing.T) {
	server := newServer(t)
	server.transport.Protocols = new(http.Protocols)
	server.transport.Protocols.SetUnencryptedHTTP2(true)
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+server.listen(t, echo.HTTP, 3000), http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	response, err := server.client().Do(request)
	if err == nil {
		t.Errorf("answered %s: %v", response.Status, response.Body.Close())
	}
}

func TestGRPC(t *testing.T) {
	config := clientTLS()
	config.ServerName = "grpc.example.test"
	unverified := credentials.NewTLS(config)
	for _, row := range []struct {
		why    string
		kind   echo.Kind
		creds  credentials.TransportCredentials
		secure bool
	}{
		{why: "in the clear", kind: echo.GRPC, creds: insecure.NewCredentials()},
		{why: "over TLS", kind: echo.GRPCS, creds: unverified, secure: true},
		{why: "any port, in the clear", kind: echo.Any, creds: insecure.NewCredentials()},
		{why: "any port, over TLS", kind: echo.Any, creds: unverified, secure: true},
	} {
		t.Run(row.why, func(t *testing.T) {
			server := newServer(t)
			connection, err := grpc.NewClient(server.listen(t, row.kind, 50051), grpc.WithTransportCredentials(row.creds), grpc.WithAuthority("grpc.example.test"))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = connection.Close() }()
			client := pb.NewGrpcEchoClient(connection)
			ctx := metadata.AppendToOutgoingContext(t.Context(), "x-test", "1")
			got, err := client.EchoTwo(ctx, &pb.EchoRequest{})
			if err != nil {
				t.Fatal(err)
			}
			seen := got.GetAssertions()
			if seen.GetFullyQualifiedMethod() != pb.GrpcEcho_EchoTwo_FullMethodName || seen.GetContext().GetPod() != "cart-abc-xyz" {
				t.Errorf("assertions %v", seen)
			}
			if seen.GetAuthority() != "grpc.example.test" {
				t.Errorf("authority %q", seen.GetAuthority())
			}
			if secure := seen.GetTlsAssertions() != nil; secure != row.secure {
				t.Errorf("pod saw TLS %t", secure)
			}
			if _, err := client.EchoThree(ctx, &pb.EchoRequest{}); status.Code(err) != codes.Unimplemented {
				t.Errorf("EchoThree gave %v", err)
			}
		})
	}
}

func TestWebSocketEchoes(t *testing.T) {
	for _, row := range []struct {
		why, path string
		kind      echo.Kind
		upgraded  bool
	}{
		{why: "the contract's path", path: "/ws", kind: echo.HTTP, upgraded: true},
		{why: "only that path by the contract", path: "/chat", kind: echo.HTTP},
		{why: "a stranger's application has its own path", path: "/chat", kind: echo.Any, upgraded: true},
	} {
		server := newServer(t)
		address := server.listen(t, row.kind, 3000)
		connection, response, err := websocket.DefaultDialer.DialContext(t.Context(), "ws://"+address+row.path, nil)
		if upgraded := err == nil; upgraded != row.upgraded {
			t.Errorf("%s: upgraded %t: %v", row.why, upgraded, err)
		}
		if response != nil {
			_ = response.Body.Close()
		}
		if err != nil {
			continue
		}
		if err := connection.WriteMessage(websocket.TextMessage, []byte("hello")); err != nil {
			t.Fatal(err)
		}
		if _, got, err := connection.ReadMessage(); err != nil || string(got) != "hello" {
			t.Errorf("%s: got %q, %v", row.why, got, err)
		}
		server.close(t)
		if _, _, err := connection.ReadMessage(); err == nil {
			t.Errorf("%s: the connection outlived the pod", row.why)
		}
	}
}

func TestLinesOverTCPAndTLS(t *testing.T) {
	for _, kind := range []echo.Kind{echo.TCP, echo.TLS} {
		server := newServer(t)
		connection := dial(t, server.listen(t, kind, 9000))
		if kind == echo.TLS {
			connection = tls.Client(connection, clientTLS())
		}
		lines := bufio.NewReader(connection)
		if got := readLine(t, lines); got != "Gateway API Test TCP Server" {
			t.Errorf("welcome %q", got)
		}
		if _, err := io.WriteString(connection, "PING\nnonsense\nIS_TLS\nTEST\n"); err != nil {
			t.Fatal(err)
		}
		if got, want := readLine(t, lines)+" "+readLine(t, lines), fmt.Sprint("PONG ", kind == echo.TLS); got != want {
			t.Errorf("answers %q, want %q", got, want)
		}
		var told struct {
			Pod     string `json:"pod"`
			IsTLS   bool   `json:"isTLS"`
			TCPPort string `json:"tcpport"`
		}
		if err := json.Unmarshal([]byte(readLine(t, lines)), &told); err != nil {
			t.Fatal(err)
		}
		if told.Pod != "cart-abc-xyz" || told.IsTLS != (kind == echo.TLS) || told.TCPPort != "9000" {
			t.Errorf("TEST told %+v", told)
		}
		server.close(t)
		if _, err := lines.ReadString('\n'); err == nil {
			t.Error("the connection outlived the pod")
		}
	}
}

func TestDatagrams(t *testing.T) {
	server := newServer(t)
	connection, err := new(net.Dialer).DialContext(t.Context(), "udp", server.listen(t, echo.UDP, 8080))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = connection.Close() }()
	if _, err := io.WriteString(connection, "hello"); err != nil {
		t.Fatal(err)
	}
	buffer := make([]byte, 1024)
	n, err := connection.Read(buffer)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"request":"hello","namespace":"team","ingress":"in","service":"cart","pod":"cart-abc-xyz"}`
	if got := string(buffer[:n]); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDNSAnswersQueries(t *testing.T) {
	server := newServer(t)
	query := new(dns.Msg).SetQuestion("foo.example.test.", dns.TypeA)
	got, err := dns.ExchangeContext(t.Context(), query, server.listen(t, echo.DNS, 53))
	if err != nil || len(got.Answer) != 1 {
		t.Errorf("got %v, %v", got, err)
	}
}

func TestOneNumberForTCPAndUDP(t *testing.T) {
	server := newServer(t)
	address := server.listen(t, echo.Any, 5000)
	if got, err := server.echo.Listen(t.Context(), echo.UDP, 5000, address); err != nil || got != address {
		t.Errorf("UDP listens on %s, %v; want %s", got, err, address)
	}
}

func TestShutdownLetsAnswersFinishAndCloseCutsThemOff(t *testing.T) {
	for _, row := range []struct {
		why      string
		shutdown func(*echo.Echo) error
		answered bool
	}{
		{why: "shutdown waits", shutdown: func(e *echo.Echo) error { return e.Shutdown(context.Background()) }, answered: true},
		{why: "close does not", shutdown: (*echo.Echo).Close},
	} {
		server := newServer(t)
		address := server.listen(t, echo.Any, 80)
		connection := dial(t, address)
		idle := dial(t, address)
		if _, err := io.WriteString(connection, "GET /?delay=50ms HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		<-server.log.wrote
		if err := row.shutdown(server.echo); err != nil {
			t.Errorf("%s: %v", row.why, err)
		}
		answer, err := io.ReadAll(connection)
		if answered := err == nil && bytes.HasPrefix(answer, []byte("HTTP/1.1 200")); answered != row.answered {
			t.Errorf("%s: answered %t: %q, %v", row.why, answered, answer, err)
		}
		if _, err := idle.Read(make([]byte, 1)); err == nil {
			t.Errorf("%s: an idle connection outlived the pod", row.why)
		}
		if again, err := new(net.Dialer).DialContext(t.Context(), "tcp", address); err == nil {
			t.Errorf("%s: still listening: %v", row.why, again.Close())
		}
	}
}

// testServer is an Echo with a client.
type testServer struct {
	echo      *echo.Echo
	log       *logBuffer
	transport *http.Transport
}

func newServer(t *testing.T) *testServer {
	t.Helper()
	log := &logBuffer{wrote: make(chan struct{}, 100)}
	e, err := echo.New(echo.Config{Namespace: "team", Ingress: "in", Service: "cart", Pod: "cart-abc-xyz", Log: log})
	if err != nil {
		t.Fatal(err)
	}
	server := &testServer{echo: e, log: log, transport: &http.Transport{TLSClientConfig: clientTLS()}}
	t.Cleanup(func() {
		server.transport.CloseIdleConnections()
		server.close(t)
	})
	return server
}

func (s *testServer) close(t *testing.T) {
	t.Helper()
	if err := s.echo.Close(); err != nil {
		t.Error(err)
	}
}

func (s *testServer) listen(t *testing.T, kind echo.Kind, number int) string {
	t.Helper()
	address, err := s.echo.Listen(t.Context(), kind, number, "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func (s *testServer) client() *http.Client { return &http.Client{Transport: s.transport} }

// get sends a request for the host shop.example.test and returns the answer with its body read ahead.
func (s *testServer) get(t *testing.T, url string, headers http.Header) response {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	request.Host = "shop.example.test"
	if headers != nil {
		request.Header = headers
	}
	answer, err := s.client().Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response{status: answer.StatusCode, header: answer.Header, body: body}
}

func decode(t *testing.T, from response) reply {
	t.Helper()
	var got reply
	if err := json.Unmarshal(from.body, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

// clientTLS trusts anybody, as a load balancer trusts its targets.
func clientTLS() *tls.Config {
	return &tls.Config{InsecureSkipVerify: true, ServerName: "cart.example.test"}
}

func dial(t *testing.T, address string) net.Conn {
	t.Helper()
	connection, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}

func readLine(t *testing.T, lines *bufio.Reader) string {
	t.Helper()
	line, err := lines.ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSuffix(line, "\n")
}

// logBuffer keeps the log and tells when something was written.
type logBuffer struct {
	wrote chan struct{}
	mu    sync.Mutex
	text  strings.Builder
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case b.wrote <- struct{}{}:
	default:
	}
	return b.text.Write(p)
}

func (b *logBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.String()
}
