package inventory

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// kept is one answer of AWS, read when it is first asked for and kept. Changes that we make while it is being read are applied to
// what is read, and what is dropped meanwhile is read again: so it is never older than our last write.
type kept[T any] struct {
	mu    sync.Mutex
	value T
	have  bool
	// stale says that the value is to be read again before anybody gets it.
	stale   bool
	at      time.Time
	reading chan struct{}
	pending []func(T) T
	dropped bool
}

// get returns the value, and reads it when there is none or it is older than since. One caller reads, the others wait for it.
func (k *kept[T]) get(ctx context.Context, since, now time.Time, read func(context.Context) (T, error)) (T, error) {
	for {
		k.mu.Lock()
		if k.have && !k.stale && !k.at.Before(since) {
			defer k.mu.Unlock()
			return k.value, nil
		}
		if k.reading != nil {
			wait := k.reading
			k.mu.Unlock()
			if err := waitFor(ctx, wait); err != nil {
				var none T
				return none, err
			}
			continue
		}
		k.reading, k.pending, k.dropped = make(chan struct{}), nil, false
		k.mu.Unlock()

		value, err := read(ctx)
		if done := k.settle(value, err, now); done || err != nil {
			k.mu.Lock()
			defer k.mu.Unlock()
			return k.value, err
		}
	}
}

// settle ends a read. It reports whether the value may be used.
func (k *kept[T]) settle(value T, err error, now time.Time) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	close(k.reading)
	k.reading = nil
	if err != nil || k.dropped {
		return false
	}
	for _, f := range k.pending {
		value = f(value)
	}
	k.value, k.have, k.stale, k.at, k.pending = value, true, false, now, nil
	return true
}

// change applies a write of ours. f must not touch what it is given: readers hold it.
func (k *kept[T]) change(f func(T) T) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reading != nil {
		k.pending = append(k.pending, f)
	}
	if k.have {
		k.value = f(k.value)
	}
}

// put sets the value: it is known without a read.
func (k *kept[T]) put(value T, now time.Time) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.reading != nil {
		k.pending = append(k.pending, func(T) T { return value })
	}
	k.value, k.have, k.stale, k.at = value, true, false, now
}

// expire has the value read again before anybody gets it; until then peek shows it.
func (k *kept[T]) expire() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.stale, k.dropped = true, true
}

// recent returns the value that was read or put at or after since, expired or not.
func (k *kept[T]) recent(since time.Time) (T, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.have || k.at.Before(since) {
		var none T
		return none, false
	}
	return k.value, true
}

// drop forgets the value.
func (k *kept[T]) drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.have, k.dropped = false, true
}

// peek returns the value if it is there.
func (k *kept[T]) peek() (T, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.value, k.have
}

func waitFor(ctx context.Context, done <-chan struct{}) error {
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("waiting for a read by somebody else: %w", ctx.Err())
	}
}

// shelf is kept answers of one kind, by what they are about.
type shelf[K comparable, T any] struct {
	mu sync.Mutex
	by map[K]*kept[T]
}

func (s *shelf[K, T]) of(key K) *kept[T] {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = map[K]*kept[T]{}
	}
	if s.by[key] == nil {
		s.by[key] = &kept[T]{}
	}
	return s.by[key]
}

// drop forgets the answers about every key that goes.
func (s *shelf[K, T]) drop(goes func(K) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for key, k := range s.by {
		if goes(key) {
			k.drop()
			delete(s.by, key)
		}
	}
}
