package ingress

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/utils/ptr"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// routes of the member in order of precedence.
func (d *draft) routes() []intent.Route {
	var out []intent.Route
	for i, rule := range d.member.Ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for _, path := range ordered(rule.HTTP.Paths) {
			field := fmt.Sprintf("spec.rules[%d].http.paths[%d]", i, path.index)
			match, err := d.matchOf(rule.Host, path.HTTPIngressPath)
			if err != nil {
				d.wrong(ReasonRule, field, strings.ReplaceAll(err.Error(), "\n", "; "))
			}
			d.write(match, path.Backend, field)
			route := d.route(path.Backend, field)
			route.Match = match
			out = append(out, route)
		}
	}
	return out
}

// fallback is the route of the default backend, nil without one.
func (d *draft) fallback() *intent.Route {
	backend := d.member.Ingress.Spec.DefaultBackend
	if backend == nil {
		return nil
	}
	d.write(intent.Match{}, *backend, defaultBackend)
	route := d.route(*backend, defaultBackend)
	if backend.Service == nil || !d.read.Has(annotations.Conditions+"."+backend.Service.Name) {
		return &route
	}
	key := annotations.Conditions + "." + backend.Service.Name
	d.used[key] = true
	const what = "a default backend answers whatever no rule matches: the conditions do not restrict it"
	if d.namesAddresses(backend.Service.Name) {
		d.note(model.Closed, ReasonClosed, d.read.Field(key),
			what+", and it answers 503; write a rule with a path instead, or give the default backend another name")
		route = shut(route)
	} else {
		d.note(model.Warning, ReasonUnused, d.read.Field(key), what+"; write a rule with a path instead")
	}
	return &route
}

// route is what answers for a backend; its match is the caller's.
func (d *draft) route(b networkingv1.IngressBackend, field string) intent.Route {
	out := intent.Route{Ports: d.numbers(), Field: field, Tags: d.tags(d.read)}
	switch {
	case b.Resource != nil:
		d.wrong(ReasonBackend, backendField(field)+".resource", "resources are no backends of an ALB: write a service")
		out.Fixed = unavailable()
	case b.Service == nil || b.Service.Name == "":
		d.wrong(ReasonBackend, backendField(field)+".service", "is missing: write the name and port of a Service")
		out.Fixed = unavailable()
	case b.Service.Port.Name == useAnnotation:
		d.act(&out, b.Service.Name)
	default:
		d.serve(&out, *b.Service)
	}
	if b.Service != nil {
		d.transform(&out, b.Service.Name)
	}
	return out
}

// backendField is where the backend of a route is written.
func backendField(route string) string {
	if route == defaultBackend {
		return route
	}
	return route + ".backend"
}

func unavailable() *intent.Fixed {
	return &intent.Fixed{StatusCode: statusUnavailable, ContentType: contentPlain}
}

// transform adds the transforms of a backend's name. They rewrite requests on their way to a target only.
func (d *draft) transform(r *intent.Route, name string) {
	key := annotations.Transforms + "." + name
	d.used[key] = true
	list, _ := annotations.Decode[annotations.TransformList](d.read, key)
	if r.Forward == nil {
		return
	}
	for _, t := range list {
		if rewrite, ok := t.Rewrite(); ok {
			r.Transforms = append(r.Transforms, model.Transform{Type: t.Type, Regex: rewrite.Regex, Replace: rewrite.Replace})
		}
	}
}

// act makes the route do what the action of a name says.
func (d *draft) act(r *intent.Route, name string) {
	key := annotations.Actions + "." + name
	d.used[key] = true
	action, ok := annotations.Decode[annotations.Action](d.read, key)
	if !ok {
		if !d.read.Has(key) {
			d.lacks(d.set.DemandActions, backendField(r.Field)+".service", fmt.Sprintf(
				"the port %s asks for annotation %s, which is not there: write it", useAnnotation, d.read.Field(key)))
		}
		r.Fixed = unavailable()
		return
	}
	switch action.Type {
	case annotations.ActionFixed:
		code, _ := strconv.Atoi(action.Fixed.StatusCode) // Validate has read it.
		r.Fixed = &intent.Fixed{StatusCode: code, ContentType: action.Fixed.ContentType, Body: action.Fixed.MessageBody}
	case annotations.ActionRedirect:
		r.Redirect = redirectOf(*action.Redirect)
	default:
		d.forward(r, action, d.read.Field(key))
	}
}

