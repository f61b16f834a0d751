package dataplane

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// grpcBackend is a gRPC server that echoes strings of any method; the last element of the method may name a status to end with.
func grpcBackend(tb testing.TB) string {
	tb.Helper()
	var c net.ListenConfig
	l, err := c.Listen(tb.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
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
	tb.Cleanup(s.Stop)
	return l.Addr().String()
}

func dialGRPC(tb testing.TB, address string) *grpc.ClientConn {
	tb.Helper()
	c, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})))
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { closeBody(c) })
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
