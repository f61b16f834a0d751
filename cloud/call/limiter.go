package call

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"time"
)

// The pace, in calls a second. It starts far above what AWS allows for long, so that only AWS's own refusals slow it down.
const (
	maxRate = 100.0
	minRate = 0.5
	// growth is how much the pace recovers in a second.
	growth = 1.0
	// calm is the time in which several refusals count as one: calls in flight are refused together.
	calm = time.Second
	// share is the part of a burst that each lane leaves to the lanes before it.
	share = 0.1
)

// Clock is time as the limiter sees it.
type Clock interface {
	Now() time.Time
	// After calls f once d has passed.
	After(d time.Duration, f func())
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

func (systemClock) After(d time.Duration, f func()) { time.AfterFunc(d, f) }

// Limits holds a limiter for each service of one account and region.
type Limits struct {
	clock Clock
	mu    sync.Mutex
	by    map[string]*Limiter
}

// NewLimits makes limiters that follow clock; nil is the system's.
func NewLimits(clock Clock) *Limits {
	if clock == nil {
		clock = systemClock{}
	}
	return &Limits{clock: clock, by: map[string]*Limiter{}}
}

func (l *Limits) of(service string) *Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[service] == nil {
		l.by[service] = NewLimiter(l.clock)
	}
	return l.by[service]
}

// Limiter is a token bucket whose rate halves when AWS throttles and grows back slowly. Waiters go by lane, then by arrival.
type Limiter struct {
	clock  Clock
	mu     sync.Mutex
	rate   float64
	tokens float64
	filled time.Time
	// calmUntil is when the next refusal counts.
	calmUntil time.Time
	queues    [lanes][]chan struct{}
	armed     bool
}

// NewLimiter makes a limiter at full pace.
func NewLimiter(clock Clock) *Limiter {
	return &Limiter{clock: clock, rate: maxRate, tokens: maxRate, filled: clock.Now()}
}

// Rate is the present pace in calls a second.
func (l *Limiter) Rate() float64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill()
	return l.rate
}

// Wait returns when a call of the lane may be made, or ctx is done.
func (l *Limiter) Wait(ctx context.Context, lane Lane) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("waiting for the rate limit: %w", err)
	}
	turn := l.enter(lane)
	select {
	case <-turn:
		return nil
	case <-ctx.Done():
		l.leave(lane, turn)
		return fmt.Errorf("waiting for the rate limit: %w", ctx.Err())
	}
}

// Throttled tells the limiter that AWS refused a call for its rate.
func (l *Limiter) Throttled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill()
	now := l.clock.Now()
	if now.Before(l.calmUntil) {
		return
	}
	l.calmUntil = now.Add(calm)
	l.rate = max(minRate, l.rate/2)
	l.tokens = 0
}

func (l *Limiter) enter(lane Lane) chan struct{} {
	l.mu.Lock()
	defer l.mu.Unlock()
	turn := make(chan struct{})
	l.queues[lane] = append(l.queues[lane], turn)
	l.dispatch()
	return turn
}

// leave gives the turn up; one that was granted meanwhile goes to the next.
func (l *Limiter) leave(lane Lane, turn chan struct{}) {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.queues[lane], turn)
	if at >= 0 {
		l.queues[lane] = slices.Delete(l.queues[lane], at, at+1)
		return
	}
	l.tokens++
	l.dispatch()
}

// dispatch grants turns while there are tokens, the most urgent lane first, and comes back when there may be more.
func (l *Limiter) dispatch() {
	l.refill()
	for lane := range l.queues {
		for len(l.queues[lane]) > 0 {
			missing := 1 + float64(lane)*share*l.burst() - l.tokens
			if missing > 0 {
				l.arm(missing)
				return
			}
			l.tokens--
			close(l.queues[lane][0])
			l.queues[lane] = l.queues[lane][1:]
		}
	}
}

func (l *Limiter) arm(missing float64) {
	if l.armed {
		return
	}
	l.armed = true
	wait := time.Duration(missing / l.rate * float64(time.Second))
	l.clock.After(max(wait, time.Millisecond), func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.armed = false
		l.dispatch()
	})
}

// burst is one second's worth, and never less than what the last lane needs.
func (l *Limiter) burst() float64 { return max(2, l.rate) }

func (l *Limiter) refill() {
	now := l.clock.Now()
	passed := now.Sub(l.filled).Seconds()
	if passed <= 0 {
		return
	}
	l.filled = now
	if now.After(l.calmUntil) {
		l.rate = min(maxRate, l.rate+growth*passed)
	}
	l.tokens = min(l.burst(), l.tokens+l.rate*passed)
}
