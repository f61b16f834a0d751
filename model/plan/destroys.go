package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// foresight is how many plans in a row are looked at. What is not at its end then may do anything.
const foresight = 8

// Destroys tells whether a plan that [Diff] made of these, or one that follows it, deletes or replaces something that is there now. What
// only the plans themselves make and take away again does not count.
func Destroys(p Plan, desired, observed model.Stack, opts Options) bool {
	var there []model.ARN
	for _, part := range observed.Parts() {
		there = append(there, (&world{Stack: part}).arns()...)
	}
	for range foresight {
		for _, c := range p.Changes {
			parks := c.Rule != nil && model.IsParking(*c.Rule)
			if c.Action == Replace || c.Action == Delete && slices.Contains(there, c.ARN) && !parks {
				return true
			}
			next, err := Step(observed, c)
			if err != nil {
				return true
			}
			observed = next
		}
		if !p.Again {
			return false
		}
		if p = Diff(desired, observed, opts); p.Empty() {
			return false
		}
	}
	return true
}

// Routine is the part of a plan that only keeps what is there from running out: certificates that are imported anew into their ARN, which
// changes no rule and no listener. It does not wait for the rest.
func (p Plan) Routine() Plan {
	out := Plan{Owner: p.Owner, Known: p.Known}
	for _, c := range p.Changes {
		if c.Op == ImportCertificate && c.ARN != "" && len(c.After) == 0 {
			out.Changes = append(out.Changes, c)
		}
	}
	return out
}

// Part is what a plan has to do to make one of its changes: those that it comes after, and it as the last. It is empty where there is no such
// change.
func (p Plan) Part(id int) Plan {
	wanted := map[int]bool{id: true}
	out := Plan{Owner: p.Owner, Known: p.Known}
	for _, c := range slices.Backward(p.Changes) {
		if !wanted[c.ID] {
			continue
		}
		for _, before := range c.After {
			wanted[before] = true
		}
		out.Changes = append(out.Changes, c)
	}
	slices.Reverse(out.Changes)
	return out
}
