package plan

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// StateActive is the state of a load balancer that [Need] asks for.
const StateActive = "active"

// loadBalancer plans the load balancer itself, without listeners.
func (p *planner) loadBalancer() {
	switch {
	case p.want.LoadBalancer == nil:
	case p.keep == nil:
		p.createLoadBalancer(*p.want.LoadBalancer)
	default:
		p.know(loadBalancerKey(*p.want.LoadBalancer), p.keep.ARN)
		p.modifyLoadBalancer(*p.want.LoadBalancer, *p.keep)
	}
}

func (p *planner) createLoadBalancer(want model.LoadBalancer) {
	c := Change{Op: CreateLoadBalancer, Action: Create, Key: loadBalancerKey(want), After: p.groupsMade(want.SecurityGroups)}
	want.Name = p.freeBalancerName(want.Name)
	c.Fields = fields{
		{Name: "name", New: want.Name}, {Name: "type", New: want.Type}, {Name: "scheme", New: want.Scheme},
		{Name: "subnets", New: joined(want.Subnets)},
	}
	c.Fields = slices.Concat(c.Fields, poolFields(want))
	if old := slices.Concat(p.old, p.have.Leftovers); p.have.LoadBalancer != nil || len(old) > 0 {
		p.replacing(&c, want)
	}
	c.LoadBalancer = &want
	id := p.create(c)
	p.complete = append(p.complete, id)
	p.complete = append(p.complete, p.attributes(owned{
		key: c.Key, wantAttributes: want.Attributes, haveAttributes: LoadBalancerDefaults(want),
		op: ModifyLoadBalancerAttributes, maker: id,
	})...)
	p.addons(want, model.LoadBalancer{Addons: model.WithAddon(nil, model.AddonIPAMPool, want.Addons[model.AddonIPAMPool])}, id)
}

// replacing makes a creation the first half of a replacement.
func (p *planner) replacing(c *Change, want model.LoadBalancer) {
	have := p.have.LoadBalancer
	if have == nil {
		return
	}
	c.Action = Replace
	var f fields
	f.text("type", have.Type, want.Type)
	f.text("scheme", have.Scheme, want.Scheme)
	f.asked("allocations", allocations(*have), allocations(want))
	c.Fields = slices.Concat(fields{{Name: "name", Old: have.Name, New: want.Name}}, f)
	c.Why = "AWS cannot change type and scheme of a load balancer"
	p.note("the address changes: load balancer " + have.Name + " is replaced by " + want.Name + ", and deleted when that is active")
}

func (p *planner) freeBalancerName(name string) string {
	return freeName(name, func(n string) bool {
		if p.have.LoadBalancer != nil && p.have.LoadBalancer.Name == n {
			return false
		}
		return !slices.ContainsFunc(p.have.Leftovers, func(lb model.LoadBalancer) bool { return lb.Name == n })
	})
}

func (p *planner) modifyLoadBalancer(want, have model.LoadBalancer) {
	o := owned{
		key: loadBalancerKey(want), arn: have.ARN,
		wantTags: want.Tags, haveTags: have.Tags,
		wantAttributes: want.Attributes, haveAttributes: have.Attributes,
		defaults: func() map[string]string { return LoadBalancerDefaults(want) },
		op:       ModifyLoadBalancerAttributes,
	}
	p.modifyNetwork(o, want, have)
	p.setSecurityGroups(want, have)
	p.attributes(o)
	p.addons(want, have, 0)
	p.tags(o)
}

// modifyNetwork changes subnets and address type: an address type that needs more of its subnets is set after them, one that
// needs less before.
func (p *planner) modifyNetwork(o owned, want, have model.LoadBalancer) {
	var steps []Change
	if len(want.Subnets) > 0 && !slices.Equal(want.Subnets, have.Subnets) {
		steps = append(steps, Change{
			Op: SetSubnets, Fields: []Field{{Name: "subnets", Old: joined(have.Subnets), New: joined(want.Subnets)}},
		})
	}
	if want.IPAddressType != "" && want.IPAddressType != have.IPAddressType {
		steps = append(steps, Change{
			Op: SetIPAddressType, Fields: []Field{{Name: "ipAddressType", Old: have.IPAddressType, New: want.IPAddressType}},
		})
	}
	if len(steps) == 2 && want.IPAddressType == "ipv4" {
		slices.Reverse(steps)
	}
	steps = p.withPool(steps, want, have)
	before := 0
	for _, c := range steps {
		c.Action, c.Key, c.ARN, c.LoadBalancer, c.After = Update, o.key, have.ARN, &want, []int{before}
		before = p.add(c)
	}
}

