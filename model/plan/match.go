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

// fits tells whether have can be modified into want: type and scheme cannot be changed.
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
	p.current, p.currentBy = map[string]model.TargetGroup{}, map[model.ARN]string{}
	observed := map[string][]model.TargetGroup{}
	for _, have := range p.have.TargetGroups {
		observed[have.ID] = append(observed[have.ID], have)
	}
	for _, want := range p.want.TargetGroups {
		var found []model.TargetGroup
		for _, have := range observed[want.ID] {
			if len(immutables(want, have)) == 0 && p.usable(have) && p.leads(have, want.Port) {
				found = append(found, have)
			}
		}
		slices.SortStableFunc(found, func(a, b model.TargetGroup) int {
			return cmp.Or(cmp.Compare(len(b.LoadBalancers), len(a.LoadBalancers)), same(b.Name, want.Name)-same(a.Name, want.Name))
		})
		if len(found) > 0 {
			p.current[want.ID] = found[0]
			if found[0].ARN != "" {
				p.currentBy[found[0].ARN] = want.ID
			}
			p.know(targetGroupKey(want.ID), found[0].ARN)
		}
	}
	for _, have := range p.have.TargetGroups {
		if p.current[have.ID].ARN != have.ARN {
			p.obsolete = append(p.obsolete, have)
		}
	}
}

func same(a, b string) int {
	if a == b {
		return 1
	}
	return 0
}

// usable tells whether a target group can be used by the load balancer that is kept or made: AWS lets only one use it.
func (p *planner) usable(g model.TargetGroup) bool {
	for _, arn := range g.LoadBalancers {
		if p.keep == nil || arn != p.keep.ARN {
			return false
		}
	}
	return true
}

// immutables are the fields that differ and that AWS cannot change. The port is none of them: each registration names its own.
func immutables(want, have model.TargetGroup) []Field {
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
func version(g model.TargetGroup) string {
	if g.ProtocolVersion == "" && (g.Protocol == "HTTP" || g.Protocol == "HTTPS") {
		return "HTTP1"
	}
	return g.ProtocolVersion
}

// resolve writes the references of the observed stack, and of what is wanted, in one form: a key where the resource that the
// key stands for is meant, an ARN where it is another one, such as a target group that is being replaced. Wanted references
// carry the ARN of what exists besides their key.
func (p *planner) resolve() {
	for i := range p.have.Listeners {
		l := &p.have.Listeners[i]
		p.eachGroup(l.DefaultActions, p.observedGroup)
		for j := range l.Rules {
			p.eachGroup(l.Rules[j].Actions, p.observedGroup)
		}
		for j := range l.Parked {
			p.eachGroup(l.Parked[j].Actions, p.observedGroup)
		}
	}
	for i := range p.want.Listeners {
		l := &p.want.Listeners[i]
		p.eachGroup(l.DefaultActions, p.wantedGroup)
		for j := range l.Rules {
			p.eachGroup(l.Rules[j].Actions, p.wantedGroup)
		}
	}
	p.resolveSecurityGroups()
	p.resolveCertificates()
	p.resolveTrustStores()
}

// eachGroup works on the copies that Normalize made.
func (p *planner) eachGroup(actions []model.Action, f func(model.WeightedGroup) model.WeightedGroup) {
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for i, g := range a.Forward.Groups {
			a.Forward.Groups[i] = f(g)
		}
	}
}

func (p *planner) wantedGroup(g model.WeightedGroup) model.WeightedGroup {
	if g.Key != "" {
		g.ARN = p.current[g.Key].ARN
	}
	return g
}

func (p *planner) observedGroup(g model.WeightedGroup) model.WeightedGroup {
	if g.ARN == "" {
		g.ARN = p.arnOf(g.Key)
	}
	if id, ours := p.currentBy[g.ARN]; ours {
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
	for _, g := range p.obsolete {
		if g.ID == key && len(g.LoadBalancers) > 0 && p.usable(g) {
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
