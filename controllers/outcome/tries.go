package outcome

import (
	"net/http"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/headgate/headgate/model/fault"
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
	if answers(err, func(code int) bool { return code == http.StatusConflict }) {
		wait = Backoff(again, t.failed[key]) // somebody was faster: what is read next is newer
	}
	if due > 0 {
		wait = min(wait, due)
	}
	return wait
}

// Failures are those in a row.
func (t *Tries) Failures(key string) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.failed[key]
}

// Passes tells whether the API server did not take a write for a reason that passes: somebody else wrote meanwhile, it is busy, or it failed
// inside.
func Passes(err error) bool {
	return answers(err, func(code int) bool {
		return code == http.StatusConflict || code == http.StatusTooManyRequests || code >= http.StatusInternalServerError
	})
}

// answers tells whether all that the API server said is of a kind.
func answers(err error, is func(code int) bool) bool {
	all := fault.Find[*apierrors.StatusError](err)
	return len(all) > 0 && !slices.ContainsFunc(all, func(e *apierrors.StatusError) bool { return !is(int(e.ErrStatus.Code)) })
}
