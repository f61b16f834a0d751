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
	b.ids = make(map[string]backend, len(b.fragments))
	for i, f := range b.fragments {
		if before := b.before(f); before != nil {
			for _, s := range b.stay(i, before) {
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

// stay are the services of the fragment at index i that it had when its member was good.
func (b *builder) stay(i int, before *intent.Fragment) []*intent.Service {
	lasting := i < len(b.remembered) && before.SharesLists(b.fragments[i])
	if lasting && b.remembered[i].stay != nil {
		return b.remembered[i].stay
	}
	had := map[string]backend{}
	for s := range servicesOf(before) {
		had[s.ID] = backendOf(s)
	}
	var out []*intent.Service
	for s := range servicesOf(b.fragments[i]) {
		if had[s.ID] == backendOf(s) {
			out = append(out, s)
		}
	}
	if lasting {
		b.remembered[i].stay = out
	}
	return out
}

func (b *builder) own(s *intent.Service) {
	if _, taken := b.ids[s.ID]; !taken {
		b.ids[s.ID] = backendOf(s)
	}
}

// groupID is the resource ID of a Service's target group: its own where the ID is another one's.
func (b *builder) groupID(s *intent.Service) string {
	if b.ids == nil {
		b.identify()
	}
	if b.ids[s.ID] == backendOf(s) {
		return s.ID
	}
	return s.ID + "-" + shortHash(s.NameKey, s.Namespace, s.Name, s.Port)[:idHash]
}

func servicesOf(f *intent.Fragment) iter.Seq[*intent.Service] {
	return func(yield func(*intent.Service) bool) {
		for r := range routesOf(f) {
			for s := range r.Services() {
				if !yield(s) {
					return
				}
			}
		}
	}
}

// routesOf are the routes of a member and the default answers of its listeners.
func routesOf(f *intent.Fragment) iter.Seq[*intent.Route] {
	return func(yield func(*intent.Route) bool) {
		for i := range f.Routes {
			if !yield(&f.Routes[i]) {
				return
			}
		}
		for i := range f.Listeners {
			if answer := f.Listeners[i].Default; answer != nil && !yield(answer) {
				return
			}
		}
	}
}
