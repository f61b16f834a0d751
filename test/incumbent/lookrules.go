package incumbent

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func (l *look) listeners(ctx context.Context, balancer string) error {
	out, err := l.elb.DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: &balancer})
	if err != nil {
		return failed(err, "reading listeners")
	}
	seen := map[int32]bool{}
	for _, have := range out.Listeners {
		i := slices.IndexFunc(l.stack.Listeners, func(w Listener) bool { return w.Port == *have.Port })
		if i < 0 {
			l.would("DeleteListener %d", *have.Port)
			continue
		}
		seen[*have.Port] = true
		if err := l.listener(ctx, &l.stack.Listeners[i], &have); err != nil {
			return err
		}
	}
	for _, want := range l.stack.Listeners {
		if !seen[want.Port] {
			l.would("CreateListener %d", want.Port)
		}
	}
	return nil
}

func (l *look) listener(ctx context.Context, want *Listener, have *elbtypes.Listener) error {
	id := strconv.Itoa(int(want.Port))
	if have.Protocol != want.Protocol || aws.ToString(have.SslPolicy) != want.Policy {
		l.would("ModifyListener %s: protocol %s, policy %s", id, have.Protocol, aws.ToString(have.SslPolicy))
	}
	if is, shall := inWords(have.DefaultActions), inWords(l.stack.resolved(want.Default)); is != shall {
		l.would("ModifyListener %s: answer %s, not %s", id, is, shall)
	}
	out, err := l.elb.DescribeListenerCertificates(ctx, &elbv2.DescribeListenerCertificatesInput{ListenerArn: have.ListenerArn})
	if err != nil && have.Protocol == elbtypes.ProtocolEnumHttps {
		return failed(err, "reading certificates")
	}
	var first, more []string
	if err == nil {
		for _, c := range out.Certificates {
			if aws.ToBool(c.IsDefault) {
				first = append(first, *c.CertificateArn)
				continue
			}
			more = append(more, *c.CertificateArn)
		}
	}
	if n := min(len(want.Certificates), 1); sorted(first) != sorted(want.Certificates[:n]) || sorted(more) != sorted(want.Certificates[n:]) {
		l.would("certificates of listener %s: %v, %v, not %v", id, first, more, want.Certificates)
	}
	if err := l.tagsOf(ctx, []string{*have.ListenerArn}); err != nil {
		return err
	}
	l.retag("listener "+id, l.tagged[*have.ListenerArn], l.tags(l.stack, id, l.stack.Tags))
	return l.rules(ctx, want, *have.ListenerArn)
}

// rules pairs rules that say the same, in order; what is left is changed, made or deleted.
func (l *look) rules(ctx context.Context, want *Listener, listener string) error {
	out, err := l.elb.DescribeRules(ctx, &elbv2.DescribeRulesInput{ListenerArn: &listener})
	if err != nil {
		return failed(err, "reading rules")
	}
	have := slices.DeleteFunc(out.Rules, func(r elbtypes.Rule) bool { return aws.ToBool(r.IsDefault) })
	var arns []string
	for _, r := range have {
		arns = append(arns, *r.RuleArn)
	}
	if err := l.tagsOf(ctx, arns); err != nil {
		return err
	}
	for i, w := range want.Rules {
		shall := conditionsInWords(w.Conditions) + " -> " + inWords(l.stack.resolved(w.Actions))
		at := slices.IndexFunc(have, func(r elbtypes.Rule) bool { return conditionsInWords(r.Conditions)+" -> "+inWords(r.Actions) == shall })
		if at < 0 {
			l.would("CreateRule %s: %s", ruleID(want, i), shall)
			continue
		}
		found := have[at]
		have = slices.Delete(have, at, at+1)
		if *found.Priority != strconv.Itoa(i+1) {
			l.would("SetRulePriorities %s: from %s", ruleID(want, i), *found.Priority)
		}
		l.retag("rule "+ruleID(want, i), l.tagged[*found.RuleArn], l.tags(l.stack, ruleID(want, i), w.Tags))
	}
	for _, r := range have {
		l.would("DeleteRule %s: %s -> %s", *r.Priority, conditionsInWords(r.Conditions), inWords(r.Actions))
	}
	return nil
}

