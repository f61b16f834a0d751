package elb_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/elb"
)

// ruling is a row of CreateRule and of ModifyRule: the same conditions and transforms are wrong in both.
func ruling(code, why string, change func(in *sdk.CreateRuleInput)) []row {
	return []row{
		{operation: "CreateRule", code: code, why: why, call: func(w *world) error {
			in := ruleInput(w.listener(w.balancer("a"), fixed()), 1, fixed())
			change(in)
			return ask(w, w.api.CreateRule, in)
		}},
		{operation: "ModifyRule", code: code, why: why, call: func(w *world) error {
			in := ruleInput(w.listener(w.balancer("a"), fixed()), 1, fixed())
			r := have(w, w.api.CreateRule, in).Rules[0]
			change(in)
			return ask(w, w.api.ModifyRule, &sdk.ModifyRuleInput{RuleArn: r.RuleArn, Conditions: in.Conditions, Transforms: in.Transforms})
		}},
	}
}

func rewrite(kind elbtypes.TransformTypeEnum, regex, replace string) elbtypes.RuleTransform {
	rewrites := []elbtypes.RewriteConfig{{Regex: aws.String(regex), Replace: aws.String(replace)}}
	if kind == elbtypes.TransformTypeEnumHostHeaderRewrite {
		return elbtypes.RuleTransform{Type: kind, HostHeaderRewriteConfig: &elbtypes.HostHeaderRewriteConfig{Rewrites: rewrites}}
	}
	return elbtypes.RuleTransform{Type: kind, UrlRewriteConfig: &elbtypes.UrlRewriteConfig{Rewrites: rewrites}}
}

func conditionRows() []row {
	matching := func(c elbtypes.RuleCondition) func(*sdk.CreateRuleInput) {
		return func(in *sdk.CreateRuleInput) { in.Conditions = []elbtypes.RuleCondition{c} }
	}
	transforming := func(all ...elbtypes.RuleTransform) func(*sdk.CreateRuleInput) {
		return func(in *sdk.CreateRuleInput) { in.Transforms = all }
	}
	var rows []row
	add := func(more []row) { rows = append(rows, more...) }
	add(ruling("", "a regular expression of a path", matching(elbtypes.RuleCondition{
		Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{RegexValues: []string{`^/v\d+/`}},
	})))
	add(ruling("", "a regular expression of a header, outside of its configuration", matching(elbtypes.RuleCondition{
		Field: aws.String("http-header"), HttpHeaderConfig: &elbtypes.HttpHeaderConditionConfig{HttpHeaderName: aws.String("A")}, RegexValues: []string{"^a+$"},
	})))
	for why, text := range map[string]string{"look-ahead": "(?=a)", "a back reference": `(a)\1`, "a Unicode class": `\p{L}`, "129 characters": fmt.Sprintf("%0129d", 1)} {
		add(ruling("ValidationError", "a regular expression with "+why, matching(elbtypes.RuleCondition{
			Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{RegexValues: []string{text}},
		})))
	}
	add(ruling("ValidationError", "values and regular expressions", matching(elbtypes.RuleCondition{
		Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{RegexValues: []string{"a"}, Values: []string{"a.com"}},
	})))
	add(ruling("ValidationError", "regular expressions of methods", matching(elbtypes.RuleCondition{
		Field: aws.String("http-request-method"), RegexValues: []string{"G.*"},
	})))
	add(ruling("", "both transforms", transforming(rewrite("url-rewrite", "^/a/(.*)$", "/$1"), rewrite("host-header-rewrite", "^(.*)$", "b.com"))))
	add(ruling("ValidationError", "a transform twice", transforming(rewrite("url-rewrite", "a", "b"), rewrite("url-rewrite", "b", "c"))))
	add(ruling("ValidationError", "a group that the expression does not have", transforming(rewrite("url-rewrite", "a", "$1"))))
	add(ruling("ValidationError", "a transform of nothing", transforming(elbtypes.RuleTransform{Type: "url-rewrite"})))
	return rows
}

