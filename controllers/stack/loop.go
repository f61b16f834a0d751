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
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// Loop makes stacks what their intents say.
type Loop struct {
	client  client.Client
	cloud   Cloud
	cluster *Cluster
	board   *Board
	sweep   *sweep
	commons *commons
	moves   *moves
	breaker *breaker
	turns   *turns
	opts    Options

	mu     sync.Mutex
	stacks map[model.Owner]*slot
	// asked counts how often something else was asked for.
	asked map[model.Owner]uint64
}

// slot is one stack, worked on by one run at a time.
type slot struct {
	sync.Mutex

	// state is what was written last: nobody else writes it, and a cache would be late. Nil until it was read.
	state *memory
	// failures in a row, and waits: runs in a row that could only wait.
	failures, waits int
	// missed says that the last run missed something that only AWS knows.
	missed bool
	// yields are the plans in a row that made room for a newer one.
	yields int
}

// New returns the loop over a cloud.
func New(c client.Client, cloud Cloud, cluster *Cluster, opts Options) *Loop {
	opts = opts.withDefaults(c)
	return &Loop{
		client: c, cloud: cloud, cluster: cluster, board: NewBoard(c, opts.Now), sweep: newSweep(opts), opts: opts,
		commons: newCommons(),
		moves:   newMoves(),
		breaker: newBreaker(opts.Breaker, opts.Now),
		turns:   newTurns(),
		stacks:  map[model.Owner]*slot{}, asked: map[model.Owner]uint64{},
	}
}

// Board is where the loop shows its stacks to users.
func (l *Loop) Board() *Board { return l.board }

// attempt is one run over one stack.
type attempt struct {
	req   Request
	owner model.Owner
	// begun is when the run began: what is due is due for the whole of it.
	begun   time.Time
	state   *memory
	roster  *roster
	facts   model.Facts
	desired model.Stack
	// hashed are the hashes of what is desired, nil until somebody asks.
	hashed map[model.Key]string
	// fragments that the stack was built of.
	fragments []intent.Fragment
	// lingering are the members that moved away and stay till the other stack serves them, remaining the fragments of those that it was
	// seen not to serve.
	lingering []model.ObjectRef
	remaining []intent.Fragment
	notes     []string // of what is only pretended
	// hold is a frontend that stays as it is.
	hold     model.ARN
	observed *model.Stack
	findings []model.Finding
	blocked  string
	outputs  model.Outputs
	plan     plan.Plan
	// held is why the plan is not carried out, nil where it is.
	held *outcome.Held
	// approved says that somebody approved the plan.
	approved bool
	// early are the target groups whose bindings were written while the plan was carried out, with whether that went well.
	early map[model.ARN]bool
	// sharing is what the plan was made with of the certificates that others have, too; nil where the stack has none.
	sharing *plan.Sharing
	// applied says that every call of the plan went well, or that there was none to make.
	applied bool
	// taking is the stack whose load balancer is taken, nil where none is, and lent its slot while the run has it; given says that this
	// one's is given away, and awaits that the run waits for another stack's.
	taking        *taking
	lent          *slot
	given, awaits bool
	// verify says that the stack is compared with AWS whatever is remembered; drift, that AWS did not hold what was applied last;
	// protected, that the rest waits for somebody who switches deletion protection off.
	verify, drift, protected bool
	// missed says that what is known of the world did not do when it was asked for last.
	missed bool
	// trying are the members whom AWS is asked again with what it refused, nil outside of a trial; turn is how long that has to wait.
	trying map[string]bool
	turn   time.Duration
}

// Run makes one stack what the request says, as far as that can be done without waiting. The result holds what was reached also
// when an error comes with it; the error joins classes of package fault.
func (l *Loop) Run(ctx context.Context, req Request) (Result, error) {
	owner := req.Intent.Owner
	s := l.slot(owner)
	s.Lock()
	defer s.Unlock()

	verify := l.sweep.due(owner)
	if verify {
		l.opts.Forget(owner)
	}
	defer l.commons.leave(owner)
	like := attempt{req: req, owner: owner, begun: l.opts.Now(), findings: req.Findings, verify: verify, missed: s.missed}
	a, err := l.try(ctx, s, like)
	s.count(a, err)
	if err == nil && a.still(s) && !l.opts.Pretend {
		a, err = l.reconsider(ctx, s, like, a)
	}
	s.missed = err == nil && a.misses()
	res, err := l.conclude(ctx, a, s, err)
	if res.Gone {
		l.drop(owner)
	}
	return res, err
}

