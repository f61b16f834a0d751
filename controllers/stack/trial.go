package stack

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/intent"
	"github.com/headgate/headgate/model/plan"
)

// What AWS refused it may take later: a certificate is issued, a bucket opened, and no event tells. So it is asked again every half minute, with
// the one call that it refused last and nothing else. While it goes on to refuse, nothing was changed: nothing is written, logged or told. Once
// it takes the call, the member's part is made as if it had just been written.

// trial is what is known since the start of something that AWS refused of a member.
type trial struct {
	// due is when it is asked for again.
	due time.Time
	// last is the change that AWS refused last.
	last string
	// dear is how often in a row a trial changed something, and was refused in the end; taken, that the last call was taken since.
	dear  int
	taken bool
}

// trialOf is the trial of a member, made where there is none.
func (m *memory) trialOf(key string) *trial {
	if m.trials == nil {
		m.trials = map[string]*trial{}
	}
	if m.trials[key] == nil {
		m.trials[key] = &trial{}
	}
	return m.trials[key]
}

// refusedAgain takes a refusal down for the next trial. One that follows upon a trial that went well cost more than a call.
func (t *trial) refusedAgain(change string, now time.Time) {
	if t.taken {
		t.dear++
	}
	t.last, t.taken, t.due = change, false, now.Add(outcome.AfterRefusal(t.dear))
}

func nameOfChange(c plan.Change) string { return string(c.Op) + " " + c.Key.String() }

// untilTrial is how long what AWS refused of a member is not asked for again. No pause is as long as what a clock that was put back would
// make of it.
func (m *memory) untilTrial(r headgatev1alpha1.RefusedMember, now time.Time) time.Duration {
	due, dear := r.Retry.Time, 0
	if t := m.trials[r.Member]; t != nil {
		due, dear = t.due, t.dear
	}
	left := due.Sub(now)
	if left > outcome.AfterRefusal(dear) {
		return 0
	}
	return max(left, 0)
}

// due are the members of whom AWS is to be asked again.
func (a *attempt) due(now time.Time) map[string]bool {
	out := map[string]bool{}
	for _, r := range a.state.object.Spec.Refused {
		if a.state.untilTrial(r, now) == 0 {
			out[r.Member] = true
		}
	}
	return out
}

// untilDue is when AWS is asked again for something that it refused, zero for never.
func (a *attempt) untilDue(now time.Time) time.Duration {
	if a.state == nil || a.turn > 0 {
		return a.turn
	}
	var out time.Duration
	for _, r := range a.state.object.Spec.Refused {
		out = sooner(out, max(a.state.untilTrial(r, now), time.Second))
	}
	return out
}

// reconsider asks AWS again for what it refused, where that is due and nothing else is to be done. A run that changed nothing stands as it is.
func (l *Loop) reconsider(ctx context.Context, s *slot, like attempt, a *attempt) (*attempt, error) {
	now := l.opts.Now()
	due := a.due(now)
	if len(due) == 0 {
		return a, nil
	}
	if a.turn = l.turns.wait(a.owner, now); a.turn > 0 {
		return a, nil
	}
	k := l.knock(ctx, s, like, due)
	if k.busy {
		a.turn = l.turns.failed(a.owner, now)
	} else {
		l.turns.passed()
	}
	if a.blocked == "" {
		l.commons.agree(a) // as before: the trial asked for more
	}
	s.state.heard(k, due, l.opts.Now())
	if len(k.taken) == 0 && !k.changed {
		return a, s.state.save(ctx, l.client)
	}
	s.state.doubt()
	like.verify = true
	out, err := l.try(ctx, s, like)
	s.count(out, err)
	return out, err
}

// still tells whether a run came to rest, so that AWS may be asked for what it refused.
func (a *attempt) still(s *slot) bool {
	return a.state != nil && a.state == s.state && a.held == nil && !a.given && !a.awaits && a.taking == nil && a.outputs.Done == 0
}

// knocked is what came of asking AWS again.
type knocked struct {
	// taken are the members of whom AWS takes now what it refused, refused the others of whom it does not, with what it says.
	taken   []string
	refused map[string]*plan.ChangeError
	// changed says that AWS may hold something else than before, busy that there was no room for some call.
	changed, busy bool
}

