package dataplane

import (
	"math"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Load balancing algorithms.
const (
	roundRobin       = "round_robin"
	leastOutstanding = "least_outstanding_requests"
	weightedRandom   = "weighted_random"
)

// pick chooses among usable targets. It gives nil if there is none.
func (g *group) pick(usable []*target, s *groupSettings) *target {
	if len(usable) == 0 {
		return nil
	}
	turn := g.turn.Add(1)
	start := int(turn % int64(len(usable)))
	switch s.algorithm {
	case weightedRandom:
		if s.mitigate {
			return byWeight(usable, scattered(turn), (*target).trust)
		}
		return usable[min(int(scattered(turn)*float64(len(usable))), len(usable)-1)]
	case leastOutstanding:
		return least(usable, start)
	default:
		if s.slowStart == 0 {
			return usable[start]
		}
		now := g.server.now()
		if now.UnixNano() >= g.ramped.Load() {
			return usable[start]
		}
		return byWeight(usable, even(turn), func(t *target) float64 { return t.share(now, s.slowStart) })
	}
}

// least gives the target with the fewest requests, the first from start on among equals.
func least(usable []*target, start int) *target {
	fewest, best := int64(math.MaxInt64), usable[start]
	for i := range usable {
		t := usable[(start+i)%len(usable)]
		if n := t.outstanding.Load(); n < fewest {
			fewest, best = n, t
		}
	}
	return best
}

// byWeight gives the target at a point between 0 and 1 when each takes room by its weight.
func byWeight(usable []*target, point float64, weight func(*target) float64) *target {
	total := 0.0
	for _, t := range usable {
		total += weight(t)
	}
	point *= total
	for _, t := range usable {
		if point -= weight(t); point < 0 {
			return t
		}
	}
	return usable[len(usable)-1]
}

const golden = 0x9E3779B97F4A7C15

// even turns consecutive numbers into ones between 0 and 1 that are spread evenly.
func even(turn int64) float64 { return float64(uint64(max(turn, 0))*golden>>11) / (1 << 53) }

// scattered turns consecutive numbers into ones between 0 and 1 that follow no pattern.
func scattered(turn int64) float64 {
	z := uint64(max(turn, 0)) * golden
	z = (z ^ z>>30) * 0xBF58476D1CE4E5B9
	z = (z ^ z>>27) * 0x94D049BB133111EB
	return float64((z^z>>31)>>11) / (1 << 53)
}

// begin starts or ends the slow start of a target whose state has changed. A target starts slowly only beside one that does not.
// The caller holds the group's lock.
func (g *group) begin(t *target, s *groupSettings) {
	if t.state != elbtypes.TargetHealthStateEnumHealthy || s.slowStart == 0 {
		t.ramp.Store(0)
		return
	}
	now := g.server.now()
	for _, other := range g.order {
		if other != t && other.well() && other.share(now, s.slowStart) >= 1 {
			t.ramp.Store(now.UnixNano())
			g.ramped.Store(now.Add(s.slowStart).UnixNano())
			return
		}
	}
	t.ramp.Store(0)
}

// share is the part of a full share that a target gets: it grows in a line over the duration.
func (t *target) share(now time.Time, duration time.Duration) float64 {
	began := t.ramp.Load()
	if began == 0 {
		return 1
	}
	return min(1, max(0, float64(now.UnixNano()-began)/float64(duration)))
}
