package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// evict deletes, before all else, as many of the rules that park target groups as the rules that shall be there need room for. First those
// that nobody waits for, then those of groups that are healthy, then the others: these groups are used all the same, and the plan says so. Where
// target groups are short, all go that nobody waits for. It gives how many.
func (p *planner) evict(edits []*edit) int {
	over, gone, parked := -p.opts.Quotas.RulesPerLoadBalancer, 0, 0
	for _, e := range edits {
		over, parked = over+len(e.want.Rules)+len(e.have.Parked), parked+len(e.have.Parked)
	}
	short := parked > 0 && len(p.everyUse(edits).uses) > p.opts.Quotas.TargetGroupsPerLoadBalancer
	for loss := 0; loss <= lossMost && (gone < over || short); loss++ {
		for _, e := range edits {
			var stay []model.Rule
			for _, r := range e.have.Parked {
				g, ok := parkedGroup(r)
				if gone >= over && (!short || loss > 0) || !ok || p.loss(g.Key) != loss {
					stay = append(stay, r)
					continue
				}
				gone++
				p.evictOne(e, r, g)
			}
			e.have.Parked = stay
		}
	}
	return gone
}

const lossMost = 2

// loss is how much is lost where a group is not parked any more.
func (p *planner) loss(group string) int {
	switch {
	case len(p.parking.hosts[group]) == 0:
		return 0
	case p.parking.needs[group] == nil:
		return 1
	}
	return lossMost
}

func (p *planner) evictOne(e *edit, r model.Rule, g model.WeightedGroup) {
	p.parking.evicted = append(p.parking.evicted, p.unparkOne(e, r, g))
	if p.loss(g.Key) > 0 {
		p.noteUnchecked(g.Key)
	}
	delete(p.parking.needs, g.Key)
}

// parkedGroup is the target group that a rule parks.
func parkedGroup(r model.Rule) (model.WeightedGroup, bool) {
	groups := forwards(r.Actions)
	if len(groups) != 1 {
		return model.WeightedGroup{}, false
	}
	return groups[0], true
}

// unparkOne deletes a rule that parks a target group, when the group answers requests.
func (p *planner) unparkOne(e *edit, r model.Rule, g model.WeightedGroup) int {
	c := Change{Key: model.Key{Kind: model.KindRule, ID: model.ParkingID(g.Key)}, ARN: r.ARN, After: slices.Clone(p.parking.uses[g.Key])}
	if g.Key == "" {
		c.Key.ID = model.ParkingID(string(g.ARN))
	}
	id := p.leave(e, c, r)
	p.releaseTargets(r.Actions, id)
	return id
}
