package gateway

import (
	"maps"
	"reflect"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/model"
)

// Memory holds the judgements on the routes of one Gateway: one stands as long as nothing changed that it was made of, so that a change of
// one route has that one judged. What all routes share is compared whole, and a change of it has all of them judged; of a route and of its
// Services the versions tell. The zero Memory knows nothing. It is for one caller at a time.
type Memory struct {
	around    *Snapshot
	parents   []*parent
	listeners []*listener
	web       map[int][]string
	routes    map[routeName]*record
	// judged is how many routes the last judgement could not remember.
	judged int
}

// routeName names a route of any kind.
type routeName struct {
	types.NamespacedName

	kind string
}

// version is what tells an object from what it was; without a number it cannot be told.
type version struct {
	uid    types.UID
	number string
}

// record is a route that was judged, with what the judgement was made of besides what all share.
type record struct {
	version

	services map[types.NamespacedName]version
	judged   judged
}

func versionOf(o client.Object) version { return version{o.GetUID(), o.GetResourceVersion()} }

func nameOf(r *route) routeName { return routeName{client.ObjectKeyFromObject(r), r.kind} }

// judge gives the translator of a snapshot, and the routes judged by it.
func (m *Memory) judge(s *Snapshot, c config, keeps bool) (*translator, []*judged) {
	if around := s.shared(); !reflect.DeepEqual(m.around, around) {
		*m = Memory{around: around, parents: s.parents()}
		m.listeners = judge(s, m.parents)
	}
	s.TargetGroups = m.around.TargetGroups // judgements point to them
	t := &translator{
		snapshot: s, config: c, parents: m.parents, listeners: m.listeners, used: map[*awsgwv1.TargetGroupConfiguration]bool{},
		asked: map[*listener]bool{}, keeps: keeps,
	}
	routes, known := m.begin(t)
	m.judged = 0
	next := make(map[routeName]*record, len(routes))
	for i, j := range routes {
		if !known[i] {
			t.translate(j)
			m.judged++
		}
		maps.Copy(t.used, j.used)
		if !j.unsupported.any() {
			maps.Copy(t.asked, j.asked)
		}
		if known[i] {
			next[nameOf(j.route)] = m.routes[nameOf(j.route)]
		} else if r := s.recordOf(j); r != nil {
			next[nameOf(j.route)] = r
		}
	}
	m.routes = next
	return t, routes
}

// begin finds the listeners of the routes, and says which of them are judged already.
func (m *Memory) begin(t *translator) (routes []*judged, known []bool) {
	s := t.snapshot
	routes, known = make([]*judged, len(s.Routes)), make([]bool, len(s.Routes))
	for i := range s.Routes {
		if r := m.routes[nameOf(&s.Routes[i])]; r != nil && r.stands(s, &s.Routes[i]) {
			j := r.judged
			j.route = &s.Routes[i]
			routes[i], known[i] = &j, true
			continue
		}
		routes[i] = t.begin(&s.Routes[i])
	}
	t.meetWeb(routes)
	if !reflect.DeepEqual(t.web, m.web) {
		for i, j := range routes {
			if known[i] && j.route.kind == kindGRPCRoute {
				routes[i], known[i] = t.begin(j.route), false
			}
		}
	}
	m.web = t.web
	return routes, known
}

// stands tells whether neither a route nor a Service of it changed.
func (r *record) stands(s *Snapshot, now *route) bool {
	if versionOf(now.object) != r.version {
		return false
	}
	for key, was := range r.services {
		if now, _ := s.versionOfService(key); now != was {
			return false
		}
	}
	return true
}

// recordOf is what is remembered of a route; nil where a change of it could not be seen.
func (s *Snapshot) recordOf(j *judged) *record {
	out := &record{version: versionOf(j.route.object), services: map[types.NamespacedName]version{}, judged: *j}
	out.judged.route = nil
	for _, rule := range j.route.Spec.Rules {
		for _, b := range rule.BackendRefs {
			key := backendKey(j.route.Namespace, b.BackendRef)
			v, told := s.versionOfService(key)
			if !told {
				return nil
			}
			out.services[key] = v
		}
	}
	if out.number == "" {
		return nil
	}
	return out
}

// versionOfService is empty of a Service that is not there; told says that a change could be seen.
func (s *Snapshot) versionOfService(key types.NamespacedName) (v version, told bool) {
	service, ok := s.Services[key]
	if !ok {
		return version{}, true
	}
	v = versionOf(&service)
	return v, v.number != ""
}

// shared is what the judgements on all routes are made of: everything but routes and their Services, without what is written there of them.
func (s *Snapshot) shared() *Snapshot {
	out := *s
	out.Routes, out.Left, out.Services = nil, nil, nil
	gateway := *s.Gateway
	gateway.ResourceVersion, gateway.ManagedFields, gateway.Status = "", nil, gwv1.GatewayStatus{}
	out.Gateway, out.Sets = &gateway, slices.Clone(s.Sets)
	for i := range out.Sets {
		set := &out.Sets[i]
		set.ResourceVersion, set.ManagedFields, set.Status = "", nil, gwv1.ListenerSetStatus{}
	}
	return &out
}

// Judge turns a snapshot into an intent, as the function [Judge] does, with what is remembered of the same Gateway under the same settings.
func (m *Memory) Judge(s *Snapshot, set Settings, owner model.Owner) *Verdict {
	v := newVerdict(s, set, owner)
	if s.Gateway == nil || !s.Gateway.DeletionTimestamp.IsZero() || !s.Ours {
		*m = Memory{}
		return v
	}
	c := mergeConfigs(s.ClassConfig, s.GatewayConfig)
	c.without = set.Without
	v.translator, v.routes = m.judge(s, c, set.Shelf.Bucket != "")
	v.parents, v.listeners = v.translator.parents, v.translator.listeners
	v.conclude()
	return v
}