// inWords are actions as the incumbent compares them: without secrets, without their order, and a weight that is not written is 1.
func inWords(actions []elbtypes.Action) string {
	var out []string
	for _, a := range actions {
		a.Order, a.TargetGroupArn = nil, nil
		if f := a.ForwardConfig; f != nil {
			a.ForwardConfig = plainForward(f)
		}
		if o := a.AuthenticateOidcConfig; o != nil {
			copied := *o
			copied.ClientSecret, copied.UseExistingClientSecret = nil, nil
			a.AuthenticateOidcConfig = &copied
		}
		if r := a.RedirectConfig; r != nil {
			a.RedirectConfig = &elbtypes.RedirectActionConfig{
				Host: or(r.Host, "#{host}"), Path: or(r.Path, "/#{path}"), Port: or(r.Port, "#{port}"), Protocol: or(r.Protocol, "#{protocol}"),
				Query: or(r.Query, "#{query}"), StatusCode: r.StatusCode,
			}
		}
		if f := a.FixedResponseConfig; f != nil {
			a.FixedResponseConfig = &elbtypes.FixedResponseActionConfig{
				StatusCode: f.StatusCode, ContentType: or(f.ContentType, ""), MessageBody: or(f.MessageBody, ""),
			}
		}
		out = append(out, words(a))
	}
	return strings.Join(out, ", ")
}

func or(value *string, otherwise string) *string {
	if value == nil {
		return &otherwise
	}
	return value
}

func plainForward(f *elbtypes.ForwardActionConfig) *elbtypes.ForwardActionConfig {
	out := &elbtypes.ForwardActionConfig{}
	if s := f.TargetGroupStickinessConfig; s != nil && aws.ToBool(s.Enabled) {
		out.TargetGroupStickinessConfig = s
	}
	for _, t := range f.TargetGroups {
		if t.Weight == nil {
			t.Weight = aws.Int32(1)
		}
		out.TargetGroups = append(out.TargetGroups, t)
	}
	return out
}

// conditionsInWords are conditions as the incumbent compares them: in any order, with their values in any order.
func conditionsInWords(conditions []elbtypes.RuleCondition) string {
	var out []string
	for _, c := range conditions {
		c.Values = nil
		for _, values := range valuesOf(&c) {
			slices.Sort(*values)
		}
		out = append(out, words(c))
	}
	slices.Sort(out)
	return strings.Join(out, " and ")
}

// valuesOf are the lists of a condition, cut loose from the caller's.
func valuesOf(c *elbtypes.RuleCondition) []*[]string {
	var out []*[]string
	if c.HostHeaderConfig != nil {
		copied := *c.HostHeaderConfig
		copied.Values, c.HostHeaderConfig = slices.Clone(copied.Values), &copied
		out = append(out, &copied.Values)
	}
	if c.PathPatternConfig != nil {
		copied := *c.PathPatternConfig
		copied.Values, c.PathPatternConfig = slices.Clone(copied.Values), &copied
		out = append(out, &copied.Values)
	}
	return out
}

// words is a value of the SDK as JSON, which leaves out nothing that is set.
func words(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(err)
	}
	return string(text)
}

// frontend looks at the load balancer in front: a listener and a target group a port, with the other load balancer as target.
func (l *look) frontend(ctx context.Context, balancer string) error {
	out, err := l.elb.DescribeListeners(ctx, &elbv2.DescribeListenersInput{LoadBalancerArn: &balancer})
	if err != nil {
		return failed(err, "reading listeners of the frontend")
	}
	for _, have := range out.Listeners {
		if !slices.Contains(l.stack.Frontend, *have.Port) {
			l.would("DeleteListener %d of the frontend", *have.Port)
			continue
		}
		if err := l.tagsOf(ctx, []string{*have.ListenerArn}); err != nil {
			return err
		}
		id := frontendResource("ls", *have.Port)
		l.retag(id, l.tagged[*have.ListenerArn], l.tags(l.stack, id, l.stack.Tags))
		group := have.DefaultActions[0].ForwardConfig.TargetGroups[0].TargetGroupArn
		id = frontendResource("tg", *have.Port)
		l.retag(id, l.tagged[*group], l.tags(l.stack, id, l.stack.Tags))
		health, err := l.elb.DescribeTargetHealth(ctx, &elbv2.DescribeTargetHealthInput{TargetGroupArn: group})
		if err != nil {
			return failed(err, "reading the target of the frontend")
		}
		if len(health.TargetHealthDescriptions) != 1 {
			l.would("RegisterTargets %s", id)
		}
	}
	if len(out.Listeners) != len(l.stack.Frontend) {
		l.would("CreateListener of the frontend")
	}
	return nil
}
