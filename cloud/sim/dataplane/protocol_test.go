package dataplane

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// clearBackend is a target that speaks HTTP/2 in clear only.
func clearBackend(t testing.TB, handler http.HandlerFunc) string {
	t.Helper()
	server := httptest.NewUnstartedServer(handler)
	server.Config.Protocols = new(http.Protocols)
	server.Config.Protocols.SetUnencryptedHTTP2(true)
	server.Start()
	t.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func speaking(version string) func(*TargetGroup) {
	return func(g *TargetGroup) { g.Settings.ProtocolVersion = aws.String(version) }
}

func TestProtocolMatrix(t *testing.T) {
	t.Parallel()
	show := func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }
	w := newWorld(t, Options{})
	w.group("group/HTTP1", nil, newBackend(t, "", show).address)
	second := clearBackend(t, show)
	w.group("group/HTTP2", speaking(versionHTTP2), second)
	w.group("group/GRPC", speaking(versionGRPC), second)
	var rules []Rule
	for _, version := range []string{versionHTTP1, versionHTTP2, versionGRPC} {
		rules = append(rules, Rule{
			ARN: version, Conditions: []elbtypes.RuleCondition{paths("/" + version)}, Actions: []elbtypes.Action{forwardTo("group/" + version)},
		})
	}
	at := w.listen("HTTPS", rules...)
	w.secure("", selfSigned(t, curve(t), "x"))
	for _, row := range []struct {
		why, method, client, contentType, version, want string
	}{
		{"1.1 to 1.1", "GET", "http/1.1", "", versionHTTP1, "200 HTTP/1.1"},
		{"2 to 1.1", "GET", "h2", "", versionHTTP1, "200 HTTP/1.1"},
		{"gRPC to 1.1", "POST", "h2", "application/grpc", versionHTTP1, "464"},
		{"1.1 to 2", "GET", "http/1.1", "", versionHTTP2, "464"},
		{"2 to 2", "GET", "h2", "", versionHTTP2, "200 HTTP/2.0"},
		{"gRPC to 2", "POST", "h2", "application/grpc+proto", versionHTTP2, "200 HTTP/2.0"},
		{"1.1 to gRPC", "POST", "http/1.1", "", versionGRPC, "464"},
		{"2 to gRPC with GET", "GET", "h2", "", versionGRPC, "464"},
		{"2 to gRPC with POST", "POST", "h2", "", versionGRPC, "200 HTTP/2.0"},
		{"gRPC to gRPC", "POST", "h2", "application/grpc", versionGRPC, "200 HTTP/2.0"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got := send(t, client(t, row.client), "https://"+at+"/"+row.version, func(r *http.Request) {
				r.Method = row.method
				if row.contentType != "" {
					r.Header.Set("Content-Type", row.contentType)
				}
			})
			if text := fmt.Sprint(got.StatusCode, " ", got.body); !strings.HasPrefix(text, row.want) {
				t.Errorf("got %q, want %q", text, row.want)
			}
		})
	}
}

func TestBodiesAndTrailersPass(t *testing.T) {
	t.Parallel()
	echo := func(w http.ResponseWriter, r *http.Request) {
		if err := http.NewResponseController(w).EnableFullDuplex(); err != nil {
			panic(err)
		}
		w.Header().Set("Trailer", "X-Said")
		if _, err := io.Copy(w, r.Body); err != nil {
			panic(err)
		}
		w.Header().Set("X-Said", r.Trailer.Get("X-Asked"))
		w.Header().Set(http.TrailerPrefix+"X-Unsaid", "late")
	}
	w := newWorld(t, Options{})
	w.group("group/HTTP1", nil, newBackend(t, "", echo).address)
	w.group("group/HTTP2", speaking(versionHTTP2), clearBackend(t, echo))
	at := w.listen("HTTPS",
		Rule{ARN: "1", Conditions: []elbtypes.RuleCondition{paths("/1")}, Actions: []elbtypes.Action{forwardTo("group/HTTP1")}},
		Rule{ARN: "2", Conditions: []elbtypes.RuleCondition{paths("/2")}, Actions: []elbtypes.Action{forwardTo("group/HTTP2")}},
	)
	w.secure("", selfSigned(t, curve(t), "x"))
	large := bytes.Repeat([]byte("0123456789abcdef"), 1<<14)
	for _, row := range []struct{ why, client, path string }{
		{"1.1 to 1.1", "http/1.1", "/1"},
		{"2 to 1.1", "h2", "/1"},
		{"2 to 2", "h2", "/2"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			got := send(t, client(t, row.client), "https://"+at+row.path, func(r *http.Request) {
				r.Method, r.ContentLength = http.MethodPost, -1
				r.Body = io.NopCloser(bytes.NewReader(large))
				r.Trailer = http.Header{"X-Asked": {"yes"}}
			})
			if got.body != string(large) {
				t.Errorf("%d bytes came back of %d", len(got.body), len(large))
			}
			if got.Trailer.Get("X-Said") != "yes" || got.Trailer.Get("X-Unsaid") != "late" {
				t.Errorf("trailers %v", got.Trailer)
			}
		})
	}
}

