package dataplane

import (
	"context"
	"errors"
	"sync"
)

var (
	errIdle         = errors.New("idle timeout")
	errDeregistered = errors.New("target was deregistered")
)

// calls are the requests that a target has in flight.
type calls struct {
	mu      sync.Mutex
	running map[*call]context.CancelCauseFunc
}

func (c *calls) add(one *call, cancel context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		c.running = map[*call]context.CancelCauseFunc{}
	}
	c.running[one] = cancel
}

func (c *calls) remove(one *call) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, one)
}

// cut ends all of them: the deregistration delay is over.
func (c *calls) cut() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cancel := range c.running {
		cancel(errDeregistered)
	}
}
