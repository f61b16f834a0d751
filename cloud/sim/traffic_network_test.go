package sim_test

import (
	"bufio"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// networkBalancer makes a network load balancer in all zones.
func (f *fixture) networkBalancer(name string) elbtypes.LoadBalancer {
	f.Helper()
	return f.balancer(name, func(in *elb.CreateLoadBalancerInput) { in.Type = elbtypes.LoadBalancerTypeEnumNetwork })
}

// networkGroup makes a target group of a network load balancer that is probed often.
func (f *fixture) networkGroup(name string, change ...func(*elb.CreateTargetGroupInput)) *string {
	f.Helper()
	return f.group(name, append([]func(*elb.CreateTargetGroupInput){func(in *elb.CreateTargetGroupInput) {
		in.Protocol, in.ProtocolVersion, in.HealthCheckPath, in.Matcher = elbtypes.ProtocolEnumTcp, nil, nil, nil
		in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(2)
		in.HealthyThresholdCount = aws.Int32(2)
	}}, change...)...)
}

func (f *fixture) networkListener(lb elbtypes.LoadBalancer, protocol elbtypes.ProtocolEnum, group *string) {
	f.Helper()
	_, err := f.elb.CreateListener(f.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(80), Protocol: protocol, DefaultActions: forward(group),
	})
	contract.WantCode(f, err, "")
}

// located gives the address of the only load balancer with a name, and the port at which its listener on 80 is bound.
func (f *fixture) located(name string) string {
	f.Helper()
	for _, lb := range f.Sim.LoadBalancers() {
		if lb.Name == name {
			return net.JoinHostPort(lb.Address.String(), "20080")
		}
	}
	f.Fatalf("no load balancer %s", name)
	return ""
}

// greet connects and gives the line with which the other end greets.
func greet(t *testing.T, address string) string {
	t.Helper()
	conn, err := (&net.Dialer{}).DialContext(t.Context(), "tcp", address)
	if err != nil {
		return "no connection"
	}
	defer conn.Close()
	line, err := bufio.NewReader(conn).ReadString('\n')
	if err != nil {
		return "broken"
	}
	return strings.TrimSpace(line)
}

// greeter is a server that greets with the host of whoever connects.
func greeter(t *testing.T) string {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			host, _, _ := net.SplitHostPort(conn.RemoteAddr().String())
			fmt.Fprintf(conn, "hello %s\n", host)
			conn.Close()
		}
	}()
	t.Cleanup(func() { listener.Close() })
	return listener.Addr().String()
}

func TestNetworkTraffic(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	lb := f.networkBalancer("net")
	group := f.networkGroup("tcp")
	f.networkListener(lb, elbtypes.ProtocolEnumTcp, group)
	at := f.located("net")
	eventually(t, "broken", func() string { return greet(t, at) })

	actual := greeter(t)
	contract.WantCode(t, f.register(group, address("10.0.1.15", 8080)), "")
	eventually(t, "[10.0.1.15:8080 unhealthy Target.FailedHealthChecks]", func() string { return fmt.Sprint(f.health(group)) })
	if err := f.Sim.SetAddresses(map[string]*string{"10.0.1.15:8080": &actual}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "[10.0.1.15:8080 healthy]", func() string { return fmt.Sprint(f.health(group)) })
	host, _, _ := strings.Cut(at, ":")
	eventually(t, "hello "+host, func() string { return greet(t, at) })

	_, err := f.elb.ModifyTargetGroupAttributes(t.Context(), &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: group, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("preserve_client_ip.enabled"), Value: aws.String("true")}},
	})
	contract.WantCode(t, err, "")
	eventually(t, "hello 127.0.0.1", func() string { return greet(t, at) })
	_, err = f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	eventually(t, "no connection", func() string { return greet(t, at) })
}

func TestNetworkTrafficToApplicationLoadBalancer(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "pod for ", r.Header.Get("X-Forwarded-For"))
	}))
	t.Cleanup(pod.Close)
	actual := strings.TrimPrefix(pod.URL, "http://")
	if err := f.Sim.SetAddresses(map[string]*string{"10.0.1.16:8080": &actual}); err != nil {
		t.Fatal(err)
	}
	pods := f.group("pods", func(in *elb.CreateTargetGroupInput) {
		in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(2)
	})
	contract.WantCode(t, f.register(pods, address("10.0.1.16", 8080)), "")
	inner := f.balancer("web")
	f.listener(inner, 80, forward(pods))
	outer := f.networkBalancer("net")
	group := f.networkGroup("alb", func(in *elb.CreateTargetGroupInput) {
		in.TargetType, in.Port = elbtypes.TargetTypeEnumAlb, aws.Int32(80)
		in.HealthCheckProtocol = elbtypes.ProtocolEnumHttp
	})
	f.networkListener(outer, elbtypes.ProtocolEnumTcp, group)
	contract.WantCode(t, f.register(group, elbtypes.TargetDescription{Id: inner.LoadBalancerArn, Port: aws.Int32(80)}), "")
	eventually(t, "["+*inner.LoadBalancerArn+":80 healthy]", func() string { return fmt.Sprint(f.health(group)) })
	dialer := &net.Dialer{}
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return dialer.DialContext(ctx, network, f.located("net"))
	}}
	t.Cleanup(transport.CloseIdleConnections)
	eventually(t, "200 pod for 127.0.0.1", func() string { return get(t, &http.Client{Transport: transport}, outer, "/") })
}
