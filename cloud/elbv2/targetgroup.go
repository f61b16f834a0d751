package elbv2

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// TargetGroups are all target groups of the account and region, without attributes and tags.
func (c *Client) TargetGroups(ctx context.Context) ([]model.TargetGroup, error) {
	pages := elasticloadbalancingv2.NewDescribeTargetGroupsPaginator(c.api,
		&elasticloadbalancingv2.DescribeTargetGroupsInput{PageSize: number(pageSize)})
	var out []model.TargetGroup
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("target groups", err)
		}
		for _, g := range page.TargetGroups {
			out = append(out, readTargetGroup(g))
		}
	}
	return out, nil
}

// TargetGroupNamed reads the target group of a name.
func (c *Client) TargetGroupNamed(ctx context.Context, name string) (model.TargetGroup, error) {
	return c.targetGroup(ctx, name, &elasticloadbalancingv2.DescribeTargetGroupsInput{Names: []string{name}})
}

// TargetGroup reads the target group of an ARN.
func (c *Client) TargetGroup(ctx context.Context, arn model.ARN) (model.TargetGroup, error) {
	return c.targetGroup(ctx, string(arn), &elasticloadbalancingv2.DescribeTargetGroupsInput{TargetGroupArns: []string{string(arn)}})
}

func (c *Client) targetGroup(
	ctx context.Context, name string, which *elasticloadbalancingv2.DescribeTargetGroupsInput,
) (model.TargetGroup, error) {
	got, err := c.api.DescribeTargetGroups(ctx, which)
	if err != nil {
		return model.TargetGroup{}, reading("target group "+name, err)
	}
	if len(got.TargetGroups) == 0 {
		return model.TargetGroup{}, reading("target group "+name, absent("DescribeTargetGroups"))
	}
	return readTargetGroup(got.TargetGroups[0]), nil
}

// CreateTargetGroup makes g, or returns the one of that name that has the same settings: AWS does not say which.
func (c *Client) CreateTargetGroup(ctx context.Context, g model.TargetGroup) (model.TargetGroup, error) {
	h := g.HealthCheck
	in := &elasticloadbalancingv2.CreateTargetGroupInput{
		Name:                       aws.String(g.Name),
		TargetType:                 types.TargetTypeEnum(g.TargetType),
		Protocol:                   types.ProtocolEnum(g.Protocol),
		ProtocolVersion:            optional(g.ProtocolVersion),
		Port:                       number(g.Port),
		VpcId:                      aws.String(g.VPC),
		IpAddressType:              types.TargetGroupIpAddressTypeEnum(g.IPAddressType),
		HealthCheckEnabled:         aws.Bool(true),
		HealthCheckProtocol:        types.ProtocolEnum(h.Protocol),
		HealthCheckPort:            optional(h.Port),
		HealthCheckPath:            optional(h.Path),
		HealthCheckIntervalSeconds: positive(h.IntervalSeconds),
		HealthCheckTimeoutSeconds:  positive(h.TimeoutSeconds),
		HealthyThresholdCount:      positive(h.HealthyThreshold),
		UnhealthyThresholdCount:    positive(h.UnhealthyThreshold),
		TargetControlPort:          positive(g.ControlPort),
		Matcher:                    matcher(g),
		Tags:                       tagsOf(g.Tags),
	}
	out, err := c.api.CreateTargetGroup(ctx, in, once)
	if err != nil {
		return model.TargetGroup{}, writing("creating target group "+g.Name, err)
	}
	if len(out.TargetGroups) == 0 {
		return model.TargetGroup{}, writing("creating target group "+g.Name, absent("CreateTargetGroup"))
	}
	return readTargetGroup(out.TargetGroups[0]), nil
}

