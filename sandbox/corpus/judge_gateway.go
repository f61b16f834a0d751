package corpus

import (
	"context"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// badConditions are the conditions that say that something is not as it was asked for.
func badConditions(prefix string, conditions []metav1.Condition) []string {
	var out []string
	for _, c := range conditions {
		good := metav1.ConditionTrue
		if c.Type == string(gwv1.ListenerConditionConflicted) {
			good = metav1.ConditionFalse
		}
		if c.Status != good {
			out = append(out, fmt.Sprintf("%s%s=%s %s: %s", prefix, c.Type, c.Status, c.Reason, c.Message))
		}
	}
	return out
}

// pending tells whether the conditions only say that something takes time.
func pending(bad []string) bool {
	return !slices.ContainsFunc(bad, func(s string) bool {
		return !strings.Contains(s, string(gwv1.GatewayReasonPending)) && !strings.Contains(s, "Waiting")
	})
}

func (t *trial) class(ctx context.Context, o *unstructured.Unstructured) (Verdict, string) {
	c := &gwv1.GatewayClass{}
	if err := t.fetch(ctx, o, c); err != nil {
		return Unclear, err.Error()
	}
	if c.Spec.ControllerName != "gateway.k8s.aws/alb" {
		return NotForUs, "class of " + string(c.Spec.ControllerName)
	}
	bad := badConditions("", c.Status.Conditions)
	switch {
	case slices.ContainsFunc(c.Status.Conditions, func(c metav1.Condition) bool { return c.ObservedGeneration == 0 }):
		return Unclear, "not judged yet"
	case len(bad) > 0:
		return Finding, strings.Join(bad, " ")
	}
	return Serves, "our class"
}

func (t *trial) route(ctx context.Context, o *unstructured.Unstructured) (Verdict, string) {
	r := &gwv1.HTTPRoute{}
	if err := t.fetch(ctx, o, r); err != nil {
		return Unclear, err.Error()
	}
	gateways := t.gatewaysOf(ctx, r)
	if len(gateways) == 0 {
		return NotForUs, "no Gateway of ours is its parent"
	}
	if len(r.Status.Parents) == 0 {
		return Unclear, "no status"
	}
	var bad []string
	for _, p := range r.Status.Parents {
		bad = append(bad, badConditions(string(p.ParentRef.Name)+" ", p.Conditions)...)
	}
	said := strings.Join(bad, " ")
	var requests []Request
	for _, g := range gateways {
		requests = append(requests, routeRequests(r, g)...)
	}
	if len(requests) == 0 && said != "" {
		return Finding, said
	}
	return t.outcome(ctx, requests, said)
}

func (t *trial) gatewaysOf(ctx context.Context, r *gwv1.HTTPRoute) []*gwv1.Gateway {
	var out []*gwv1.Gateway
	for _, p := range r.Spec.ParentRefs {
		namespace := r.Namespace
		if p.Namespace != nil {
			namespace = string(*p.Namespace)
		}
		g := &gwv1.Gateway{}
		if t.Client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: string(p.Name)}, g) != nil {
			continue
		}
		class := &gwv1.GatewayClass{}
		if t.Client.Get(ctx, client.ObjectKey{Name: string(g.Spec.GatewayClassName)}, class) == nil &&
			class.Spec.ControllerName == "gateway.k8s.aws/alb" {
			out = append(out, g)
		}
	}
	return out
}

// routeRequests are requests that the route's matches by path alone should get.
func routeRequests(r *gwv1.HTTPRoute, g *gwv1.Gateway) []Request {
	if len(g.Status.Addresses) == 0 {
		return nil
	}
	hosts := r.Spec.Hostnames
	if len(hosts) == 0 {
		hosts = []gwv1.Hostname{""}
	}
	var out []Request
	for _, l := range g.Spec.Listeners {
		if l.Protocol != gwv1.HTTPProtocolType && l.Protocol != gwv1.HTTPSProtocolType {
			continue
		}
		for _, h := range hosts {
			if h == "" && l.Hostname != nil {
				h = *l.Hostname
			}
			base := Request{
				DNSName: g.Status.Addresses[0].Value, Port: int(l.Port), Host: strings.Replace(string(h), "*", "any", 1), Path: "/",
			}
			for _, rule := range r.Spec.Rules {
				out = append(out, ruleRequests(rule, base)...)
			}
		}
	}
	return out
}

// ruleRequests are a request for each match of a rule that looks at the path alone.
func ruleRequests(rule gwv1.HTTPRouteRule, base Request) []Request {
	if len(rule.Matches) == 0 {
		return []Request{base}
	}
	var out []Request
	for _, m := range rule.Matches {
		if m.Path != nil && m.Path.Value != nil && len(m.Headers)+len(m.QueryParams) == 0 && m.Method == nil {
			one := base
			one.Path = *m.Path.Value
			out = append(out, one)
		}
	}
	return out
}

func (t *trial) binding(ctx context.Context, o *unstructured.Unstructured) (Verdict, string) {
	b := &elbv2v1beta1.TargetGroupBinding{}
	if err := t.fetch(ctx, o, b); err != nil {
		return Unclear, err.Error()
	}
	if said := t.said(ctx, o); said != "" {
		return Finding, said
	}
	if g := b.Status.ObservedGeneration; g != nil && *g == b.Generation {
		return Serves, "targets follow the Service"
	}
	return Unclear, "no status and nothing said"
}
