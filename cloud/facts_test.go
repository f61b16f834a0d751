package cloud_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud"
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
	if diff := cmp.Diff(model.VPC{ID: world.VPC, CIDRs: []string{"10.0.0.0/16", "2600:1f14:1a2b:3c00::/56"}}, got.VPC); diff != "" {
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
	w.intercept = denying("DescribeAccountLimits")
	c := a.client(t, w)
	for _, when := range []string{"at first", "again"} {
		got, err := c.Facts(t.Context(), model.Needs{Owner: owner()})
		if got.Quotas != (model.Quotas{}.WithDefaults()) || got.VPC.ID == "" || len(got.Subnets) == 0 {
			t.Errorf("%s: got %+v, want all facts with AWS's default quotas: the incumbent's policy does not allow to read them", when, got)
		}
		all := fault.All(err)
		if len(all) != 1 || all[0].Class != fault.Denied || all[0].Action != "elasticloadbalancing:DescribeAccountLimits" {
			t.Errorf("%s: got %v, want the right that is missing", when, err)
		}
	}
	if n := w.take(false)["DescribeAccountLimits"]; n != 1 {
		t.Errorf("what is denied is asked for %d times, want once", n)
	}
}

func denying(action string) func(string) verdict {
	return func(called string) verdict {
		if called == action {
			return deny
		}
		return pass
	}
}

// TestDeniedReadsNameTheirAction takes each read of facts and of an observation away: the error names the right that is
// missing as an IAM policy writes it.
func TestDeniedReadsNameTheirAction(t *testing.T) {
	a := newAccount(t)
	first, second := a.certificate(t, "shop.example"), a.certificate(t, "other.example")
	converge(t, a.client(t, nil), shop(first, second))
	need := model.Needs{
		Owner: owner(), Certificates: true, SecurityGroupNames: []string{"nowhere"}, TargetGroupNames: []string{"nowhere"},
		SubnetIDs: []string{"subnet-0"}, PodIPs: []string{"10.0.128.99"},
	}
	read := func(c *cloud.Client) error {
		if _, err := c.Facts(t.Context(), need); err != nil {
			return err
		}
		for _, who := range []model.Owner{{Cluster: cluster}, owner()} {
			if _, err := c.Observe(t.Context(), who, nil); err != nil {
				return err
			}
		}
		stack, err := c.Observe(t.Context(), owner(), nil)
		if err != nil {
			return err
		}
		_, err = c.Health(t.Context(), stack.TargetGroups[0].ARN)
		return err
	}
	w := newWire()
	if err := read(a.client(t, w)); err != nil {
		t.Fatal(err)
	}
	actions := w.take(false)
	if len(actions) < 15 {
		t.Fatalf("only %d actions are read: %v", len(actions), actions)
	}
	for action := range actions {
		t.Run(action, func(t *testing.T) {
			w := newWire()
			w.intercept = denying(action)
			err := read(a.client(t, w))
			var named []string
			for _, e := range fault.All(err) {
				if e.Class == fault.Denied {
					named = append(named, e.Action)
				}
			}
			if len(named) != 1 || !strings.HasSuffix(named[0], ":"+action) {
				t.Errorf("named are %v (%v), want %s", named, err, action)
			}
		})
	}
}

