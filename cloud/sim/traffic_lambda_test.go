package sim_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// TestTrafficLambda holds that a function, which cannot be called here, is answered for as one that failed (ALB user guide, "HTTP 502").
func TestTrafficLambda(t *testing.T) {
	t.Parallel()
	f, client := startTraffic(t)
	group := f.group("function", func(in *elb.CreateTargetGroupInput) {
		in.TargetType, in.Protocol, in.Port, in.VpcId = elbtypes.TargetTypeEnumLambda, "", nil, nil
	})
	target := func(id string) elbtypes.TargetDescription { return elbtypes.TargetDescription{Id: aws.String(id)} }
	contract.WantCode(t, f.register(group, target("10.0.0.9")), "InvalidTarget")
	contract.WantCode(t, f.register(group, target("arn:aws:lambda:us-west-2:123456789012:function:hello")), "")
	contract.WantCode(t, f.register(group, target("arn:aws:lambda:us-west-2:123456789012:function:other")), "TooManyTargets")
	lb := f.balancer("web")
	f.listener(lb, 80, forward(group))
	f.Sim.Settle(t.Context())
	if got := get(t, client, lb, "/"); !strings.HasPrefix(got, "502 ") {
		t.Errorf("a function is answered for with %q, want 502", got)
	}
}
