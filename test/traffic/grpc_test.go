package traffic

import (
	"context"
	"crypto/x509"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"
)

// TestGRPC: calls of a gRPC client go by service and method to pods that speak gRPC, whose health is asked for by gRPC.
func TestGRPC(t *testing.T) {
	t.Parallel()
	s := open(t, []string{
		"backend-protocol-version: GRPC", `listen-ports: [{"HTTPS":443}]`, "certificate-arn: CERTIFICATE", "success-codes: 12",
	}, host("grpc.example.com", "Exact /gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/EchoTwo b", "Prefix / a"))
	calls := pb.NewGrpcEchoClient(s.dial(t, "grpc.example.com:443"))
	for _, row := range []struct {
		call func(context.Context, *pb.EchoRequest, ...grpc.CallOption) (*pb.EchoResponse, error)
		want string
	}{{calls.Echo, "a"}, {calls.EchoTwo, "b"}} {
		answer, err := row.call(t.Context(), &pb.EchoRequest{})
		if err != nil {
			t.Fatal(err)
		}
		got := answer.GetAssertions()
		if got.GetContext().GetPod() != row.want || got.GetAuthority() != "grpc.example.com" {
			t.Errorf("pod %s answered for %s, want %s for grpc.example.com", got.GetContext().GetPod(), got.GetAuthority(), row.want)
		}
	}
}

// dial connects a gRPC client with the load balancer.
func (s *stage) dial(t *testing.T, name string) *grpc.ClientConn {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(s.trust)
	// The port in the name of a request would count in the comparison with a rule's host.
	host, port, err := net.SplitHostPort(name)
	if err != nil {
		t.Fatal(err)
	}
	made, err := grpc.NewClient("passthrough:///"+name, grpc.WithAuthority(host),
		grpc.WithTransportCredentials(credentials.NewClientTLSFromCert(roots, "")),
		grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
			at, err := s.address(port)
			if err != nil {
				return nil, err
			}
			return (&net.Dialer{}).DialContext(ctx, "tcp", at)
		}))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = made.Close() })
	return made
}
