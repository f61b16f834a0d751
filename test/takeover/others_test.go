package takeover

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/test/incumbent"
)

// node runs an instance that is a node, and gives its ID.
func (s *scene) node(name string) string {
	s.t.Helper()
	out, err := ec2.NewFromConfig(s.AWS()).RunInstances(s.t.Context(), &ec2.RunInstancesInput{
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1), SubnetId: &s.Sim.World().PrivateSubnets[0], ImageId: aws.String("ami-00000000000000000"),
		SecurityGroupIds: []string{s.Sim.World().NodeSecurityGroup},
	})
	s.must(err)
	id := *out.Instances[0].InstanceId
	node := &corev1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: s.Name + "-" + name, Labels: map[string]string{"of": s.Name}},
		Spec:       corev1.NodeSpec{ProviderID: "aws:///us-west-2a/" + id},
	}
	s.create(node)
	ready := node.DeepCopy()
	ready.Status.Addresses = []corev1.NodeAddress{{Type: corev1.NodeInternalIP, Address: *out.Instances[0].PrivateIpAddress}}
	ready.Status.Conditions = []corev1.NodeCondition{{Type: corev1.NodeReady, Status: corev1.ConditionTrue}}
	s.must(s.World.Client.Status().Patch(s.t.Context(), ready, client.MergeFrom(node)))
	return id
}

// instances is an Ingress whose targets are nodes, by the node port of its Service.
func instances(s *scene) {
	service := s.service("web", intstr.FromInt32(8080))
	port := service.Spec.Ports[0].NodePort
	group := s.backend("web", served{service: service})
	group.TargetType, group.TargetPort = elbtypes.TargetTypeEnumInstance, intstr.FromInt32(port)
	for _, name := range []string{"a", "b"} {
		group.Targets = append(group.Targets, elbtypes.TargetDescription{Id: aws.String(s.node(name)), Port: &port})
	}
	s.ingress("web", map[string]string{"target-type": "instance"}, rule("", "/", "web"))
	s.make(&incumbent.Stack{
		Prefix: incumbent.PrefixIngress, Namespace: s.Name, Name: "web", Balancer: s.balancer(), Groups: []incumbent.TargetGroup{group},
		Listeners: []incumbent.Listener{{Port: 80, Protocol: elbtypes.ProtocolEnumHttp, Default: notFound(), Rules: []incumbent.Rule{
			{Conditions: []elbtypes.RuleCondition{incumbent.Path("/*")}, Actions: forward(group)},
		}}},
	})
	s.must(s.lbc.Admit(s.t.Context(), port))
}

// frontend is an Ingress with a network load balancer in front.
func frontend(s *scene) {
	group := s.backend("web", s.serve("web"))
	s.ingress("web", map[string]string{"target-type": "ip", "enable-frontend-nlb": "true", "listen-ports": `[{"HTTP":80},{"HTTP":8080}]`},
		rule("shop.example.com", "/", "web"))
	rules := []incumbent.Rule{on("shop.example.com", group, "/*")}
	s.make(&incumbent.Stack{
		Prefix: incumbent.PrefixIngress, Namespace: s.Name, Name: "web", Balancer: s.balancer(), Groups: []incumbent.TargetGroup{group},
		Frontend: []int32{80, 8080},
		Listeners: []incumbent.Listener{
			{Port: 80, Protocol: elbtypes.ProtocolEnumHttp, Default: notFound(), Rules: rules},
			{Port: 8080, Protocol: elbtypes.ProtocolEnumHttp, Default: notFound(), Rules: rules},
		},
	})
	s.must(s.lbc.Admit(s.t.Context(), 8080))
}

// groupByHand makes a target group as a user does, with targets in it.
func (s *scene) groupByHand(name string, targets ...elbtypes.TargetDescription) string {
	s.t.Helper()
	api := elbv2.NewFromConfig(s.AWS())
	out, err := api.CreateTargetGroup(s.t.Context(), &elbv2.CreateTargetGroupInput{
		Name: &name, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, TargetType: elbtypes.TargetTypeEnumIp, VpcId: aws.String(s.Sim.World().VPC),
	})
	s.must(err)
	arn := *out.TargetGroups[0].TargetGroupArn
	_, err = api.RegisterTargets(s.t.Context(), &elbv2.RegisterTargetsInput{TargetGroupArn: &arn, Targets: targets})
	s.must(err)
	return arn
}

