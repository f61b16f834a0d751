package call

import (
	"context"
	"maps"
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

// errand is a call that is made until AWS takes it, each time for 150 ms.
type errand struct {
	lane  Lane
	begun time.Time
	turn  chan struct{}
	// answered is when the answer is there, zero while the turn has not come; ok whether AWS takes the call.
	answered time.Time
	ok       bool
}

// office runs errands through a limiter, against a bucket.
type office struct {
	*clock
	*Limiter

	aws     *bucket
	running []*errand
	refused int
}

func (o *office) start(lane Lane) {
	o.running = append(o.running, &errand{lane: lane, begun: o.Now(), turn: o.enter(lane)})
}

// pass lets a millisecond pass, and gives the errands that are done.
func (o *office) pass() []*errand {
	for _, e := range o.running {
		if e.answered.IsZero() && granted([]chan struct{}{e.turn}) == 1 {
			e.answered, e.ok = o.Now().Add(150*time.Millisecond), o.aws.take(o.Now())
		}
	}
	o.advance(time.Millisecond)
	var done []*errand
	o.running = slices.DeleteFunc(o.running, func(e *errand) bool {
		switch {
		case e.answered.IsZero() || e.answered.After(o.Now()):
			return false
		case e.ok:
			o.Answered()
			done = append(done, e)
			return true
		}
		o.refused++
		o.Throttled()
		e.turn, e.answered = o.enter(e.lane), time.Time{}
		return false
	})
	return done
}

// work runs so many errands of a lane, so many side by side. It gives the time that this takes and how many calls were refused.
func (o *office) work(lane Lane, calls, flight int) (took time.Duration, refused int) {
	begin, before, left := o.Now(), o.refused, calls
	for left > 0 {
		for len(o.running) < min(flight, left) {
			o.start(lane)
		}
		left -= len(o.pass())
	}
	return o.Now().Sub(begin), o.refused - before
}

func newOffice(rate, burst float64) *office {
	c := newClock()
	return &office{clock: c, Limiter: NewLimiter(c), aws: &bucket{rate: rate, burst: burst, tokens: burst, filled: c.Now()}}
}

func TestLimiterFindsWhatAWSAllows(t *testing.T) {
	for _, row := range []struct {
		why         string
		rate, burst float64
		lane        Lane
		calls       int
		flight      int
		// refused is the most that may be refused, late how much more time it may take than the bucket needs.
		refused int
		late    float64
	}{
		{"as measured: writes of load balancers", 5, 20, Edit, 320, 8, 18, 1.03},
		{"the same, of targets", 5, 20, Register, 320, 16, 20, 1.03},
		{"an account with little left", 2, 10, Edit, 100, 8, 16, 1.05},
		{"an account with more", 20, 40, Edit, 600, 16, 18, 1.2},
		{"enough for all", 1000, 1000, Edit, 400, 8, 0, 1.6},
	} {
		took, refused := newOffice(row.rate, row.burst).work(row.lane, row.calls, row.flight)
		least := max((float64(row.calls)-row.burst)/row.rate, float64(row.calls)*0.15/float64(row.flight))
		t.Logf("%s: %s, of which AWS needs %.1f s, %d refused", row.why, took, least, refused)
		if refused > row.refused || took.Seconds() > least*row.late {
			t.Errorf("%s: %s and %d refused, want at most %.1f s and %d", row.why, took, refused, least*row.late, row.refused)
		}
	}
}

// TestLimiterForgetsARefusal: somebody else used the account up for a moment.
func TestLimiterForgetsARefusal(t *testing.T) {
	o := newOffice(100, 200)
	for range 8 {
		o.Throttled()
	}
	if took, _ := o.work(Edit, 10, 4); took > 8*time.Second {
		t.Errorf("ten calls after a refusal took %s", took)
	}
	o.advance(time.Minute)
	if took, refused := o.work(Edit, 50, 8); took > 2*time.Second || refused > 0 {
		t.Errorf("fifty calls a minute after it took %s, %d refused", took, refused)
	}
}

// TestTargetsDoNotWaitForThePace: a pod is replaced each second while an account that allows five writes a second is busy with edits.
func TestTargetsDoNotWaitForThePace(t *testing.T) {
	o := newOffice(5, 20)
	const seconds = 600
	var took []time.Duration
	calls := 0
	for ms := range seconds * 1000 {
		for len(o.running) < 8 {
			o.start(Edit)
		}
		if ms%1000 == 0 {
			o.start(Deregister)
			o.start(Register)
		}
		for _, e := range o.pass() {
			calls++
			if e.lane <= Register {
				took = append(took, o.Now().Sub(e.begun))
			}
		}
	}
	slices.Sort(took)
	p50, p99, worst := took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
	t.Logf("%d calls, %d refused; of targets p50 %s, p99 %s, worst %s", calls, o.refused, p50, p99, worst)
	if p99 > 700*time.Millisecond || o.refused*100 > calls*4 || calls < 5*seconds*9/10 {
		t.Errorf("%d calls in %d s, %d refused, of targets p99 %s", calls, seconds, o.refused, p99)
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

// TestPaceTellsWhoWaits: each lane for itself, and who got a turn waits no more.
func TestPaceTellsWhoWaits(t *testing.T) {
	t.Parallel()
	now := newClock()
	limits := NewLimits(now)
	l := limits.of("ELB", "DescribeTags")
	l.Throttled()
	for lane, calls := range map[Lane]int{Edit: 2, Background: 3} {
		for range calls {
			l.enter(lane)
		}
	}
	waiting := func() map[string]int {
		out := map[string]int{}
		for lane, n := range limits.Paces()[0].Waiting {
			if n > 0 {
				out[Lane(lane).String()] = n
			}
		}
		return out
	}
	if got := waiting(); !maps.Equal(got, map[string]int{"edit": 2, "background": 3}) {
		t.Errorf("%v wait", got)
	}
	now.advance(10 * time.Second)
	if got := waiting(); len(got) > 0 {
		t.Errorf("after a while %v wait", got)
	}
}
