package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// shortage edits the rules of a load balancer that has no room for old and new rules side by side: at the quota of rules, or
// of target groups that one load balancer may use. It goes one call after the other, and looks before each for the one that
// exposes no request. Only where there is none, an old rule goes before its successor is there, and the plan says so.
type shortage struct {
	p     *planner
	lines []*line
	// rules is how many there are; uses counts the uses of target groups, by ARN or key.
	rules int
	uses  map[string]int
	ops   []op
	notes []string
	// stuck says that a target group had no room when nothing was left to free one.
	stuck bool
}

// line is one listener's list of rules on its way.
type line struct {
	*edit
	// slots are the rules that exist, in order.
	slots []slot
	// fresh, changes and stale are still to be made, changed and deleted: wanted, wanted and observed indexes.
	fresh, changes, stale []int
	answers               bool
}

// slot is a rule that exists: a wanted one, an observed one, or both. -1 is neither.
type slot struct{ want, have, priority int }

// scarce tells whether there is no room for old and new side by side, and something to make room with.
func (p *planner) scarce(edits []*edit, gone []model.Listener) bool {
	fresh, stale, changes := newRules(edits), len(gone), 0
	for _, e := range edits {
		stale += len(e.stale())
		changes += e.changes()
	}
	if stale+changes == 0 {
		return false
	}
	s := p.everyUse(edits)
	rules := s.rules
	for _, l := range gone {
		rules += len(l.Rules)
		for _, r := range l.Rules {
			s.use(r.Actions, 1)
		}
	}
	full := stale > 0 && fresh > 0 && rules+fresh > p.opts.Quotas.RulesPerLoadBalancer
	return full || len(s.uses) > p.opts.Quotas.TargetGroupsPerLoadBalancer
}

// changes is how many answers of a listener become others at their place.
func (e *edit) changes() int {
	n := 0
	for i, j := range e.match.haveOf {
		if j >= 0 && !e.match.same[i] {
			n++
		}
	}
	if e.answers {
		n++
	}
	return n
}

// everyUse counts the uses of target groups by all rules that are there or shall be.
func (p *planner) everyUse(edits []*edit) *shortage {
	s := p.newShortage(edits)
	for _, e := range edits {
		s.use(e.want.DefaultActions, 1)
		for i, same := range e.match.same {
			if !same { // the others are counted as AWS holds them
				s.use(e.want.Rules[i].Actions, 1)
			}
		}
	}
	return s
}

func (p *planner) newShortage(edits []*edit) *shortage {
	s := &shortage{p: p, uses: make(map[string]int, len(p.have.TargetGroups))}
	for _, e := range edits {
		s.lines = append(s.lines, newLine(e))
		s.rules += len(e.have.Rules)
		s.use(e.have.DefaultActions, 1)
		for _, rules := range [][]model.Rule{e.have.Rules, e.have.Parked} {
			for i := range rules {
				s.use(rules[i].Actions, 1)
			}
		}
	}
	return s
}

func newLine(e *edit) *line {
	l := &line{edit: e, fresh: e.fresh(), stale: e.stale(), answers: e.answers}
	for j, i := range e.match.wantOf(len(e.have.Rules)) {
		l.slots = append(l.slots, slot{want: i, have: j, priority: e.have.Rules[j].Priority})
	}
	for i, j := range e.match.haveOf {
		if j >= 0 && !e.match.same[i] {
			l.changes = append(l.changes, i)
		}
	}
	return l
}

// editScarce plans the listeners of a load balancer without room.
func (p *planner) editScarce(edits []*edit) {
	for _, e := range edits {
		p.openListener(e)
	}
	if len(p.everyUse(edits).uses) > p.opts.Quotas.TargetGroupsPerLoadBalancer {
		for _, e := range edits {
			p.straighten(e)
		}
	}
	s := p.squeeze(edits)
	for s.stuck && p.unpair(edits) {
		s = p.squeeze(edits)
	}
	for _, note := range s.notes {
		p.note(note)
	}
	p.emit(s.ops, func(op, op) bool { return true })
	for _, e := range edits {
		p.closeListener(e)
	}
}

// squeeze edits all rules in some order that has room for each step.
func (p *planner) squeeze(edits []*edit) *shortage {
	s := p.newShortage(edits)
	var moved []*edit
	s.lines = slices.DeleteFunc(s.lines, func(l *line) bool {
		if !l.match.ordered {
			moved = append(moved, l.edit)
		}
		return !l.match.ordered
	})
	for s.create() || s.change() || s.turn() || s.free() || s.expose() || s.hasten() || s.force() {
		continue
	}
	for _, e := range moved {
		s.park(e)
	}
	return s
}

// use counts uses of target groups, up or down.
func (s *shortage) use(actions []model.Action, by int) {
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			name := string(g.ARN)
			if name == "" {
				name = g.Key
			}
			if s.uses[name] += by; s.uses[name] == 0 {
				delete(s.uses, name)
			}
		}
	}
}

// fits tells whether the load balancer takes actions in the place of others.
func (s *shortage) fits(actions, instead []model.Action) bool {
	s.use(instead, -1)
	s.use(actions, 1)
	n := len(s.uses)
	s.use(actions, -1)
	s.use(instead, 1)
	return n <= s.p.opts.Quotas.TargetGroupsPerLoadBalancer
}

