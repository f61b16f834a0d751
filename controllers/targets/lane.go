package targets

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/model"
)

// Cloud is what the lane needs of AWS.
type Cloud interface {
	Register(ctx context.Context, group model.ARN, targets []model.Target) error
	Deregister(ctx context.Context, group model.ARN, targets []model.Target) error
	Health(ctx context.Context, group model.ARN) ([]model.TargetHealth, error)
}

// lane remembers what is registered in each target group, so that no read comes before a change.
type lane struct {
	cloud Cloud

	mu    sync.Mutex
	known map[model.ARN][]model.Target
	// leaving are the targets that are being deregistered.
	leaving map[model.ARN][]model.Target
	// via are the accounts of target groups that are not in the operator's own.
	via map[model.ARN]Cloud
}

func newLane(cloud Cloud) *lane {
	return &lane{cloud: cloud, known: map[model.ARN][]model.Target{}, leaving: map[model.ARN][]model.Target{}, via: map[model.ARN]Cloud{}}
}

// use says in which account a target group is.
func (l *lane) use(group model.ARN, account Cloud) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.via[group] = account
}

func (l *lane) at(group model.ARN) Cloud {
	l.mu.Lock()
	defer l.mu.Unlock()
	if account, ok := l.via[group]; ok {
		return account
	}
	return l.cloud
}

// knows tells whether the targets of a group are known.
func (l *lane) knows(group model.ARN) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, ok := l.known[group]
	return ok
}

// standing is what is known to be registered and is not being deregistered.
func (l *lane) standing(group model.ARN) []model.Target {
	l.mu.Lock()
	defer l.mu.Unlock()
	return without(l.known[group], l.leaving[group])
}

// registered is what the lane knows to be registered; after a start it asks AWS once for each group, and health is the answer then,
// else nil. Draining targets count as absent.
func (l *lane) registered(ctx context.Context, group model.ARN) (known []model.Target, health []model.TargetHealth, err error) {
	l.mu.Lock()
	known, ok := l.known[group]
	l.mu.Unlock()
	if ok {
		return known, nil, nil
	}
	if health, err = l.health(ctx, group); err != nil {
		return nil, nil, err
	}
	if health == nil {
		health = []model.TargetHealth{}
	}
	known = present(health)
	l.remember(group, known)
	return known, health, nil
}

// health is what AWS says of the targets of a group.
func (l *lane) health(ctx context.Context, group model.ARN) ([]model.TargetHealth, error) {
	health, err := l.at(group).Health(ctx, group)
	if err != nil {
		return nil, fmt.Errorf("%w of %s: %w", errUnread, group, err)
	}
	return health, nil
}

// present are the targets that do not drain.
func present(health []model.TargetHealth) []model.Target {
	var out []model.Target
	for _, h := range health {
		if h.State != "draining" {
			out = append(out, h.Target)
		}
	}
	return out
}

// correct takes what AWS says for known, and tells whether that is news: somebody else changed the targets.
func (l *lane) correct(group model.ARN, health []model.TargetHealth) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	known, ok := l.known[group]
	if !ok || diff(present(health), known).empty() {
		return false
	}
	l.known[group] = present(health)
	return true
}

func (l *lane) remember(group model.ARN, known []model.Target) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[group] = known
}

// forget drops what is known of a group: the next change reads it again.
func (l *lane) forget(group model.ARN) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, group)
}

// leave drops all that is known of a group.
func (l *lane) leave(group model.ARN) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.known, group)
	delete(l.via, group)
}

// apply registers and deregisters side by side, but for what is being deregistered already. What failed is read from AWS again before the
// next change.
func (l *lane) apply(ctx context.Context, group model.ARN, c change) error {
	cloud := l.at(group)
	c.deregister = l.claim(group, c.deregister)
	defer l.release(group, c.deregister)
	var calls errgroup.Group
	var registerErr, deregisterErr error
	if len(c.register) > 0 {
		calls.Go(func() error {
			registerErr = cloud.Register(ctx, group, c.register)
			return nil
		})
	}
	if len(c.deregister) > 0 {
		calls.Go(func() error {
			deregisterErr = cloud.Deregister(ctx, group, c.deregister)
			return nil
		})
	}
	_ = calls.Wait()
	if err := errors.Join(registerErr, deregisterErr); err != nil {
		l.forget(group)
		return fmt.Errorf("%w of %s: %w", errUnchanged, group, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known[group] = append(without(l.known[group], c.deregister), c.register...)
	return nil
}

// dismiss deregisters targets, but for what is being deregistered already. What failed stays known: it is asked for again.
func (l *lane) dismiss(ctx context.Context, group model.ARN, targets []model.Target) error {
	targets = l.claim(group, targets)
	defer l.release(group, targets)
	if len(targets) == 0 {
		return nil
	}
	if err := l.at(group).Deregister(ctx, group, targets); err != nil {
		return fmt.Errorf("%w of %s: %w", errUnchanged, group, err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, ok := l.known[group]; ok {
		l.known[group] = without(known, targets)
	}
	return nil
}

// claim gives those of the targets that nobody deregisters yet: they are now whoever asked's.
func (l *lane) claim(group model.ARN, targets []model.Target) []model.Target {
	if len(targets) == 0 {
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	mine := without(targets, l.leaving[group])
	l.leaving[group] = append(l.leaving[group], mine...)
	return mine
}

// release ends a claim.
func (l *lane) release(group model.ARN, targets []model.Target) {
	if len(targets) == 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.leaving[group] = without(l.leaving[group], targets); len(l.leaving[group]) == 0 {
		delete(l.leaving, group)
	}
}

// quiet tells whether no target of a group is being deregistered.
func (l *lane) quiet(group model.ARN) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.leaving[group]) == 0
}

// without are the targets that others do not have.
func without(targets, others []model.Target) []model.Target {
	var out []model.Target
	for _, t := range targets {
		if !contains(others, t) {
			out = append(out, t)
		}
	}
	return out
}