func (l *Loop) slot(owner model.Owner) *slot {
	l.mu.Lock()
	defer l.mu.Unlock()
	s, ok := l.stacks[owner]
	if !ok {
		s = &slot{}
		l.stacks[owner] = s
	}
	return s
}

// drop forgets a stack that is gone. A run that waits for its slot meanwhile goes on with it, and finds nothing to do.
func (l *Loop) drop(owner model.Owner) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.stacks, owner)
	delete(l.asked, owner)
	l.sweep.drop(owner)
	l.turns.drop(owner)
	l.commons.drop(owner)
	l.moves.drop(owner)
}

// advance is the flow of the design: facts, build, observe, diff, apply.
func (l *Loop) advance(ctx context.Context, a *attempt, s *slot) error {
	if err := l.recall(ctx, a.owner, s); err != nil {
		return err
	}
	a.state = s.state
	if err := l.prepare(ctx, a); err != nil || a.blocked != "" {
		return err
	}
	l.takeBack(a)
	known := a.state.matches(a.desired, a.hashes()) && !a.forgotten() && !l.due(a)
	if known && !a.clears() && !a.verify && a.observed == nil {
		a.outputs, a.applied = a.state.outputs(), true
		l.commons.agree(a)
		l.commons.settled(a)
		return errors.Join(a.state.save(ctx, l.client), l.bind(ctx, a))
	}
	if a.observed == nil {
		reading := ctx
		if known {
			reading = l.opts.Background(ctx)
		}
		if err := l.observe(reading, a); err != nil {
			return err
		}
	}
	if l.turnBack(a) {
		if err := l.observe(ctx, a); err != nil {
			return err
		}
	}
	return l.change(ctx, a, s, known)
}

// recall reads what is remembered of an owner, once.
func (l *Loop) recall(ctx context.Context, owner model.Owner, s *slot) error {
	if s.state != nil {
		return nil
	}
	state, err := recall(ctx, l.opts.Live, owner)
	if err == nil {
		s.state = state
	}
	return err
}

func (a *attempt) seen() model.Stack {
	if a.observed == nil {
		return model.Stack{Owner: a.owner}
	}
	return *a.observed
}

func (l *Loop) observe(ctx context.Context, a *attempt) error {
	seen, err := l.cloud.Observe(ctx, a.owner, slices.Concat(l.sights(a), model.AddonKeys(a.addons())))
	if err != nil {
		return fmt.Errorf("observing %s: %w", a.owner, err)
	}
	if a.taking != nil {
		if err := l.join(ctx, a, &seen); err != nil {
			return err
		}
	}
	a.observed = &seen
	if a.verify {
		// Whatever comes of it, what was read is fresh: the next one is a period away.
		l.sweep.verified(a.owner)
	}
	return nil
}

// change plans and applies. known says that AWS held what is desired when this was applied.
func (l *Loop) change(ctx context.Context, a *attempt, s *slot, known bool) error {
	if err := errors.Join(l.claimed(ctx, a), l.diff(ctx, a)); err != nil {
		return err
	}
	if a.fit(); a.blocked != "" {
		return nil
	}
	if err := l.pass(ctx, a, known); err != nil {
		return err
	}
	if a.held != nil {
		return l.pause(ctx, a)
	}
	l.commons.agree(a)
	bound := l.bindEarly(ctx, a)
	outputs, err := l.cloud.Apply(plan.WithCourse(ctx, plan.Course{Newer: l.newer(a, s), Made: bound.made}), a.plan)
	bound.wait(a)
	s.yielded(outputs)
	a.outputs, a.applied = outputs, err == nil
	l.commons.refused(a)
	l.board.Await(a.owner, l.looked(a))
	a.withdraw()
	if err != nil {
		// What AWS holds may differ from what was remembered: read it afresh next time.
		l.opts.Forget(a.owner)
		err = fmt.Errorf("applying the plan of %s: %w", a.owner, err)
	}
	announced := a.announce(ctx)
	err = errors.Join(err, l.settle(ctx, a))
	<-announced
	return err
}

