package stack

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/go-logr/logr"

	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// left are the observed resources that the plan does not delete. What others have, too, is no part of the stack.
func left(a *attempt) []model.Key {
	observed, p := *a.observed, a.plan
	deleted := map[model.ARN]bool{}
	for _, c := range p.Changes {
		if c.Action == plan.Delete {
			deleted[c.ARN] = true
		}
	}
	var out []model.Key
	add := func(kind model.Kind, id string, arn model.ARN) {
		if !deleted[arn] {
			out = append(out, model.Key{Kind: kind, ID: id})
		}
	}
	for _, lb := range observed.Balancers() {
		add(model.KindLoadBalancer, lb.ID, lb.ARN)
	}
	for _, part := range observed.Parts() {
		for _, g := range part.TargetGroups {
			add(model.KindTargetGroup, g.ID, g.ARN)
		}
	}
	for _, c := range observed.Certificates {
		if !a.sharing.Free(c.ARN) {
			continue
		}
		add(model.KindCertificate, c.ID, c.ARN)
	}
	for _, t := range observed.TrustStores {
		add(model.KindTrustStore, t.ID, t.ARN)
	}
	for _, g := range observed.SecurityGroups {
		add(model.KindSecurityGroup, g.ID, g.ARN)
	}
	return out
}

// reached is the load balancer as it is known after a run: as AWS described it last, also where this run failed before it could
// ask. Nil where a run that went well found none.
func (a *attempt) reached() *model.LoadBalancer {
	switch {
	case a.outputs.LoadBalancer != nil:
		return a.outputs.LoadBalancer
	case a.observed != nil && a.blocked != "":
		return a.observed.LoadBalancer
	case a.state != nil:
		return a.state.outputs().LoadBalancer
	}
	return nil
}

// conclude reports to the board and says what comes next.
func (l *Loop) conclude(ctx context.Context, a *attempt, s *slot, err error) (Result, error) {
	clean := err == nil && a.blocked == "" && a.done()
	res := Result{
		LoadBalancer: a.outputs.LoadBalancer, Frontend: a.outputs.Frontend, FrontendPorts: a.frontendPorts(),
		Outputs: a.outputs, Blocked: a.blocked, Findings: a.findings, Plan: a.plan, Drift: a.drift,
		Held: a.held, Settled: clean, Gone: clean && a.unwanted(), Serving: a.serving(),
	}
	if err != nil || a.blocked != "" {
		res.LoadBalancer, res.Frontend = a.reached(), a.reachedFrontend()
	}
	free, lookErr := l.free(ctx, a, clean)
	if lookErr != nil {
		// Who is on the way out stays until it is known.
		logr.FromContextOrDiscard(ctx).Error(lookErr, "looking at who leaves", "stack", a.owner.String())
	}
	res.Free = free
	if clean {
		res.Plan.Changes = slices.DeleteFunc(slices.Clone(res.Plan.Changes), a.left) // nobody did these yet
	}
	res.Ports = a.ports()
	coming, move := l.transfer(a)
	res.Coming, res.Remaining = coming, a.remaining
	next := outcome.Attempt{
		Err: err, Failures: s.failures, Blocked: a.blocked, Held: a.held, Waits: a.waits(), Again: a.goesOn(),
		Provisioning: starting(res.LoadBalancer) || starting(res.Frontend),
	}.Outcome()
	res.RequeueAfter = a.patient(next, s.waits)
	if res.RequeueAfter == 0 && !res.Gone {
		res.RequeueAfter = l.sweep.next(a.owner)
	}
	res.RequeueAfter = sooner(res.RequeueAfter, a.untilDue(l.opts.Now()))
	res.RequeueAfter = sooner(res.RequeueAfter, l.untilCleared(a))
	res.RequeueAfter = sooner(res.RequeueAfter, move)
	if s.missed {
		res.RequeueAfter = sooner(res.RequeueAfter, outcome.Lookup)
	}
	res.RequeueAfter = sooner(res.RequeueAfter, l.untilRetired(a))
	res.Replaced, res.Alone = l.replacedNames(a)
	if a.awaits {
		res.RequeueAfter = handoverRetry
	}
	if a.given {
		return res, err // whose it is shows it
	}
	if shown := l.board.show(ctx, a, res, next); shown != nil {
		// What could not be shown does not make the stack a failed one.
		logr.FromContextOrDiscard(ctx).Error(shown, "showing a load balancer", "stack", a.owner.String())
		res.RequeueAfter = sooner(res.RequeueAfter, outcome.Attempt{Err: shown, Failures: s.failures}.Outcome().RetryAfter)
		res = res.kept()
	}
	return res, err
}

// count takes how a run ended. One that failed after it changed something is a first failure: the pauses grow only while nothing moves.
func (s *slot) count(a *attempt, err error) {
	switch {
	case err == nil:
		s.failures = 0
	case a.outputs.Done > 0:
		s.failures = 1
	default:
		s.failures++
	}
	s.waits++
	if err != nil || len(a.waits()) == 0 || a.outputs.Done > 0 {
		s.waits = 0
	}
}

// goesOn tells whether the rest can be planned at once.
func (a *attempt) goesOn() bool { return a.plan.Again && a.outputs.Done > 0 || a.outputs.Yielded }

// kept keeps the members of a stack that is gone in AWS while its object stands: once they are let go nobody looks at it again.
func (r Result) kept() Result {
	if r.Gone {
		r.Gone, r.Settled, r.Free = false, false, nil
	}
	return r
}

