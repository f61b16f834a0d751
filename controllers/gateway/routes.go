package gateway

import (
	"cmp"
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
	// web are the host names that HTTPRoutes are served for, by port, where there are GRPCRoutes too.
	web map[int][]string
	// keeps says that there is a bucket for authorities.
	keeps bool
}

// begin finds the listeners of a route.
func (t *translator) begin(route *route) *judged {
	j := &judged{route: route, attachments: t.attach(route)}
	j.fragment.Member = routeRef(route)
	j.places = isolated(t.openPlaces(j), t.listeners)
	return j
}

// translate judges a route and makes its fragment, and notes what of that concerns others.
func (t *translator) translate(j *judged) {
	used, asked := t.used, t.asked
	defer func() { t.used, t.asked = used, asked }()
	t.used, t.asked = nil, nil
	for i, rule := range rulesOf(j.route) {
		one := ruleAt{HTTPRouteRule: rule, field: fmt.Sprintf("spec.rules[%d]", i)}
		if i < len(j.route.calls) {
			one.calls = j.route.calls[i]
		}
		t.rule(j, one)
	}
	j.fit()
	t.discover(j)
	j.conclude(t.snapshot)
	j.used, j.asked = t.used, t.asked
}

// noted is a set with one more.
func noted[T comparable](set map[T]bool, one T) map[T]bool {
	if set == nil {
		set = map[T]bool{}
	}
	set[one] = true
	return set
}

// rulesOf are the rules of a route; one without rules has one that matches everything, which is the default of the API.
func rulesOf(route *route) []gwv1.HTTPRouteRule {
	if len(route.Spec.Rules) == 0 {
		return []gwv1.HTTPRouteRule{{}}
	}
	return route.Spec.Rules
}

// ruleAt is a rule with its place.
type ruleAt struct {
	gwv1.HTTPRouteRule

	field string
	// calls are the matches of a GRPCRoute's.
	calls []gwv1.GRPCRouteMatch
}

