package ingress

import (
	"fmt"
	"slices"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// wording is a rule as the member writes it now, as far as it says which addresses it serves.
type wording struct {
	match intent.Match
	// services that it forwards to, by name, whether they are there or not.
	services []string
	// unreadable says that it names addresses and cannot be read.
	unreadable bool
}

// write notes a rule. A default backend has no match: conditions that name addresses are none that it can keep.
func (d *draft) write(match intent.Match, b networkingv1.IngressBackend, field string) {
	if b.Service == nil {
		return
	}
	_, ok := annotations.Decode[annotations.ConditionList](d.read, annotations.Conditions+"."+b.Service.Name)
	d.written = append(d.written, wording{
		match: match, services: namesOf(d.read, b.Service),
		unreadable: (!ok || field == defaultBackend) && d.namesAddresses(b.Service.Name),
	})
}

// namesAddresses tells whether the conditions of a backend's name say which addresses are served.
func (d *draft) namesAddresses(name string) bool {
	raw, _ := d.read.String(annotations.Conditions + "." + name)
	return strings.Contains(strings.ToLower(raw), model.FieldSourceIP)
}

// findIdleAddresses closes everything while conditions say which addresses are served and no backend has their name: one was meant.
func (d *draft) findIdleAddresses() {
	named := map[string]bool{}
	note := func(b *networkingv1.IngressBackend) {
		if b != nil && b.Service != nil {
			named[b.Service.Name] = true
		}
	}
	note(d.member.Ingress.Spec.DefaultBackend)
	for _, rule := range d.member.Ingress.Spec.Rules {
		if rule.HTTP == nil {
			continue
		}
		for i := range rule.HTTP.Paths {
			note(&rule.HTTP.Paths[i].Backend)
		}
	}
	for _, name := range d.read.Names(annotations.Conditions) {
		if named[name] || !d.namesAddresses(name) {
			continue
		}
		d.shut = true
		d.note(model.Closed, ReasonClosed, d.read.Field(annotations.Conditions+"."+name), fmt.Sprintf(
			"says which addresses are served, and no backend names %q: the rules answer 503 until you write the name of the backend that it "+
				"shall restrict, or take it away", name))
	}
}

// restricts tells whether the rule serves some addresses only.
func (w wording) restricts() bool { return w.unreadable || len(w.match.SourceIPs) > 0 }

// admits tells whether every address that a route serves is one that the rule serves. While the rule's cannot be read, it is not asked
// of a route that has some.
func (w wording) admits(r intent.Route) bool {
	if !w.restricts() {
		return true
	}
	named := access{cidrs: w.match.SourceIPs}
	return len(r.Match.SourceIPs) > 0 &&
		(w.unreadable || !slices.ContainsFunc(r.Match.SourceIPs, func(v string) bool { return !named.names(v) }))
}

// exposes tells whether a route that was good serves addresses that the member's rules of now do not serve: at its place, or to a
// Service of its. A route that was only observed says no path, and is known by its Services.
func (d *draft) exposes(r intent.Route) bool {
	services := backendsOf(r)
	return d.refuses(r, func(w wording) bool { return samePlace(w.match, r.Match) }) ||
		slices.ContainsFunc(services, func(name string) bool {
			return d.refuses(r, func(w wording) bool { return slices.Contains(w.services, name) })
		})
}

// shelter makes the routes answer 503 that serve addresses which are not served any more.
func (d *draft) shelter(routes []intent.Route) []intent.Route {
	out := slices.Clone(routes)
	for i, r := range out {
		if d.exposes(r) {
			out[i] = shut(r)
		}
	}
	return out
}

// refuses tells whether there are rules that concern a route, and none of them admits as many as it does.
func (d *draft) refuses(r intent.Route, concerns func(wording) bool) bool {
	found := false
	for _, w := range d.written {
		if !concerns(w) {
			continue
		}
		if w.admits(r) {
			return false
		}
		found = true
	}
	return found
}

func samePlace(a, b intent.Match) bool {
	return slices.Equal(a.Hosts, b.Hosts) && (len(a.Paths)+len(b.Paths) == 0 ||
		slices.ContainsFunc(a.Paths, func(p intent.Path) bool { return slices.Contains(b.Paths, p) }))
}

// backendsOf are the names of the Services that a route forwards to.
func backendsOf(r intent.Route) []string {
	if r.Forward == nil {
		return nil
	}
	var out []string
	for _, b := range r.Forward.Backends {
		if b.Service != nil {
			out = append(out, b.Service.Name)
		}
	}
	return out
}

// findSources tells the owner of a member that is held what becomes of rules that serve more addresses than it says now.
func (d *draft) findSources() {
	if !slices.ContainsFunc(d.written, wording.restricts) || !d.isWrong() {
		return
	}
	for _, name := range d.read.Names(annotations.Conditions) {
		key := annotations.Conditions + "." + name
		if d.used[key] && d.namesAddresses(name) {
			d.note(model.Closed, ReasonClosed, d.read.Field(key),
				"says which addresses are served: until what is wrong with the Ingress is mended, rules of before that serve others answer 503")
		}
	}
}

// isWrong tells whether a mistake of the member's own was found.
func (d *draft) isWrong() bool {
	return slices.ContainsFunc(d.notes.list, func(f model.Finding) bool { return f.Severity == model.Wrong && f.Object.Same(d.object) })
}
