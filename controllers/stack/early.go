package stack

import (
	"context"
	"sync"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/model"
)

// early makes the bindings of new target groups while their plan goes on, so that targets are registered, and looked at, before rules need them.
// It only makes what was never there: what goes wrong is told by [Loop.bind], which comes after the plan.
type early struct {
	ctx  context.Context //nolint:containedctx // that of the run, which it does not outlive
	loop *Loop
	run  *attempt
	work errgroup.Group

	mu sync.Mutex
	// tried are the groups whose bindings were written, with whether that went well.
	tried map[model.ARN]bool
}

func (l *Loop) bindEarly(ctx context.Context, a *attempt) *early {
	return &early{ctx: ctx, loop: l, run: a, tried: map[model.ARN]bool{}}
}

// made takes what a plan made.
func (e *early) made(key model.Key, arn model.ARN) {
	if key.Kind != model.KindTargetGroup || e.ctx.Err() != nil {
		return
	}
	for _, g := range e.run.desired.TargetGroups {
		if g.ID == key.ID && g.Backend.Service != "" {
			e.work.Go(func() error { e.bind(g, arn); return nil })
		}
	}
}

func (e *early) bind(g model.TargetGroup, arn model.ARN) {
	want, err := binding(e.run.owner, g, arn, e.run.facts.BackendSecurityGroup)
	if err != nil {
		return
	}
	e.loop.board.MarkFresh(arn)
	err = e.loop.client.Create(e.ctx, want)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.tried[arn] = err == nil
}

// wait gives a run the target groups that are bound.
func (e *early) wait(a *attempt) {
	_ = e.work.Wait()
	a.early = e.tried
}
