package gateway

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/secret"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// What a ListenerRuleConfiguration adds to a rule of a route: who is let through, for whom the rule is, and how it answers. What of it cannot
// be read or served closes the rule: it may have kept somebody out.

// extensionOf is the ListenerRuleConfiguration that a filter names; without a name where it is another filter.
func extensionOf(namespace string, f gwv1.HTTPRouteFilter) types.NamespacedName {
	x := f.ExtensionRef
	if f.Type != gwv1.HTTPRouteFilterExtensionRef || x == nil || x.Group != awsgwv1.Group || x.Kind != awsgwv1.KindListenerRuleConfiguration {
		return types.NamespacedName{}
	}
	return types.NamespacedName{Namespace: namespace, Name: string(x.Name)}
}

// loadExtensions reads the configurations that rules name, and the clients that they sign users in with.
func (s *Snapshot) loadExtensions(ctx context.Context, r client.Reader, set Settings) error {
	s.Extensions, s.Clients = map[types.NamespacedName]*awsgwv1.ListenerRuleConfiguration{}, map[model.SecretRef]secret.Client{}
	if !s.Ours {
		return nil
	}
	for i := range s.Routes {
		for _, name := range extensions(&s.Routes[i]) {
			if err := s.loadExtension(ctx, r, name.NamespacedName); err != nil {
				return err
			}
		}
	}
	for _, x := range s.Extensions {
		for _, ref := range clientsOf(x) {
			if _, known := s.Clients[ref]; known {
				continue
			}
			found, err := set.Secrets.Client(ctx, r, ref, set.ClusterName)
			if err != nil {
				return fmt.Errorf("loading a client: %w", err)
			}
			s.Clients[ref] = found
		}
	}
	return nil
}

func (s *Snapshot) loadExtension(ctx context.Context, r client.Reader, name types.NamespacedName) error {
	if s.Extensions[name] != nil {
		return nil
	}
	x := &awsgwv1.ListenerRuleConfiguration{}
	err := r.Get(ctx, name, x)
	if apierrors.IsNotFound(err) || meta.IsNoMatchError(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading %s %s: %w", awsgwv1.KindListenerRuleConfiguration, name, err)
	}
	s.Extensions[name] = x
	return nil
}

// clientsOf are the Secrets that a configuration names for sign-in.
func clientsOf(x *awsgwv1.ListenerRuleConfiguration) []model.SecretRef {
	var out []model.SecretRef
	for _, a := range x.Spec.Actions {
		if a.Type == awsgwv1.ActionTypeAuthenticateOIDC && a.AuthenticateOIDCConfig != nil {
			out = append(out, model.SecretRef{Namespace: x.Namespace, Name: a.AuthenticateOIDCConfig.Secret.Name})
		}
	}
	return out
}

// gatewaysOfClient are the Gateways that a Secret for sign-in may concern: all, where a configuration names it.
func (r *Reconciler) gatewaysOfClient(ctx context.Context, o client.Object) []reconcile.Request {
	var list awsgwv1.ListenerRuleConfigurationList
	if err := listKind(ctx, r.client, &list); err != nil {
		ctrl.LoggerFrom(ctx).Error(err, "looking for who names a Secret")
		return nil
	}
	ref := model.SecretRef{Namespace: o.GetNamespace(), Name: o.GetName()}
	for i := range list.Items {
		if slices.Contains(clientsOf(&list.Items[i]), ref) {
			return r.allGateways(ctx, o)
		}
	}
	return nil
}

// extra is what a rule's configuration adds to it.
type extra struct {
	spec awsgwv1.ListenerRuleConfigurationSpec
	// guard lets only some through, nil lets all; its place is field.
	guard *model.Action
	field string
	fixed *intent.Fixed
	query *string
	// sticky is how long a client stays with a target group.
	sticky int
}

