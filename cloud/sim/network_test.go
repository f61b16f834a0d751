package sim_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func filter(name string, values ...string) ec2types.Filter {
	return ec2types.Filter{Name: aws.String(name), Values: values}
}

func (f *fixture) subnets(filters ...ec2types.Filter) ([]string, error) {
	out, err := f.ec2.DescribeSubnets(f.Context(), &ec2.DescribeSubnetsInput{Filters: filters})
	if err != nil {
		return nil, err
	}
	all := []string{}
	for _, s := range out.Subnets {
		all = append(all, *s.SubnetId)
	}
	return all, nil
}

func TestDescribeSubnetsFilters(t *testing.T) {
	f := start(t)
	w := f.Sim.World()
	rows := []struct {
		why     string
		filters []ec2types.Filter
		want    []string
	}{
		{"a tag with a value", []ec2types.Filter{filter("tag:kubernetes.io/role/elb", "1")}, w.PublicSubnets},
		{"a tag with one of several values", []ec2types.Filter{filter("tag:kubernetes.io/role/internal-elb", "", "1")}, w.PrivateSubnets},
		{"a tag key", []ec2types.Filter{filter("tag-key", "kubernetes.io/role/elb")}, w.PublicSubnets},
		{"a wildcard", []ec2types.Filter{filter("availability-zone", "*-2?"), filter("tag-key", "*/elb")}, w.PublicSubnets},
		{"all filters must fit", []ec2types.Filter{filter("tag-key", "*role/elb"), filter("availability-zone", "us-west-2b")}, w.PublicSubnets[1:2]},
		{"no such VPC", []ec2types.Filter{filter("vpc-id", "vpc-1")}, []string{}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			got, err := f.subnets(row.filters...)
			contract.WantCode(t, err, "")
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	_, err := f.subnets(filter("colour", "red"))
	contract.WantCode(t, err, "InvalidParameterValue")
	_, err = f.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{SubnetIds: []string{"subnet-1"}})
	contract.WantCode(t, err, "InvalidSubnetID.NotFound")
	_, err = f.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{MaxResults: aws.Int32(4)})
	contract.WantCode(t, err, "InvalidParameterValue")
	_, err = f.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{NextToken: aws.String("x")})
	contract.WantCode(t, err, "InvalidPaginationToken")
	page, err := f.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{MaxResults: aws.Int32(5)})
	rest, err2 := f.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{MaxResults: aws.Int32(5), NextToken: contract.Must(t, page, err).NextToken})
	if n := len(contract.Must(t, rest, err2).Subnets); n != 1 || rest.NextToken != nil {
		t.Errorf("%d subnets on the second page", n)
	}
}

func TestFreeAddressesShrink(t *testing.T) {
	t.Parallel()
	f := start(t)
	w := f.Sim.World()
	free := func() int32 {
		out, err := f.ec2.DescribeSubnets(t.Context(), &ec2.DescribeSubnetsInput{SubnetIds: w.PublicSubnets[:1]})
		return *contract.Must(t, out, err).Subnets[0].AvailableIpAddressCount
	}
	if got := free(); got != 4096-5 {
		t.Errorf("%d free addresses at the start", got)
	}
	lb := f.balancer("web")
	if got := free(); got != 4096-6 {
		t.Errorf("%d free addresses with a load balancer", got)
	}
	_, err := f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	f.Pass(time.Minute)
	if got := free(); got != 4096-5 {
		t.Errorf("%d free addresses at the end", got)
	}
	small, err := f.ec2.CreateSubnet(t.Context(), &ec2.CreateSubnetInput{VpcId: aws.String(w.VPC), CidrBlock: aws.String("10.0.200.0/28")})
	_, err = f.elb.CreateLoadBalancer(t.Context(), &elb.CreateLoadBalancerInput{
		Name: aws.String("tight"), Subnets: []string{*contract.Must(t, small, err).Subnet.SubnetId, w.PublicSubnets[1]},
	})
	contract.WantCode(t, err, "InvalidSubnet")
}

