package sim_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

// traffic starts a simulator with a data plane and a DNS server on the wall clock, and a client that resolves names by it.
func startTraffic(t *testing.T) (*fixture, *http.Client) {
	t.Helper()
	f := start(t, func(o *sim.Options) {
		o.Now, o.DataPlane, o.DNS, o.PortOffset, o.Speed = nil, true, "127.0.0.1:0", 20000, 100
		o.Provisioning, o.RuleDelay = -1, -1
	})
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, f.Sim.DNSAddr())
	}}
	dialer := &net.Dialer{Resolver: resolver}
	transport := &http.Transport{DialContext: dialer.DialContext}
	t.Cleanup(transport.CloseIdleConnections)
	return f, &http.Client{Transport: transport}
}

// get gives "status body" of a request to a load balancer by its DNS name.
func get(t *testing.T, client *http.Client, lb elbtypes.LoadBalancer, path string) string {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+*lb.DNSName+":20080"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := client.Do(request)
	if err != nil {
		return err.Error()
	}
	body, err := io.ReadAll(response.Body)
	if err != nil || response.Body.Close() != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("%d %s", response.StatusCode, body)
}

func eventually(t *testing.T, want string, got func() string) {
	t.Helper()
	last := ""
	for deadline := time.Now().Add(10 * time.Second); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		if last = got(); last == want {
			return
		}
	}
	t.Fatalf("got %q, want %q", last, want)
}

func TestTraffic(t *testing.T) {
	t.Parallel()
	f, client := startTraffic(t)
	pod := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, "pod saw ", r.URL.Path) }))
	t.Cleanup(pod.Close)
	actual := strings.TrimPrefix(pod.URL, "http://")
	group := f.group("web", func(in *elb.CreateTargetGroupInput) {
		in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(5), aws.Int32(2)
	})
	lb := f.balancer("web")
	l := f.listener(lb, 80, fixed("404"))
	r := f.rule(l, 1, path("/app*"), forward(group))
	eventually(t, "404 ", func() string { return get(t, client, lb, "/") })

	contract.WantCode(t, f.register(group, address("10.0.1.15", 8080)), "")
	if err := f.Sim.SetAddresses(map[string]*string{"10.0.1.15:8080": &actual}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "[10.0.1.15:8080 healthy]", func() string { return fmt.Sprint(f.health(group)) })
	eventually(t, "200 pod saw /app/1", func() string { return get(t, client, lb, "/app/1") })

	if err := f.Sim.SetAddresses(map[string]*string{"10.0.1.15:8080": nil}); err != nil {
		t.Fatal(err)
	}
	eventually(t, "[10.0.1.15:8080 unhealthy Target.FailedHealthChecks]", func() string { return fmt.Sprint(f.health(group)) })

	_, err := f.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: r})
	contract.WantCode(t, err, "")
	eventually(t, "404 ", func() string { return get(t, client, lb, "/app/1") })
	_, err = f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	f.Sim.Settle(t.Context())
	if answer := get(t, client, lb, "/"); !strings.Contains(answer, "no such host") {
		t.Errorf("after deleting: %s", answer)
	}
}

func TestReimportedCertificateServes(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	lb := f.balancer("web")
	made, err := f.elb.CreateListener(t.Context(), secureInput(lb, f.certificate("example.com")))
	arn := contract.Must(t, made, err).Listeners[0].Certificates[0].CertificateArn
	served := func() string {
		return servedNames(t, f.Sim.LoadBalancers()[0].Address.String()+":20443", "example.com")
	}
	eventually(t, "[example.com]", served)
	f.reimport(arn, "example.com", "www.example.com")
	eventually(t, "[example.com www.example.com]", served)
}

func TestNames(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	lb := f.balancer("web")
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, network, f.Sim.DNSAddr())
	}}
	want := f.Sim.LoadBalancers()[0].Address.String()
	for _, name := range []string{*lb.DNSName, strings.ToUpper(*lb.DNSName), "dualstack." + *lb.DNSName} {
		got, err := resolver.LookupHost(t.Context(), name)
		if err != nil || len(got) != 1 || got[0] != want {
			t.Errorf("%s is %v (%v), want %s", name, got, err, want)
		}
	}
	if got, err := resolver.LookupHost(t.Context(), "other.us-west-2.elb.amazonaws.com"); err == nil {
		t.Errorf("a name that does not exist is %v", got)
	}
}

func TestSimulatorsDoNotMeet(t *testing.T) {
	t.Parallel()
	one, _ := startTraffic(t)
	two, _ := startTraffic(t)
	for _, f := range []*fixture{one, two} {
		f.listener(f.balancer("web"), 80, fixed("200"))
	}
	if a, b := one.Sim.LoadBalancers()[0].Address, two.Sim.LoadBalancers()[0].Address; a == b {
		t.Errorf("both have a load balancer at %s", a)
	}
}
