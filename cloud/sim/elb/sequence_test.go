package elb_test

import (
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// A controller finds what it made by tags, compares what it wants with what is described, and changes what differs. If the simulator gave
// anything back otherwise than it was asked for, that would never come to rest.

// controller brings a wish about, call by call. Its writes are counted.
type controller struct {
	*world

	writes []string
	groups map[string]*string
}

// write makes a call that changes something.
func write[In, Out any](c *controller, call operation[In, Out], in *In) *Out {
	c.Helper()
	c.writes = append(c.writes, fmt.Sprintf("%T", in))
	return have(c.world, call, in)
}

func tagged(value string) []elbtypes.Tag {
	return []elbtypes.Tag{{Key: aws.String("owner"), Value: aws.String(value)}}
}

// mine gives the ARNs that carry the owner's tag, as controllers without the tagging API find them: twenty a call.
func (c *controller) mine(arns []string, owner string) []string {
	var found []string
	for chunk := range slices.Chunk(arns, 20) {
		for _, d := range have(c.world, c.api.DescribeTags, &sdk.DescribeTagsInput{ResourceArns: chunk}).TagDescriptions {
			if differs(tagged(owner), d.Tags) == "" {
				found = append(found, *d.ResourceArn)
			}
		}
	}
	return found
}

// bring does all that there is to do, in the order of deployment, and says how often it had to write.
func (c *controller) bring(wanted wish) []string {
	c.writes, c.groups = nil, map[string]*string{}
	stale := c.bringGroups(wanted.groups)
	lb := c.bringBalancer(wanted)
	c.bringListeners(lb, wanted.listeners)
	for _, arn := range stale {
		write(c, c.api.DeleteTargetGroup, &sdk.DeleteTargetGroupInput{TargetGroupArn: &arn})
	}
	return c.writes
}

// bringGroups matches target groups by tags, and gives those that nothing wants any more: they go at the end.
func (c *controller) bringGroups(wanted []groupWish) []string {
	var arns []string
	held := map[string]elbtypes.TargetGroup{}
	for p := sdk.NewDescribeTargetGroupsPaginator(c.api, &sdk.DescribeTargetGroupsInput{PageSize: aws.Int32(2)}); p.HasMorePages(); {
		page, err := p.NextPage(c.Context())
		if err != nil {
			c.Fatal(err)
		}
		for _, g := range page.TargetGroups {
			arns, held[*g.TargetGroupArn] = append(arns, *g.TargetGroupArn), g
		}
	}
	stale := c.mine(arns, "group")
	for _, g := range wanted {
		at := slices.IndexFunc(stale, func(arn string) bool {
			h := held[arn]
			return *h.TargetGroupName == *g.Name && h.Protocol == g.Protocol && h.TargetType == g.TargetType &&
				(g.ProtocolVersion == nil || *g.ProtocolVersion == *h.ProtocolVersion)
		})
		if at < 0 {
			in := g.CreateTargetGroupInput
			in.Tags = tagged("group")
			c.groups[*g.Name] = write(c, c.api.CreateTargetGroup, &in).TargetGroups[0].TargetGroupArn
		} else {
			c.groups[*g.Name] = &stale[at]
			c.changeGroup(held[stale[at]], g)
			stale = slices.Delete(slices.Clone(stale), at, at+1)
		}
		c.changeGroupAttributes(g)
		c.bringTargets(g)
	}
	return stale
}

func (c *controller) changeGroup(held elbtypes.TargetGroup, g groupWish) {
	if differs(g.CreateTargetGroupInput, held) == "" {
		return
	}
	write(c, c.api.ModifyTargetGroup, &sdk.ModifyTargetGroupInput{
		TargetGroupArn: held.TargetGroupArn, HealthCheckPath: g.HealthCheckPath, HealthCheckIntervalSeconds: g.HealthCheckIntervalSeconds, Matcher: g.Matcher,
	})
}

// missing gives what is wanted and not so.
func missing(wanted, held map[string]string) map[string]string {
	all := map[string]string{}
	for k, v := range wanted {
		if held[k] != v {
			all[k] = v
		}
	}
	return all
}

func (c *controller) changeGroupAttributes(g groupWish) {
	held := map[string]string{}
	arn := c.groups[*g.Name]
	for _, a := range have(c.world, c.api.DescribeTargetGroupAttributes, &sdk.DescribeTargetGroupAttributesInput{TargetGroupArn: arn}).Attributes {
		held[*a.Key] = *a.Value
	}
	in := &sdk.ModifyTargetGroupAttributesInput{TargetGroupArn: arn}
	for k, v := range missing(g.attributes, held) {
		in.Attributes = append(in.Attributes, elbtypes.TargetGroupAttribute{Key: &k, Value: &v})
	}
	if len(in.Attributes) > 0 {
		write(c, c.api.ModifyTargetGroupAttributes, in)
	}
}

func (c *controller) bringTargets(g groupWish) {
	arn := c.groups[*g.Name]
	held := map[string]elbtypes.TargetDescription{}
	key := func(d elbtypes.TargetDescription) string { return fmt.Sprint(*d.Id, ":", *d.Port) }
	for _, h := range have(c.world, c.api.DescribeTargetHealth, &sdk.DescribeTargetHealthInput{TargetGroupArn: arn}).TargetHealthDescriptions {
		if h.TargetHealth.State != elbtypes.TargetHealthStateEnumDraining {
			held[key(*h.Target)] = *h.Target
		}
	}
	var fresh, gone []elbtypes.TargetDescription
	for _, d := range g.targets {
		if _, ok := held[key(d)]; !ok {
			fresh = append(fresh, d)
		}
		delete(held, key(d))
	}
	for _, k := range slices.Sorted(maps.Keys(held)) {
		gone = append(gone, held[k])
	}
	if fresh != nil {
		write(c, c.api.RegisterTargets, &sdk.RegisterTargetsInput{TargetGroupArn: arn, Targets: fresh})
	}
	if gone != nil {
		write(c, c.api.DeregisterTargets, &sdk.DeregisterTargetsInput{TargetGroupArn: arn, Targets: gone})
	}
}

// bringBalancer finds the load balancer by tags. One of another type or scheme is replaced: deleted first, then made.
func (c *controller) bringBalancer(wanted wish) *string {
	var arns []string
	held := map[string]elbtypes.LoadBalancer{}
	for _, lb := range have(c.world, c.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{}).LoadBalancers {
		arns, held[*lb.LoadBalancerArn] = append(arns, *lb.LoadBalancerArn), lb
	}
	var found *string
	for _, arn := range c.mine(arns, "balancer") {
		if differs(sdk.CreateLoadBalancerInput{Type: wanted.balancer.Type, Scheme: wanted.balancer.Scheme}, held[arn]) == "" {
			found = &arn
			continue
		}
		write(c, c.api.DeleteLoadBalancer, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: &arn})
	}
	if found == nil {
		in := wanted.balancer
		in.Tags = tagged("balancer")
		found = write(c, c.api.CreateLoadBalancer, &in).LoadBalancers[0].LoadBalancerArn
	} else {
		c.changeBalancer(held[*found], wanted.balancer)
	}
	c.changeBalancerAttributes(found, wanted.attributes)
	c.reserve(found, wanted.units)
	return found
}

