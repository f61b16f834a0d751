package gateway

import (
	"fmt"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// attachment is one parentRef of a route to the Gateway, with the listeners that it leads to.
type attachment struct {
	parent gwv1.ParentReference
	field  string
	// refused says why the parent does not accept the route; empty when it does.
	refused problem
	places  []place
}

// place is a listener with the host names that the route is served for there.
type place struct {
	listener *listener
	hosts    []string
}

// attach finds the listeners for each parentRef of a route (Gateway API, Route attachment).
func attach(s *Snapshot, listeners []*listener, route *gwv1.HTTPRoute) []attachment {
	var out []attachment
	for i, p := range route.Spec.ParentRefs {
		if refersTo(p, route.Namespace, s.Gateway) {
			a := attachTo(s, listeners, route, p)
			a.field = fmt.Sprintf("spec.parentRefs[%d]", i)
			out = append(out, a)
		}
	}
	return out
}

// step is how far a parentRef gets on its way to a listener.
type step int

const (
	nowhere step = iota
	named
	admitted
	attached
)

func attachTo(s *Snapshot, listeners []*listener, route *gwv1.HTTPRoute, p gwv1.ParentReference) attachment {
	a := attachment{parent: p}
	far := nowhere
	for _, l := range listeners {
		if !l.named(p) {
			continue
		}
		far = max(far, named)
		if !l.allowsKind() || !l.allowsNamespace(s, route.Namespace) {
			continue
		}
		far = max(far, admitted)
		if hosts, ok := intersect(l.hostname(), route.Spec.Hostnames); ok {
			far = attached
			a.places = append(a.places, place{listener: l, hosts: hosts})
		}
	}
	a.refused = refusal(far, s.Gateway.Namespace+"/"+s.Gateway.Name)
	return a
}

func refusal(far step, gateway string) problem {
	switch far {
	case nowhere:
		return problem{string(gwv1.RouteReasonNoMatchingParent), fmt.Sprintf(
			"Gateway %s has no listener with the section name and port of the parentRef: name one that it has", gateway)}
	case named:
		return problem{string(gwv1.RouteReasonNotAllowedByListeners), fmt.Sprintf(
			"no listener of Gateway %s allows HTTPRoutes of this namespace: its owner can allow them in allowedRoutes", gateway)}
	case admitted:
		return problem{string(gwv1.RouteReasonNoMatchingListenerHostname), fmt.Sprintf(
			"no listener of Gateway %s has a host name that spec.hostnames intersects: use a host name of a listener", gateway)}
	case attached:
	}
	return problem{}
}
