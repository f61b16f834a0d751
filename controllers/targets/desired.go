package targets

import (
	"cmp"
	"slices"

	discoveryv1 "k8s.io/api/discovery/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/ptr"

	"github.com/headgate/headgate/model"
)

// endpoint is one address of a Service port with what its slice says of it.
type endpoint struct {
	target      model.Target
	ready       bool
	serving     bool
	terminating bool
	// namespace, pod and uid are of the Pod behind it, empty without one.
	namespace, pod string
	uid            types.UID
}

// key names the Pod.
func (e endpoint) key() types.NamespacedName {
	return types.NamespacedName{Namespace: e.namespace, Name: e.pod}
}

// port names the Service port whose endpoints are wanted: as the slices name it.
type port struct {
	// name of the Service port; slices carry it.
	name string
	// family is IPv4 or IPv6.
	family discoveryv1.AddressType
}

// rank orders what slices say of one address: while an endpoint moves from one slice to another, the better word counts.
func (e endpoint) rank() int {
	switch {
	case e.ready && !e.terminating:
		return 0
	case !e.terminating:
		return 1
	case e.serving:
		return 2
	}
	return 3
}

// endpoints lists the endpoints of a Service port, sorted by address and without duplicates.
func endpoints(slicesOfService []discoveryv1.EndpointSlice, p port) []endpoint {
	var out []endpoint
	for _, s := range slicesOfService {
		if s.AddressType != p.family {
			continue
		}
		number, ok := portOf(s, p.name)
		if !ok {
			continue
		}
		for _, e := range s.Endpoints {
			out = append(out, endpointsOf(e, number)...)
		}
	}
	slices.SortFunc(out, func(a, b endpoint) int {
		return cmp.Or(cmp.Compare(a.target.ID, b.target.ID), cmp.Compare(a.target.Port, b.target.Port), cmp.Compare(a.rank(), b.rank()))
	})
	return slices.CompactFunc(out, func(a, b endpoint) bool { return a.target == b.target })
}

func portOf(s discoveryv1.EndpointSlice, name string) (int, bool) {
	for _, p := range s.Ports {
		if ptr.Deref(p.Name, "") == name && p.Port != nil {
			return int(*p.Port), true
		}
	}
	return 0, false
}

func endpointsOf(e discoveryv1.Endpoint, number int) []endpoint {
	ready := ptr.Deref(e.Conditions.Ready, true)
	base := endpoint{
		ready:       ready,
		serving:     ptr.Deref(e.Conditions.Serving, ready),
		terminating: ptr.Deref(e.Conditions.Terminating, false),
	}
	if ref := e.TargetRef; ref != nil && ref.Kind == "Pod" {
		base.namespace, base.pod, base.uid = ref.Namespace, ref.Name, ref.UID
	}
	out := make([]endpoint, 0, len(e.Addresses))
	for _, a := range e.Addresses {
		one := base
		one.target = model.Target{ID: a, Port: number}
		out = append(out, one)
	}
	return out
}

// desired chooses the endpoints that shall be registered (docs/design/planning.md, Targets): the ready ones; those whose pod waits
// only for our readiness gate; where there are none of these, those that still serve while they terminate; and where nothing is
// ready at all and failOpen says so, all that do not terminate.
func desired(all []endpoint, gated func(endpoint) bool, failOpen FailOpen) []model.Target {
	choices := []func(endpoint) bool{
		func(e endpoint) bool { return !e.terminating && (e.ready || gated(e)) },
		func(e endpoint) bool { return e.terminating && e.serving },
	}
	if failOpen == RegisterUnready {
		choices = append(choices, func(e endpoint) bool { return !e.terminating })
	}
	for _, want := range choices {
		var out []model.Target
		for _, e := range all {
			if want(e) {
				out = append(out, e.target)
			}
		}
		if len(out) > 0 {
			return out
		}
	}
	return nil
}

// FailOpen says what happens to endpoints when none is ready.
type FailOpen int

const (
	// LeaveUnready registers none of them.
	LeaveUnready FailOpen = iota
	// RegisterUnready registers all that do not terminate.
	RegisterUnready
)

// change is the difference of two sets of targets.
type change struct {
	register   []model.Target
	deregister []model.Target
}

func (c change) empty() bool { return len(c.register) == 0 && len(c.deregister) == 0 }

// diff compares what shall be registered with what is known to be.
func diff(want, known []model.Target) change {
	return change{register: without(want, known), deregister: without(known, want)}
}

// contains tells whether a target is among others; its zone does not tell targets apart.
func contains(list []model.Target, t model.Target) bool {
	return slices.ContainsFunc(list, func(o model.Target) bool { return o.ID == t.ID && o.Port == t.Port })
}
