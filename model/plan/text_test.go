package plan_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

func TestText(t *testing.T) {
	want := shop()
	want.TargetGroups[1].Protocol = "HTTPS"
	want.Listeners[0].Rules = slices.Insert(want.Listeners[0].Rules, 1, model.Rule{
		Conditions: []model.Condition{
			host("shop.example.com"), {Field: model.FieldHeader, Header: "X-Canary", Values: []string{"yes"}},
			{Field: model.FieldQuery, Query: []model.QueryPair{{Key: "v", Value: "2"}}}, {Field: model.FieldPath, Regex: []string{"^/v[0-9]"}},
		},
		Actions: []model.Action{{Type: model.ActionForward, Forward: &model.Forward{StickySeconds: 60, Groups: []model.WeightedGroup{
			{Key: "shop/cart:80", Weight: 1}, {ARN: "arn:theirs", Weight: 9},
		}}}},
		Transforms: []model.Transform{{Type: "url-rewrite", Regex: "^/v2", Replace: "/"}},
	})
	want.Listeners[1].DefaultActions = []model.Action{{Type: model.ActionRedirect, Redirect: &model.Redirect{
		Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Query: "#{query}", StatusCode: "HTTP_301",
	}}}
	got := plan.Diff(want, built(t, shop()), plan.Options{}).String()
	should := `1 to create, 3 to update, 0 to delete, 1 to replace (6 calls)
± TargetGroup/shop/web:80
    CreateTargetGroup  # AWS cannot change these of a target group
        name: k8s-73686f702f77-0123456789 -> k8s-73686f702f77-e14c06bea3
        protocol: HTTP -> HTTPS
    DeleteTargetGroup  # replaced by another one
        name: was k8s-73686f702f77-0123456789
+ Rule/80:0c4dd4b916
    CreateRule
        match: host shop.example.com, header X-Canary yes, path ~^/v[0-9], query v=2
        answer: url-rewrite ^/v2 => /, forward arn:theirs (9), shop/cart:80 (1), sticky 60s
~ Rule/80:f09c7babed
    ModifyRule
        answer: forward shop/web:80 (old) -> forward shop/web:80
~ Rule/443:c0103388f5
    ModifyRule
        answer: forward shop/web:80 (old) -> forward shop/web:80
~ Listener/443
    ModifyListener
        default: respond 404 -> redirect HTTP_301 to HTTPS://#{host}:443/#{path}?#{query}
`
	if diff := cmp.Diff(should, got); diff != "" {
		t.Error(diff)
	}
}

func TestJSONReadsBack(t *testing.T) {
	p := plan.Diff(shop(), model.Stack{Owner: owner()}, plan.Options{})
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(text), `"action":"+"`) {
		t.Errorf("an action is its sign: %s", text)
	}
	var back plan.Plan
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	back.Known = p.Known
	if diff := cmp.Diff(p, back); diff != "" {
		t.Error(diff)
	}
	if back.Hash() != p.Hash() || len(p.Hash()) != 16 {
		t.Errorf("equal plans have one hash: %s %s", p.Hash(), back.Hash())
	}
	back.Changes[0].Why = "another"
	if back.Hash() == p.Hash() {
		t.Error("another plan has another hash")
	}
	var a plan.Action
	if err := a.UnmarshalText([]byte("?")); err == nil {
		t.Error("? is no action")
	}
}

// The changes of rules that no request can match both do not wait for each other; those of one host do, in order.
func TestOnlyRulesThatMeetWaitForEachOther(t *testing.T) {
	on := func(h string, conditions ...model.Condition) model.Rule {
		return model.Rule{Conditions: append(conditions, host(h)), Actions: fixed("200")}
	}
	cases := []struct {
		why   string
		a, b  model.Rule
		waits bool
	}{
		{"two hosts", on("a.org"), on("b.org"), false},
		{"one host", on("a.org", path("/x/*")), on("a.org"), true},
		{"one host in two writings", on("A.org"), model.Rule{Conditions: []model.Condition{{Field: model.FieldHost, Regex: []string{model.HostRegex("a.org")}}}}, true},
		{"a wildcard and a host under it", on("*.a.org"), on("x.a.org"), true},
		{"a wildcard and another host", on("*.a.org"), on("x.b.org"), false},
		{"a wildcard under a wildcard", on("*.a.org"), on("*.b.a.org"), true},
		{"two wildcards", on("*.a.org"), on("*.b.org"), false},
		{"a host and a wildcard", on("x.a.org"), on("*.a.org"), true},
		{"a pattern may match any host", on("a?.org"), on("b.org"), true},
		{"no host is every host", model.Rule{Conditions: []model.Condition{path("/x")}}, on("b.org"), true},
		{"two exact paths", on("a.org", path("/x")), on("a.org", path("/y")), false},
		{"two methods", on("a.org", model.Condition{Field: model.FieldMethod, Values: []string{"GET"}}), on("a.org", model.Condition{Field: model.FieldMethod, Values: []string{"PUT"}}), false},
	}
	for _, c := range cases {
		c.a.Actions, c.b.Actions = fixed("200"), fixed("201")
		have := observed(oneListener("404"), nil)
		p := plan.Diff(oneListener("404", c.a, c.b), have, plan.Options{})
		if got := slices.Contains(p.Changes[1].After, 1); got != c.waits {
			t.Errorf("%s: waits %v", c.why, got)
		}
		have.LoadBalancer.State = "provisioning"
		if p := plan.Diff(oneListener("404", c.a, c.b), have, plan.Options{}); len(p.Changes[1].After) > 0 {
			t.Errorf("%s: nothing waits where no request comes", c.why)
		}
	}
}

