package sim_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func TestLoadBalancerLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	lb := f.balancer("web", func(in *elb.CreateLoadBalancerInput) {
		in.Tags = []elbtypes.Tag{{Key: aws.String("team"), Value: aws.String("a+b")}}
	})
	if lb.State.Code != elbtypes.LoadBalancerStateEnumProvisioning || lb.Type != elbtypes.LoadBalancerTypeEnumApplication ||
		lb.Scheme != elbtypes.LoadBalancerSchemeEnumInternetFacing || lb.IpAddressType != elbtypes.IpAddressTypeIpv4 {
		t.Errorf("new load balancer: %+v", lb)
	}
	if !strings.HasPrefix(*lb.DNSName, "web-") || !strings.HasSuffix(*lb.DNSName, ".us-west-2.elb.amazonaws.com") {
		t.Errorf("DNS name %s", *lb.DNSName)
	}
	if len(lb.SecurityGroups) != 1 || len(lb.AvailabilityZones) != 3 || *lb.CanonicalHostedZoneId != "Z1H1FL5HABSF5" {
		t.Errorf("defaults: %v %v %v", lb.SecurityGroups, lb.AvailabilityZones, *lb.CanonicalHostedZoneId)
	}
	f.Pass(3 * time.Minute)
	out, err := f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{"web"}})
	if got := contract.Must(t, out, err).LoadBalancers[0].State.Code; got != elbtypes.LoadBalancerStateEnumActive {
		t.Errorf("state %s after provisioning", got)
	}
	_, err = f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	_, err = f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	_, err = f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Names: []string{"web"}})
	contract.WantCode(t, err, "LoadBalancerNotFound")
	all, err := f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	if n := len(contract.Must(t, all, err).LoadBalancers); n != 0 {
		t.Errorf("%d load balancers left", n)
	}
}

func TestCreateLoadBalancerErrors(t *testing.T) {
	f := start(t)
	world, fours := f.Sim.World(), f.fours()
	f.balancer("taken")
	rows := []struct {
		why, code string
		change    func(*elb.CreateLoadBalancerInput)
	}{
		{"a name has at most 32 characters", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String(strings.Repeat("a", 33)) }},
		{"a name has no underscore", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("a_b") }},
		{"a name does not end with a hyphen", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("a-") }},
		{"internal- is reserved", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("internal-a") }},
		{"an enum has known values", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Scheme = "public" }},
		{"two zones at least", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Subnets = in.Subnets[:1] }},
		{"no subnet at all", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Subnets = nil }},
		{"one subnet a zone", "InvalidConfigurationRequest", func(in *elb.CreateLoadBalancerInput) {
			in.Subnets = []string{world.PublicSubnets[0], world.PrivateSubnets[0]}
		}},
		{"subnets exist", "SubnetNotFound", func(in *elb.CreateLoadBalancerInput) { in.Subnets = []string{"subnet-1", "subnet-2"} }},
		{"security groups exist", "InvalidSecurityGroup", func(in *elb.CreateLoadBalancerInput) { in.SecurityGroups = []string{"sg-1"} }},
		{"dualstack needs IPv6 blocks", "InvalidSubnet", func(in *elb.CreateLoadBalancerInput) {
			in.Subnets, in.IpAddressType = fours, elbtypes.IpAddressTypeDualstack
		}},
		{"static addresses are for network load balancers", "InvalidConfigurationRequest", func(in *elb.CreateLoadBalancerInput) {
			in.Subnets = nil
			for _, id := range world.PublicSubnets {
				in.SubnetMappings = append(in.SubnetMappings, elbtypes.SubnetMapping{SubnetId: aws.String(id), PrivateIPv4Address: aws.String("10.0.0.9")})
			}
		}},
		{"subnets or mappings", "ValidationError", func(in *elb.CreateLoadBalancerInput) {
			in.SubnetMappings = []elbtypes.SubnetMapping{{SubnetId: aws.String(world.PublicSubnets[0])}}
		}},
		{"a tag once", "DuplicateTagKeys", func(in *elb.CreateLoadBalancerInput) {
			in.Tags = []elbtypes.Tag{{Key: aws.String("a")}, {Key: aws.String("a")}}
		}},
		{"fifty tags", "TooManyTags", func(in *elb.CreateLoadBalancerInput) {
			for i := range 51 {
				in.Tags = append(in.Tags, elbtypes.Tag{Key: aws.String(fmt.Sprint("k", i))})
			}
		}},
		{"aws: is reserved", "ValidationError", func(in *elb.CreateLoadBalancerInput) { in.Tags = []elbtypes.Tag{{Key: aws.String("aws:x")}} }},
		{"the same name with other settings", "DuplicateLoadBalancerName", func(in *elb.CreateLoadBalancerInput) {
			in.Name, in.Scheme = aws.String("taken"), elbtypes.LoadBalancerSchemeEnumInternal
		}},
		{"the same name with the same settings gives the same", "", func(in *elb.CreateLoadBalancerInput) { in.Name = aws.String("taken") }},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			in := &elb.CreateLoadBalancerInput{Name: aws.String("new"), Subnets: world.PublicSubnets}
			row.change(in)
			_, err := f.elb.CreateLoadBalancer(t.Context(), in)
			contract.WantCode(t, err, row.code)
		})
	}
	if n := len(f.Sim.LoadBalancers()); n != 1 {
		t.Errorf("%d load balancers, want the first one only", n)
	}
}

