package plan

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/model"
)

// protection is the attribute that forbids the deletion of a load balancer.
const protection = "deletion_protection.enabled"

// chooseBalancer decides which observed load balancer is kept and which are deleted.
func (p *planner) chooseBalancer() {
	p.promote()
	have := p.have.LoadBalancer
	switch {
	case have == nil:
	case p.want.LoadBalancer != nil && fits(*p.want.LoadBalancer, *have):
		p.keep = have
	case p.want.LoadBalancer != nil && slices.ContainsFunc(p.have.Leftovers, p.fitsWant):
		p.returns = true
		return
	default:
		p.retire(*have)
	}
	for _, lb := range p.have.Leftovers {
		p.retire(lb)
	}
}

// promote makes up for an observed stack whose only load balancer is among the leftovers.
func (p *planner) promote() {
	if p.have.LoadBalancer != nil || p.want.LoadBalancer == nil {
		return
	}
	if i := slices.IndexFunc(p.have.Leftovers, p.fitsWant); i >= 0 {
		lb := p.have.Leftovers[i]
		p.have.LoadBalancer = &lb
		p.have.Leftovers = slices.Delete(slices.Clone(p.have.Leftovers), i, i+1)
	}
}

func (p *planner) fitsWant(lb model.LoadBalancer) bool { return fits(*p.want.LoadBalancer, lb) }

// turnBack deletes the newer load balancer of a replacement that is no longer wanted, when the frontend leads to the older one. The
// listeners of that one are not known until it is the only one, so the rest is planned then.
func (p *planner) turnBack(front *planner) {
	newer := *p.have.LoadBalancer
	back := p.have.Leftovers[slices.IndexFunc(p.have.Leftovers, p.fitsWant)]
	p.plan.Again = true
	front.stand(back.ARN)
	if newer.Attributes[protection] == on {
		p.noteProtected(newer)
		return
	}
	p.add(Change{
		Op: DeleteLoadBalancer, Action: Delete, Key: loadBalancerKey(newer), ARN: newer.ARN, LoadBalancer: &newer,
		After: slices.Clone(p.frees[newer.ARN]),
		Needs: []Need{{Key: loadBalancerKey(back), ARN: back.ARN, State: StateActive}},
		Why:   "the load balancer that it was to replace is wanted again",
	})
}

// Fits tells whether a load balancer can be modified into a wanted one: type and scheme cannot be changed.
func Fits(want, have model.LoadBalancer) bool { return fits(want, have) }

func fits(want, have model.LoadBalancer) bool {
	return want.Type == have.Type && want.Scheme == have.Scheme && sameAddresses(want, have)
}

// retire puts a load balancer among those to delete, unless it is protected or its time is not over.
func (p *planner) retire(lb model.LoadBalancer) {
	switch {
	case lb.Attributes[protection] == "true":
		p.stay[lb.ARN] = true
		p.noteProtected(lb)
	case slices.Contains(p.opts.Keep, lb.ARN):
		p.stay[lb.ARN] = true
	default:
		p.doomed[lb.ARN] = true
		p.old = append(p.old, lb)
	}
}

func (p *planner) noteProtected(lb model.LoadBalancer) {
	p.note("load balancer " + lb.Name + " is not deleted: deletion protection is on; switch it off to let it go")
}

// chooseTargetGroups matches target groups by ID: among those of one ID that can serve, one in use before one that is not.
func (p *planner) chooseTargetGroups() {
	p.current = make(map[string]*model.TargetGroup, len(p.want.TargetGroups))
	p.currentBy = nil
	observed := byID(p.have.TargetGroups)
	for i := range p.want.TargetGroups {
		want := &p.want.TargetGroups[i]
		var best *model.TargetGroup
		for _, have := range observed[want.ID] {
			if len(immutables(want, have)) == 0 && p.usable(have) && p.leads(have, want.Port) && (best == nil || serveBetter(want, have, best)) {
				best = have
			}
		}
		if best != nil {
			p.current[want.ID] = best
			p.know(targetGroupKey(want.ID), best.ARN)
		}
	}
	for i := range p.have.TargetGroups {
		if have := &p.have.TargetGroups[i]; p.currentARN(have.ID) != have.ARN {
			p.obsolete = append(p.obsolete, *have)
		}
	}
}