// discover asks for certificates for the route's host names on HTTPS listeners that have no certificate named and are not for one host:
// those ask themselves.
func (t *translator) discover(j *judged) {
	for _, p := range j.places {
		if p.listener.Protocol != gwv1.HTTPSProtocolType || len(t.certificates(p.listener)) > 0 || len(p.listener.certificateRefs()) > 0 ||
			p.listener.exact() {
			continue
		}
		t.asked = noted(t.asked, p.listener)
		i := slices.IndexFunc(j.fragment.Listeners, func(l intent.Listener) bool { return l.Port == int(p.listener.Port) })
		if i < 0 {
			i, j.fragment.Listeners = len(j.fragment.Listeners), append(j.fragment.Listeners, intent.Listener{
				Port: int(p.listener.Port), Protocol: protocolHTTPS, Only: intent.PartCertificates, Field: "spec.hostnames",
			})
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
func (t *translator) rule(j *judged, rule ruleAt) {
	checkUnsupported(j, rule)
	closed := j.closing(rule)
	more, readable := t.extend(j, rule)
	closed = closed || !readable
	action := t.action(j, rule)
	for m, match := range matches(j, rule) {
		r := action
		r.Match, r.Field, r.Age = match, matchField(rule, m), j.route.CreationTimestamp.Unix()
		r.Transforms = rewrites(j, rule, r.Match)
		r = more.apply(r, m)
		for _, p := range j.places {
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

func matchField(rule ruleAt, m int) string { return fmt.Sprintf("%s.matches[%d]", rule.field, m) }

// matches are those of a rule. One without any has one that matches everything, which is the default of the API.
func matches(j *judged, rule ruleAt) []intent.Match {
	var out []intent.Match
	if j.route.kind == kindGRPCRoute {
		calls := rule.calls
		if len(calls) == 0 {
			calls = []gwv1.GRPCRouteMatch{{}}
		}
		for m, one := range calls {
			out = append(out, call(j, matchField(rule, m), one))
		}
		return out
	}
	all := rule.Matches
	if len(all) == 0 {
		all = []gwv1.HTTPRouteMatch{{}}
	}
	for m, one := range all {
		out = append(out, matchOf(j, matchField(rule, m), one))
	}
	return out
}

// on is a route as it is on one listener.
func (t *translator) on(p place, r intent.Route) intent.Route {
	r.Match.Hosts, r.Match.Narrowed, r.Match.AnyPort = p.hosts, p.narrowed, true
	r.Ports = []int{int(p.listener.Port)}
	r.Match.Calls = isCall(r) && t.mixed(int(p.listener.Port), p.hosts)
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
			j.refuse(at, "%s", insteadOf(f.Type))
		}
	}
	for i, b := range rule.BackendRefs {
		if slices.ContainsFunc(b.Filters, func(f gwv1.HTTPRouteFilter) bool { return !restricts(f.Type) }) {
			j.refuse(fmt.Sprintf("%s.backendRefs[%d].filters", field, i), "an application load balancer has no filters by backend: remove them")
		}
	}
}

// insteadOf says of a filter why it is not served, and what comes nearest to it.
func insteadOf(filter gwv1.HTTPRouteFilterType) string {
	const alb = "an application load balancer "
	switch filter {
	case gwv1.HTTPRouteFilterRequestHeaderModifier:
		return alb + "sets and removes no headers of requests: remove the filter, and have the backend do it"
	case gwv1.HTTPRouteFilterResponseHeaderModifier:
		return alb + "changes headers of answers by listener only: remove the filter, and set listenerAttributes (routing.http.response.…) " +
			"in a LoadBalancerConfiguration"
	case gwv1.HTTPRouteFilterRequestMirror:
		return alb + "copies no requests: remove the filter; by the weights of backendRefs a share of them goes elsewhere"
	case gwv1.HTTPRouteFilterCORS:
		return alb + "answers no preflight requests: remove the filter, and set listenerAttributes (routing.http.response.access_control_…) " +
			"in a LoadBalancerConfiguration, or have the backend answer them"
	case gwv1.HTTPRouteFilterRequestRedirect, gwv1.HTTPRouteFilterURLRewrite, gwv1.HTTPRouteFilterExtensionRef, gwv1.HTTPRouteFilterExternalAuth:
	}
	return fmt.Sprintf("filter %s is not served: remove it", filter)
}

func matchOf(j *judged, field string, m gwv1.HTTPRouteMatch) intent.Match {
	out := intent.Match{Paths: []intent.Path{pathOf(j, field, m.Path)}, Headers: headersOf(j, field, m.Headers)}
	for i, q := range m.QueryParams {
		if slices.ContainsFunc(out.Queries, func(o intent.Query) bool { return o.Pairs[0].Key == string(q.Name) }) {
			continue
		}
		if q.Type != nil && *q.Type != gwv1.QueryParamMatchExact {
			j.refuse(fmt.Sprintf("%s.queryParams[%d].type", field, i),
				"an application load balancer compares query parameters by value only, with no %s: use Exact", *q.Type)
		}
		out.Queries = append(out.Queries, intent.Query{Pairs: []model.QueryPair{{Key: string(q.Name), Value: q.Value}}})
	}
	if m.Method != nil {
		out.Methods = []string{string(*m.Method)}
	}
	return out
}

// pathOf translates a path match; absent parts have the defaults of the API (prefix "/").
func pathOf(j *judged, field string, p *gwv1.HTTPPathMatch) intent.Path {
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
		default:
			j.refuse(field+".path.type", "there is no type %q: use PathPrefix, Exact or RegularExpression", *p.Type)
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
		if out.Protocol = strings.ToUpper(*f.Scheme); out.Protocol == string(gwv1.HTTPProtocolType) {
			j.unfit(gwv1.HTTPSProtocolType, field+".scheme", "AWS cannot redirect from HTTPS to HTTP: name in parentRefs a listener of the protocol "+
				"HTTP only, or redirect to https")
		}
	}
	if f.Hostname != nil {
		out.Host = string(*f.Hostname)
	}
	if f.Port != nil {
		out.Port = strconv.Itoa(int(*f.Port))
	}
	if f.Path != nil {
		redirectPath(j, field+".path", f, out)
	}
	if f.Path == nil && changesPathOnly(f) {
		j.refuse(field, "changes nothing: an application load balancer refuses a redirect to itself; set scheme, hostname, port or path")
	}
	return out
}

// redirectPath is where a redirect leads that changes the path.
func redirectPath(j *judged, field string, f gwv1.HTTPRequestRedirectFilter, out *intent.Redirect) {
	if f.Path.ReplacePrefixMatch == nil {
		knowsModifier(j, field, *f.Path)
		out.Path = cmp.Or(deref(f.Path.ReplaceFullPath), "/")
		return
	}
	path, ok := prefixPath(f)
	if !ok {
		j.refuse(field+".replacePrefixMatch", "an application load balancer takes a redirect that changes nothing else for a loop, unless this "+
			"begins with a segment of two letters or more: set scheme, hostname or port too")
	}
	out.Path = path
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
