package stack

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
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
	// Now is the clock.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Verify == 0 {
		o.Verify = 10 * time.Hour
	}
	if o.VerifyDelay == 0 {
		o.VerifyDelay = time.Minute
	}
	if o.VerifyGap == 0 {
		o.VerifyGap = 12 * time.Second
	}
	if o.Forget == nil {
		o.Forget = func(model.Owner) {}
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Loop makes stacks what their intents say.
type Loop struct {
	client  client.Client
	cloud   Cloud
	cluster *Cluster
	board   *Board
	sweep   *sweep
	opts    Options
	locks   sync.Map // of *sync.Mutex by owner
}

// New returns the loop over a cloud.
func New(c client.Client, cloud Cloud, cluster *Cluster, opts Options) *Loop {
	opts = opts.withDefaults()
	return &Loop{client: c, cloud: cloud, cluster: cluster, board: NewBoard(c, opts.Now), sweep: newSweep(opts), opts: opts}
}

// Board is where the loop shows its stacks to users.
func (l *Loop) Board() *Board { return l.board }

// attempt is one run over one stack.
type attempt struct {
	req      Request
	state    *memory
	roster   *roster
	facts    model.Facts
	desired  model.Stack
	observed *model.Stack
	findings []model.Finding
	blocked  string
	outputs  model.Outputs
	plan     plan.Plan
	verify   bool
}

// Run makes one stack what the request says, as far as that can be done without waiting. The result holds what was reached also
// when an error comes with it; the error joins classes of package fault.
func (l *Loop) Run(ctx context.Context, req Request) (Result, error) {
	lock := l.lock(req.Intent.Owner)
	lock.Lock()
	defer lock.Unlock()

	a := &attempt{req: req, findings: req.Findings}
	err := l.advance(ctx, a)
	return l.conclude(ctx, a, err)
}

func (l *Loop) lock(owner model.Owner) *sync.Mutex {
	lock, _ := l.locks.LoadOrStore(owner, &sync.Mutex{})
	return lock.(*sync.Mutex) //nolint:forcetypeassert // only mutexes are stored
}

// advance is the flow of the design: facts, build, observe, diff, apply.
func (l *Loop) advance(ctx context.Context, a *attempt) error {
	var err error
	if a.state, err = recall(ctx, l.client, a.req.Intent.Owner); err != nil {
		return err
	}
	a.roster = newRoster(a.req.Intent, a.state.good)
	a.roster.blame(a.req.Findings)
	if err := l.build(ctx, a); err != nil || a.blocked != "" {
		return err
	}
	a.verify = l.sweep.due(a.req.Intent.Owner)
	if !a.verify && a.observed == nil && a.state.matches(a.desired) {
		a.outputs = a.state.outputs()
		return l.bind(ctx, a)
	}
	if err := a.state.remember(ctx, l.client, a.roster.keep()); err != nil {
		return err
	}
	return l.change(ctx, a)
}

// build makes the desired stack. A member that the build finds wrong is served by what it had before, and the rest is built again.
func (l *Loop) build(ctx context.Context, a *attempt) error {
	for {
		if a.roster.needObserved() && a.observed == nil {
			if err := l.observe(ctx, a); err != nil {
				return err
			}
		}
		in := a.req.Intent
		in.Fragments = a.roster.fragments(a.seen())
		if err := l.gather(ctx, a, in); err != nil {
			return err
		}
		built := build.Build(in, a.facts)
		a.findings = merge(a.findings, built.Findings)
		if a.roster.blame(built.Findings) {
			continue
		}
		a.blocked = built.Blocked
		a.desired = withHeldGroups(built.Stack, a.seen())
		return nil
	}
}

func (a *attempt) seen() model.Stack {
	if a.observed == nil {
		return model.Stack{Owner: a.req.Intent.Owner}
	}
	return *a.observed
}

func (l *Loop) observe(ctx context.Context, a *attempt) error {
	seen, err := l.cloud.Observe(ctx, a.req.Intent.Owner, nil)
	if err != nil {
		return fmt.Errorf("observing %s: %w", a.req.Intent.Owner, err)
	}
	a.observed = &seen
	return nil
}

// gather fetches the facts, and makes the shared backend security group when the stack needs it.
func (l *Loop) gather(ctx context.Context, a *attempt, in intent.Intent) error {
	if len(in.Fragments) == 0 {
		return nil
	}
	facts, err := l.cloud.Facts(ctx, Needs(in))
	if err != nil {
		return fmt.Errorf("reading facts for %s: %w", in.Owner, err)
	}
	if in.Defaults.BackendSecurityGroup && facts.BackendSecurityGroup == "" {
		if facts.BackendSecurityGroup, err = l.cluster.EnsureBackend(ctx, facts.VPC.ID); err != nil {
			return err
		}
	}
	a.facts = facts
	return nil
}

// change observes, plans and applies.
func (l *Loop) change(ctx context.Context, a *attempt) error {
	if a.verify {
		l.opts.Forget(a.req.Intent.Owner)
		a.observed = nil
	}
	if a.observed == nil {
		if err := l.observe(ctx, a); err != nil {
			return err
		}
	}
	a.plan = plan.Diff(a.desired, *a.observed, plan.Options{Applied: a.state.before(), Quotas: a.facts.Quotas})
	log := logr.FromContextOrDiscard(ctx)
	if !a.plan.Empty() {
		log.Info("applying plan", "stack", a.req.Intent.Owner.String(), "changes", len(a.plan.Changes), "summary", a.plan.Summary())
	}
	outputs, err := l.cloud.Apply(ctx, a.plan)
	a.outputs = outputs
	if err != nil {
		// What AWS holds may differ from what was remembered: read it afresh next time.
		l.opts.Forget(a.req.Intent.Owner)
		err = fmt.Errorf("applying the plan of %s: %w", a.req.Intent.Owner, err)
	}
	return errors.Join(err, l.settle(ctx, a, err == nil))
}

// settle writes down what was applied, and brings the binding objects in line.
func (l *Loop) settle(ctx context.Context, a *attempt, done bool) error {
	err := l.bind(ctx, a)
	if done && len(a.outputs.Waiting) == 0 && !a.plan.Again {
		if err == nil && a.desired.LoadBalancer == nil && len(a.req.Intent.Fragments) == 0 {
			l.sweep.drop(a.req.Intent.Owner)
			return errors.Join(a.state.forget(ctx, l.client), l.cluster.Release(ctx))
		}
		if err == nil {
			a.state.applied(a.desired, a.outputs)
			l.sweep.verified(a.req.Intent.Owner)
		}
	} else {
		a.state.unsettled(a.outputs)
	}
	return errors.Join(err, a.state.save(ctx, l.client))
}

// conclude reports to the board and says what comes next.
func (l *Loop) conclude(ctx context.Context, a *attempt, err error) (Result, error) {
	res := Result{
		LoadBalancer: a.outputs.LoadBalancer, Outputs: a.outputs, Blocked: a.blocked, Findings: a.findings, Plan: a.plan,
	}
	for _, listener := range a.desired.Listeners {
		res.Ports = append(res.Ports, listener.Port)
	}
	wanted := len(a.req.Intent.Fragments) > 0
	clean := err == nil && a.blocked == "" && len(a.outputs.Waiting) == 0 && !a.plan.Again
	res.Settled = clean
	res.Gone = clean && !wanted
	res.Serving = serving(a)
	next := outcome.Of(err, a.outputs.Waiting)
	res.RequeueAfter = next.RetryAfter
	if a.blocked != "" {
		res.RequeueAfter = blockedRetry
	}
	if a.plan.Again {
		res.RequeueAfter = againRetry
	}
	if clean && wanted {
		res.RequeueAfter = l.sweep.next(a.req.Intent.Owner)
	}
	if lb := res.LoadBalancer; err == nil && lb != nil && lb.State == "provisioning" {
		res.RequeueAfter = provisioningRetry
	}
	return res, errors.Join(err, l.board.show(ctx, a, res, next))
}

const (
	// againRetry is how soon the rest of a plan follows that could not be planned before its first part was done.
	againRetry = 100 * time.Millisecond
	// blockedRetry is how soon a stack that lacks subnets is tried again.
	blockedRetry = 30 * time.Second
	// provisioningRetry is how soon a load balancer that comes up is looked at again.
	provisioningRetry = 3 * time.Second
)

func serving(a *attempt) []Serving {
	var out []Serving
	for _, f := range a.req.Intent.Fragments {
		s := Serving{Member: f.Member}
		if a.roster != nil {
			s.Held = a.roster.from[memberKey(f.Member)] != asWritten
		}
		for _, finding := range a.findings {
			if finding.Object.Same(f.Member) {
				s.Problems = append(s.Problems, finding)
			}
		}
		out = append(out, s)
	}
	return out
}

// merge adds findings that are not there yet: a build is repeated, and finds the same again.
func merge(have, more []model.Finding) []model.Finding {
	out := slices.Clone(have)
	for _, f := range more {
		if !slices.Contains(out, f) {
			out = append(out, f)
		}
	}
	return out
}
