package stack

import (
	"context"
	"time"

	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// Options are the settings of a [Loop].
type Options struct {
	// Verify is how long a stack may go without a comparison with AWS. Default 10 h.
	Verify time.Duration
	// VerifyDelay is how long after the start the first comparison may come. Default 60 s.
	VerifyDelay time.Duration
	// VerifyGap is the least time between two comparisons of different stacks. Default 12 s: five a minute.
	VerifyGap time.Duration
	// Forget drops what the cloud remembers of an owner, so that the next observation reads afresh.
	Forget func(model.Owner)
	// Background marks the reads of a comparison that nobody waits for, so that the cloud lets others go first.
	Background func(context.Context) context.Context
	// Trial marks the calls that only find out whether AWS takes now what it refused, so that they go last and wait for nobody. Touched tells
	// whether one of them changed something, or may have.
	Trial func(context.Context) (trial context.Context, touched func() bool)
	// Pretend carries out on a cloud that only pretends what would wait for approval, or for another stack to serve who moves to it, and says
	// so in the plan.
	Pretend bool
	// Breaker says when deletions are too many.
	Breaker BreakerOptions
	// OnPlan is told of each plan that is begun, and whether it mends what AWS did not hold any more.
	OnPlan func(p plan.Plan, drift bool)
	// Live reads StackStates past a cache, once a stack after the start and when a write shows that a read was out of date. Without
	// it the client does.
	Live client.Reader
	// Patience is how long a target group is waited for until its targets are healthy. Default 5 min.
	Patience time.Duration
	// Hold is how long a target group stays that no rule uses any more: until that has reached every node of the load balancer. Its
	// deregistration delay comes on top, in which requests end that are under way. Default 10 s; negative is none, without that delay.
	Hold time.Duration
	// Retention is how long a load balancer that is replaced answers after its successor serves. Default 24 h; negative is none: it goes when that is active.
	Retention time.Duration
	// MoveHold is how long a member that moved to another stack stays in the one that it left after the other one serves it: until clients
	// know the new address. Default 2 min; negative is none.
	MoveHold time.Duration
	// Now is the clock.
	Now func() time.Time
}

func (o Options) withDefaults(c client.Client) Options {
	if o.Verify == 0 {
		o.Verify = 10 * time.Hour
	}
	if o.VerifyDelay == 0 {
		o.VerifyDelay = time.Minute
	}
	if o.VerifyGap == 0 {
		o.VerifyGap = 12 * time.Second
	}
	if o.Patience == 0 {
		o.Patience = 5 * time.Minute
	}
	if o.Hold == 0 {
		o.Hold = 10 * time.Second
	}
	if o.Retention == 0 {
		o.Retention = 24 * time.Hour
	}
	o.Retention = max(o.Retention, 0)
	if o.MoveHold == 0 {
		o.MoveHold = 2 * time.Minute
	}
	if o.Forget == nil {
		o.Forget = func(model.Owner) {}
	}
	if o.Background == nil {
		o.Background = func(ctx context.Context) context.Context { return ctx }
	}
	if o.Trial == nil {
		o.Trial = func(ctx context.Context) (context.Context, func() bool) { return ctx, func() bool { return false } }
	}
	if o.OnPlan == nil {
		o.OnPlan = func(plan.Plan, bool) {}
	}
	if o.Live == nil {
		o.Live = c
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}
