package waf

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// place is where a statement stands.
type place int

const (
	top place = iota
	nested
)

// Capacity units by kind of statement (WAF developer guide, "AWS WAF web ACL capacity units").
const (
	simpleCost     = 1
	anyAddressCost = 4
	exactCost      = 2
	containsCost   = 10
	regexCost      = 3
	injectionCost  = 20
	sensitiveCost  = 30
	scriptCost     = 40
	rateCost       = 2
	customKeyCost  = 30
	transformCost  = 10
	argumentsCost  = 10
)

// statement checks a statement and gives the capacity units that it needs.
func (c ruleCheck) statement(s *waftypes.Statement, at place) (int64, error) {
	if s == nil {
		return 0, invalid("A statement is missing., field: STATEMENT")
	}
	all := c.readers(s, at)
	given := make([]bool, len(all))
	var chosen func() (int64, error)
	for i, r := range all {
		if given[i] = r.given; r.given {
			chosen = r.read
		}
	}
	if err := one(given...); err != nil {
		return 0, err
	}
	return chosen()
}

// reader reads one kind of statement, if it is given.
type reader struct {
	given bool
	read  func() (int64, error)
}

func (c ruleCheck) readers(s *waftypes.Statement, at place) []reader {
	return append(c.combiners(s, at),
		reader{s.AsnMatchStatement != nil, func() (int64, error) { return simpleCost, nil }},
		reader{s.ByteMatchStatement != nil, func() (int64, error) { return byteMatch(s.ByteMatchStatement) }},
		reader{s.GeoMatchStatement != nil, func() (int64, error) { return geoMatch(s.GeoMatchStatement) }},
		reader{s.IPSetReferenceStatement != nil, func() (int64, error) { return c.setReference(s.IPSetReferenceStatement) }},
		reader{s.LabelMatchStatement != nil, func() (int64, error) { return labelMatch(s.LabelMatchStatement) }},
		reader{s.RegexMatchStatement != nil, func() (int64, error) {
			return field(s.RegexMatchStatement.FieldToMatch, regexCost, s.RegexMatchStatement.TextTransformations)
		}},
		reader{s.RegexPatternSetReferenceStatement != nil, func() (int64, error) { return c.patternReference(s.RegexPatternSetReferenceStatement) }},
		reader{s.SizeConstraintStatement != nil, func() (int64, error) {
			return field(s.SizeConstraintStatement.FieldToMatch, simpleCost, s.SizeConstraintStatement.TextTransformations)
		}},
		reader{s.SqliMatchStatement != nil, func() (int64, error) {
			cost := map[waftypes.SensitivityLevel]int64{waftypes.SensitivityLevelHigh: sensitiveCost}[s.SqliMatchStatement.SensitivityLevel]
			return field(s.SqliMatchStatement.FieldToMatch, max(cost, injectionCost), s.SqliMatchStatement.TextTransformations)
		}},
		reader{s.XssMatchStatement != nil, func() (int64, error) {
			return field(s.XssMatchStatement.FieldToMatch, scriptCost, s.XssMatchStatement.TextTransformations)
		}},
	)
}

// combiners reads statements that have others in them, and those that run rule groups: some may only stand at the top.
func (c ruleCheck) combiners(s *waftypes.Statement, at place) []reader {
	atTop := func(read func() (int64, error)) func() (int64, error) {
		if at == top {
			return read
		}
		return func() (int64, error) { return 0, invalid("Your nested statement isn't valid., field: STATEMENT") }
	}
	return []reader{
		{s.AndStatement != nil, func() (int64, error) { return c.several(s.AndStatement.Statements) }},
		{s.OrStatement != nil, func() (int64, error) { return c.several(s.OrStatement.Statements) }},
		{s.NotStatement != nil, func() (int64, error) { return c.statement(s.NotStatement.Statement, nested) }},
		{s.RateBasedStatement != nil, atTop(func() (int64, error) { return c.rate(s.RateBasedStatement) })},
		{s.ManagedRuleGroupStatement != nil, atTop(func() (int64, error) { return c.managed(s.ManagedRuleGroupStatement) })},
		{s.RuleGroupReferenceStatement != nil, atTop(func() (int64, error) { return c.groupReference(s.RuleGroupReferenceStatement) })},
	}
}

