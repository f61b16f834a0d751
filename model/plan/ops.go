package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// verb is what an op does to a list of rules.
type verb int

const (
	// create adds a wanted rule.
	makeRule verb = iota
	// renumber gives rules other numbers, in one call.
	renumber
	// modify turns an observed rule into a wanted one, at its place.
	modifyRule
	// answer changes the default actions: the rule below all rules, which matches everything.
	answer
	// remove deletes an observed rule.
	removeRule
)

// op is one step of editing a list of rules.
type op struct {
	verb verb
	edit *edit
	// want and have are indexes, -1 where there is none.
	want, have int
	priority   int
	numbers    []RulePriority
	why        string
	reach      reach
}

// before tells whether b must wait for a, which comes earlier: when one request may meet both. Two rules that are modified at
// their places do not mind each other. See docs/design/planning.md for the argument.
func (a op) before(b op) bool {
	switch {
	case a.edit != b.edit:
		return false
	case a.verb == renumber || b.verb == renumber:
		return true
	case a.edit.quiet || a.verb == modifyRule && b.verb == modifyRule:
		return false
	default:
		return a.reach.meets(b.reach)
	}
}

// ops are the steps that edit one listener's rules where there is room for old and new side by side.
func (e *edit) ops() []op {
	if e.match.ordered {
		return e.inPlace()
	}
	return e.parked()
}

// inPlace: new rules into their gaps from the top down, changes in place, old rules from the bottom up.
func (e *edit) inPlace() []op {
	numbers, priorities := e.place()
	var out []op
	if numbers != nil {
		out = append(out, op{verb: renumber, edit: e, numbers: numbers, why: "there is no number left between two rules"})
	}
	for i, j := range e.match.haveOf {
		if j < 0 {
			out = append(out, e.creation(i, priorities[i]))
		}
	}
	for i, j := range e.match.haveOf {
		if j >= 0 && !e.match.same[i] {
			out = append(out, e.modification(i, j))
		}
	}
	return append(out, e.ending()...)
}

// parked: new rules below all others, then all into their order with one call, then old rules from the bottom up.
func (e *edit) parked() []op {
	fresh, stale := e.fresh(), e.stale()
	low := 0
	for _, r := range e.have.Rules {
		low = max(low, r.Priority)
	}
	var out []op
	parking := between(low, 0, len(fresh), nil)
	current := map[int]int{}
	for j, r := range e.have.Rules {
		current[j] = r.Priority
	}
	if parking == nil && len(fresh) > 0 {
		all := spread(len(e.have.Rules) + len(fresh))
		var numbers []RulePriority
		for j := range e.have.Rules {
			numbers = append(numbers, e.renumbered(j, all[j]))
			current[j] = all[j]
		}
		parking = all[len(e.have.Rules):]
		out = append(out, op{verb: renumber, edit: e, numbers: numbers, why: "there is no number left below the last rule"})
	}
	for n, i := range fresh {
		out = append(out, e.creation(i, parking[n]))
	}
	final := spread(len(e.want.Rules) + len(stale))
	var numbers []RulePriority
	for i, j := range e.match.haveOf {
		switch {
		case j < 0:
			numbers = append(numbers, RulePriority{Key: e.ruleKey(i), Priority: final[i]})
		case current[j] != final[i]:
			numbers = append(numbers, e.renumbered(j, final[i]))
		}
	}
	for n, j := range stale {
		numbers = append(numbers, e.renumbered(j, final[len(e.want.Rules)+n]))
	}
	out = append(out, op{verb: renumber, edit: e, numbers: numbers, why: "the order of rules changed"})
	return append(out, e.ending()...)
}

func (e *edit) renumbered(have, priority int) RulePriority {
	return RulePriority{ARN: e.have.Rules[have].ARN, Priority: priority}
}

// ending: the default actions, then the deletions.
func (e *edit) ending() []op {
	var out []op
	if e.answers {
		out = append(out, op{verb: answer, edit: e})
	}
	for _, j := range slices.Backward(e.stale()) {
		out = append(out, e.removal(j))
	}
	return out
}

func (e *edit) creation(want, priority int) op {
	return op{verb: makeRule, edit: e, want: want, have: -1, priority: priority, reach: reachOf(e.want.Rules[want])}
}

func (e *edit) modification(want, have int) op {
	return op{verb: modifyRule, edit: e, want: want, have: have, reach: reachOf(e.want.Rules[want])}
}

func (e *edit) removal(have int) op {
	return op{verb: removeRule, edit: e, want: -1, have: have, reach: reachOf(e.have.Rules[have])}
}

// fresh are the wanted rules that AWS has not, in their order.
func (e *edit) fresh() []int {
	var out []int
	for i, j := range e.match.haveOf {
		if j < 0 {
			out = append(out, i)
		}
	}
	return out
}

// stale are the observed rules that are not wanted, in their order.
func (e *edit) stale() []int {
	var out []int
	for j, i := range e.match.wantOf(len(e.have.Rules)) {
		if i < 0 {
			out = append(out, j)
		}
	}
	return out
}

