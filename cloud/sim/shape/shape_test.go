package shape_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/vpclattice"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/shape"
)

func TestTexts(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for field, text := range shape.Texts(&elb.CreateListenerInput{
		LoadBalancerArn: aws.String("lb"), Port: aws.Int32(80),
		DefaultActions: []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, TargetGroupArn: aws.String("tg")}},
	}) {
		if text != "" {
			got[field] = text
		}
	}
	if diff := cmp.Diff(map[string]string{"LoadBalancerArn": "lb", "Type": "forward", "TargetGroupArn": "tg"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	rows := []struct {
		why  string
		in   any
		want map[string]string
	}{
		{"a list", &elb.AddTagsInput{Tags: []elbtypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b")}}}, map[string]string{"a": "1", "b": ""}},
		{"a map", &vpclattice.CreateServiceInput{Tags: map[string]string{"a": "1"}}, map[string]string{"a": "1"}},
		{"specifications", &ec2.CreateSecurityGroupInput{TagSpecifications: []ec2types.TagSpecification{
			{Tags: []ec2types.Tag{{Key: aws.String("a"), Value: aws.String("1")}}},
		}}, map[string]string{"a": "1"}},
		{"none", &elb.DescribeRulesInput{}, map[string]string{}},
	}
	for _, row := range rows {
		if diff := cmp.Diff(row.want, shape.Tags(row.in)); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
	if diff := cmp.Diff([]string{"a"}, shape.TagKeys(&elb.RemoveTagsInput{TagKeys: []string{"a"}})); diff != "" {
		t.Error(diff)
	}
}

func TestThings(t *testing.T) {
	t.Parallel()
	rows := []struct {
		why  string
		out  any
		want []shape.Thing
	}{
		{"a list, whose items name others too", &elb.DescribeListenersOutput{Listeners: []elbtypes.Listener{
			{ListenerArn: aws.String("l"), LoadBalancerArn: aws.String("lb")},
		}}, []shape.Thing{{IDs: []string{"l"}}}},
		{"a name", &elb.DescribeLoadBalancersOutput{LoadBalancers: []elbtypes.LoadBalancer{
			{LoadBalancerArn: aws.String("lb"), LoadBalancerName: aws.String("web"), VpcId: aws.String("vpc")},
		}}, []shape.Thing{{IDs: []string{"lb"}, Name: "web"}}},
		{"what an output holds", &ec2.CreateSubnetOutput{Subnet: &ec2types.Subnet{SubnetId: aws.String("s"), VpcId: aws.String("vpc"), SubnetArn: aws.String("arn")}},
			[]shape.Thing{{IDs: []string{"arn", "s"}}}},
		{"the output itself", &ec2.CreateSecurityGroupOutput{GroupId: aws.String("sg")}, []shape.Thing{{IDs: []string{"sg"}}}},
		{"of another service", &vpclattice.CreateServiceOutput{Arn: aws.String("arn"), Id: aws.String("id"), Name: aws.String("n")},
			[]shape.Thing{{IDs: []string{"arn", "id"}, Name: "n"}}},
		{"a certificate", &acm.ImportCertificateOutput{CertificateArn: aws.String("arn")}, []shape.Thing{{IDs: []string{"arn"}}}},
		{"nothing", &elb.AddTagsOutput{}, nil},
	}
	for _, row := range rows {
		if diff := cmp.Diff(row.want, shape.Things(row.out)); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

func TestKeep(t *testing.T) {
	t.Parallel()
	held := []elbtypes.Rule{{RuleArn: aws.String("a")}, {RuleArn: aws.String("b")}}
	out := &elb.DescribeRulesOutput{Rules: held}
	shape.Keep(out, func(one shape.Thing) bool { return one.IDs[0] == "b" })
	if len(out.Rules) != 1 || *out.Rules[0].RuleArn != "b" || *held[0].RuleArn != "a" {
		t.Errorf("kept %v of %v", out.Rules, held)
	}
	health := &elb.DescribeTargetHealthOutput{TargetHealthDescriptions: []elbtypes.TargetHealthDescription{{Target: &elbtypes.TargetDescription{Id: aws.String("x")}}}}
	shape.Keep(health, func(shape.Thing) bool { return false })
	if len(health.TargetHealthDescriptions) != 1 {
		t.Error("what is no resource stays")
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	got := map[string]string{}
	for field, text := range shape.Named(&elb.SetSubnetsInput{
		LoadBalancerArn: aws.String("lb"), Subnets: []string{"s"}, SubnetMappings: []elbtypes.SubnetMapping{{SubnetId: aws.String("inner")}},
	}) {
		got[field] += text
	}
	if diff := cmp.Diff(map[string]string{"LoadBalancerArn": "lb", "Subnets": "s", "IpAddressType": "", "EnablePrefixForIpv6SourceNat": ""}, got); diff != "" {
		t.Error(diff)
	}
}