// pass asks whether a plan may be applied, and begins it if it may.
func (l *Loop) pass(ctx context.Context, a *attempt, known bool) error {
	if a.plan.Empty() || a.leaves() && (known || a.beyond().Empty()) {
		l.breaker.calm(a.owner) // whoever came back is not counted, and is asked anew when it goes
		a.state.object.Spec.Paused = false
		return nil
	}
	a.drift = known && !a.beyond().Empty()
	a.plan.Notes = append(a.plan.Notes, a.notes...)
	if err := l.gate(ctx, a); err != nil {
		return err
	}
	if a.held != nil && l.opts.Pretend {
		a.plan.Notes, a.held = append(a.plan.Notes, a.held.Note), nil
	}
	if a.held != nil {
		return nil
	}
	return l.begin(ctx, a)
}

// begin writes down, before the first call of a plan, what AWS may hold from now on.
func (l *Loop) begin(ctx context.Context, a *attempt) error {
	if err := l.ensureBackend(ctx, a); err != nil {
		return err
	}
	logr.FromContextOrDiscard(ctx).WithValues("stack", a.owner.String()).
		Info("applying plan", "changes", len(a.plan.Changes), "summary", a.plan.Summary(), "drift", a.drift)
	l.opts.OnPlan(a.plan, a.drift)
	a.state.begin(a.desired, a.hashes())
	a.forgetRests()
	a.state.object.Spec.Begun, a.state.object.Spec.Paused = a.goal(), false
	l.breaker.begin(a.owner, doomed(a.plan))
	if a.taking != nil {
		a.state.object.Spec.TakenFrom, a.state.object.Spec.Taking = spell(a.taking.from), true
	}
	return a.state.save(ctx, l.client)
}

// settle writes down what was applied, and brings the binding objects in line.
func (l *Loop) settle(ctx context.Context, a *attempt) error {
	err := l.bind(ctx, a)
	if a.applied && err == nil && a.done() {
		l.giveUp(a)
	}
	if a.applied && err == nil && a.unwanted() {
		var gone bool
		if gone, err = l.vanish(ctx, a); gone {
			return err
		}
	}
	if a.applied && err == nil && a.done() {
		a.state.object.Spec.Taking = false
		a.state.applied(a.desired, a.hashes(), a.outputs)
	} else {
		reached := a.outputs
		if !a.applied {
			reached.LoadBalancer, reached.Frontend = a.reached(), a.reachedFrontend()
		}
		a.state.unsettled(reached)
	}
	l.wait(a)
	return errors.Join(err, a.state.save(ctx, l.client))
}

// done tells whether AWS holds all that is wanted: nothing waits but what is to be cleared away, and nothing is left to plan.
func (a *attempt) done() bool {
	return a.held == nil && len(unfinished(a.outputs.Waiting)) == 0 && !a.plan.Again && !a.outputs.Yielded
}

// retains tells whether what is there stays in AWS although nobody wants it any more.
func (a *attempt) retains() bool { return a.unwanted() && a.req.Policy.Retain }

// unwanted tells whether nothing of the stack shall be left.
func (a *attempt) unwanted() bool { return len(a.req.Intent.Fragments) == 0 }

// vanish forgets a stack of which nothing is left, and deletes what the cluster shares when it was the last. What is left is noted
// as waited for.
func (l *Loop) vanish(ctx context.Context, a *attempt) (bool, error) {
	if !a.done() {
		return false, nil
	}
	if stays := left(a); len(stays) > 0 && !a.retains() {
		a.protect(stays)
		// Somebody else does that: nothing but a fresh look shows it.
		l.opts.Forget(a.owner)
		return false, nil
	}
	touches := a.req.Policy.Changes != Observe
	if a.retains() && touches && wears(*a.observed) {
		if err := l.cluster.Keep(ctx); err != nil {
			return false, err
		}
	}
	if err := a.state.forget(ctx, l.client); err != nil || !touches {
		return true, err
	}
	waits, err := l.cluster.Release(ctx)
	a.outputs.Waiting = waits
	return true, err
}
