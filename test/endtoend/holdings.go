package endtoend

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/model"
)

// cluster is the name of a sandbox's cluster.
const cluster = "headgate"

// nodes is the security group of its nodes and pods.
const nodes = cluster + "-nodes"

// Holdings are what the account holds of the shop, without what AWS chooses anew each time.
type Holdings struct {
	Stacks []model.Stack
	// Targets by the name of their group, each with its health.
	Targets map[string][]string
	// Counts are of everything in the account that a controller makes, with tags or without.
	Counts map[string]int
}

// Empty tells whether nothing is left.
func (h *Holdings) Empty() bool {
	for _, n := range h.Counts {
		if n > 0 {
			return false
		}
	}
	return true
}

// serving checks that the shop is open.
func (h *Holdings) serving() error {
	const balancers, services = 2, 5
	if h.Counts["load balancers"] != balancers || h.Counts["target groups"] != services || h.Counts["rules on "+nodes] == 0 {
		return fmt.Errorf("the account holds %v", h.Counts)
	}
	for _, stack := range h.Stacks {
		if lb := stack.LoadBalancer; lb != nil && lb.State != "active" {
			return fmt.Errorf("load balancer %s is %s", lb.Name, lb.State)
		}
	}
	for name, targets := range h.Targets {
		for _, target := range targets {
			if !strings.HasSuffix(target, " healthy") {
				return fmt.Errorf("in %s there is %s", name, target)
			}
		}
	}
	if len(h.Targets) != services {
		return fmt.Errorf("targets are in %d groups only", len(h.Targets))
	}
	return nil
}

// Holdings reads the account past the gate.
func (s *Stage) Holdings(ctx context.Context) (Holdings, error) {
	out := Holdings{Targets: map[string][]string{}, Counts: map[string]int{}}
	config := s.Simulator().AWSConfig()
	observer, err := cloud.New(ctx, cloud.Options{Cluster: cluster, VPC: s.Simulator().World().VPC, AWSConfig: &config})
	if err != nil {
		return out, fmt.Errorf("connecting to the simulator: %w", err)
	}
	for _, owner := range []model.Owner{
		{Cluster: cluster},
		{Cluster: cluster, Prefix: model.PrefixIngress, Stack: "shop"},
		{Cluster: cluster, Prefix: model.PrefixGatewayALB, Stack: "platform/public"},
	} {
		stack, err := observer.Observe(ctx, owner, nil)
		if err != nil {
			return out, fmt.Errorf("observing %s: %w", owner, err)
		}
		out.Stacks = append(out.Stacks, plain(model.Normalize(stack)))
	}
	err = errors.Join(out.balancing(ctx, elasticloadbalancingv2.NewFromConfig(config)), out.groups(ctx, ec2.NewFromConfig(config)))
	return out, err
}

func (h *Holdings) balancing(ctx context.Context, api *elasticloadbalancingv2.Client) error {
	balancers, err := api.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		return fmt.Errorf("describing load balancers: %w", err)
	}
	groups, err := api.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		return fmt.Errorf("describing target groups: %w", err)
	}
	h.Counts["load balancers"], h.Counts["target groups"] = len(balancers.LoadBalancers), len(groups.TargetGroups)
	for _, g := range groups.TargetGroups {
		health, err := api.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			return fmt.Errorf("describing targets: %w", err)
		}
		name := aws.ToString(g.TargetGroupName)
		for _, d := range health.TargetHealthDescriptions {
			h.Targets[name] = append(h.Targets[name], fmt.Sprintf("%s:%d %s", *d.Target.Id, *d.Target.Port, d.TargetHealth.State))
		}
		slices.Sort(h.Targets[name])
	}
	return nil
}

func (h *Holdings) groups(ctx context.Context, api *ec2.Client) error {
	out, err := api.DescribeSecurityGroups(ctx, &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		return fmt.Errorf("describing security groups: %w", err)
	}
	for _, g := range out.SecurityGroups {
		if strings.HasPrefix(aws.ToString(g.GroupName), "k8s-") {
			h.Counts["security groups"]++
			continue
		}
		// Rules that pods admit load balancers by are on groups of others.
		h.Counts["rules on "+aws.ToString(g.GroupName)] = rulesOfControllers(g.IpPermissions)
	}
	return nil
}

// plain drops what AWS chooses: ARNs, IDs of security groups, DNS names, and priorities, of which the order alone counts.
func plain(s model.Stack) model.Stack {
	if s.LoadBalancer != nil {
		lb := *s.LoadBalancer
		lb.ARN, lb.DNSName = "", ""
		lb.SecurityGroups = make([]model.GroupRef, len(lb.SecurityGroups))
		s.LoadBalancer = &lb
	}
	for i := range s.SecurityGroups {
		g := &s.SecurityGroups[i]
		g.ARN = ""
		for j := range g.Ingress {
			g.Ingress[j].Source = model.GroupRef{}
		}
	}
	for i := range s.TargetGroups {
		s.TargetGroups[i].ARN, s.TargetGroups[i].LoadBalancers = "", nil
	}
	for i := range s.Listeners {
		s.Listeners[i].ARN = ""
		for j := range s.Listeners[i].Rules {
			plainRule(&s.Listeners[i].Rules[j])
		}
	}
	return s
}

func plainRule(r *model.Rule) {
	r.ARN, r.Priority = "", 0
	for _, a := range r.Actions {
		if a.Forward == nil {
			continue
		}
		for k := range a.Forward.Groups {
			a.Forward.Groups[k].ARN = ""
		}
	}
}

// rulesOfControllers counts the rules that say whose they are.
func rulesOfControllers(permissions []types.IpPermission) int {
	n := 0
	for _, p := range permissions {
		for _, pair := range p.UserIdGroupPairs {
			if strings.HasPrefix(aws.ToString(pair.Description), "elbv2.k8s.aws/") {
				n++
			}
		}
	}
	return n
}