func TestBuildNetwork(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.EmptyWorld = true })
	ctx := t.Context()
	made, err := f.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("172.16.0.0/16"), TagSpecifications: []ec2types.TagSpecification{{
		ResourceType: ec2types.ResourceTypeVpc, Tags: []ec2types.Tag{{Key: aws.String("Name"), Value: aws.String("mine & yours")}},
	}}})
	vpc := contract.Must(t, made, err).Vpc
	if *vpc.Tags[0].Value != "mine & yours" {
		t.Errorf("tags: %v", vpc.Tags)
	}
	_, err = f.ec2.CreateVpc(ctx, &ec2.CreateVpcInput{CidrBlock: aws.String("172.16.0.0/8")})
	contract.WantCode(t, err, "InvalidVpc.Range")
	subnet, err := f.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("172.16.1.0/24"), AvailabilityZone: aws.String("us-west-2b")})
	id := contract.Must(t, subnet, err).Subnet.SubnetId
	_, err = f.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("172.16.1.128/25")})
	contract.WantCode(t, err, "InvalidSubnet.Conflict")
	_, err = f.ec2.CreateSubnet(ctx, &ec2.CreateSubnetInput{VpcId: vpc.VpcId, CidrBlock: aws.String("10.0.0.0/24")})
	contract.WantCode(t, err, "InvalidSubnet.Range")
	gateway, err := f.ec2.CreateInternetGateway(ctx, &ec2.CreateInternetGatewayInput{})
	igw := contract.Must(t, gateway, err).InternetGateway.InternetGatewayId
	_, err = f.ec2.AttachInternetGateway(ctx, &ec2.AttachInternetGatewayInput{InternetGatewayId: igw, VpcId: vpc.VpcId})
	contract.WantCode(t, err, "")
	table, err := f.ec2.CreateRouteTable(ctx, &ec2.CreateRouteTableInput{VpcId: vpc.VpcId})
	rtb := contract.Must(t, table, err).RouteTable.RouteTableId
	_, err = f.ec2.CreateRoute(ctx, &ec2.CreateRouteInput{RouteTableId: rtb, DestinationCidrBlock: aws.String("0.0.0.0/0"), GatewayId: igw})
	contract.WantCode(t, err, "")
	_, err = f.ec2.AssociateRouteTable(ctx, &ec2.AssociateRouteTableInput{RouteTableId: rtb, SubnetId: id})
	contract.WantCode(t, err, "")
	routes, err := f.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{filter("association.subnet-id", *id)}})
	got := contract.Must(t, routes, err).RouteTables
	if len(got) != 1 || *got[0].Routes[1].GatewayId != *igw || *got[0].Associations[0].SubnetId != *id {
		t.Errorf("route tables of the subnet: %+v", got)
	}
	main, err := f.ec2.DescribeRouteTables(ctx, &ec2.DescribeRouteTablesInput{Filters: []ec2types.Filter{filter("association.main", "true")}})
	if n := len(contract.Must(t, main, err).RouteTables); n != 1 {
		t.Errorf("%d main route tables", n)
	}
	_, err = f.ec2.DeleteVpc(ctx, &ec2.DeleteVpcInput{VpcId: vpc.VpcId})
	contract.WantCode(t, err, "DependencyViolation")
	zones, err := f.ec2.DescribeAvailabilityZones(ctx, &ec2.DescribeAvailabilityZonesInput{})
	if z := contract.Must(t, zones, err).AvailabilityZones; len(z) != 3 || *z[0].ZoneId != "usw2-az1" || *z[0].ZoneType != "availability-zone" {
		t.Errorf("zones: %+v", z)
	}
	_, err = f.ec2.DescribeVpcs(ctx, &ec2.DescribeVpcsInput{VpcIds: []string{*vpc.VpcId}, DryRun: aws.Bool(true)})
	contract.WantCode(t, err, "DryRunOperation")
}

func tcp(from, to int32, blocks ...string) ec2types.IpPermission {
	p := ec2types.IpPermission{IpProtocol: aws.String("tcp"), FromPort: aws.Int32(from), ToPort: aws.Int32(to)}
	for _, b := range blocks {
		p.IpRanges = append(p.IpRanges, ec2types.IpRange{CidrIp: aws.String(b), Description: aws.String("from " + b)})
	}
	return p
}

