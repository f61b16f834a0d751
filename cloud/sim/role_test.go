package sim_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestSessionsHaveTheRightsOfTheirRole(t *testing.T) {
	t.Parallel()
	f := start(t)
	roles, tokens := iam.NewFromConfig(f.Config), sts.NewFromConfig(f.Config)
	const arn = "arn:aws:iam::123456789012:role/targets"
	assume := func(external string) (*sts.AssumeRoleOutput, error) {
		in := &sts.AssumeRoleInput{RoleArn: aws.String(arn), RoleSessionName: aws.String("headgate")}
		if external != "" {
			in.ExternalId = &external
		}
		return tokens.AssumeRole(t.Context(), in)
	}
	_, err := assume("")
	contract.WantCode(t, err, "") // before somebody makes a role, any is accepted
	_, err = roles.CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String("targets"), AssumeRolePolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"sts:AssumeRole",` +
			`"Condition":{"StringEquals":{"sts:ExternalId":"shop"}}}}`)})
	contract.WantCode(t, err, "")
	_, err = roles.PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String("targets"), PolicyName: aws.String("read"), PolicyDocument: aws.String(
		`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"elasticloadbalancing:DescribeTargetGroups","Resource":"*"}}`)})
	contract.WantCode(t, err, "")
	for external, code := range map[string]string{"": "AccessDenied", "other": "AccessDenied", "shop": ""} {
		_, err := assume(external)
		contract.WantCode(t, err, code)
	}
	session, err := assume("shop")
	contract.WantCode(t, err, "")
	c := f.Config.Copy()
	c.Credentials = aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{
			AccessKeyID: *session.Credentials.AccessKeyId, SecretAccessKey: *session.Credentials.SecretAccessKey,
			SessionToken: *session.Credentials.SessionToken,
		}, nil
	})
	who, err := sts.NewFromConfig(c).GetCallerIdentity(t.Context(), &sts.GetCallerIdentityInput{})
	contract.WantCode(t, err, "")
	if want := "arn:aws:sts::123456789012:assumed-role/targets/headgate"; *who.Arn != want {
		t.Errorf("the session is %s, want %s", *who.Arn, want)
	}
	balancing := elb.NewFromConfig(c)
	_, err = balancing.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	contract.WantCode(t, err, "")
	_, err = balancing.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	contract.WantCode(t, err, "AccessDenied")
	_, err = f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	contract.WantCode(t, err, "") // the user has its own rights
	f.Pass(time.Hour)
	_, err = balancing.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{})
	contract.WantCode(t, err, "ExpiredToken")
}
