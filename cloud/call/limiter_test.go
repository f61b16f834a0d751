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

// bucket is AWS's own: it refuses what comes beyond a rate and a burst.
type bucket struct {
	rate, burst, tokens float64
	filled              time.Time
}

func (b *bucket) take(now time.Time) bool {
	b.tokens = min(b.burst, b.tokens+b.rate*now.Sub(b.filled).Seconds())
	b.filled = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// work makes so many calls through a limiter, so many side by side, each of which takes 150 ms, against a bucket. It gives the time that this
// takes and how many were refused.
func work(c *clock, l *Limiter, aws *bucket, calls, flight int) (took time.Duration, refused int) {
	begin, done := c.Now(), 0
	type answer struct {
		at time.Time
		ok bool
	}
	var turns []chan struct{}
	var answers []answer
	for done < calls {
		for len(turns)+len(answers) < min(flight, calls-done) {
			turns = append(turns, l.enter(Edit))
		}
		turns = slices.DeleteFunc(turns, func(turn chan struct{}) bool {
			select {
			case <-turn:
				answers = append(answers, answer{c.Now().Add(150 * time.Millisecond), aws.take(c.Now())})
				return true
			default:
				return false
			}
		})
		c.advance(time.Millisecond)
		answers = slices.DeleteFunc(answers, func(a answer) bool {
			switch {
			case a.at.After(c.Now()):
				return false
			case a.ok:
				done++
				l.Answered()
			default:
				refused++
				l.Throttled()
			}
			return true
		})
	}
	return c.Now().Sub(begin), refused
}

func TestLimiterFindsWhatAWSAllows(t *testing.T) {
	for _, row := range []struct {
		why         string
		rate, burst float64
		calls       int
		flight      int
		// refused is the most that may be refused, late how much more time it may take than the bucket needs.
		refused int
		late    float64
	}{
		{"as measured: writes of load balancers", 5, 20, 320, 8, 18, 1.03},
		{"an account with little left", 2, 10, 100, 8, 16, 1.05},
		{"an account with more", 20, 40, 600, 16, 18, 1.2},
		{"enough for all", 1000, 1000, 400, 8, 0, 1.6},
	} {
		c := newClock()
		aws := &bucket{rate: row.rate, burst: row.burst, tokens: row.burst, filled: c.Now()}
		took, refused := work(c, NewLimiter(c), aws, row.calls, row.flight)
		least := max((float64(row.calls)-row.burst)/row.rate, float64(row.calls)*0.15/float64(row.flight))
		t.Logf("%s: %s, of which AWS needs %.1f s, %d refused", row.why, took, least, refused)
		if refused > row.refused || took.Seconds() > least*row.late {
			t.Errorf("%s: %s and %d refused, want at most %.1f s and %d", row.why, took, refused, least*row.late, row.refused)
		}
	}
}

// TestLimiterForgetsARefusal: somebody else used the account up for a moment.
func TestLimiterForgetsARefusal(t *testing.T) {
	c := newClock()
	l := NewLimiter(c)
	for range 8 {
		l.Throttled()
	}
	aws := &bucket{rate: 100, burst: 200, tokens: 200, filled: c.Now()}
	if took, _ := work(c, l, aws, 10, 4); took > 8*time.Second {
		t.Errorf("ten calls after a refusal took %s", took)
	}
	c.advance(time.Minute)
	if took, refused := work(c, l, aws, 50, 8); took > 2*time.Second || refused > 0 {
		t.Errorf("fifty calls a minute after it took %s, %d refused", took, refused)
	}
}

func TestLimiterNeverStops(t *testing.T) {
	c := newClock()
	l := NewLimiter(c)
	for range 20 {
		l.Throttled()
		c.advance(calm)
	}
	turn := l.enter(Background)
	c.advance(5 * time.Second)
	if granted([]chan struct{}{turn}) != 1 {
		t.Error("after twenty refusals a call is not made within five seconds")
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
	for range 12000 {
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
	t.Fatal("a minute was not enough for forty calls")
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
