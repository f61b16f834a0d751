package gateway

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// closes tells whether requests to a listener must be refused because something that restricts access to it is not served.
func (t *translator) closes(l *listener) bool {
	return t.config.closes(l) || t.unverified(l).any()
}

// closing notes the filters of a rule that restrict access and are not served, and tells whether there are any: such a rule answers 503.
func (j *judged) closing(rule ruleAt) bool {
	before := len(j.closed)
	j.closeFilters(rule.field, rule.Filters, func(f gwv1.HTTPRouteFilter) bool { return extensionOf("", f).Name != "" })
	for i, b := range rule.BackendRefs {
		j.closeFilters(fmt.Sprintf("%s.backendRefs[%d]", rule.field, i), b.Filters, func(gwv1.HTTPRouteFilter) bool { return false })
	}
	return len(j.closed) > before
}

func (j *judged) closeFilters(field string, filters []gwv1.HTTPRouteFilter, served func(gwv1.HTTPRouteFilter) bool) {
	for i, f := range filters {
		if !restricts(f.Type) || served(f) {
			continue
		}
		what := string(f.Type)
		if f.ExtensionRef != nil {
			what += fmt.Sprintf(" (%s/%s)", f.ExtensionRef.Kind, f.ExtensionRef.Name)
		}
		j.closed = append(j.closed, model.Finding{
			Object: j.fragment.Member, Severity: model.Closed, Reason: reasonNotServed, Field: fmt.Sprintf("%s.filters[%d]", field, i),
			Message: "the filter " + what + " may restrict access and is not served yet: this rule answers 503 meanwhile, the other rules " +
				"are served; remove the filter to open the rule to everybody",
		})
	}
}

// restricts tells whether a filter may keep requests from a backend: of one that is not known, nobody knows that it does not.
func restricts(kind gwv1.HTTPRouteFilterType) bool {
	switch kind {
	case gwv1.HTTPRouteFilterRequestRedirect, gwv1.HTTPRouteFilterURLRewrite, gwv1.HTTPRouteFilterRequestMirror, gwv1.HTTPRouteFilterCORS,
		gwv1.HTTPRouteFilterRequestHeaderModifier, gwv1.HTTPRouteFilterResponseHeaderModifier:
		return false
	case gwv1.HTTPRouteFilterExtensionRef, gwv1.HTTPRouteFilterExternalAuth:
	}
	return true
}

// shut closes in routes that were good once what their owner restricts access to by now: what such a rule can match answers 503, unless
// another rule says by the very same match that it is open. A mistake elsewhere in the route must not keep it open.
func (j *judged) shut(good []intent.Route) []intent.Route {
	if len(j.shutRoutes) == 0 {
		return good
	}
	out := make([]intent.Route, 0, len(good)+len(j.shutRoutes))
	for _, c := range j.shutRoutes {
		if !slices.ContainsFunc(good, func(r intent.Route) bool { return sameMatch(c, r) && overlap(c.Ports, r.Ports) }) {
			out = append(out, c)
		}
	}
	for _, r := range good {
		if j.protects(r) {
			r = answering(r, http.StatusServiceUnavailable)
		}
		out = append(out, r)
	}
	return out
}

// protects tells whether a route that was good once is closed by the rules of now.
func (j *judged) protects(r intent.Route) bool {
	if slices.ContainsFunc(j.shutRoutes, func(c intent.Route) bool { return sameMatch(c, r) }) {
		return true
	}
	opened := slices.ContainsFunc(j.openRoutes, func(o intent.Route) bool { return sameMatch(o, r) })
	return !opened && slices.ContainsFunc(j.shutRoutes, func(c intent.Route) bool { return meet(c.Match, r.Match) && !yields(r, c) })
}

// yields tells whether a route comes after another one for every request that matches both (Gateway API, HTTPRouteRule.matches).
func yields(r, to intent.Route) bool {
	kind, length := pathRank(r.Match.Paths[0])
	otherKind, otherLength := pathRank(to.Match.Paths[0])
	if isCall(r) != isCall(to) || r.Match.Paths[0].Kind == intent.PathCallRegex || to.Match.Paths[0].Kind == intent.PathCallRegex {
		return false
	}
	return overlap(r.Ports, to.Ports) && slices.Equal(r.Match.Hosts, to.Match.Hosts) && r.Match.Narrowed == to.Match.Narrowed &&
		(kind < otherKind || kind == otherKind && length < otherLength)
}

// pathRank ranks the paths of routes of one kind.
func pathRank(p intent.Path) (kind, length int) {
	if p.Kind == intent.PathCall {
		return len(p.Value), len(p.Method)
	}
	ranks := map[intent.PathKind]int{intent.PathPrefix: 0, intent.PathRegex: 1, intent.PathExact: 2}
	return ranks[p.Kind], len(strings.TrimRight(p.Value, "/"))
}

// sameMatch tells whether two routes match the same but for host names, and have host names in common.
func sameMatch(a, b intent.Route) bool {
	hosts := meetHosts(a.Match.Hosts, b.Match.Hosts)
	a.Match.Hosts, b.Match.Hosts = nil, nil
	a.Match.Calls, b.Match.Calls, a.Match.Narrowed, b.Match.Narrowed = false, false, "", ""
	return hosts && reflect.DeepEqual(a.Match, b.Match)
}

// meet tells whether one request may match both. It looks at hosts and paths only, and so says yes too often rather than too seldom.
func meet(a, b intent.Match) bool {
	return meetHosts(a.Hosts, b.Hosts) && slices.ContainsFunc(a.Paths, func(p intent.Path) bool {
		return slices.ContainsFunc(b.Paths, func(q intent.Path) bool { return meetPaths(p, q) })
	})
}

func meetHosts(a, b []string) bool {
	if len(a) == 0 || len(b) == 0 {
		return true
	}
	return slices.ContainsFunc(a, func(x string) bool {
		return slices.ContainsFunc(b, func(y string) bool { return x == y || covers(x, y) || covers(y, x) })
	})
}

func meetPaths(a, b intent.Path) bool {
	switch {
	case a.Kind == intent.PathCall && b.Kind == intent.PathCall:
		return meetNames(a.Value, b.Value) && meetNames(a.Method, b.Method)
	case a.IsCall() || b.IsCall():
		return true
	case a.Kind == intent.PathExact && b.Kind == intent.PathExact:
		return a.Value == b.Value
	case a.Kind == intent.PathRegex || b.Kind == intent.PathRegex:
		return true
	case a.Kind == intent.PathPrefix && b.Kind == intent.PathPrefix:
		return under(a.Value, b.Value) || under(b.Value, a.Value)
	case a.Kind == intent.PathPrefix:
		return under(a.Value, b.Value)
	}
	return under(b.Value, a.Value)
}

// meetNames tells whether names of services or methods can be those of one call; empty is any.
func meetNames(a, b string) bool { return a == "" || b == "" || a == b }

// under tells whether a path is a prefix's own or lies under it, by whole segments.
func under(prefix, path string) bool {
	prefix = strings.TrimRight(prefix, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/") || prefix == ""
}

func overlap(a, b []int) bool {
	return slices.ContainsFunc(a, func(p int) bool { return slices.Contains(b, p) })
}
