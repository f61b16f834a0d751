package sim_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestTargetGroupDefaults(t *testing.T) {
	f := start(t)
	vpc := aws.String(f.Sim.World().VPC)
	base := elbtypes.TargetGroup{
		Port: aws.Int32(80), VpcId: vpc, TargetType: elbtypes.TargetTypeEnumIp, IpAddressType: elbtypes.TargetGroupIpAddressTypeEnumIpv4,
		HealthCheckEnabled: aws.Bool(true), HealthCheckPort: aws.String("traffic-port"), HealthCheckIntervalSeconds: aws.Int32(30),
		HealthyThresholdCount: aws.Int32(5), UnhealthyThresholdCount: aws.Int32(2), LoadBalancerArns: []string{},
	}
	rows := []struct {
		why    string
		change func(*elb.CreateTargetGroupInput)
		want   func(*elbtypes.TargetGroup)
	}{
		{"HTTP", func(*elb.CreateTargetGroupInput) {}, func(g *elbtypes.TargetGroup) {
			g.Protocol, g.ProtocolVersion, g.HealthCheckProtocol = elbtypes.ProtocolEnumHttp, aws.String("HTTP1"), elbtypes.ProtocolEnumHttp
			g.HealthCheckPath, g.HealthCheckTimeoutSeconds = aws.String("/"), aws.Int32(5)
			g.Matcher = &elbtypes.Matcher{HttpCode: aws.String("200")}
		}},
		{"gRPC", func(in *elb.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("GRPC") }, func(g *elbtypes.TargetGroup) {
			g.Protocol, g.ProtocolVersion, g.HealthCheckProtocol = elbtypes.ProtocolEnumHttp, aws.String("GRPC"), elbtypes.ProtocolEnumHttp
			g.HealthCheckPath, g.HealthCheckTimeoutSeconds = aws.String("/AWS.ALB/healthcheck"), aws.Int32(5)
			g.Matcher = &elbtypes.Matcher{GrpcCode: aws.String("12")}
		}},
		{"TCP", func(in *elb.CreateTargetGroupInput) { in.Protocol = elbtypes.ProtocolEnumTcp }, func(g *elbtypes.TargetGroup) {
			g.Protocol, g.HealthCheckProtocol, g.HealthCheckTimeoutSeconds = elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumTcp, aws.Int32(10)
		}},
		{"TCP checked by HTTP", func(in *elb.CreateTargetGroupInput) {
			in.Protocol, in.HealthCheckProtocol = elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumHttp
		}, func(g *elbtypes.TargetGroup) {
			g.Protocol, g.HealthCheckProtocol, g.HealthCheckTimeoutSeconds = elbtypes.ProtocolEnumTcp, elbtypes.ProtocolEnumHttp, aws.Int32(6)
			g.HealthCheckPath, g.Matcher = aws.String("/"), &elbtypes.Matcher{HttpCode: aws.String("200-399")}
		}},
	}
	for i, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			out, err := f.elb.CreateTargetGroup(t.Context(), f.groupInput(fmt.Sprint("g", i), row.change))
			got := contract.Must(t, out, err).TargetGroups[0]
			want := base
			row.want(&want)
			want.TargetGroupName, want.TargetGroupArn = aws.String(fmt.Sprint("g", i)), got.TargetGroupArn
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(elbtypes.TargetGroup{}, elbtypes.Matcher{})); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestCreateTargetGroupErrors(t *testing.T) {
	f := start(t)
	f.group("taken")
	rows := []struct {
		why, code string
		change    func(*elb.CreateTargetGroupInput)
	}{
		{"a name has no double hyphen", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.Name = aws.String("a--b") }},
		{"a protocol is needed", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.Protocol = "" }},
		{"a port is needed", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.Port = nil }},
		{"a VPC is needed", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.VpcId = nil }},
		{"the VPC exists", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.VpcId = aws.String("vpc-1") }},
		{"a version is for HTTP", "ValidationError", func(in *elb.CreateTargetGroupInput) {
			in.Protocol, in.ProtocolVersion = elbtypes.ProtocolEnumTcp, aws.String("HTTP1")
		}},
		{"versions are three", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("HTTP3") }},
		{"lambda has no port", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.TargetType = elbtypes.TargetTypeEnumLambda }},
		{"the timeout is below the interval", "ValidationError", func(in *elb.CreateTargetGroupInput) {
			in.HealthCheckIntervalSeconds, in.HealthCheckTimeoutSeconds = aws.Int32(10), aws.Int32(10)
		}},
		{"so is the default timeout", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(5) }},
		{"an interval has a range", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.HealthCheckIntervalSeconds = aws.Int32(301) }},
		{"a threshold has a range", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.HealthyThresholdCount = aws.Int32(1) }},
		{"a path is absolute", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.HealthCheckPath = aws.String("a") }},
		{"a health check port is a port", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.HealthCheckPort = aws.String("http") }},
		{"HTTP groups are not checked by TCP", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.HealthCheckProtocol = elbtypes.ProtocolEnumTcp }},
		{"success codes have a range", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.Matcher = &elbtypes.Matcher{HttpCode: aws.String("200-599")} }},
		{"gRPC codes are for gRPC", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.Matcher = &elbtypes.Matcher{GrpcCode: aws.String("0")} }},
		{"checks are always on", "ValidationError", func(in *elb.CreateTargetGroupInput) { in.HealthCheckEnabled = aws.Bool(false) }},
		{"the same name with other settings", "DuplicateTargetGroupName", func(in *elb.CreateTargetGroupInput) {
			in.Name, in.Port = aws.String("taken"), aws.Int32(81)
		}},
		{"the same again is the same", "", func(in *elb.CreateTargetGroupInput) { in.Name = aws.String("taken") }},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.elb.CreateTargetGroup(t.Context(), f.groupInput("new", row.change))
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestTargetGroupLife(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.Quotas.TargetGroups = 2 })
	used, spare := f.group("used"), f.group("spare")
	_, err := f.elb.CreateTargetGroup(t.Context(), f.groupInput("third"))
	contract.WantCode(t, err, "TooManyTargetGroups")
	lb := f.balancer("web")
	l := f.listener(lb, 80, forward(used))
	out, err := f.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{LoadBalancerArn: lb.LoadBalancerArn})
	if got := contract.Must(t, out, err).TargetGroups; len(got) != 1 || got[0].LoadBalancerArns[0] != *lb.LoadBalancerArn {
		t.Errorf("target groups of the load balancer: %+v", got)
	}
	_, err = f.elb.ModifyTargetGroup(t.Context(), &elb.ModifyTargetGroupInput{
		TargetGroupArn: used, HealthCheckPath: aws.String("/up"), Matcher: &elbtypes.Matcher{HttpCode: aws.String("200,204")},
	})
	contract.WantCode(t, err, "")
	_, err = f.elb.ModifyTargetGroup(t.Context(), &elb.ModifyTargetGroupInput{TargetGroupArn: used, HealthCheckTimeoutSeconds: aws.Int32(30)})
	contract.WantCode(t, err, "ValidationError")
	described, err := f.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{Names: []string{"used"}})
	if got := contract.Must(t, described, err).TargetGroups[0]; *got.HealthCheckPath != "/up" || *got.HealthCheckTimeoutSeconds != 5 {
		t.Errorf("after modifying: %+v", got)
	}
	remove := func(arn *string) error {
		_, err := f.elb.DeleteTargetGroup(t.Context(), &elb.DeleteTargetGroupInput{TargetGroupArn: arn})
		return err
	}
	contract.WantCode(t, remove(used), "ResourceInUse")
	_, err = f.elb.ModifyListener(t.Context(), &elb.ModifyListenerInput{ListenerArn: l, DefaultActions: forward(spare)})
	contract.WantCode(t, err, "")
	contract.WantCode(t, remove(used), "")
	contract.WantCode(t, remove(used), "")
	_, err = f.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{*used}})
	contract.WantCode(t, err, "TargetGroupNotFound")
	_, err = f.elb.DescribeTargetGroups(t.Context(), &elb.DescribeTargetGroupsInput{Names: []string{"spare"}, TargetGroupArns: []string{*spare}})
	contract.WantCode(t, err, "ValidationError")
}

func TestTargetGroupsPerLoadBalancer(t *testing.T) {
	t.Parallel()
	f := start(t)
	l := f.listener(f.balancer("web"), 80, fixed("404"))
	var groups []*string
	for i := range 101 {
		groups = append(groups, f.group(fmt.Sprint("g", i)))
	}
	for i := range 20 {
		f.rule(l, int32(i+1), path("/"), forward(groups[i*5:i*5+5]...))
	}
	create := func(group *string) error {
		_, err := f.elb.CreateRule(t.Context(), &elb.CreateRuleInput{ListenerArn: l, Priority: aws.Int32(99), Conditions: path("/"), Actions: forward(group)})
		return err
	}
	contract.WantCode(t, create(groups[100]), "TooManyUniqueTargetGroupsPerLoadBalancer")
	contract.WantCode(t, create(groups[0]), "")
}
