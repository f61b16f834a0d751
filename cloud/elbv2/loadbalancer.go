package elbv2

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model"
)

// LoadBalancer is a load balancer without attributes and tags, and when it was made.
type LoadBalancer struct {
	model.LoadBalancer
	Created time.Time
}

// LoadBalancers are all load balancers of the account and region.
func (c *Client) LoadBalancers(ctx context.Context) ([]LoadBalancer, error) {
	pages := elasticloadbalancingv2.NewDescribeLoadBalancersPaginator(c.api,
		&elasticloadbalancingv2.DescribeLoadBalancersInput{PageSize: number(pageSize)})
	var out []LoadBalancer
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, reading("load balancers", err)
		}
		for _, lb := range page.LoadBalancers {
			out = append(out, readLoadBalancer(lb))
		}
	}
	return out, nil
}

// LoadBalancer reads one load balancer.
func (c *Client) LoadBalancer(ctx context.Context, arn model.ARN) (LoadBalancer, error) {
	return c.oneLoadBalancer(ctx, string(arn), &elasticloadbalancingv2.DescribeLoadBalancersInput{LoadBalancerArns: []string{string(arn)}})
}

// LoadBalancerNamed reads the load balancer of a name.
func (c *Client) LoadBalancerNamed(ctx context.Context, name string) (LoadBalancer, error) {
	return c.oneLoadBalancer(ctx, name, &elasticloadbalancingv2.DescribeLoadBalancersInput{Names: []string{name}})
}

func (c *Client) oneLoadBalancer(
	ctx context.Context, what string, in *elasticloadbalancingv2.DescribeLoadBalancersInput,
) (LoadBalancer, error) {
	out, err := c.api.DescribeLoadBalancers(ctx, in)
	if err != nil {
		return LoadBalancer{}, reading("load balancer "+what, err)
	}
	if len(out.LoadBalancers) == 0 {
		return LoadBalancer{}, reading("load balancer "+what, absent("DescribeLoadBalancers"))
	}
	return readLoadBalancer(out.LoadBalancers[0]), nil
}

// CreateLoadBalancer makes lb, or returns the one of that name that has the same settings: AWS does not say which.
func (c *Client) CreateLoadBalancer(ctx context.Context, lb model.LoadBalancer) (LoadBalancer, error) {
	in := &elasticloadbalancingv2.CreateLoadBalancerInput{
		Name:                  aws.String(lb.Name),
		Type:                  types.LoadBalancerTypeEnum(lb.Type),
		Scheme:                types.LoadBalancerSchemeEnum(lb.Scheme),
		IpAddressType:         types.IpAddressType(lb.IPAddressType),
		SecurityGroups:        groupIDs(lb.SecurityGroups),
		Tags:                  tagsOf(lb.Tags),
		IpamPools:             ipamPools(lb.Addons[model.AddonIPAMPool]),
		CustomerOwnedIpv4Pool: optional(lb.CustomerOwnedPool),
	}
	in.Subnets, in.SubnetMappings = places(lb)
	out, err := c.api.CreateLoadBalancer(ctx, in, once)
	if err != nil {
		return LoadBalancer{}, writing("creating load balancer "+lb.Name, err)
	}
	if len(out.LoadBalancers) == 0 {
		return LoadBalancer{}, writing("creating load balancer "+lb.Name, absent("CreateLoadBalancer"))
	}
	return readLoadBalancer(out.LoadBalancers[0]), nil
}

// SetSubnets replaces a load balancer's subnets by those of lb, with their Elastic IPs.
func (c *Client) SetSubnets(ctx context.Context, arn model.ARN, lb model.LoadBalancer) error {
	in := &elasticloadbalancingv2.SetSubnetsInput{LoadBalancerArn: aws.String(string(arn))}
	in.Subnets, in.SubnetMappings = places(lb)
	if _, err := c.api.SetSubnets(ctx, in); err != nil {
		return writing("setting subnets of "+string(arn), err)
	}
	return nil
}

// SetSecurityGroups replaces a load balancer's security groups.
func (c *Client) SetSecurityGroups(ctx context.Context, arn model.ARN, groups []model.GroupRef) error {
	_, err := c.api.SetSecurityGroups(ctx, &elasticloadbalancingv2.SetSecurityGroupsInput{
		LoadBalancerArn: aws.String(string(arn)), SecurityGroups: groupIDs(groups),
	})
	if err != nil {
		return writing("setting security groups of "+string(arn), err)
	}
	return nil
}

// SetIPAddressType changes a load balancer's address type.
func (c *Client) SetIPAddressType(ctx context.Context, arn model.ARN, kind string) error {
	_, err := c.api.SetIpAddressType(ctx, &elasticloadbalancingv2.SetIpAddressTypeInput{
		LoadBalancerArn: aws.String(string(arn)), IpAddressType: types.IpAddressType(kind),
	})
	if err != nil {
		return writing("setting the address type of "+string(arn), err)
	}
	return nil
}

// DeleteLoadBalancer deletes a load balancer with its listeners and rules.
func (c *Client) DeleteLoadBalancer(ctx context.Context, arn model.ARN) error {
	_, err := c.api.DeleteLoadBalancer(ctx, &elasticloadbalancingv2.DeleteLoadBalancerInput{LoadBalancerArn: aws.String(string(arn))})
	if err != nil {
		return writing("deleting "+string(arn), err)
	}
	return nil
}

// places are the subnets, in the one form or, with Elastic IPs, in the other: AWS takes one of the two.
func places(lb model.LoadBalancer) (subnets []string, mappings []types.SubnetMapping) {
	if len(lb.Allocations) == 0 {
		return lb.Subnets, nil
	}
	for _, id := range lb.Subnets {
		mappings = append(mappings, types.SubnetMapping{SubnetId: aws.String(id), AllocationId: optional(lb.Allocations[id])})
	}
	return nil, mappings
}

func groupIDs(refs []model.GroupRef) []string {
	out := make([]string, len(refs))
	for i, r := range refs {
		out[i] = r.ID
	}
	return out
}

func readLoadBalancer(in types.LoadBalancer) LoadBalancer {
	lb := model.LoadBalancer{
		ARN:           model.ARN(aws.ToString(in.LoadBalancerArn)),
		Name:          aws.ToString(in.LoadBalancerName),
		Type:          string(in.Type),
		Scheme:        string(in.Scheme),
		IPAddressType: string(in.IpAddressType),
		VPC:           aws.ToString(in.VpcId),
		DNSName:       aws.ToString(in.DNSName),
	}
	if lb.IPAddressType == "" {
		lb.IPAddressType = string(types.IpAddressTypeIpv4)
	}
	for _, zone := range in.AvailabilityZones {
		lb.Subnets = append(lb.Subnets, aws.ToString(zone.SubnetId))
		for _, address := range zone.LoadBalancerAddresses {
			if address.AllocationId == nil {
				continue
			}
			if lb.Allocations == nil {
				lb.Allocations = map[string]string{}
			}
			lb.Allocations[aws.ToString(zone.SubnetId)] = *address.AllocationId
		}
	}
	slices.Sort(lb.Subnets)
	groups := slices.Clone(in.SecurityGroups)
	slices.Sort(groups)
	for _, id := range groups {
		lb.SecurityGroups = append(lb.SecurityGroups, model.GroupRef{ID: id})
	}
	readPools(in, &lb)
	if in.State != nil {
		lb.State = string(in.State.Code)
	}
	return LoadBalancer{LoadBalancer: lb, Created: aws.ToTime(in.CreatedTime)}
}
