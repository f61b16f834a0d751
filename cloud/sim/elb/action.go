package elb

import (
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func badAction(format string, args ...any) error {
	return wire.Errorf("InvalidLoadBalancerAction", format, args...)
}

const maxOrder = 50000

// readActions checks actions and gives them as AWS returns them, and the secrets apart.
func (s *State) readActions(l *listener, actions []elbtypes.Action, held secrets) ([]elbtypes.Action, secrets, error) {
	if len(actions) == 0 {
		return nil, nil, invalid("An action must be specified")
	}
	kept := secrets{}
	all := make([]elbtypes.Action, 0, len(actions))
	for _, a := range actions {
		read, err := s.readAction(l, a, kept)
		if err != nil {
			return nil, nil, err
		}
		if read.AuthenticateOidcConfig != nil {
			if err := takeSecret(read.AuthenticateOidcConfig, held, kept); err != nil {
				return nil, nil, err
			}
		}
		all = append(all, read)
	}
	if err := checkOrder(all); err != nil {
		return nil, nil, err
	}
	if len(all) > 1 && s.forwardsOnly(all) {
		return nil, nil, badAction("Target groups with protocol version HTTP2 or GRPC support forward actions only")
	}
	return all, kept, nil
}

// forwardsOnly reports whether actions forward to a group whose protocol version allows no other action.
func (s *State) forwardsOnly(all []elbtypes.Action) bool {
	return slices.ContainsFunc(targetsOf(all), func(arn string) bool {
		g, ok := s.groups.Get(arn)
		return ok && g.ProtocolVersion != nil && *g.ProtocolVersion != "HTTP1"
	})
}

func isRouting(t elbtypes.ActionTypeEnum) bool {
	return t == elbtypes.ActionTypeEnumForward || t == elbtypes.ActionTypeEnumRedirect || t == elbtypes.ActionTypeEnumFixedResponse
}

// checkOrder demands one routing action, at the end, and sorts the actions.
func checkOrder(all []elbtypes.Action) error {
	if len(all) > 1 {
		for i, a := range all {
			if a.Order == nil {
				return badAction("An order must be specified for each action when there are multiple actions")
			}
			for _, b := range all[:i] {
				if *a.Order == *b.Order {
					return badAction("The action order '%d' was specified multiple times", *a.Order)
				}
			}
		}
		slices.SortFunc(all, func(a, b elbtypes.Action) int { return int(*a.Order - *b.Order) })
	}
	routing := 0
	for _, a := range all {
		if isRouting(a.Type) {
			routing++
		}
	}
	if routing != 1 || !isRouting(all[len(all)-1].Type) {
		return badAction("The last action must be a forward, fixed-response or redirect action, and there must be exactly one of them")
	}
	if len(all) > 2 {
		return wire.Errorf("TooManyActions", "A rule can have at most one authentication action and one routing action")
	}
	return nil
}

// readAction checks an action. The secret of a client of Cognito is kept.
func (s *State) readAction(l *listener, a elbtypes.Action, kept secrets) (elbtypes.Action, error) {
	if a.Order != nil && (*a.Order < 1 || *a.Order > maxOrder) {
		return a, invalid("Action order '%d' must be between 1 and %d", *a.Order, maxOrder)
	}
	if err := checkConfigs(a); err != nil {
		return a, err
	}
	if !isApplication(l.balancer) && a.Type != elbtypes.ActionTypeEnumForward {
		return a, badAction("Action type '%s' is not supported for listeners of load balancers with type '%s'", a.Type, l.balancer.Type)
	}
	if !isRouting(a.Type) && l.Protocol != elbtypes.ProtocolEnumHttps {
		return a, badAction("Actions of type '%s' are supported only on HTTPS listeners", a.Type)
	}
	switch a.Type {
	case elbtypes.ActionTypeEnumForward:
		return s.readForward(l, a)
	case elbtypes.ActionTypeEnumRedirect:
		return readRedirect(l, a)
	case elbtypes.ActionTypeEnumFixedResponse:
		return a, checkFixedResponse(a.FixedResponseConfig)
	case elbtypes.ActionTypeEnumAuthenticateOidc:
		return readOIDC(a)
	case elbtypes.ActionTypeEnumAuthenticateCognito:
		return s.readCognito(a, kept)
	case elbtypes.ActionTypeEnumJwtValidation:
		return a, checkJWT(a.JwtValidationConfig)
	default:
		return a, invalid("An action type must be specified")
	}
}

// checkConfigs demands the configuration of the action's own type and no other.
func checkConfigs(a elbtypes.Action) error {
	present := map[elbtypes.ActionTypeEnum]bool{
		elbtypes.ActionTypeEnumForward:             a.TargetGroupArn != nil || a.ForwardConfig != nil,
		elbtypes.ActionTypeEnumRedirect:            a.RedirectConfig != nil,
		elbtypes.ActionTypeEnumFixedResponse:       a.FixedResponseConfig != nil,
		elbtypes.ActionTypeEnumAuthenticateOidc:    a.AuthenticateOidcConfig != nil,
		elbtypes.ActionTypeEnumAuthenticateCognito: a.AuthenticateCognitoConfig != nil,
		elbtypes.ActionTypeEnumJwtValidation:       a.JwtValidationConfig != nil,
	}
	if !present[a.Type] {
		return badAction("An action of type '%s' must have its configuration", a.Type)
	}
	for kind, has := range present {
		if has && kind != a.Type {
			return badAction("The configuration for action type '%s' cannot be used with an action of type '%s'", kind, a.Type)
		}
	}
	return nil
}

const (
	defaultWeight   = 1
	maxWeight       = 999
	maxStickySecond = 604800
)

// readForward checks a forward and fills both of its forms: one group shows as TargetGroupArn too, several only in ForwardConfig.
func (s *State) readForward(l *listener, a elbtypes.Action) (elbtypes.Action, error) {
	var groups []elbtypes.TargetGroupTuple
	sticky := &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(false)}
	if c := a.ForwardConfig; c != nil {
		groups = slices.Clone(c.TargetGroups)
		if c.TargetGroupStickinessConfig != nil {
			sticky = c.TargetGroupStickinessConfig
		}
	}
	if arn := aws.ToString(a.TargetGroupArn); arn != "" {
		if groups != nil && (len(groups) != 1 || aws.ToString(groups[0].TargetGroupArn) != arn) {
			return a, badAction("The target group ARN and the forward configuration must name the same single target group")
		}
		if groups == nil {
			groups = []elbtypes.TargetGroupTuple{{TargetGroupArn: aws.String(arn)}}
		}
	}
	if err := s.checkTuples(l, groups); err != nil {
		return a, err
	}
	sticky, err := s.readStickiness(l, groups, sticky)
	if err != nil {
		return a, err
	}
	a.TargetGroupArn = nil
	if len(groups) == 1 {
		a.TargetGroupArn = groups[0].TargetGroupArn
		if groups[0].Weight == nil {
			groups[0].Weight = aws.Int32(defaultWeight)
		}
	}
	a.ForwardConfig = &elbtypes.ForwardActionConfig{TargetGroups: groups, TargetGroupStickinessConfig: sticky}
	return a, nil
}

