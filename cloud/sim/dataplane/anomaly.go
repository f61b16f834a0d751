package dataplane

import (
	"sync/atomic"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// How targets are compared. AWS says that it looks at errors and needs three healthy targets; the numbers are ours.
const (
	anomalyWindow = 10 * time.Second
	anomalyPeers  = 3
	anomalyCalls  = 10
	anomalyRate   = 0.2
	anomalyFactor = 3
	// anomalyTrust is the share that is left to a target that is found to be anomalous.
	anomalyTrust = 0.1
)

// watch is when the targets of a group are compared next, in nanoseconds since 1970.
type watch struct{ next atomic.Int64 }

// tally counts what became of the requests of a target in the present window.
type tally struct {
	calls, errors atomic.Int64
	anomalous     atomic.Bool
}

// describe puts the finding into the words of the API.
func (t *tally) describe(s *groupSettings) elbtypes.AnomalyDetection {
	d := elbtypes.AnomalyDetection{Result: elbtypes.AnomalyResultEnumNormal, MitigationInEffect: elbtypes.MitigationInEffectEnumNo}
	if t.anomalous.Load() {
		d.Result = elbtypes.AnomalyResultEnumAnomalous
		if s.mitigate {
			d.MitigationInEffect = elbtypes.MitigationInEffectEnumYes
		}
	}
	return d
}

// trust is the weight of a target for weighted_random.
func (t *target) trust() float64 {
	if t.tally.anomalous.Load() {
		return anomalyTrust
	}
	return 1
}

// count takes in what became of a request, and compares the targets at the end of a window.
func (g *group) count(t *target, failed bool) {
	t.tally.calls.Add(1)
	if failed {
		t.tally.errors.Add(1)
	}
	now := g.server.now().UnixNano()
	next := g.watch.next.Load()
	if now < next || !g.watch.next.CompareAndSwap(next, now+int64(g.server.scaled(anomalyWindow))) || next == 0 {
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.compare()
}

// compare finds the targets that fail far more than the others do. The caller holds the lock.
func (g *group) compare() {
	healthy, _ := sorted(g.order)
	var calls, errors int64
	type sample struct{ calls, errors int64 }
	seen := make([]sample, len(healthy))
	for i, t := range healthy {
		seen[i] = sample{t.tally.calls.Swap(0), t.tally.errors.Swap(0)}
		calls, errors = calls+seen[i].calls, errors+seen[i].errors
	}
	for i, t := range healthy {
		own := seen[i]
		switch {
		case len(healthy) < anomalyPeers:
			t.tally.anomalous.Store(false)
		case own.calls >= anomalyCalls:
			rate := float64(own.errors) / float64(own.calls)
			others := float64(errors-own.errors) / float64(max(1, calls-own.calls))
			t.tally.anomalous.Store(rate >= anomalyRate && rate > anomalyFactor*others)
		case own.calls > 0 && own.errors == 0:
			t.tally.anomalous.Store(false)
		}
	}
}