func TestLoadBalancerQuota(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.Quotas.ApplicationLoadBalancers = 2 })
	f.balancer("a")
	f.balancer("b")
	_, err := f.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{Name: aws.String("c"), Subnets: f.Sim.World().PublicSubnets})
	contract.WantCode(t, err, "TooManyLoadBalancers")
}

func TestLoadBalancerPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	for i := range 5 {
		f.balancer(fmt.Sprint("lb", i))
	}
	var names []string
	pages := elb.NewDescribeLoadBalancersPaginator(f.elb, &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		for _, lb := range contract.Must(t, page, err).LoadBalancers {
			names = append(names, *lb.LoadBalancerName)
		}
	}
	if diff := cmp.Diff([]string{"lb0", "lb1", "lb2", "lb3", "lb4"}, names); diff != "" {
		t.Error(diff)
	}
	_, err := f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{PageSize: aws.Int32(401)})
	contract.WantCode(t, err, "ValidationError")
	_, err = f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{Marker: aws.String("x")})
	contract.WantCode(t, err, "ValidationError")
	many := make([]string, 21)
	for i := range many {
		many[i] = fmt.Sprintf("arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/x/%d", i)
	}
	_, err = f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{LoadBalancerArns: many})
	contract.WantCode(t, err, "ValidationError")
}

func TestLoadBalancerChanges(t *testing.T) {
	t.Parallel()
	f := start(t)
	world := f.Sim.World()
	lb := f.balancer("web")
	subnets, err := f.elb.SetSubnets(t.Context(), &elb.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, Subnets: world.PublicSubnets[:2]})
	if n := len(contract.Must(t, subnets, err).AvailabilityZones); n != 2 {
		t.Errorf("%d zones after SetSubnets", n)
	}
	_, err = f.elb.SetSubnets(t.Context(), &elb.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, Subnets: world.PublicSubnets[:1]})
	contract.WantCode(t, err, "ValidationError")
	groups, err := f.elb.SetSecurityGroups(t.Context(), &elb.SetSecurityGroupsInput{
		LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{world.NodeSecurityGroup},
	})
	if diff := cmp.Diff([]string{world.NodeSecurityGroup}, contract.Must(t, groups, err).SecurityGroupIds); diff != "" {
		t.Error(diff)
	}
	_, err = f.elb.SetSecurityGroups(t.Context(), &elb.SetSecurityGroupsInput{LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{"sg-1"}})
	contract.WantCode(t, err, "InvalidSecurityGroup")
	four := f.balancer("four", func(in *elb.CreateLoadBalancerInput) { in.Subnets = f.fours() })
	for arn, code := range map[*string]string{lb.LoadBalancerArn: "", four.LoadBalancerArn: "InvalidSubnet"} {
		_, err = f.elb.SetIpAddressType(t.Context(), &elb.SetIpAddressTypeInput{LoadBalancerArn: arn, IpAddressType: elbtypes.IpAddressTypeDualstack})
		contract.WantCode(t, err, code)
	}
	same, err := f.elb.SetIpAddressType(t.Context(), &elb.SetIpAddressTypeInput{
		LoadBalancerArn: lb.LoadBalancerArn, IpAddressType: elbtypes.IpAddressTypeIpv4,
	})
	if got := contract.Must(t, same, err).IpAddressType; got != elbtypes.IpAddressTypeIpv4 {
		t.Errorf("IP address type %s", got)
	}
}

func TestNetworkLoadBalancer(t *testing.T) {
	t.Parallel()
	f := start(t)
	lb := f.balancer("net", func(in *elb.CreateLoadBalancerInput) {
		in.Type, in.Subnets = elbtypes.LoadBalancerTypeEnumNetwork, in.Subnets[:1]
	})
	_, id, _ := strings.Cut(*lb.LoadBalancerArn, "net/net/")
	if want := "net-" + id + ".elb.us-west-2.amazonaws.com"; *lb.DNSName != want {
		t.Errorf("DNS name %s, want %s", *lb.DNSName, want)
	}
	_, err := f.elb.SetSecurityGroups(t.Context(), &elb.SetSecurityGroupsInput{
		LoadBalancerArn: lb.LoadBalancerArn, SecurityGroups: []string{f.Sim.World().NodeSecurityGroup},
	})
	contract.WantCode(t, err, "InvalidConfigurationRequest")
	tcp := f.group("tcp", func(in *elb.CreateTargetGroupInput) { in.Protocol = elbtypes.ProtocolEnumTcp })
	web := f.group("web")
	create := func(protocol elbtypes.ProtocolEnum, actions []elbtypes.Action) error {
		_, err := f.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
			LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(80), Protocol: protocol, DefaultActions: actions,
		})
		return err
	}
	contract.WantCode(t, create(elbtypes.ProtocolEnumHttp, forward(tcp)), "ValidationError")
	contract.WantCode(t, create(elbtypes.ProtocolEnumTcp, forward(web)), "IncompatibleProtocols")
	contract.WantCode(t, create(elbtypes.ProtocolEnumTcp, fixed("200")), "InvalidLoadBalancerAction")
	contract.WantCode(t, create(elbtypes.ProtocolEnumTcp, forward(tcp)), "")
}

