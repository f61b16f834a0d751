package stack

import (
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
)

// A member that goes to another stack stays in the one that it leaves, as it was good there last, until the other one serves it and clients
// had time to hear of the new address. How far that came is kept in the process alone: after a restart a member stays until the other stack
// has had its first run. An address of the other stack that the member shows says that it was served before. That its rules go is written
// down, so that none is made anew.

// Move is a member on its way between two stacks.
type Move struct {
	Member model.ObjectRef
	// Other is the stack at the other end.
	Other model.Owner
	// Published are the host names that the member shows.
	Published []string
}

// Times between two looks at a move.
const (
	moveFirst = 3 * time.Second
	moveLast  = 5 * time.Minute
)

// moves is what is known of members on their way, by stack and member.
type moves struct {
	mu sync.Mutex
	// coming is by the stack that they go to, staying by the one that they leave.
	coming  map[model.Owner]map[string]arrival
	staying map[model.Owner]map[string]departure
}

// arrival is how far a stack serves a member that comes.
type arrival struct {
	uid string
	// lacks is what keeps it from being served, empty once it is; since is when that was seen first.
	lacks string
	since time.Time
	// whole is since when all of its rules are there, zero while they are not.
	whole time.Time
}

// departure is how far a member has left a stack.
type departure struct {
	// lacks as of its arrival; since is when that was seen first.
	lacks string
	since time.Time
	// groups that serve it still.
	groups []backing
}

// backing is a target group with what its targets come from.
type backing struct {
	arn     model.ARN
	backend string
}

func newMoves() *moves {
	return &moves{coming: map[model.Owner]map[string]arrival{}, staying: map[model.Owner]map[string]departure{}}
}

// arrived is how far a stack serves a member; false where it has not been looked at.
func (m *moves) arrived(at model.Owner, who model.ObjectRef) (arrival, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	one, known := m.coming[at][memberKey(who)]
	return one, known && one.uid == who.UID
}

func (m *moves) drop(owner model.Owner) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.coming, owner)
	delete(m.staying, owner)
}

// What keeps a member from being served by another stack: unseen of one that had no run since the start.
const (
	unseen   = "it was not looked at yet"
	inactive = "the load balancer there is not active"
)

// linger has members that moved away served as they were good here last, while the stack that they moved to does not serve them, and a
// while longer. Those of whom nothing is remembered leave at once, like those that are gone.
func (l *Loop) linger(a *attempt) {
	spec := &a.state.object.Spec
	if len(a.req.Moving) == 0 {
		spec.Departed = nil
		l.moves.stay(a.owner, nil)
		return
	}
	now, before := l.opts.Now(), l.moves.departures(a.owner)
	after, gone := map[string]departure{}, []string(nil)
	a.req.Intent.Fragments, a.req.Leaving = slices.Clone(a.req.Intent.Fragments), slices.Clone(a.req.Leaving)
	for _, m := range a.req.Moving {
		key := memberKey(m.Member)
		there, looked := l.moves.arrived(m.Other, m.Member)
		if !looked {
			there.lacks = unseen
		}
		one, known := before[key]
		if !known || one.lacks != there.lacks {
			one.lacks, one.since = there.lacks, now
		}
		good, remembered := a.state.good[key]
		over := one.lacks == "" && now.Sub(one.since) >= l.opts.MoveHold
		if l.opts.Pretend {
			over = true
			a.notes = append(a.notes, "waits until the load balancer of "+named(spell(m.Other))+" serves "+m.Member.String())
		}
		if !remembered || good.Member.UID != m.Member.UID || over || slices.Contains(spec.Departed, key) {
			a.req.Leaving, gone = append(a.req.Leaving, m.Member), append(gone, key)
			continue
		}
		after[key] = one
		a.req.Intent.Fragments = append(a.req.Intent.Fragments, good)
		a.lingering = append(a.lingering, m.Member)
		if one.lacks != "" {
			a.findings = merge(a.findings, []model.Finding{staysFinding(m, one.lacks, good.Settings.Name)})
		}
		if looked && one.lacks != "" {
			a.remaining = append(a.remaining, good)
		}
	}
	slices.Sort(gone)
	spec.Departed = gone
	l.moves.stay(a.owner, after)
}

// staysFinding tells a member that moves why it is not there yet. The name is that of the load balancer that it leaves, where it gave one.
func staysFinding(m Move, lacks, name string) model.Finding {
	if lacks == inactive && name != "" {
		lacks += "; AWS takes a name once, so while this load balancer is there no other one can be called " + name
	}
	return model.Finding{
		Object: m.Member, Severity: model.Warning, Reason: outcome.ReasonMoving,
		Message: "moves, and is served by the load balancer that it leaves, as it was, until that of " + named(spell(m.Other)) + " serves it: " + lacks,
	}
}

// departures are the members that were seen leaving.
func (m *moves) departures(owner model.Owner) map[string]departure {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.staying[owner])
}

func (m *moves) stay(owner model.Owner, all map[string]departure) {
	m.mu.Lock()
	defer m.mu.Unlock()
	swap(m.staying, owner, all)
}

func (m *moves) arrivals(owner model.Owner) map[string]arrival {
	m.mu.Lock()
	defer m.mu.Unlock()
	return maps.Clone(m.coming[owner])
}

func (m *moves) come(owner model.Owner, all map[string]arrival) {
	m.mu.Lock()
	defer m.mu.Unlock()
	swap(m.coming, owner, all)
}

// swap puts what is known of a stack's members in place of what was.
func swap[T any](in map[model.Owner]map[string]T, owner model.Owner, all map[string]T) {
	delete(in, owner)
	if len(all) > 0 {
		in[owner] = all
	}
}