func (c *controller) changeBalancer(held elbtypes.LoadBalancer, wanted sdk.CreateLoadBalancerInput) {
	var subnets []string
	for _, z := range held.AvailabilityZones {
		subnets = append(subnets, *z.SubnetId)
	}
	same := func(a, b []string) bool {
		return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
	}
	if !same(subnets, wanted.Subnets) {
		write(c, c.api.SetSubnets, &sdk.SetSubnetsInput{LoadBalancerArn: held.LoadBalancerArn, Subnets: wanted.Subnets})
	}
	if wanted.SecurityGroups != nil && !same(held.SecurityGroups, wanted.SecurityGroups) {
		write(c, c.api.SetSecurityGroups, &sdk.SetSecurityGroupsInput{LoadBalancerArn: held.LoadBalancerArn, SecurityGroups: wanted.SecurityGroups})
	}
	if wanted.IpAddressType != "" && held.IpAddressType != wanted.IpAddressType {
		write(c, c.api.SetIpAddressType, &sdk.SetIpAddressTypeInput{LoadBalancerArn: held.LoadBalancerArn, IpAddressType: wanted.IpAddressType})
	}
	if differs(wanted.IpamPools, held.IpamPools) != "" {
		write(c, c.api.ModifyIpPools, &sdk.ModifyIpPoolsInput{LoadBalancerArn: held.LoadBalancerArn, IpamPools: wanted.IpamPools})
	}
}

