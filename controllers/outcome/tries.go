package outcome

import (
	"sync"
	"time"
)

// Tries counts failures in a row of what went wrong beside the work itself, such as writing a status. A work queue that is given an
// error forgets when the work is due; this keeps both times. The zero value counts none. It is safe for concurrent use.
type Tries struct {
	mu     sync.Mutex
	failed map[string]int
}

// Next is when to look at key again: at due, zero for never, and sooner after an error.
func (t *Tries) Next(key string, due time.Duration, err error) time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err == nil {
		delete(t.failed, key)
		return due
	}
	if t.failed == nil {
		t.failed = map[string]int{}
	}
	t.failed[key]++
	wait := Attempt{Err: err, Failures: t.failed[key]}.Outcome().RetryAfter
	if due > 0 {
		wait = min(wait, due)
	}
	return wait
}
