package examples_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	"github.com/gorilla/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	pb "sigs.k8s.io/gateway-api/conformance/echo-basic/grpcechoserver"
)

// switched checks that all is served by one version; then it exchanges the weights, and waits for the other one.
func switched(ctx context.Context, v visitor) error {
	in := &networkingv1.Ingress{}
	if err := v.stage.client.Get(ctx, client.ObjectKey{Namespace: "blue-green", Name: "shop"}, in); err != nil {
		return err
	}
	const key, blue, green = "alb.ingress.kubernetes.io/actions.live", `"shop", "servicePort": 80, "weight": 100`, `"next", "servicePort": 80, "weight": 0`
	live := in.Annotations[key]
	if strings.Contains(live, blue) {
		if err := v.expect(ctx, slices.Repeat([]want{{url: plain + "/", status: 200, app: "shop"}}, 10)...); err != nil {
			return err
		}
		in.Annotations[key] = strings.NewReplacer(blue, strings.Replace(blue, "100", "0", 1), green, strings.Replace(green, ": 0", ": 100", 1)).Replace(live)
		if err := v.stage.client.Update(ctx, in); err != nil {
			return err
		}
	}
	return v.expect(ctx, slices.Repeat([]want{{url: plain + "/", status: 200, app: "next"}}, 10)...)
}

// called checks a call of gRPC.
func called(ctx context.Context, v visitor) error {
	connection, err := grpc.NewClient("passthrough:///"+shop+":443", grpc.WithAuthority(shop), grpc.WithContextDialer(v.dialAny),
		grpc.WithTransportCredentials(credentials.NewTLS(v.tlsConfig())))
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close() }()
	ctx, cancel := context.WithTimeout(ctx, patientD)
	defer cancel()
	got, err := pb.NewGrpcEchoClient(connection).Echo(ctx, &pb.EchoRequest{})
	if err != nil {
		return err
	}
	if pod := got.GetAssertions().GetContext().GetPod(); !strings.HasPrefix(pod, "shop-") {
		return fmt.Errorf("the call was answered by %q", pod)
	}
	return nil
}

// spoken checks that a message comes back through a WebSocket.
func spoken(ctx context.Context, v visitor) error {
	dialer := &websocket.Dialer{NetDialContext: v.dial, HandshakeTimeout: patientD}
	connection, response, err := dialer.DialContext(ctx, "ws://"+shop+"/", nil)
	if err != nil {
		return err
	}
	defer func() { _ = errors.Join(response.Body.Close(), connection.Close()) }()
	if err := errors.Join(connection.SetReadDeadline(time.Now().Add(patientD)), connection.WriteMessage(websocket.TextMessage, []byte("hello"))); err != nil {
		return err
	}
	_, message, err := connection.ReadMessage()
	if err == nil && string(message) != "hello" {
		err = fmt.Errorf("%q came back", message)
	}
	return err
}

func (v visitor) elb() *elb.Client { return elb.NewFromConfig(v.stage.Simulator().AWSConfig()) }

// described is the load balancer as AWS has it.
func (v visitor) described(ctx context.Context) (elbtypes.LoadBalancer, error) {
	out, err := v.elb().DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	if err != nil {
		return elbtypes.LoadBalancer{}, err
	}
	for _, lb := range out.LoadBalancers {
		if strings.EqualFold(aws.ToString(lb.DNSName), v.balancer) {
			return lb, nil
		}
	}
	return elbtypes.LoadBalancer{}, errors.New("there is no load balancer " + v.balancer)
}

// rules is how many rules there are beside the default ones.
func (v visitor) rules(ctx context.Context) (int, error) {
	lb, err := v.described(ctx)
	if err != nil {
		return 0, err
	}
	listeners, err := v.elb().DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
	if err != nil {
		return 0, err
	}
	n := 0
	for _, l := range listeners.Listeners {
		got, err := v.elb().DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})
		if err != nil {
			return 0, err
		}
		n += len(got.Rules) - 1
	}
	return n, nil
}

func schemeIs(scheme string) func(context.Context, visitor) error {
	return func(ctx context.Context, v visitor) error {
		lb, err := v.described(ctx)
		if err == nil && string(lb.Scheme) != scheme {
			err = fmt.Errorf("its scheme is %s", lb.Scheme)
		}
		return err
	}
}

// inFront checks that both addresses are shown and that the network load balancer leads to the pods too.
func inFront(ctx context.Context, v visitor) error {
	in := &networkingv1.Ingress{}
	if err := v.stage.client.Get(ctx, client.ObjectKey{Namespace: "frontend-nlb", Name: "shop"}, in); err != nil {
		return err
	}
	types := map[elbtypes.LoadBalancerTypeEnum]elbtypes.LoadBalancerSchemeEnum{}
	for _, address := range in.Status.LoadBalancer.Ingress {
		v.balancer = address.Hostname
		if err := v.expect(ctx, want{url: plain + "/", status: 200, app: "shop"}); err != nil {
			return err
		}
		lb, err := v.described(ctx)
		if err != nil {
			return err
		}
		types[lb.Type] = lb.Scheme
	}
	if types["network"] != "internet-facing" || types["application"] != "internal" {
		return fmt.Errorf("the load balancers are %v", types)
	}
	return nil
}

