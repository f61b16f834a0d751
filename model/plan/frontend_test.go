package plan_test

import (
	"slices"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// TestFrontendFollowsToWhatServes: a frontend whose load balancer is replaced leads to the new one when all of that is there and its targets are
// healthy. One that is new waits for no target.
func TestFrontendFollowsToWhatServes(t *testing.T) {
	fronted := func(scheme string) model.Stack {
		s := oneListener("404", model.Rule{Conditions: []model.Condition{host("a.example.com")}, Actions: forward("shop/a:80")})
		s.LoadBalancer.Scheme, s.TargetGroups = scheme, []model.TargetGroup{group("shop/a:80")}
		led := group("front:80")
		led.TargetType, led.Protocol, led.ProtocolVersion, led.Port = "alb", "TCP", "", 80
		s.Frontend = &model.Stack{
			Owner: owner(),
			LoadBalancer: &model.LoadBalancer{
				ID: model.ResourceFrontend, Name: "front", Type: "network", Scheme: "internal", IPAddressType: "ipv4", Subnets: []string{"s1", "s2"},
			},
			TargetGroups: []model.TargetGroup{led},
			Listeners:    []model.Listener{{Port: 80, Protocol: "TCP", DefaultActions: forward("front:80")}},
		}
		return s
	}
	opts := plan.Options{Met: waiting}
	needs := func(have model.Stack, scheme string) (healthy, whole bool) {
		p := plan.Diff(fronted(scheme), have, opts)
		rules := map[int]bool{}
		for _, c := range p.Changes {
			switch c.Op {
			case plan.CreateRule:
				rules[c.ID] = true
			case plan.RegisterTargets:
				healthy = slices.ContainsFunc(c.Needs, func(n plan.Need) bool { return n.State == plan.StateHealthy && n.Key.ID == "shop/a:80" })
				whole = slices.ContainsFunc(c.After, func(id int) bool { return rules[id] })
			default:
			}
		}
		return healthy, whole
	}
	if healthy, _ := needs(model.Stack{Owner: owner()}, "internal"); healthy {
		t.Error("a new frontend waits for targets, of which nobody asks anything yet")
	}
	have := fronted("internal")
	front := have.Frontend
	have.Frontend = nil
	have = built(t, have)
	front.LoadBalancer.ARN, front.LoadBalancer.State = "arn:front", plan.StateActive
	front.TargetGroups[0].ARN, front.TargetGroups[0].LoadBalancers = "arn:led", []model.ARN{"arn:front"}
	front.TargetGroups[0].Behind = &model.Target{ID: string(have.LoadBalancer.ARN), Port: 80}
	front.Listeners[0].ARN, front.Listeners[0].DefaultActions[0].Forward.Groups[0] = "arn:door", model.WeightedGroup{ARN: "arn:led", Weight: 1}
	have.Frontend = front
	if healthy, whole := needs(have, "internet-facing"); !healthy || !whole {
		t.Errorf("it waits for healthy targets %v, for the rules %v", healthy, whole)
	}
}
