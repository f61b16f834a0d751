package echo

import (
	"context"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/reflection"
	"google.golang.org/grpc/status"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"
)

// calls is the echo service of the conformance suite. EchoThree stays unimplemented, as the suite wants it.
type calls struct {
	pb.UnimplementedGrpcEchoServer
	echo *Echo
}

// grpcServer is to be used as an http.Handler, so that one port can serve gRPC and HTTP.
func (e *Echo) grpcServer() *grpc.Server {
	server := grpc.NewServer()
	pb.RegisterGrpcEchoServer(server, calls{echo: e})
	reflection.Register(server)
	return server
}

// Echo tells what was received.
func (c calls) Echo(ctx context.Context, request *pb.EchoRequest) (*pb.EchoResponse, error) {
	return c.answer(ctx, request, pb.GrpcEcho_Echo_FullMethodName)
}

// EchoTwo is a second method that does the same.
func (c calls) EchoTwo(ctx context.Context, request *pb.EchoRequest) (*pb.EchoResponse, error) {
	return c.answer(ctx, request, pb.GrpcEcho_EchoTwo_FullMethodName)
}

func (c calls) answer(ctx context.Context, request *pb.EchoRequest, method string) (*pb.EchoResponse, error) {
	received, ok := metadata.FromIncomingContext(ctx)
	if !ok {
		return nil, status.Error(codes.Internal, "the call has no metadata")
	}
	from, ok := peer.FromContext(ctx)
	if !ok {
		return nil, status.Error(codes.Internal, "the call has no peer")
	}
	c.echo.logf("Echoing back request made to %s to client (%s)", method, from.Addr)
	assertions := &pb.Assertions{
		FullyQualifiedMethod: method,
		Headers:              headersOf(received),
		TlsAssertions:        c.tls(from),
		Context: &pb.Context{
			Namespace: c.echo.config.Namespace, Ingress: c.echo.config.Ingress,
			ServiceName: c.echo.config.Service, Pod: c.echo.config.Pod,
		},
	}
	if authority := received.Get(":authority"); len(authority) > 0 {
		assertions.Authority = authority[0]
	}
	return &pb.EchoResponse{Assertions: assertions, Request: request}, nil
}

func headersOf(received metadata.MD) []*pb.Header {
	var headers []*pb.Header
	for key, values := range received {
		for _, value := range values {
			headers = append(headers, &pb.Header{Key: key, Value: value})
		}
	}
	return headers
}

// tls is nil for a call in the clear.
func (calls) tls(from *peer.Peer) *pb.TLSAssertions {
	info, ok := from.AuthInfo.(credentials.TLSInfo)
	if !ok {
		return nil
	}
	seen := tlsAnswerOf(&info.State)
	return &pb.TLSAssertions{
		Version: seen.Version, NegotiatedProtocol: seen.NegotiatedProtocol, ServerName: seen.ServerName,
		CipherSuite: seen.CipherSuite, PeerCertificates: seen.PeerCertificates,
	}
}
