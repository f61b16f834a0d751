package elb

import "reflect"

// indexed makes the index of what the tables hold.
func (s *State) indexed() index {
	x := newIndex()
	for _, lb := range s.balancers.All() {
		x.addBalancer(lb)
	}
	for _, l := range s.listeners.All() {
		x.addListener(l)
	}
	for _, t := range s.stores.All() {
		x.stores[*t.Name] = t
	}
	for _, g := range s.groups.All() {
		x.addGroup(g)
		for _, t := range g.targets.All() {
			x.addTarget(g, *t.Id)
			if !t.gone.IsZero() {
				x.draining[g] = true
			}
		}
	}
	return x
}

// IndexHolds reports whether the index says what the tables say.
func (s *State) IndexHolds() bool {
	for _, g := range s.groups.All() {
		// A group that may have draining targets is taken out when somebody looks.
		s.dropDrained(g)
	}
	return reflect.DeepEqual(s.index, s.indexed())
}
