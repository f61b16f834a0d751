package elb

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) ruleOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateRule", s.createRule),
		wire.Reads("DescribeRules", s.describeRules),
		wire.Writes("ModifyRule", s.modifyRule),
		wire.Writes("DeleteRule", s.deleteRule),
		wire.Writes("SetRulePriorities", s.setRulePriorities),
	}
}

const maxPriority = 50000

func (s *State) ruleARN(l *listener) string {
	_, path, _ := strings.Cut(*l.ListenerArn, "listener/")
	return s.account.ARN("elasticloadbalancing", "listener-rule/"+path+"/"+s.account.Hex(16))
}

func (s *State) createRule(in *sdk.CreateRuleInput) (*sdk.CreateRuleOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	if err := checkTakesRules(l); err != nil {
		return nil, err
	}
	if err := checkPriority(in.Priority); err != nil {
		return nil, err
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	r := &rule{listener: l, priority: *in.Priority, Rule: elbtypes.Rule{
		IsDefault: aws.Bool(false), Priority: aws.String(strconv.Itoa(int(*in.Priority))), Transforms: []elbtypes.RuleTransform{},
	}}
	if err := s.fillRule(r, in); err != nil {
		return nil, err
	}
	if err := s.checkRuleRoom(r); err != nil {
		return nil, err
	}
	if err := s.relink(l.balancer, nil, r.Actions); err != nil {
		return nil, err
	}
	r.RuleArn = aws.String(s.ruleARN(l))
	s.rules.Put(*r.RuleArn, r)
	l.rules = append(slices.Clone(l.rules), r)
	l.sortRules()
	s.setTags(*r.RuleArn, tags)
	return &sdk.CreateRuleOutput{Rules: []elbtypes.Rule{r.Rule}}, nil
}

// fillRule checks conditions, actions and transforms.
func (s *State) fillRule(r *rule, in *sdk.CreateRuleInput) error {
	var err error
	if r.Conditions, err = readConditions(r.listener.balancer, in.Conditions); err != nil {
		return err
	}
	if r.Actions, r.secrets, err = s.readActions(r.listener, in.Actions, nil); err != nil {
		return err
	}
	if in.Transforms != nil {
		r.Transforms = in.Transforms
	}
	return checkTransforms(r.listener.balancer, in.Transforms)
}

// checkTakesRules refuses rules where AWS has none: network load balancers have them in dual-stack mode only.
func checkTakesRules(l *listener) error {
	if isApplication(l.balancer) || isNetwork(l.balancer) && l.balancer.IpAddressType == elbtypes.IpAddressTypeDualstack {
		return nil
	}
	return unfit("Rules are not supported for listeners of load balancer '%s'", *l.balancer.LoadBalancerArn)
}

func checkPriority(p *int32) error {
	if p == nil {
		return invalid("A priority must be specified")
	}
	if *p < 1 || *p > maxPriority {
		return invalid("1 validation error detected: Value '%d' at 'priority' failed to satisfy constraint: Member must have value between 1 and %d",
			*p, maxPriority)
	}
	return nil
}

func (s *State) checkRuleRoom(r *rule) error {
	for _, other := range r.listener.rules {
		if other.priority == r.priority {
			return priorityInUse(r.priority)
		}
	}
	count := 0
	for _, l := range r.listener.balancer.listeners {
		count += len(l.rules) - 1
	}
	if count >= s.options.Quotas.RulesPerLoadBalancer {
		return wire.Errorf("TooManyRules", "You've reached the limit on the number of rules per load balancer")
	}
	return nil
}

func priorityInUse(p int32) error {
	return wire.Errorf("PriorityInUse", "Priority '%d' is currently in use", p)
}

// sortRules orders rules by priority, the default rule last.
func (l *listener) sortRules() {
	slices.SortFunc(l.rules, func(a, b *rule) int {
		if x, y := aws.ToBool(a.IsDefault), aws.ToBool(b.IsDefault); x != y {
			if x {
				return 1
			}
			return -1
		}
		return cmp.Compare(a.priority, b.priority)
	})
}

// rule finds a rule by ARN.
func (s *State) rule(arn *string) (*rule, error) {
	if aws.ToString(arn) == "" {
		return nil, invalid("A rule ARN must be specified")
	}
	if !strings.Contains(*arn, ":listener-rule/") {
		return nil, invalid("'%s' is not a valid listener rule ARN", *arn)
	}
	r, ok := s.rules.Get(*arn)
	if !ok {
		return nil, noRule(*arn)
	}
	return r, nil
}

func (s *State) describeRules(in *sdk.DescribeRulesInput) (*sdk.DescribeRulesOutput, error) {
	if (in.ListenerArn == nil) == (in.RuleArns == nil) {
		return nil, invalid("You must specify either listener rule ARNs or a listener ARN")
	}
	all, err := named(in.RuleArns, s.rule)
	if err != nil {
		return nil, err
	}
	if in.ListenerArn != nil {
		l, err := s.listener(in.ListenerArn)
		if err != nil {
			return nil, err
		}
		all = l.rules
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeRulesOutput{Rules: view(some, func(r *rule) elbtypes.Rule { return r.Rule }), NextMarker: next}, nil
}

func (s *State) modifyRule(in *sdk.ModifyRuleInput) (*sdk.ModifyRuleOutput, error) {
	r, err := s.rule(in.RuleArn)
	if err != nil {
		return nil, err
	}
	reset := aws.ToBool(in.ResetTransforms)
	if in.Conditions == nil && in.Actions == nil && in.Transforms == nil && !reset {
		return nil, invalid("Either conditions or actions must be specified")
	}
	if aws.ToBool(r.IsDefault) {
		return nil, wire.Errorf("OperationNotPermitted", "Default rule '%s' cannot be modified", *r.RuleArn)
	}
	if in.Transforms != nil && reset {
		return nil, invalid("Transforms cannot be specified together with ResetTransforms")
	}
	fresh := *r
	if err := s.changeRule(&fresh, in); err != nil {
		return nil, err
	}
	if reset {
		fresh.Transforms = []elbtypes.RuleTransform{}
	}
	if err := s.relink(r.listener.balancer, r.Actions, fresh.Actions); err != nil {
		return nil, err
	}
	*r = fresh
	return &sdk.ModifyRuleOutput{Rules: []elbtypes.Rule{r.Rule}}, nil
}

// changeRule applies a request to a copy of a rule.
func (s *State) changeRule(fresh *rule, in *sdk.ModifyRuleInput) error {
	var err error
	if in.Conditions != nil {
		if fresh.Conditions, err = readConditions(fresh.listener.balancer, in.Conditions); err != nil {
			return err
		}
	}
	if in.Actions != nil {
		if fresh.Actions, fresh.secrets, err = s.readActions(fresh.listener, in.Actions, fresh.secrets); err != nil {
			return err
		}
	}
	if in.Transforms == nil {
		return nil
	}
	fresh.Transforms = in.Transforms
	return checkTransforms(fresh.listener.balancer, in.Transforms)
}

func (s *State) deleteRule(in *sdk.DeleteRuleInput) (*sdk.DeleteRuleOutput, error) {
	r, err := s.rule(in.RuleArn)
	if err != nil {
		return nil, err
	}
	if aws.ToBool(r.IsDefault) {
		return nil, wire.Errorf("OperationNotPermitted", "Default rule '%s' cannot be deleted", *r.RuleArn)
	}
	s.unlink(r.listener.balancer, r.Actions)
	r.listener.rules = slices.DeleteFunc(slices.Clone(r.listener.rules), func(x *rule) bool { return x == r })
	s.rules.Delete(*r.RuleArn)
	delete(s.tags, *r.RuleArn)
	return &sdk.DeleteRuleOutput{}, nil
}

// setRulePriorities moves rules all at once: only the final arrangement must be free of conflicts.
func (s *State) setRulePriorities(in *sdk.SetRulePrioritiesInput) (*sdk.SetRulePrioritiesOutput, error) {
	if len(in.RulePriorities) == 0 {
		return nil, invalid("At least one rule priority must be specified")
	}
	moved := map[*rule]int32{}
	var order []*rule
	for _, pair := range in.RulePriorities {
		r, err := s.rule(pair.RuleArn)
		if err != nil {
			return nil, err
		}
		if err := checkMove(r, pair.Priority, moved); err != nil {
			return nil, err
		}
		if r.listener != order0(order, r).listener {
			return nil, invalid("All rules must belong to the same listener")
		}
		moved[r] = *pair.Priority
		order = append(order, r)
	}
	for _, other := range order[0].listener.rules {
		if _, moves := moved[other]; moves || aws.ToBool(other.IsDefault) {
			continue
		}
		for _, p := range moved {
			if p == other.priority {
				return nil, priorityInUse(p)
			}
		}
	}
	for r, p := range moved {
		r.priority, r.Priority = p, aws.String(strconv.Itoa(int(p)))
	}
	l := order[0].listener
	l.rules = slices.Clone(l.rules)
	l.sortRules()
	return &sdk.SetRulePrioritiesOutput{Rules: view(order, func(r *rule) elbtypes.Rule { return r.Rule })}, nil
}

func order0(order []*rule, fallback *rule) *rule {
	if len(order) == 0 {
		return fallback
	}
	return order[0]
}

func checkMove(r *rule, priority *int32, moved map[*rule]int32) error {
	if err := checkPriority(priority); err != nil {
		return err
	}
	if aws.ToBool(r.IsDefault) {
		return wire.Errorf("OperationNotPermitted", "The priority of default rule '%s' cannot be changed", *r.RuleArn)
	}
	if _, twice := moved[r]; twice {
		return invalid("Rule '%s' was provided multiple times", *r.RuleArn)
	}
	for _, p := range moved {
		if p == *priority {
			return invalid("Priority '%d' was provided multiple times", p)
		}
	}
	return nil
}