func (c *controller) changeBalancerAttributes(lb *string, wanted map[string]string) {
	held := map[string]string{}
	for _, a := range have(c.world, c.api.DescribeLoadBalancerAttributes, &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb}).Attributes {
		held[*a.Key] = *a.Value
	}
	in := &sdk.ModifyLoadBalancerAttributesInput{LoadBalancerArn: lb}
	for k, v := range missing(wanted, held) {
		in.Attributes = append(in.Attributes, elbtypes.LoadBalancerAttribute{Key: &k, Value: &v})
	}
	if len(in.Attributes) > 0 {
		write(c, c.api.ModifyLoadBalancerAttributes, in)
	}
}

func (c *controller) reserve(lb *string, units int32) {
	held := int32(0)
	if m := have(c.world, c.api.DescribeCapacityReservation, &sdk.DescribeCapacityReservationInput{LoadBalancerArn: lb}).MinimumLoadBalancerCapacity; m != nil {
		held = *m.CapacityUnits
	}
	switch {
	case held == units:
	case units == 0:
		write(c, c.api.ModifyCapacityReservation, &sdk.ModifyCapacityReservationInput{LoadBalancerArn: lb, ResetCapacityReservation: aws.Bool(true)})
	default:
		write(c, c.api.ModifyCapacityReservation, reserve(lb, units))
	}
}

// bringListeners matches listeners by port. Those that nothing wants go first.
func (c *controller) bringListeners(lb *string, wanted []listenerWish) {
	held := map[int32]elbtypes.Listener{}
	for _, l := range have(c.world, c.api.DescribeListeners, &sdk.DescribeListenersInput{LoadBalancerArn: lb}).Listeners {
		if slices.ContainsFunc(wanted, func(x listenerWish) bool { return *x.Port == *l.Port }) {
			held[*l.Port] = l
			continue
		}
		write(c, c.api.DeleteListener, &sdk.DeleteListenerInput{ListenerArn: l.ListenerArn})
	}
	for _, l := range wanted {
		in := l.CreateListenerInput
		in.LoadBalancerArn, in.DefaultActions = lb, forward(c.groups[l.group])
		h, ok := held[*l.Port]
		switch {
		case !ok:
			h = write(c, c.api.CreateListener, &in).Listeners[0]
		case differs(in, h) != "":
			write(c, c.api.ModifyListener, &sdk.ModifyListenerInput{
				ListenerArn: h.ListenerArn, Protocol: in.Protocol, Certificates: in.Certificates, SslPolicy: in.SslPolicy, DefaultActions: in.DefaultActions,
				MutualAuthentication: in.MutualAuthentication, AlpnPolicy: in.AlpnPolicy,
			})
		}
		c.bringCertificates(h.ListenerArn, l.certificates)
		c.changeListenerAttributes(h.ListenerArn, l.attributes)
		c.bringRules(h.ListenerArn, l.rules)
	}
}