func TestPrivateAddresses(t *testing.T) {
	t.Parallel()
	f := start(t)
	subnet := f.Sim.World().PrivateSubnets[0]
	create := func(name, four string) (*elb.CreateLoadBalancerOutput, error) {
		return f.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
			Name: aws.String(name), Type: elbtypes.LoadBalancerTypeEnumNetwork, Scheme: elbtypes.LoadBalancerSchemeEnumInternal,
			SubnetMappings: []elbtypes.SubnetMapping{{SubnetId: aws.String(subnet), PrivateIPv4Address: aws.String(four)}},
		})
	}
	_, err := create("reserved", "10.0.128.3")
	contract.WantCode(t, err, "InvalidConfigurationRequest")
	first, err := create("first", "10.0.128.50")
	lb := contract.Must(t, first, err).LoadBalancers[0]
	second, err := create("second", "10.0.128.50")
	if state := contract.Must(t, second, err).LoadBalancers[0].State.Code; state != elbtypes.LoadBalancerStateEnumProvisioning {
		t.Errorf("a load balancer whose address is taken begins as %s", state)
	}
	f.Pass(3 * time.Minute)
	out, err := f.elb.DescribeLoadBalancers(t.Context(), &elb.DescribeLoadBalancersInput{})
	states := map[string]elbtypes.LoadBalancerStateEnum{}
	for _, got := range contract.Must(t, out, err).LoadBalancers {
		states[*got.LoadBalancerName] = got.State.Code
		if failed := got.State.Code == elbtypes.LoadBalancerStateEnumFailed; failed && !strings.Contains(aws.ToString(got.State.Reason), "10.0.128.50") {
			t.Errorf("%s failed for %q", *got.LoadBalancerName, aws.ToString(got.State.Reason))
		}
	}
	want := map[string]elbtypes.LoadBalancerStateEnum{"first": elbtypes.LoadBalancerStateEnumActive, "second": elbtypes.LoadBalancerStateEnumFailed}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Error(diff)
	}
	interfaces, err := f.ec2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{
		Filters: []ec2types.Filter{{Name: aws.String("addresses.private-ip-address"), Values: []string{"10.0.128.50"}}},
	})
	held := contract.Must(t, interfaces, err).NetworkInterfaces
	_, path, _ := strings.Cut(*lb.LoadBalancerArn, "loadbalancer/")
	if len(held) != 1 || *held[0].Description != "ELB "+path {
		t.Errorf("the address belongs to %+v", held)
	}
	_, err = f.elb.SetSubnets(t.Context(), &elb.SetSubnetsInput{
		LoadBalancerArn: lb.LoadBalancerArn, SubnetMappings: []elbtypes.SubnetMapping{{SubnetId: aws.String(subnet), PrivateIPv4Address: aws.String("10.0.128.51")}},
	})
	contract.WantCode(t, err, "InvalidConfigurationRequest")
}

func TestSeededSixes(t *testing.T) {
	t.Parallel()
	f := start(t)
	out, err := f.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{})
	seen := map[string]bool{}
	for _, s := range contract.Must(t, out, err).Subnets {
		if len(s.Ipv6CidrBlockAssociationSet) != 1 || seen[*s.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock] {
			t.Fatalf("subnet %s has IPv6 blocks %+v", *s.SubnetId, s.Ipv6CidrBlockAssociationSet)
		}
		seen[*s.Ipv6CidrBlockAssociationSet[0].Ipv6CidrBlock] = true
	}
	lb := f.balancer("six", func(in *elb.CreateLoadBalancerInput) { in.IpAddressType = elbtypes.IpAddressTypeDualstack })
	group := f.group("six", func(in *elb.CreateTargetGroupInput) { in.IpAddressType = elbtypes.TargetGroupIpAddressTypeEnumIpv6 })
	f.listener(lb, 80, forward(group))
	for target, code := range map[string]string{"2600:1f14:1a2b:3c80::9": "", "2600:1f14:1a2b:3d00::9": "ValidationError"} {
		contract.WantCode(t, f.register(group, address(target, 80)), code)
	}
}