// extend reads the configuration that a rule names. It reports false, and notes why, where the rule must answer 503 for it.
func (t *translator) extend(j *judged, rule ruleAt) (extra, bool) {
	var out extra
	named := false
	for i, f := range rule.Filters {
		key := extensionOf(j.route.Namespace, f)
		if key.Name == "" {
			continue
		}
		at := fmt.Sprintf("%s.filters[%d]", rule.field, i)
		x := t.snapshot.Extensions[key]
		switch {
		case named:
			j.shutFor(at, "a rule has one ListenerRuleConfiguration: put both into one")
			return extra{}, false
		case x == nil:
			j.shutFor(at, fmt.Sprintf("there is no %s/%s in namespace %s: create it, or remove the filter to open the rule to everybody",
				awsgwv1.KindListenerRuleConfiguration, key.Name, key.Namespace))
			return extra{}, false
		}
		named, out.spec, out.field = true, x.Spec, at
		for i, a := range x.Spec.Actions {
			if problem := t.take(&out, key.Namespace, a); problem != "" {
				j.shutFor(at, fmt.Sprintf("%s/%s: spec.actions[%d]: %s", awsgwv1.KindListenerRuleConfiguration, key.Name, i, problem))
				return extra{}, false
			}
		}
		if problem := conditionProblem(x.Spec.Conditions, matchCount(j.route, rule)); problem != "" {
			j.shutFor(at, fmt.Sprintf("%s/%s: %s", awsgwv1.KindListenerRuleConfiguration, key.Name, problem))
			return extra{}, false
		}
		j.idle(at, x, rule)
	}
	return out, true
}

// shutFor notes why a rule answers 503.
func (j *judged) shutFor(field, why string) {
	j.closed = append(j.closed, model.Finding{
		Object: j.fragment.Member, Severity: model.Closed, Reason: reasonUnusable, Field: field,
		Message: why + "; this rule answers 503 until then, the other rules are served",
	})
}

// conditionProblem says what cannot be served of the conditions for a rule of so many matches.
func conditionProblem(conditions []awsgwv1.ListenerRuleCondition, matches int) string {
	for i, c := range conditions {
		if c.Field != awsgwv1.ConditionFieldSourceIP || c.SourceIPConfig == nil || len(c.SourceIPConfig.Values) == 0 {
			return fmt.Sprintf("spec.conditions[%d] cannot be read: use the field source-ip with sourceIPConfig.values", i)
		}
		for k, value := range c.SourceIPConfig.Values {
			if _, problem := intent.SourceRange(value); problem != "" {
				return fmt.Sprintf("spec.conditions[%d].sourceIPConfig.values[%d]: %s", i, k, problem)
			}
		}
	}
	return indexProblem(conditions, matches)
}

// indexProblem says what cannot be served of the matches that conditions are for: AWS joins what a rule has twice by OR.
func indexProblem(conditions []awsgwv1.ListenerRuleCondition, matches int) string {
	by := map[int]int{}
	for i, c := range conditions {
		for _, match := range c.MatchIndexes {
			if match < 0 || match >= matches {
				return fmt.Sprintf("spec.conditions[%d].matchIndexes names match %d, and the rule has %d, counted from 0: name those that it has",
					i, match, matches)
			}
		}
		for match := range matches {
			if !concerns(c, match) {
				continue
			}
			if other, twice := by[match]; twice {
				return fmt.Sprintf("spec.conditions[%d] and spec.conditions[%d] both say where clients of match %d come from, and a rule of AWS has one "+
					"such condition, of which one value is enough: put the ranges that are let in into one", other, i, match)
			}
			by[match] = i
		}
	}
	return ""
}

// concerns tells whether a condition is for a match of a rule, by its index.
func concerns(c awsgwv1.ListenerRuleCondition, match int) bool {
	return len(c.MatchIndexes) == 0 || slices.Contains(c.MatchIndexes, match)
}

