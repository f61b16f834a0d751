package isolation

import (
	"maps"

	networkingv1 "k8s.io/api/networking/v1"
	kube "sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/annotations"
)

// edit is what a neighbour does meanwhile, rightly.
type edit struct {
	m *member
	// what it did, in words, and what requests to it meet from then on.
	what  string
	wants map[ask]string
	gone  bool
}

// edit has a member do something that it may do. Where somebody took all the room there was, which quotas give to who came first, nobody asks
// for more.
func (w *world) edit(m *member, full bool) edit {
	w.Helper()
	e := edit{m: m, wants: maps.Clone(m.wants)}
	ing := &networkingv1.Ingress{}
	if err := w.api.Get(w.Context(), kube.ObjectKeyFromObject(m.ing), ing); err != nil {
		w.Fatal(err)
	}
	guarded := m.wants[ask{port: m.ports[0], host: m.host, path: "/deep/er"}]
	s := &scene{world: w, m: m, ing: ing, rand: w.rand}
	kind := w.rand.IntN(5)
	if kind == 1 && full {
		kind = 0
	}
	switch kind {
	case 0:
		e.what = "is deleted"
		e.gone = true
		for a := range e.wants {
			e.wants[a] = ""
		}
		if err := w.api.Delete(w.Context(), ing); err != nil {
			w.Fatal(err)
		}
		return e
	case 1:
		e.what = "has a host more"
		prefix := networkingv1.PathTypePrefix
		s.rule("new-"+m.host, networkingv1.HTTPIngressPath{Path: "/", PathType: &prefix, Backend: to("a")})
		for _, port := range m.ports {
			e.wants[ask{port: port, host: "new-" + m.host, path: "/"}] = guarded
		}
	case 2:
		e.what = "moves a path"
		for i := range ing.Spec.Rules {
			if paths := ing.Spec.Rules[i].HTTP.Paths; paths[0].Path == "/b" {
				paths[0].Backend = to("a")
			}
		}
		for _, port := range m.ports {
			e.wants[ask{port: port, host: m.host, path: "/b"}] = guarded
		}
	case 3:
		e.what = "is checked otherwise"
		s.set(annotations.HealthyThreshold, "7")
	default:
		e.what = "moves in the group"
		s.set(annotations.GroupOrder, "77")
	}
	if err := w.api.Update(w.Context(), ing); err != nil {
		w.Fatal(err)
	}
	return e
}
