package elb_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/cloud/sim/dataplane"
)

// ofNetwork makes a target group speak TCP to a type of targets.
func ofNetwork(kind elbtypes.TargetTypeEnum) func(*sdk.CreateTargetGroupInput) {
	return func(in *sdk.CreateTargetGroupInput) { in.Protocol, in.TargetType = elbtypes.ProtocolEnumTcp, kind }
}

func TestNetworkListenersGoToTheDataPlane(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.balancer("gateway", gateway, func(in *sdk.CreateLoadBalancerInput) { in.Subnets = in.Subnets[:1] })
	lb := w.balancer("net", network)
	group := w.group("a", ofNetwork(elbtypes.TargetTypeEnumIp))
	w.listener(lb, forward(group), w.secured, on(elbtypes.ProtocolEnumTls, 443), func(in *sdk.CreateListenerInput) {
		in.AlpnPolicy = []string{"HTTP2Preferred"}
	})
	all := w.state.LoadBalancers()
	if len(all) != 1 || all[0].ARN != *lb || len(all[0].Zones) != 3 || len(all[0].Listeners) != 1 {
		t.Fatalf("load balancers: %+v", all)
	}
	l := all[0].Listeners[0]
	if l.Protocol != "TLS" || l.Port != 443 || l.ALPN != "HTTP2Preferred" || len(l.Certificates) != 1 || l.Policy.Name == "" || len(l.Rules) != 1 {
		t.Errorf("listener: %+v", l)
	}
}

func TestTargetsAreLocated(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	instance := beside[ec2.RunInstancesOutput](w, w.network.Service(), "RunInstances", &ec2.RunInstancesInput{
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1), ImageId: aws.String("ami-1"), SubnetId: aws.String(w.PrivateSubnets[1]),
	}).Instances[0]
	inner := w.balancer("inner")
	w.listener(inner, fixed())
	nodes, balancers := w.group("nodes", ofNetwork(elbtypes.TargetTypeEnumInstance)), w.group("albs", ofNetwork(elbtypes.TargetTypeEnumAlb))
	lb := w.balancer("net", network)
	w.listener(lb, forward(nodes), on(elbtypes.ProtocolEnumTcp, 80))
	w.listener(lb, forward(balancers), on(elbtypes.ProtocolEnumTcp, 81))
	w.register(nodes, elbtypes.TargetDescription{Id: instance.InstanceId, Port: aws.Int32(30080)})
	w.register(balancers, elbtypes.TargetDescription{Id: inner, Port: aws.Int32(80)})
	for _, row := range []struct {
		why   string
		group *string
		want  dataplane.Target
		at    string
	}{
		{"an instance is where it runs", nodes, dataplane.Target{ID: *instance.InstanceId, Port: 30080, Zone: region + "b"}, *instance.PrivateIpAddress},
		{
			"a load balancer is at its loopback address", balancers, dataplane.Target{ID: *inner, Port: 80, Balancer: true},
			w.state.LoadBalancers()[0].Address.String(),
		},
	} {
		got := w.state.TargetGroups()[*row.group].Targets
		if len(got) != 1 || got[0].Address.String() != row.at {
			t.Fatalf("%s: %+v", row.why, got)
		}
		if diff := cmp.Diff(row.want, got[0], cmpopts.IgnoreFields(dataplane.Target{}, "Address")); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

func TestGroupsFollowTheirLoadBalancerAcrossZones(t *testing.T) {
	t.Parallel()
	const key = "load_balancing.cross_zone.enabled"
	w := newWorld(t)
	group := w.group("a", ofNetwork(elbtypes.TargetTypeEnumIp))
	lb := w.balancer("net", network)
	w.listener(lb, forward(group), on(elbtypes.ProtocolEnumTcp, 80))
	check := func(why, want string) {
		t.Helper()
		if got := w.state.TargetGroups()[*group].Attributes[key]; got != want {
			t.Errorf("%s: %s, want %s", why, got, want)
		}
	}
	check("the default of network load balancers", "false")
	have(w, w.api.ModifyLoadBalancerAttributes, &sdk.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: lb, Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String(key), Value: aws.String("true")}},
	})
	check("what the load balancer says", "true")
	have(w, w.api.ModifyTargetGroupAttributes, &sdk.ModifyTargetGroupAttributesInput{
		TargetGroupArn: group, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String(key), Value: aws.String("false")}},
	})
	check("the group's own word", "false")
}