func (f *fixture) securityGroup(name string) *string {
	f.Helper()
	out, err := f.ec2.CreateSecurityGroup(f.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String(name), Description: aws.String("test"), VpcId: aws.String(f.Sim.World().VPC),
		TagSpecifications: []ec2types.TagSpecification{{
			ResourceType: ec2types.ResourceTypeSecurityGroup, Tags: []ec2types.Tag{{Key: aws.String("of"), Value: aws.String(name)}},
		}},
	})
	return contract.Must(f, out, err).GroupId
}

func (f *fixture) authorize(group *string, permissions ...ec2types.IpPermission) error {
	_, err := f.ec2.AuthorizeSecurityGroupIngress(f.Context(), &ec2.AuthorizeSecurityGroupIngressInput{GroupId: group, IpPermissions: permissions})
	return err
}

func (f *fixture) revoke(group *string, permissions ...ec2types.IpPermission) error {
	_, err := f.ec2.RevokeSecurityGroupIngress(f.Context(), &ec2.RevokeSecurityGroupIngressInput{GroupId: group, IpPermissions: permissions})
	return err
}

// ingress gives "protocol from-to peer" of the ingress rules of a group.
func (f *fixture) ingress(group *string) []string {
	f.Helper()
	out, err := f.ec2.DescribeSecurityGroups(f.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{*group}})
	all := []string{}
	for _, p := range contract.Must(f, out, err).SecurityGroups[0].IpPermissions {
		head := fmt.Sprintf("%s %d-%d ", *p.IpProtocol, aws.ToInt32(p.FromPort), aws.ToInt32(p.ToPort))
		for _, r := range p.IpRanges {
			all = append(all, head+*r.CidrIp)
		}
		for _, r := range p.UserIdGroupPairs {
			all = append(all, head+*r.GroupId)
		}
	}
	return all
}

