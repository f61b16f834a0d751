package cloud

import (
	"cmp"
	"slices"
	"sync"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// turns lets so many changes of a plan be made side by side. It is not who waits longest that comes next: of the rules each host name has its
// turn, and of the target groups each namespace, so that one that has hundreds made does not hold up its neighbours. What others are made in
// comes before all of them.
type turns struct {
	mu   sync.Mutex
	free int
	// had is how many turns each had.
	had map[string]int
	// queue are the changes that could be made.
	queue []waiter
}

// waiter is a change that could be made: its place in the plan, whose turn it takes, and what is closed when that comes.
type waiter struct {
	place int
	whose string
	come  chan struct{}
}

func newTurns(abreast int) *turns { return &turns{free: abreast, had: map[string]int{}} }

// take waits until a change may be made.
func (t *turns) take(c plan.Change) {
	w := waiter{place: c.ID, whose: whose(c), come: make(chan struct{})}
	t.mu.Lock()
	t.queue = append(t.queue, w)
	t.next()
	t.mu.Unlock()
	<-w.come
}

// done makes room for the next one.
func (t *turns) done() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.free++
	t.next()
}

// next lets in whose turn it is while there is room. mu is held.
func (t *turns) next() {
	for ; t.free > 0 && len(t.queue) > 0; t.free-- {
		first := slices.MinFunc(t.queue, func(a, b waiter) int {
			return cmp.Or(cmp.Compare(t.had[a.whose], t.had[b.whose]), cmp.Compare(a.place, b.place))
		})
		t.queue = slices.DeleteFunc(t.queue, func(w waiter) bool { return w.place == first.place })
		if first.whose != "" {
			t.had[first.whose]++
		}
		close(first.come)
	}
}

// whose turn a change takes, nobody's where others are made in what it makes.
func whose(c plan.Change) string {
	switch {
	case c.Rule != nil:
		for _, cond := range c.Rule.Conditions {
			if cond.Field == model.FieldHost {
				return "host " + cmp.Or(slices.Concat(cond.Values, cond.Regex)...)
			}
		}
		return "host"
	case c.TargetGroup != nil:
		return "namespace " + c.TargetGroup.Backend.Namespace
	}
	return ""
}