const leastStatements = 2

func (c ruleCheck) several(all []waftypes.Statement) (int64, error) {
	if len(all) < leastStatements {
		return 0, invalid("A logical statement must combine %d statements or more., field: STATEMENT", leastStatements)
	}
	var sum int64
	for i := range all {
		cost, err := c.statement(&all[i], nested)
		if err != nil {
			return 0, err
		}
		sum += cost
	}
	return sum, nil
}

const maxSearch = 200

func byteMatch(s *waftypes.ByteMatchStatement) (int64, error) {
	if len(s.SearchString) == 0 || len(s.SearchString) > maxSearch {
		return 0, invalid("A search string has 1 to %d bytes., field: BYTE_MATCH_STATEMENT", maxSearch)
	}
	cost := int64(exactCost)
	if s.PositionalConstraint == waftypes.PositionalConstraintContains || s.PositionalConstraint == waftypes.PositionalConstraintContainsWord {
		cost = containsCost
	}
	return field(s.FieldToMatch, cost, s.TextTransformations)
}

func geoMatch(s *waftypes.GeoMatchStatement) (int64, error) {
	const most = 50
	if len(s.CountryCodes) == 0 || len(s.CountryCodes) > most {
		return 0, invalid("A geographic match has 1 to %d country codes., field: GEO_MATCH_STATEMENT", most)
	}
	return simpleCost, nil
}

func labelMatch(s *waftypes.LabelMatchStatement) (int64, error) {
	if aws.ToString(s.Key) == "" || s.Scope == "" {
		return 0, invalid("A label match must have a key and a scope., field: LABEL_MATCH_STATEMENT")
	}
	return simpleCost, nil
}

// field checks which part of a request a statement looks at, and gives the cost of looking there.
func field(f *waftypes.FieldToMatch, base int64, transformations []waftypes.TextTransformation) (int64, error) {
	const most = 10
	if f == nil || one(f.AllQueryArguments != nil, f.Body != nil, f.Cookies != nil, f.HeaderOrder != nil, f.Headers != nil, f.JA3Fingerprint != nil,
		f.JA4Fingerprint != nil, f.JsonBody != nil, f.Method != nil, f.QueryString != nil, f.SingleHeader != nil, f.SingleQueryArgument != nil,
		f.UriFragment != nil, f.UriPath != nil) != nil {
		return 0, invalid("A statement must look at exactly one part of a request., field: FIELD_TO_MATCH")
	}
	if len(transformations) == 0 || len(transformations) > most {
		return 0, invalid("A statement must have 1 to %d text transformations., field: TEXT_TRANSFORMATION", most)
	}
	cost := base
	if f.JsonBody != nil {
		cost += base
	}
	if f.AllQueryArguments != nil {
		cost += argumentsCost
	}
	priorities := map[int32]bool{}
	for _, t := range transformations {
		if priorities[t.Priority] {
			return 0, invalid("Two text transformations have the priority %d., field: TEXT_TRANSFORMATION", t.Priority)
		}
		priorities[t.Priority] = true
		if t.Type != waftypes.TextTransformationTypeNone {
			cost += transformCost
		}
	}
	return cost, nil
}

func (c ruleCheck) setReference(s *waftypes.IPSetReferenceStatement) (int64, error) {
	set, ok := c.firewall.sets.Get(aws.ToString(s.ARN))
	if !ok || set.scope != c.scope {
		return 0, nonexistent()
	}
	if s.IPSetForwardedIPConfig != nil && s.IPSetForwardedIPConfig.Position == waftypes.ForwardedIPPositionAny {
		return anyAddressCost, nil
	}
	return simpleCost, nil
}

func (c ruleCheck) groupReference(s *waftypes.RuleGroupReferenceStatement) (int64, error) {
	if !c.inACL {
		return 0, invalid("A rule group can't run another one., field: RULE_GROUP_REFERENCE_STATEMENT")
	}
	g, ok := c.firewall.groups.Get(aws.ToString(s.ARN))
	if !ok || g.scope != c.scope {
		return 0, nonexistent()
	}
	return aws.ToInt64(g.shape.Capacity), nil
}