// sooner is the shorter of two times, of which zero is never.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b == 0 {
		return max(a, b)
	}
	return min(a, b)
}

// protectedRetry is when what AWS protects from deletion is looked at again: somebody has to act first, in AWS, of which nobody tells us.
const protectedRetry = 30 * time.Second

// patient is when to look again after so many runs in a row that could only wait. What waits for AWS is looked at four times before the
// time doubles, which adds little to how long it takes; a load balancer that comes up is watched as before.
func (a *attempt) patient(next outcome.Outcome, waits int) time.Duration {
	switch {
	case a.protected:
		return protectedRetry
	case waits == 0 || next.Reason != outcome.ReasonWaiting || a.starting() || len(a.unhealthy()) > 0:
		return next.RetryAfter
	}
	return outcome.Backoff(next.RetryAfter, 1+(waits-1)/4)
}

func (a *attempt) starting() bool {
	return starting(a.outputs.LoadBalancer) || starting(a.outputs.Frontend)
}

func starting(lb *model.LoadBalancer) bool { return lb != nil && lb.State == stateProvisioning }

// waits are the steps that wait; a plan that cannot go on and does not say why waits for the load balancer that is replaced.
func (a *attempt) waits() []model.Waiting {
	if a.plan.Again && a.outputs.Done == 0 && len(a.outputs.Waiting) == 0 && !a.outputs.Yielded {
		return []model.Waiting{{Key: model.Key{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}, For: "the one that it replaces is gone"}}
	}
	return unfinished(a.outputs.Waiting)
}

// states of a load balancer (ELBv2 API, LoadBalancerState).
const (
	stateActive       = "active"
	stateImpaired     = "active_impaired"
	stateProvisioning = "provisioning"
)

// there tells whether AWS holds a resource of the desired stack, as far as the run got. Of a run that was not cut all is there. A rule
// that no change was to touch is there, too: of the others only those that were made are known.
func (a *attempt) there(key model.Key) bool {
	if a.whole() {
		return true
	}
	if _, ok := a.outputs.ARNs[key]; ok {
		return true
	}
	return key.Kind == model.KindRule && !slices.ContainsFunc(a.plan.Changes, func(c plan.Change) bool { return c.Key == key })
}

// whole tells whether all is there.
func (a *attempt) whole() bool { return a.applied && a.done() || a.outputs.ARNs == nil }

// listeners are those that AWS holds, each with the rules that AWS holds: of the desired stack, or as they were seen while the plan is held.
func (a *attempt) listeners() []model.Listener {
	if a.stands() {
		return a.observed.Listeners
	}
	if a.whole() {
		return a.desired.Listeners
	}
	var out []model.Listener
	for _, l := range a.desired.Listeners {
		if !a.there(model.Key{Kind: model.KindListener, ID: strconv.Itoa(l.Port)}) {
			continue
		}
		l.Rules = slices.DeleteFunc(slices.Clone(l.Rules), func(r model.Rule) bool { return !a.there(plan.RuleKey(l.Port, r)) })
		out = append(out, l)
	}
	return out
}

// stands tells whether the plan is held, so that AWS holds what was seen.
func (a *attempt) stands() bool {
	return a.held != nil && a.observed != nil && a.outputs.LoadBalancer != nil
}

// targetGroups are those that AWS holds, with their ARNs: of the desired stack, or as they were seen while the plan is held, those included
// that the plan would delete. What is wanted of one says whose targets it has.
func (a *attempt) targetGroups() []model.TargetGroup {
	var wanted []model.TargetGroup
	backends := map[model.ARN]model.TargetGroup{}
	for _, g := range a.desired.TargetGroups {
		if g.ARN = a.outputs.ARNs[model.Key{Kind: model.KindTargetGroup, ID: g.ID}]; g.ARN != "" {
			wanted = append(wanted, g)
			backends[g.ARN] = g
		}
	}
	if !a.stands() {
		return wanted
	}
	out := slices.Clone(a.observed.TargetGroups)
	for i, g := range out {
		out[i].Backend = backends[g.ARN].Backend
	}
	return out
}

// ports are those of the listeners that AWS holds.
func (a *attempt) ports() []int {
	var out []int
	for _, l := range a.listeners() {
		out = append(out, l.Port)
	}
	return out
}

// lacking are the members of whom a rule is not in AWS, without their UID.
func (a *attempt) lacking() map[model.ObjectRef]bool {
	out := map[model.ObjectRef]bool{}
	if a.whole() {
		return out
	}
	for _, l := range a.desired.Listeners {
		for _, r := range l.Rules {
			if !a.there(plan.RuleKey(l.Port, r)) {
				out[sansUID(r.Member)] = true
			}
		}
	}
	return out
}

// sansUID is an object without its UID.
func sansUID(o model.ObjectRef) model.ObjectRef {
	o.UID = ""
	return o
}

// serving tells of each member how it is served.
func (a *attempt) serving() []Serving {
	var out []Serving
	lacking, problems := a.lacking(), map[model.ObjectRef][]model.Finding{}
	for _, finding := range a.findings {
		problems[sansUID(finding.Object)] = append(problems[sansUID(finding.Object)], finding)
	}
	for _, f := range a.req.Intent.Fragments {
		s := Serving{Member: f.Member, Problems: problems[sansUID(f.Member)]}
		if a.roster != nil && a.blocked == "" {
			s.Held, s.Missing = a.roster.serves(f.Member), lacking[sansUID(f.Member)]
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
