package sim_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func address(ip string, port int32) elbtypes.TargetDescription {
	d := elbtypes.TargetDescription{Id: aws.String(ip)}
	if port != 0 {
		d.Port = aws.Int32(port)
	}
	return d
}

func (f *fixture) register(group *string, targets ...elbtypes.TargetDescription) error {
	_, err := f.elb.RegisterTargets(f.Context(), &elb.RegisterTargetsInput{TargetGroupArn: group, Targets: targets})
	return err
}

func (f *fixture) deregister(group *string, targets ...elbtypes.TargetDescription) error {
	_, err := f.elb.DeregisterTargets(f.Context(), &elb.DeregisterTargetsInput{TargetGroupArn: group, Targets: targets})
	return err
}

// health gives "address:port state reason" of the targets of a group.
func (f *fixture) health(group *string, targets ...elbtypes.TargetDescription) []string {
	f.Helper()
	out, err := f.elb.DescribeTargetHealth(f.Context(), &elb.DescribeTargetHealthInput{TargetGroupArn: group, Targets: targets})
	var all []string
	for _, d := range contract.Must(f, out, err).TargetHealthDescriptions {
		line := fmt.Sprintf("%s:%d %s", *d.Target.Id, aws.ToInt32(d.Target.Port), d.TargetHealth.State)
		if d.TargetHealth.Reason != "" {
			line += " " + string(d.TargetHealth.Reason)
		}
		all = append(all, line)
	}
	return all
}

func TestTargetStates(t *testing.T) {
	t.Parallel()
	f := start(t)
	group := f.group("web")
	check := func(why string, want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, f.health(group)); diff != "" {
			t.Errorf("%s: %s", why, diff)
		}
	}
	contract.WantCode(t, f.register(group, address("10.0.1.1", 0), address("10.0.1.1", 8080)), "")
	check("a group that nobody uses is not checked", "10.0.1.1:80 unused Target.NotInUse", "10.0.1.1:8080 unused Target.NotInUse")
	l := f.listener(f.balancer("web"), 80, forward(group))
	check("then checks begin", "10.0.1.1:80 initial Elb.InitialHealthChecking", "10.0.1.1:8080 initial Elb.InitialHealthChecking")
	f.Pass(10 * time.Second)
	check("and succeed", "10.0.1.1:80 healthy", "10.0.1.1:8080 healthy")
	contract.WantCode(t, f.register(group, address("10.0.1.1", 80)), "")
	check("registering again changes nothing", "10.0.1.1:80 healthy", "10.0.1.1:8080 healthy")
	contract.WantCode(t, f.deregister(group, address("10.0.1.1", 0), address("10.0.9.9", 0)), "")
	check("a target drains, an unknown one is no error", "10.0.1.1:80 draining Target.DeregistrationInProgress", "10.0.1.1:8080 healthy")
	contract.WantCode(t, f.register(group, address("10.0.1.1", 80)), "")
	check("a target that drains can come back", "10.0.1.1:80 initial Elb.InitialHealthChecking", "10.0.1.1:8080 healthy")
	contract.WantCode(t, f.deregister(group, address("10.0.1.1", 80)), "")
	f.Pass(300 * time.Second)
	check("after the delay it is gone", "10.0.1.1:8080 healthy")
	if diff := cmp.Diff([]string{"10.0.1.1:80 unused Target.NotRegistered"}, f.health(group, address("10.0.1.1", 80))); diff != "" {
		t.Error(diff)
	}
	_, err := f.elb.DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: l})
	contract.WantCode(t, err, "")
	check("out of use again", "10.0.1.1:8080 unused Target.NotInUse")
}

func TestTargetZones(t *testing.T) {
	t.Parallel()
	f := start(t)
	group := f.group("web")
	f.listener(f.balancer("web", func(in *elb.CreateLoadBalancerInput) { in.Subnets = in.Subnets[:2] }), 80, forward(group))
	contract.WantCode(t, f.register(group, address("10.0.1.1", 0), address("10.0.33.1", 0)), "")
	f.Pass(10 * time.Second)
	want := []string{"10.0.1.1:80 healthy", "10.0.33.1:80 unused Target.NotInUse"}
	if diff := cmp.Diff(want, f.health(group)); diff != "" {
		t.Error(diff)
	}
}

