package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// meets tells whether a request may match one of the wanted rules and what r reaches.
func (l *line) meets(wanted []int, r reach) bool {
	return slices.ContainsFunc(wanted, func(i int) bool { return reachOf(l.want.Rules[i]).meets(r) })
}

// above are the rules that are still to be made and come before a wanted one.
func (l *line) above(want int) []int {
	return slices.DeleteFunc(slices.Clone(l.fresh), func(i int) bool { return i > want })
}

// settled tells whether every request that an old rule matches would find its new answer without it: all that is new and may
// match it is there, but for the one rule that replaces it, and no old rule below it is.
func (l *line) settled(have, instead int) bool {
	r := reachOf(l.have.Rules[have])
	if l.answers || l.meets(except(l.fresh, instead), r) || l.meets(l.changes, r) {
		return false
	}
	return !slices.ContainsFunc(l.stale, func(j int) bool { return j > have && reachOf(l.have.Rules[j]).meets(r) })
}

// unreachable tells whether a rule above matches every request that an old rule matches.
func (l *line) unreachable(have int) bool {
	for _, s := range l.slots {
		if s.have == have {
			return false
		}
		if covers(l.ruleAt(s), l.have.Rules[have]) {
			return true
		}
	}
	return false
}

func (l *line) ruleAt(s slot) model.Rule {
	if s.want >= 0 {
		return l.want.Rules[s.want]
	}
	return l.have.Rules[s.have]
}

// gap is the open interval of numbers in which a wanted rule belongs; high 0 is the end of the list.
func (l *line) gap(want int) (low, high int) {
	for _, s := range l.slots {
		switch {
		case s.want < 0:
		case s.want < want:
			low = s.priority
		case s.want > want:
			return low, s.priority
		}
	}
	return low, 0
}

// between tells whether an old rule's place is one for a wanted rule.
func (l *line) between(want, have int) bool {
	low, high := l.gap(want)
	p := l.have.Rules[have].Priority
	for _, s := range l.slots {
		if s.have == have {
			p = s.priority
		}
	}
	return p > low && (high == 0 || p < high)
}

// room finds a number for a wanted rule, and if there is none new numbers for the rules that exist.
func (l *line) room(want int) (priority int, numbers []RulePriority) {
	if free := l.free(want); free != nil {
		return free[0], nil
	}
	all := spread(len(l.slots) + 1)
	for n := range l.slots {
		if l.slots[n].priority == all[n] {
			continue
		}
		l.slots[n].priority = all[n]
		number := RulePriority{Priority: all[n]}
		if s := l.slots[n]; s.have >= 0 {
			number.ARN = l.have.Rules[s.have].ARN
		} else {
			number.Key = l.ruleKey(s.want)
		}
		numbers = append(numbers, number)
	}
	return l.free(want)[0], numbers
}

// free are numbers for a wanted rule and those that belong into the same gap.
func (l *line) free(want int) []int {
	low, high := l.gap(want)
	waiting := 0
	for _, i := range l.fresh {
		if a, b := l.gap(i); a == low && b == high {
			waiting++
		}
	}
	var taken []int
	for _, s := range l.slots {
		taken = append(taken, s.priority)
	}
	if spread := between(low, high, waiting, taken); spread != nil {
		return spread
	}
	return between(low, high, 1, taken)
}

func (l *line) sort() {
	slices.SortFunc(l.slots, func(a, b slot) int { return a.priority - b.priority })
}

// except is a copy of list without a value.
func except(list []int, value int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(v int) bool { return v == value })
}
