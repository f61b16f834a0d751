package sim_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

// fixture is a simulator with a clock that only a test moves, and clients of the real SDK.
type fixture struct {
	*contract.Fixture

	elb *elb.Client
	ec2 *ec2.Client
	acm *acm.Client
}

func start(t *testing.T, change ...func(*sim.Options)) *fixture {
	t.Helper()
	f := &fixture{Fixture: contract.Start(t, change...)}
	f.client()
	return f
}

// client makes the clients of the simulator.
func (f *fixture) client() {
	config := f.Sim.AWSConfig()
	config.RetryMaxAttempts = 1
	f.elb, f.ec2, f.acm = elb.NewFromConfig(config), ec2.NewFromConfig(config), acm.NewFromConfig(config)
}

// balancer makes an internet-facing application load balancer.
func (f *fixture) balancer(name string, change ...func(*elb.CreateLoadBalancerInput)) elbtypes.LoadBalancer {
	f.Helper()
	in := &elb.CreateLoadBalancerInput{Name: aws.String(name), Subnets: f.Sim.World().PublicSubnets}
	for _, c := range change {
		c(in)
	}
	out, err := f.elb.CreateLoadBalancer(f.Context(), in)
	return contract.Must(f, out, err).LoadBalancers[0]
}

// fours makes subnets without IPv6 blocks in two zones of the seeded VPC.
func (f *fixture) fours() []string {
	f.Helper()
	var all []string
	for i, zone := range []string{"a", "b"} {
		made, err := f.ec2.CreateSubnet(f.Context(), &ec2.CreateSubnetInput{
			VpcId: aws.String(f.Sim.World().VPC), CidrBlock: aws.String(fmt.Sprintf("10.0.%d.0/24", 200+i)), AvailabilityZone: aws.String("us-west-2" + zone),
		})
		all = append(all, *contract.Must(f, made, err).Subnet.SubnetId)
	}
	return all
}

// group makes an HTTP target group of addresses and gives its ARN.
func (f *fixture) group(name string, change ...func(*elb.CreateTargetGroupInput)) *string {
	f.Helper()
	out, err := f.elb.CreateTargetGroup(f.Context(), f.groupInput(name, change...))
	return contract.Must(f, out, err).TargetGroups[0].TargetGroupArn
}

func (f *fixture) groupInput(name string, change ...func(*elb.CreateTargetGroupInput)) *elb.CreateTargetGroupInput {
	in := &elb.CreateTargetGroupInput{
		Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(f.Sim.World().VPC),
		TargetType: elbtypes.TargetTypeEnumIp,
	}
	for _, c := range change {
		c(in)
	}
	return in
}

// fixed is an action that needs nothing.
func fixed(code string) []elbtypes.Action {
	return []elbtypes.Action{{
		Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String(code)},
	}}
}

func forward(groups ...*string) []elbtypes.Action {
	if len(groups) == 1 {
		return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: groups[0]}}
	}
	c := &elbtypes.ForwardActionConfig{}
	for _, g := range groups {
		c.TargetGroups = append(c.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: g, Weight: aws.Int32(1)})
	}
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: c}}
}

// listener makes an HTTP listener and gives its ARN.
func (f *fixture) listener(lb elbtypes.LoadBalancer, port int32, actions []elbtypes.Action) *string {
	f.Helper()
	out, err := f.elb.CreateListener(f.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(port), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: actions,
	})
	return contract.Must(f, out, err).Listeners[0].ListenerArn
}

func path(values ...string) []elbtypes.RuleCondition {
	return []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: values}}}
}

// rule makes a rule and gives its ARN.
func (f *fixture) rule(listener *string, priority int32, conditions []elbtypes.RuleCondition, actions []elbtypes.Action) *string {
	f.Helper()
	out, err := f.elb.CreateRule(f.Context(), &elb.CreateRuleInput{
		ListenerArn: listener, Priority: aws.Int32(priority), Conditions: conditions, Actions: actions,
	})
	return contract.Must(f, out, err).Rules[0].RuleArn
}

// certificate imports a certificate and gives its ARN.
func (f *fixture) certificate(names ...string) *string {
	f.Helper()
	body, key := contract.Pair(f, names...)
	out, err := f.acm.ImportCertificate(f.Context(), &acm.ImportCertificateInput{Certificate: body, PrivateKey: key})
	return contract.Must(f, out, err).CertificateArn
}

func tags(key, value string) []elbtypes.Tag {
	return []elbtypes.Tag{{Key: aws.String(key), Value: aws.String(value)}}
}