func TestRegisterTargetsErrors(t *testing.T) {
	f := start(t, func(o *sim.Options) { o.Quotas.TargetsPerGroup = 2 })
	group := f.group("web")
	nodes := f.group("nodes", func(in *elb.CreateTargetGroupInput) { in.TargetType = elbtypes.TargetTypeEnumInstance })
	lambda := f.group("lambda", func(in *elb.CreateTargetGroupInput) {
		in.TargetType, in.Protocol, in.Port, in.VpcId = elbtypes.TargetTypeEnumLambda, "", nil, nil
	})
	const function = "arn:aws:lambda:us-west-2:123456789012:function:f"
	zoned := func(id, zone string) elbtypes.TargetDescription {
		d := elbtypes.TargetDescription{Id: aws.String(id)}
		d.AvailabilityZone = aws.String(zone)
		return d
	}
	rows := []struct {
		why, code string
		group     *string
		targets   []elbtypes.TargetDescription
	}{
		{"public addresses are refused", "ValidationError", group, []elbtypes.TargetDescription{zoned("8.8.8.8", "all")}},
		{"so are loopback addresses", "ValidationError", group, []elbtypes.TargetDescription{address("127.0.0.1", 0)}},
		{"and what is no address", "ValidationError", group, []elbtypes.TargetDescription{address("web", 0)}},
		{"and IPv6 in an IPv4 group", "ValidationError", group, []elbtypes.TargetDescription{address("fd00::1", 0)}},
		{"private ones outside of the VPC need a zone", "ValidationError", group, []elbtypes.TargetDescription{address("192.168.0.1", 0)}},
		{"which may be all", "", group, []elbtypes.TargetDescription{zoned("192.168.0.1", "all")}},
		{"or one of the VPC's", "ValidationError", group, []elbtypes.TargetDescription{zoned("192.168.0.2", "eu-west-1a")}},
		{"functions are of all zones", "ValidationError", lambda, []elbtypes.TargetDescription{zoned(function, "us-west-2a")}},
		{"and have an ARN", "InvalidTarget", lambda, []elbtypes.TargetDescription{{Id: aws.String("my:lambda:function")}}},
		{"a wrong zone is refused", "ValidationError", group, []elbtypes.TargetDescription{zoned("10.0.1.1", "us-west-2c")}},
		{"a port has a range", "ValidationError", group, []elbtypes.TargetDescription{address("10.0.1.1", 65536)}},
		{"one bad target, none registered", "ValidationError", group, []elbtypes.TargetDescription{address("10.0.1.1", 0), address("8.8.8.8", 0)}},
		{"two targets a group here", "TooManyTargets", group, []elbtypes.TargetDescription{address("10.0.1.1", 0), address("10.0.1.2", 0)}},
		{"instances exist", "InvalidTarget", nodes, []elbtypes.TargetDescription{address("i-0123456789abcdef0", 0)}},
		{"groups exist", "TargetGroupNotFound", aws.String(*group + "0"), []elbtypes.TargetDescription{address("10.0.1.1", 0)}},
		{"a target at least", "ValidationError", group, []elbtypes.TargetDescription{}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) { contract.WantCode(t, f.register(row.group, row.targets...), row.code) })
	}
	if diff := cmp.Diff([]string{"192.168.0.1:80 unused Target.NotInUse"}, f.health(group)); diff != "" {
		t.Error(diff)
	}
}

func TestInstanceTargets(t *testing.T) {
	t.Parallel()
	f := start(t)
	out, err := f.ec2.RunInstances(t.Context(), &ec2.RunInstancesInput{
		MinCount: aws.Int32(1), MaxCount: aws.Int32(1), ImageId: aws.String("ami-1"), SubnetId: aws.String(f.Sim.World().PrivateSubnets[0]),
	})
	id := *contract.Must(t, out, err).Instances[0].InstanceId
	group := f.group("nodes", func(in *elb.CreateTargetGroupInput) { in.TargetType = elbtypes.TargetTypeEnumInstance })
	f.listener(f.balancer("web"), 80, forward(group))
	contract.WantCode(t, f.register(group, address(id, 30080)), "")
	f.Pass(10 * time.Second)
	if diff := cmp.Diff([]string{id + ":30080 healthy"}, f.health(group)); diff != "" {
		t.Error(diff)
	}
	_, err = f.ec2.TerminateInstances(t.Context(), &ec2.TerminateInstancesInput{InstanceIds: []string{id}})
	contract.WantCode(t, err, "")
	if diff := cmp.Diff([]string{id + ":30080 unused Target.InvalidState"}, f.health(group)); diff != "" {
		t.Error(diff)
	}
	contract.WantCode(t, f.register(group, address(id, 30081)), "InvalidTarget")
}

func TestLoopbackTargetsBehindASwitch(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.AllowLoopbackTargets = true })
	contract.WantCode(t, f.register(f.group("web"), address("127.0.0.1", 0)), "")
}
