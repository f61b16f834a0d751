package model_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

func forward(groups ...model.WeightedGroup) []model.Action {
	return []model.Action{{Type: model.ActionForward, Forward: &model.Forward{Groups: groups}}}
}

func rule(actions []model.Action, conditions ...model.Condition) model.Rule {
	return model.Rule{Conditions: conditions, Actions: actions}
}

func host(values ...string) model.Condition {
	return model.Condition{Field: model.FieldHost, Values: values}
}

func TestContent(t *testing.T) {
	web := model.WeightedGroup{Key: "web", Weight: 1}
	path := model.Condition{Field: model.FieldPath, Values: []string{"/a", "/b"}}
	encoded := model.Condition{Field: model.FieldHost, Regex: []string{model.HostRegex("b.org"), model.HostRegex("a.org")}}
	cases := []struct {
		why            string
		want, observed model.Rule
		equals         bool
	}{
		{
			"sets have no order", rule(forward(web), host("b.org", "a.org"), path),
			rule(forward(web), model.Condition{Field: model.FieldPath, Values: []string{"/b", "/a"}}, host("a.org", "b.org")), true,
		},
		{"the incumbent's plain hosts are accepted", rule(forward(web), encoded), rule(forward(web), host("a.org", "b.org")), true},
		{"ours are not taken for plain ones", rule(forward(web), host("a.org", "b.org")), rule(forward(web), encoded), false},
		{"other hosts are other rules", rule(forward(web), encoded), rule(forward(web), host("a.org")), false},
		{
			"the weight of a lone group says nothing", rule(forward(model.WeightedGroup{Key: "web", Weight: 7}), path),
			rule(forward(web), path), true,
		},
		{"unless it is 0", rule(forward(model.WeightedGroup{Key: "web"}), path), rule(forward(web), path), false},
		{
			"the ARN of a group with a key says nothing", rule(forward(web), path),
			rule(forward(model.WeightedGroup{Key: "web", ARN: "arn", Weight: 1}), path), true,
		},
		{
			"a group that is not ours is its ARN", rule(forward(web), path),
			rule(forward(model.WeightedGroup{ARN: "arn", Weight: 1}), path), false,
		},
		{
			"transforms count", rule(forward(web), path),
			model.Rule{Conditions: []model.Condition{path}, Actions: forward(web), Transforms: []model.Transform{{Type: "url-rewrite"}}}, false,
		},
	}
	for _, c := range cases {
		if got := model.ContentOf(c.want).Equals(model.ContentOf(c.observed)); got != c.equals {
			t.Errorf("%s: %v", c.why, got)
		}
	}
}

func TestHostsOfARule(t *testing.T) {
	cases := []struct {
		why   string
		rule  model.Rule
		hosts []string
		ok    bool
	}{
		{"plain ones", rule(nil, host("a.org", "*.b.org")), []string{"a.org", "*.b.org"}, true},
		{"encoded ones", rule(nil, model.Condition{Field: model.FieldHost, Regex: []string{model.HostRegex("a.org")}}), []string{"a.org"}, true},
		{"an expression may match any", rule(nil, model.Condition{Field: model.FieldHost, Regex: []string{"^a"}}), nil, false},
		{"so may a rule without hosts", rule(nil, model.Condition{Field: model.FieldPath, Values: []string{"/"}}), nil, false},
	}
	for _, c := range cases {
		hosts, ok := c.rule.Hosts()
		if diff := cmp.Diff(c.hosts, hosts); diff != "" || ok != c.ok {
			t.Errorf("%s: %v %s", c.why, ok, diff)
		}
	}
}

// stack has every field that a hash or an order could get wrong.
func stack() model.Stack {
	return model.Stack{
		Owner: model.Owner{Cluster: "c", Prefix: model.PrefixIngress, Stack: "g"},
		LoadBalancer: &model.LoadBalancer{
			ID: "LoadBalancer", Name: "n", Subnets: []string{"b", "a"}, SecurityGroups: []model.GroupRef{{ID: "sg-1"}, {Key: "k"}},
			Attributes: map[string]string{"a": "1"},
		},
		SecurityGroups: []model.SecurityGroup{
			{ID: "z"}, {ID: "k", Ingress: []model.Permission{
				{Protocol: "tcp", FromPort: 443, ToPort: 443, CIDR: "10.0.0.0/8"}, {Protocol: "tcp", FromPort: 80, ToPort: 80, PrefixList: "p"},
				{Protocol: "tcp", FromPort: 80, ToPort: 80, PrefixList: "p", Description: "twice"},
			}},
		},
		TargetGroups: []model.TargetGroup{{ID: "web", Port: 80}, {ID: "api", Port: 80}},
		Listeners: []model.Listener{
			{Port: 443, Protocol: "HTTPS", Certificates: []model.ARN{"z", "y", "x"}, DefaultActions: forward(
				model.WeightedGroup{Key: "web", Weight: 2}, model.WeightedGroup{Key: "api", Weight: 1})},
			{Port: 80, Protocol: "HTTP", Rules: []model.Rule{
				rule(forward(model.WeightedGroup{Key: "web", Weight: 1}), host("b.org", "a.org", "a.org"),
					model.Condition{Field: model.FieldQuery, Query: []model.QueryPair{{Key: "b", Value: "1"}, {Key: "a", Value: "2"}}}),
				rule(forward(model.WeightedGroup{Key: "api", Weight: 1}), host("a.org")),
			}},
		},
	}
}