// managed knows the rule groups that AWS manages (WAF developer guide, "AWS Managed Rules rule groups list"), and no other vendor's.
func (c ruleCheck) managed(s *waftypes.ManagedRuleGroupStatement) (int64, error) {
	if !c.inACL {
		return 0, invalid("A rule group can't run another one., field: MANAGED_RULE_SET_STATEMENT")
	}
	if aws.ToString(s.VendorName) != "AWS" {
		return 0, wire.Errorf("WAFSubscriptionNotFoundException", "You aren't subscribed to the managed rule group '%s'.", aws.ToString(s.Name))
	}
	cost, ok := map[string]int64{
		"AWSManagedRulesCommonRuleSet": 700, "AWSManagedRulesAdminProtectionRuleSet": 100, "AWSManagedRulesKnownBadInputsRuleSet": 200,
		"AWSManagedRulesSQLiRuleSet": 200, "AWSManagedRulesLinuxRuleSet": 200, "AWSManagedRulesUnixRuleSet": 100,
		"AWSManagedRulesWindowsRuleSet": 200, "AWSManagedRulesPHPRuleSet": 100, "AWSManagedRulesWordPressRuleSet": 100,
		"AWSManagedRulesAmazonIpReputationList": 25, "AWSManagedRulesAnonymousIpList": 50, "AWSManagedRulesBotControlRuleSet": 50,
		"AWSManagedRulesATPRuleSet": 50, "AWSManagedRulesACFPRuleSet": 50, "AWSManagedRulesAntiDDoSRuleSet": 50,
	}[aws.ToString(s.Name)]
	if !ok {
		return 0, nonexistent()
	}
	if s.ScopeDownStatement == nil {
		return cost, nil
	}
	more, err := c.statement(s.ScopeDownStatement, nested)
	return cost + more, err
}

// Limits of rate-based rules (WAFv2 API reference, RateBasedStatement).
const (
	leastRate     = 10
	mostRate      = 2_000_000_000
	defaultWindow = 300
	mostKeys      = 5
)

func (c ruleCheck) rate(s *waftypes.RateBasedStatement) (int64, error) {
	if limit := aws.ToInt64(s.Limit); limit < leastRate || limit > mostRate {
		return 0, invalid("The limit %d must be between %d and %d., field: RATE_BASED_STATEMENT", limit, leastRate, mostRate)
	}
	switch s.EvaluationWindowSec {
	case 0:
		s.EvaluationWindowSec = defaultWindow
	case 60, 120, defaultWindow, 600:
	default:
		return 0, invalid("The evaluation window %d must be 60, 120, 300 or 600., field: RATE_BASED_STATEMENT", s.EvaluationWindowSec)
	}
	if err := checkAggregation(s); err != nil {
		return 0, err
	}
	cost := rateCost + int64(len(s.CustomKeys))*customKeyCost
	if s.ScopeDownStatement == nil {
		return cost, nil
	}
	more, err := c.statement(s.ScopeDownStatement, nested)
	return cost + more, err
}

// checkAggregation demands what each way to count requests needs.
func checkAggregation(s *waftypes.RateBasedStatement) error {
	custom := s.AggregateKeyType == waftypes.RateBasedStatementAggregateKeyTypeCustomKeys
	switch {
	case s.AggregateKeyType == "":
		return invalid("A rate-based rule must have an aggregate key type., field: RATE_BASED_STATEMENT")
	case s.AggregateKeyType == waftypes.RateBasedStatementAggregateKeyTypeForwardedIp && s.ForwardedIPConfig == nil:
		return invalid("Counting by forwarded IP address needs its configuration., field: FORWARDED_IP_CONFIG")
	case s.AggregateKeyType == waftypes.RateBasedStatementAggregateKeyTypeConstant && s.ScopeDownStatement == nil:
		return invalid("Counting all requests needs a scope-down statement., field: SCOPE_DOWN")
	case custom && (len(s.CustomKeys) == 0 || len(s.CustomKeys) > mostKeys), !custom && len(s.CustomKeys) > 0:
		return invalid("Counting by custom keys needs 1 to %d of them., field: CUSTOM_KEYS", mostKeys)
	default:
		return nil
	}
}
