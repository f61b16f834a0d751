package elbv2

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
)

func TestConditionsSurviveTheWire(t *testing.T) {
	tests := []model.Condition{
		{Field: model.FieldHost, Values: []string{"a.example", "*.b.example"}},
		{Field: model.FieldHost, Regex: []string{`^a\.example(:[0-9]+)?$`}},
		{Field: model.FieldPath, Values: []string{"/a", "/a/*"}},
		{Field: model.FieldPath, Regex: []string{"^/a.*$"}},
		{Field: model.FieldHeader, Header: "X-Canary", Values: []string{"always"}},
		{Field: model.FieldHeader, Header: "X-Canary", Regex: []string{"^a"}},
		{Field: model.FieldMethod, Values: []string{"GET"}},
		{Field: model.FieldSourceIP, Values: []string{"10.0.0.0/8"}},
		{Field: model.FieldQuery, Query: []model.QueryPair{{Key: "v", Value: "1"}, {Value: "any"}}},
	}
	for _, want := range tests {
		t.Run(want.Field, func(t *testing.T) {
			got := readConditions(WriteConditions([]model.Condition{want}))
			if diff := cmp.Diff([]model.Condition{want}, got); diff != "" {
				t.Errorf("written and read again it differs (-want +got):\n%s", diff)
			}
		})
	}
}

func TestConditionsReadOldAndNewEncoding(t *testing.T) {
	want := model.Condition{Field: model.FieldHost, Values: []string{"a.example"}}
	tests := []struct {
		name string
		in   types.RuleCondition
		why  string
	}{
		{"plain", types.RuleCondition{Field: aws.String("host-header"), Values: []string{"a.example"}}, "older callers write only values"},
		{"config", types.RuleCondition{Field: aws.String("host-header"),
			HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"a.example"}}}, "AWS may leave the old list out"},
		{"both", types.RuleCondition{Field: aws.String("host-header"), Values: []string{"a.example"},
			HostHeaderConfig: &types.HostHeaderConditionConfig{Values: []string{"a.example"}}}, "AWS returns both for hosts and paths"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(want, readCondition(tt.in)); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
		})
	}
}

func TestActionsReadEveryEncoding(t *testing.T) {
	one := model.Action{Type: "forward", Forward: &model.Forward{Groups: []model.WeightedGroup{{ARN: "tg", Weight: 1}}}}
	tests := []struct {
		name string
		in   types.Action
		want model.Action
		why  string
	}{
		{"lone ARN", types.Action{Type: "forward", TargetGroupArn: aws.String("tg")}, one, "older callers write only the ARN"},
		{"config", types.Action{Type: "forward", TargetGroupArn: aws.String("tg"), ForwardConfig: &types.ForwardActionConfig{
			TargetGroups:                []types.TargetGroupTuple{{TargetGroupArn: aws.String("tg"), Weight: aws.Int32(1)}},
			TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: aws.Bool(false)},
		}}, one, "AWS returns both, and says that nothing is sticky"},
		{"sticky", types.Action{Type: "forward", ForwardConfig: &types.ForwardActionConfig{
			TargetGroups: []types.TargetGroupTuple{
				{TargetGroupArn: aws.String("b"), Weight: aws.Int32(0)}, {TargetGroupArn: aws.String("a"), Weight: aws.Int32(9)},
			},
			TargetGroupStickinessConfig: &types.TargetGroupStickinessConfig{Enabled: aws.Bool(true), DurationSeconds: aws.Int32(60)},
		}}, model.Action{Type: "forward", Forward: &model.Forward{
			Groups: []model.WeightedGroup{{ARN: "a", Weight: 9}, {ARN: "b"}}, StickySeconds: 60,
		}}, "groups are a set"},
		{"redirect", types.Action{Type: "redirect", RedirectConfig: &types.RedirectActionConfig{
			Protocol: aws.String("HTTPS"), StatusCode: "HTTP_301",
		}}, model.Action{Type: "redirect", Redirect: &model.Redirect{
			Protocol: "HTTPS", Host: "#{host}", Port: "#{port}", Path: "/#{path}", Query: "#{query}", StatusCode: "HTTP_301",
		}}, "what is left out is kept as it was asked for"},
		{"redirect without query", types.Action{Type: "redirect", RedirectConfig: &types.RedirectActionConfig{
			Query: aws.String(""), StatusCode: "HTTP_302",
		}}, model.Action{Type: "redirect", Redirect: &model.Redirect{
			Protocol: "#{protocol}", Host: "#{host}", Port: "#{port}", Path: "/#{path}", Query: "", StatusCode: "HTTP_302",
		}}, "an empty query is a query that is dropped"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff([]model.Action{tt.want}, readActions([]types.Action{tt.in})); diff != "" {
				t.Errorf("%s (-want +got):\n%s", tt.why, diff)
			}
		})
	}
}

func TestTransformsSurviveTheWire(t *testing.T) {
	want := []model.Transform{
		{Type: "host-header-rewrite", Regex: "^.*$", Replace: "inner.example"},
		{Type: "url-rewrite", Regex: "^/a", Replace: "/b"},
	}
	if diff := cmp.Diff(want, readTransforms(writeTransforms(want))); diff != "" {
		t.Errorf("written and read again they differ (-want +got):\n%s", diff)
	}
}

func TestActionsKeepTheirOrder(t *testing.T) {
	in := []types.Action{{Type: "forward", Order: aws.Int32(2), TargetGroupArn: aws.String("tg")}, {Type: "authenticate-oidc", Order: aws.Int32(1)}}
	got := readActions(in)
	if got[0].Type != "authenticate-oidc" || got[1].Type != "forward" {
		t.Errorf("actions come as %s, %s: their order is AWS's number, not their place", got[0].Type, got[1].Type)
	}
}
