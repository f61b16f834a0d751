package dataplane

import (
	"context"
	"errors"
	"sync"
)

var (
	errIdle         = errors.New("idle timeout")
	errDeregistered = errors.New("target was deregistered")
	errUnhealthy    = errors.New("target is unhealthy")
)

// calls are the requests and flows that a target has.
type calls struct {
	mu      sync.Mutex
	running map[any]context.CancelCauseFunc
}

func (c *calls) add(one any, cancel context.CancelCauseFunc) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.running == nil {
		c.running = map[any]context.CancelCauseFunc{}
	}
	c.running[one] = cancel
}

func (c *calls) remove(one any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.running, one)
}

// cut ends all of them.
func (c *calls) cut(why error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, cancel := range c.running {
		cancel(why)
	}
}
