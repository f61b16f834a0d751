package cloud_test

import (
	"encoding/json"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

func TestStrangersResourcesAreNeverAdopted(t *testing.T) {
	tests := []struct {
		name string
		make func(t *testing.T, a *account)
		op   plan.Op
		why  string
	}{
		{"load balancer of the same settings", func(t *testing.T, a *account) {
			t.Helper()
			a.strangeBalancer(t, "k8s-shop-web-1", nil)
		}, plan.CreateLoadBalancer, "AWS may return it as if it had just been made"},
		{"target group of the same settings", func(t *testing.T, a *account) {
			t.Helper()
			a.strangeGroup(t, "k8s-shop-a", nil)
		}, plan.CreateTargetGroup, "AWS may return it as if it had just been made"},
		{"security group of the same name", func(t *testing.T, a *account) {
			t.Helper()
			a.strangeSecurityGroup(t, "k8s-shop-web", nil)
		}, plan.CreateSecurityGroup, "its name is taken"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := newAccount(t)
			tt.make(t, a)
			desired := shop(a.certificate(t, "shop.example"))
			desired.LoadBalancer.SecurityGroups = []model.GroupRef{{ID: vpc.DefaultWorld().NodeSecurityGroup}}
			before := a.strange(t)
			c := a.client(t, nil)
			_, _, err := turn(t.Context(), c, desired)
			if !fault.Is(err, fault.Conflict) {
				t.Fatalf("got %v, want a conflict: %s", err, tt.why)
			}
			// A second look knows what the first one met.
			if _, _, err := turn(t.Context(), c, desired); !fault.Is(err, fault.Conflict) {
				t.Fatalf("the second time %v, want a conflict", err)
			}
			a.unchanged(t, before)
		})
	}
}

// TestStrangersStayAsTheyAre: what has none, or not all, of our ownership tags is neither changed nor deleted, while a stack of ours is
// made, changed, compared and deleted beside it.
func TestStrangersStayAsTheyAre(t *testing.T) {
	a := newAccount(t)
	desired := shop(a.certificate(t, "shop.example"))
	empty := a.size(t)
	for name, id := range map[string]map[string]string{
		"none": nil, "cluster": {model.TagCluster: cluster}, "stack": {owner().StackTag(): owner().Stack},
		"other-cluster": model.Owner{Cluster: "other", Prefix: owner().Prefix, Stack: owner().Stack}.Tags("LoadBalancer"),
		"other-stack":   model.Owner{Cluster: cluster, Prefix: owner().Prefix, Stack: "shop/other"}.Tags("LoadBalancer"),
		"other-front":   model.Owner{Cluster: cluster, Prefix: model.PrefixGatewayALB, Stack: owner().Stack}.Tags("LoadBalancer"),
		"no-resource":   {model.TagCluster: cluster, owner().StackTag(): owner().Stack},
	} {
		a.strangeBalancer(t, "strange-"+name, id)
		a.strangeGroup(t, "strange-"+name, id)
		a.strangeSecurityGroup(t, "strange-"+name, id)
	}
	before := a.strange(t)
	c := a.client(t, nil)
	converge(t, c, desired)
	desired.TargetGroups = desired.TargetGroups[:1]
	desired.Listeners = desired.Listeners[:1]
	c.Forget(owner())
	converge(t, c, desired)
	converge(t, c, model.Stack{Owner: owner()})
	converge(t, a.client(t, nil), model.Stack{Owner: owner()})
	a.unchanged(t, before)
	if got := a.size(t); got.balancers != empty.balancers+7 || got.listeners != empty.listeners || got.groups != empty.groups+7 {
		t.Errorf("the account holds %+v: ours shall be gone, and theirs stay", got)
	}
}

