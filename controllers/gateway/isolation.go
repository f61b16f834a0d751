package gateway

import (
	"math"
	"net/http"
	"slices"

	"github.com/headgate/headgate/model/intent"
)

// A request is for one listener only, that of the most specific host name among those of its port, and takes none of the routes of the
// others (Gateway API, GatewaySpec.listeners). On an application load balancer they share the rules of a port: routes leave hosts to the
// listener that is for them, and what no route of that listener takes ends there.

// within tells whether a listener is for some of the host names of another one of its port.
func (l *listener) within(o *listener) bool {
	if l == o || l.Port != o.Port || !l.usable() || !o.usable() || l.hostname() == "" || l.hostname() == o.hostname() {
		return false
	}
	return o.hostname() == "" || covers(o.hostname(), l.hostname())
}

// own leaves of the hosts that a route is served for on a listener those for which the port has no listener that is more specific. No
// hosts mean any; none left means that the route is served for none.
func (l *listener) own(hosts []string, all []*listener) (left []string, some bool) {
	if len(hosts) == 0 {
		return nil, true
	}
	left = slices.DeleteFunc(slices.Clone(hosts), func(host string) bool {
		return slices.ContainsFunc(all, func(o *listener) bool {
			return o.within(l) && (o.hostname() == host || covers(o.hostname(), host))
		})
	})
	return left, len(left) > 0
}

// isolated are the places of a route with the hosts that are theirs alone.
func isolated(places []place, all []*listener) []place {
	var out []place
	for _, p := range places {
		if hosts, some := p.listener.own(p.hosts, all); some {
			out = append(out, place{listener: p.listener, hosts: hosts, narrowed: p.narrowed})
		}
	}
	return out
}

// bounds are routes that end requests for a listener before routes of a less specific one can take them. The build leaves them out where a
// rule of the listener takes every request: only there it is known which routes are served.
func (v *Verdict) bounds() []intent.Route {
	var out []intent.Route
	for _, l := range v.listeners {
		if slices.ContainsFunc(v.listeners, func(o *listener) bool { return l.within(o) && v.routed(o) }) {
			out = append(out, answering(intent.Route{
				Ports: []int{int(l.Port)}, Match: intent.Match{Hosts: []string{l.hostname()}, Narrowed: anyHost, AnyPort: true},
				Source: l.of.ref, Field: l.field(), Ends: true,
				Age: math.MaxInt64, // after every route of the same host
			}, http.StatusNotFound))
		}
	}
	return out
}

// routed tells whether routes are attached to a listener.
func (v *Verdict) routed(l *listener) bool {
	return slices.ContainsFunc(v.routes, func(j *judged) bool {
		return slices.ContainsFunc(j.attachments, func(a attachment) bool {
			return slices.ContainsFunc(a.places, func(p place) bool { return p.listener == l })
		})
	})
}