func (s *State) checkTuples(l *listener, groups []elbtypes.TargetGroupTuple) error {
	if len(groups) == 0 {
		return badAction("A forward action must have at least one target group")
	}
	if len(groups) > groupsPerAction {
		return wire.Errorf("TooManyTargetGroups", "A forward action can have at most '%d' target groups", groupsPerAction)
	}
	for i, t := range groups {
		arn := aws.ToString(t.TargetGroupArn)
		if arn == "" {
			return invalid("A target group ARN must be specified")
		}
		for _, other := range groups[:i] {
			if *other.TargetGroupArn == arn {
				return invalid("The target group '%s' was specified multiple times", arn)
			}
		}
		if t.Weight == nil && len(groups) > 1 {
			return invalid("A weight must be specified for each target group when there are several")
		}
		if t.Weight != nil && (*t.Weight < 0 || *t.Weight > maxWeight) {
			return invalid("The weight '%d' must be between 0 and %d", *t.Weight, maxWeight)
		}
		if err := s.checkForwardTo(l, arn); err != nil {
			return err
		}
	}
	return nil
}

// readStickiness checks group stickiness: a forward to several groups of which one has sticky targets needs it.
func (s *State) readStickiness(l *listener, groups []elbtypes.TargetGroupTuple, c *elbtypes.TargetGroupStickinessConfig) (
	*elbtypes.TargetGroupStickinessConfig, error,
) {
	enabled := aws.ToBool(c.Enabled)
	if c.DurationSeconds != nil && (*c.DurationSeconds < 1 || *c.DurationSeconds > maxStickySecond) {
		return nil, invalid("Target group stickiness duration '%d' must be between 1 and %d", *c.DurationSeconds, maxStickySecond)
	}
	if enabled && c.DurationSeconds == nil && isApplication(l.balancer) {
		return nil, invalid("A target group stickiness duration must be specified")
	}
	if c.DurationSeconds != nil && !isApplication(l.balancer) {
		return nil, invalid("A target group stickiness duration is supported only for application load balancers")
	}
	if len(groups) > 1 && !enabled && isApplication(l.balancer) {
		for _, t := range groups {
			if g, ok := s.groups.Get(*t.TargetGroupArn); ok && g.attributes["stickiness.enabled"] == "true" {
				return nil, unfit("You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups")
			}
		}
	}
	return &elbtypes.TargetGroupStickinessConfig{Enabled: aws.Bool(enabled), DurationSeconds: c.DurationSeconds}, nil
}

// targetsOf lists the target groups that actions forward to.
func targetsOf(actions []elbtypes.Action) []string {
	var all []string
	for _, a := range actions {
		if a.ForwardConfig == nil {
			continue
		}
		for _, t := range a.ForwardConfig.TargetGroups {
			all = append(all, *t.TargetGroupArn)
		}
	}
	return all
}

// maxBody and the content types are those of a fixed response (API reference, FixedResponseActionConfig).
const maxBody = 1024

func checkFixedResponse(c *elbtypes.FixedResponseActionConfig) error {
	code := aws.ToString(c.StatusCode)
	if len(code) != 3 || strings.Trim(code[:1], "245") != "" || strings.Trim(code[1:], "0123456789") != "" {
		return invalid("1 validation error detected: Value '%s' at 'fixedResponseConfig.statusCode' failed to satisfy constraint: "+
			`Member must satisfy regular expression pattern: ^(2|4|5)\d\d$`, code)
	}
	types := []string{"text/plain", "text/css", "text/html", "application/javascript", "application/json"}
	if c.ContentType != nil && !slices.Contains(types, *c.ContentType) {
		return badAction("The ContentType must be one of:'%s'", strings.Join(types, "', '"))
	}
	if len(aws.ToString(c.MessageBody)) > maxBody {
		return invalid("The message body cannot be longer than '%d' characters", maxBody)
	}
	return nil
}
