package sim_test

import (
	"encoding/json"
	"errors"
	"os"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

const ownership = "elbv2.k8s.aws/cluster"

// permitted starts a simulator with the policy of the operator.
func permitted(t *testing.T) *fixture {
	t.Helper()
	body, err := os.ReadFile("../../config/iam/policy.json")
	if err != nil {
		t.Fatal(err)
	}
	return start(t, disturbed(sim.Disturbances{Policy: body}))
}

// owned tags what an input makes as the operator does.
func owned(in *elb.CreateTargetGroupInput) { in.Tags = tags(ownership, "test") }

func TestOwnPolicy(t *testing.T) {
	t.Parallel()
	f := permitted(t)
	contract.WantCode(t, f.makeGroup("stranger"), "AccessDenied")
	lb := f.balancer("web", func(in *elb.CreateLoadBalancerInput) { in.Tags = tags(ownership, "test") })
	group, foreign := f.group("web", owned), ""
	if err := f.Sim.Disturb(sim.Disturbances{}); err != nil {
		t.Fatal(err)
	}
	foreign = *f.group("foreign")
	body, err := os.ReadFile("../../config/iam/policy.json")
	if err != nil || f.Sim.Disturb(sim.Disturbances{Policy: body}) != nil {
		t.Fatal(err)
	}
	listener := f.listener(lb, 80, forward(group))
	f.rule(listener, 1, path("/a"), fixed("404"))
	rows := []struct {
		why, code string
		call      func() error
	}{
		{"own things are deleted", "", func() error {
			_, err := f.elb.DeleteTargetGroup(t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: f.group("other", owned)})
			return err
		}},
		{"those of others are not", "AccessDenied", func() error {
			_, err := f.elb.DeleteTargetGroup(t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: &foreign})
			return err
		}},
		{"nor are they taken over by tagging", "AccessDenied", func() error {
			_, err := f.elb.AddTags(t.Context(), &elb.AddTagsInput{ResourceArns: []string{foreign}, Tags: tags(ownership, "test")})
			return err
		}},
		{"own things are tagged", "", func() error {
			_, err := f.elb.AddTags(t.Context(), &elb.AddTagsInput{ResourceArns: []string{*group}, Tags: tags("team", "a")})
			return err
		}},
		{"one of several that is not allowed is enough", "AccessDenied", func() error {
			_, err := f.elb.AddTags(t.Context(), &elb.AddTagsInput{ResourceArns: []string{*group, foreign}, Tags: tags("team", "b")})
			return err
		}},
		{"targets are registered", "", func() error { return f.register(group, address("10.0.1.5", 0)) }},
		{"what is not in the policy is denied", "AccessDeniedException", func() error {
			_, err := f.acm.DeleteCertificate(t.Context(), &acm.DeleteCertificateInput{CertificateArn: aws.String("arn:aws:acm:us-west-2:123456789012:certificate/x")})
			return err
		}},
		{"and in the form of EC2 there", "UnauthorizedOperation", func() error {
			_, err := f.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16")})
			return err
		}},
		{"a dry run says so too", "UnauthorizedOperation", func() error {
			_, err := f.ec2.CreateVpc(t.Context(), &ec2.CreateVpcInput{CidrBlock: aws.String("10.9.0.0/16"), DryRun: aws.Bool(true)})
			return err
		}},
		{"or that it would have worked", "DryRunOperation", func() error {
			_, err := f.ec2.DescribeVpcs(t.Context(), &ec2.DescribeVpcsInput{DryRun: aws.Bool(true)})
			return err
		}},
		{"everybody may ask who he is", "", func() error {
			_, err := sts.NewFromConfig(f.Sim.AWSConfig()).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
			return err
		}},
	}
	for _, row := range rows {
		t.Log(row.why)
		contract.WantCode(t, row.call(), row.code)
	}
}

func TestSecurityGroupTagsArePermittedAtCreation(t *testing.T) {
	t.Parallel()
	f := permitted(t)
	create := func(name string, group []ec2types.Tag) (*string, error) {
		in := &ec2.CreateSecurityGroupInput{GroupName: &name, Description: &name, VpcId: aws.String(f.Sim.World().VPC)}
		if group != nil {
			in.TagSpecifications = []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSecurityGroup, Tags: group}}
		}
		out, err := f.ec2.CreateSecurityGroup(t.Context(), in)
		if err != nil {
			return nil, err
		}
		return out.GroupId, nil
	}
	_, err := create("a", []ec2types.Tag{{Key: aws.String("team"), Value: aws.String("x")}})
	contract.WantCode(t, err, "UnauthorizedOperation")
	mine, err := create("a", []ec2types.Tag{{Key: aws.String(ownership), Value: aws.String("test")}})
	contract.WantCode(t, err, "")
	other, err := create("b", nil)
	contract.WantCode(t, err, "")
	_, err = f.ec2.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: other})
	contract.WantCode(t, err, "UnauthorizedOperation")
	_, err = f.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{*other}, Tags: []ec2types.Tag{{Key: aws.String("team"), Value: aws.String("x")}}})
	contract.WantCode(t, err, "UnauthorizedOperation")
	_, err = f.ec2.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: mine})
	contract.WantCode(t, err, "")
}

func TestDenialNamesPrincipalAndAction(t *testing.T) {
	t.Parallel()
	statement := func(effect, action, resource string) string {
		return `{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}`
	}
	document := json.RawMessage(`{"Version":"2012-10-17","Statement":[` + statement("Allow", "*", "*") + "," +
		statement("Deny", "elasticloadbalancing:SetRulePriorities", "*:listener-rule/app/kept/*") + `]}`)
	f := start(t, disturbed(sim.Disturbances{Policy: document}))
	for name, code := range map[string]string{"kept": "AccessDenied", "free": ""} {
		rule := f.rule(f.listener(f.balancer(name), 80, fixed("404")), 1, path("/a"), fixed("404"))
		_, err := f.elb.SetRulePriorities(t.Context(), &elb.SetRulePrioritiesInput{RulePriorities: []elbtypes.RulePriorityPair{{RuleArn: rule, Priority: aws.Int32(2)}}})
		contract.WantCode(t, err, code)
		if api, ok := errors.AsType[smithy.APIError](err); ok {
			want := "User: arn:aws:iam::123456789012:user/simulated is not authorized to perform: elasticloadbalancing:SetRulePriorities on resource: " +
				*rule + " with an explicit deny in an identity-based policy"
			if api.ErrorMessage() != want {
				t.Errorf("message %q", api.ErrorMessage())
			}
		}
	}
}
