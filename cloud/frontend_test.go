package cloud_test

import (
	"fmt"
	"strconv"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
)

// fronted is a small stack with a network load balancer in front, which has the ports as keys and leads to those that are their values.
func fronted(scheme string, ports map[int]int) model.Stack {
	world := vpc.DefaultWorld()
	whole := shop()
	out := model.Stack{Owner: owner(), SecurityGroups: whole.SecurityGroups, LoadBalancer: whole.LoadBalancer}
	out.LoadBalancer.Scheme = scheme
	if scheme == "internal" {
		out.LoadBalancer.Subnets, out.LoadBalancer.Name = world.PrivateSubnets, "k8s-shop-web-2"
	}
	front := &model.Stack{Owner: owner(), LoadBalancer: &model.LoadBalancer{
		ID: model.ResourceFrontend, Name: "k8s-shop-web-1-nlb", Type: "network", Scheme: "internal", IPAddressType: "ipv4",
		Subnets: world.PrivateSubnets, SecurityGroups: []model.GroupRef{{Key: "ManagedLBSecurityGroup"}}, Tags: tagged(model.ResourceFrontend),
	}}
	listening := map[int]bool{}
	for from, to := range ports {
		id := "FrontendNlb-tg-TCP-" + strconv.Itoa(from)
		front.TargetGroups = append(front.TargetGroups, model.TargetGroup{
			ID: id, Name: "k8s-shop-front-" + strconv.Itoa(from), TargetType: model.TargetTypeALB, Protocol: "TCP", Port: to, VPC: world.VPC,
			IPAddressType: "ipv4", Tags: tagged(id), HealthCheck: model.HealthCheck{
				Protocol: "HTTP", Port: "traffic-port", Path: "/", IntervalSeconds: 15, TimeoutSeconds: 5, HealthyThreshold: 3,
				UnhealthyThreshold: 3, Matcher: "200",
			},
		})
		front.Listeners = append(front.Listeners, model.Listener{
			Port: from, Protocol: "TCP", Tags: tagged("FrontendNlb-ls-TCP-" + strconv.Itoa(from)), DefaultActions: forwardTo(map[string]int{id: 1}),
		})
		if !listening[to] {
			out.Listeners = append(out.Listeners, model.Listener{Port: to, Protocol: "HTTP", Tags: tagged(strconv.Itoa(to)), DefaultActions: answer("404")})
		}
		listening[to] = true
	}
	out.Frontend = front
	return out
}

// TestFrontendIsMadeAndLeadsToTheLoadBalancer counts the calls of a frontend's life.
func TestFrontendIsMadeAndLeadsToTheLoadBalancer(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c := a.client(t, w)
	desired := fronted("internet-facing", map[int]int{80: 80, 8000: 80})
	converge(t, c, desired)
	writes := w.take(true)
	want := map[string]int{
		"CreateSecurityGroup": 1, "AuthorizeSecurityGroupIngress": 1, "CreateLoadBalancer": 2, "ModifyLoadBalancerAttributes": 1,
		"CreateListener": 3, "CreateTargetGroup": 2, "RegisterTargets": 2,
	}
	if diff := cmp.Diff(want, writes); diff != "" {
		t.Errorf("calls to make it (-want +got):\n%s", diff)
	}
	seen := observe(t, c)
	fresh := observe(t, a.client(t, nil))
	// AWS takes it back from nobody, so it is no default to reset to.
	delete(fresh.Frontend.LoadBalancer.Attributes, "secondary_ips.auto_assigned.per_subnet")
	same(t, "what is kept is not what AWS holds", seen, fresh)
	if seen.Frontend == nil || len(seen.Leftovers) > 0 || seen.LoadBalancer.Type != "application" {
		t.Fatalf("the frontend is not told from the load balancer behind: %+v", seen)
	}
	for _, g := range seen.Frontend.TargetGroups {
		if g.Behind == nil || *g.Behind != (model.Target{ID: string(seen.LoadBalancer.ARN), Port: 80}) {
			t.Errorf("%s leads to %+v", g.ID, g.Behind)
		}
	}
	w.take(true)
	converge(t, c, desired)
	if writes := w.take(true); len(writes) > 0 {
		t.Errorf("invariant 1: a steady frontend writes %v", writes)
	}
	desired.Frontend = nil
	converge(t, c, desired)
	want = map[string]int{"DeleteLoadBalancer": 1, "DeleteTargetGroup": 2}
	if diff := cmp.Diff(want, w.take(true)); diff != "" {
		t.Errorf("calls to take it away (-want +got):\n%s", diff)
	}
}

