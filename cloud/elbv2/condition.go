package elbv2

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// WriteConditions puts conditions into the shapes of the API.
func WriteConditions(in []model.Condition) []types.RuleCondition {
	out := make([]types.RuleCondition, len(in))
	for i, c := range in {
		out[i] = writeCondition(c)
	}
	return out
}

func writeCondition(c model.Condition) types.RuleCondition {
	out := types.RuleCondition{Field: aws.String(c.Field)}
	switch c.Field {
	case model.FieldHost:
		out.HostHeaderConfig = &types.HostHeaderConditionConfig{Values: c.Values, RegexValues: c.Regex}
	case model.FieldPath:
		out.PathPatternConfig = &types.PathPatternConditionConfig{Values: c.Values, RegexValues: c.Regex}
	case model.FieldHeader:
		out.HttpHeaderConfig = &types.HttpHeaderConditionConfig{
			HttpHeaderName: aws.String(c.Header), Values: c.Values, RegexValues: c.Regex,
		}
	case model.FieldMethod:
		out.HttpRequestMethodConfig = &types.HttpRequestMethodConditionConfig{Values: c.Values}
	case model.FieldSourceIP:
		out.SourceIpConfig = &types.SourceIpConditionConfig{Values: c.Values}
	case model.FieldQuery:
		pairs := make([]types.QueryStringKeyValuePair, len(c.Query))
		for i, q := range c.Query {
			pairs[i] = types.QueryStringKeyValuePair{Key: optional(q.Key), Value: aws.String(q.Value)}
		}
		out.QueryStringConfig = &types.QueryStringConditionConfig{Values: pairs}
	}
	return out
}

func readConditions(in []types.RuleCondition) []model.Condition {
	out := make([]model.Condition, len(in))
	for i, c := range in {
		out[i] = readCondition(c)
	}
	return out
}

// readCondition reads both of AWS's encodings: the plain lists that every field had first, and the config of the field, which
// AWS returns besides for hosts and paths and alone for the others.
func readCondition(c types.RuleCondition) model.Condition {
	out := model.Condition{Field: aws.ToString(c.Field), Values: c.Values, Regex: c.RegexValues}
	prefer := func(values, regex []string) {
		if len(values) > 0 {
			out.Values = values
		}
		if len(regex) > 0 {
			out.Regex = regex
		}
	}
	switch {
	case c.HostHeaderConfig != nil:
		prefer(c.HostHeaderConfig.Values, c.HostHeaderConfig.RegexValues)
	case c.PathPatternConfig != nil:
		prefer(c.PathPatternConfig.Values, c.PathPatternConfig.RegexValues)
	case c.HttpHeaderConfig != nil:
		out.Header = aws.ToString(c.HttpHeaderConfig.HttpHeaderName)
		prefer(c.HttpHeaderConfig.Values, c.HttpHeaderConfig.RegexValues)
	case c.HttpRequestMethodConfig != nil:
		prefer(c.HttpRequestMethodConfig.Values, nil)
	case c.SourceIpConfig != nil:
		prefer(c.SourceIpConfig.Values, nil)
	case c.QueryStringConfig != nil:
		for _, pair := range c.QueryStringConfig.Values {
			out.Query = append(out.Query, model.QueryPair{Key: aws.ToString(pair.Key), Value: aws.ToString(pair.Value)})
		}
	}
	return out
}

func writeTransforms(in []model.Transform) []types.RuleTransform {
	var out []types.RuleTransform
	for _, t := range in {
		rewrite := []types.RewriteConfig{{Regex: aws.String(t.Regex), Replace: aws.String(t.Replace)}}
		one := types.RuleTransform{Type: types.TransformTypeEnum(t.Type)}
		if one.Type == types.TransformTypeEnumHostHeaderRewrite {
			one.HostHeaderRewriteConfig = &types.HostHeaderRewriteConfig{Rewrites: rewrite}
		} else {
			one.UrlRewriteConfig = &types.UrlRewriteConfig{Rewrites: rewrite}
		}
		out = append(out, one)
	}
	return out
}

func readTransforms(in []types.RuleTransform) []model.Transform {
	var out []model.Transform
	for _, t := range in {
		var rewrites []types.RewriteConfig
		if t.HostHeaderRewriteConfig != nil {
			rewrites = append(rewrites, t.HostHeaderRewriteConfig.Rewrites...)
		}
		if t.UrlRewriteConfig != nil {
			rewrites = append(rewrites, t.UrlRewriteConfig.Rewrites...)
		}
		for _, r := range rewrites {
			out = append(out, model.Transform{Type: string(t.Type), Regex: aws.ToString(r.Regex), Replace: aws.ToString(r.Replace)})
		}
	}
	return out
}
