package plan

import (
	"net/netip"
	"slices"

	"github.com/headgate/headgate/model"
)

// A load balancer that is replaced answers on, and its successor has the same security groups of ours. So what these admit to ports on which
// only the old one listens stays until that goes. For ports of both the new word counts at once: it may be stricter. Where it is wider and the
// old one is on the internet while the new one is not, it counts once the old one went: it is meant for clients inside.

// bequeathed divides what a group shall admit no more into what goes now, and what goes with a load balancer that is replaced: also what is a part
// of something wider that is not there yet. A full group keeps nothing.
func (p *planner) bequeathed(want, have model.SecurityGroup, surplus []model.Permission) (now, later []model.Permission) {
	if have.Foreign || p.want.LoadBalancer == nil || len(p.late) > 0 || len(p.replacedIn(have)) == 0 {
		return surplus, nil
	}
	parts := p.partsOfHeld(want, have, surplus)
	for _, perm := range surplus {
		if p.listensIn(perm) && !slices.Contains(parts, perm) {
			now = append(now, perm)
			continue
		}
		later = append(later, perm)
	}
	return now, later
}

// replacedIn are the load balancers with a security group that another one takes the place of.
func (p *planner) replacedIn(g model.SecurityGroup) []model.LoadBalancer {
	return slices.DeleteFunc(slices.Clone(p.have.Balancers()), func(lb model.LoadBalancer) bool {
		return lb.ARN == p.keepARN() || p.fronts(lb) || !wears(lb, g)
	})
}

// fronts tells whether a load balancer is the frontend that is wanted.
func (p *planner) fronts(lb model.LoadBalancer) bool {
	want, have := p.want.Frontend, p.have.Frontend
	return want != nil && want.LoadBalancer != nil && have != nil && have.LoadBalancer != nil && have.LoadBalancer.ARN == lb.ARN && fits(*want.LoadBalancer, lb)
}

func wears(lb model.LoadBalancer, g model.SecurityGroup) bool {
	return slices.ContainsFunc(lb.SecurityGroups, func(r model.GroupRef) bool { return r.Key == g.ID || r.ID == string(g.ARN) })
}

// listensIn tells whether a wanted listener has a port of a permission.
func (p *planner) listensIn(perm model.Permission) bool {
	return slices.ContainsFunc(p.want.Listeners, func(l model.Listener) bool { return perm.FromPort <= l.Port && l.Port <= perm.ToPort })
}

// exposes are the load balancers with a security group that stand on the internet until another one, which does not, has taken their place.
func (p *planner) exposes(g model.SecurityGroup) []model.LoadBalancer {
	if g.Foreign || p.want.LoadBalancer == nil || p.want.LoadBalancer.Scheme != schemeInternal {
		return nil
	}
	return slices.DeleteFunc(p.replacedIn(g), func(lb model.LoadBalancer) bool { return lb.Scheme == schemeInternal })
}

// permitted are the missing permissions of a group that are added before a load balancer that is replaced goes.
func (p *planner) permitted(have model.SecurityGroup, missing []model.Permission) []model.Permission {
	if len(p.exposes(have)) == 0 {
		return missing
	}
	return slices.DeleteFunc(slices.Clone(missing), widening(have))
}

// heldBack are the missing permissions that [planner.permitted] leaves out.
func (p *planner) heldBack(want, have model.SecurityGroup) []model.Permission {
	missing := without(want.Ingress, ours(have))
	return without(missing, p.permitted(have, missing))
}

// partsOfHeld are those permissions that are a part of what is held back.
func (p *planner) partsOfHeld(want, have model.SecurityGroup, all []model.Permission) []model.Permission {
	held := p.heldBack(want, have)
	return slices.DeleteFunc(slices.Clone(all), func(perm model.Permission) bool {
		return !slices.ContainsFunc(held, func(wide model.Permission) bool { return encloses(wide, perm) })
	})
}

// widening tells whether a permission is for addresses, which may be of the internet, that a group does not admit.
func widening(g model.SecurityGroup) func(model.Permission) bool {
	return func(perm model.Permission) bool {
		return (perm.CIDR != "" || perm.PrefixList != "") && !slices.ContainsFunc(g.Ingress, func(wide model.Permission) bool { return encloses(wide, perm) })
	}
}

// encloses tells whether one permission admits all that another one does.
func encloses(wide, perm model.Permission) bool {
	if wide.Protocol != perm.Protocol || wide.FromPort > perm.FromPort || perm.ToPort > wide.ToPort || wide.PrefixList != perm.PrefixList {
		return false
	}
	x, errX := netip.ParsePrefix(wide.CIDR)
	y, errY := netip.ParsePrefix(perm.CIDR)
	return errX == nil && errY == nil && x.Bits() <= y.Bits() && x.Contains(y.Addr())
}

// admitLater adds what [planner.permitted] left out, after the last load balancer that it would expose: in a later plan where that is kept. It gives
// the change.
func (p *planner) admitLater(want, have model.SecurityGroup) []int {
	old := p.exposes(have)
	missing := p.heldBack(want, have)
	after, stay := p.deletions(old)
	if len(old) == 0 || len(missing) == 0 || stay || len(after) < len(old) {
		return nil
	}
	key := securityGroupKey(have.ID)
	after = append(after, p.changesOf(key, RevokeIngress)...)
	return []int{p.add(Change{
		Op: AuthorizeIngress, Action: Update, Key: key, ARN: have.ARN, SecurityGroup: &want, Permissions: missing, After: after,
		Fields: added(missing), Why: "a load balancer on the internet has the group until it is deleted",
	})}
}

// deletions are the changes that delete load balancers, and whether one of these is not deleted by this plan.
func (p *planner) deletions(of []model.LoadBalancer) (ids []int, stay bool) {
	for _, lb := range of {
		stay = stay || p.stay[lb.ARN]
		for _, c := range p.plan.Changes {
			if c.Op == DeleteLoadBalancer && c.ARN == lb.ARN {
				ids = append(ids, c.ID)
			}
		}
	}
	return ids, stay
}

// revokeLater withdraws permissions after the last load balancer that is replaced went, and after other changes: in a later plan where that is kept.
func (p *planner) revokeLater(have model.SecurityGroup, gone []model.Permission, others []int) {
	if len(gone) == 0 {
		return
	}
	after, stay := p.deletions(p.replacedIn(have))
	if stay {
		return
	}
	after = append(after, others...)
	id := p.add(Change{
		Op: RevokeIngress, Action: Update, Key: securityGroupKey(have.ID), ARN: have.ARN, SecurityGroup: &have, Permissions: gone, After: after,
		Fields: removed(gone),
	})
	for _, perm := range gone {
		p.release(perm.Source, id)
	}
}
