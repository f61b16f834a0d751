package elbv2

import (
	"context"
	"errors"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

var errEmpty = errors.New("the answer is empty")

// everywhere is the zone of a target outside the VPC.
const everywhere = "all"

// targetLimit is how many targets go into one call.
const targetLimit = 200

// Register puts targets into a group, two hundred a call; one that is there already changes nothing. Where a quota has no room for all, as
// many are put in as it has room for, and the error says so.
func (c *Client) Register(ctx context.Context, group model.ARN, targets []model.Target) error {
	for some := range slices.Chunk(targets, targetLimit) {
		if err := c.register(ctx, group, some); err != nil {
			return err
		}
	}
	return nil
}

// register halves what AWS refuses whole for a quota.
func (c *Client) register(ctx context.Context, group model.ARN, some []model.Target) error {
	_, err := c.api.RegisterTargets(ctx, &elasticloadbalancingv2.RegisterTargetsInput{
		TargetGroupArn: aws.String(string(group)), Targets: describe(some),
	})
	if err == nil {
		return nil
	}
	err = writing("registering targets of "+string(group), err)
	if fault.Of(err) != fault.Quota || len(some) == 1 {
		return err
	}
	half := len(some) / 2
	if less := c.register(ctx, group, some[:half]); less != nil {
		return less
	}
	return c.register(ctx, group, some[half:])
}

// Deregister takes targets out of a group, two hundred a call; one that is not there changes nothing.
func (c *Client) Deregister(ctx context.Context, group model.ARN, targets []model.Target) error {
	for some := range slices.Chunk(targets, targetLimit) {
		_, err := c.api.DeregisterTargets(ctx, &elasticloadbalancingv2.DeregisterTargetsInput{
			TargetGroupArn: aws.String(string(group)), Targets: describe(some),
		})
		if err != nil {
			return writing("deregistering targets of "+string(group), err)
		}
	}
	return nil
}

// Health is the health of all targets of a group.
func (c *Client) Health(ctx context.Context, group model.ARN) ([]model.TargetHealth, error) {
	got, err := c.api.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: aws.String(string(group))})
	if err != nil {
		return nil, reading("target health of "+string(group), err)
	}
	out := make([]model.TargetHealth, 0, len(got.TargetHealthDescriptions))
	for _, d := range got.TargetHealthDescriptions {
		out = append(out, readHealth(d))
	}
	return out, nil
}

func describe(targets []model.Target) []types.TargetDescription {
	out := make([]types.TargetDescription, len(targets))
	for i, t := range targets {
		out[i] = types.TargetDescription{Id: aws.String(t.ID), Port: positive(t.Port), AvailabilityZone: optional(t.Zone)}
	}
	return out
}

func readHealth(d types.TargetHealthDescription) model.TargetHealth {
	var out model.TargetHealth
	if t := d.Target; t != nil {
		out.Target = model.Target{ID: aws.ToString(t.Id), Port: int(aws.ToInt32(t.Port))}
		if zone := aws.ToString(t.AvailabilityZone); zone == everywhere {
			out.Target.Zone = zone // AWS fills the zone of an address in the VPC in: that is no part of what was registered
		}
	}
	if h := d.TargetHealth; h != nil {
		out.State, out.Reason, out.Description = string(h.State), string(h.Reason), aws.ToString(h.Description)
	}
	return out
}
