package waf

import (
	"regexp"

	"github.com/aws/aws-sdk-go-v2/aws"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
)

// ruleCheck checks rules and adds up the capacity units that they need.
type ruleCheck struct {
	firewall *Firewall
	scope    waftypes.Scope
	// inACL says that the rules are those of a web ACL: only they may name rule groups.
	inACL bool
	// bodies are the custom responses that the rules can name.
	bodies map[string]waftypes.CustomResponseBody
}

// Forms of metric names, and lengths (WAFv2 API reference).
var metricForm = regexp.MustCompile(`^[\w#:.\-/]{1,255}$`)

func checkVisibility(v *waftypes.VisibilityConfig) error {
	if v == nil {
		return invalid("You must specify a visibility configuration., field: METRIC_NAME")
	}
	name := aws.ToString(v.MetricName)
	if !metricForm.MatchString(name) || name == "All" || name == "Default_Action" {
		return invalid("The metric name '%s' isn't valid., field: METRIC_NAME", name)
	}
	return nil
}

// rules checks a list of rules and gives the capacity units that they need.
func (c ruleCheck) rules(all []waftypes.Rule) (int64, error) {
	names, priorities := map[string]bool{}, map[int32]bool{}
	var sum int64
	for i := range all {
		r := &all[i]
		name := aws.ToString(r.Name)
		if names[name] || priorities[r.Priority] {
			return 0, invalid("Two rules have the same name '%s' or the same priority %d., field: RULE", name, r.Priority)
		}
		names[name], priorities[r.Priority] = true, true
		cost, err := c.rule(r)
		if err != nil {
			return 0, err
		}
		sum += cost
	}
	return sum, nil
}

func (c ruleCheck) rule(r *waftypes.Rule) (int64, error) {
	if name := aws.ToString(r.Name); !nameForm.MatchString(name) {
		return 0, invalid("The name '%s' isn't valid., field: RULE", name)
	}
	if r.Priority < 0 {
		return 0, invalid("The priority %d isn't valid., field: RULE", r.Priority)
	}
	if err := checkVisibility(r.VisibilityConfig); err != nil {
		return 0, err
	}
	if r.Statement == nil {
		return 0, invalid("A rule must have a statement., field: STATEMENT")
	}
	if err := c.action(r); err != nil {
		return 0, err
	}
	return c.statement(r.Statement, top)
}

// action demands an override action for rules that run a rule group, and an action for all others.
func (c ruleCheck) action(r *waftypes.Rule) error {
	if r.Statement.RuleGroupReferenceStatement != nil || r.Statement.ManagedRuleGroupStatement != nil {
		o := r.OverrideAction
		if r.Action != nil || o == nil || (o.Count == nil) == (o.None == nil) {
			return invalid("A rule that runs a rule group must have exactly one override action and no action., field: OVERRIDE_ACTION")
		}
		if len(r.RuleLabels) > 0 {
			return invalid("A rule that runs a rule group can't add labels., field: RULE")
		}
		return nil
	}
	a := r.Action
	if r.OverrideAction != nil || a == nil ||
		one(a.Allow != nil, a.Block != nil, a.Captcha != nil, a.Challenge != nil, a.Count != nil) != nil {
		return invalid("A rule must have exactly one action and no override action., field: RULE_ACTION")
	}
	return c.block(a.Block)
}

// one demands that exactly one of several things is given.
func one(given ...bool) error {
	number := 0
	for _, g := range given {
		if g {
			number++
		}
	}
	switch number {
	case 0:
		return invalid("You have used none of the possible values for a field that requires exactly one value., field: STATEMENT")
	case 1:
		return nil
	default:
		return invalid("Your statement has multiple values set for a field that requires exactly one value., field: STATEMENT")
	}
}

// Status codes that a custom response may have (WAF developer guide, "Supported status codes").
const (
	leastStatus = 200
	mostStatus  = 599
)

func (c ruleCheck) block(b *waftypes.BlockAction) error {
	if b == nil || b.CustomResponse == nil {
		return nil
	}
	if code := aws.ToInt32(b.CustomResponse.ResponseCode); code < leastStatus || code > mostStatus {
		return invalid("The response code %d isn't valid., field: CUSTOM_RESPONSE", code)
	}
	if key := b.CustomResponse.CustomResponseBodyKey; key != nil {
		if _, ok := c.bodies[*key]; !ok {
			return invalid("The custom response body '%s' isn't defined., field: CUSTOM_RESPONSE_BODY", *key)
		}
	}
	return nil
}

// walk visits the statements of rules, nested ones too.
func walk(rules []waftypes.Rule, visit func(*waftypes.Statement)) {
	for _, r := range rules {
		walkStatement(r.Statement, visit)
	}
}

func walkStatement(s *waftypes.Statement, visit func(*waftypes.Statement)) {
	if s == nil {
		return
	}
	visit(s)
	var below []waftypes.Statement
	if s.AndStatement != nil {
		below = append(below, s.AndStatement.Statements...)
	}
	if s.OrStatement != nil {
		below = append(below, s.OrStatement.Statements...)
	}
	for i := range below {
		walkStatement(&below[i], visit)
	}
	if s.NotStatement != nil {
		walkStatement(s.NotStatement.Statement, visit)
	}
	if s.RateBasedStatement != nil {
		walkStatement(s.RateBasedStatement.ScopeDownStatement, visit)
	}
	if s.ManagedRuleGroupStatement != nil {
		walkStatement(s.ManagedRuleGroupStatement.ScopeDownStatement, visit)
	}
}

// named reports whether any rule names an IP set or a rule group.
func (f *Firewall) named(arn string) bool {
	found := false
	look := func(s *waftypes.Statement) {
		set, group, patterns := s.IPSetReferenceStatement, s.RuleGroupReferenceStatement, s.RegexPatternSetReferenceStatement
		found = found || set != nil && aws.ToString(set.ARN) == arn || group != nil && aws.ToString(group.ARN) == arn ||
			patterns != nil && aws.ToString(patterns.ARN) == arn
	}
	for _, a := range f.acls.All() {
		walk(a.shape.Rules, look)
	}
	for _, g := range f.groups.All() {
		walk(g.shape.Rules, look)
	}
	return found
}
