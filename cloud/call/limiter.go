package call

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// The pace, in calls a second. It starts far above what AWS allows for long, so that only AWS's own refusals slow it down.
const (
	maxRate = 100.0
	// minRate is what AWS is taken to allow at least: where few calls are made, few being answered says nothing.
	minRate = 2.0
	// back is the part of what AWS is taken to allow to which a refusal takes the pace back. What is not used meanwhile stays in AWS's own
	// bucket, so falling back far costs no time, and being refused again does.
	back = 0.35
	// recovery is the part of what AWS is taken to allow that the pace regains in a second, until it is there.
	recovery = 0.25
	// probing is how fast the pace grows beyond, ever faster: after t seconds it is exp(probing*t²) times as much.
	probing = 0.005
	// window is the time in which answers are counted to learn what AWS allows.
	window = 2 * time.Second
	// calm is the time in which several refusals count as one: calls in flight are refused together.
	calm = 600 * time.Millisecond
	// share is the part of a burst that each lane leaves to the lanes before it.
	share = 0.1
	// urgent is the part of what AWS is taken to allow that calls for targets may use while the pace is below it. The pace falls back that
	// far for all calls together to be refused seldom; these are few, and each one that waits costs requests.
	urgent = 0.8
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

// Limits holds the limiters of one account and region: two for each service, because AWS counts calls that read and calls that write apart
// (ELBv2 and EC2 API, "Request throttling").
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

func (l *Limits) of(service, operation string) *Limiter {
	key := service + " writes"
	if reads(operation) {
		key = service + " reads"
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.by[key] == nil {
		l.by[key] = NewLimiter(l.clock)
	}
	return l.by[key]
}

// Pace is where the calls of one kind stand.
type Pace struct {
	// Of is the service with "reads" or "writes".
	Of string
	// Rate is the present pace in calls a second, Waiting the calls that wait for their turn, in each lane.
	Rate    float64
	Waiting [lanes]int
}

// Paces are those of all kinds of calls that were made, in no order.
func (l *Limits) Paces() []Pace {
	l.mu.Lock()
	defer l.mu.Unlock()
	out := make([]Pace, 0, len(l.by))
	for key, limiter := range l.by {
		out = append(out, limiter.pace(key))
	}
	return out
}

func (l *Limiter) pace(of string) Pace {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill()
	p := Pace{Of: of, Rate: l.rate}
	for lane, queue := range l.queues {
		p.Waiting[lane] = len(queue)
	}
	return p
}

// reads tells whether an operation only reads, by how AWS names those.
func reads(operation string) bool {
	for _, verb := range []string{"Describe", "Get", "List"} {
		if strings.HasPrefix(operation, verb) {
			return true
		}
	}
	return false
}

// Limiter is a token bucket whose rate follows what AWS allows: it falls back when AWS throttles, regains what AWS answered before, and then
// probes for more, slowly at first. Waiters go by lane, then by arrival.
type Limiter struct {
	clock  Clock
	mu     sync.Mutex
	rate   float64
	tokens float64
	// reserve are the tokens of calls for targets, which come at another pace; every call takes from both.
	reserve float64
	filled  time.Time
	// allowed is what AWS is taken to allow, in calls a second, zero while it never refused; above is for how many seconds the pace has been
	// beyond it, and answers are when calls were answered, not longer ago than the window.
	allowed float64
	above   float64
	answers []time.Time
	// calmUntil is when the next refusal counts.
	calmUntil time.Time
	queues    [lanes][]chan struct{}
	// alarm is when turns are granted next, zero where nobody waits.
	alarm time.Time
}

// NewLimiter makes a limiter at full pace.
func NewLimiter(clock Clock) *Limiter {
	return &Limiter{clock: clock, rate: maxRate, tokens: maxRate, reserve: maxRate, filled: clock.Now()}
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

// Answered tells the limiter that AWS took a call.
func (l *Limiter) Answered() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answers = append(l.forgotten(), l.clock.Now())
}

// forgotten are the answers without those that are older than the window.
func (l *Limiter) forgotten() []time.Time {
	since := l.clock.Now().Add(-window)
	at := slices.IndexFunc(l.answers, since.Before)
	if at < 0 {
		return l.answers[:0]
	}
	return slices.Delete(l.answers, 0, at)
}

// Throttled tells the limiter that AWS refused a call for its rate. What AWS answered lately is what it allows; the first time that is half of
// it, since a burst went before.
func (l *Limiter) Throttled() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refill()
	now := l.clock.Now()
	if now.Before(l.calmUntil) {
		return
	}
	l.calmUntil = now.Add(calm)
	l.answers = l.forgotten()
	allowed := min(l.rate, float64(len(l.answers))/window.Seconds())
	if l.allowed == 0 {
		allowed /= 2
	}
	l.allowed = max(minRate, allowed)
	l.rate, l.above, l.tokens, l.reserve = back*l.allowed, 0, 0, 0
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
	l.reserve++
	l.dispatch()
}

// dispatch grants turns while there are tokens, the most urgent lane first, and comes back when there may be more.
func (l *Limiter) dispatch() {
	l.refill()
	for lane := range l.queues {
		for len(l.queues[lane]) > 0 {
			if wait := l.untilTokens(Lane(lane)); wait > 0 {
				l.arm(wait)
				return
			}
			l.tokens = max(l.tokens-1, -l.burst())
			l.reserve--
			close(l.queues[lane][0])
			l.queues[lane] = l.queues[lane][1:]
		}
	}
}

// untilTokens is how long it is until a call of the lane may be made, in seconds.
func (l *Limiter) untilTokens(lane Lane) float64 {
	need := 1 + float64(lane)*share*l.burst()
	if lane <= Register {
		return (need - l.reserve) / l.urgentRate()
	}
	return (need - l.tokens) / l.rate
}

// urgentRate is how fast calls for targets may go where they are all.
func (l *Limiter) urgentRate() float64 { return max(l.rate, urgent*l.allowed) }

// arm comes back after so many seconds, or sooner where that is due already.
func (l *Limiter) arm(wait float64) {
	d := max(time.Duration(wait*float64(time.Second)), time.Millisecond)
	at := l.clock.Now().Add(d)
	if !l.alarm.IsZero() && !at.Before(l.alarm) {
		return
	}
	l.alarm = at
	l.clock.After(d, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		if l.alarm.Equal(at) {
			l.alarm = time.Time{}
		}
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
		l.grow(passed)
	}
	l.tokens = min(l.burst(), l.tokens+l.rate*passed)
	l.reserve = min(l.burst(), l.reserve+l.urgentRate()*passed)
}

// grow raises the pace for the seconds that passed.
func (l *Limiter) grow(passed float64) {
	if missing := (l.allowed - l.rate) / (recovery * l.allowed); missing > 0 {
		l.rate = min(l.allowed, l.rate+recovery*l.allowed*passed)
		passed = max(0, passed-missing)
	}
	since := l.above
	l.above += passed
	l.rate = min(maxRate, l.rate*math.Exp(probing*(l.above*l.above-since*since)))
}