// bound is a binding that a user wrote, as the incumbent's webhook completes it.
func (s *scene) bound(name, arn, service string, ports ...int32) *elbv2v1beta1.TargetGroupBinding {
	kind, protocol, family := elbv2v1beta1.TargetTypeIP, elbv2v1beta1.Protocol("HTTP"), elbv2v1beta1.TargetGroupIPAddressTypeIPv4
	out := &elbv2v1beta1.TargetGroupBinding{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: name},
		Spec: elbv2v1beta1.TargetGroupBindingSpec{
			TargetGroupARN: arn, TargetType: &kind, TargetGroupProtocol: &protocol, IPAddressType: &family, VpcID: s.Sim.World().VPC,
			ServiceRef: elbv2v1beta1.ServiceReference{Name: service, Port: intstr.FromString("http")},
		},
	}
	if len(ports) == 0 {
		return out
	}
	rule := elbv2v1beta1.NetworkingIngressRule{From: []elbv2v1beta1.NetworkingPeer{{IPBlock: &elbv2v1beta1.IPBlock{CIDR: "192.168.0.0/16"}}}}
	for _, p := range ports {
		tcp := elbv2v1beta1.NetworkingProtocolTCP
		rule.Ports = append(rule.Ports, elbv2v1beta1.NetworkingPort{Protocol: &tcp, Port: new(intstr.FromInt32(p))})
	}
	out.Spec.Networking = &elbv2v1beta1.TargetGroupBindingNetworking{Ingress: []elbv2v1beta1.NetworkingIngressRule{rule}}
	return out
}

// admit has a binding ask for one port more.
func (s *scene) admit(name string, port int32) {
	s.t.Helper()
	change(s, name, &elbv2v1beta1.TargetGroupBinding{}, func(b *elbv2v1beta1.TargetGroupBinding) {
		tcp := elbv2v1beta1.NetworkingProtocolTCP
		rule := &b.Spec.Networking.Ingress[0]
		rule.Ports = append(rule.Ports, elbv2v1beta1.NetworkingPort{Protocol: &tcp, Port: new(intstr.FromInt32(port))})
	})
}

// bindings are three that users wrote: one with ranges of addresses to admit on two ports, one that names its target group, and one whose
// target group another cluster has targets in too.
func bindings(s *scene) {
	web, api, shared := s.serve("web"), s.serve("api"), s.serve("shared")
	ranges := s.bound("ranges", s.groupByHand("ranges", web.targets...), "web", 8080, 9443)
	named := s.bound("named", s.groupByHand("named", api.targets...), "api")
	named.Spec.TargetGroupName = "named"
	other := elbtypes.TargetDescription{Id: aws.String(s.address()), Port: aws.Int32(8080)}
	several := s.bound("several", s.groupByHand("several", append([]elbtypes.TargetDescription{other}, shared.targets...)...), "shared")
	several.Spec.MultiClusterTargetGroup = true
	for _, b := range []*elbv2v1beta1.TargetGroupBinding{ranges, named, several} {
		s.must(s.lbc.Bind(s.t.Context(), b))
	}
	var mine []string
	for _, t := range shared.targets {
		mine = append(mine, *t.Id+":8080")
	}
	s.create(&corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "aws-lbc-targets-several", OwnerReferences: []metav1.OwnerReference{{
			APIVersion: elbv2v1beta1.GroupVersion().String(), Kind: elbv2v1beta1.KindTargetGroupBinding, Name: several.Name, UID: several.UID,
		}}},
		Data: map[string]string{"targets": strings.Join(mine, ",")},
	})
	s.must(s.lbc.AdmitRange(s.t.Context(), "192.168.0.0/16", 8080, 9443))
}
