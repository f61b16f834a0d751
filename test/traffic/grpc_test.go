package traffic

import (
	"context"
	"crypto/x509"
	"net"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"k8s.io/apimachinery/pkg/types"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/gateway"
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

// callGateway has a GRPCRoute, and an HTTPRoute of the same host.
const callGateway = `{apiVersion: gateway.networking.k8s.io/v1, kind: GatewayClass, metadata: {name: alb}, spec: {controllerName: gateway.k8s.aws/alb}}
---
{apiVersion: gateway.k8s.aws/v1, kind: LoadBalancerConfiguration, metadata: {namespace: shop, name: edge},
  spec: {listenerConfigurations: [{protocolPort: "HTTPS:443", defaultCertificate: CERTIFICATE}]}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {namespace: shop, name: edge}
spec:
  gatewayClassName: alb
  infrastructure: {parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: edge}}
  listeners: [{name: https, protocol: HTTPS, port: 443, hostname: "*.example.com"}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: {namespace: shop, name: calls}
spec:
  parentRefs: [{name: edge}]
  hostnames: [grpc.example.com]
  rules:
  - backendRefs: [{name: a, port: 80}]
  - matches: [{method: {method: EchoTwo}}]
    backendRefs: [{name: b, port: 80}]
  - matches: [{method: {type: RegularExpression, service: ".*GrpcEcho", method: Echo}, headers: [{name: tier, value: gold}]}]
    backendRefs: [{name: c, port: 80}]
  - matches: [{headers: [{name: lost, value: "yes"}], method: {service: gateway_api_conformance.echo_basic.grpcecho.GrpcEcho}}]
    backendRefs: [{name: absent, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {namespace: shop, name: pages}
spec:
  parentRefs: [{name: edge}]
  hostnames: [grpc.example.com]
  rules: [{backendRefs: [{name: b, port: 80}]}]
`

// TestGRPCRoutes: calls of a gRPC client go where a GRPCRoute says, by service, method and metadata, and end with UNAVAILABLE where it has no
// backend. Requests of browsers for the same host go where an HTTPRoute says.
func TestGRPCRoutes(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{})
	for _, f := range s.apply(callGateway) {
		if f.Reason != "BackendNotFound" {
			t.Errorf("told: %v", f)
		}
	}
	s.register(gateway.Owner(cluster, types.NamespacedName{Namespace: "shop", Name: "edge"}), nil)
	calls := pb.NewGrpcEchoClient(s.dial(t, "grpc.example.com:443"))
	for _, row := range []struct {
		why      string
		metadata []string
		call     func(context.Context, *pb.EchoRequest, ...grpc.CallOption) (*pb.EchoResponse, error)
		want     string
	}{
		{"a rule without matches takes what no other does", nil, calls.Echo, "a"},
		{"a method", nil, calls.EchoTwo, "b"},
		{"expressions of service and method, and metadata", []string{"tier", "gold"}, calls.Echo, "c"},
		{"a service goes before a method, and no backend is UNAVAILABLE", []string{"lost", "yes"}, calls.EchoTwo, codes.Unavailable.String()},
	} {
		answer, err := row.call(metadata.AppendToOutgoingContext(t.Context(), row.metadata...), &pb.EchoRequest{})
		got := answer.GetAssertions().GetContext().GetPod()
		if err != nil {
			got = status.Code(err).String()
		}
		if got != row.want {
			t.Errorf("%s: %s, want %s (%v)", row.why, got, row.want, err)
		}
	}
	page := s.newClient("").ask(ask{to: "GET https://grpc.example.com/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/Echo"})
	if want := "b: GET grpc.example.com/gateway_api_conformance.echo_basic.grpcecho.GrpcEcho/Echo"; page != want {
		t.Errorf("a page of the same host: %q, want %q", page, want)
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
