// Package rig holds what tests of a simulated AWS account share: a clock that goes on when it is told to, a way to the simulator without
// a connection, what a call is, and clients that shake hands with a listener all the time.
//
// It imports only the standard library, so that tests of any room may use it. Its invariant: nothing here waits for a fixed time.
package rig

import (
	"sync"
	"time"
)

// Clock is time that goes on when it is told to.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock is a clock that shows the time of the system, and stands.
func NewClock() *Clock { return &Clock{now: time.Now()} }

// Now is the time.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance has the time go on.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// Hurry is a clock by which calls never wait for their turn.
type Hurry struct{ clock Clock }

// Now goes on with each look.
func (h *Hurry) Now() time.Time {
	h.clock.Advance(time.Second)
	return h.clock.Now()
}

// After does not wait.
func (*Hurry) After(_ time.Duration, f func()) { go f() }
