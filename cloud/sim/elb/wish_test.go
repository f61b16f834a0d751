package elb_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/elb"
)

// wish is all that a controller wants of one load balancer.
type wish struct {
	balancer   sdk.CreateLoadBalancerInput
	attributes map[string]string
	units      int32
	groups     []groupWish
	listeners  []listenerWish
}

type groupWish struct {
	sdk.CreateTargetGroupInput

	attributes map[string]string
	targets    []elbtypes.TargetDescription
}

// listenerWish names its default group, and has a rule for each of others in order.
type listenerWish struct {
	sdk.CreateListenerInput

	group        string
	certificates []string
	attributes   map[string]string
	rules        []ruleWish
}

type ruleWish struct {
	conditions []elbtypes.RuleCondition
	// actions are made of the ARNs of the groups by name.
	actions    func(groups map[string]*string) []elbtypes.Action
	transforms []elbtypes.RuleTransform
}

func to(names ...string) func(map[string]*string) []elbtypes.Action {
	return func(groups map[string]*string) []elbtypes.Action {
		var all []*string
		for _, n := range names {
			all = append(all, groups[n])
		}
		return forward(all...)
	}
}

func plainGroup(w *world, name string) groupWish {
	return groupWish{CreateTargetGroupInput: *w.groupInput(name)}
}

// applicationWish uses much of what an application load balancer can.
func applicationWish(w *world, certificates [3]string, store *string) wish {
	a, b := plainGroup(w, "a"), plainGroup(w, "b")
	a.attributes = map[string]string{"deregistration_delay.timeout_seconds": "30", "load_balancing.algorithm.type": "least_outstanding_requests"}
	a.targets = []elbtypes.TargetDescription{address(1, 80), address(2, 80)}
	b.HealthCheckPath, b.Matcher = aws.String("/up"), &elbtypes.Matcher{HttpCode: aws.String("200-204")}
	grpc := plainGroup(w, "grpc")
	grpc.ProtocolVersion, grpc.HealthCheckPath, grpc.Matcher = aws.String("GRPC"), aws.String("/x.Y/Check"), &elbtypes.Matcher{GrpcCode: aws.String("0")}
	redirect := func(map[string]*string) []elbtypes.Action {
		return []elbtypes.Action{{Type: "redirect", RedirectConfig: &elbtypes.RedirectActionConfig{StatusCode: "HTTP_301", Host: aws.String("b.example.com")}}}
	}
	return wish{
		balancer: sdk.CreateLoadBalancerInput{
			Name: aws.String("app"), Scheme: "internet-facing", Type: "application", Subnets: w.PublicSubnets, SecurityGroups: []string{w.NodeSecurityGroup},
			IpamPools: w.publicPool(),
		},
		attributes: map[string]string{"idle_timeout.timeout_seconds": "120", "routing.http2.enabled": "true"}, units: 150,
		groups: []groupWish{a, b, grpc},
		listeners: []listenerWish{
			{CreateListenerInput: sdk.CreateListenerInput{Port: aws.Int32(80), Protocol: "HTTP"}, group: "a", rules: []ruleWish{
				{conditions: path("/api/*"), actions: to("b")},
				{conditions: []elbtypes.RuleCondition{{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{RegexValues: []string{"^x"}}}}, actions: redirect},
				{
					conditions: []elbtypes.RuleCondition{{Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{
						HttpHeaderName: aws.String("X-V"), Values: []string{"1", "2*"},
					}}},
					actions: to("a", "b"), transforms: []elbtypes.RuleTransform{rewrite("url-rewrite", "^/old/(.*)", "/new/$1")},
				},
			}},
			{
				CreateListenerInput: sdk.CreateListenerInput{
					Port: aws.Int32(443), Protocol: "HTTPS", Certificates: []elbtypes.Certificate{{CertificateArn: &certificates[0]}},
					SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06"), MutualAuthentication: verifying(store),
				},
				group: "grpc", certificates: certificates[1:2], attributes: map[string]string{"routing.http.response.server.enabled": "false"},
				rules: []ruleWish{{conditions: path("/in"), actions: func(groups map[string]*string) []elbtypes.Action {
					return []elbtypes.Action{signIn(1), then(2, forward(groups["a"]))}
				}}},
			},
		},
	}
}

