package plan

import (
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// expose deletes the last old rule although its requests may need it, where something waits for room.
func (s *shortage) expose() bool {
	var victim *line
	for _, l := range s.lines {
		if len(l.stale) > 0 && (victim == nil || len(victim.fresh) == 0) {
			victim = l
		}
	}
	if victim == nil {
		return false
	}
	j := victim.stale[len(victim.stale)-1]
	s.noteExposed(victim.have.Rules[j])
	s.remove(victim, j)
	return true
}

func (s *shortage) noteExposed(r model.Rule) {
	s.notes = append(s.notes, "exposed: the load balancer is at its quota, so a rule for "+strings.Join(hostsOf(r), ", ")+" goes before its successor is there")
}

// hostsOf are the hosts of a rule, in words.
func hostsOf(r model.Rule) []string {
	if names, ok := r.Hosts(); ok {
		return names
	}
	return []string{"every host"}
}

// hasten changes an answer although rules above it are missing, which have no room before: their requests meet it until they are there.
func (s *shortage) hasten() bool {
	for _, l := range s.lines {
		for _, i := range l.changes {
			if s.fitsInPlace(l, i) {
				s.noteHastened(l, l.above(i))
				s.alter(l, i)
				return true
			}
		}
		if l.answers && s.fits(l.want.DefaultActions, l.have.DefaultActions) {
			s.noteHastened(l, l.fresh)
			s.settleAnswers(l)
			return true
		}
	}
	return false
}

func (s *shortage) noteHastened(l *line, missing []int) {
	for _, i := range missing {
		s.notes = append(s.notes, "exposed: the load balancer is at its quota of target groups, so requests for "+
			strings.Join(hostsOf(l.want.Rules[i]), ", ")+" may meet the answer of another rule until their own is there")
	}
}

// force lets AWS judge what does not fit although nothing is left to delete.
func (s *shortage) force() bool {
	for _, l := range s.lines {
		switch {
		case len(l.fresh) > 0:
			s.stuck = s.stuck || !s.fits(l.want.Rules[l.fresh[0]].Actions, nil)
			s.make(l)
		case len(l.changes) > 0:
			s.stuck = true
			s.alter(l, l.changes[0])
		case l.answers:
			s.stuck = true
			s.settleAnswers(l)
		default:
			continue
		}
		return true
	}
	return false
}

// straighten has rules that moved made anew, where target groups are short: all rules side by side, in their old and their new place, would use
// too many.
func (p *planner) straighten(e *edit) {
	if e.match.ordered {
		return
	}
	e.match = matchInOrder(e.want.Rules, e.have.Rules)
	p.resolveEdited(e)
}

// unpair has a rule that changes in place made anew, and deleted where it was, for that is how the last of several uses of a target group go when
// there is no room for the one that they shall have. It gives false when none is left.
func (p *planner) unpair(edits []*edit) bool {
	for _, e := range slices.Backward(edits) {
		for i, j := range slices.Backward(e.match.haveOf) {
			if j >= 0 && !e.match.same[i] && len(forwards(e.have.Rules[j].Actions)) > 0 {
				e.match.haveOf[i] = -1
				return true
			}
		}
	}
	return false
}
