package plan

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
)

// addons plans the add-ons of the load balancer, but for those whose order counts: IP pools go with the address type, and web ACLs are
// taken away when all that they protect is gone. maker is the change that creates the load balancer, 0 where it exists.
func (p *planner) addons(want, have model.LoadBalancer, maker int) {
	wanted := p.wantedAddons(want, have)
	for _, a := range model.Addons() {
		value, asked := wanted[a]
		if !asked || sameAddon(a, value, have.Addons[a]) {
			continue
		}
		c := addonChange(want, have, a, value)
		c.After = []int{maker}
		switch {
		case a == model.AddonIPAMPool || c.Op == DisassociateWebACL:
			continue
		case c.Op == AssociateWebACL || a == model.AddonCapacity:
			// AWS takes neither while a load balancer comes up.
			c.Needs = []Need{{Key: c.Key, ARN: have.ARN, State: StateActive}}
		}
		id := p.add(c)
		if c.Op == AssociateWebACL && have.Addons[a] == "" {
			p.guards = append(p.guards, id)
		}
	}
}

// unguard takes web ACLs away, after every change of what they protect.
func (p *planner) unguard() {
	if p.want.LoadBalancer == nil || p.keep == nil {
		return
	}
	want, have := *p.want.LoadBalancer, *p.keep
	wanted := p.wantedAddons(want, have)
	for _, a := range []model.Addon{model.AddonWebACL, model.AddonClassicWebACL} {
		if value, asked := wanted[a]; asked && value == "" && have.Addons[a] != "" {
			c := addonChange(want, have, a, "")
			c.After = slices.Concat(p.complete, p.guards)
			p.add(c)
		}
	}
}

// wantedAddons are the add-ons that somebody asks for, and those to reset: we set them, and nobody asks for them any more.
func (p *planner) wantedAddons(want, have model.LoadBalancer) map[model.Addon]string {
	out := map[model.Addon]string{}
	for _, a := range p.opts.Applied[loadBalancerKey(want)].Addons {
		if have.Addons[a] != "" {
			out[a] = ""
		}
	}
	maps.Copy(out, want.Addons)
	return out
}

// sameAddon tells whether an observed add-on is what is wanted. A protection is one by any name, and somebody else's stays.
func sameAddon(a model.Addon, want, have string) bool {
	if a == model.AddonProtection {
		return want != "" && have != "" || want == "" && !model.IsOurProtection(have)
	}
	return want == have
}

// addonChange is the call that gives an add-on its value.
func addonChange(want, have model.LoadBalancer, a model.Addon, value string) Change {
	op := map[model.Addon][2]Op{
		model.AddonWebACL:        {DisassociateWebACL, AssociateWebACL},
		model.AddonClassicWebACL: {DisassociateWebACL, AssociateWebACL},
		model.AddonProtection:    {DeleteProtection, CreateProtection},
		model.AddonCapacity:      {ModifyCapacityReservation, ModifyCapacityReservation},
		model.AddonIPAMPool:      {ModifyIPPools, ModifyIPPools},
	}[a]
	c := Change{Op: op[0], Action: Update, Key: loadBalancerKey(want), ARN: have.ARN, Addon: a, Value: value}
	if value != "" {
		c.Op = op[1]
	}
	c.Fields = []Field{{Name: string(a), Old: have.Addons[a], New: value}}
	return c
}

// poolFields are the pools that the addresses of a new load balancer come from, for print.
func poolFields(want model.LoadBalancer) []Field {
	var f fields
	f.asked(string(model.AddonIPAMPool), "", want.Addons[model.AddonIPAMPool])
	f.asked("customerOwnedPool", "", want.CustomerOwnedPool)
	return f
}

// withPool adds the change of the IP pool to those of subnets and address type: a pool goes before the address type that does not know
// it comes, and comes after it went.
func (p *planner) withPool(steps []Change, want, have model.LoadBalancer) []Change {
	value, asked := p.wantedAddons(want, have)[model.AddonIPAMPool]
	if !asked || value == have.Addons[model.AddonIPAMPool] {
		return steps
	}
	c := addonChange(want, have, model.AddonIPAMPool, value)
	if value == "" {
		return slices.Concat([]Change{c}, steps)
	}
	return append(steps, c)
}

// unprotect has the protection of a load balancer that is deleted go before it: AWS would keep it for ever, and nobody would find it.
func (p *planner) unprotect(deletion *Change) {
	if !model.IsOurProtection(deletion.LoadBalancer.Addons[model.AddonProtection]) {
		return
	}
	c := addonChange(*deletion.LoadBalancer, *deletion.LoadBalancer, model.AddonProtection, "")
	c.Key, c.After, c.Needs = deletion.Key, slices.Clone(deletion.After), slices.Clone(deletion.Needs)
	deletion.After = append(slices.Clone(deletion.After), p.add(c))
}

// addon gives an observed load balancer an add-on.
func (w *world) addon(c Change) error {
	for i, lb := range w.Leftovers {
		if lb.ARN == c.ARN {
			w.Leftovers = slices.Clone(w.Leftovers)
			w.Leftovers[i].Addons = model.WithAddon(lb.Addons, c.Addon, c.Value)
			return nil
		}
	}
	if w.LoadBalancer == nil {
		return errMissing
	}
	lb := *w.LoadBalancer
	lb.Addons = model.WithAddon(lb.Addons, c.Addon, c.Value)
	w.LoadBalancer = &lb
	return nil
}
