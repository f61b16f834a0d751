package elbv2

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// Capacity is how many capacity units are reserved for a load balancer, in digits; empty where none are.
func (c *Client) Capacity(ctx context.Context, arn model.ARN) (string, error) {
	got, err := c.api.DescribeCapacityReservation(ctx, &elasticloadbalancingv2.DescribeCapacityReservationInput{LoadBalancerArn: aws.String(string(arn))})
	if err != nil {
		return "", reading("the capacity of "+string(arn), err)
	}
	if m := got.MinimumLoadBalancerCapacity; m != nil && aws.ToInt32(m.CapacityUnits) > 0 {
		return strconv.Itoa(int(*m.CapacityUnits)), nil
	}
	return "", nil
}

// SetCapacity reserves capacity units, in digits, for a load balancer; empty gives all back. It is asked for once: AWS does one request
// after the other, each of which takes minutes.
func (c *Client) SetCapacity(ctx context.Context, arn model.ARN, units string) error {
	in := &elasticloadbalancingv2.ModifyCapacityReservationInput{LoadBalancerArn: aws.String(string(arn))}
	if units == "" {
		in.ResetCapacityReservation = aws.Bool(true)
	} else {
		n, err := strconv.ParseInt(units, 10, 32)
		if err != nil {
			return fmt.Errorf("capacity units: %w", err)
		}
		in.MinimumLoadBalancerCapacity = &types.MinimumLoadBalancerCapacity{CapacityUnits: aws.Int32(int32(n))}
	}
	_, err := c.api.ModifyCapacityReservation(ctx, in, func(o *elasticloadbalancingv2.Options) { o.Retryer = aws.NopRetryer{} })
	if err != nil {
		return writing("reserving capacity for "+string(arn), err)
	}
	return nil
}

// SetIPPool has the public IPv4 addresses of a load balancer come from a pool; empty has them come from AWS's again.
func (c *Client) SetIPPool(ctx context.Context, arn model.ARN, pool string) error {
	in := &elasticloadbalancingv2.ModifyIpPoolsInput{LoadBalancerArn: aws.String(string(arn)), IpamPools: ipamPools(pool)}
	if pool == "" {
		in.RemoveIpamPools = []types.RemoveIpamPoolEnum{types.RemoveIpamPoolEnumIpv4}
	}
	if _, err := c.api.ModifyIpPools(ctx, in); err != nil {
		return writing("setting the IP pool of "+string(arn), err)
	}
	return nil
}

func ipamPools(pool string) *types.IpamPools {
	if pool == "" {
		return nil
	}
	return &types.IpamPools{Ipv4IpamPoolId: aws.String(pool)}
}

// readPools reads the pools that addresses of a load balancer come from.
func readPools(in types.LoadBalancer, lb *model.LoadBalancer) {
	lb.CustomerOwnedPool = aws.ToString(in.CustomerOwnedIpv4Pool)
	if in.IpamPools != nil {
		lb.Addons = model.WithAddon(nil, model.AddonIPAMPool, aws.ToString(in.IpamPools.Ipv4IpamPoolId))
	}
}
