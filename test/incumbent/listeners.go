package incumbent

import (
	"context"
	"fmt"
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Forward forwards to target groups, each by its resource ID or ARN, without weights.
func Forward(groups ...string) elbtypes.Action {
	config := &elbtypes.ForwardActionConfig{}
	for _, g := range groups {
		config.TargetGroups = append(config.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: aws.String(g)})
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: config}
}

// Fixed answers with a text.
func Fixed(status, text string) elbtypes.Action {
	config := &elbtypes.FixedResponseActionConfig{StatusCode: &status, ContentType: aws.String("text/plain")}
	if text != "" {
		config.MessageBody = &text
	}
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: config}
}

// ToTLS redirects to a port with TLS.
func ToTLS(port string) elbtypes.Action {
	return elbtypes.Action{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &elbtypes.RedirectActionConfig{
		Port: &port, Protocol: aws.String("HTTPS"), StatusCode: elbtypes.RedirectActionStatusCodeEnumHttp301,
	}}
}

// Host and Path are conditions with plain values.
func Host(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("host-header"), HostHeaderConfig: &elbtypes.HostHeaderConditionConfig{Values: values}}
}

// Path is a condition of patterns.
func Path(values ...string) elbtypes.RuleCondition {
	return elbtypes.RuleCondition{Field: aws.String("path-pattern"), PathPatternConfig: &elbtypes.PathPatternConditionConfig{Values: values}}
}

func (a *Account) makeListener(ctx context.Context, s *Stack, balancer string, l *Listener) error {
	in := &elbv2.CreateListenerInput{
		LoadBalancerArn: &balancer, Port: &l.Port, Protocol: l.Protocol, DefaultActions: s.resolved(l.Default),
		Tags: elbTags(a.tags(s, strconv.Itoa(int(l.Port)), s.Tags)),
	}
	if len(l.Certificates) > 0 {
		in.Certificates, in.SslPolicy = []elbtypes.Certificate{{CertificateArn: &l.Certificates[0]}}, &l.Policy
	}
	out, err := a.elb.CreateListener(ctx, in)
	if err != nil {
		return failed(err, "making listener %d", l.Port)
	}
	l.arn = *out.Listeners[0].ListenerArn
	for i := range l.Certificates {
		if i == 0 {
			continue
		}
		if _, err := a.elb.AddListenerCertificates(ctx, &elbv2.AddListenerCertificatesInput{
			ListenerArn: &l.arn, Certificates: []elbtypes.Certificate{{CertificateArn: &l.Certificates[i]}},
		}); err != nil {
			return failed(err, "adding a certificate to listener %d", l.Port)
		}
	}
	for i, r := range l.Rules {
		if _, err := a.elb.CreateRule(ctx, &elbv2.CreateRuleInput{
			ListenerArn: &l.arn, Priority: aws.Int32(priority(i)), Conditions: r.Conditions, Actions: s.resolved(r.Actions),
			Tags: elbTags(a.tags(s, ruleID(l, i), r.Tags)),
		}); err != nil {
			return failed(err, "making rule %s", ruleID(l, i))
		}
	}
	return nil
}

// priority of the rule at an index: dense, from 1.
func priority(i int) int32 { return int32(i + 1) } //#nosec G115

func ruleID(l *Listener, i int) string { return fmt.Sprintf("%d:%d", l.Port, priority(i)) }

// resolved are actions with the ARNs of target groups, and their order.
func (s *Stack) resolved(actions []elbtypes.Action) []elbtypes.Action {
	out := make([]elbtypes.Action, 0, len(actions))
	for i, action := range actions {
		action.Order = aws.Int32(priority(i))
		if f := action.ForwardConfig; f != nil {
			copied := *f
			copied.TargetGroups = nil
			for _, t := range f.TargetGroups {
				t.TargetGroupArn = aws.String(s.arnOf(*t.TargetGroupArn))
				copied.TargetGroups = append(copied.TargetGroups, t)
			}
			action.ForwardConfig = &copied
		}
		out = append(out, action)
	}
	return out
}

// arnOf is the ARN of a target group of the stack, by its resource ID; what is none is an ARN itself.
func (s *Stack) arnOf(id string) string {
	for i := range s.Groups {
		if s.Groups[i].ID == id {
			return s.Groups[i].arn
		}
	}
	return id
}
