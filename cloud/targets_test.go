package cloud_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// TestTargetsBeyondAQuota: as many as there is room for are put in, the error says that it is a quota, and taking out goes through.
func TestTargetsBeyondAQuota(t *testing.T) {
	a := accountOf(t, sim.Options{Speed: 5000, Provisioning: -1, Quotas: elb.Quotas{TargetsPerGroup: 13}})
	made, err := a.elb().CreateTargetGroup(t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String("full"), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(vpc.DefaultWorld().VPC),
		TargetType: elbtypes.TargetTypeEnumIp,
	})
	if err != nil {
		t.Fatal(err)
	}
	group, w := model.ARN(*made.TargetGroups[0].TargetGroupArn), newWire()
	c := a.client(t, w)
	var pods []model.Target
	for i := range 150 {
		pods = append(pods, model.Target{ID: fmt.Sprintf("10.0.128.%d", 10+i), Port: 80})
	}
	if err := c.Register(t.Context(), group, pods); fault.Of(err) != fault.Quota {
		t.Errorf("150 targets where 13 fit: %v", err)
	}
	if calls := w.take(true)["RegisterTargets"]; calls > 16 {
		t.Errorf("it took %d calls", calls)
	}
	for _, step := range []struct {
		why string
		do  func() error
		in  int
	}{
		{"as many as fit", func() error { return nil }, 13},
		{"some go", func() error { return c.Deregister(t.Context(), group, pods[:5]) }, 8},
		{"others come in their place", func() error { return c.Register(t.Context(), group, pods[20:25]) }, 13},
	} {
		if err := step.do(); err != nil {
			t.Errorf("%s: %v", step.why, err)
		}
		health, err := c.Health(t.Context(), group)
		if err != nil || len(health) != step.in {
			t.Errorf("%s: %d are in, want %d: %v", step.why, len(health), step.in, err)
		}
	}
}