// byID are target groups by their ID, in their order.
func byID(groups []model.TargetGroup) map[string][]*model.TargetGroup {
	out := make(map[string][]*model.TargetGroup, len(groups))
	each := make([]*model.TargetGroup, len(groups))
	for i := range groups {
		each[i] = &groups[i]
		id := each[i].ID
		if some := out[id]; some != nil {
			out[id] = append(some, each[i])
			continue
		}
		out[id] = each[i : i+1 : i+1] // without memory of its own
	}
	return out
}

// serveBetter tells whether of two target groups that can serve as the wanted one the first is in more use, or has its name.
func serveBetter(want, a, b *model.TargetGroup) bool {
	return cmp.Or(cmp.Compare(len(b.LoadBalancers), len(a.LoadBalancers)), same(b.Name, want.Name)-same(a.Name, want.Name)) < 0
}

// currentARN is that of the observed target group that matches the ID, empty where none does.
func (p *planner) currentARN(id string) model.ARN {
	if g := p.current[id]; g != nil {
		return g.ARN
	}
	return ""
}

// ours is the ID of a current target group by its ARN.
func (p *planner) ours(arn model.ARN) (id string, ok bool) {
	if p.currentBy == nil {
		p.currentBy = make(map[model.ARN]string, len(p.current))
		for id, g := range p.current {
			if g.ARN != "" {
				p.currentBy[g.ARN] = id
			}
		}
	}
	id, ok = p.currentBy[arn]
	return id, ok
}

func same(a, b string) int {
	if a == b {
		return 1
	}
	return 0
}

// usable tells whether a target group can be used by the load balancer that is kept or made: AWS lets only one use it.
func (p *planner) usable(g *model.TargetGroup) bool {
	for _, arn := range g.LoadBalancers {
		if p.keep == nil || arn != p.keep.ARN {
			return false
		}
	}
	return true
}

// immutables are the fields that differ and that AWS cannot change. The port is none of them: each registration names its own.
func immutables(want, have *model.TargetGroup) []Field {
	var f fields
	f.text("targetType", have.TargetType, want.TargetType)
	f.text("protocol", have.Protocol, want.Protocol)
	f.text("protocolVersion", version(have), version(want))
	f.text("ipAddressType", cmp.Or(have.IPAddressType, "ipv4"), cmp.Or(want.IPAddressType, "ipv4"))
	f.number("controlPort", have.ControlPort, want.ControlPort)
	if want.VPC != "" {
		f.text("vpc", have.VPC, want.VPC)
	}
	return f
}

// version is the protocol version with AWS's default.
func version(g *model.TargetGroup) string {
	if g.ProtocolVersion == "" && (g.Protocol == "HTTP" || g.Protocol == "HTTPS") {
		return "HTTP1"
	}
	return g.ProtocolVersion
}

// resolve writes the references of the observed stack, and of what is wanted, in one form: a key where the resource that the
// key stands for is meant, an ARN where it is another one, such as a target group that is being replaced. Wanted references
// carry the ARN of what exists besides their key: those of rules where they are needed, see [planner.resolveEdited].
func (p *planner) resolve() {
	for i := range p.have.Listeners {
		l := &p.have.Listeners[i]
		l.DefaultActions = resolved(l.DefaultActions, p.observedGroup)
		l.Rules, l.Parked = p.resolvedRules(l.Rules), p.resolvedRules(l.Parked)
	}
	for i := range p.want.Listeners {
		l := &p.want.Listeners[i]
		l.DefaultActions = resolved(l.DefaultActions, p.wantedGroup)
	}
	p.resolveSecurityGroups()
	p.resolveCertificates()
	p.resolveTrustStores()
}

