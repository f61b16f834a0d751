package stack

import (
	"context"
	"fmt"
	"sync"
	"time"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// BreakerOptions say when deletions are so many that somebody shall look first.
type BreakerOptions struct {
	// Percent of all that there are, and Least, are what may be deleted within Window. Defaults 20, 5 and 10 min; a Percent of 100 and more
	// switches the breaker off. What is deleted is fewer than Least, or not more than Percent.
	Percent, Least int
	Window         time.Duration
}

const (
	breakerPercent = 20
	breakerLeast   = 5
	breakerWindow  = 10 * time.Minute
	allPercent     = 100
)

// WithDefaults fills in what is not set.
func (o BreakerOptions) WithDefaults() BreakerOptions {
	if o.Percent == 0 {
		o.Percent = breakerPercent
	}
	if o.Least == 0 {
		o.Least = breakerLeast
	}
	if o.Window == 0 {
		o.Window = breakerWindow
	}
	return o
}

// Trips tells whether so many deletions of so many are too many.
func (o BreakerOptions) Trips(deleted, of int) bool {
	return o.Percent < allPercent && deleted >= o.Least && deleted*allPercent > o.Percent*of
}

// breaker counts the load balancers that plans delete.
type breaker struct {
	opts BreakerOptions
	now  func() time.Time

	mu sync.Mutex
	// begun are those whose deletion was begun, and when; asked are those that stacks want deleted and that wait.
	begun map[deletion]time.Time
	asked map[model.Owner][]model.ARN
}

// deletion is one load balancer that is deleted.
type deletion struct {
	of  model.Owner
	arn model.ARN
}

func newBreaker(opts BreakerOptions, now func() time.Time) *breaker {
	return &breaker{opts: opts.WithDefaults(), now: now, begun: map[deletion]time.Time{}, asked: map[model.Owner][]model.ARN{}}
}

// ask notes what a plan would delete of the load balancers that there are, and tells whether that is too much: of all that there were
// within the window.
func (b *breaker) ask(owner model.Owner, doomed, there []model.ARN) (open bool, deleted int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.asked, owner)
	if len(doomed) == 0 {
		return false, 0
	}
	b.asked[owner] = doomed
	all, were := map[deletion]bool{}, map[model.ARN]bool{}
	for _, arn := range there {
		were[arn] = true
	}
	for one, at := range b.begun {
		if b.now().Sub(at) >= b.opts.Window {
			delete(b.begun, one)
			continue
		}
		all[one], were[one.arn] = true, true
	}
	for of, arns := range b.asked {
		for _, arn := range arns {
			all[deletion{of, arn}], were[arn] = true, true
		}
	}
	return b.opts.Trips(len(all), len(were)), len(all)
}

// calm notes that a stack wants nothing deleted any more.
func (b *breaker) calm(owner model.Owner) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.asked, owner)
}

// begin notes that what a plan deletes is being deleted.
func (b *breaker) begin(owner model.Owner, doomed []model.ARN) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.asked, owner)
	for _, arn := range doomed {
		b.begun[deletion{owner, arn}] = b.now()
	}
}

// doomed are the load balancers that a plan deletes.
func doomed(p plan.Plan) []model.ARN {
	var out []model.ARN
	for _, c := range p.Changes {
		if c.Op == plan.DeleteLoadBalancer {
			out = append(out, c.ARN)
		}
	}
	return out
}

// broken tells in words why the breaker holds a plan, empty where it does not. One that it held stays held until it is approved, also when
// others are deleted no more.
func (l *Loop) broken(ctx context.Context, a *attempt) (string, error) {
	going := doomed(a.plan)
	var there []model.ARN
	if len(going) > 0 {
		var list headgatev1alpha1.LoadBalancerList
		if err := l.client.List(ctx, &list); err != nil {
			return "", fmt.Errorf("counting load balancers: %w", err)
		}
		for _, lb := range list.Items {
			if lb.Status.ARN != "" {
				there = append(there, model.ARN(lb.Status.ARN))
			}
		}
	}
	open, deleted := l.breaker.ask(a.owner, going, there)
	spec := &a.state.object.Spec
	spec.Paused = len(going) > 0 && (spec.Paused || open)
	switch {
	case !spec.Paused:
		return "", nil
	case !open:
		return "it was paused together with others", nil
	}
	return fmt.Sprintf("%d load balancers of %d are to be deleted within %s, which is more than %d %%: is that meant?",
		deleted, len(there), l.breaker.opts.Window, l.breaker.opts.Percent), nil
}