// place gives each new rule a number in the gap where it belongs. Where a gap is used up, all rules are spread again first:
// numbers then has the new numbers of those that exist.
func (e *edit) place() (numbers []RulePriority, priorities map[int]int) {
	priorities = map[int]int{}
	var taken []int
	for _, r := range e.have.Rules {
		taken = append(taken, r.Priority)
	}
	low := 0
	for i := 0; i < len(e.match.haveOf); {
		if j := e.match.haveOf[i]; j >= 0 {
			low = e.have.Rules[j].Priority
			i++
			continue
		}
		end := i
		for end < len(e.match.haveOf) && e.match.haveOf[end] < 0 {
			end++
		}
		high := 0
		if end < len(e.match.haveOf) {
			high = e.have.Rules[e.match.haveOf[end]].Priority
		}
		free := between(low, high, end-i, taken)
		if free == nil {
			return e.placeAnew()
		}
		for n, f := range free {
			priorities[i+n] = f
		}
		i = end
	}
	return nil, priorities
}

// placeAnew spreads old and new rules together, the order of each kept.
func (e *edit) placeAnew() (numbers []RulePriority, priorities map[int]int) {
	type slot struct{ want, have int }
	var line []slot
	next := 0
	flush := func(end int) {
		for ; next < end; next++ {
			line = append(line, slot{-1, next})
		}
	}
	for i, j := range e.match.haveOf {
		if j >= 0 {
			flush(j + 1)
			continue
		}
		line = append(line, slot{i, -1})
	}
	flush(len(e.have.Rules))
	priorities = map[int]int{}
	for n, p := range spread(len(line)) {
		switch s := line[n]; {
		case s.want >= 0:
			priorities[s.want] = p
		case e.have.Rules[s.have].Priority != p:
			numbers = append(numbers, e.renumbered(s.have, p))
		}
	}
	return numbers, priorities
}

// emit makes changes of ops. An op waits for those earlier ones that ordered says it must follow, as far as others do not
// wait for them already.
func (p *planner) emit(ops []op, ordered func(a, b op) bool) {
	ids := make([]int, len(ops))
	reached := make([][]bool, len(ops))
	for n, o := range ops {
		reached[n] = make([]bool, n)
		var after []int
		for m := n - 1; m >= 0; m-- {
			if reached[n][m] || !ordered(ops[m], o) {
				continue
			}
			after = append(after, ids[m])
			reached[n][m] = true
			for k, yes := range reached[m] {
				reached[n][k] = reached[n][k] || yes
			}
		}
		ids[n] = p.emitOne(o, after)
	}
}

func (p *planner) emitOne(o op, after []int) int {
	e := o.edit
	if len(after) == 0 {
		after = slices.Clone(p.cleared)
	}
	c := Change{Port: e.want.Port, After: append(after, e.maker), Why: o.why}
	switch o.verb {
	case makeRule:
		want := e.want.Rules[o.want]
		c.Op, c.Action, c.Key, c.Rule, c.Priority = CreateRule, Create, e.ruleKey(o.want), &want, o.priority
		c.Fields = []Field{{Name: "match", New: matchText(want)}, {Name: "answer", New: answerText(want.Actions, want.Transforms)}}
		needs, spots := p.needsOf(want.Actions)
		c.Needs, c.After = needs, slices.Concat(c.After, p.groupsOf(want.Actions), p.guards, e.guarded, spots, p.parking.evicted)
		return p.begin(want.Actions, p.create(c))
	case modifyRule:
		want, have := e.want.Rules[o.want], e.have.Rules[o.have]
		want.ARN = have.ARN
		want.Actions = p.keepSecrets(RuleKey(e.want.Port, have), want.Actions, have.Actions)
		c.Op, c.Action, c.Key, c.ARN, c.Rule = ModifyRule, Update, e.ruleKey(o.want), have.ARN, &want
		c.Fields = p.ruleFields(want, have)
		p.secretField((*fields)(&c.Fields), RuleKey(e.want.Port, have), want.Actions)
		needs, spots := p.needsOf(want.Actions)
		c.Needs, c.After = needs, slices.Concat(c.After, p.groupsOf(want.Actions), p.guards, e.guarded, spots)
		id := p.begin(want.Actions, p.add(c))
		p.releaseTargets(have.Actions, id)
		return id
	case renumber:
		c.Op, c.Action, c.Key, c.ARN, c.Priorities = SetRulePriorities, Update, e.key, e.have.ARN, o.numbers
		c.Fields = []Field{{Name: "order", New: countText(len(o.numbers), "rule") + " renumbered"}}
		return p.add(c)
	case answer:
		return p.modifyListener(e, slices.Concat(after, []int{e.maker}, e.added, e.guarded))
	default:
		have := e.have.Rules[o.have]
		c.Op, c.Action, c.Key, c.ARN, c.Rule = DeleteRule, Delete, RuleKey(e.want.Port, have), have.ARN, &have
		c.Fields = []Field{{Name: "match", Old: matchText(have)}, {Name: "answer", Old: answerText(p.named(have.Actions), have.Transforms)}}
		id := p.add(c)
		p.releaseTargets(have.Actions, id)
		return id
	}
}

func (p *planner) ruleFields(want, have model.Rule) []Field {
	var f fields
	f.text("match", matchText(have), matchText(want))
	f.text("answer", answerText(p.named(have.Actions), have.Transforms), answerText(want.Actions, want.Transforms))
	return f
}

// named is observed actions for print: a group that is being replaced goes by its ID.
func (p *planner) named(actions []model.Action) []model.Action {
	return resolved(model.NormalizeRule(model.Rule{Actions: actions}).Actions, func(g model.WeightedGroup) model.WeightedGroup {
		for i := range p.obsolete {
			if old := &p.obsolete[i]; old.ARN == g.ARN && g.Key == "" {
				g.Key = old.ID + " (old)"
			}
		}
		return g
	})
}