func TestNormalizeSortsSetsAndKeepsOrders(t *testing.T) {
	in := stack()
	n := model.Normalize(in)
	if diff := cmp.Diff(stack(), in); diff != "" {
		t.Fatalf("the argument was changed: %s", diff)
	}
	if diff := cmp.Diff(n, model.Normalize(n)); diff != "" {
		t.Errorf("normalising twice is normalising once: %s", diff)
	}
	if diff := cmp.Diff([]model.ARN{"z", "x", "y"}, n.Listeners[1].Certificates); diff != "" {
		t.Errorf("the first certificate is the default: %s", diff)
	}
	if diff := cmp.Diff([]string{"a.org", "b.org"}, n.Listeners[0].Rules[0].Conditions[0].Values); diff != "" {
		t.Errorf("rules keep their order, values have none: %s", diff)
	}
	if got := len(n.SecurityGroups[0].Ingress); got != 2 {
		t.Errorf("a permission is the same whatever its description: %d", got)
	}
	shuffled := stack()
	slices.Reverse(shuffled.TargetGroups)
	slices.Reverse(shuffled.Listeners)
	slices.Reverse(shuffled.SecurityGroups)
	slices.Reverse(shuffled.LoadBalancer.Subnets)
	slices.Reverse(shuffled.LoadBalancer.SecurityGroups)
	if diff := cmp.Diff(n, model.Normalize(shuffled)); diff != "" {
		t.Errorf("invariant 10: %s", diff)
	}
}

func TestHashIsOfWhatIsWanted(t *testing.T) {
	same := []struct {
		why  string
		edit func(*model.Stack)
	}{
		{"what AWS gave", func(s *model.Stack) {
			s.LoadBalancer.ARN, s.LoadBalancer.DNSName, s.LoadBalancer.State = "arn", "dns", "active"
			s.TargetGroups[0].ARN, s.TargetGroups[0].LoadBalancers = "arn", []model.ARN{"lb"}
			s.SecurityGroups[0].ARN, s.Listeners[0].ARN = "arn", "arn"
			s.Listeners[1].Rules[0].ARN, s.Listeners[1].Rules[0].Priority = "arn", 7
			s.Listeners[0].DefaultActions[0].Forward.Groups[0].ARN = "arn"
			s.Leftovers, s.Tagless = []model.LoadBalancer{{ID: "old"}}, true
		}},
		{"who asked for it", func(s *model.Stack) {
			s.Listeners[1].Rules[0].Member = model.ObjectRef{Kind: "Ingress"}
			s.TargetGroups[0].Backend = model.Backend{Service: "web"}
		}},
		{"the order of sets", func(s *model.Stack) { slices.Reverse(s.TargetGroups) }},
	}
	for _, c := range same {
		s := stack()
		c.edit(&s)
		if model.HashOf(s) != model.HashOf(stack()) {
			t.Errorf("%s changed the hash", c.why)
		}
	}
	other := []struct {
		why  string
		edit func(*model.Stack)
	}{
		{"an attribute", func(s *model.Stack) { s.LoadBalancer.Attributes["a"] = "2" }},
		{"a permission", func(s *model.Stack) { s.SecurityGroups[1].Ingress[0].CIDR = "0.0.0.0/0" }},
		{"a port", func(s *model.Stack) { s.TargetGroups[0].Port = 81 }},
		{"the default certificate", func(s *model.Stack) { slices.Reverse(s.Listeners[0].Certificates) }},
		{"the order of rules", func(s *model.Stack) { slices.Reverse(s.Listeners[1].Rules) }},
	}
	for _, c := range other {
		s := stack()
		c.edit(&s)
		if model.HashOf(s) == model.HashOf(stack()) {
			t.Errorf("%s left the hash as it was", c.why)
		}
	}
}

func TestHashOfEachResource(t *testing.T) {
	s := stack()
	hashes := []string{
		model.HashOf(*s.LoadBalancer), model.HashOf(s.TargetGroups[0]), model.HashOf(s.Listeners[1]),
		model.HashOf(s.Listeners[1].Rules[0]), model.HashOf(s.SecurityGroups[0]), model.HashOf(model.Rule{}), model.HashOf(model.Listener{}),
	}
	slices.Sort(hashes)
	if got := len(slices.Compact(hashes)); got != 7 {
		t.Errorf("%d different hashes of seven resources", got)
	}
	moved := s.Listeners[1].Rules[0]
	moved.Priority, moved.ARN, moved.Member = 9, "arn", model.ObjectRef{Kind: "Ingress"}
	if model.HashOf(moved) != model.HashOf(s.Listeners[1].Rules[0]) {
		t.Error("a rule that moved is the same rule")
	}
}

func TestRuleID(t *testing.T) {
	r := rule(forward(model.WeightedGroup{Key: "web", Weight: 1}), host("a.org"))
	id := model.RuleID(80, r)
	r.Priority, r.Tags = 5, map[string]string{"team": "x"}
	if model.RuleID(80, r) != id || id != "80:"+model.RuleContentHash(80, r) || len(id) != 13 {
		t.Errorf("a rule keeps its ID when it moves or is tagged: %s", id)
	}
	if model.RuleContentHash(81, r) == model.RuleContentHash(80, r) {
		t.Error("rules of two listeners are two rules")
	}
	r.Conditions = []model.Condition{host("b.org")}
	if model.RuleID(80, r) == id {
		t.Error("a rule that matches something else is another one")
	}
}