func redirectOf(c annotations.RedirectConf) *intent.Redirect {
	value := func(s *string) string {
		if s == nil {
			return ""
		}
		return *s
	}
	out := &intent.Redirect{
		Protocol: value(c.Protocol), Host: value(c.Host), Port: value(c.Port), Path: value(c.Path), Query: c.Query,
		StatusCode: 301,
	}
	if c.StatusCode == "HTTP_302" {
		out.StatusCode = 302
	}
	return out
}

// prune leaves out what can never answer: redirects to where they are, port by port, and what comes after a redirect of all that
// it matches.
func prune(routes []intent.Route, ports []annotations.Port) []intent.Route {
	covering := map[int][]intent.Route{}
	out := make([]intent.Route, 0, len(routes))
	for _, r := range routes {
		kept := make([]int, 0, len(r.Ports))
		for _, p := range ports {
			covered := slices.ContainsFunc(covering[p.Number], func(c intent.Route) bool { return covers(c.Match, r.Match) })
			if !slices.Contains(r.Ports, p.Number) || covered || loops(r, p) {
				continue
			}
			kept = append(kept, p.Number)
			if r.Redirect != nil && plain(r.Match) {
				covering[p.Number] = append(covering[p.Number], r)
			}
		}
		if len(kept) > 0 {
			r.Ports = kept
			out = append(out, r)
		}
	}
	return out
}

// loops tells whether a redirect on a port leads to where the request is.
func loops(r intent.Route, p annotations.Port) bool {
	to := r.Redirect
	if to == nil {
		return false
	}
	same := func(value, placeholder string, here ...string) bool {
		return value == "" || value == placeholder || slices.Contains(here, value)
	}
	paths := make([]string, 0, len(r.Match.Paths))
	for _, path := range r.Match.Paths {
		paths = append(paths, path.Value)
	}
	return same(to.Protocol, "#{protocol}", p.Protocol) && same(to.Port, "#{port}", strconv.Itoa(p.Number)) &&
		same(to.Host, "#{host}", r.Match.Hosts...) && same(to.Path, "/#{path}", paths...) && ptr.Deref(to.Query, "#{query}") == "#{query}"
}

// plain tells whether a match looks at host and path only.
func plain(m intent.Match) bool {
	return len(m.HostPatterns)+len(m.HostRegexes)+len(m.Headers)+len(m.Queries)+len(m.Methods)+len(m.SourceIPs) == 0
}

// covers tells whether all that b matches is matched by a, which is plain.
func covers(a, b intent.Match) bool {
	if len(b.HostPatterns)+len(b.HostRegexes) > 0 && len(a.Hosts) > 0 {
		return false
	}
	return within(a.Hosts, b.Hosts) && (anyPath(a.Paths) || within(a.Paths, b.Paths))
}

// within tells whether the list a, which matches anything when empty, holds all of b.
func within[T comparable](a, b []T) bool {
	if len(a) == 0 {
		return true
	}
	return len(b) > 0 && !slices.ContainsFunc(b, func(v T) bool { return !slices.Contains(a, v) })
}

func anyPath(paths []intent.Path) bool {
	return slices.ContainsFunc(paths, func(p intent.Path) bool {
		return p.Kind == intent.PathPattern && p.Value == "/*" || p.Kind == intent.PathPrefix && p.Value == "/"
	})
}

// named are the ports that clients name in the Host header: not the usual one of their protocol, or behind such a one of a frontend.
func (d *draft) named() map[int]bool {
	usual := map[string]int{protocolHTTP: defaultHTTPPort, protocolHTTPS: defaultHTTPSPort}
	mapped := d.read.PortMap(annotations.FrontendPorts)
	out := map[int]bool{}
	for _, p := range d.ports {
		out[p.Number] = p.Number != usual[p.Protocol]
		for from, to := range mapped {
			out[p.Number] = out[p.Number] || to == p.Number && from != usual[p.Protocol]
		}
	}
	return out
}

// split gives the routes with hosts on ports that clients name in the Host header a match for any port.
func split(routes []intent.Route, named map[int]bool) []intent.Route {
	out := make([]intent.Route, 0, len(routes))
	for _, r := range routes {
		var usual, other []int
		for _, p := range r.Ports {
			if named[p] && len(r.Match.Hosts) > 0 {
				other = append(other, p)
			} else {
				usual = append(usual, p)
			}
		}
		if len(usual) > 0 {
			first := r
			first.Ports = usual
			out = append(out, first)
		}
		if len(other) > 0 {
			second := r
			second.Ports, second.Match.AnyPort = other, true
			out = append(out, second)
		}
	}
	return out
}
