package sim_test

import (
	"fmt"
	"math/rand"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// chaos makes calls that are good or bad as chance will have it. It remembers ARNs that once were good.
type chaos struct {
	*fixture
	rand                                *rand.Rand
	balancers, listeners, rules, groups []string
}

func (c *chaos) pick(arns []string, kind string) *string {
	if len(arns) == 0 || c.rand.Intn(20) == 0 {
		return aws.String("arn:aws:elasticloadbalancing:us-west-2:123456789012:" + kind + "/app/none/1/2/3")
	}
	return &arns[c.rand.Intn(len(arns))]
}

func (c *chaos) actions() []elbtypes.Action {
	if c.rand.Intn(3) == 0 {
		return fixed(strconv.Itoa(200 + 100*c.rand.Intn(4)))
	}
	var groups []*string
	for range 1 + c.rand.Intn(3) {
		groups = append(groups, c.pick(c.groups, "targetgroup"))
	}
	return forward(groups...)
}

// step makes one call and gives its error.
func (c *chaos) step() error {
	ctx := c.Context()
	switch c.rand.Intn(12) {
	case 0:
		out, err := c.elb.CreateLoadBalancer(ctx, &elb.CreateLoadBalancerInput{
			Name: aws.String(fmt.Sprint("lb", c.rand.Intn(4))), Subnets: c.Sim.World().PublicSubnets[:1+c.rand.Intn(3)],
		})
		if err == nil {
			c.balancers = append(c.balancers, *out.LoadBalancers[0].LoadBalancerArn)
		}
		return err
	case 1:
		if c.rand.Intn(3) > 0 {
			return nil
		}
		_, err := c.elb.DeleteLoadBalancer(ctx, &elb.DeleteLoadBalancerInput{LoadBalancerArn: c.pick(c.balancers, "loadbalancer")})
		return err
	case 2:
		out, err := c.elb.CreateListener(ctx, &elb.CreateListenerInput{
			LoadBalancerArn: c.pick(c.balancers, "loadbalancer"), Port: aws.Int32(80 + c.rand.Int31n(3)), Protocol: elbtypes.ProtocolEnumHttp,
			DefaultActions: c.actions(),
		})
		if err == nil {
			c.listeners = append(c.listeners, *out.Listeners[0].ListenerArn)
		}
		return err
	case 3:
		_, err := c.elb.ModifyListener(ctx, &elb.ModifyListenerInput{
			ListenerArn: c.pick(c.listeners, "listener"), Port: aws.Int32(80 + c.rand.Int31n(3)), DefaultActions: c.actions(),
		})
		return err
	case 4:
		_, err := c.elb.DeleteListener(ctx, &elb.DeleteListenerInput{ListenerArn: c.pick(c.listeners, "listener")})
		return err
	case 5, 6:
		out, err := c.elb.CreateRule(ctx, &elb.CreateRuleInput{
			ListenerArn: c.pick(c.listeners, "listener"), Priority: aws.Int32(c.rand.Int31n(8)), Conditions: path("/a"), Actions: c.actions(),
		})
		if err == nil {
			c.rules = append(c.rules, *out.Rules[0].RuleArn)
		}
		return err
	default:
		return c.stepBelow()
	}
}

// stepBelow makes a call about rules and target groups.
func (c *chaos) stepBelow() error {
	ctx := c.Context()
	group := c.pick(c.groups, "targetgroup")
	target := address(fmt.Sprintf("10.0.1.%d", 5+c.rand.Intn(5)), 0)
	switch c.rand.Intn(8) {
	case 0:
		_, err := c.elb.ModifyRule(ctx, &elb.ModifyRuleInput{RuleArn: c.pick(c.rules, "listener-rule"), Actions: c.actions()})
		return err
	case 1:
		_, err := c.elb.DeleteRule(ctx, &elb.DeleteRuleInput{RuleArn: c.pick(c.rules, "listener-rule")})
		return err
	case 2:
		_, err := c.elb.SetRulePriorities(ctx, &elb.SetRulePrioritiesInput{RulePriorities: []elbtypes.RulePriorityPair{
			{RuleArn: c.pick(c.rules, "listener-rule"), Priority: aws.Int32(c.rand.Int31n(8))},
			{RuleArn: c.pick(c.rules, "listener-rule"), Priority: aws.Int32(c.rand.Int31n(8))},
		}})
		return err
	case 3, 4:
		out, err := c.elb.CreateTargetGroup(ctx, c.groupInput(fmt.Sprint("g", c.rand.Intn(6))))
		if err == nil {
			c.groups = append(c.groups, *out.TargetGroups[0].TargetGroupArn)
		}
		return err
	case 5:
		_, err := c.elb.DeleteTargetGroup(ctx, &elb.DeleteTargetGroupInput{TargetGroupArn: group})
		return err
	case 6:
		return c.deregister(group, target)
	default:
		return c.register(group, target)
	}
}

// check holds the invariants of the state.
func (c *chaos) check() {
	c.Helper()
	balancers, err := c.elb.DescribeLoadBalancers(c.Context(), &elb.DescribeLoadBalancersInput{})
	used := map[string]string{}
	for _, lb := range contract.Must(c, balancers, err).LoadBalancers {
		listeners, err := c.elb.DescribeListeners(c.Context(), &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
		ports := map[int32]bool{}
		for _, l := range contract.Must(c, listeners, err).Listeners {
			if ports[*l.Port] {
				c.Errorf("two listeners on port %d of %s", *l.Port, *lb.LoadBalancerName)
			}
			ports[*l.Port] = true
			c.checkRules(l, *lb.LoadBalancerArn, used)
		}
	}
	groups, err := c.elb.DescribeTargetGroups(c.Context(), &elb.DescribeTargetGroupsInput{})
	known := map[string]bool{}
	for _, g := range contract.Must(c, groups, err).TargetGroups {
		known[*g.TargetGroupArn] = true
		want := []string{}
		if lb, ok := used[*g.TargetGroupArn]; ok {
			want = append(want, lb)
		}
		if fmt.Sprint(want) != fmt.Sprint(g.LoadBalancerArns) {
			c.Errorf("%s says load balancers %v, rules say %v", *g.TargetGroupName, g.LoadBalancerArns, want)
		}
	}
	for arn := range used {
		if !known[arn] {
			c.Errorf("a rule forwards to %s, which is not there", arn)
		}
	}
}

func (c *chaos) checkRules(l elbtypes.Listener, lb string, used map[string]string) {
	c.Helper()
	rules, err := c.elb.DescribeRules(c.Context(), &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})
	all := contract.Must(c, rules, err).Rules
	seen := map[string]bool{}
	for i, r := range all {
		if seen[*r.Priority] {
			c.Errorf("two rules of priority %s", *r.Priority)
		}
		seen[*r.Priority] = true
		if *r.IsDefault != (i == len(all)-1) {
			c.Errorf("rule %d of %d is default: %v", i, len(all), *r.IsDefault)
		}
		for _, a := range r.Actions {
			if a.ForwardConfig == nil {
				continue
			}
			for _, t := range a.ForwardConfig.TargetGroups {
				if other, ok := used[*t.TargetGroupArn]; ok && other != lb {
					c.Errorf("target group %s has two load balancers", *t.TargetGroupArn)
				}
				used[*t.TargetGroupArn] = lb
			}
		}
	}
}

func TestChaos(t *testing.T) {
	t.Parallel()
	for seed := range int64(4) {
		c := &chaos{fixture: start(t), rand: rand.New(rand.NewSource(seed))}
		good := 0
		for i := range 400 {
			err := c.step()
			if err == nil {
				good++
			} else if code := contract.APICode(err); code == "InternalFailure" {
				t.Fatalf("seed %d, call %d: %v", seed, i, err)
			}
			c.Pass(time.Duration(c.rand.Intn(100)) * time.Second)
			if i%25 == 0 {
				c.check()
			}
		}
		c.check()
		if good < 80 {
			t.Errorf("seed %d: only %d calls succeeded, which tests little", seed, good)
		}
	}
}
