package corpus

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// badConditions are the conditions that say that something is not as it was asked for.
func badConditions(prefix string, conditions []metav1.Condition) []string {
	var out []string
	for _, c := range conditions {
		good := metav1.ConditionTrue
		if c.Type == string(gwv1.ListenerConditionConflicted) || c.Type == string(gwv1.RouteConditionPartiallyInvalid) {
			good = metav1.ConditionFalse
		}
		if c.Status != good {
			out = append(out, fmt.Sprintf("%s%s=%s %s: %s", prefix, c.Type, c.Status, c.Reason, c.Message))
		}
	}
	return out
}

// pending tells whether some conditions say that something takes time.
func pending(bad []string) bool {
	return slices.ContainsFunc(bad, func(s string) bool {
		return strings.Contains(s, string(gwv1.GatewayReasonPending)) || strings.Contains(s, "Waiting")
	})
}

func (t *trial) gatewayClassOf(ctx context.Context, o *unstructured.Unstructured) seen {
	c := &gwv1.GatewayClass{}
	if err := t.fetch(ctx, o, c); err != nil {
		return unclear(err.Error())
	}
	if c.Spec.ControllerName != gatewayController {
		return seen{verdict: NotForUs, detail: "class of " + string(c.Spec.ControllerName)}
	}
	bad := badConditions("", c.Status.Conditions)
	switch {
	case slices.ContainsFunc(c.Status.Conditions, func(c metav1.Condition) bool { return c.ObservedGeneration == 0 }):
		return unclear("not judged yet")
	case len(bad) > 0:
		return seen{verdict: Finding, detail: strings.Join(bad, " ")}
	}
	return seen{verdict: Serves, detail: "our class"}
}

func (t *trial) gateway(ctx context.Context, o *unstructured.Unstructured) seen {
	g := &gwv1.Gateway{}
	if err := t.fetch(ctx, o, g); err != nil {
		return unclear(err.Error())
	}
	if !t.oursByClass(ctx, g) {
		return seen{verdict: NotForUs, detail: "no class of ours"}
	}
	bad := badConditions("", g.Status.Conditions)
	comes := pending(bad)
	for _, l := range g.Status.Listeners {
		bad = append(bad, badConditions("listener "+string(l.Name)+" ", l.Conditions)...)
	}
	said := strings.Join(bad, " ")
	switch {
	case len(g.Status.Addresses) > 0 && len(bad) == 0:
		out := seen{verdict: Serves, detail: "1 load balancer: " + strconv.Itoa(len(g.Status.Listeners)) + " listeners programmed"}
		if told := t.said(ctx, o); told != "" {
			out.detail += "; told: " + told
		}
		return out
	case len(bad) > 0 && !slices.ContainsFunc(bad, unfounded):
		return seen{verdict: Finding, detail: said, open: comes}
	}
	return unclear("no address and nothing said " + said)
}

// unfounded are conditions as the API server writes them, before any controller saw the object.
func unfounded(bad string) bool { return strings.Contains(bad, "Waiting for controller") }

func (t *trial) oursByClass(ctx context.Context, g *gwv1.Gateway) bool {
	class := &gwv1.GatewayClass{}
	err := t.Client.Get(ctx, client.ObjectKey{Name: string(g.Spec.GatewayClassName)}, class)
	return err == nil && class.Spec.ControllerName == gatewayController
}

func (t *trial) route(ctx context.Context, o *unstructured.Unstructured) seen {
	r := &gwv1.HTTPRoute{}
	if err := t.fetch(ctx, o, r); err != nil {
		return unclear(err.Error())
	}
	gateways := t.gatewaysOf(ctx, r)
	if len(gateways) == 0 {
		return seen{verdict: NotForUs, detail: "no Gateway of ours is its parent"}
	}
	if len(r.Status.Parents) == 0 {
		return unclear("no status")
	}
	var bad []string
	for _, p := range r.Status.Parents {
		bad = append(bad, badConditions("parent "+string(p.ParentRef.Name)+" ", p.Conditions)...)
	}
	said := strings.Join(bad, " ")
	if strings.Contains(said, string(gwv1.RouteConditionAccepted)+"=False") {
		return seen{verdict: Finding, detail: said}
	}
	var requests []Request
	addresses := 0
	for _, g := range gateways {
		addresses += len(g.Status.Addresses)
		requests = append(requests, routeRequests(r, g)...)
	}
	switch {
	case len(requests) > 0:
		return t.outcome(ctx, requests, said)
	case said != "":
		return seen{verdict: Finding, detail: said, open: addresses == 0}
	case addresses > 0:
		return seen{verdict: Serves, detail: "accepted; no match that a plain request can meet"}
	}
	return unclear("no address")
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
		if t.oursByClass(ctx, g) {
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

// ruleRequests are a request for each match of a rule that asks for exact values.
func ruleRequests(rule gwv1.HTTPRouteRule, base Request) []Request {
	if len(rule.Matches) == 0 {
		return []Request{base}
	}
	var out []Request
	for _, m := range rule.Matches {
		if one, ok := matching(m, base); ok {
			out = append(out, one)
		}
	}
	return out
}

// matching is a request that meets a match.
func matching(m gwv1.HTTPRouteMatch, base Request) (Request, bool) {
	one, query := base, url.Values{}
	one.Header = map[string]string{}
	if m.Path != nil && m.Path.Value != nil {
		if ptr.Deref(m.Path.Type, gwv1.PathMatchPathPrefix) == gwv1.PathMatchRegularExpression {
			return one, false
		}
		one.Path = *m.Path.Value
	}
	for _, h := range m.Headers {
		if ptr.Deref(h.Type, gwv1.HeaderMatchExact) != gwv1.HeaderMatchExact {
			return one, false
		}
		one.Header[string(h.Name)] = h.Value
	}
	for _, q := range m.QueryParams {
		if ptr.Deref(q.Type, gwv1.QueryParamMatchExact) != gwv1.QueryParamMatchExact {
			return one, false
		}
		query.Set(string(q.Name), q.Value)
	}
	one.Query, one.Method = query.Encode(), string(ptr.Deref(m.Method, ""))
	return one, true
}
