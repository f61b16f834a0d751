package build

import (
	"iter"

	"github.com/headgate/headgate/model/intent"
)

// backend is what makes two target groups of one resource ID different. The incumbent joins names by hyphens, which names may hold too:
// a route "web" of team-a that forwards to team-a/api has the ID of a route "a-web" of team that forwards to team/a-api.
type backend struct{ key, namespace, name, port string }

func backendOf(s *intent.Service) backend { return backend{s.NameKey, s.Namespace, s.Name, s.Port} }

// idHash is the length of what is added to a resource ID that somebody else has.
const idHash = 8

// identify gives each resource ID to one backend: to that which stands, else to the first in precedence.
func (b *builder) identify() {
	b.ids = map[string]backend{}
	for _, f := range b.fragments {
		before := b.before(f)
		if before == nil {
			continue
		}
		stood := map[string]backend{}
		for s := range servicesOf(before) {
			stood[s.ID] = backendOf(s)
		}
		for s := range servicesOf(f) {
			if stood[s.ID] == backendOf(s) {
				b.own(s)
			}
		}
	}
	for _, f := range b.fragments {
		for s := range servicesOf(f) {
			b.own(s)
		}
	}
}

func (b *builder) own(s *intent.Service) {
	if _, taken := b.ids[s.ID]; !taken {
		b.ids[s.ID] = backendOf(s)
	}
}

// groupID is the resource ID of a Service's target group: its own where the ID is another one's.
func (b *builder) groupID(s *intent.Service) string {
	if b.ids[s.ID] == backendOf(s) {
		return s.ID
	}
	return s.ID + "-" + shortHash(s.NameKey, s.Namespace, s.Name, s.Port)[:idHash]
}

func servicesOf(f *intent.Fragment) iter.Seq[*intent.Service] {
	return func(yield func(*intent.Service) bool) {
		for _, r := range routesOf(f) {
			for s := range r.Services() {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// routesOf are the routes of a member and the default answers of its listeners.
func routesOf(f *intent.Fragment) []*intent.Route {
	var out []*intent.Route
	for i := range f.Routes {
		out = append(out, &f.Routes[i])
	}
	for i := range f.Listeners {
		if f.Listeners[i].Default != nil {
			out = append(out, f.Listeners[i].Default)
		}
	}
	return out
}
