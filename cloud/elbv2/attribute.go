package elbv2

import (
	"context"
	"maps"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// attributeLimit is how many attributes one call may change.
const attributeLimit = 20

// Attributes are all attributes of a load balancer, target group or listener.
func (c *Client) Attributes(ctx context.Context, kind model.Kind, arn model.ARN) (map[string]string, error) {
	what := "attributes of " + string(arn)
	switch kind {
	case model.KindLoadBalancer:
		got, err := c.api.DescribeLoadBalancerAttributes(ctx,
			&elasticloadbalancingv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: aws.String(string(arn))})
		if err != nil {
			return nil, reading(what, err)
		}
		return values(got.Attributes, balancerPair), nil
	case model.KindTargetGroup:
		got, err := c.api.DescribeTargetGroupAttributes(ctx,
			&elasticloadbalancingv2.DescribeTargetGroupAttributesInput{TargetGroupArn: aws.String(string(arn))})
		if err != nil {
			return nil, reading(what, err)
		}
		return values(got.Attributes, groupPair), nil
	default:
		got, err := c.api.DescribeListenerAttributes(ctx,
			&elasticloadbalancingv2.DescribeListenerAttributesInput{ListenerArn: aws.String(string(arn))})
		if err != nil {
			return nil, reading(what, err)
		}
		return values(got.Attributes, listenerPair), nil
	}
}

// SetAttributes sets attributes of a load balancer, target group or listener; the others stay. It is one call for every twenty. It
// returns the attributes that AWS answers with.
func (c *Client) SetAttributes(ctx context.Context, kind model.Kind, arn model.ARN, attributes map[string]string) (map[string]string, error) {
	out := map[string]string{}
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(attributes)), attributeLimit) {
		some := make(map[string]string, len(keys))
		for _, k := range keys {
			some[k] = attributes[k]
		}
		got, err := c.setAttributes(ctx, kind, arn, some)
		if err != nil {
			return nil, err
		}
		maps.Copy(out, some)
		maps.Copy(out, got)
	}
	return out, nil
}

// setAttributes is one call.
func (c *Client) setAttributes(ctx context.Context, kind model.Kind, arn model.ARN, attributes map[string]string) (map[string]string, error) {
	what := "setting attributes of " + string(arn)
	switch kind {
	case model.KindLoadBalancer:
		got, err := c.api.ModifyLoadBalancerAttributes(ctx, &elasticloadbalancingv2.ModifyLoadBalancerAttributesInput{
			LoadBalancerArn: aws.String(string(arn)),
			Attributes: pairs(attributes, func(k, v *string) types.LoadBalancerAttribute {
				return types.LoadBalancerAttribute{Key: k, Value: v}
			}),
		})
		if err != nil {
			return nil, writing(what, err)
		}
		return values(got.Attributes, balancerPair), nil
	case model.KindTargetGroup:
		got, err := c.api.ModifyTargetGroupAttributes(ctx, &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{
			TargetGroupArn: aws.String(string(arn)),
			Attributes: pairs(attributes, func(k, v *string) types.TargetGroupAttribute {
				return types.TargetGroupAttribute{Key: k, Value: v}
			}),
		})
		if err != nil {
			return nil, writing(what, err)
		}
		return values(got.Attributes, groupPair), nil
	default:
		got, err := c.api.ModifyListenerAttributes(ctx, &elasticloadbalancingv2.ModifyListenerAttributesInput{
			ListenerArn: aws.String(string(arn)),
			Attributes: pairs(attributes, func(k, v *string) types.ListenerAttribute {
				return types.ListenerAttribute{Key: k, Value: v}
			}),
		})
		if err != nil {
			return nil, writing(what, err)
		}
		return values(got.Attributes, listenerPair), nil
	}
}

func balancerPair(a types.LoadBalancerAttribute) (key, value *string) { return a.Key, a.Value }

func groupPair(a types.TargetGroupAttribute) (key, value *string) { return a.Key, a.Value }

func listenerPair(a types.ListenerAttribute) (key, value *string) { return a.Key, a.Value }

// values are attributes by key, read from the API's form.
func values[T any](in []T, pair func(T) (key, value *string)) map[string]string {
	out := make(map[string]string, len(in))
	for _, a := range in {
		key, value := pair(a)
		out[aws.ToString(key)] = aws.ToString(value)
	}
	return out
}

// pairs are attributes in the API's form, by key.
func pairs[T any](attributes map[string]string, pair func(key, value *string) T) []T {
	out := make([]T, 0, len(attributes))
	for _, k := range slices.Sorted(maps.Keys(attributes)) {
		out = append(out, pair(aws.String(k), aws.String(attributes[k])))
	}
	return out
}