func TestStreamsPassAsTheyCome(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	more := make(chan struct{})
	b := newBackend(t, "", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for range 2 {
			fmt.Fprint(w, "data\n")
			if err := http.NewResponseController(w).Flush(); err != nil {
				panic(err)
			}
			<-more
		}
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at, http.NoBody)
	if err != nil {
		t.Fatal(err)
	}
	res, err := client(t).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer closeBody(res.Body)
	for range 2 {
		if _, err := io.ReadFull(res.Body, make([]byte, 5)); err != nil {
			t.Fatal(err)
		}
		more <- struct{}{}
	}
}

// grpcBackend is a gRPC server that echoes strings of any method; the last element of the method may name a status to end with.
func grpcBackend(t testing.TB) string {
	t.Helper()
	var c net.ListenConfig
	l, err := c.Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		method, _ := grpc.MethodFromServerStream(stream)
		switch method {
		case "/AWS.ALB/healthcheck":
			return status.Error(codes.Unimplemented, "unknown service")
		case "/echo.Echo/Fail":
			return status.Error(codes.PermissionDenied, "not you")
		}
		in, _ := metadata.FromIncomingContext(stream.Context())
		stream.SetTrailer(metadata.Pairs("said", strings.Join(in.Get("asked"), ",")))
		for {
			m := &wrapperspb.StringValue{}
			err := stream.RecvMsg(m)
			if errors.Is(err, io.EOF) {
				return nil
			}
			if err != nil {
				return fmt.Errorf("receiving: %w", err)
			}
			if err := stream.SendMsg(m); err != nil {
				return fmt.Errorf("sending: %w", err)
			}
		}
	}))
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return l.Addr().String()
}

func dialGRPC(t testing.TB, address string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closeBody(c) })
	return c
}

func grpcWorld(t *testing.T) *grpc.ClientConn {
	t.Helper()
	w := newWorld(t, Options{})
	w.group(groupARN, func(g *TargetGroup) {
		g.Settings.ProtocolVersion = aws.String(versionGRPC)
		g.Settings.Matcher, g.Settings.HealthCheckPath = nil, nil
	}, grpcBackend(t))
	at := w.listen("HTTPS", Rule{ARN: "echo", Conditions: []elbtypes.RuleCondition{paths("/echo.Echo/*")}, Actions: []elbtypes.Action{forwardTo(groupARN)}},
		always(fixedAction("404", "")))
	w.secure("", selfSigned(t, curve(t), "x"))
	w.await(groupARN, elbtypes.TargetHealthStateEnumHealthy)
	return dialGRPC(t, at)
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	c := grpcWorld(t)
	t.Run("a unary call with metadata and trailers", func(t *testing.T) {
		t.Parallel()
		ctx := metadata.AppendToOutgoingContext(t.Context(), "asked", "yes")
		out, trailer := &wrapperspb.StringValue{}, metadata.MD{}
		if err := c.Invoke(ctx, "/echo.Echo/Say", wrapperspb.String("hello"), out, grpc.Trailer(&trailer)); err != nil {
			t.Fatal(err)
		}
		if out.GetValue() != "hello" || strings.Join(trailer.Get("said"), "") != "yes" {
			t.Errorf("got %q, trailers %v", out.GetValue(), trailer)
		}
	})
	t.Run("a status without messages", func(t *testing.T) {
		t.Parallel()
		err := c.Invoke(t.Context(), "/echo.Echo/Fail", wrapperspb.String(""), &wrapperspb.StringValue{})
		if status.Code(err) != codes.PermissionDenied {
			t.Errorf("error %v", err)
		}
	})
	t.Run("a rule by path", func(t *testing.T) {
		t.Parallel()
		err := c.Invoke(t.Context(), "/other.Other/Say", wrapperspb.String(""), &wrapperspb.StringValue{})
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("error %v, want what HTTP 404 means", err)
		}
	})
	t.Run("streams in both directions at once", func(t *testing.T) {
		t.Parallel()
		stream, err := c.NewStream(t.Context(), &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, "/echo.Echo/Chat")
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range []string{"one", "two", "three"} {
			out := &wrapperspb.StringValue{}
			if err := errors.Join(stream.SendMsg(wrapperspb.String(word)), stream.RecvMsg(out)); err != nil {
				t.Fatal(err)
			}
			if out.GetValue() != word {
				t.Errorf("got %q, want %q", out.GetValue(), word)
			}
		}
		if err := stream.CloseSend(); err != nil {
			t.Fatal(err)
		}
		if err := stream.RecvMsg(&wrapperspb.StringValue{}); !errors.Is(err, io.EOF) {
			t.Errorf("the end is %v", err)
		}
	})
}

