package cloud_test

import (
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

func facts(t *testing.T, c *cloud.Client, need model.Needs) model.Facts {
	t.Helper()
	out, err := c.Facts(t.Context(), need)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestFactsOfTheNetwork(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c := a.client(t, w)
	world := vpc.DefaultWorld()
	got := facts(t, c, model.Needs{Owner: owner()})
	var public, private []string
	for _, s := range got.Subnets {
		if s.Zone == "" || s.ZoneType != "availability-zone" || s.FreeAddresses == 0 || s.CIDR == "" {
			t.Errorf("subnet %+v lacks something", s)
		}
		if s.Public {
			public = append(public, s.ID)
		} else {
			private = append(private, s.ID)
		}
	}
	if !slices.Equal(public, world.PublicSubnets) || !slices.Equal(private, world.PrivateSubnets) {
		t.Errorf("public %v, private %v", public, private)
	}
	if diff := cmp.Diff(model.VPC{ID: world.VPC, CIDRs: []string{"10.0.0.0/16"}}, got.VPC); diff != "" {
		t.Errorf("VPC (-want +got):\n%s", diff)
	}
	if got.Region != "us-west-2" || got.Existing != nil || got.BackendSecurityGroup != "" || got.Quotas.RulesPerLoadBalancer != 100 {
		t.Errorf("got region %q, existing %v, backend %q, quotas %+v", got.Region, got.Existing, got.BackendSecurityGroup, got.Quotas)
	}
	w.take(false)
	facts(t, c, model.Needs{Owner: owner(), SubnetIDs: world.PublicSubnets[:1], SubnetNames: world.PublicSubnets[:1]})
	if reads := w.take(false); len(reads) > 0 {
		t.Errorf("facts that are known are read again: %v", reads)
	}
}

func TestFactsWithoutTheRightToReadQuotas(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	w.intercept = func(action string) verdict {
		if action == "DescribeAccountLimits" {
			return deny
		}
		return pass
	}
	if got := facts(t, a.client(t, w), model.Needs{Owner: owner()}).Quotas; got != (model.Quotas{}.WithDefaults()) {
		t.Errorf("got %+v, want AWS's defaults: the incumbent's policy does not allow to read quotas", got)
	}
	w.intercept = func(action string) verdict {
		if action == "DescribeTags" {
			return deny
		}
		return pass
	}
	converge(t, a.client(t, nil), shop(a.certificate(t, "shop.example")))
	_, err := a.client(t, w).Facts(t.Context(), model.Needs{Owner: owner()})
	if all := fault.All(err); len(all) == 0 || all[0].Class != fault.Denied || all[0].Action != "elasticloadbalancing:DescribeTags" {
		t.Errorf("got %v, want the right that is missing", err)
	}
}

func TestFactsOfAStack(t *testing.T) {
	a := newAccount(t)
	world := vpc.DefaultWorld()
	c := a.client(t, nil)
	certificate := a.certificate(t, "Shop.Example")
	desired := shop(certificate)
	converge(t, c, desired)
	for name, reader := range map[string]*cloud.Client{"who made it": c, "a newcomer": a.client(t, nil)} {
		got := facts(t, reader, model.Needs{
			Owner: owner(), Certificates: true, TargetGroupNames: []string{"k8s-shop-a", "nowhere"},
			SecurityGroupNames: []string{cluster + "-nodes", "nowhere"},
		})
		if e := got.Existing; e == nil || e.Name != desired.LoadBalancer.Name || e.Scheme != "internet-facing" ||
			!slices.Equal(e.Subnets, world.PublicSubnets) {
			t.Errorf("to %s there is %+v", name, e)
		}
		if diff := cmp.Diff([]model.Certificate{{ARN: certificate, Domains: []string{"shop.example"}}}, got.Certificates); diff != "" {
			t.Errorf("certificates for %s (-want +got):\n%s", name, diff)
		}
		if len(got.TargetGroups) != 1 || got.TargetGroups["k8s-shop-a"] == "" {
			t.Errorf("target groups for %s: %v", name, got.TargetGroups)
		}
		if diff := cmp.Diff(map[string][]string{cluster + "-nodes": {world.NodeSecurityGroup}}, got.SecurityGroups); diff != "" {
			t.Errorf("security groups for %s (-want +got):\n%s", name, diff)
		}
		if got.Account != "123456789012" {
			t.Errorf("account for %s: %q", name, got.Account)
		}
	}
}

func TestSecurityGroupsOfPods(t *testing.T) {
	a := newAccount(t)
	world := vpc.DefaultWorld()
	other := a.securityGroup(t, "other")
	third := a.securityGroup(t, "third")
	tests := []struct {
		ip     string
		groups []string
		want   string
		why    string
	}{
		{"10.0.128.10", []string{world.NodeSecurityGroup}, world.NodeSecurityGroup, "its only one"},
		{"10.0.128.11", []string{other}, other, "its only one, tagged or not"},
		{"10.0.128.12", []string{other, world.NodeSecurityGroup}, world.NodeSecurityGroup, "the one with the cluster's tag"},
		{"10.0.128.13", []string{other, third}, "", "none has the tag: nobody can say which"},
		{"10.0.128.14", nil, "", "no interface has the address"},
	}
	var ips []string
	want := map[string]string{}
	for _, tt := range tests {
		ips = append(ips, tt.ip)
		if tt.want != "" {
			want[tt.ip] = tt.want
		}
		if tt.groups == nil {
			continue
		}
		if _, err := a.sim.AddNetworkInterface(sim.Interface{Subnet: world.PrivateSubnets[0], Addresses: []string{tt.ip}, SecurityGroups: tt.groups}); err != nil {
			t.Fatal(err)
		}
	}
	w := newWire()
	c := a.client(t, w)
	need := model.Needs{Owner: model.Owner{Cluster: cluster}, PodIPs: ips}
	if diff := cmp.Diff(want, facts(t, c, need).PodGroups); diff != "" {
		t.Errorf("groups of addresses (-want +got):\n%s", diff)
	}
	if n := w.take(false)["DescribeNetworkInterfaces"]; n != 1 {
		t.Errorf("%d calls for five addresses, want 1", n)
	}
	need.PodIPs = ips[:4]
	facts(t, c, need)
	if reads := w.take(false); len(reads) > 0 {
		t.Errorf("addresses that are known are read again: %v", reads)
	}
}

func (a *account) securityGroup(t *testing.T, name string) string {
	t.Helper()
	out, err := a.ec2().CreateSecurityGroup(t.Context(), &ec2.CreateSecurityGroupInput{
		GroupName: aws.String(name), Description: aws.String(name), VpcId: aws.String(vpc.DefaultWorld().VPC),
	})
	if err != nil {
		t.Fatal(err)
	}
	return *out.GroupId
}

// TestClusterOwnsRulesOnForeignGroups: the shared group comes, pods' groups admit it, and strangers' rules stay as they are.
func TestClusterOwnsRulesOnForeignGroups(t *testing.T) {
	a := newAccount(t)
	nodes := vpc.DefaultWorld().NodeSecurityGroup
	untagged := a.securityGroup(t, "untagged")
	_, err := a.ec2().AuthorizeSecurityGroupIngress(t.Context(), &ec2.AuthorizeSecurityGroupIngressInput{
		GroupId: aws.String(nodes), IpPermissions: []ec2types.IpPermission{{
			IpProtocol: aws.String("tcp"), FromPort: aws.Int32(22), ToPort: aws.Int32(22), IpRanges: []ec2types.IpRange{{CidrIp: aws.String("10.0.0.0/8")}},
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	who := model.Owner{Cluster: cluster}
	admits := func(id string, ports ...int) model.SecurityGroup {
		g := model.SecurityGroup{ID: id, ARN: model.ARN(id), Foreign: true}
		for _, port := range ports {
			g.Ingress = append(g.Ingress, model.Permission{
				Protocol: "tcp", FromPort: port, ToPort: port, Description: model.PermissionMark,
				Source: model.GroupRef{Key: model.ResourceBackendSecurityGroup},
			})
		}
		return g
	}
	backend := model.SecurityGroup{
		ID: model.ResourceBackendSecurityGroup, Name: "k8s-traffic-test", Description: "shared", VPC: vpc.DefaultWorld().VPC,
		Tags: map[string]string{model.TagCluster: cluster, model.TagResource: model.ResourceBackendSecurityGroup},
	}
	c := a.client(t, nil)
	for _, groups := range [][]model.SecurityGroup{
		{backend}, {backend, admits(nodes, 80)}, {backend, admits(nodes, 80, 8080), admits(untagged, 80)}, {backend, admits(untagged, 81)}, {},
	} {
		desired := model.Stack{Owner: who, SecurityGroups: groups}
		converge(t, c, desired)
		fresh, err := a.client(t, nil).Observe(t.Context(), who, nil)
		if err != nil {
			t.Fatal(err)
		}
		kept, err := c.Observe(t.Context(), who, nil)
		if err != nil {
			t.Fatal(err)
		}
		same(t, "what is kept is not what AWS holds", kept, fresh)
		if left := plan.Diff(desired, fresh, plan.Options{}); !left.Empty() || len(fresh.SecurityGroups) != len(groups) {
			t.Errorf("AWS holds %+v, want %+v", fresh.SecurityGroups, groups)
		}
	}
	out, err := a.ec2().DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{nodes, untagged}})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range out.SecurityGroups {
		if want := map[string]int{nodes: 1, untagged: 0}[*g.GroupId]; len(g.IpPermissions) != want {
			t.Errorf("%s has %d rules left, want %d: what is not ours stays, what is ours goes", *g.GroupId, len(g.IpPermissions), want)
		}
	}
}

func TestNewRefusesWhatCannotWork(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	a := newAccount(t)
	cfg, nowhere := a.config(), a.config()
	nowhere.Region = ""
	tests := []struct {
		name string
		give cloud.Options
		why  string
	}{
		{"cluster", cloud.Options{AWSConfig: &cfg, VPC: "vpc-1"}, "without a cluster's name nothing can be told to be ours"},
		{"region", cloud.Options{AWSConfig: &nowhere, Cluster: cluster, VPC: "vpc-1"}, "nothing names a region"},
		{"VPC", cloud.Options{AWSConfig: &cfg, Cluster: cluster}, "nothing names a VPC"},
		{"VPC by tags", cloud.Options{AWSConfig: &cfg, Cluster: cluster, VPCTags: map[string]string{"Name": "nowhere"}}, "no VPC has the tags"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := cloud.New(t.Context(), tt.give); err == nil {
				t.Errorf("a client was made: %s", tt.why)
			}
		})
	}
	c, err := cloud.New(t.Context(), cloud.Options{
		AWSConfig: &cfg, Cluster: cluster, VPCTags: map[string]string{"Name": cluster},
		Endpoints: map[string]string{"EC2": a.sim.URL(), "Elastic Load Balancing v2": a.sim.URL(), "acm": a.sim.URL()},
	})
	if err != nil {
		t.Fatal(err)
	}
	if c.VPC() != vpc.DefaultWorld().VPC {
		t.Errorf("found VPC %s by its tags", c.VPC())
	}
}
