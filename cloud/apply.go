package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/cloud/call"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

const (
	// abreast is how many changes are made side by side.
	abreast = 8
	// grace is how long a call that was begun may go on when the context ends: cut off, nobody would know whether it took effect.
	grace = 10 * time.Second
)

// Apply carries a plan out as far as that can be done without waiting: changes that do not depend on each other side by side,
// and of a change that fails nothing that depends on it. A change whose condition is not met is in Outputs.Waiting. When ctx ends
// no further call is begun, nor when a newer plan is asked for (see [plan.Course]), which is no error. The outputs say what was
// reached also when an error comes with them; the error joins the failures.
func (c *Client) Apply(ctx context.Context, p plan.Plan) (model.Outputs, error) {
	r := &run{Client: c, owner: p.Owner, arns: maps.Clone(p.Known), course: plan.CourseOf(ctx)}
	if r.arns == nil {
		r.arns = map[model.Key]model.ARN{}
	}
	if err := ordered(p.Changes); err != nil {
		return r.outputs(), err
	}
	r.all(ctx, p.Changes)
	if t := call.TrialOf(ctx); r.failed && (t == nil || t.Touched()) {
		c.inventory.Forget(p.Owner)
	}
	return r.outputs(), errors.Join(r.errs...)
}

// ordered tells whether every change comes after those that it waits for, without which a plan would wait for itself.
func ordered(changes []plan.Change) error {
	seen := map[int]bool{}
	for _, ch := range changes {
		for _, id := range ch.After {
			if !seen[id] {
				return &fault.Error{Class: fault.Invalid, Action: string(ch.Op), Err: fmt.Errorf("change %d waits for %d, which is not before it", ch.ID, id)}
			}
		}
		seen[ch.ID] = true
	}
	return nil
}

// run is one application of a plan.
type run struct {
	*Client
	owner  model.Owner
	course plan.Course

	mu      sync.Mutex
	arns    map[model.Key]model.ARN
	waiting []model.Waiting
	errs    []error
	done    int
	failed  bool
	stopped bool
	yielded bool
}

// all makes every change once those before it took effect.
func (r *run) all(ctx context.Context, changes []plan.Change) {
	ended := make(map[int]chan struct{}, len(changes))
	for _, ch := range changes {
		ended[ch.ID] = make(chan struct{})
	}
	var took sync.Map
	turns := newTurns(abreast)
	var group sync.WaitGroup
	for _, ch := range changes {
		group.Go(func() {
			defer close(ended[ch.ID])
			for _, id := range ch.After {
				<-ended[id]
				if _, ok := took.Load(id); !ok {
					return
				}
			}
			turns.take(ch)
			defer turns.done()
			if r.one(ctx, ch) {
				took.Store(ch.ID, true)
			}
		})
	}
	group.Wait()
}

// one makes a change and reports whether it took effect.
func (r *run) one(ctx context.Context, ch plan.Change) bool {
	if err := ctx.Err(); err != nil {
		r.stop(err)
		return false
	}
	if key, need := r.unmet(ch); need != "" {
		r.wait(key, need)
		return false
	}
	if r.course.Newer() {
		r.yield()
		return false
	}
	calling, release := finishing(ctx)
	defer release()
	err := r.make(calling, ch)
	var wait *waiting
	var failure *plan.ChangeError
	switch {
	case err == nil:
		r.mu.Lock()
		defer r.mu.Unlock()
		r.done++
		return true
	case errors.As(err, &wait):
		r.wait(ch.Key, wait.what)
	case errors.As(err, &failure):
		r.fail(failure)
	default:
		r.fail(&plan.ChangeError{Change: ch, Err: err})
	}
	return false
}

// finishing is a context that outlives ctx by the grace.
func finishing(ctx context.Context) (context.Context, context.CancelFunc) {
	out, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, cancel)
		context.AfterFunc(out, func() { timer.Stop() })
	})
	return out, func() { stop(); cancel() }
}

// unmet is the first state that the change needs and that is not reached, and what waits for it. A plan names none
// of a target group or a security group that is reached, nor that a load balancer is retired.
func (r *run) unmet(ch plan.Change) (model.Key, string) {
	for _, need := range ch.Needs {
		if need.Key.Kind == model.KindTargetGroup || need.Key.Kind == model.KindSecurityGroup || need.State == plan.StateRetired {
			return need.Key, need.State
		}
		arn := need.ARN
		if arn == "" {
			arn, _ = r.arn(need.Key)
		}
		if need.State == plan.StateAgreed || need.State == plan.StateImported {
			return ch.Key, need.State // the next plan knows more
		}
		if need.Key.Kind == model.KindCertificate {
			if c, _ := r.inventory.OwnCertificate(arn); c.Status != need.State {
				return ch.Key, r.unissued(need.Key, c)
			}
			continue
		}
		if need.Key.Kind == model.KindTrustStore {
			if t, _ := r.inventory.TrustStore(arn); t.Status != need.State {
				return ch.Key, "trust store " + need.Key.ID + " to be made"
			}
			continue
		}
		lb, ok := r.inventory.LoadBalancer(arn)
		state := lb.State
		if state == "active_impaired" {
			state = plan.StateActive // it serves, and AWS is at work
		}
		if !ok || state != need.State {
			return ch.Key, need.State
		}
	}
	return ch.Key, ""
}

// waiting says that a change cannot be made yet.
type waiting struct {
	what  string
	cause error
}

func (w *waiting) Error() string { return "waiting for " + w.what + ": " + w.cause.Error() }

func (w *waiting) Unwrap() error { return w.cause }

// wait notes a step that waits. Several may wait for one target group.
func (r *run) wait(key model.Key, what string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	step := model.Waiting{Key: key, For: what}
	if key.Kind != model.KindTargetGroup || !slices.Contains(r.waiting, step) {
		r.waiting = append(r.waiting, step)
	}
}

func (r *run) fail(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed = true
	r.errs = append(r.errs, err)
}

// stop notes once that the context ended.
func (r *run) stop(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.stopped {
		r.stopped = true
		r.errs = append(r.errs, fmt.Errorf("applying the plan: %w", err))
	}
}

// yield notes that the rest is left to a newer plan.
func (r *run) yield() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.yielded = true
}

// arn is the resource of a key, known before or made meanwhile.
func (r *run) arn(key model.Key) (model.ARN, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	arn, ok := r.arns[key]
	return arn, ok
}

func (r *run) made(key model.Key, arn model.ARN) {
	r.inventory.Made(arn)
	r.mu.Lock()
	r.arns[key] = arn
	r.mu.Unlock()
	r.course.Made(key, arn)
}

// gone forgets a resource; the key may stand for its replacement already.
func (r *run) gone(key model.Key, arn model.ARN) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.arns[key] == arn {
		delete(r.arns, key)
	}
}

func (r *run) outputs() model.Outputs {
	out := model.Outputs{ARNs: r.arns, Waiting: r.waiting, Done: r.done, Yielded: r.yielded}
	out.LoadBalancer, out.Frontend = r.described(model.ResourceLoadBalancer), r.described(model.ResourceFrontend)
	return out
}

// described is the load balancer of a resource ID as AWS described it last, nil where there is none.
func (r *run) described(id string) *model.LoadBalancer {
	arn, ok := r.arns[model.Key{Kind: model.KindLoadBalancer, ID: id}]
	if !ok {
		return nil
	}
	lb, ok := r.inventory.LoadBalancer(arn)
	if !ok {
		return nil
	}
	lb.ID = id
	return &lb
}
