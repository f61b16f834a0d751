package fabric

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// echo is a gRPC server that answers each message with itself, and fails a method.
func echo(t *testing.T) *httptest.Server {
	t.Helper()
	l, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer(grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		if method, _ := grpc.MethodFromServerStream(stream); method == "/echo.Echo/Fail" {
			return status.Error(codes.PermissionDenied, "not you")
		}
		stream.SetTrailer(metadata.Pairs("said", "so"))
		for {
			m := &wrapperspb.StringValue{}
			if err := stream.RecvMsg(m); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return fmt.Errorf("receiving: %w", err)
			}
			if err := stream.SendMsg(m); err != nil {
				return fmt.Errorf("sending: %w", err)
			}
		}
	}))
	go func() { _ = s.Serve(l) }()
	t.Cleanup(s.Stop)
	return &httptest.Server{Listener: l}
}

func TestGRPC(t *testing.T) {
	t.Parallel()
	w := start(t)
	w.group("echo", "GRPC", echo(t))
	w.listen(types.ListenerProtocolHttps, nil, Rule{Action: forward("echo")})
	client, err := grpc.NewClient("passthrough:///"+domain, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
		InsecureSkipVerify: true, ServerName: domain,
	})), grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", w.at.String())
	}))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	stream, err := client.NewStream(t.Context(), &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}, "/echo.Echo/Say")
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"one", "two"} {
		var got wrapperspb.StringValue
		if err := errors.Join(stream.SendMsg(wrapperspb.String(text)), stream.RecvMsg(&got)); err != nil || got.GetValue() != text {
			t.Fatalf("%q, %v", got.GetValue(), err)
		}
	}
	var none wrapperspb.StringValue
	if err := errors.Join(stream.CloseSend(), stream.RecvMsg(&none)); !errors.Is(err, io.EOF) || fmt.Sprint(stream.Trailer()["said"]) != "[so]" {
		t.Errorf("the end: %v, %v", err, stream.Trailer())
	}
	err = client.Invoke(t.Context(), "/echo.Echo/Fail", wrapperspb.String("x"), &none)
	if status.Code(err) != codes.PermissionDenied {
		t.Error(err)
	}
}

// TestTimesEnd takes the times as they are at full speed, and at one at which they are the shortest.
func TestTimesEnd(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		speed float64
		want  [2]time.Duration
	}{{1, [2]time.Duration{time.Minute, 10 * time.Minute}}, {1000, [2]time.Duration{floor, floor}}} {
		s := New(Options{Speed: row.speed})
		if got := [2]time.Duration{s.idle, s.life}; got != row.want {
			t.Errorf("at speed %v: %v, want %v", row.speed, got, row.want)
		}
	}
	w := start(t)
	w.fabric.patience = time.Millisecond
	w.target("slow", func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: forward("slow")})
	if got := w.ask(w.client(nil), "GET http://"+name+"/"); got != "504" {
		t.Errorf("a target that says nothing: %s", got)
	}
	w = start(t)
	w.fabric.life = time.Millisecond
	w.listen(types.ListenerProtocolHttp, nil, Rule{Action: fixed(404)})
	c, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", w.at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if n, err := c.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a connection past its life: %d, %v", n, err)
	}
}
