package gateway

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// judged is a route with the judgement on it.
type judged struct {
	route       *gwv1.HTTPRoute
	attachments []attachment
	// refs says why ResolvedRefs is not good.
	refs problem
	// partly says which rules are left out.
	partly problem
	// unsupported says why the route is refused as a whole.
	unsupported problem
	fragment    intent.Fragment
	findings    []model.Finding
}

// translator turns the routes of one Gateway into fragments.
type translator struct {
	snapshot  *Snapshot
	config    config
	listeners []*listener
}

// translate judges a route and makes its fragment.
func (t *translator) translate(route *gwv1.HTTPRoute) *judged {
	j := &judged{route: route, attachments: attach(t.snapshot, t.listeners, route)}
	j.fragment.Member = routeRef(route)
	places := j.places()
	for i := range route.Spec.Rules {
		t.rule(j, i, places)
	}
	if j.unsupported.any() {
		j.findings = append(j.findings, model.Finding{
			Object: j.fragment.Member, Severity: model.Wrong, Reason: j.unsupported.reason, Message: j.unsupported.message,
		})
	}
	t.discover(j, places)
	return j
}

// places are the listeners of all accepted parentRefs, each once, that take traffic.
func (j *judged) places() []place {
	var out []place
	for _, a := range j.attachments {
		for _, p := range a.places {
			if !p.listener.usable() || slices.ContainsFunc(out, func(o place) bool { return o.listener == p.listener }) {
				continue
			}
			out = append(out, p)
		}
	}
	return out
}