// guarded checks that the web ACL is associated; the sandbox does not run it.
func guarded(ctx context.Context, v visitor) error {
	lb, err := v.described(ctx)
	if err != nil {
		return err
	}
	firewall := wafv2.NewFromConfig(v.stage.Simulator().AWSConfig())
	out, err := firewall.GetWebACLForResource(ctx, &wafv2.GetWebACLForResourceInput{ResourceArn: lb.LoadBalancerArn})
	if err != nil {
		return err
	}
	if out.WebACL == nil || aws.ToString(out.WebACL.ARN) != v.stage.account.web {
		return fmt.Errorf("the web ACL is %v", out.WebACL)
	}
	return nil
}

// ownGroups checks that the load balancer has the security group that is named, and one that pods admit.
func ownGroups(ctx context.Context, v visitor) error {
	lb, err := v.described(ctx)
	if err == nil && (!slices.Contains(lb.SecurityGroups, v.stage.account.office) || len(lb.SecurityGroups) != 2) {
		err = fmt.Errorf("its security groups are %v", lb.SecurityGroups)
	}
	return err
}

// admits checks whom the managed security group lets in.
func admits(blocks ...string) func(context.Context, visitor) error {
	return func(ctx context.Context, v visitor) error {
		lb, err := v.described(ctx)
		if err != nil {
			return err
		}
		groups, err := ec2.NewFromConfig(v.stage.Simulator().AWSConfig()).DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{GroupIds: lb.SecurityGroups})
		if err != nil {
			return err
		}
		var got []string
		for _, group := range groups.SecurityGroups {
			for _, permission := range group.IpPermissions {
				for _, block := range permission.IpRanges {
					got = append(got, aws.ToString(block.CidrIp))
				}
			}
		}
		if slices.Sort(got); !slices.Equal(got, blocks) {
			return fmt.Errorf("it admits %v", got)
		}
		return nil
	}
}

// group is the only target group of the load balancer.
func (v visitor) group(ctx context.Context) (elbtypes.TargetGroup, error) {
	lb, err := v.described(ctx)
	if err != nil {
		return elbtypes.TargetGroup{}, err
	}
	out, err := v.elb().DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{LoadBalancerArn: lb.LoadBalancerArn})
	if err != nil {
		return elbtypes.TargetGroup{}, err
	}
	if len(out.TargetGroups) != 1 {
		return elbtypes.TargetGroup{}, fmt.Errorf("it has %d target groups", len(out.TargetGroups))
	}
	return out.TargetGroups[0], nil
}

// nodes checks that all nodes are targets, by the node port of the Service. Nothing listens there: a sandbox has no kube-proxy.
func nodes(ctx context.Context, v visitor) error {
	service := &corev1.Service{}
	if err := v.stage.client.Get(ctx, client.ObjectKey{Namespace: "instance", Name: "shop"}, service); err != nil {
		return err
	}
	group, err := v.group(ctx)
	if err != nil {
		return err
	}
	health, err := v.elb().DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: group.TargetGroupArn})
	if err != nil {
		return err
	}
	var list corev1.NodeList
	if err := v.stage.client.List(ctx, &list); err != nil {
		return err
	}
	if group.TargetType != elbtypes.TargetTypeEnumInstance || len(health.TargetHealthDescriptions) != len(list.Items) {
		return fmt.Errorf("%d of %d nodes are targets, of type %s", len(health.TargetHealthDescriptions), len(list.Items), group.TargetType)
	}
	for _, target := range health.TargetHealthDescriptions {
		if port := aws.ToInt32(target.Target.Port); port != service.Spec.Ports[0].NodePort {
			return fmt.Errorf("the node port is %d, and a target's port %d", service.Spec.Ports[0].NodePort, port)
		}
	}
	return nil
}

func probed(ctx context.Context, v visitor) error {
	group, err := v.group(ctx)
	if err != nil {
		return err
	}
	got := fmt.Sprint(aws.ToString(group.HealthCheckPath), " ", aws.ToInt32(group.HealthCheckIntervalSeconds), " ", aws.ToInt32(group.HealthCheckTimeoutSeconds), " ",
		aws.ToInt32(group.HealthyThresholdCount), " ", aws.ToInt32(group.UnhealthyThresholdCount), " ", aws.ToString(group.Matcher.HttpCode))
	if got != "/health 10 3 2 3 200-299" {
		return fmt.Errorf("the health check is %s", got)
	}
	return nil
}

// gateOpen checks that the pods are ready by their gate.
func gateOpen(ctx context.Context, v visitor) error {
	var pods corev1.PodList
	if err := v.stage.client.List(ctx, &pods, client.InNamespace("readiness-gates"), client.MatchingLabels{"app": "gated"}); err != nil {
		return err
	}
	for _, pod := range pods.Items {
		open := map[corev1.PodConditionType]corev1.ConditionStatus{}
		for _, c := range pod.Status.Conditions {
			open[c.Type] = c.Status
		}
		if open["target-health.elbv2.k8s.aws/gated"] == "True" && open[corev1.PodReady] == "True" {
			return nil
		}
	}
	return errors.New("no pod is ready by its gate")
}
