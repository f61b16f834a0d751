package call

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"
)

// clock is time that a test moves.
type clock struct {
	mu     sync.Mutex
	now    time.Time
	alarms []alarm
}

type alarm struct {
	at time.Time
	f  func()
}

func newClock() *clock { return &clock{now: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)} }

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) After(d time.Duration, f func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.alarms = append(c.alarms, alarm{c.now.Add(d), f})
}

// advance moves time in steps of a millisecond, so that alarms set by alarms go off too.
func (c *clock) advance(d time.Duration) {
	for range d / time.Millisecond {
		c.mu.Lock()
		c.now = c.now.Add(time.Millisecond)
		var due []func()
		c.alarms = slices.DeleteFunc(c.alarms, func(a alarm) bool {
			if a.at.After(c.now) {
				return false
			}
			due = append(due, a.f)
			return true
		})
		c.mu.Unlock()
		for _, f := range due {
			f()
		}
	}
}

// granted counts the turns that were given.
func granted(turns []chan struct{}) int {
	n := 0
	for _, t := range turns {
		select {
		case <-t:
			n++
		default:
		}
	}
	return n
}

func TestLimiterStartsGenerous(t *testing.T) {
	l := NewLimiter(newClock())
	for range 50 {
		if err := l.Wait(t.Context(), Background); err != nil {
			t.Fatal(err)
		}
	}
}

func TestLimiterHalvesOnceForRefusalsTogether(t *testing.T) {
	c := newClock()
	l := NewLimiter(c)
	for range 8 {
		l.Throttled()
	}
	if got := l.Rate(); got != maxRate/2 {
		t.Errorf("after eight refusals together the rate is %v, want %v", got, maxRate/2)
	}
	c.advance(calm)
	l.Throttled()
	if got := l.Rate(); got != maxRate/4 {
		t.Errorf("after a later refusal the rate is %v, want %v", got, maxRate/4)
	}
}

func TestLimiterNeverStopsAndGrowsBack(t *testing.T) {
	c := newClock()
	l := NewLimiter(c)
	for range 20 {
		l.Throttled()
		c.advance(calm)
	}
	low := l.Rate()
	if low < minRate || low > minRate+growth {
		t.Errorf("the rate is %v after twenty refusals, want about %v", low, minRate)
	}
	c.advance(10 * time.Second)
	if got := l.Rate(); got < low+9*growth {
		t.Errorf("the rate is %v ten seconds later, want it to have grown by about %v", got, 10*growth)
	}
}

func TestLimiterServesUrgentLanesFirst(t *testing.T) {
	c := newClock()
	l := NewLimiter(c)
	l.Throttled() // no tokens are left
	var background, edits, registers, deregisters []chan struct{}
	for range 10 {
		background = append(background, l.enter(Background))
		edits = append(edits, l.enter(Edit))
		registers = append(registers, l.enter(Register))
		deregisters = append(deregisters, l.enter(Deregister))
	}
	order := []struct {
		name  string
		turns []chan struct{}
	}{{"deregister", deregisters}, {"register", registers}, {"edit", edits}, {"background", background}}
	for range 1000 {
		c.advance(5 * time.Millisecond)
		counts := make([]int, len(order))
		for i, lane := range order {
			counts[i] = granted(lane.turns)
		}
		for i := 1; i < len(order); i++ {
			if counts[i] > 0 && counts[i-1] < 10 {
				t.Fatalf("%s was served (%d) before every %s (%d)", order[i].name, counts[i], order[i-1].name, counts[i-1])
			}
		}
		if counts[len(order)-1] == 10 {
			return
		}
	}
	t.Fatal("five seconds were not enough for forty calls at fifty a second")
}

func TestLimiterKeepsTokensForTargets(t *testing.T) {
	c := newClock()
	l := NewLimiter(c)
	var background []chan struct{}
	for range int(maxRate) {
		background = append(background, l.enter(Background))
	}
	if got, most := granted(background), int(maxRate*(1-3*share)); got > most {
		t.Errorf("a burst of reads took %d of %v tokens, want at most %d", got, maxRate, most)
	}
	if granted([]chan struct{}{l.enter(Deregister)}) != 1 {
		t.Error("a deregistration waits behind a burst of reads")
	}
}

func TestLimiterGivesUpWithItsContext(t *testing.T) {
	c := newClock()
	l := NewLimiter(c)
	l.Throttled()
	ctx, cancel := context.WithCancel(t.Context())
	waited := make(chan error)
	go func() { waited <- l.Wait(ctx, Edit) }()
	cancel()
	if err := <-waited; err == nil {
		t.Fatal("a wait whose context ended was granted")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.queues[Edit]) != 0 {
		t.Error("a waiter that gave up still stands in the queue")
	}
}