// networkWish uses much of what a network load balancer can.
func networkWish(w *world, certificate string) wish {
	a, b := plainGroup(w, "n-a"), plainGroup(w, "n-b")
	a.Protocol, b.Protocol = "TCP", "TCP"
	a.HealthCheckProtocol, a.attributes = "HTTP", map[string]string{"proxy_protocol_v2.enabled": "true", "preserve_client_ip.enabled": "true"}
	u := plainGroup(w, "n-u")
	u.Protocol = "TCP_UDP"
	weighted := func(port int32, p elbtypes.ProtocolEnum) sdk.CreateListenerInput {
		return sdk.CreateListenerInput{Port: aws.Int32(port), Protocol: p}
	}
	tls := weighted(443, "TLS")
	tls.Certificates, tls.AlpnPolicy = []elbtypes.Certificate{{CertificateArn: &certificate}}, []string{"HTTP2Preferred"}
	return wish{
		balancer: sdk.CreateLoadBalancerInput{
			Name: aws.String("net"), Scheme: "internal", Type: "network", Subnets: w.PrivateSubnets[:2], SecurityGroups: []string{w.NodeSecurityGroup},
		},
		attributes: map[string]string{"load_balancing.cross_zone.enabled": "true", "dns_record.client_routing_policy": "availability_zone_affinity"},
		groups:     []groupWish{a, b, u},
		listeners: []listenerWish{
			{CreateListenerInput: weighted(80, "TCP"), group: "n-a", attributes: map[string]string{"tcp.idle_timeout.seconds": "400"}},
			{CreateListenerInput: tls, group: "n-b"},
			{CreateListenerInput: weighted(53, "TCP_UDP"), group: "n-u"},
		},
	}
}

// TestSequences brings wishes about, one after another, and after each of them finds nothing left to do, twice.
func TestSequences(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reservable)
	certificates := [3]string{*w.certificate("a.example.com"), *w.certificate("b.example.com"), *w.certificate("c.example.com")}
	first := applicationWish(w, certificates, w.store("trust"))
	swapped := applicationWish(w, certificates, nil)
	swapped.listeners[0].rules[0], swapped.listeners[0].rules[1] = swapped.listeners[0].rules[1], swapped.listeners[0].rules[0]
	swapped.listeners[1].MutualAuthentication = &elbtypes.MutualAuthenticationAttributes{Mode: aws.String("passthrough")}
	swapped.listeners[1].certificates, swapped.listeners[1].Certificates[0].CertificateArn = certificates[2:], &certificates[1]
	swapped.balancer.Subnets, swapped.units = w.PublicSubnets[:2], 0
	swapped.balancer.IpamPools = w.publicPool()
	swapped.groups[0].targets = []elbtypes.TargetDescription{address(2, 80), address(3, 8080)}
	fewer := applicationWish(w, certificates, nil)
	fewer.groups, fewer.listeners, fewer.units = fewer.groups[:2], fewer.listeners[:1], 0
	fewer.listeners[0].rules = fewer.listeners[0].rules[2:]
	fewer.listeners[0].rules[0].transforms = nil
	fewer.groups[1].HealthCheckPath = aws.String("/healthz")
	internal := fewer
	internal.balancer.Scheme, internal.balancer.Subnets, internal.balancer.IpamPools = "internal", w.PrivateSubnets, nil
	c := &controller{world: w}
	for _, step := range []struct {
		why    string
		wanted wish
	}{
		{"all new", first}, {"rules change places, certificates and targets come and go", swapped}, {"less of all", fewer},
		{"another scheme replaces the load balancer", internal}, {"a network load balancer instead", networkWish(w, certificates[0])}, {"back to the start", first},
	} {
		if c.bring(step.wanted) == nil {
			t.Errorf("%s: nothing was written", step.why)
		}
		w.pass(time.Hour)
		for range 2 {
			if again := c.bring(step.wanted); again != nil {
				t.Errorf("%s: written again: %v", step.why, again)
			}
		}
	}
}

// TestLists pages through more than a page holds, in the order of making.
func TestLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *elb.Options) { o.Quotas.NetworkLoadBalancers = 1000 })
	var want []string
	for i := range 7 {
		want = append(want, *w.balancer(fmt.Sprint("n", i), network))
	}
	var got []string
	for p := sdk.NewDescribeLoadBalancersPaginator(w.api, &sdk.DescribeLoadBalancersInput{PageSize: aws.Int32(3)}); p.HasMorePages(); {
		page, err := p.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, lb := range page.LoadBalancers {
			got = append(got, *lb.LoadBalancerArn)
		}
	}
	if !slices.Equal(want, got) {
		t.Errorf("got %v, want %v", got, want)
	}
}
