package gateway

import (
	"fmt"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// attachment is one parentRef of a route to the Gateway, with the listeners that it leads to.
type attachment struct {
	parent gwv1.ParentReference
	// refused says why the parent does not accept the route; empty when it does.
	refused problem
	places  []place
}

// place is a listener with the host names that the route is served for there.
type place struct {
	listener *listener
	hosts    []string
}

// attach finds the listeners for each parentRef of a route (Gateway API, Route attachment), and counts the route on them.
func attach(s *Snapshot, listeners []*listener, route *gwv1.HTTPRoute) []attachment {
	counted := map[*listener]bool{}
	var out []attachment
	for _, p := range parentsTo(route, s.Gateway) {
		a := attachTo(s, listeners, route, p)
		for _, pl := range a.places {
			if !counted[pl.listener] {
				pl.listener.attached++
				counted[pl.listener] = true
			}
		}
		out = append(out, a)
	}
	return out
}

func attachTo(s *Snapshot, listeners []*listener, route *gwv1.HTTPRoute, p gwv1.ParentReference) attachment {
	a := attachment{parent: p}
	named, allowed := false, false
	for _, l := range listeners {
		if !l.named(p) {
			continue
		}
		named = true
		if !l.allowsKind() || !l.allowsNamespace(s, route.Namespace) {
			continue
		}
		allowed = true
		if hosts, ok := intersect(l.hostname(), route.Spec.Hostnames); ok {
			a.places = append(a.places, place{listener: l, hosts: hosts})
		}
	}
	a.refused = refusal(a, named, allowed, s)
	return a
}

func refusal(a attachment, named, allowed bool, s *Snapshot) problem {
	gateway := s.Gateway.Namespace + "/" + s.Gateway.Name
	switch {
	case !named:
		return problem{string(gwv1.RouteReasonNoMatchingParent), fmt.Sprintf(
			"Gateway %s has no listener with the section name and port of the parentRef: name one that it has", gateway)}
	case !allowed:
		return problem{string(gwv1.RouteReasonNotAllowedByListeners), fmt.Sprintf(
			"no listener of Gateway %s allows HTTPRoutes of this namespace: its owner can allow them in allowedRoutes", gateway)}
	case len(a.places) == 0:
		return problem{string(gwv1.RouteReasonNoMatchingListenerHostname), fmt.Sprintf(
			"no listener of Gateway %s has a host name that spec.hostnames intersects: use a host name of a listener", gateway)}
	}
	return problem{}
}