// matchCount is how many matches a rule has.
func matchCount(route *route, rule ruleAt) int {
	if route.kind == kindGRPCRoute {
		return max(1, len(rule.calls))
	}
	return max(1, len(rule.Matches))
}

// take adds one action, or says in words why it cannot be.
func (t *translator) take(into *extra, namespace string, a awsgwv1.Action) string {
	const unreadable = "the action %s has no configuration of its own: write it"
	guard, problem := t.guardOf(namespace, a)
	switch {
	case problem != "":
		return problem
	case guard != nil && into.guard != nil:
		return "it checks who asks in two ways: leave one out"
	case guard != nil:
		into.guard = guard
		return ""
	}
	switch a.Type {
	case awsgwv1.ActionTypeForward:
		into.sticky = stickiness(a.ForwardConfig)
		return ""
	case awsgwv1.ActionTypeRedirect:
		if c := a.RedirectConfig; c != nil && c.Query != nil && *c.Query != keepQuery {
			into.query = a.RedirectConfig.Query
		}
		return ""
	case awsgwv1.ActionTypeFixedResponse:
		c := a.FixedResponseConfig
		if c == nil {
			return fmt.Sprintf(unreadable, a.Type)
		}
		into.fixed = &intent.Fixed{StatusCode: int(c.StatusCode), ContentType: "text/plain"}
		if c.ContentType != nil {
			into.fixed.ContentType = string(*c.ContentType)
		}
		setText(&into.fixed.Body, c.MessageBody)
		return ""
	case awsgwv1.ActionTypeAuthenticateOIDC, awsgwv1.ActionTypeAuthenticateCognito, awsgwv1.ActionTypeJWTValidation:
		return fmt.Sprintf(unreadable, a.Type)
	}
	return fmt.Sprintf("nobody knows the action %q", a.Type)
}

// stickiness is how long a client stays with a target group, in seconds, 0 for not at all.
func stickiness(c *awsgwv1.ForwardActionConfig) int {
	switch {
	case c == nil || c.TargetGroupStickinessConfig == nil || !deref(c.TargetGroupStickinessConfig.Enabled):
		return 0
	case c.TargetGroupStickinessConfig.DurationSeconds == nil:
		return defaultStickiness
	}
	return int(*c.TargetGroupStickinessConfig.DurationSeconds)
}

// keepQuery stands for the query of the request (the incumbent's default).
const keepQuery = "#{query}"

// defaultStickiness is how long a client stays with a target group where nobody says it, in seconds (the incumbent's default).
const defaultStickiness = 3600

// guardOf is the action that lets only some through, nil for another one.
func (t *translator) guardOf(namespace string, a awsgwv1.Action) (guard *model.Action, problem string) {
	switch {
	case a.Type == awsgwv1.ActionTypeAuthenticateOIDC && a.AuthenticateOIDCConfig != nil:
		c := *a.AuthenticateOIDCConfig
		ref := model.SecretRef{Namespace: namespace, Name: c.Secret.Name}
		found, read := t.snapshot.Clients[ref]
		if !read || found.Problem != "" {
			return nil, found.Problem + " (" + ref.String() + ")"
		}
		return &model.Action{Type: model.ActionOIDC, OIDC: &model.OIDC{
			Issuer: c.Issuer, AuthorizationEndpoint: c.AuthorizationEndpoint, TokenEndpoint: c.TokenEndpoint, UserInfoEndpoint: c.UserInfoEndpoint,
			ClientID: found.ID, Secret: ref, Digest: found.Digest, KeepSecret: deref(c.UseExistingClientSecret),
			Session: session(c.OnUnauthenticatedRequest, c.Scope, c.SessionCookieName).lasting(c.SessionTimeout, c.AuthenticationRequestExtraParams),
		}}, ""
	case a.Type == awsgwv1.ActionTypeAuthenticateCognito && a.AuthenticateCognitoConfig != nil:
		c := *a.AuthenticateCognitoConfig
		return &model.Action{Type: model.ActionCognito, Cognito: &model.Cognito{
			UserPoolARN: model.ARN(c.UserPoolArn), UserPoolClientID: c.UserPoolClientID, UserPoolDomain: c.UserPoolDomain,
			Session: session(c.OnUnauthenticatedRequest, c.Scope, c.SessionCookieName).lasting(c.SessionTimeout, c.AuthenticationRequestExtraParams),
		}}, ""
	case a.Type == awsgwv1.ActionTypeJWTValidation && a.JWTValidationConfig != nil:
		jwt := &model.JWT{Issuer: a.JWTValidationConfig.Issuer, JWKSEndpoint: a.JWTValidationConfig.JWKSEndpoint}
		for _, c := range a.JWTValidationConfig.AdditionalClaims {
			jwt.Claims = append(jwt.Claims, model.Claim{Name: c.Name, Format: string(c.Format), Values: slices.Sorted(slices.Values(c.Values))})
		}
		return &model.Action{Type: model.ActionJWT, JWT: jwt}, ""
	}
	return nil, ""
}

