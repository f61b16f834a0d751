package gateway

import (
	"sync/atomic"
	"time"
)

// Latch holds the Gateway front door shut while the API server does not serve a kind that it needs. The zero Latch, and none at all, is open.
type Latch struct{ shut atomic.Bool }

// Shut shuts the door: nobody looks at Gateways, classes and configurations any more, and what AWS holds stays as it is.
func (l *Latch) Shut() { l.shut.Store(true) }

// Open opens it.
func (l *Latch) Open() { l.shut.Store(false) }

func (l *Latch) isShut() bool { return l != nil && l.shut.Load() }

// again is when what waits for the door, or for a kind, is looked at again.
func (s Settings) again() time.Duration {
	if s.Arrivals > 0 {
		return s.Arrivals
	}
	return usualPause
}