func TestEmptyPlanWritesNothing(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c, desired := fresh(t, a, w)
	w.take(true)
	for _, reader := range []func(){func() {}, func() { c.Forget(owner()) }} {
		reader()
		p := plan.Diff(desired, observe(t, c), plan.Options{})
		out, err := c.Apply(t.Context(), p)
		if writes := w.take(true); err != nil || out.Done != 0 || !p.Empty() || len(writes) > 0 {
			t.Errorf("equal states made %d changes and the calls %v (%v)", len(p.Changes), writes, err)
		}
	}
}

func (a *account) strangeBalancer(t *testing.T, name string, tags map[string]string) {
	t.Helper()
	world := vpc.DefaultWorld()
	if _, err := a.elb().CreateLoadBalancer(t.Context(), &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name: aws.String(name), Subnets: world.PublicSubnets, Scheme: "internet-facing", Type: "application",
		SecurityGroups: []string{world.NodeSecurityGroup}, Tags: elbTags(tags),
	}); err != nil {
		t.Fatal(err)
	}
}

// strangeGroup is a target group with the settings of ours.
func (a *account) strangeGroup(t *testing.T, name string, tags map[string]string) {
	t.Helper()
	if _, err := a.elb().CreateTargetGroup(t.Context(), &elasticloadbalancingv2.CreateTargetGroupInput{
		Name: aws.String(name), TargetType: "ip", Protocol: "HTTP", ProtocolVersion: aws.String("HTTP1"), Port: aws.Int32(80),
		VpcId: aws.String(vpc.DefaultWorld().VPC), HealthCheckPath: aws.String("/"), HealthCheckIntervalSeconds: aws.Int32(15),
		HealthCheckTimeoutSeconds: aws.Int32(5), HealthyThresholdCount: aws.Int32(2), UnhealthyThresholdCount: aws.Int32(2),
		Matcher: &elbtypes.Matcher{HttpCode: aws.String("200")}, Tags: elbTags(tags),
	}); err != nil {
		t.Fatal(err)
	}
}

func (a *account) strangeSecurityGroup(t *testing.T, name string, tags map[string]string) {
	t.Helper()
	in := &ec2.CreateSecurityGroupInput{
		GroupName: aws.String(name), Description: aws.String("theirs"), VpcId: aws.String(vpc.DefaultWorld().VPC),
	}
	for k, v := range tags {
		if len(in.TagSpecifications) == 0 {
			in.TagSpecifications = []ec2types.TagSpecification{{ResourceType: ec2types.ResourceTypeSecurityGroup}}
		}
		in.TagSpecifications[0].Tags = append(in.TagSpecifications[0].Tags, ec2types.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	if _, err := a.ec2().CreateSecurityGroup(t.Context(), in); err != nil {
		t.Fatal(err)
	}
}

// strange is what an account holds, as AWS describes it, by ARN or ID.
func (a *account) strange(t *testing.T) map[string]string {
	t.Helper()
	out := map[string]string{}
	lbs, err := a.elb().DescribeLoadBalancers(t.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, lb := range lbs.LoadBalancers {
		out[*lb.LoadBalancerArn] = text(t, lb)
	}
	groups, err := a.elb().DescribeTargetGroups(t.Context(), &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range groups.TargetGroups {
		out[*g.TargetGroupArn] = text(t, g)
	}
	for arn := range out {
		tags, err := a.elb().DescribeTags(t.Context(), &elasticloadbalancingv2.DescribeTagsInput{ResourceArns: []string{arn}})
		if err != nil {
			t.Fatal(err)
		}
		out[arn] += text(t, tags.TagDescriptions)
	}
	security, err := a.ec2().DescribeSecurityGroups(t.Context(), &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	for _, g := range security.SecurityGroups {
		out[*g.GroupId] = text(t, g)
	}
	return out
}

func text(t *testing.T, v any) string {
	t.Helper()
	data, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// unchanged fails unless all that was there is there as it was.
func (a *account) unchanged(t *testing.T, before map[string]string) {
	t.Helper()
	now := a.strange(t)
	for id, was := range before {
		if now[id] != was {
			t.Errorf("%s was touched: it was %s and is %s", id, was, now[id])
		}
	}
}