func TestSecurityGroupRules(t *testing.T) {
	t.Parallel()
	f := start(t)
	group, other := f.securityGroup("one"), f.securityGroup("two")
	fromOther := ec2types.IpPermission{
		IpProtocol: aws.String("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: other, Description: aws.String("d")}},
	}
	rows := []struct {
		why, code string
		do        func() error
		want      []string
	}{
		{"two blocks merge into one permission", "", func() error {
			return f.authorize(group, tcp(80, 80, "10.0.0.0/8", "192.168.0.0/16"))
		}, []string{"tcp 80-80 10.0.0.0/8", "tcp 80-80 192.168.0.0/16"}},
		{"a group is a peer", "", func() error { return f.authorize(group, fromOther) }, []string{
			"-1 0-0 " + *other, "tcp 80-80 10.0.0.0/8", "tcp 80-80 192.168.0.0/16",
		}},
		{"another spelling is a duplicate, and then nothing is added", "InvalidPermission.Duplicate", func() error {
			return f.authorize(group, tcp(81, 81, "10.0.0.0/8"), tcp(80, 80, "10.1.2.3/8"))
		}, nil},
		{"twice in one call", "InvalidParameterValue", func() error { return f.authorize(group, tcp(82, 82, "10.0.0.0/8"), tcp(82, 82, "10.0.0.0/8")) }, nil},
		{"ports are needed", "InvalidParameterValue", func() error {
			return f.authorize(group, ec2types.IpPermission{IpProtocol: aws.String("tcp"), IpRanges: tcp(1, 1, "10.0.0.0/8").IpRanges})
		}, nil},
		{"groups exist", "InvalidGroup.NotFound", func() error {
			return f.authorize(group, ec2types.IpPermission{IpProtocol: aws.String("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: aws.String("sg-1")}}})
		}, nil},
		{"protocols are known", "InvalidParameterValue", func() error {
			p := tcp(1, 1, "10.0.0.0/8")
			p.IpProtocol = aws.String("http")
			return f.authorize(group, p)
		}, nil},
		{"blocks are blocks", "InvalidParameterValue", func() error { return f.authorize(group, tcp(1, 1, "10.0.0.0")) }, nil},
		{"descriptions have an alphabet", "InvalidParameterValue", func() error {
			p := tcp(1, 1, "10.0.0.0/8")
			p.IpRanges[0].Description = aws.String("<all>")
			return f.authorize(group, p)
		}, nil},
		{"one that is not there, and then none is revoked", "InvalidPermission.NotFound", func() error {
			return f.revoke(group, tcp(80, 80, "10.0.0.0/8"), tcp(1, 1, "10.0.0.0/8"))
		}, nil},
		{"revoking needs no description", "", func() error {
			p := tcp(80, 80, "10.0.0.0/8")
			p.IpRanges[0].Description = nil
			return f.revoke(group, p)
		}, []string{"-1 0-0 " + *other, "tcp 80-80 192.168.0.0/16"}},
	}
	held := []string{}
	for _, row := range rows {
		contract.WantCode(t, row.do(), row.code)
		if row.want != nil {
			held = row.want
		}
		if diff := cmp.Diff(held, f.ingress(group)); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}

func TestSecurityGroupLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	group, other := f.securityGroup("one"), f.securityGroup("two")
	_, err := f.ec2.CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String("ONE"), Description: aws.String("d"), VpcId: aws.String(f.Sim.World().VPC),
	})
	contract.WantCode(t, err, "InvalidGroup.Duplicate")
	contract.WantCode(t, f.authorize(group, ec2types.IpPermission{IpProtocol: aws.String("-1"), UserIdGroupPairs: []ec2types.UserIdGroupPair{{GroupId: other}}}), "")
	rules, err := f.ec2.DescribeSecurityGroupRules(t.Context(), &ec2.DescribeSecurityGroupRulesInput{Filters: []ec2types.Filter{filter("group-id", *group)}})
	all := contract.Must(t, rules, err).SecurityGroupRules
	if len(all) != 3 || !*all[0].IsEgress || !*all[1].IsEgress || *all[2].ReferencedGroupInfo.GroupId != *other {
		t.Errorf("rules: %+v", all)
	}
	remove := func(id *string) error {
		_, err := f.ec2.DeleteSecurityGroup(t.Context(), &ec2.DeleteSecurityGroupInput{GroupId: id})
		return err
	}
	contract.WantCode(t, remove(other), "DependencyViolation")
	_, err = f.ec2.RevokeSecurityGroupIngress(t.Context(), &ec2.RevokeSecurityGroupIngressInput{
		GroupId: group, SecurityGroupRuleIds: []string{*all[2].SecurityGroupRuleId},
	})
	contract.WantCode(t, err, "")
	contract.WantCode(t, remove(other), "")
	contract.WantCode(t, remove(other), "InvalidGroup.NotFound")
	lb := f.balancer("web", func(in *elb.CreateLoadBalancerInput) { in.SecurityGroups = []string{*group} })
	contract.WantCode(t, remove(group), "DependencyViolation")
	_, err = f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "")
	contract.WantCode(t, remove(group), "DependencyViolation")
	f.Pass(time.Minute)
	contract.WantCode(t, remove(group), "")
	byTag, err := f.ec2.DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{Filters: []ec2types.Filter{filter("tag:kubernetes.io/cluster/test", "owned")}})
	if got := contract.Must(t, byTag, err).SecurityGroups; len(got) != 1 || *got[0].GroupId != f.Sim.World().NodeSecurityGroup {
		t.Errorf("groups of the cluster: %+v", got)
	}
}

func TestSecurityGroupRuleQuota(t *testing.T) {
	t.Parallel()
	f := start(t)
	group := f.securityGroup("full")
	var permissions []ec2types.IpPermission
	for i := range int32(60) {
		permissions = append(permissions, tcp(i, i, "10.0.0.0/8"))
	}
	contract.WantCode(t, f.authorize(group, permissions...), "")
	contract.WantCode(t, f.authorize(group, tcp(60, 60, "10.0.0.0/8")), "RulesPerSecurityGroupLimitExceeded")
}

