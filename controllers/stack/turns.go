package stack

import (
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/model"
)

// The time between two trials of what AWS refused, of all stacks: it doubles when AWS or the limiter has no room, and shrinks else.
const (
	leastGap = 100 * time.Millisecond
	mostGap  = 2 * time.Second
	// nearer is the part of the gap that is left after a trial that found room.
	nearer = 0.8
	// missing is how long who is first in the line is waited for.
	missing = 5 * time.Second
)

// turns has the stacks of which something was refused ask AWS again one after the other, in the order in which they came, so that many of
// them take longer and not more.
type turns struct {
	mu   sync.Mutex
	gap  time.Duration
	free time.Time
	line []turn
}

// turn is a place in the line, and when it is expected to come.
type turn struct {
	owner model.Owner
	at    time.Time
}

func newTurns() *turns { return &turns{gap: leastGap} }

// wait is how long an owner that is due has to wait for its turn; zero is its turn.
func (t *turns) wait(owner model.Owner, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = slices.DeleteFunc(t.line, func(o turn) bool { return o.owner != owner && now.Sub(o.at) > missing })
	place := t.place(owner)
	if place == len(t.line) {
		t.line = append(t.line, turn{owner: owner})
	}
	if left := t.free.Sub(now); left > mostGap {
		t.free = now // the clock was put back
	}
	if place == 0 && !t.free.After(now) {
		t.line, t.free = t.line[1:], now.Add(t.gap)
		return 0
	}
	at := now
	if t.free.After(at) {
		at = t.free
	}
	t.line[place].at = at.Add(time.Duration(place) * t.gap)
	return max(t.line[place].at.Sub(now), time.Millisecond)
}

// place is where an owner stands in the line, its length where it does not.
func (t *turns) place(owner model.Owner) int {
	if i := slices.IndexFunc(t.line, func(o turn) bool { return o.owner == owner }); i >= 0 {
		return i
	}
	return len(t.line)
}

// passed adapts the pace to a trial that found room.
func (t *turns) passed() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gap = max(time.Duration(nearer*float64(t.gap)), leastGap)
}

// failed adapts it to one that did not, which is the next one again. It returns when that is.
func (t *turns) failed(owner model.Owner, now time.Time) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.gap = min(2*t.gap, mostGap)
	t.free = now.Add(t.gap)
	t.line = slices.Insert(t.line, 0, turn{owner, t.free})
	return t.gap
}

// drop forgets a stack that is gone.
func (t *turns) drop(owner model.Owner) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.line = slices.DeleteFunc(t.line, func(o turn) bool { return o.owner == owner })
}
