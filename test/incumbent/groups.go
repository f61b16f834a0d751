package incumbent

import (
	"context"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// Names that the incumbent puts on bindings.
const (
	BindingFinalizer = "elbv2.k8s.aws/resources"
	checkpoint       = "elbv2.k8s.aws/checkpoint"
	checkpointTime   = "elbv2.k8s.aws/checkpoint-timestamp"
)

const (
	trafficPort = "traffic-port"
	frontendID  = "FrontendNlb"
)

// Checked is the health check of Ingresses where nothing is annotated.
func Checked() Health {
	return Health{
		Port: trafficPort, Path: "/", Matcher: "200", Protocol: elbtypes.ProtocolEnumHttp, Interval: 15, Timeout: 5, Healthy: 2, Unhealthy: 2,
	}
}

func (a *Account) makeGroup(ctx context.Context, s *Stack, g *TargetGroup) error {
	g.name = a.targetGroupName(s, g)
	out, err := a.elb.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
		Name: &g.name, TargetType: g.TargetType, Port: aws.Int32(g.port()), Protocol: g.Protocol, ProtocolVersion: &g.Version, VpcId: &a.VPC,
		IpAddressType: elbtypes.TargetGroupIpAddressTypeEnumIpv4, HealthCheckEnabled: aws.Bool(true),
		HealthCheckPort: &g.Health.Port, HealthCheckProtocol: g.Health.Protocol, HealthCheckPath: &g.Health.Path,
		HealthCheckIntervalSeconds: &g.Health.Interval, HealthCheckTimeoutSeconds: &g.Health.Timeout,
		HealthyThresholdCount: &g.Health.Healthy, UnhealthyThresholdCount: &g.Health.Unhealthy,
		Matcher: &elbtypes.Matcher{HttpCode: &g.Health.Matcher}, Tags: elbTags(a.tags(s, g.ID, g.Tags)),
	})
	if err != nil {
		return failed(err, "making target group %s", g.name)
	}
	g.arn = *out.TargetGroups[0].TargetGroupArn
	if len(g.Attributes) > 0 {
		set := &elbv2.ModifyTargetGroupAttributesInput{TargetGroupArn: &g.arn}
		for k, v := range g.Attributes {
			set.Attributes = append(set.Attributes, elbtypes.TargetGroupAttribute{Key: aws.String(k), Value: aws.String(v)})
		}
		if _, err := a.elb.ModifyTargetGroupAttributes(ctx, set); err != nil {
			return failed(err, "setting attributes of %s", g.name)
		}
	}
	if len(g.Targets) == 0 {
		return nil
	}
	_, err = a.elb.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{TargetGroupArn: &g.arn, Targets: g.Targets})
	return failed(err, "registering the targets of %s", g.name)
}

// labels of the bindings of a stack.
func (s *Stack) labels() map[string]string {
	if s.Group != "" {
		return map[string]string{s.Prefix + "/stack": s.Group}
	}
	return map[string]string{s.Prefix + "/stack-namespace": s.Namespace, s.Prefix + "/stack-name": s.Name}
}

// bindingSpec is what the incumbent writes into a binding, field by field.
func (a *Account) bindingSpec(s *Stack, g *TargetGroup, backend string) elbv2v1beta1.TargetGroupBindingSpec {
	kind, protocol := elbv2v1beta1.TargetType(g.TargetType), elbv2v1beta1.Protocol(g.Protocol)
	family := elbv2v1beta1.TargetGroupIPAddressTypeIPv4
	spec := elbv2v1beta1.TargetGroupBindingSpec{
		TargetGroupARN: g.arn, TargetType: &kind, TargetGroupProtocol: &protocol, IPAddressType: &family, VpcID: a.VPC,
		MultiClusterTargetGroup: g.Multi, ServiceRef: elbv2v1beta1.ServiceReference{Name: g.Service, Port: g.Port},
	}
	if len(s.Custom) > 0 {
		return spec
	}
	ports := []intstr.IntOrString{g.TargetPort}
	if g.Health.Port != trafficPort {
		ports = append(ports, intstr.Parse(g.Health.Port))
	}
	spec.Networking = &elbv2v1beta1.TargetGroupBindingNetworking{}
	for _, port := range ports {
		tcp := elbv2v1beta1.NetworkingProtocolTCP
		spec.Networking.Ingress = append(spec.Networking.Ingress, elbv2v1beta1.NetworkingIngressRule{
			From:  []elbv2v1beta1.NetworkingPeer{{SecurityGroup: &elbv2v1beta1.SecurityGroup{GroupID: backend}}},
			Ports: []elbv2v1beta1.NetworkingPort{{Protocol: &tcp, Port: &port}},
		})
	}
	return spec
}

