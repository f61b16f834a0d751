package corpus

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Shape says what a load balancer of an account is, by its DNS name: scheme, listeners with their certificates, rules with hosts and
// paths, targets. The same objects give the same text.
type Shape struct{ client *elb.Client }

// NewShape looks at the account of a configuration.
func NewShape(account aws.Config) *Shape { return &Shape{elb.NewFromConfig(account)} }

// Of the load balancer with a DNS name.
func (s *Shape) Of(ctx context.Context, dnsName string) (string, error) {
	all, err := s.client.DescribeLoadBalancers(ctx, &elb.DescribeLoadBalancersInput{})
	if err != nil {
		return "", fmt.Errorf("describing load balancers: %w", err)
	}
	for _, lb := range all.LoadBalancers {
		if !strings.EqualFold(aws.ToString(lb.DNSName), dnsName) {
			continue
		}
		listeners, err := s.client.DescribeListeners(ctx, &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
		if err != nil {
			return "", fmt.Errorf("describing listeners: %w", err)
		}
		slices.SortFunc(listeners.Listeners, func(a, b elbtypes.Listener) int { return cmp.Compare(aws.ToInt32(a.Port), aws.ToInt32(b.Port)) })
		parts := []string{fmt.Sprintf("%s %s", lb.Scheme, lb.IpAddressType)}
		for _, l := range listeners.Listeners {
			one, err := s.listener(ctx, l)
			if err != nil {
				return "", err
			}
			parts = append(parts, one)
		}
		return strings.Join(parts, "; "), nil
	}
	return "", errors.New("there is no load balancer " + dnsName)
}

func (s *Shape) listener(ctx context.Context, l elbtypes.Listener) (string, error) {
	rules, err := s.client.DescribeRules(ctx, &elb.DescribeRulesInput{ListenerArn: l.ListenerArn})
	if err != nil {
		return "", fmt.Errorf("describing rules: %w", err)
	}
	head := fmt.Sprintf("%s:%d", l.Protocol, aws.ToInt32(l.Port))
	if l.Protocol == elbtypes.ProtocolEnumHttps {
		found, err := s.client.DescribeListenerCertificates(ctx, &elb.DescribeListenerCertificatesInput{ListenerArn: l.ListenerArn})
		if err != nil {
			return "", fmt.Errorf("describing certificates: %w", err)
		}
		head += fmt.Sprintf(" (certificates: %d%s)", len(found.Certificates), clients(l))
	}
	parts := []string{head}
	for _, r := range rules.Rules {
		what := "else"
		if !aws.ToBool(r.IsDefault) {
			what = conditions(r.Conditions)
		}
		answer, err := s.answer(ctx, r.Actions)
		if err != nil {
			return "", err
		}
		parts = append(parts, what+" → "+rewrites(r.Transforms)+answer)
	}
	return strings.Join(parts, ", "), nil
}

// clients says how a listener verifies them.
func clients(l elbtypes.Listener) string {
	if l.MutualAuthentication == nil || aws.ToString(l.MutualAuthentication.Mode) == "off" {
		return ""
	}
	return "; clients: " + aws.ToString(l.MutualAuthentication.Mode)
}

// rewrites of a request before it goes to its targets.
func rewrites(all []elbtypes.RuleTransform) string {
	var out strings.Builder
	write := func(what string, all []elbtypes.RewriteConfig) {
		for _, r := range all {
			fmt.Fprintf(&out, "%s %s becomes %s, ", what, aws.ToString(r.Regex), aws.ToString(r.Replace))
		}
	}
	for _, t := range all {
		switch {
		case t.UrlRewriteConfig != nil:
			write("path", t.UrlRewriteConfig.Rewrites)
		case t.HostHeaderRewriteConfig != nil:
			write("host", t.HostHeaderRewriteConfig.Rewrites)
		}
	}
	return out.String()
}

// conditions of a rule: host, paths, and what else is asked of requests.
func conditions(all []elbtypes.RuleCondition) string {
	var out []string
	for _, c := range all {
		switch {
		case c.HostHeaderConfig != nil:
			out = append(out, strings.Join(append(c.HostHeaderConfig.Values, c.HostHeaderConfig.RegexValues...), " or "))
		case c.PathPatternConfig != nil:
			out = append(out, strings.Join(append(c.PathPatternConfig.Values, c.PathPatternConfig.RegexValues...), " or "))
		default:
			out = append(out, aws.ToString(c.Field))
		}
	}
	slices.Sort(out)
	return strings.Join(out, " and ")
}

// answer is what comes of a request.
func (s *Shape) answer(ctx context.Context, actions []elbtypes.Action) (string, error) {
	var out []string
	for _, a := range actions {
		switch {
		case a.RedirectConfig != nil:
			to := a.RedirectConfig
			where := fmt.Sprintf("%s to %s:%s", to.StatusCode, aws.ToString(to.Protocol), aws.ToString(to.Port))
			if path := aws.ToString(to.Path); path != "/#{path}" {
				where += path
			}
			out = append(out, where)
		case a.FixedResponseConfig != nil:
			out = append(out, aws.ToString(a.FixedResponseConfig.StatusCode))
		case a.ForwardConfig != nil:
			for _, g := range a.ForwardConfig.TargetGroups {
				one, err := s.targets(ctx, aws.ToString(g.TargetGroupArn))
				if err != nil {
					return "", err
				}
				out = append(out, one)
			}
		default:
			out = append(out, string(a.Type))
		}
	}
	return strings.Join(out, " + "), nil
}

func (s *Shape) targets(ctx context.Context, arn string) (string, error) {
	groups, err := s.client.DescribeTargetGroups(ctx, &elb.DescribeTargetGroupsInput{TargetGroupArns: []string{arn}})
	if err != nil {
		return "", fmt.Errorf("describing target groups: %w", err)
	}
	health, err := s.client.DescribeTargetHealth(ctx, &elb.DescribeTargetHealthInput{TargetGroupArn: &arn})
	if err != nil {
		return "", fmt.Errorf("describing targets: %w", err)
	}
	g, all := groups.TargetGroups[0], health.TargetHealthDescriptions
	text := fmt.Sprintf("%d %s targets", len(all), g.TargetType)
	if g.TargetType == elbtypes.TargetTypeEnumIp && len(all) > 0 {
		text += fmt.Sprintf(" at %d", aws.ToInt32(all[0].Target.Port))
	}
	if path := aws.ToString(g.HealthCheckPath); path != "/" && path != "/AWS.ALB/healthcheck" {
		text += " with health at " + path
	}
	if v := aws.ToString(g.ProtocolVersion); v != "HTTP1" {
		text += " by " + v
	}
	return text, nil
}
