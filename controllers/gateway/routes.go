package gateway

import (
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"

	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// translator turns the routes of one Gateway into fragments.
type translator struct {
	snapshot  *Snapshot
	config    config
	parents   []*parent
	listeners []*listener
	// used are the configurations that target groups are made by.
	used map[*awsgwv1.TargetGroupConfiguration]bool
	// asked are the listeners for which routes ask for certificates.
	asked map[*listener]bool
}

// translate judges a route and makes its fragment.
func (t *translator) translate(route *gwv1.HTTPRoute) *judged {
	j := &judged{route: route, attachments: t.attach(route)}
	j.fragment.Member = routeRef(route)
	places := isolated(t.places(j), t.listeners)
	for i, rule := range rulesOf(route) {
		t.rule(j, ruleAt{HTTPRouteRule: rule, field: fmt.Sprintf("spec.rules[%d]", i)}, places)
	}
	t.discover(j, places)
	j.conclude(t.snapshot)
	return j
}

// rulesOf are the rules of a route; one without rules has one that matches everything, which is the default of the API.
func rulesOf(route *gwv1.HTTPRoute) []gwv1.HTTPRouteRule {
	if len(route.Spec.Rules) == 0 {
		return []gwv1.HTTPRouteRule{{}}
	}
	return route.Spec.Rules
}

// ruleAt is a rule with its place.
type ruleAt struct {
	gwv1.HTTPRouteRule

	field string
}

// discover asks for certificates for the route's host names on HTTPS listeners that have no certificate named and are not for one host:
// those ask themselves.
func (t *translator) discover(j *judged, places []place) {
	for _, p := range places {
		if p.listener.Protocol != gwv1.HTTPSProtocolType || len(t.certificates(p.listener)) > 0 || len(p.listener.certificateRefs()) > 0 ||
			p.listener.exact() {
			continue
		}
		t.asked[p.listener] = true
		i := slices.IndexFunc(j.fragment.Listeners, func(l intent.Listener) bool { return l.Port == int(p.listener.Port) })
		if i < 0 {
			one := t.port(p.listener)
			one.Field = "spec.hostnames"
			i, j.fragment.Listeners = len(j.fragment.Listeners), append(j.fragment.Listeners, one)
		}
		hosts := slices.Sorted(slices.Values(slices.Concat(j.fragment.Listeners[i].DiscoverHosts, p.hosts)))
		j.fragment.Listeners[i].DiscoverHosts = slices.Compact(hosts)
	}
}

func (t *translator) certificates(l *listener) []string {
	c := t.config.listenerConfig(l)
	var out []string
	if c.DefaultCertificate != nil {
		out = append(out, *c.DefaultCertificate)
	}
	return append(out, c.Certificates...)
}

// rule adds the routes of one rule: one for each match on each listener.
func (t *translator) rule(j *judged, rule ruleAt, places []place) {
	checkUnsupported(j, rule)
	closed := j.closing(rule)
	more, readable := t.extend(j, rule)
	closed = closed || !readable
	action := t.action(j, rule)
	matches := rule.Matches
	if len(matches) == 0 {
		matches = []gwv1.HTTPRouteMatch{{}}
	}
	for m, match := range matches {
		at := fmt.Sprintf("%s.matches[%d]", rule.field, m)
		r := action
		r.Match, r.Field, r.Age = t.match(j, at, match), at, j.route.CreationTimestamp.Unix()
		r.Transforms = rewrites(j, rule, r.Match)
		r = more.apply(r, m)
		for _, p := range places {
			one := t.on(p, r)
			if closed {
				one = answering(one, http.StatusServiceUnavailable)
				j.shutRoutes = append(j.shutRoutes, one)
			} else {
				j.openRoutes = append(j.openRoutes, one)
			}
			j.fragment.Routes = append(j.fragment.Routes, one)
		}
	}
}

// on is a route as it is on one listener.
func (t *translator) on(p place, r intent.Route) intent.Route {
	r.Match.Hosts, r.Match.AnyPort = p.hosts, true
	r.Ports = []int{int(p.listener.Port)}
	if r.Redirect != nil {
		r.Redirect = redirectOn(*r.Redirect, p.listener)
	}
	if t.closes(p.listener) {
		return answering(r, http.StatusServiceUnavailable)
	}
	return r
}

// answering is a route that answers with a status itself.
func answering(r intent.Route, status int) intent.Route {
	r.Auth, r.AuthField = nil, ""
	r.Forward, r.Redirect, r.Fixed = nil, nil, &intent.Fixed{StatusCode: status, ContentType: "text/plain"}
	return r
}

// checkUnsupported names what an application load balancer cannot do for a rule.
func checkUnsupported(j *judged, rule ruleAt) {
	field := rule.field
	if rule.Timeouts != nil {
		j.refuse(field+".timeouts", "an application load balancer has no timeouts by route: remove it, or set idle_timeout.timeout_seconds "+
			"of the load balancer in a LoadBalancerConfiguration")
	}
	if rule.Retry != nil {
		j.refuse(field+".retry", "an application load balancer does not repeat requests: remove it")
	}
	if rule.SessionPersistence != nil {
		j.refuse(field+".sessionPersistence", "is not served: set stickiness attributes in a TargetGroupConfiguration")
	}
	for i, f := range rule.Filters {
		at := fmt.Sprintf("%s.filters[%d]", field, i)
		if f.RequestRedirect == nil && f.URLRewrite == nil && !restricts(f.Type) {
			j.refuse(at, "filter %s is not served: remove it; RequestRedirect and URLRewrite are served", f.Type)
		}
	}
	for i, b := range rule.BackendRefs {
		if slices.ContainsFunc(b.Filters, func(f gwv1.HTTPRouteFilter) bool { return !restricts(f.Type) }) {
			j.refuse(fmt.Sprintf("%s.backendRefs[%d].filters", field, i), "an application load balancer has no filters by backend: remove them")
		}
	}
}

func (t *translator) match(j *judged, field string, m gwv1.HTTPRouteMatch) intent.Match {
	out := intent.Match{Paths: []intent.Path{pathOf(m.Path)}}
	for i, h := range m.Headers {
		if slices.ContainsFunc(out.Headers, func(o intent.Header) bool { return strings.EqualFold(o.Name, string(h.Name)) }) {
			continue // of one name the first counts
		}
		header := intent.Header{Name: string(h.Name)}
		if h.Type != nil && *h.Type == gwv1.HeaderMatchRegularExpression {
			header.Regexes = []string{h.Value}
		} else {
			header.Values = []string{h.Value}
		}
		if strings.EqualFold(header.Name, "host") {
			j.refuse(fmt.Sprintf("%s.headers[%d]", field, i), "header Host cannot be matched: use spec.hostnames")
		}
		out.Headers = append(out.Headers, header)
	}
	for i, q := range m.QueryParams {
		if slices.ContainsFunc(out.Queries, func(o intent.Query) bool { return o.Pairs[0].Key == string(q.Name) }) {
			continue
		}
		if q.Type != nil && *q.Type == gwv1.QueryParamMatchRegularExpression {
			j.refuse(fmt.Sprintf("%s.queryParams[%d].type", field, i),
				"an application load balancer has no regular expressions for query parameters: use Exact")
		}
		out.Queries = append(out.Queries, intent.Query{Pairs: []model.QueryPair{{Key: string(q.Name), Value: q.Value}}})
	}
	if m.Method != nil {
		out.Methods = []string{string(*m.Method)}
	}
	return out
}

// pathOf translates a path match; absent parts have the defaults of the API (prefix "/").
func pathOf(p *gwv1.HTTPPathMatch) intent.Path {
	out := intent.Path{Kind: intent.PathPrefix, Value: "/"}
	if p == nil {
		return out
	}
	if p.Value != nil {
		out.Value = *p.Value
	}
	if p.Type != nil {
		switch *p.Type {
		case gwv1.PathMatchExact:
			out.Kind = intent.PathExact
		case gwv1.PathMatchRegularExpression:
			out.Kind = intent.PathRegex
		case gwv1.PathMatchPathPrefix:
		}
	}
	return out
}

// action is what a rule does with a request that it matches.
func (t *translator) action(j *judged, rule ruleAt) intent.Route {
	for i, f := range rule.Filters {
		if f.RequestRedirect != nil {
			at := fmt.Sprintf("%s.filters[%d].requestRedirect", rule.field, i)
			return intent.Route{Redirect: redirect(j, at, *f.RequestRedirect)}
		}
	}
	return t.forward(j, rule)
}

func redirect(j *judged, field string, f gwv1.HTTPRequestRedirectFilter) *intent.Redirect {
	out := &intent.Redirect{StatusCode: http.StatusFound}
	if f.StatusCode != nil {
		out.StatusCode = *f.StatusCode
	}
	if out.StatusCode != http.StatusMovedPermanently && out.StatusCode != http.StatusFound {
		j.refuse(field+".statusCode", "an application load balancer redirects with 301 or 302, not %d", out.StatusCode)
	}
	if f.Scheme != nil {
		out.Protocol = strings.ToUpper(*f.Scheme)
	}
	if f.Hostname != nil {
		out.Host = string(*f.Hostname)
	}
	if f.Port != nil {
		out.Port = strconv.Itoa(int(*f.Port))
	}
	if f.Path != nil {
		switch {
		case f.Path.ReplaceFullPath != nil:
			out.Path = *f.Path.ReplaceFullPath
		default:
			j.refuse(field+".path.replacePrefixMatch", "is not served yet: use replaceFullPath")
		}
	}
	if out.Protocol == "" && out.Host == "" && out.Port == "" && out.Path == "" {
		j.refuse(field, "changes nothing: an application load balancer refuses a redirect to itself; set scheme, hostname, port or path")
	}
	return out
}

// redirectOn fills the port of a redirect (Gateway API, HTTPRequestRedirectFilter.port): without one it is the default of the
// scheme that was given, else the listener's.
func redirectOn(r intent.Redirect, l *listener) *intent.Redirect {
	if r.Port != "" {
		return &r
	}
	switch r.Protocol {
	case "HTTP":
		r.Port = "80"
	case "HTTPS":
		r.Port = "443"
	default:
		r.Port = strconv.Itoa(int(l.Port))
	}
	return &r
}