// TestDeniedLookForWhatWasMade: a create that was not answered is looked for; where that is denied, the right is named too.
func TestDeniedLookForWhatWasMade(t *testing.T) {
	for create, look := range map[plan.Op]string{
		plan.CreateLoadBalancer: "DescribeLoadBalancers", plan.CreateTargetGroup: "DescribeTargetGroups", plan.CreateListener: "DescribeListeners",
		plan.CreateRule: "DescribeRules", plan.CreateSecurityGroup: "DescribeSecurityGroups",
	} {
		t.Run(string(create), func(t *testing.T) {
			a := newAccount(t)
			desired := shop(a.certificate(t, "shop.example"))
			w := newWire()
			c := a.client(t, w)
			p := plan.Diff(desired, observe(t, c), plan.Options{})
			w.intercept = func(action string) verdict {
				switch action {
				case string(create):
					return before
				case look:
					return deny
				default:
					return pass
				}
			}
			_, err := c.Apply(t.Context(), p)
			if all := fault.All(err); !fault.Is(err, fault.Denied) || !slices.ContainsFunc(all, func(e *fault.Error) bool {
				return e.Class == fault.Denied && strings.HasSuffix(e.Action, ":"+look)
			}) {
				t.Errorf("got %v, want %s to be named", err, look)
			}
		})
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

func TestFactsOfNamedCertificates(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c := a.client(t, w)
	api := acm.NewFromConfig(a.config())
	pending, err := api.RequestCertificate(t.Context(), &acm.RequestCertificateInput{
		DomainName: aws.String("pending.example.com"), ValidationMethod: acmtypes.ValidationMethodDns,
	})
	if err != nil {
		t.Fatal(err)
	}
	waiting := model.ARN(aws.ToString(pending.CertificateArn))
	good := a.certificate(t, "good.example.com")
	gone := model.ARN("arn:aws:acm:us-west-2:123456789012:certificate/00000000-0000-0000-0000-000000000000")
	iam := model.ARN("arn:aws:iam::123456789012:server-certificate/old")
	w.take(false)

	need := model.Needs{Owner: owner(), CertificateARNs: []model.ARN{good, gone, iam, waiting}}
	want := map[model.ARN]string{gone: "NOT_FOUND", waiting: "PENDING_VALIDATION"}
	if diff := cmp.Diff(want, facts(t, c, need).LostCertificates); diff != "" {
		t.Errorf("lost certificates (-want +got):\n%s", diff)
	}
	facts(t, c, need)
	if reads := w.take(false); reads["ListCertificates"] != 1 || reads["DescribeCertificate"] != 2 {
		t.Errorf("got %v, want one list, and a read of each that it does not have", reads)
	}
}

func TestCertificatesThatMayNotBeReadAreTakenForGood(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	w.intercept = denying("ListCertificates")
	got := facts(t, a.client(t, w), model.Needs{Owner: owner(), CertificateARNs: []model.ARN{
		"arn:aws:acm:us-west-2:123456789012:certificate/00000000-0000-0000-0000-000000000000",
	}})
	if len(got.LostCertificates) > 0 {
		t.Errorf("got %v, want none: nobody could look", got.LostCertificates)
	}
}

// tag puts a tag on a resource of EC2.
func (a *account) tag(t *testing.T, id, key, value string) {
	t.Helper()
	_, err := a.ec2().CreateTags(t.Context(), &ec2.CreateTagsInput{
		Resources: []string{id}, Tags: []ec2types.Tag{{Key: aws.String(key), Value: aws.String(value)}},
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestUsersGroupStandsInPlaceOfTheSharedOne: pods' groups admit it, and it is neither made nor deleted.
func TestUsersGroupStandsInPlaceOfTheSharedOne(t *testing.T) {
	a := newAccount(t)
	nodes, mine := vpc.DefaultWorld().NodeSecurityGroup, a.securityGroup(t, "mine")
	cfg := a.sim.AWSConfig()
	fresh := func() *cloud.Client {
		c, err := cloud.New(t.Context(), cloud.Options{Cluster: cluster, VPC: vpc.DefaultWorld().VPC, AWSConfig: &cfg, BackendGroup: mine})
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	who, c := model.Owner{Cluster: cluster}, fresh()
	facts, err := c.Facts(t.Context(), model.Needs{Owner: who})
	if err != nil || facts.BackendSecurityGroup != mine {
		t.Fatalf("the shared group is %q (%v), want %q", facts.BackendSecurityGroup, err, mine)
	}
	admitting := model.Stack{Owner: who, SecurityGroups: []model.SecurityGroup{{
		ID: nodes, ARN: model.ARN(nodes), Foreign: true, Ingress: []model.Permission{{
			Protocol: "tcp", FromPort: 80, ToPort: 80, Description: model.PermissionMark, Source: model.GroupRef{Key: model.ResourceBackendSecurityGroup},
		}},
	}}}
	for _, desired := range []model.Stack{admitting, {Owner: who}} {
		converge(t, c, desired)
		seen, err := fresh().Observe(t.Context(), who, nil)
		if err != nil {
			t.Fatal(err)
		}
		if left := plan.Diff(desired, seen, plan.Options{}); !left.Empty() || len(seen.SecurityGroups) != len(desired.SecurityGroups) {
			t.Errorf("AWS holds %+v, want %+v", seen.SecurityGroups, desired.SecurityGroups)
		}
	}
	if _, err := a.ec2().DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{GroupIds: []string{mine}}); err != nil {
		t.Errorf("the user's group is gone: %v", err)
	}
}
