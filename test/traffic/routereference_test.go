package traffic

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// What a Gateway answers, by the text of the specification (Gateway API v1.6.3, the field documentation of the types), without a thought of
// load balancers. Where it leaves something to implementations, the choice is said.

// routeAsk is a request. Its host has no port, and its path no query.
type routeAsk struct {
	port               int
	method, host, path string
	header, query      map[string]string
	// call says that it is one of gRPC.
	call bool
}

// claim is a match of a rule that takes a request, with its rank: the first differing number says, the larger goes first.
type claim struct {
	rank   []int
	name   string
	answer string
}

// specified is what a request gets: a status, "redirect HOST", or "to" backends that share the requests.
func (w *routeWorld) specified(a routeAsk) string {
	l := w.listenerFor(a)
	if l == nil {
		return "404"
	}
	var claims []claim
	for _, route := range w.web {
		if host, ok := hostClaim(route.Spec.Hostnames, a.host); ok && attached(l, route.Spec.CommonRouteSpec) && !refusedWeb(route) {
			claims = append(claims, webClaims(route, host, a)...)
		}
	}
	for _, route := range w.calls {
		// An implementation may serve calls on some listeners only; an application load balancer does on those of HTTPS.
		if host, ok := hostClaim(route.Spec.Hostnames, a.host); ok && attached(l, route.Spec.CommonRouteSpec) && !refusedCalls(route) &&
			a.call && l.Protocol == gwv1.HTTPSProtocolType {
			claims = append(claims, callClaims(route, host, a)...)
		}
	}
	if len(claims) == 0 {
		return "404"
	}
	// Of one route the first rule and match come first: the sort is stable.
	slices.SortStableFunc(claims, func(a, b claim) int { return cmp.Or(slices.Compare(b.rank, a.rank), strings.Compare(a.name, b.name)) })
	return claims[0].answer
}

// covering tells whether a host name of the API, empty for any, is for a host: a wildcard is for one label or more.
func covering(name gwv1.Hostname, host string) bool {
	suffix, wildcard := strings.CutPrefix(string(name), "*")
	return name == "" || string(name) == host || wildcard && strings.HasSuffix(host, suffix) && len(host) > len(suffix)
}

// specificity of a host name: characters of one without a wildcard, then characters (HTTPRouteSpec.hostnames).
func specificity(name gwv1.Hostname) [2]int {
	if strings.HasPrefix(string(name), "*") {
		return [2]int{0, len(name)}
	}
	return [2]int{len(name), len(name)}
}

// listenerFor is the listener of the most specific host name: a request is for one only (GatewaySpec.listeners).
func (w *routeWorld) listenerFor(a routeAsk) *gwv1.Listener {
	var out *gwv1.Listener
	for i, l := range w.listeners {
		name := deref(l.Hostname)
		if int(l.Port) != a.port || !covering(name, a.host) {
			continue
		}
		if out == nil || slices.Compare(arr(specificity(name)), arr(specificity(deref(out.Hostname)))) > 0 {
			out = &w.listeners[i]
		}
	}
	return out
}

func arr(a [2]int) []int { return a[:] }

func attached(l *gwv1.Listener, spec gwv1.CommonRouteSpec) bool {
	return slices.ContainsFunc(spec.ParentRefs, func(p gwv1.ParentReference) bool {
		return (p.SectionName == nil || *p.SectionName == l.Name) && (p.Port == nil || *p.Port == l.Port)
	})
}

// hostClaim is how specific the host names of a route are for a host, as they are written.
func hostClaim(names []gwv1.Hostname, host string) (best [2]int, ok bool) {
	for _, name := range names {
		if covering(name, host) && (!ok || slices.Compare(arr(specificity(name)), arr(best)) > 0) {
			best, ok = specificity(name), true
		}
	}
	return best, ok || len(names) == 0
}

// refusedWeb tells whether a route has a filter that a load balancer cannot serve: it is not accepted, as a whole.
func refusedWeb(r gwv1.HTTPRoute) bool {
	return slices.ContainsFunc(r.Spec.Rules, func(rule gwv1.HTTPRouteRule) bool {
		return slices.ContainsFunc(rule.Filters, func(f gwv1.HTTPRouteFilter) bool {
			return f.Type == gwv1.HTTPRouteFilterRequestMirror || f.URLRewrite != nil && len(deref(f.URLRewrite.Hostname)) > 1024
		})
	})
}

func refusedCalls(r gwv1.GRPCRoute) bool {
	return slices.ContainsFunc(r.Spec.Rules, func(rule gwv1.GRPCRouteRule) bool { return len(rule.Filters) > 0 })
}

func truth(yes bool) int {
	if yes {
		return 1
	}
	return 0
}

