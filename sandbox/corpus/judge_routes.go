package corpus

import (
	"context"
	"net/url"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// routeForm is what HTTPRoutes and GRPCRoutes have in common.
type routeForm struct {
	metav1.ObjectMeta `json:"metadata"`

	Spec struct {
		gwv1.CommonRouteSpec `json:",inline"`

		Hostnames []gwv1.Hostname `json:"hostnames"`
		Rules     []struct {
			BackendRefs []gwv1.BackendRef `json:"backendRefs"`
		} `json:"rules"`
	} `json:"spec"`
	Status gwv1.RouteStatus `json:"status"`
}

func (t *trial) route(ctx context.Context, o *unstructured.Unstructured) seen {
	r := &routeForm{}
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
	if refusal(said) {
		return seen{verdict: Finding, detail: said}
	}
	var requests []Request
	addresses := 0
	for _, g := range gateways {
		addresses += len(g.Status.Addresses)
		requests = append(requests, routeRequests(o, r.Spec.Hostnames, g)...)
	}
	switch {
	case len(requests) > 0:
		return t.outcome(ctx, requests, said)
	case said != "":
		return seen{verdict: Finding, detail: said, open: addresses == 0, slow: true}
	case addresses > 0:
		return seen{verdict: Serves, detail: "accepted; no match that a plain request can meet"}
	}
	return unclear("no address")
}

func (t *trial) gatewaysOf(ctx context.Context, r *routeForm) []*gwv1.Gateway {
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

// routeRequests are requests that a route should get, of those matches that ask for exact values.
func routeRequests(o *unstructured.Unstructured, hosts []gwv1.Hostname, g *gwv1.Gateway) []Request {
	if len(g.Status.Addresses) == 0 {
		return nil
	}
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
				Scheme: strings.ToLower(string(l.Protocol)),
			}
			out = append(out, matched(o, base)...)
		}
	}
	return out
}

// matched are the requests to one listener for the rules of a route.
func matched(o *unstructured.Unstructured, base Request) []Request {
	var out []Request
	if r, ok := typed[gwv1.GRPCRoute](o); ok && o.GetKind() == "GRPCRoute" {
		for _, rule := range r.Spec.Rules {
			out = append(out, callRequests(rule, base)...)
		}
		return out
	}
	if r, ok := typed[gwv1.HTTPRoute](o); ok {
		for _, rule := range r.Spec.Rules {
			out = append(out, ruleRequests(rule, base)...)
		}
	}
	return out
}

// callRequests are a call for each match of a rule that asks for exact values.
func callRequests(rule gwv1.GRPCRouteRule, base Request) []Request {
	base.GRPC = true
	if len(rule.Matches) == 0 {
		base.Path = "/any.Service/Any"
		return []Request{base}
	}
	var out []Request
	for _, m := range rule.Matches {
		if one, ok := calling(m, base); ok {
			out = append(out, one)
		}
	}
	return out
}

// calling is a call that meets a match.
func calling(m gwv1.GRPCRouteMatch, base Request) (Request, bool) {
	one := base
	one.Header = map[string]string{}
	method := ptr.Deref(m.Method, gwv1.GRPCMethodMatch{})
	if ptr.Deref(method.Type, gwv1.GRPCMethodMatchExact) != gwv1.GRPCMethodMatchExact {
		return one, false
	}
	one.Path = "/" + ptr.Deref(method.Service, "any.Service") + "/" + ptr.Deref(method.Method, "Any")
	for _, h := range m.Headers {
		if ptr.Deref(h.Type, gwv1.GRPCHeaderMatchExact) != gwv1.GRPCHeaderMatchExact {
			return one, false
		}
		one.Header[string(h.Name)] = h.Value
	}
	return one, true
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