// knock makes of the plan that has everything as the due members write it the first change of each of them.
func (l *Loop) knock(ctx context.Context, s *slot, like attempt, due map[string]bool) knocked {
	out := knocked{refused: map[string]*plan.ChangeError{}}
	ctx, touched := l.opts.Trial(ctx)
	a := like
	a.state, a.trying, a.verify = s.state.copy(), due, false
	defer a.release()
	if err := l.draft(ctx, &a); err != nil || a.blocked != "" {
		out.busy = fault.Is(err, fault.Throttled)
		return out
	}
	for _, f := range a.req.Intent.Fragments {
		key := memberKey(f.Member)
		if !due[key] {
			continue
		}
		mine, ok := a.first(f, s.state.trialOf(key).last)
		if !ok || a.held != nil {
			out.taken = append(out.taken, key)
			continue
		}
		outputs, err := l.cloud.Apply(ctx, mine)
		out.changed = out.changed || outputs.Done > 0 || touched()
		out.hear(key, outputs, err)
	}
	return out
}

// hear takes what AWS says to a change of a member.
func (k *knocked) hear(key string, outputs model.Outputs, err error) {
	if err == nil {
		if outputs.Done > 0 || len(outputs.Waiting) == 0 {
			k.taken = append(k.taken, key)
		}
		return
	}
	k.busy = k.busy || fault.Is(err, fault.Throttled)
	for _, f := range plan.Failures(err) {
		if verdict(f) != othersFault {
			k.refused[key] = f
		}
	}
}

// draft plans as [Loop.advance] does, on a copy of what is remembered, and writes nothing.
func (l *Loop) draft(ctx context.Context, a *attempt) error {
	if err := l.prepare(ctx, a); err != nil || a.blocked != "" {
		return err
	}
	if a.observed == nil {
		if err := l.observe(ctx, a); err != nil {
			return err
		}
	}
	if err := errors.Join(l.claimed(ctx, a), l.diff(ctx, a)); err != nil {
		return err
	}
	if a.fit(); a.blocked != "" || a.plan.Empty() {
		return nil
	}
	return l.gate(ctx, a)
}

// first is the part of the plan that makes one change that a member asks for: that which AWS refused last, or else the first. What others
// ask for in the same call is left out where it can be.
func (a *attempt) first(f intent.Fragment, last string) (plan.Plan, bool) {
	var mine []plan.Change
	for _, c := range a.plan.Changes {
		if c.Action != plan.Delete && slices.ContainsFunc(a.culprits(c), func(o model.Finding) bool { return o.Object.Same(f.Member) }) {
			mine = append(mine, c)
		}
	}
	if len(mine) == 0 {
		return plan.Plan{}, false
	}
	at := max(slices.IndexFunc(mine, func(c plan.Change) bool { return nameOfChange(c) == last }), 0)
	part := a.plan.Part(mine[at].ID)
	own := maps.Clone(f.Settings.Attributes)
	if own == nil {
		own = map[string]string{}
	}
	maps.Copy(own, f.Settings.EnforcedAttributes)
	one := &part.Changes[len(part.Changes)-1]
	if shared := common(one.Attributes, own); one.Op == plan.ModifyLoadBalancerAttributes && len(shared) > 0 {
		one.Attributes = shared
	}
	return part, true
}

// copy is a memory to plan with that is not kept.
func (m *memory) copy() *memory {
	out := *m
	out.object, out.good, out.replaced = m.object.DeepCopy(), maps.Clone(m.good), maps.Clone(m.replaced)
	out.built = build.Memory{} // it is for one caller
	return &out
}

// heard takes down what came of a trial: of whom AWS takes it now, nothing is refused any more.
func (m *memory) heard(k knocked, due map[string]bool, now time.Time) {
	for key := range due {
		t, f := m.trialOf(key), k.refused[key]
		switch {
		case slices.Contains(k.taken, key):
			t.taken = true
			continue
		case f != nil:
			t.last = nameOfChange(f.Change)
			m.reword(key, refusalText(f))
		case k.busy:
			continue // it was not asked
		}
		if k.changed {
			t.dear++
		}
		t.due = now.Add(outcome.AfterRefusal(t.dear))
	}
	m.object.Spec.Refused = slices.DeleteFunc(m.object.Spec.Refused, func(r headgatev1alpha1.RefusedMember) bool {
		return slices.Contains(k.taken, r.Member)
	})
}

// reword has a member told what AWS says now, where that is something else: of one problem, for of several it is not known which it is.
func (m *memory) reword(key, text string) {
	if r := m.refused(key); r != nil && len(r.Problems) == 1 {
		r.Problems[0].Message = text
	}
}