// bringCertificates adds what is missing before it removes what nothing wants.
func (c *controller) bringCertificates(l *string, wanted []string) {
	var held []string
	for _, x := range have(c.world, c.api.DescribeListenerCertificates, &sdk.DescribeListenerCertificatesInput{ListenerArn: l}).Certificates {
		if !*x.IsDefault {
			held = append(held, *x.CertificateArn)
		}
	}
	one := func(arn string) []elbtypes.Certificate { return []elbtypes.Certificate{{CertificateArn: &arn}} }
	for _, arn := range wanted {
		if !slices.Contains(held, arn) {
			write(c, c.api.AddListenerCertificates, &sdk.AddListenerCertificatesInput{ListenerArn: l, Certificates: one(arn)})
		}
	}
	for _, arn := range held {
		if !slices.Contains(wanted, arn) {
			write(c, c.api.RemoveListenerCertificates, &sdk.RemoveListenerCertificatesInput{ListenerArn: l, Certificates: one(arn)})
		}
	}
}

func (c *controller) changeListenerAttributes(l *string, wanted map[string]string) {
	held := map[string]string{}
	for _, a := range have(c.world, c.api.DescribeListenerAttributes, &sdk.DescribeListenerAttributesInput{ListenerArn: l}).Attributes {
		held[*a.Key] = *a.Value
	}
	in := &sdk.ModifyListenerAttributesInput{ListenerArn: l}
	for k, v := range missing(wanted, held) {
		in.Attributes = append(in.Attributes, elbtypes.ListenerAttribute{Key: &k, Value: &v})
	}
	if len(in.Attributes) > 0 {
		write(c, c.api.ModifyListenerAttributes, in)
	}
}

// bringRules matches rules by what they say, else by priority; moves all at once, makes and changes, and deletes last.
func (c *controller) bringRules(l *string, wanted []ruleWish) {
	held := have(c.world, c.api.DescribeRules, &sdk.DescribeRulesInput{ListenerArn: l}).Rules
	held = held[:len(held)-1]
	moves := &sdk.SetRulePrioritiesInput{}
	var left []sdk.CreateRuleInput
	for i, r := range wanted {
		in := sdk.CreateRuleInput{
			ListenerArn: l, Priority: aws.Int32(int32(i + 1)), Conditions: r.conditions, Actions: r.actions(c.groups), Transforms: r.transforms,
		}
		said := in
		said.Priority = nil
		at := slices.IndexFunc(held, func(h elbtypes.Rule) bool {
			return len(h.Transforms) == len(in.Transforms) && differs(struct {
				Conditions []elbtypes.RuleCondition
				Actions    []elbtypes.Action
				Transforms []elbtypes.RuleTransform
			}{in.Conditions, in.Actions, in.Transforms}, h) == ""
		})
		if at < 0 {
			left = append(left, in)
			continue
		}
		if *held[at].Priority != strconv.Itoa(i+1) {
			moves.RulePriorities = append(moves.RulePriorities, elbtypes.RulePriorityPair{RuleArn: held[at].RuleArn, Priority: in.Priority})
		}
		held = slices.Delete(held, at, at+1)
	}
	c.makeRules(held, left, moves)
}

func (c *controller) makeRules(held []elbtypes.Rule, left []sdk.CreateRuleInput, moves *sdk.SetRulePrioritiesInput) {
	// What nothing wants gets out of the way, as far as it stands where others shall: it is changed to what they say.
	for len(held) > 0 && len(left) > 0 {
		in := left[0]
		write(c, c.api.ModifyRule, &sdk.ModifyRuleInput{
			RuleArn: held[0].RuleArn, Conditions: in.Conditions, Actions: in.Actions, Transforms: in.Transforms,
			ResetTransforms: resetting(in.Transforms),
		})
		moves.RulePriorities = append(moves.RulePriorities, elbtypes.RulePriorityPair{RuleArn: held[0].RuleArn, Priority: in.Priority})
		held, left = held[1:], left[1:]
	}
	for _, h := range held {
		write(c, c.api.DeleteRule, &sdk.DeleteRuleInput{RuleArn: h.RuleArn})
	}
	if len(moves.RulePriorities) > 0 {
		write(c, c.api.SetRulePriorities, moves)
	}
	for _, in := range left {
		write(c, c.api.CreateRule, &in)
	}
}

func resetting(transforms []elbtypes.RuleTransform) *bool {
	if len(transforms) > 0 {
		return nil
	}
	return aws.Bool(true)
}
