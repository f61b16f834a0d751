package sim

import (
	"cmp"
	"slices"
	"sync"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Calls are the calls since the start or the last reset.
type Calls struct {
	Reads  int `json:"reads"`
	Writes int `json:"writes"`
	// Calls lists the operations that were called, by service and action.
	Calls []Count `json:"calls"`
	// Unknown lists the calls of services and actions that are not simulated. They are neither reads nor writes.
	Unknown []Count `json:"unknown"`
}

// Count is how often an operation was called.
type Count struct {
	// Service is the signing name, as in elasticloadbalancing.
	Service string `json:"service"`
	Action  string `json:"action"`
	// Kind is read or write; empty for an unknown operation.
	Kind  string `json:"kind,omitempty"`
	Count int    `json:"count"`
	// Failed is how many of them were answered with an error.
	Failed int `json:"failed"`
}

// Of gives how often an action was called, of any service.
func (c Calls) Of(action string) int {
	total := 0
	for _, one := range c.Calls {
		if one.Action == action {
			total += one.Count
		}
	}
	return total
}

// entry is an operation that was called.
type entry struct {
	service, action string
	kind            wire.Kind
}

// recorder counts calls.
type recorder struct {
	mu     sync.Mutex
	counts map[entry]*Count
}

func newRecorder() *recorder { return &recorder{counts: map[entry]*Count{}} }

func (r *recorder) count(e entry, failed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	c, ok := r.counts[e]
	if !ok {
		c = &Count{Service: e.service, Action: e.action, Kind: string(e.kind)}
		r.counts[e] = c
	}
	c.Count++
	if failed {
		c.Failed++
	}
}

func (r *recorder) unknown(service, action string) {
	r.count(entry{service: service, action: action}, true)
}

func (r *recorder) reset() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.counts = map[entry]*Count{}
}

func (r *recorder) snapshot() Calls {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := Calls{Calls: []Count{}, Unknown: []Count{}}
	for _, c := range r.counts {
		switch wire.Kind(c.Kind) {
		case wire.Read:
			out.Reads += c.Count
		case wire.Write:
			out.Writes += c.Count
		default:
			out.Unknown = append(out.Unknown, *c)
			continue
		}
		out.Calls = append(out.Calls, *c)
	}
	slices.SortFunc(out.Calls, byName)
	slices.SortFunc(out.Unknown, byName)
	return out
}

func byName(a, b Count) int {
	return cmp.Or(cmp.Compare(a.Service, b.Service), cmp.Compare(a.Action, b.Action))
}

// Calls gives the calls since the start or the last reset.
func (s *Simulator) Calls() Calls { return s.calls.snapshot() }

// ResetCalls forgets the calls, and only them.
func (s *Simulator) ResetCalls() { s.calls.reset() }

// Operations lists what is simulated, by service and action; the counts are zero.
func (s *Simulator) Operations() []Count {
	s.mu.Lock()
	defer s.mu.Unlock()
	var all []Count
	for _, v := range s.services {
		for _, o := range v.Operations {
			all = append(all, Count{Service: v.Name, Action: o.Name, Kind: string(o.Kind)})
		}
	}
	slices.SortFunc(all, byName)
	return all
}
