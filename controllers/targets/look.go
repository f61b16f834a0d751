package targets

import (
	"context"
	"fmt"
	"slices"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// pollFirst and pollLast bound the time between two looks at the health of a group: soon after a change, rarely once all are healthy.
const (
	pollFirst = 10 * time.Second
	pollLast  = 5 * time.Minute
	// pollPending bounds it while targets are not healthy, unless a setting does.
	pollPending = 15 * time.Second
	// pollGate is when a pod that waits for its gate is looked for first.
	pollGate = time.Second
	// pollStart is how long after a start groups are left alone whose targets are known.
	pollStart = time.Minute
)

// settled is how long after a change what AWS lists is taken for what is there.
const settled = 10 * time.Second

// looks bound what is read only to be shown (ADR 6): they share the account's budget of calls with what traffic needs. Groups that changed,
// and those with targets that are not healthy, do not wait behind the others.
type looks struct{ fresh, rest *rate.Limiter }

func newLooks() looks {
	return looks{fresh: rate.NewLimiter(1, 5), rest: rate.NewLimiter(rate.Every(2*time.Second), 1)}
}

// wait is how long a look has to wait for its turn.
func (l looks) wait(p poll, now time.Time) time.Duration {
	from := l.fresh
	if p.every == pollLast {
		from = l.rest
	}
	return from.ReserveN(now, 1).DelayFrom(now)
}

// poll is when the health of a binding's group is looked at.
type poll struct {
	every time.Duration
	at    time.Time
	// turn says that at is the look's turn among those of all groups.
	turn  bool
	state string
	// changed is when targets were registered or deregistered last.
	changed time.Time
	// coming is when the first of the targets came that were not seen healthy since, zero where all were.
	coming time.Time
}

// looking is what is known when a group's health is looked at: health that was just read, nil for none.
type looking struct {
	group   model.ARN
	changed bool
	health  []model.TargetHealth
}

// look reads the health of the group where it is due, and shows it. Right after a change there is nothing to see yet.
func (r *Reconciler) look(ctx context.Context, key types.NamespacedName, l looking) (time.Duration, error) {
	now := r.opts.Now()
	if after := r.later(key, l, now); after > 0 {
		return after, nil
	}
	f := r.file(key)
	p, waiting := f.poll, r.awaited(f, l.group)
	health, err := l.health, error(nil)
	if health == nil {
		health, err = r.lane.health(ctx, l.group)
	}
	if fault.Is(err, fault.NotFound) {
		r.lane.forget(l.group)
	}
	if err != nil {
		return 0, err
	}
	drift := now.Sub(p.changed) > settled && r.lane.correct(l.group, health)
	state := fmt.Sprint(health)
	p.every = r.nextPoll(p.every, health, drift || state != p.state)
	if waiting {
		p.every = min(p.every, r.opts.Poll)
		if now.Sub(p.changed) < gateEager {
			p.every = min(p.every, gatePoll)
		}
	}
	if !p.coming.IsZero() && allHealthy(health) {
		r.serving(now.Sub(p.coming))
		p.coming = time.Time{}
	}
	p.state, p.at, p.turn = state, now.Add(p.every), false
	r.edit(key, func(f *file) { f.poll = p })
	if err := r.open(ctx, key, health); err != nil {
		return 0, err
	}
	if err := r.board.Health(ctx, l.group, health); err != nil {
		return p.every, fmt.Errorf("showing the health of %s: %w", l.group, err)
	}
	return p.every, nil
}

// later is how long it is until a group is to be looked at, zero for now, and keeps that. A pod that waits is looked for at once: what was
// seen last may be old.
func (r *Reconciler) later(key types.NamespacedName, l looking, now time.Time) time.Duration {
	f := r.file(key)
	p, waiting := f.poll, r.awaited(f, l.group)
	switch {
	case l.changed:
		p = p.touched(now, r.firstPoll(waiting))
	case l.health != nil || waiting && (p.every > gatePoll || p.at.IsZero()):
		return 0
	case p.at.IsZero():
		p.every, p.at = pollLast, now.Add(pollStart)
	}
	if !waiting && !p.turn && !now.Before(p.at) {
		p.at, p.turn = now.Add(r.looks.wait(p, now)), true
	}
	r.edit(key, func(f *file) { f.poll = p })
	return max(p.at.Sub(now), 0)
}

// heed has a binding reconciled when a stack begins to wait for the targets of its group: they may have been left alone till then. One of
// which nothing is known yet is still to be reconciled.
func (r *Reconciler) heed(add func(reconcile.Request)) {
	r.board.Heed(func(group model.ARN) {
		r.mu.Lock()
		key, ok := r.owners[group]
		r.mu.Unlock()
		if ok {
			add(reconcile.Request{NamespacedName: key})
		}
	})
}

// awaited tells whether somebody waits for the health of a binding's targets: pods for their gates, or rules that shall use the group.
func (r *Reconciler) awaited(f file, group model.ARN) bool {
	return len(f.waiting) > 0 || r.board.Awaited(group)
}

// touched is when to look after a change. A look that is due is not put off: a group may change all the time.
func (p poll) touched(now time.Time, first time.Duration) poll {
	p.changed = now
	if p.coming.IsZero() {
		p.coming = now
	}
	if !p.at.IsZero() && !p.at.After(now) {
		return p
	}
	p.every, p.turn = first, false
	if at := now.Add(first); p.at.IsZero() || at.Before(p.at) {
		p.at = at
	}
	return p
}

func (r *Reconciler) serving(took time.Duration) {
	if r.opts.InService != nil {
		r.opts.InService(took)
	}
}

// firstPoll is how soon after a change a group is looked at.
func (r *Reconciler) firstPoll(waiting bool) time.Duration {
	if waiting {
		return pollGate
	}
	return min(pollFirst, r.opts.Poll)
}

// nextPoll doubles the time since the last look while nothing changes, and starts anew when something did.
func (r *Reconciler) nextPoll(last time.Duration, health []model.TargetHealth, changed bool) time.Duration {
	limit := r.opts.Poll
	if allHealthy(health) {
		limit = pollLast
	}
	switch {
	case last == 0 && allHealthy(health):
		return pollLast // after a start: nothing came up just now
	case last == pollGate && changed:
		return pollGate
	case changed || last == 0:
		return r.firstPoll(false)
	}
	return min(2*last, limit)
}

func allHealthy(health []model.TargetHealth) bool {
	return !slices.ContainsFunc(health, func(h model.TargetHealth) bool { return h.State != "healthy" })
}
