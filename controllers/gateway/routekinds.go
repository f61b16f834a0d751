package gateway

import (
	"context"
	"net/http"

	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// Kinds of routes that are served.
const (
	kindHTTPRoute = "HTTPRoute"
	kindGRPCRoute = "GRPCRoute"
)

func isRoute(kind string) bool { return kind == kindHTTPRoute || kind == kindGRPCRoute }

// route is an HTTPRoute, or a GRPCRoute in the form of one: what both have is judged alike.
type route struct {
	*gwv1.HTTPRoute

	kind string
	// object is what was read, of its own kind.
	object client.Object
	// calls are the matches of a GRPCRoute, by rule.
	calls [][]gwv1.GRPCRouteMatch
}

func routeOf(o client.Object) (r route, ok bool) {
	switch o := o.(type) {
	case *gwv1.HTTPRoute:
		return route{HTTPRoute: o, kind: kindHTTPRoute, object: o}, true
	case *gwv1.GRPCRoute:
		return asHTTP(o), true
	}
	return route{}, false
}

// asHTTP is a GRPCRoute in the form of an HTTPRoute. Its filters are a part of those of HTTPRoutes, under the same names.
func asHTTP(g *gwv1.GRPCRoute) route {
	out := route{object: g, kind: kindGRPCRoute, HTTPRoute: &gwv1.HTTPRoute{ObjectMeta: g.ObjectMeta}}
	out.Spec.CommonRouteSpec, out.Spec.Hostnames = g.Spec.CommonRouteSpec, g.Spec.Hostnames
	out.Status.RouteStatus = g.Status.RouteStatus
	for _, rule := range g.Spec.Rules {
		one := gwv1.HTTPRouteRule{Name: rule.Name, Filters: filtersOf(rule.Filters), SessionPersistence: rule.SessionPersistence}
		for _, b := range rule.BackendRefs {
			one.BackendRefs = append(one.BackendRefs, gwv1.HTTPBackendRef{BackendRef: b.BackendRef, Filters: filtersOf(b.Filters)})
		}
		out.Spec.Rules = append(out.Spec.Rules, one)
		out.calls = append(out.calls, rule.Matches)
	}
	return out
}

func filtersOf(filters []gwv1.GRPCRouteFilter) []gwv1.HTTPRouteFilter {
	var out []gwv1.HTTPRouteFilter
	for _, f := range filters {
		out = append(out, gwv1.HTTPRouteFilter{
			Type: gwv1.HTTPRouteFilterType(f.Type), RequestHeaderModifier: f.RequestHeaderModifier,
			ResponseHeaderModifier: f.ResponseHeaderModifier, RequestMirror: f.RequestMirror, ExtensionRef: f.ExtensionRef,
		})
	}
	return out
}

// statusOf is the status of a route of any kind.
func statusOf(o client.Object) *gwv1.RouteStatus {
	switch o := o.(type) {
	case *gwv1.HTTPRoute:
		return &o.Status.RouteStatus
	case *gwv1.GRPCRoute:
		return &o.Status.RouteStatus
	}
	return nil
}

// listRoutes are all routes of the kinds that are served.
func listRoutes(ctx context.Context, r client.Reader, opts ...client.ListOption) ([]route, error) {
	var web gwv1.HTTPRouteList
	if err := listKind(ctx, r, &web, opts...); err != nil {
		return nil, err
	}
	var calls gwv1.GRPCRouteList
	if err := listKind(ctx, r, &calls, opts...); err != nil {
		return nil, err
	}
	out := make([]route, 0, len(web.Items)+len(calls.Items))
	for i := range web.Items {
		one, _ := routeOf(&web.Items[i])
		out = append(out, one)
	}
	for i := range calls.Items {
		one, _ := routeOf(&calls.Items[i])
		out = append(out, one)
	}
	return out, nil
}

// failure is the status with which routes of a kind answer where they have no backend: calls shall end with UNAVAILABLE, which clients of
// gRPC make of 503 (Gateway API, HTTPRouteRule.backendRefs, GRPCRouteRule.backendRefs).
func failure(kind string) int {
	if kind == kindGRPCRoute {
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