// ModifyTargetGroup makes the health check of the group arn that of g.
func (c *Client) ModifyTargetGroup(ctx context.Context, arn model.ARN, g model.TargetGroup) (model.TargetGroup, error) {
	h := g.HealthCheck
	out, err := c.api.ModifyTargetGroup(ctx, &elasticloadbalancingv2.ModifyTargetGroupInput{
		TargetGroupArn:             aws.String(string(arn)),
		HealthCheckEnabled:         aws.Bool(true),
		HealthCheckProtocol:        types.ProtocolEnum(h.Protocol),
		HealthCheckPort:            optional(h.Port),
		HealthCheckPath:            optional(h.Path),
		HealthCheckIntervalSeconds: positive(h.IntervalSeconds),
		HealthCheckTimeoutSeconds:  positive(h.TimeoutSeconds),
		HealthyThresholdCount:      positive(h.HealthyThreshold),
		UnhealthyThresholdCount:    positive(h.UnhealthyThreshold),
		Matcher:                    matcher(g),
	})
	if err != nil {
		return model.TargetGroup{}, writing("modifying "+string(arn), err)
	}
	if len(out.TargetGroups) == 0 {
		return model.TargetGroup{}, writing("modifying "+string(arn), absent("ModifyTargetGroup"))
	}
	return readTargetGroup(out.TargetGroups[0]), nil
}

// DeleteTargetGroup deletes a target group that nothing uses.
func (c *Client) DeleteTargetGroup(ctx context.Context, arn model.ARN) error {
	_, err := c.api.DeleteTargetGroup(ctx, &elasticloadbalancingv2.DeleteTargetGroupInput{TargetGroupArn: aws.String(string(arn))})
	if err != nil {
		return writing("deleting "+string(arn), err)
	}
	return nil
}

// positive is n, nil when AWS's default is meant.
func positive(n int) *int32 {
	if n <= 0 {
		return nil
	}
	return number(n)
}

func matcher(g model.TargetGroup) *types.Matcher {
	code := optional(g.HealthCheck.Matcher)
	switch {
	case code == nil:
		return nil
	case g.ProtocolVersion == "GRPC":
		return &types.Matcher{GrpcCode: code}
	default:
		return &types.Matcher{HttpCode: code}
	}
}

func readTargetGroup(in types.TargetGroup) model.TargetGroup {
	g := model.TargetGroup{
		ARN:             model.ARN(aws.ToString(in.TargetGroupArn)),
		Name:            aws.ToString(in.TargetGroupName),
		TargetType:      string(in.TargetType),
		Protocol:        string(in.Protocol),
		ProtocolVersion: aws.ToString(in.ProtocolVersion),
		Port:            int(aws.ToInt32(in.Port)),
		VPC:             aws.ToString(in.VpcId),
		IPAddressType:   string(in.IpAddressType),
		ControlPort:     int(aws.ToInt32(in.TargetControlPort)),
		HealthCheck: model.HealthCheck{
			Protocol:           string(in.HealthCheckProtocol),
			Port:               aws.ToString(in.HealthCheckPort),
			Path:               aws.ToString(in.HealthCheckPath),
			IntervalSeconds:    int(aws.ToInt32(in.HealthCheckIntervalSeconds)),
			TimeoutSeconds:     int(aws.ToInt32(in.HealthCheckTimeoutSeconds)),
			HealthyThreshold:   int(aws.ToInt32(in.HealthyThresholdCount)),
			UnhealthyThreshold: int(aws.ToInt32(in.UnhealthyThresholdCount)),
		},
	}
	if m := in.Matcher; m != nil {
		g.HealthCheck.Matcher = aws.ToString(m.HttpCode)
		if m.GrpcCode != nil {
			g.HealthCheck.Matcher = *m.GrpcCode
		}
	}
	if g.IPAddressType == "" {
		g.IPAddressType = string(types.TargetGroupIpAddressTypeEnumIpv4)
	}
	if g.ProtocolVersion == "" && (g.Protocol == "HTTP" || g.Protocol == "HTTPS") {
		g.ProtocolVersion = "HTTP1"
	}
	for _, arn := range in.LoadBalancerArns {
		g.LoadBalancers = append(g.LoadBalancers, model.ARN(arn))
	}
	slices.Sort(g.LoadBalancers)
	return g
}