// staying is how users stay signed in.
type staying model.Session

func session(unauthenticated *awsgwv1.UnauthenticatedBehavior, scope, cookie *string) staying {
	out := staying{OnUnauthenticated: string(deref(unauthenticated))}
	setText(&out.Scope, scope)
	setText(&out.Cookie, cookie)
	return out
}

// lasting adds for how long, and what goes to the provider.
func (s staying) lasting(seconds *int64, params map[string]string) model.Session {
	out := model.Session(s)
	out.TimeoutSeconds = int(deref(seconds))
	if len(params) > 0 {
		out.ExtraParams = maps.Clone(params)
	}
	return out.WithDefaults()
}

// apply puts what a configuration adds into a route of one of the rule's matches.
func (x extra) apply(r intent.Route, match int) intent.Route {
	if x.guard != nil {
		r.Auth, r.AuthField = x.guard, x.field
	}
	if x.fixed != nil {
		r.Forward, r.Redirect, r.Fixed = nil, nil, x.fixed
	}
	if r.Redirect != nil && x.query != nil {
		to := *r.Redirect
		to.Query, r.Redirect = x.query, &to
	}
	if r.Forward != nil && x.sticky > 0 {
		to := *r.Forward
		to.StickySeconds, r.Forward = x.sticky, &to
	}
	if len(x.spec.Tags) > 0 {
		r.Tags = maps.Clone(x.spec.Tags)
	}
	r.ExtraField = x.field
	for _, c := range x.spec.Conditions {
		if concerns(c, match) {
			r.Match.SourceIPs = append(slices.Clone(r.Match.SourceIPs), c.SourceIPConfig.Values...)
		}
	}
	return r
}

// restrictsMore tells whether a route lets only some through.
func restrictsMore(r intent.Route) bool { return r.Auth != nil || len(r.Match.SourceIPs) > 0 }

// reguard puts before routes that were good once what their owner says now of who is let through. What was open, and overlaps with what is
// restricted now by another match, answers 503.
func (j *judged) reguard(good []intent.Route) []intent.Route {
	restricted := slices.DeleteFunc(slices.Clone(j.openRoutes), func(r intent.Route) bool { return !restrictsMore(r) })
	if len(restricted) == 0 {
		return good
	}
	out := slices.Clone(good)
	for i, r := range out {
		if same := slices.IndexFunc(j.openRoutes, func(now intent.Route) bool { return sameMatch(now, r) }); same >= 0 {
			if guard := j.openRoutes[same]; guard.Auth != nil {
				out[i].Auth, out[i].AuthField = guard.Auth, guard.AuthField
			}
			continue
		}
		if !restrictsMore(r) && slices.ContainsFunc(restricted, func(now intent.Route) bool { return meet(now.Match, r.Match) && !yields(r, now) }) {
			out[i] = answering(r, http.StatusServiceUnavailable)
		}
	}
	return out
}