// deleteBalancers deletes what is replaced, what is there twice and what nobody wants, when its successor answers.
func (p *planner) deleteBalancers() {
	for _, lb := range p.old {
		c := Change{Op: DeleteLoadBalancer, Action: Delete, Key: loadBalancerKey(lb), ARN: lb.ARN, LoadBalancer: &lb}
		c.Fields = []Field{{Name: "name", Old: lb.Name}}
		if want := p.want.LoadBalancer; want != nil {
			c.Key = loadBalancerKey(*want)
			c.After = slices.Concat(p.complete, p.groupsReady(want.SecurityGroups))
			c.Needs = p.succeeded(*want, lb)
			c.Why = "replaced by another one"
		}
		p.unprotect(&c)
		c.After = append(c.After, p.frees[lb.ARN]...)
		id := p.add(c)
		p.releaseGroups(lb.SecurityGroups, id)
		if p.have.LoadBalancer != nil && p.have.LoadBalancer.ARN == lb.ARN {
			for _, l := range p.have.Listeners {
				p.releaseCertificates(l.Certificates, id)
				p.releaseStore(l, id)
			}
		}
		for _, g := range p.have.TargetGroups {
			if slices.Contains(g.LoadBalancers, lb.ARN) {
				p.frees[g.ARN] = append(p.frees[g.ARN], id)
			}
		}
	}
}

// succeeded is what the deletion of a load balancer waits for: that the one in its place is active; of one that is replaced also that
// the targets of that are healthy, and that its time is over.
func (p *planner) succeeded(want, old model.LoadBalancer) []Need {
	active := Need{Key: loadBalancerKey(want), ARN: p.keepARN(), State: StateActive}
	if p.opts.Met == nil || p.front || fits(want, old) {
		return []Need{active}
	}
	retired := Need{Key: model.Key{Kind: model.KindLoadBalancer, ID: old.Name}, ARN: old.ARN, State: StateRetired}
	if met, _ := p.opts.Met(retired); met {
		return []Need{active}
	}
	return slices.Concat([]Need{active}, p.healthy(old), []Need{retired})
}

// healthy is what is waited for of the target groups of a load balancer that takes the place of an old one: as many healthy targets as shall be
// there, or as serve behind that.
func (p *planner) healthy(old model.LoadBalancer) []Need {
	var needs []Need
	var served []model.ARN
	for _, g := range p.obsolete {
		if slices.Contains(g.LoadBalancers, old.ARN) {
			served = append(served, g.ARN)
		}
	}
	slices.Sort(served)
	for _, g := range p.want.TargetGroups {
		healthy := Need{Key: targetGroupKey(g.ID), ARN: p.currentARN(g.ID), State: StateHealthy, Instead: served}
		met, note := p.opts.Met(healthy)
		if note != "" {
			p.note(note)
		}
		if !met {
			needs = append(needs, healthy)
		}
	}
	return needs
}

func (p *planner) keepARN() model.ARN {
	if p.keep == nil {
		return ""
	}
	return p.keep.ARN
}

// suffixLength is the length of the hash at the end of a generated name.
const suffixLength = 10

// freeName is name where it is free, else name with another hash at its end, so that old and new stand side by side.
func freeName(name string, free func(string) bool) string {
	const longest = 32
	out := name
	for n := byte('1'); !free(out); n++ {
		sum := sha256.Sum256(append([]byte(name), n))
		suffix := hex.EncodeToString(sum[:])[:suffixLength]
		base := name
		if i := strings.LastIndexByte(name, '-'); i > 0 && len(name)-i-1 == suffixLength {
			base = name[:i]
		}
		base = strings.TrimRight(base[:min(len(base), longest-suffixLength-1)], "-")
		out = base + "-" + suffix
	}
	return out
}
