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
	out := map[string]string{}
	put := func(key, value *string) { out[aws.ToString(key)] = aws.ToString(value) }
	var err error
	switch kind {
	case model.KindLoadBalancer:
		var got *elasticloadbalancingv2.DescribeLoadBalancerAttributesOutput
		got, err = c.api.DescribeLoadBalancerAttributes(ctx,
			&elasticloadbalancingv2.DescribeLoadBalancerAttributesInput{LoadBalancerArn: aws.String(string(arn))})
		if err == nil {
			for _, a := range got.Attributes {
				put(a.Key, a.Value)
			}
		}
	case model.KindTargetGroup:
		var got *elasticloadbalancingv2.DescribeTargetGroupAttributesOutput
		got, err = c.api.DescribeTargetGroupAttributes(ctx,
			&elasticloadbalancingv2.DescribeTargetGroupAttributesInput{TargetGroupArn: aws.String(string(arn))})
		if err == nil {
			for _, a := range got.Attributes {
				put(a.Key, a.Value)
			}
		}
	default:
		var got *elasticloadbalancingv2.DescribeListenerAttributesOutput
		got, err = c.api.DescribeListenerAttributes(ctx,
			&elasticloadbalancingv2.DescribeListenerAttributesInput{ListenerArn: aws.String(string(arn))})
		if err == nil {
			for _, a := range got.Attributes {
				put(a.Key, a.Value)
			}
		}
	}
	if err != nil {
		return nil, reading("attributes of "+string(arn), err)
	}
	return out, nil
}

// SetAttributes sets attributes of a load balancer, target group or listener; the others stay. It is one call for every twenty.
func (c *Client) SetAttributes(ctx context.Context, kind model.Kind, arn model.ARN, attributes map[string]string) error {
	for keys := range slices.Chunk(slices.Sorted(maps.Keys(attributes)), attributeLimit) {
		if err := c.setAttributes(ctx, kind, arn, keys, attributes); err != nil {
			return err
		}
	}
	return nil
}

func (c *Client) setAttributes(ctx context.Context, kind model.Kind, arn model.ARN, keys []string, values map[string]string) error {
	var err error
	switch kind {
	case model.KindLoadBalancer:
		in := &elasticloadbalancingv2.ModifyLoadBalancerAttributesInput{LoadBalancerArn: aws.String(string(arn))}
		for _, k := range keys {
			in.Attributes = append(in.Attributes, types.LoadBalancerAttribute{Key: aws.String(k), Value: aws.String(values[k])})
		}
		_, err = c.api.ModifyLoadBalancerAttributes(ctx, in)
	case model.KindTargetGroup:
		in := &elasticloadbalancingv2.ModifyTargetGroupAttributesInput{TargetGroupArn: aws.String(string(arn))}
		for _, k := range keys {
			in.Attributes = append(in.Attributes, types.TargetGroupAttribute{Key: aws.String(k), Value: aws.String(values[k])})
		}
		_, err = c.api.ModifyTargetGroupAttributes(ctx, in)
	default:
		in := &elasticloadbalancingv2.ModifyListenerAttributesInput{ListenerArn: aws.String(string(arn))}
		for _, k := range keys {
			in.Attributes = append(in.Attributes, types.ListenerAttribute{Key: aws.String(k), Value: aws.String(values[k])})
		}
		_, err = c.api.ModifyListenerAttributes(ctx, in)
	}
	if err != nil {
		return writing("setting attributes of "+string(arn), err)
	}
	return nil
}
