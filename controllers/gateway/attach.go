package gateway

import (
	"fmt"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// attachment is one parentRef of a route to the Gateway, with the listeners that it leads to.
type attachment struct {
	parent gwv1.ParentReference
	field  string
	// refused says why the parent does not accept the route; empty when it does.
	refused problem
	// partly says why not all of its listeners serve the route.
	partly []string
	places []place
}

// place is a listener with the host names that the route is served for there.
type place struct {
	listener *listener
	hosts    []string
	// narrowed is the host name of the route, "*" for none, where the listener is for a part of it only.
	narrowed string
}

// anyHost stands for a route that names no host.
const anyHost = "*"

// placesFor are the host names for which a route is served on a listener: those that are its own, and that of the listener where it lies
// within one of the route.
func (l *listener) placesFor(route []gwv1.Hostname) []place {
	hosts, ok := intersect(l.hostname(), route)
	if !ok {
		return nil
	}
	written := func(host string) bool {
		return slices.ContainsFunc(route, func(h gwv1.Hostname) bool { return strings.EqualFold(string(h), host) })
	}
	var out []place
	own := slices.DeleteFunc(slices.Clone(hosts), func(host string) bool { return !written(host) })
	if len(own) > 0 || len(hosts) == 0 {
		out = append(out, place{listener: l, hosts: own})
	}
	if len(own) < len(hosts) {
		out = append(out, place{listener: l, hosts: []string{l.hostname()}, narrowed: closest(l.hostname(), route)})
	}
	return out
}

// closest is the most specific of the host names within which another one lies.
func closest(host string, route []gwv1.Hostname) string {
	out := anyHost
	for _, h := range route {
		if name := strings.ToLower(string(h)); covers(name, host) && (out == anyHost || len(name) > len(out)) {
			out = name
		}
	}
	return out
}

// attach finds the listeners for each parentRef of a route (Gateway API, Route attachment). Each is judged by itself: a parentRef to the
// Gateway leads to none of a ListenerSet.
func (t *translator) attach(route *route) []attachment {
	var out []attachment
	for i, ref := range route.Spec.ParentRefs {
		for _, p := range t.parents {
			if p.refersTo(ref, route.Namespace) {
				a := t.attachTo(p, route, ref)
				a.field = fmt.Sprintf("spec.parentRefs[%d]", i)
				out = append(out, a)
			}
		}
	}
	return out
}

// step is how far a parentRef gets on its way to a listener.
type step int

const (
	nowhere step = iota
	found
	admitted
	attached
)

func (t *translator) attachTo(to *parent, route *route, ref gwv1.ParentReference) attachment {
	a := attachment{parent: ref}
	far := nowhere
	for _, l := range t.listeners {
		if l.of != to || !l.named(ref) {
			continue
		}
		far = max(far, found)
		if !l.allowsKind(route.kind) || !l.allowsNamespace(t.snapshot, route.Namespace) {
			continue
		}
		far = max(far, admitted)
		if places := l.placesFor(route.Spec.Hostnames); len(places) > 0 {
			far = attached
			a.places = append(a.places, places...)
		}
	}
	a.refused = to.refusal(far, route.kind)
	return a
}

func (p *parent) refusal(far step, kind string) problem {
	name := p.ref.String()
	switch {
	case p.refused.any():
		return problem{string(gwv1.RouteReasonNoMatchingParent), name + " is not accepted by its Gateway: see its conditions"}
	case far == nowhere:
		return problem{string(gwv1.RouteReasonNoMatchingParent), name +
			" has no listener with the section name and port of the parentRef: name one that it has"}
	case far == found:
		why := "no listener of " + name + " allows " + kind + "s of this namespace: its owner can allow them in allowedRoutes"
		if kind == kindGRPCRoute {
			why += ", on a listener of the protocol HTTPS: an application load balancer takes gRPC by no other"
		}
		return problem{string(gwv1.RouteReasonNotAllowedByListeners), why}
	case far == admitted:
		return problem{string(gwv1.RouteReasonNoMatchingListenerHostname), "no listener of " + name +
			" has a host name that spec.hostnames intersects: use a host name of a listener"}
	}
	return problem{}
}