func TestNetworkInterfaces(t *testing.T) {
	t.Parallel()
	f := start(t)
	w := f.Sim.World()
	id, err := f.Sim.AddNetworkInterface(sim.Interface{
		ID: "eni-0000000000000node1", SecurityGroups: []string{w.NodeSecurityGroup}, Addresses: []string{"10.0.128.10", "10.0.128.11", "10.0.128.12"},
	})
	if err != nil {
		t.Fatal(err)
	}
	find := func(filters ...ec2types.Filter) []ec2types.NetworkInterface {
		out, err := f.ec2.DescribeNetworkInterfaces(t.Context(), &ec2.DescribeNetworkInterfacesInput{Filters: filters})
		return contract.Must(t, out, err).NetworkInterfaces
	}
	got := find(filter("addresses.private-ip-address", "10.0.128.12", "10.0.128.99"), filter("vpc-id", w.VPC))
	if len(got) != 1 || *got[0].NetworkInterfaceId != id || *got[0].Groups[0].GroupId != w.NodeSecurityGroup || len(got[0].PrivateIpAddresses) != 3 {
		t.Errorf("interface of a pod: %+v", got)
	}
	if _, err = f.Sim.AddNetworkInterface(sim.Interface{Addresses: []string{"10.0.128.11"}}); err == nil {
		t.Error("an address was given twice")
	}
	lb := f.balancer("web")
	owned := find(filter("description", "ELB app/web/*"))
	if len(owned) != 3 || !*owned[0].RequesterManaged || *owned[0].Groups[0].GroupId != lb.SecurityGroups[0] {
		t.Errorf("interfaces of the load balancer: %+v", owned)
	}
	_, err = f.ec2.DeleteNetworkInterface(t.Context(), &ec2.DeleteNetworkInterfaceInput{NetworkInterfaceId: owned[0].NetworkInterfaceId})
	contract.WantCode(t, err, "InvalidParameterValue")
	group := f.group("web")
	f.listener(lb, 80, forward(group))
	contract.WantCode(t, f.register(group, address(*owned[0].PrivateIpAddress, 0)), "")
	if diff := cmp.Diff([]string{*owned[0].PrivateIpAddress + ":80 unused Target.IpUnusable"}, f.health(group)); diff != "" {
		t.Error(diff)
	}
	_, err = f.ec2.AssignPrivateIpAddresses(t.Context(), &ec2.AssignPrivateIpAddressesInput{
		NetworkInterfaceId: aws.String(id), PrivateIpAddresses: []string{"10.0.128.13"},
	})
	contract.WantCode(t, err, "")
	if n := len(find(filter("addresses.private-ip-address", "10.0.128.13"))); n != 1 {
		t.Errorf("%d interfaces with the new address", n)
	}
	f.Sim.RemoveNetworkInterface(id)
	if n := len(find(filter("network-interface-id", id))); n != 0 {
		t.Errorf("%d interfaces left", n)
	}
}

func TestNetworkTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	ids := []string{f.Sim.World().VPC, f.Sim.World().PublicSubnets[0]}
	tags := []ec2types.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b")}}
	_, err := f.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: ids, Tags: tags})
	contract.WantCode(t, err, "")
	_, err = f.ec2.CreateTags(t.Context(), &ec2.CreateTagsInput{Resources: []string{"subnet-1"}, Tags: tags})
	contract.WantCode(t, err, "InvalidSubnetID.NotFound")
	_, err = f.ec2.DeleteTags(t.Context(), &ec2.DeleteTagsInput{Resources: ids, Tags: []ec2types.Tag{{Key: aws.String("a"), Value: aws.String("2")}, {Key: aws.String("b")}}})
	contract.WantCode(t, err, "")
	out, err := f.ec2.DescribeTags(t.Context(), &ec2.DescribeTagsInput{Filters: []ec2types.Filter{filter("key", "a", "b")}})
	var got []string
	for _, d := range contract.Must(t, out, err).Tags {
		got = append(got, *d.ResourceId+" "+string(d.ResourceType)+" "+*d.Key)
	}
	slices.Sort(got)
	if diff := cmp.Diff([]string{ids[1] + " subnet a", ids[0] + " vpc a"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestAddresses(t *testing.T) {
	t.Parallel()
	f := start(t)
	made, err := f.ec2.AllocateAddress(t.Context(), &ec2.AllocateAddressInput{Domain: ec2types.DomainTypeVpc})
	id := contract.Must(t, made, err).AllocationId
	out, err := f.ec2.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{*id}})
	if got := contract.Must(t, out, err).Addresses; len(got) != 1 || *got[0].PublicIp != *made.PublicIp {
		t.Errorf("addresses: %+v", got)
	}
	_, err = f.ec2.ReleaseAddress(t.Context(), &ec2.ReleaseAddressInput{AllocationId: id})
	contract.WantCode(t, err, "")
	_, err = f.ec2.DescribeAddresses(t.Context(), &ec2.DescribeAddressesInput{AllocationIds: []string{*id}})
	contract.WantCode(t, err, "InvalidAllocationID.NotFound")
}