// bind makes the binding of a target group, reconciled once.
func (a *Account) bind(ctx context.Context, s *Stack, g *TargetGroup) error {
	backend, err := a.Backend(ctx)
	if err != nil {
		return err
	}
	return a.Bind(ctx, &elbv2v1beta1.TargetGroupBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: g.Namespace, Name: g.name, Labels: s.labels()},
		Spec:       a.bindingSpec(s, g, backend),
	})
}

// Bind makes a binding and does to it what the incumbent does to any: finalizer, checkpoint and observed generation.
func (a *Account) Bind(ctx context.Context, b *elbv2v1beta1.TargetGroupBinding) error {
	b.Finalizers = append(b.Finalizers, BindingFinalizer)
	if b.Annotations == nil {
		b.Annotations = map[string]string{}
	}
	b.Annotations[checkpoint], b.Annotations[checkpointTime] = digest(b.Spec.TargetGroupARN), strconv.Itoa(1_700_000_000)
	if err := a.cluster.Create(ctx, b); err != nil {
		return failed(err, "making binding %s", b.Name)
	}
	b.Status.ObservedGeneration = aws.Int64(b.Generation)
	return failed(a.cluster.Status().Update(ctx, b), "writing the status of binding %s", b.Name)
}

// makeFrontend makes the network load balancer, which leads to the application load balancer port by port.
func (a *Account) makeFrontend(ctx context.Context, s *Stack, behind string, security []string) error {
	front, err := a.balance(ctx, s, elbtypes.LoadBalancerTypeEnumNetwork, security)
	if err != nil {
		return err
	}
	for _, port := range s.Frontend {
		name := a.frontendGroupName(s, port)
		made, err := a.elb.CreateTargetGroup(ctx, &elbv2.CreateTargetGroupInput{
			Name: &name, TargetType: elbtypes.TargetTypeEnumAlb, Port: aws.Int32(port), Protocol: elbtypes.ProtocolEnumTcp, VpcId: &a.VPC,
			IpAddressType: elbtypes.TargetGroupIpAddressTypeEnumIpv4, HealthCheckEnabled: aws.Bool(true),
			HealthCheckPort: aws.String(trafficPort), HealthCheckProtocol: elbtypes.ProtocolEnumHttp, HealthCheckPath: aws.String("/"),
			HealthCheckIntervalSeconds: aws.Int32(15), HealthCheckTimeoutSeconds: aws.Int32(5),
			HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2), Matcher: &elbtypes.Matcher{HttpCode: aws.String("200")},
			Tags: elbTags(a.tags(s, frontendResource("tg", port), s.Tags)),
		})
		if err != nil {
			return failed(err, "making target group %s", name)
		}
		group := made.TargetGroups[0].TargetGroupArn
		if _, err := a.elb.CreateListener(ctx, &elbv2.CreateListenerInput{
			LoadBalancerArn: &front, Port: aws.Int32(port), Protocol: elbtypes.ProtocolEnumTcp,
			DefaultActions: []elbtypes.Action{Forward(*group)}, Tags: elbTags(a.tags(s, frontendResource("ls", port), s.Tags)),
		}); err != nil {
			return failed(err, "making listener %d of the frontend", port)
		}
		if _, err := a.elb.RegisterTargets(ctx, &elbv2.RegisterTargetsInput{
			TargetGroupArn: group, Targets: []elbtypes.TargetDescription{{Id: &behind, Port: aws.Int32(port)}},
		}); err != nil {
			return failed(err, "registering the load balancer behind the frontend")
		}
	}
	return nil
}

func frontendResource(kind string, port int32) string {
	return frontendID + "-" + kind + "-TCP-" + strconv.Itoa(int(port))
}
