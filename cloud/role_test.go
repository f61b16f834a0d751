package cloud_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// role gives the name of one of the account.
func role(name string) string { return "arn:aws:iam::123456789012:role/" + name }

func TestTargetsOfAnotherAccount(t *testing.T) {
	a := newAccount(t)
	made, err := a.elb().CreateTargetGroup(t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String("far"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(vpc.DefaultWorld().VPC),
		TargetType: elbtypes.TargetTypeEnumIp,
	})
	if err != nil {
		t.Fatal(err)
	}
	group := model.ARN(*made.TargetGroups[0].TargetGroupArn)
	w := newWire()
	c := a.client(t, w)
	target := []model.Target{{ID: "10.0.128.10", Port: 80}}
	work := func(r model.Role) {
		t.Helper()
		guest := c.As(r)
		if err := guest.Register(t.Context(), group, target); err != nil {
			t.Fatal(err)
		}
		if health, err := guest.Health(t.Context(), group); err != nil || len(health) != 1 {
			t.Fatal(health, err)
		}
		for _, name := range []string{"far", string(group)} {
			if g, err := guest.TargetGroup(t.Context(), name); err != nil || g.ARN != group || g.TargetType != "ip" {
				t.Errorf("%s: %+v, %v", name, g, err)
			}
		}
		if err := guest.Deregister(t.Context(), group, target); err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range []struct {
		why  string
		role model.Role
		want int
	}{
		{"the first call assumes the role", model.Role{ARN: role("targets")}, 1},
		{"and keeps it", model.Role{ARN: role("targets")}, 0},
		{"another external ID is another session", model.Role{ARN: role("targets"), ExternalID: "x"}, 1},
		{"another role too", model.Role{ARN: role("others")}, 1},
	} {
		work(step.role)
		calls := w.take(false)
		for action, n := range w.take(true) {
			calls[action] += n
		}
		want := map[string]int{"RegisterTargets": 1, "DeregisterTargets": 1, "DescribeTargetHealth": 1, "DescribeTargetGroups": 2}
		if step.want > 0 {
			want["AssumeRole"] = step.want
		}
		if diff := cmp.Diff(want, calls); diff != "" {
			t.Errorf("%s: calls %s", step.why, diff)
		}
	}
	_, err = c.As(model.Role{ARN: role("targets")}).TargetGroup(t.Context(), "nowhere")
	if fault.Of(err) != fault.NotFound {
		t.Errorf("a name that is not there: %v", err)
	}
}

// TestRoleThatMayNotBeAssumed: the error names the right that is missing, and never the external ID.
func TestRoleThatMayNotBeAssumed(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	w.intercept = func(action string) verdict {
		if action == "AssumeRole" {
			return before
		}
		return pass
	}
	_, err := a.client(t, w).As(model.Role{ARN: role("targets"), ExternalID: "open-sesame"}).Health(t.Context(), "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/far/1")
	if err == nil || strings.Contains(err.Error(), "open-sesame") {
		t.Errorf("invariant 9: %v", err)
	}
}
