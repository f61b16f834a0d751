package gateway

import (
	"fmt"
	"slices"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model/intent"
)

// Matches of GRPCRoutes: a call is a request to the path /service/method.

// call translates a match of a GRPCRoute.
func call(j *judged, field string, m gwv1.GRPCRouteMatch) intent.Match {
	path := intent.Path{Kind: intent.PathCall}
	if m.Method != nil {
		path.Value, path.Method = deref(m.Method.Service), deref(m.Method.Method)
		switch kind := deref(m.Method.Type); kind {
		case "", gwv1.GRPCMethodMatchExact:
			if strings.ContainsRune(path.Value+path.Method, '/') {
				j.refuse(field+".method", "a service and a method have no /: name the service with its package, and the method alone")
			}
		case gwv1.GRPCMethodMatchRegularExpression:
			path.Kind = intent.PathCallRegex
		default:
			j.refuse(field+".method.type", "%s is not served: use Exact or RegularExpression", kind)
		}
	}
	var headers []gwv1.HTTPHeaderMatch
	for _, h := range m.Headers {
		kind := gwv1.HeaderMatchType(deref(h.Type))
		headers = append(headers, gwv1.HTTPHeaderMatch{Type: &kind, Name: gwv1.HTTPHeaderName(h.Name), Value: h.Value})
	}
	return intent.Match{Paths: []intent.Path{path}, Headers: headersOf(j, field, headers)}
}

// headersOf translates the headers of a match.
func headersOf(j *judged, field string, headers []gwv1.HTTPHeaderMatch) []intent.Header {
	var out []intent.Header
	for i, h := range headers {
		if slices.ContainsFunc(out, func(o intent.Header) bool { return strings.EqualFold(o.Name, string(h.Name)) }) {
			continue // of one name the first counts
		}
		header := intent.Header{Name: string(h.Name)}
		switch kind := deref(h.Type); kind {
		case "", gwv1.HeaderMatchExact:
			header.Values = []string{h.Value}
		case gwv1.HeaderMatchRegularExpression:
			header.Regexes = []string{h.Value}
		default:
			j.refuse(fmt.Sprintf("%s.headers[%d].type", field, i), "%s is not served: use Exact or RegularExpression", kind)
		}
		if strings.EqualFold(header.Name, "host") {
			j.refuse(fmt.Sprintf("%s.headers[%d]", field, i), "header Host cannot be matched: use spec.hostnames")
		}
		out = append(out, header)
	}
	return out
}

// isCall tells whether a route is of a GRPCRoute.
func isCall(r intent.Route) bool { return len(r.Match.Paths) > 0 && r.Match.Paths[0].IsCall() }

// meetWeb notes which host names of which ports HTTPRoutes are served for. It is asked by GRPCRoutes only.
func (t *translator) meetWeb(all []*judged) {
	t.web = map[int][]string{}
	if !slices.ContainsFunc(all, func(j *judged) bool { return j.route.kind == kindGRPCRoute }) {
		return
	}
	for _, j := range all {
		if j.route.kind != kindHTTPRoute {
			continue
		}
		for _, p := range j.places {
			hosts := p.hosts
			if len(hosts) == 0 {
				hosts = []string{""} // any
			}
			t.web[int(p.listener.Port)] = append(t.web[int(p.listener.Port)], hosts...)
		}
	}
	for port, hosts := range t.web {
		slices.Sort(hosts)
		t.web[port] = slices.Compact(hosts)
	}
}

// mixed tells whether HTTPRoutes share host names with a GRPCRoute on a port. Each then takes its own requests: calls, which say by their
// content type that they are, go to GRPCRoutes first.
func (t *translator) mixed(port int, hosts []string) bool {
	return slices.ContainsFunc(t.web[port], func(h string) bool { return h == "" || meetHosts([]string{h}, hosts) })
}
