package plan_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

func owner() model.Owner {
	return model.Owner{Cluster: "c1", Prefix: model.PrefixIngress, Stack: "shop"}
}

// shop is a small stack: two security groups' worth of one load balancer with two listeners, rules and target groups.
func shop() model.Stack {
	tags := func(id string) map[string]string {
		out := owner().Tags(id)
		out["team"] = "shop"
		return out
	}
	return model.Stack{
		Owner: owner(),
		LoadBalancer: &model.LoadBalancer{
			ID: "LoadBalancer", Name: "k8s-shop-0123456789", Type: "application", Scheme: "internal", IPAddressType: "ipv4",
			Subnets:        []string{"subnet-a", "subnet-b"},
			SecurityGroups: []model.GroupRef{{Key: "ManagedLBSecurityGroup"}, {Key: model.ResourceBackendSecurityGroup}},
			Attributes:     map[string]string{"idle_timeout.timeout_seconds": "120", "routing.http2.enabled": "true"},
			Tags:           tags("LoadBalancer"),
		},
		SecurityGroups: []model.SecurityGroup{{
			ID: "ManagedLBSecurityGroup", Name: "k8s-shop-aaaaaaaaaa", Description: "managed", VPC: "vpc-1",
			Ingress: []model.Permission{{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: "0.0.0.0/0"}},
			Tags:    tags("ManagedLBSecurityGroup"),
		}},
		TargetGroups: []model.TargetGroup{group("shop/cart:80"), group("shop/web:80")},
		Listeners: []model.Listener{
			{
				Port: 80, Protocol: "HTTP", DefaultActions: fixed("404"), Tags: tags("80"),
				Rules: []model.Rule{
					rule(forward("shop/cart:80"), host("shop.example.com"), path("/cart", "/cart/*")),
					rule(forward("shop/web:80"), host("shop.example.com"), path("/*")),
				},
			},
			{
				Port: 443, Protocol: "HTTPS", DefaultActions: fixed("404"), SSLPolicy: "policy-1",
				Certificates: []model.ARN{"cert-1", "cert-2"}, Tags: tags("443"),
				Rules: []model.Rule{rule(forward("shop/web:80"), host("shop.example.com"))},
			},
		},
	}
}

func group(id string) model.TargetGroup {
	name := "k8s-" + fmt.Sprintf("%x", id)[:12] + "-0123456789"
	return model.TargetGroup{
		ID: id, Name: name, TargetType: "ip", Protocol: "HTTP", ProtocolVersion: "HTTP1", Port: 8080, VPC: "vpc-1", IPAddressType: "ipv4",
		HealthCheck: model.HealthCheck{
			Protocol: "HTTP", Port: "traffic-port", Path: "/", IntervalSeconds: 15, TimeoutSeconds: 5,
			HealthyThreshold: 2, UnhealthyThreshold: 2, Matcher: "200",
		},
		Tags: owner().Tags(id), Backend: model.Backend{Namespace: "shop", Service: id, Port: "80"},
	}
}

func rule(actions []model.Action, conditions ...model.Condition) model.Rule {
	r := model.Rule{Conditions: conditions, Actions: actions, Member: model.ObjectRef{Kind: "Ingress", Namespace: "shop", Name: "web"}}
	r.Tags = owner().Tags(model.RuleID(80, r))
	return r
}

func host(names ...string) model.Condition {
	return model.Condition{Field: model.FieldHost, Values: names}
}

func path(values ...string) model.Condition {
	return model.Condition{Field: model.FieldPath, Values: values}
}

func fixed(code string) []model.Action {
	return []model.Action{{Type: model.ActionFixedResponse, FixedResponse: &model.FixedResponse{StatusCode: code, ContentType: "text/plain"}}}
}

func forward(group string) []model.Action {
	return []model.Action{{Type: model.ActionForward, Forward: &model.Forward{Groups: []model.WeightedGroup{{Key: group, Weight: 1}}}}}
}

// follow applies a plan change by change.
func follow(t *testing.T, s model.Stack, p plan.Plan) model.Stack {
	t.Helper()
	for _, c := range p.Changes {
		next, err := plan.Step(s, c)
		if err != nil {
			t.Fatalf("change %d: %v\nplan:\n%s", c.ID, err, p)
		}
		s = next
	}
	return s
}

// built is what AWS holds after a stack was made from nothing.
func built(t *testing.T, s model.Stack) model.Stack {
	t.Helper()
	return follow(t, model.Stack{Owner: s.Owner}, plan.Diff(s, model.Stack{Owner: s.Owner}, plan.Options{}))
}

func ops(p plan.Plan) []plan.Op {
	var out []plan.Op
	for _, c := range p.Changes {
		out = append(out, c.Op)
	}
	return out
}

func calls(p plan.Plan) map[plan.Op]int {
	out := map[plan.Op]int{}
	for _, c := range p.Changes {
		out[c.Op]++
	}
	return out
}

func TestFirstPlanMakesEverythingAndTheSecondNothing(t *testing.T) {
	have := built(t, shop())
	p := plan.Diff(shop(), have, plan.Options{})
	if !p.Empty() || len(p.Notes) > 0 {
		t.Fatalf("invariant 1: equal states gave a plan:\n%s", p)
	}
	if diff := cmp.Diff("nothing to do\n", p.Text()); diff != "" {
		t.Error(diff)
	}
}

func TestNothingWantedDeletesEverything(t *testing.T) {
	have := built(t, shop())
	p := plan.Diff(model.Stack{Owner: owner()}, have, plan.Options{})
	want := []plan.Op{plan.DeleteLoadBalancer, plan.DeleteTargetGroup, plan.DeleteTargetGroup, plan.DeleteSecurityGroup}
	if diff := cmp.Diff(want, ops(p)); diff != "" {
		t.Errorf("deleting a load balancer deletes its listeners and rules: %s", diff)
	}
	if diff := cmp.Diff(counts(model.Stack{}), counts(follow(t, have, p))); diff != "" {
		t.Errorf("left behind: %s", diff)
	}
}

// counts is how many resources of each kind there are.
func counts(s model.Stack) map[string]int {
	out := map[string]int{"sg": len(s.SecurityGroups), "tg": len(s.TargetGroups), "listeners": len(s.Listeners), "old": len(s.Leftovers), "lb": 0}
	if s.LoadBalancer != nil {
		out["lb"] = 1
	}
	return out
}