func ruleRows() []row {
	plain := func(w *world) *string { return w.listener(w.balancer("a"), fixed()) }
	modify := func(w *world, in *sdk.ModifyRuleInput) error { return ask(w, w.api.ModifyRule, in) }
	move := func(w *world, priority int32, rules ...*string) error {
		in := &sdk.SetRulePrioritiesInput{}
		for i, r := range rules {
			in.RulePriorities = append(in.RulePriorities, elbtypes.RulePriorityPair{RuleArn: r, Priority: aws.Int32(priority + int32(i))})
		}
		return ask(w, w.api.SetRulePriorities, in)
	}
	return append(conditionRows(), []row{
		{operation: "CreateRule", code: "ListenerNotFound", why: "of none", call: func(w *world) error { return ask(w, w.api.CreateRule, ruleInput(not(plain(w)), 1, fixed())) }},
		{operation: "CreateRule", code: "PriorityInUse", why: "the same again", call: func(w *world) error {
			l := plain(w)
			w.rule(l, 1, fixed())
			return ask(w, w.api.CreateRule, ruleInput(l, 1, fixed()))
		}},
		{operation: "CreateRule", code: "TooManyRules", why: "the quota of the load balancer", call: func(w *world) error {
			lb := w.balancer("a")
			w.rule(w.listener(lb, fixed()), 1, fixed())
			return ask(w, w.api.CreateRule, ruleInput(w.listener(lb, fixed(), on("HTTP", 81)), 1, fixed()))
		}, options: func(o *elb.Options) { o.Quotas.RulesPerLoadBalancer = 1 }},
		{operation: "CreateRule", code: "TooManyTags", why: "51 tags", call: func(w *world) error {
			in := ruleInput(plain(w), 1, fixed())
			in.Tags = tags(51)
			return ask(w, w.api.CreateRule, in)
		}},
		{operation: "CreateRule", code: "TooManyTargetGroups", why: "six groups", call: func(w *world) error {
			var groups []*string
			for i := range 6 {
				groups = append(groups, w.group(fmt.Sprint("g", i)))
			}
			return ask(w, w.api.CreateRule, ruleInput(plain(w), 1, forward(groups...)))
		}},
		{operation: "CreateRule", code: "InvalidConfigurationRequest", why: "of a network load balancer with IPv4 only", call: func(w *world) error {
			l := w.listener(w.balancer("n", network), forward(w.group("t", speaking("TCP"))), on("TCP", 80))
			return ask(w, w.api.CreateRule, ruleInput(l, 1, fixed()))
		}},
		{operation: "CreateRule", why: "of a network load balancer in dual-stack mode", call: func(w *world) error {
			l := w.listener(w.dual("n"), forward(w.group("t", speaking("TCP"))), on("TCP", 80))
			in := ruleInput(l, 1, forward(w.group("six", speaking("TCP"), func(in *sdk.CreateTargetGroupInput) { in.IpAddressType = "ipv6" })))
			in.Conditions = []elbtypes.RuleCondition{{Field: aws.String("source-ip"), SourceIpConfig: &elbtypes.SourceIpConditionConfig{IpAddressType: "ipv6"}}}
			return ask(w, w.api.CreateRule, in)
		}},
		{operation: "ModifyRule", code: "RuleNotFound", why: "none", call: func(w *world) error {
			return modify(w, &sdk.ModifyRuleInput{RuleArn: not(w.rule(plain(w), 1, fixed())), Actions: fixed()})
		}},
		{operation: "ModifyRule", code: "OperationNotPermitted", why: "the default rule", call: func(w *world) error {
			return modify(w, &sdk.ModifyRuleInput{RuleArn: w.byDefault(plain(w)), Actions: fixed()})
		}},
		{operation: "ModifyRule", code: "ValidationError", why: "nothing", call: func(w *world) error {
			return modify(w, &sdk.ModifyRuleInput{RuleArn: w.rule(plain(w), 1, fixed())})
		}},
		{operation: "DescribeRules", why: "of a listener", call: func(w *world) error {
			return ask(w, w.api.DescribeRules, &sdk.DescribeRulesInput{ListenerArn: plain(w)})
		}},
		{operation: "DescribeRules", code: "ListenerNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.DescribeRules, &sdk.DescribeRulesInput{ListenerArn: not(plain(w))})
		}},
		{operation: "DescribeRules", code: "RuleNotFound", why: "one that is not there", call: func(w *world) error {
			return ask(w, w.api.DescribeRules, &sdk.DescribeRulesInput{RuleArns: []string{*not(w.rule(plain(w), 1, fixed()))}})
		}},
		{operation: "DeleteRule", why: "one", call: func(w *world) error {
			return ask(w, w.api.DeleteRule, &sdk.DeleteRuleInput{RuleArn: w.rule(plain(w), 1, fixed())})
		}},
		{operation: "DeleteRule", code: "RuleNotFound", why: "none", call: func(w *world) error {
			return ask(w, w.api.DeleteRule, &sdk.DeleteRuleInput{RuleArn: not(w.rule(plain(w), 1, fixed()))})
		}},
		{operation: "DeleteRule", code: "OperationNotPermitted", why: "the default rule", call: func(w *world) error {
			return ask(w, w.api.DeleteRule, &sdk.DeleteRuleInput{RuleArn: w.byDefault(plain(w))})
		}},
		{operation: "SetRulePriorities", why: "a swap", call: func(w *world) error {
			l := plain(w)
			one, two := w.rule(l, 1, fixed()), w.rule(l, 2, fixed())
			return move(w, 1, two, one)
		}},
		{operation: "SetRulePriorities", code: "PriorityInUse", why: "that of a rule that stays", call: func(w *world) error {
			l := plain(w)
			w.rule(l, 1, fixed())
			return move(w, 1, w.rule(l, 2, fixed()))
		}},
		{operation: "SetRulePriorities", code: "RuleNotFound", why: "of none", call: func(w *world) error { return move(w, 1, not(w.rule(plain(w), 1, fixed()))) }},
		{operation: "SetRulePriorities", code: "OperationNotPermitted", why: "of the default rule", call: func(w *world) error { return move(w, 1, w.byDefault(plain(w))) }},
		{operation: "SetRulePriorities", code: "ValidationError", why: "of two listeners", call: func(w *world) error {
			lb := w.balancer("a")
			return move(w, 5, w.rule(w.listener(lb, fixed()), 1, fixed()), w.rule(w.listener(lb, fixed(), on("HTTP", 81)), 1, fixed()))
		}},
	}...)
}
