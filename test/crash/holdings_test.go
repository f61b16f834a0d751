package crash

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"

	"github.com/headgate/headgate/model"
)

// owners of the scenario's stacks, and the cluster.
func (p *play) owners() []model.Owner {
	return []model.Owner{
		{Cluster: p.Name},
		{Cluster: p.Name, Prefix: model.PrefixIngress, Stack: "shop"},
		{Cluster: p.Name, Prefix: model.PrefixGatewayALB, Stack: p.Name + "/public"},
	}
}

// holdings is what the account holds, in words that are equal for equal ends of different runs.
type holdings struct {
	Stacks  []model.Stack
	Targets map[string][]string
	// Counts of everything in the account, ours or not: a thing that was made twice shows here even without tags.
	Counts map[string]int
	// Written is what the operator left in the cluster.
	Written []string
}

func (p *play) holdings() (holdings, error) {
	stacks, err := p.State(p.owners()...)
	if err != nil {
		return holdings{}, err
	}
	h := holdings{Targets: map[string][]string{}, Counts: map[string]int{}}
	for _, s := range stacks {
		h.Stacks = append(h.Stacks, p.anonymous(s))
	}
	if h.Written, err = p.written(); err != nil {
		return holdings{}, err
	}
	return h, errors.Join(p.elb(&h), p.groups(&h))
}

func (p *play) elb(h *holdings) error {
	ctx, api := p.t.Context(), elasticloadbalancingv2.NewFromConfig(p.AWS())
	balancers, err := api.DescribeLoadBalancers(ctx, &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		return err
	}
	groups, err := api.DescribeTargetGroups(ctx, &elasticloadbalancingv2.DescribeTargetGroupsInput{})
	if err != nil {
		return err
	}
	h.Counts["load balancers"], h.Counts["target groups"] = len(balancers.LoadBalancers), len(groups.TargetGroups)
	for _, g := range groups.TargetGroups {
		health, err := api.DescribeTargetHealth(ctx, &elasticloadbalancingv2.DescribeTargetHealthInput{TargetGroupArn: g.TargetGroupArn})
		if err != nil {
			return err
		}
		// k8s-<namespace>-<service>-<hash>
		name := strings.Split(aws.ToString(g.TargetGroupName), "-")[2]
		for _, d := range health.TargetHealthDescriptions {
			if d.TargetHealth.State != "draining" {
				h.Targets[name] = append(h.Targets[name], fmt.Sprintf("%s:%d", *d.Target.Id, *d.Target.Port))
			}
		}
		slices.Sort(h.Targets[name])
	}
	return nil
}

func (p *play) groups(h *holdings) error {
	out, err := ec2.NewFromConfig(p.AWS()).DescribeSecurityGroups(p.t.Context(), &ec2.DescribeSecurityGroupsInput{})
	if err != nil {
		return err
	}
	for _, g := range out.SecurityGroups {
		if strings.HasPrefix(aws.ToString(g.GroupName), "k8s-") {
			h.Counts["security groups"]++
		}
	}
	return nil
}

// anonymous drops what holds the run's name or a random part.
func (p *play) anonymous(s model.Stack) model.Stack {
	s.Owner.Cluster, s.Owner.Stack = "", strings.ReplaceAll(s.Owner.Stack, p.Name, "run")
	if s.LoadBalancer != nil {
		s.LoadBalancer.Name, s.LoadBalancer.Tags = "", p.tags(s.LoadBalancer.Tags)
		for i := range s.LoadBalancer.SecurityGroups {
			s.LoadBalancer.SecurityGroups[i] = model.GroupRef{}
		}
	}
	for i := range s.SecurityGroups {
		g := &s.SecurityGroups[i]
		g.Name, g.Tags = "", p.tags(g.Tags)
		for j := range g.Ingress {
			g.Ingress[j].Source = model.GroupRef{}
		}
		if g.Foreign {
			g.ID, g.Description = "foreign", ""
		}
	}
	for i := range s.TargetGroups {
		g := &s.TargetGroups[i]
		g.ID, g.Name, g.Tags = strings.ReplaceAll(g.ID, p.Name, "run"), "", p.tags(g.Tags)
	}
	for i := range s.Listeners {
		l := &s.Listeners[i]
		l.Tags, l.Certificates = p.tags(l.Tags), nil
		for j := range l.Rules {
			r := &l.Rules[j]
			// The content hash in a rule's tag is over names that hold the run's.
			r.Tags = nil
			for _, a := range r.Actions {
				if a.Forward == nil {
					continue
				}
				for k := range a.Forward.Groups {
					g := &a.Forward.Groups[k]
					g.Key, g.ARN = strings.ReplaceAll(g.Key, p.Name, "run"), ""
				}
			}
		}
	}
	return s
}

func (p *play) tags(tags map[string]string) map[string]string {
	out := map[string]string{}
	for k, v := range tags {
		out[k] = strings.ReplaceAll(v, p.Name, "run")
	}
	return out
}