// create makes the next new rule of a listener, if there is room.
func (s *shortage) create() bool {
	if s.rules >= s.p.opts.Quotas.RulesPerLoadBalancer {
		return false
	}
	for _, l := range s.lines {
		if len(l.fresh) > 0 && s.fits(l.want.Rules[l.fresh[0]].Actions, nil) {
			s.make(l)
			return true
		}
	}
	return false
}

// make appends the creation of the first rule that is missing in l.
func (s *shortage) make(l *line) {
	want := l.fresh[0]
	priority, numbers := l.room(want)
	if numbers != nil {
		s.ops = append(s.ops, op{verb: renumber, edit: l.edit, numbers: numbers, why: "there is no number left between two rules"})
	}
	s.ops = append(s.ops, l.creation(want, priority))
	l.slots = append(l.slots, slot{want: want, have: -1, priority: priority})
	l.sort()
	l.fresh = l.fresh[1:]
	s.rules++
	s.use(l.want.Rules[want].Actions, 1)
}

// change changes in place: a rule when every new rule above it that meets its requests is there, the default actions when all are.
func (s *shortage) change() bool {
	for _, l := range s.lines {
		for _, i := range l.changes {
			if !l.meets(l.above(i), reachOf(l.want.Rules[i])) && s.fitsInPlace(l, i) {
				s.alter(l, i)
				return true
			}
		}
		if l.answers && len(l.fresh) == 0 && s.fits(l.want.DefaultActions, l.have.DefaultActions) {
			s.settleAnswers(l)
			return true
		}
	}
	return false
}

// fitsInPlace tells whether there is room for the change of a rule at its place.
func (s *shortage) fitsInPlace(l *line, want int) bool {
	return s.fits(l.want.Rules[want].Actions, l.have.Rules[l.match.haveOf[want]].Actions)
}

// alter changes a rule at its place.
func (s *shortage) alter(l *line, want int) {
	have := l.match.haveOf[want]
	s.ops = append(s.ops, l.modification(want, have))
	l.changes = except(l.changes, want)
	s.use(l.have.Rules[have].Actions, -1)
	s.use(l.want.Rules[want].Actions, 1)
}

func (s *shortage) settleAnswers(l *line) {
	s.ops = append(s.ops, op{verb: answer, edit: l.edit})
	s.use(l.have.DefaultActions, -1)
	s.use(l.want.DefaultActions, 1)
	l.answers = false
}

// free deletes an old rule that no request needs any more.
func (s *shortage) free() bool {
	for _, l := range s.lines {
		for _, j := range slices.Backward(l.stale) {
			if l.unreachable(j) || l.settled(j, -1) {
				s.remove(l, j)
				return true
			}
		}
	}
	return false
}

// turn makes an old rule a new one, at its place, where the old one is not needed and the new one may come. It pairs from the
// bottom, so that the places above stay free for the new rules above.
func (s *shortage) turn() bool {
	for _, l := range s.lines {
		for n, i := range slices.Backward(l.fresh) {
			if l.meets(l.fresh[:n], reachOf(l.want.Rules[i])) {
				continue
			}
			for _, j := range slices.Backward(l.stale) {
				if l.between(i, j) && (l.unreachable(j) || l.settled(j, i)) &&
					s.fits(l.want.Rules[i].Actions, l.have.Rules[j].Actions) {
					s.become(l, i, j)
					return true
				}
			}
		}
	}
	return false
}

func (s *shortage) become(l *line, want, have int) {
	o := l.modification(want, have)
	o.why = "there is no room for old and new rules side by side"
	s.ops = append(s.ops, o)
	for n := range l.slots {
		if l.slots[n].have == have {
			l.slots[n].want = want
		}
	}
	l.fresh = except(l.fresh, want)
	l.stale = except(l.stale, have)
	s.use(l.have.Rules[have].Actions, -1)
	s.use(l.want.Rules[want].Actions, 1)
}

func (s *shortage) remove(l *line, have int) {
	s.ops = append(s.ops, l.removal(have))
	l.stale = except(l.stale, have)
	l.slots = slices.DeleteFunc(l.slots, func(s slot) bool { return s.have == have })
	s.rules--
	s.use(l.have.Rules[have].Actions, -1)
}

// park edits a listener whose rules changed their order: as many old rules as there is no room for go first.
func (s *shortage) park(e *edit) {
	l := newLine(e)
	for len(l.stale) > 0 && s.rules+len(l.fresh) > s.p.opts.Quotas.RulesPerLoadBalancer {
		j := l.stale[len(l.stale)-1]
		if i := slices.IndexFunc(l.stale, l.unreachable); i >= 0 {
			j = l.stale[i]
		} else {
			s.noteExposed(e.have.Rules[j])
		}
		s.remove(l, j)
	}
	left := *e
	left.have.Rules = nil
	for _, slot := range l.slots {
		left.have.Rules = append(left.have.Rules, e.have.Rules[slot.have])
	}
	left.match = matchRules(left.want.Rules, left.have.Rules)
	s.p.resolveEdited(&left)
	s.ops = append(s.ops, left.ops()...)
	s.rules += len(left.fresh()) - len(left.stale())
}