// webClaims are the matches of an HTTPRoute (HTTPRouteRule.matches).
func webClaims(route gwv1.HTTPRoute, host [2]int, a routeAsk) []claim {
	var out []claim
	for _, rule := range route.Spec.Rules {
		matches := rule.Matches
		if len(matches) == 0 {
			matches = []gwv1.HTTPRouteMatch{{}}
		}
		for _, m := range matches {
			kind, value := gwv1.PathMatchPathPrefix, "/"
			if m.Path != nil {
				kind, value = *m.Path.Type, *m.Path.Value
			}
			headers, ok := headersMatch(m.Headers, a)
			if !ok || !pathMatches(kind, value, a.path) || m.Method != nil && string(*m.Method) != a.method ||
				slices.ContainsFunc(m.QueryParams, func(q gwv1.HTTPQueryParamMatch) bool { return a.query[string(q.Name)] != q.Value }) {
				continue
			}
			// Where expressions stand is left to implementations: between exact paths and prefixes.
			length := len(value)
			if kind != gwv1.PathMatchExact {
				length = len(strings.TrimRight(value, "/")) // "a trailing / is ignored"
			}
			out = append(out, claim{name: route.Name, answer: webAnswer(rule), rank: []int{
				host[0], host[1], 0, truth(kind == gwv1.PathMatchExact), truth(kind == gwv1.PathMatchRegularExpression), length, truth(m.Method != nil),
				headers, len(m.QueryParams), -int(route.CreationTimestamp.Unix()),
			}})
		}
	}
	return out
}

func pathMatches(kind gwv1.PathMatchType, value, path string) bool {
	switch kind {
	case gwv1.PathMatchExact:
		return path == value
	case gwv1.PathMatchRegularExpression:
		return regexp.MustCompile(value).MatchString(path)
	case gwv1.PathMatchPathPrefix:
	}
	prefix := strings.TrimRight(value, "/")
	return path == prefix || strings.HasPrefix(path, prefix+"/")
}

// headersMatch counts the header matches of a match, of one name the first only, and tells whether all hold.
func headersMatch(headers []gwv1.HTTPHeaderMatch, a routeAsk) (count int, ok bool) {
	seen := map[string]bool{}
	for _, h := range headers {
		name := strings.ToLower(string(h.Name))
		if seen[name] {
			continue
		}
		seen[name] = true
		value, there := a.header[name]
		if !there || deref(h.Type) == gwv1.HeaderMatchRegularExpression && !regexp.MustCompile(h.Value).MatchString(value) ||
			deref(h.Type) != gwv1.HeaderMatchRegularExpression && value != h.Value {
			return 0, false
		}
	}
	return len(seen), true
}

// callClaims are the matches of a GRPCRoute (GRPCRouteRule.matches). Where both kinds have a host, calls are the GRPCRoutes' first: the
// specification leaves it to implementations whether they share hosts. So it does with expressions: they come after names.
func callClaims(route gwv1.GRPCRoute, host [2]int, a routeAsk) []claim {
	var out []claim
	service, method, _ := strings.Cut(strings.TrimPrefix(a.path, "/"), "/")
	for _, rule := range route.Spec.Rules {
		matches := rule.Matches
		if len(matches) == 0 {
			matches = []gwv1.GRPCRouteMatch{{}}
		}
		for _, m := range matches {
			wanted := deref(m.Method)
			like := deref(wanted.Type) == gwv1.GRPCMethodMatchRegularExpression
			var headers []gwv1.HTTPHeaderMatch
			for _, h := range m.Headers {
				headers = append(headers, gwv1.HTTPHeaderMatch{Type: (*gwv1.HeaderMatchType)(h.Type), Name: gwv1.HTTPHeaderName(h.Name), Value: h.Value})
			}
			count, ok := headersMatch(headers, a)
			if !ok || !nameMatches(deref(wanted.Service), service, like) || !nameMatches(deref(wanted.Method), method, like) {
				continue
			}
			rank := func(name string) []int { return []int{truth(name != "" && !like), len(name)} }
			out = append(out, claim{name: route.Name, answer: callAnswer(rule), rank: slices.Concat(
				[]int{host[0], host[1], 1}, rank(deref(wanted.Service)), rank(deref(wanted.Method)), []int{count, -int(route.CreationTimestamp.Unix())})})
		}
	}
	return out
}

func nameMatches(want, name string, like bool) bool {
	return want == "" || want == name || like && regexp.MustCompile("^(?:"+want+")$").MatchString(name)
}

func webAnswer(rule gwv1.HTTPRouteRule) string {
	for _, f := range rule.Filters {
		if f.RequestRedirect != nil {
			return "redirect " + string(*f.RequestRedirect.Hostname)
		}
	}
	var refs []gwv1.BackendRef
	for _, b := range rule.BackendRefs {
		refs = append(refs, b.BackendRef)
	}
	return backendsAnswer(refs, 500)
}

func callAnswer(rule gwv1.GRPCRouteRule) string {
	var refs []gwv1.BackendRef
	for _, b := range rule.BackendRefs {
		refs = append(refs, b.BackendRef)
	}
	return backendsAnswer(refs, 503) // UNAVAILABLE
}

// backendsAnswer is who has a share of the requests. A load balancer cannot fail the share of a backend that is not there: then all fail,
// and the route says so (PartiallyInvalid).
func backendsAnswer(refs []gwv1.BackendRef, failed int) string {
	var names []string
	for _, b := range refs {
		switch {
		case *b.Weight == 0:
		case b.Name == "absent":
			return strconv.Itoa(failed)
		default:
			names = append(names, string(b.Name))
		}
	}
	slices.Sort(names)
	if names = slices.Compact(names); len(names) == 0 {
		return strconv.Itoa(failed)
	}
	return "to " + strings.Join(names, " ")
}