func TestStepRefusesWhatAWSRefuses(t *testing.T) {
	have := built(t, shop())
	key := func(kind model.Kind, id string) model.Key { return model.Key{Kind: kind, ID: id} }
	web := key(model.KindTargetGroup, "shop/web:80")
	lb, sg := key(model.KindLoadBalancer, "LoadBalancer"), key(model.KindSecurityGroup, "ManagedLBSecurityGroup")
	listener, missing := key(model.KindListener, "80"), key(model.KindRule, "80:none")
	other := group("shop/other:80")
	other.ARN, other.LoadBalancers = "other", []model.ARN{"elsewhere"}
	have.TargetGroups = append(have.TargetGroups, other)
	taken := have.Listeners[0].Rules[0]
	cases := []struct {
		why    string
		change plan.Change
	}{
		{"a target group in use", plan.Change{Op: plan.DeleteTargetGroup, Key: web}},
		{"a target group that is not there", plan.Change{Op: plan.DeleteTargetGroup, Key: web, ARN: "none"}},
		{"a target group's name twice", plan.Change{Op: plan.CreateTargetGroup, Key: web, TargetGroup: &have.TargetGroups[0]}},
		{"a load balancer's name twice", plan.Change{Op: plan.CreateLoadBalancer, Key: lb, LoadBalancer: have.LoadBalancer}},
		{"a load balancer that is not there", plan.Change{Op: plan.DeleteLoadBalancer, Key: lb, ARN: "none"}},
		{"a security group in use", plan.Change{Op: plan.DeleteSecurityGroup, Key: sg}},
		{"a security group twice", plan.Change{Op: plan.CreateSecurityGroup, Key: sg, SecurityGroup: &have.SecurityGroups[0]}},
		{"a security group that is not there", plan.Change{Op: plan.DeleteSecurityGroup, Key: sg, ARN: "none"}},
		{"a port twice", plan.Change{Op: plan.CreateListener, Key: listener, Port: 80, Listener: &have.Listeners[0]}},
		{"a listener that is not there", plan.Change{Op: plan.DeleteListener, Key: listener, Port: 81}},
		{"certificates of plain HTTP", plan.Change{Op: plan.AddListenerCertificates, Key: listener, Port: 80}},
		{"removing the default certificate", plan.Change{Op: plan.RemoveListenerCertificates, Key: listener, Port: 443, Certificates: []model.ARN{"cert-1"}}},
		{"a priority twice", plan.Change{Op: plan.CreateRule, Key: missing, Port: 80, Priority: taken.Priority, Rule: &taken}},
		{"a priority of two rules", plan.Change{Op: plan.SetRulePriorities, Key: listener, Port: 80, Priorities: []plan.RulePriority{{ARN: taken.ARN, Priority: 200}}}},
		{"the priority of no rule", plan.Change{Op: plan.SetRulePriorities, Key: listener, Port: 80, Priorities: []plan.RulePriority{{Key: missing, Priority: 200}}}},
		{"a rule that is not there", plan.Change{Op: plan.DeleteRule, Key: missing, Port: 80, ARN: "none"}},
		{"a rule of no listener", plan.Change{Op: plan.DeleteRule, Key: missing, Port: 81, ARN: "none"}},
		{"another's target group", plan.Change{Op: plan.ModifyRule, Key: missing, Port: 80, ARN: taken.ARN, Rule: &model.Rule{Actions: forward("shop/other:80")}}},
		{"a target group of no one", plan.Change{Op: plan.CreateRule, Key: missing, Port: 80, Priority: 7, Rule: &model.Rule{Actions: forward("none")}}},
		{"what is no operation of a resource", plan.Change{Op: plan.ModifyRule, Key: web}},
		{"what is no resource", plan.Change{Op: plan.ModifyRule}},
	}
	for _, c := range cases {
		if _, err := plan.Step(have, c.change); err == nil {
			t.Errorf("%s was accepted", c.why)
		}
	}
	nothing := model.Stack{Owner: owner()}
	for _, c := range []plan.Change{{Op: plan.CreateListener, Key: listener, Port: 80}, {Op: plan.SetSubnets, Key: lb}} {
		if _, err := plan.Step(nothing, c); err == nil {
			t.Errorf("%s without a load balancer was accepted", c.Op)
		}
	}
}