// TestFrontendWaitsForTheLoadBalancer: AWS registers no load balancer that is not active, and nothing else waits for that.
func TestFrontendWaitsForTheLoadBalancer(t *testing.T) {
	a := accountOf(t, sim.Options{Speed: 1})
	desired := fronted("internet-facing", map[int]int{80: 80})
	p, out, err := turn(t.Context(), a.client(t, nil), desired)
	if err != nil {
		t.Fatal(err)
	}
	id := "FrontendNlb-tg-TCP-80"
	if diff := cmp.Diff([]model.Waiting{{Key: model.Key{Kind: model.KindTargetGroup, ID: id}, For: "active"}}, out.Waiting); diff != "" {
		t.Errorf("waiting (-want +got):\n%s", diff)
	}
	if out.Frontend == nil || out.Frontend.DNSName == "" || out.LoadBalancer == nil {
		t.Errorf("the outputs hold %+v and %+v: both are there, and have addresses", out.LoadBalancer, out.Frontend)
	}
	if left := len(p.Changes) - out.Done; left != 2 {
		t.Errorf("%d changes are left, want the registration and the listener that needs it", left)
	}
}

// TestFrontendFollowsAReplacedLoadBalancer: the frontend leads to the new one before the old one goes, and always to one of the two.
func TestFrontendFollowsAReplacedLoadBalancer(t *testing.T) {
	a := newAccount(t)
	w := newWire()
	c := a.client(t, w)
	converge(t, c, fronted("internet-facing", map[int]int{80: 80}))
	old := observe(t, c)
	w.intercept = func(action string) verdict {
		if action != "DeleteLoadBalancer" {
			return pass
		}
		if behind := a.behind(t); len(behind) != 1 || behind[0] == string(old.LoadBalancer.ARN) {
			t.Errorf("the old load balancer goes while the frontend leads to %v", behind)
		}
		return pass
	}
	converge(t, c, fronted("internal", map[int]int{80: 80}))
	seen := observe(t, c)
	if seen.LoadBalancer.ARN == old.LoadBalancer.ARN || seen.Frontend.LoadBalancer.ARN != old.Frontend.LoadBalancer.ARN {
		t.Errorf("the load balancer is replaced, not the frontend: %s and %s", seen.LoadBalancer.ARN, seen.Frontend.LoadBalancer.ARN)
	}
	if got := a.size(t); got.balancers != 2 || got.groups != 1 {
		t.Errorf("the account holds %+v, want two load balancers and a target group", got)
	}
}

// behind are the load balancers that listeners of network load balancers lead to.
func (a *account) behind(t *testing.T) []string {
	t.Helper()
	api := a.elb()
	groups, err := api.DescribeTargetGroups(t.Context(), &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, g := range groups.TargetGroups {
		health, err := api.DescribeTargetHealth(t.Context(), &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			t.Fatal(err)
		}
		for _, h := range health.TargetHealthDescriptions {
			if len(g.LoadBalancerArns) > 0 {
				out = append(out, aws.ToString(h.Target.Id))
			}
		}
	}
	return out
}

// TestEveryCutOfAFrontendIsMadeGood cuts the connection at every call of a frontend's life: made, behind it replaced, taken away.
func TestEveryCutOfAFrontendIsMadeGood(t *testing.T) {
	ports := map[int]int{80: 80, 8000: 81}
	life := []model.Stack{fronted("internet-facing", ports), fronted("internal", map[int]int{80: 81}), {Owner: owner()}}
	undisturbed := newAccount(t)
	w := newWire()
	c := undisturbed.client(t, w)
	var want []size
	var calls []int
	for _, desired := range life {
		converge(t, c, desired)
		want, calls = append(want, undisturbed.size(t)), append(calls, total(w))
	}
	for _, cut := range []struct {
		name string
		what verdict
		long int
	}{{"moment after", after, moment}, {"death before", before, death}, {"death after", after, death}} {
		for at := 1; at <= max(calls[0], calls[1], calls[2]); at += 2 {
			t.Run(fmt.Sprintf("%s/call %d", cut.name, at), func(t *testing.T) {
				a := newAccount(t)
				for i, desired := range life {
					a.disturbed(t, desired, at, cut.what, cut.long)
					if got := a.size(t); got != want[i] {
						t.Errorf("step %d: the account holds %+v, want %+v as undisturbed", i, got, want[i])
					}
				}
			})
		}
	}
}