// resolvedRules are observed rules with their references in that form: themselves where they are.
func (p *planner) resolvedRules(rules []model.Rule) []model.Rule {
	copied := false
	for i := range rules {
		if !changes(rules[i].Actions, p.observedGroup) {
			continue
		}
		if !copied {
			rules, copied = slices.Clone(rules), true
		}
		rules[i].Actions = resolved(rules[i].Actions, p.observedGroup)
	}
	return rules
}

// changes tells whether f changes a group of actions.
func changes(actions []model.Action, f func(model.WeightedGroup) model.WeightedGroup) bool {
	for i := range actions {
		if actions[i].Forward != nil && slices.ContainsFunc(actions[i].Forward.Groups, func(g model.WeightedGroup) bool { return f(g) != g }) {
			return true
		}
	}
	return false
}

// resolved are actions with f applied to every group, themselves where that changes nothing.
func resolved(actions []model.Action, f func(model.WeightedGroup) model.WeightedGroup) []model.Action {
	if !changes(actions, f) {
		return actions
	}
	out := slices.Clone(actions)
	for i, a := range out {
		if a.Forward == nil {
			continue
		}
		forward := *a.Forward
		forward.Groups = slices.Clone(forward.Groups)
		for j, g := range forward.Groups {
			forward.Groups[j] = f(g)
		}
		out[i].Forward = &forward
	}
	return out
}

func (p *planner) wantedGroup(g model.WeightedGroup) model.WeightedGroup {
	if g.Key != "" {
		g.ARN = p.currentARN(g.Key)
	}
	return g
}

func (p *planner) observedGroup(g model.WeightedGroup) model.WeightedGroup {
	if g.ARN != "" && g.ARN == p.currentARN(g.Key) {
		return g
	}
	if g.ARN == "" {
		g.ARN = p.arnOf(g.Key)
	}
	if id, ours := p.ours(g.ARN); ours {
		return model.WeightedGroup{Key: id, ARN: g.ARN, Weight: g.Weight}
	}
	if g.ARN != "" {
		g.Key = ""
	}
	return g
}

// arnOf decides which of several groups an observed reference by key means: one that is in use and to be replaced, else the
// current one. A wrong guess costs a call that changes nothing.
func (p *planner) arnOf(key string) model.ARN {
	for i := range p.obsolete {
		if g := &p.obsolete[i]; g.ID == key && len(g.LoadBalancers) > 0 && p.usable(g) {
			return g.ARN
		}
	}
	if g, ok := p.current[key]; ok {
		return g.ARN
	}
	for _, g := range p.obsolete {
		if g.ID == key {
			return g.ARN
		}
	}
	return ""
}

// resolveSecurityGroups gives observed references by ID the key of the group that has it.
func (p *planner) resolveSecurityGroups() {
	keys := map[string]string{}
	for _, g := range p.have.SecurityGroups {
		if !g.Foreign && g.ARN != "" {
			keys[string(g.ARN)] = g.ID
			p.know(securityGroupKey(g.ID), g.ARN)
		}
	}
	ref := func(r model.GroupRef) model.GroupRef {
		if key, ok := keys[r.ID]; ok {
			return model.GroupRef{Key: key}
		}
		if r.Key != "" {
			r.ID = ""
		}
		return r
	}
	for _, s := range []*model.Stack{&p.want, &p.have} {
		for i := range s.SecurityGroups {
			for j, perm := range s.SecurityGroups[i].Ingress {
				s.SecurityGroups[i].Ingress[j].Source = ref(perm.Source)
			}
		}
		if s.LoadBalancer != nil {
			for i, r := range s.LoadBalancer.SecurityGroups {
				s.LoadBalancer.SecurityGroups[i] = ref(r)
			}
		}
	}
}
