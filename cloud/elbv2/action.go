package elbv2

import (
	"cmp"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// writeActions writes actions in their order. Secrets of clients come by [WithSecret].
func writeActions(in []model.Action) []types.Action {
	out := make([]types.Action, len(in))
	for i, a := range in {
		out[i] = writeAction(a)
		if len(in) > 1 {
			out[i].Order = number(i + 1)
		}
	}
	return out
}

func writeAction(a model.Action) types.Action {
	out := types.Action{Type: types.ActionTypeEnum(a.Type)}
	switch {
	case a.Forward != nil:
		out.ForwardConfig = writeForward(*a.Forward)
	case a.Redirect != nil:
		r := a.Redirect
		out.RedirectConfig = &types.RedirectActionConfig{
			Protocol: optional(r.Protocol), Host: optional(r.Host), Port: optional(r.Port), Path: optional(r.Path),
			Query: aws.String(r.Query), StatusCode: types.RedirectActionStatusCodeEnum(r.StatusCode),
		}
	case a.FixedResponse != nil:
		f := a.FixedResponse
		out.FixedResponseConfig = &types.FixedResponseActionConfig{
			StatusCode: aws.String(f.StatusCode), ContentType: optional(f.ContentType), MessageBody: optional(f.Body),
		}
	default:
		writeGuard(&out, a)
	}
	return out
}

func writeForward(f model.Forward) *types.ForwardActionConfig {
	out := &types.ForwardActionConfig{}
	for _, g := range f.Groups {
		out.TargetGroups = append(out.TargetGroups, types.TargetGroupTuple{
			TargetGroupArn: aws.String(string(g.ARN)), Weight: number(g.Weight),
		})
	}
	if f.StickySeconds > 0 {
		out.TargetGroupStickinessConfig = &types.TargetGroupStickinessConfig{
			Enabled: aws.Bool(true), DurationSeconds: number(f.StickySeconds),
		}
	}
	return out
}

func readActions(in []types.Action) []model.Action {
	ordered := slices.SortedStableFunc(slices.Values(in), func(a, b types.Action) int {
		return cmp.Compare(aws.ToInt32(a.Order), aws.ToInt32(b.Order))
	})
	out := make([]model.Action, len(ordered))
	for i, a := range ordered {
		out[i] = readAction(a)
	}
	return out
}

func readAction(a types.Action) model.Action {
	out := model.Action{Type: string(a.Type)}
	switch {
	case a.Type == types.ActionTypeEnumForward:
		out.Forward = readForward(a)
	case a.RedirectConfig != nil:
		out.Redirect = readRedirect(*a.RedirectConfig)
	case a.FixedResponseConfig != nil:
		f := a.FixedResponseConfig
		out.FixedResponse = &model.FixedResponse{
			StatusCode: aws.ToString(f.StatusCode), ContentType: aws.ToString(f.ContentType), Body: aws.ToString(f.MessageBody),
		}
	default:
		readGuard(&out, a)
	}
	return out
}

// readForward reads a forward from its config, or from the lone ARN that older callers write. AWS says weight 1 for a lone group.
func readForward(a types.Action) *model.Forward {
	out := &model.Forward{}
	if a.ForwardConfig == nil || len(a.ForwardConfig.TargetGroups) == 0 {
		out.Groups = []model.WeightedGroup{{ARN: model.ARN(aws.ToString(a.TargetGroupArn)), Weight: 1}}
		return out
	}
	for _, g := range a.ForwardConfig.TargetGroups {
		weight := 1
		if g.Weight != nil {
			weight = int(*g.Weight)
		}
		out.Groups = append(out.Groups, model.WeightedGroup{ARN: model.ARN(aws.ToString(g.TargetGroupArn)), Weight: weight})
	}
	slices.SortFunc(out.Groups, func(a, b model.WeightedGroup) int { return cmp.Compare(a.ARN, b.ARN) })
	if s := a.ForwardConfig.TargetGroupStickinessConfig; s != nil && aws.ToBool(s.Enabled) {
		out.StickySeconds = int(aws.ToInt32(s.DurationSeconds))
	}
	return out
}

func readRedirect(r types.RedirectActionConfig) *model.Redirect {
	or := func(s *string, other string) string {
		if s == nil || *s == "" {
			return other
		}
		return *s
	}
	out := &model.Redirect{
		Protocol: or(r.Protocol, "#{protocol}"), Host: or(r.Host, "#{host}"), Port: or(r.Port, "#{port}"),
		Path: or(r.Path, "/#{path}"), Query: "#{query}", StatusCode: string(r.StatusCode),
	}
	if r.Query != nil {
		out.Query = *r.Query // an empty one is a query that is dropped
	}
	return out
}
