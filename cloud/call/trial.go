package call

import (
	"context"
	"sync/atomic"

	"github.com/aws/smithy-go"
)

// Trial marks calls that only find out whether AWS takes now what it refused. They go in the last lane and never wait in it: where others
// have use for the rate, they are put off.
type Trial struct{ touched atomic.Bool }

type trialKey struct{}

// WithTrial returns a context whose calls are of a trial.
func WithTrial(ctx context.Context) (context.Context, *Trial) {
	t := &Trial{}
	return context.WithValue(WithLane(ctx, Background), trialKey{}, t), t
}

// TrialOf is the trial of a context, nil where there is none.
func TrialOf(ctx context.Context) *Trial {
	t, _ := ctx.Value(trialKey{}).(*Trial)
	return t
}

// Touched tells whether a call of it changed something, or may have.
func (t *Trial) Touched() bool { return t.touched.Load() }

// note takes down how a call ended.
func (t *Trial) note(operation string, err error) {
	if t != nil && !reads(operation) && (err == nil || Unsure(err)) {
		t.touched.Store(true)
	}
}

// codeNoRoom is the code of a call of a trial that was put off.
const codeNoRoom = "NoRoom"

var errNoRoom = &smithy.GenericAPIError{Code: codeNoRoom, Message: "others have use for the rate of calls", Fault: smithy.FaultClient}

// admit returns when a call of ctx may be made, or why it may not.
func (l *Limiter) admit(ctx context.Context) error {
	if TrialOf(ctx) == nil {
		return l.Wait(ctx, laneOf(ctx))
	}
	turn := l.enter(laneOf(ctx))
	select {
	case <-turn:
		return nil
	default:
		l.leave(laneOf(ctx), turn)
		return errNoRoom
	}
}