func TestGRPCProbes(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		why, codes string
		want       elbtypes.TargetHealthStateEnum
	}{
		{"the status of the default matcher", "12", elbtypes.TargetHealthStateEnumHealthy},
		{"a range", "0,10-12", elbtypes.TargetHealthStateEnumHealthy},
		{"another status", "0", elbtypes.TargetHealthStateEnumUnhealthy},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.group(groupARN, func(g *TargetGroup) {
				g.Settings.ProtocolVersion, g.Settings.HealthCheckPath = aws.String(versionGRPC), aws.String("/AWS.ALB/healthcheck")
				g.Settings.Matcher = &elbtypes.Matcher{GrpcCode: aws.String(row.codes)}
			}, grpcBackend(t))
			w.apply()
			w.await(groupARN, row.want)
			if row.want == elbtypes.TargetHealthStateEnumUnhealthy && w.states(groupARN)[0].Description != "Health checks failed with these codes: [12]" {
				t.Errorf("health %+v", w.states(groupARN))
			}
		})
	}
}

// socketBackend echoes the messages of a WebSocket.
func socketBackend(t testing.TB) string {
	t.Helper()
	return newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		upgrader := websocket.Upgrader{Subprotocols: []string{"echo"}, CheckOrigin: func(*http.Request) bool { return true }}
		conn, err := upgrader.Upgrade(w, r, http.Header{"X-Forwarded-Proto": {r.Header.Get("X-Forwarded-Proto")}})
		if err != nil {
			return
		}
		defer closeBody(conn)
		for {
			kind, message, err := conn.ReadMessage()
			if err != nil {
				return
			}
			if err := conn.WriteMessage(kind, message); err != nil {
				return
			}
		}
	}).address
}

func dialSocket(t testing.TB, url string) (*websocket.Conn, *http.Response, error) {
	t.Helper()
	d := websocket.Dialer{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, Subprotocols: []string{"echo"}}
	conn, res, err := d.DialContext(t.Context(), url, nil)
	if err != nil {
		return nil, res, fmt.Errorf("dialling: %w", err)
	}
	t.Cleanup(func() { closeBody(conn) })
	return conn, res, nil
}

func TestWebSockets(t *testing.T) {
	t.Parallel()
	for _, protocol := range []string{"HTTP", "HTTPS"} {
		t.Run(protocol, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			w.group(groupARN, nil, socketBackend(t))
			at := w.listen(protocol, always(forwardTo(groupARN)))
			scheme := "ws://"
			if protocol == "HTTPS" {
				scheme = "wss://"
				w.secure("", selfSigned(t, curve(t), "x"))
			}
			conn, res, err := dialSocket(t, scheme+at+"/ws")
			if err != nil {
				t.Fatal(err)
			}
			if conn.Subprotocol() != "echo" || res.Header.Get("X-Forwarded-Proto") != strings.ToLower(protocol) {
				t.Errorf("subprotocol %q, headers %v", conn.Subprotocol(), res.Header)
			}
			for _, message := range []string{"one", strings.Repeat("two", 50000)} {
				if err := conn.WriteMessage(websocket.TextMessage, []byte(message)); err != nil {
					t.Fatal(err)
				}
				_, got, err := conn.ReadMessage()
				if err != nil || string(got) != message {
					t.Fatalf("%d bytes and %v came back for %d", len(got), err, len(message))
				}
			}
			if err := conn.WriteMessage(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, "")); err != nil {
				t.Fatal(err)
			}
			if _, _, err := conn.ReadMessage(); !websocket.IsCloseError(err, websocket.CloseNormalClosure) {
				t.Errorf("the end is %v", err)
			}
		})
	}
}

func TestAWebSocketThatATargetRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, newBackend(t, "no", nil).address)
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	_, res, err := dialSocket(t, "ws://"+at)
	if err == nil || res == nil || res.StatusCode != http.StatusOK {
		t.Errorf("got %v and %v, want the target's answer", res, err)
	}
}

func TestClosingEndsWebSockets(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, socketBackend(t))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	conn, _, err := dialSocket(t, "ws://"+at)
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := conn.ReadMessage(); err == nil {
		t.Error("the connection lives on")
	}
}

func TestATargetThatSwitchesProtocolsUnasked(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.group(groupARN, nil, rawBackend(t, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: chat\r\nConnection: Upgrade\r\n"))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	if got := get(t, "http://"+at).StatusCode; got != http.StatusBadGateway {
		t.Errorf("status %d", got)
	}
}

func TestIdleWebSocketsEnd(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.config.LoadBalancers[0].Attributes["idle_timeout.timeout_seconds"] = "1"
	w.group(groupARN, nil, socketBackend(t))
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	conn, _, err := dialSocket(t, "ws://"+at)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	if _, _, err := conn.ReadMessage(); err == nil || ctx.Err() != nil {
		t.Errorf("reading gave %v", err)
	}
}
