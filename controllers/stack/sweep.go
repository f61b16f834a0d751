package stack

import (
	"sync"
	"time"

	"github.com/headgate/headgate/model"
)

// sweep says when each stack is compared with AWS although nothing changed: all of them within the period, never two at once,
// and none right after the start.
type sweep struct {
	opts  Options
	start time.Time

	mu sync.Mutex
	at map[model.Owner]time.Time
}

func newSweep(opts Options) *sweep {
	return &sweep{opts: opts, start: opts.Now(), at: map[model.Owner]time.Time{}}
}

// next is how long it is until owner is due; never zero. A stack that is seen for the first time gets the next free slot.
func (s *sweep) next(owner model.Owner) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[owner]
	if !ok {
		at = s.start.Add(s.opts.VerifyDelay + time.Duration(len(s.at))*s.opts.VerifyGap)
		s.at[owner] = at
	}
	return max(at.Sub(s.opts.Now()), time.Second)
}

// due tells whether owner's time has come.
func (s *sweep) due(owner model.Owner) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	at, ok := s.at[owner]
	return ok && !s.opts.Now().Before(at)
}

// verified sets the time of the next comparison. Stacks keep the distance that they were spread with.
func (s *sweep) verified(owner model.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.at[owner] = s.opts.Now().Add(s.opts.Verify)
}

// drop forgets a stack that is gone.
func (s *sweep) drop(owner model.Owner) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.at, owner)
}
