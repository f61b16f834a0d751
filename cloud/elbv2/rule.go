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
		for _, r := range page.Rules {
			if !aws.ToBool(r.IsDefault) {
				out = append(out, readRule(r))
			}
		}
	}
	slices.SortStableFunc(out, func(a, b model.Rule) int { return cmp.Compare(a.Priority, b.Priority) })
	return out, nil
}

// CreateRule makes r on a listener with a priority. AWS refuses a priority that is taken, whatever rule has it.
func (c *Client) CreateRule(ctx context.Context, listener model.ARN, r model.Rule, priority int) (model.ARN, error) {
	out, err := c.api.CreateRule(ctx, &elasticloadbalancingv2.CreateRuleInput{
		ListenerArn: aws.String(string(listener)),
		Priority:    number(priority),
		Conditions:  writeConditions(r.Conditions),
		Actions:     writeActions(r.Actions),
		Transforms:  writeTransforms(r.Transforms),
		Tags:        tagsOf(r.Tags),
	}, once)
	if err != nil {
		return "", writing("creating rule "+strconv.Itoa(priority)+" of "+string(listener), err)
	}
	if len(out.Rules) == 0 {
		return "", writing("creating rule "+strconv.Itoa(priority)+" of "+string(listener), absent("CreateRule"))
	}
	return model.ARN(aws.ToString(out.Rules[0].RuleArn)), nil
}

// ModifyRule makes conditions, actions and transforms of the rule arn those of r, in one step.
func (c *Client) ModifyRule(ctx context.Context, arn model.ARN, r model.Rule) error {
	in := &elasticloadbalancingv2.ModifyRuleInput{
		RuleArn:    aws.String(string(arn)),
		Conditions: writeConditions(r.Conditions),
		Actions:    writeActions(r.Actions),
		Transforms: writeTransforms(r.Transforms),
	}
	if len(r.Transforms) == 0 {
		in.ResetTransforms = aws.Bool(true)
	}
	if _, err := c.api.ModifyRule(ctx, in); err != nil {
		return writing("modifying "+string(arn), err)
	}
	return nil
}

// SetPriorities moves rules, all at once.
func (c *Client) SetPriorities(ctx context.Context, priorities map[model.ARN]int) error {
	in := &elasticloadbalancingv2.SetRulePrioritiesInput{}
	for arn, priority := range priorities {
		in.RulePriorities = append(in.RulePriorities, types.RulePriorityPair{RuleArn: aws.String(string(arn)), Priority: number(priority)})
	}
	slices.SortFunc(in.RulePriorities, func(a, b types.RulePriorityPair) int { return cmp.Compare(*a.Priority, *b.Priority) })
	if _, err := c.api.SetRulePriorities(ctx, in); err != nil {
		return writing("setting rule priorities", err)
	}
	return nil
}

// DeleteRule deletes a rule.
func (c *Client) DeleteRule(ctx context.Context, arn model.ARN) error {
	if _, err := c.api.DeleteRule(ctx, &elasticloadbalancingv2.DeleteRuleInput{RuleArn: aws.String(string(arn))}); err != nil {
		return writing("deleting "+string(arn), err)
	}
	return nil
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
