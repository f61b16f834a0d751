package elbv2

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// Rules are the rules of a listener in the order of evaluation, without the default rule and without tags.
func (c *Client) Rules(ctx context.Context, listener model.ARN) ([]model.Rule, error) {
	pages := elasticloadbalancingv2.NewDescribeRulesPaginator(c.api, &elasticloadbalancingv2.DescribeRulesInput{
		ListenerArn: aws.String(string(listener)), PageSize: number(pageSize),
	})
	var out []model.Rule
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("rules of "+string(listener), err)
		}
		out = append(out, readRules(page.Rules)...)
	}
	SortRules(out)
	return out, nil
}

// CreateRule makes r on a listener with its priority. AWS refuses a priority that is taken, whatever rule has it.
func (c *Client) CreateRule(ctx context.Context, listener model.ARN, r model.Rule) (model.Rule, error) {
	what := "creating rule " + strconv.Itoa(r.Priority) + " of " + string(listener)
	out, err := c.api.CreateRule(ctx, &elasticloadbalancingv2.CreateRuleInput{
		ListenerArn: aws.String(string(listener)),
		Priority:    number(r.Priority),
		Conditions:  WriteConditions(r.Conditions),
		Actions:     withSecrets(ctx, writeActions(r.Actions)),
		Transforms:  writeTransforms(r.Transforms),
		Tags:        tagsOf(r.Tags),
	}, once)
	if err != nil {
		return model.Rule{}, writing(what, err)
	}
	if len(out.Rules) == 0 {
		return model.Rule{}, writing(what, absent("CreateRule"))
	}
	return readRule(out.Rules[0]), nil
}

// ModifyRule makes conditions, actions and transforms of the rule arn those of r, in one step. It returns the rules that AWS answers
// with.
func (c *Client) ModifyRule(ctx context.Context, arn model.ARN, r model.Rule) ([]model.Rule, error) {
	in := &elasticloadbalancingv2.ModifyRuleInput{
		RuleArn:    aws.String(string(arn)),
		Conditions: WriteConditions(r.Conditions),
		Actions:    withSecrets(ctx, writeActions(r.Actions)),
		Transforms: writeTransforms(r.Transforms),
	}
	if len(r.Transforms) == 0 {
		in.ResetTransforms = aws.Bool(true)
	}
	out, err := c.api.ModifyRule(ctx, in)
	if err != nil {
		return nil, writing("modifying "+string(arn), err)
	}
	return readRules(out.Rules), nil
}

// SetPriorities moves rules, all at once. It returns the rules that AWS answers with.
func (c *Client) SetPriorities(ctx context.Context, priorities map[model.ARN]int) ([]model.Rule, error) {
	in := &elasticloadbalancingv2.SetRulePrioritiesInput{}
	for arn, priority := range priorities {
		in.RulePriorities = append(in.RulePriorities, types.RulePriorityPair{RuleArn: aws.String(string(arn)), Priority: number(priority)})
	}
	slices.SortFunc(in.RulePriorities, func(a, b types.RulePriorityPair) int { return cmp.Compare(*a.Priority, *b.Priority) })
	out, err := c.api.SetRulePriorities(ctx, in)
	if err != nil {
		return nil, writing("setting rule priorities", err)
	}
	return readRules(out.Rules), nil
}

// DeleteRule deletes a rule.
func (c *Client) DeleteRule(ctx context.Context, arn model.ARN) error {
	if _, err := c.api.DeleteRule(ctx, &elasticloadbalancingv2.DeleteRuleInput{RuleArn: aws.String(string(arn))}); err != nil {
		return writing("deleting "+string(arn), err)
	}
	return nil
}

// SortRules puts rules into the order of evaluation.
func SortRules(rules []model.Rule) {
	slices.SortStableFunc(rules, func(a, b model.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
}

// readRules leaves the default rule out.
func readRules(in []types.Rule) []model.Rule {
	var out []model.Rule
	for _, r := range in {
		if !aws.ToBool(r.IsDefault) {
			out = append(out, readRule(r))
		}
	}
	return out
}

func readRule(in types.Rule) model.Rule {
	priority, err := strconv.Atoi(aws.ToString(in.Priority))
	if err != nil {
		priority = 0 // "default", which callers leave out
	}
	return model.NormalizeRule(model.Rule{
		ARN:        model.ARN(aws.ToString(in.RuleArn)),
		Priority:   priority,
		Conditions: readConditions(in.Conditions),
		Actions:    readActions(in.Actions),
		Transforms: readTransforms(in.Transforms),
	})
}