// discover asks for certificates for the route's host names on HTTPS listeners that have no certificate named and no host name of
// their own.
func (t *translator) discover(j *judged, places []place) {
	for _, p := range places {
		if p.listener.Protocol != gwv1.HTTPSProtocolType || len(t.certificates(p.listener)) > 0 || p.listener.hostname() != "" {
			continue
		}
		j.fragment.Listeners = append(j.fragment.Listeners, intent.Listener{
			Port: int(p.listener.Port), Protocol: "HTTPS", DiscoverHosts: p.hosts, Field: "spec.hostnames",
		})
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

// refuse notes that the route cannot be served as it is written. The first reason stays.
func (j *judged) refuse(field, format string, args ...any) {
	if !j.unsupported.any() {
		j.unsupported = problem{string(gwv1.RouteReasonUnsupportedValue), field + ": " + fmt.Sprintf(format, args...)}
	}
}

// rule adds the routes of one rule: one for each match on each listener.
func (t *translator) rule(j *judged, i int, places []place) {
	rule := j.route.Spec.Rules[i]
	field := fmt.Sprintf("spec.rules[%d]", i)
	checkUnsupported(j, field, rule)
	action := t.action(j, field, rule)
	matches := rule.Matches
	if len(matches) == 0 {
		matches = []gwv1.HTTPRouteMatch{{}}
	}
	for m, match := range matches {
		at := fmt.Sprintf("%s.matches[%d]", field, m)
		translated := t.match(j, at, match)
		for _, p := range places {
			r := action
			r.Match, r.Field, r.Age = translated, at, j.route.CreationTimestamp.Unix()
			r.Match.Hosts, r.Match.AnyPort = p.hosts, true
			r.Ports = []int{int(p.listener.Port)}
			if r.Redirect != nil {
				r.Redirect = redirectOn(*r.Redirect, p.listener)
			}
			if t.config.closes(p.listener) {
				r.Forward, r.Redirect, r.Fixed = nil, nil, &intent.Fixed{StatusCode: 503, ContentType: "text/plain"}
			}
			j.fragment.Routes = append(j.fragment.Routes, r)
		}
	}
}

// checkUnsupported names what an application load balancer cannot do for a rule.
func checkUnsupported(j *judged, field string, rule gwv1.HTTPRouteRule) {
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
		if f.Type != gwv1.HTTPRouteFilterRequestRedirect {
			j.refuse(at, "filter %s is not served: remove it; RequestRedirect is served", f.Type)
		}
	}
	for i, b := range rule.BackendRefs {
		if len(b.Filters) > 0 {
			j.refuse(fmt.Sprintf("%s.backendRefs[%d].filters", field, i), "an application load balancer has no filters by backend: remove them")
		}
	}
}

func (t *translator) match(j *judged, field string, m gwv1.HTTPRouteMatch) intent.Match {
	out := intent.Match{Paths: []intent.Path{pathOf(m.Path)}}
	for i, h := range m.Headers {
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
func (t *translator) action(j *judged, field string, rule gwv1.HTTPRouteRule) intent.Route {
	for i, f := range rule.Filters {
		if f.RequestRedirect != nil {
			at := fmt.Sprintf("%s.filters[%d].requestRedirect", field, i)
			return intent.Route{Redirect: redirect(j, at, *f.RequestRedirect)}
		}
	}
	return t.forward(j, field, rule)
}

func redirect(j *judged, field string, f gwv1.HTTPRequestRedirectFilter) *intent.Redirect {
	out := &intent.Redirect{StatusCode: 302}
	if f.StatusCode != nil {
		out.StatusCode = *f.StatusCode
	}
	if out.StatusCode != 301 && out.StatusCode != 302 {
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

// forward sends to the rule's backends. A rule without a valid one answers 500, as the specification says.
func (t *translator) forward(j *judged, field string, rule gwv1.HTTPRouteRule) intent.Route {
	failed := intent.Route{Fixed: &intent.Fixed{StatusCode: 500, ContentType: "text/plain"}}
	var backends []intent.Backend
	invalid := 0
	for i, b := range rule.BackendRefs {
		weight := 1
		if b.Weight != nil {
			weight = int(*b.Weight)
		}
		backend, p := t.backend(j.route, b.BackendRef)
		if p.any() {
			j.refs = problem{p.reason, fmt.Sprintf("%s.backendRefs[%d]: %s", field, i, p.message)}
			if weight > 0 {
				invalid++
			}
			continue
		}
		backend.Weight = weight
		backends = append(backends, backend)
	}
	switch total := weights(backends); {
	case invalid > 0 && total > 0:
		j.partly = problem{string(gwv1.RouteReasonUnsupportedValue), field +
			".backendRefs: an application load balancer cannot answer 500 for the share of an invalid backend only, so the whole rule " +
			"answers 500: mend or remove the invalid one"}
		return failed
	case total == 0:
		return failed
	}
	return intent.Route{Forward: &intent.Forward{Backends: backends}}
}

func weights(backends []intent.Backend) int {
	total := 0
	for _, b := range backends {
		total += b.Weight
	}
	return total
}

// backend resolves a backendRef (Gateway API, BackendRef).
func (t *translator) backend(route *gwv1.HTTPRoute, b gwv1.BackendRef) (intent.Backend, problem) {
	group, kind := "", "Service"
	if b.Group != nil {
		group = string(*b.Group)
	}
	if b.Kind != nil {
		kind = string(*b.Kind)
	}
	if group != "" || kind != "Service" {
		return intent.Backend{}, problem{string(gwv1.RouteReasonInvalidKind), fmt.Sprintf("kind %s/%s cannot be a backend: use a Service", group, kind)}
	}
	key := backendKey(route, b)
	if key.Namespace != route.Namespace && !t.granted(route.Namespace, key.Namespace, key.Name) {
		return intent.Backend{}, problem{string(gwv1.RouteReasonRefNotPermitted), fmt.Sprintf(
			"no ReferenceGrant in namespace %s lets HTTPRoutes of namespace %s refer to Service %s: its owner can create one",
			key.Namespace, route.Namespace, key.Name)}
	}
	service, ok := t.snapshot.Services[key]
	if !ok {
		return intent.Backend{}, problem{string(gwv1.RouteReasonBackendNotFound), fmt.Sprintf("Service %s does not exist: create it", key)}
	}
	if b.Port == nil {
		return intent.Backend{}, problem{string(gwv1.RouteReasonUnsupportedValue), "a Service needs a port: name one"}
	}
	return t.service(route, &service, *b.Port)
}

func (t *translator) service(route *gwv1.HTTPRoute, service *corev1.Service, number gwv1.PortNumber) (intent.Backend, problem) {
	i := slices.IndexFunc(service.Spec.Ports, func(p corev1.ServicePort) bool { return p.Port == number })
	if i < 0 {
		return intent.Backend{}, problem{string(gwv1.RouteReasonBackendNotFound), fmt.Sprintf(
			"Service %s/%s has no port %d: use one that it has", service.Namespace, service.Name, number)}
	}
	port := service.Spec.Ports[i]
	gateway := t.snapshot.Gateway
	out := &intent.Service{
		ID: fmt.Sprintf("%s/%s:%s-%s:%s-%s-%s:%d", gateway.Namespace, gateway.Name, route.Namespace, route.Name, kindHTTPRoute,
			service.Namespace, service.Name, number),
		NameKey:   fmt.Sprintf("%s/%s %s/%s", gateway.Namespace, gateway.Name, route.Namespace, route.Name),
		Namespace: service.Namespace, Name: service.Name, UID: string(service.UID),
		Port: strconv.Itoa(int(number)), TargetPort: targetPort(port), NodePort: int(port.NodePort),
		IPv6:  len(service.Spec.IPFamilies) > 0 && service.Spec.IPFamilies[0] == corev1.IPv6Protocol,
		Group: t.snapshot.groupSettings(t.config, route, service),
	}
	if out.Group.ProtocolVersion == "" && port.AppProtocol != nil && *port.AppProtocol == "kubernetes.io/h2c" {
		out.Group.ProtocolVersion = "HTTP2"
	}
	return intent.Backend{Service: out}, problem{}
}

// targetPort is the number that a target group is made with: 1 where the target port is a name, which each pod resolves itself.
func targetPort(p corev1.ServicePort) int {
	switch {
	case p.TargetPort.StrVal != "":
		return 1
	case p.TargetPort.IntVal != 0:
		return int(p.TargetPort.IntVal)
	}
	return int(p.Port)
}

// granted tells whether a ReferenceGrant in the Service's namespace permits the reference.
func (t *translator) granted(from, to, name string) bool {
	return slices.ContainsFunc(t.snapshot.Grants, func(g gwv1beta1.ReferenceGrant) bool {
		return g.Namespace == to &&
			slices.ContainsFunc(g.Spec.From, func(f gwv1beta1.ReferenceGrantFrom) bool {
				return f.Group == gwv1.GroupName && f.Kind == kindHTTPRoute && string(f.Namespace) == from
			}) &&
			slices.ContainsFunc(g.Spec.To, func(o gwv1beta1.ReferenceGrantTo) bool {
				return o.Group == "" && o.Kind == "Service" && (o.Name == nil || *o.Name == "" || string(*o.Name) == name)
			})
	})
}
