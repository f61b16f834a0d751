package gateway

import (
	"fmt"
	"slices"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// idle tells of actions of a ListenerRuleConfiguration that a rule has no use for, and of what of the rule they take the place.
func (j *judged) idle(at string, x *awsgwv1.ListenerRuleConfiguration, rule ruleAt) {
	redirects := slices.ContainsFunc(rule.Filters, func(f gwv1.HTTPRouteFilter) bool { return f.RequestRedirect != nil })
	for i, a := range x.Spec.Actions {
		field, why := at, ""
		switch {
		case a.Type == awsgwv1.ActionTypeRedirect && !redirects:
			why = "says how a redirect is made, and the rule has no filter RequestRedirect: add one, or remove the action"
		case a.Type == awsgwv1.ActionTypeForward && redirects:
			why = "is for rules that forward, and this one redirects: remove one of the two"
		case a.Type == awsgwv1.ActionTypeForward && len(rule.BackendRefs) == 0:
			why = "is for rules that forward, and this one has no backendRefs: add some, or remove the action"
		case a.Type == awsgwv1.ActionTypeFixedResponse && redirects:
			field, why = rule.field+".filters", "answers in the place of RequestRedirect: remove one of the two"
		case a.Type == awsgwv1.ActionTypeFixedResponse && len(rule.BackendRefs) > 0:
			field, why = rule.field+".backendRefs", "answers in their place: remove one of the two"
		}
		if why != "" {
			j.findings = append(j.findings, unused(j.fragment.Member, field, fmt.Sprintf("spec.actions[%d] (%s) of %s/%s %s",
				i, a.Type, awsgwv1.KindListenerRuleConfiguration, x.Name, why)))
		}
	}
}
