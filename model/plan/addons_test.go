package plan_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// with is shop with add-ons.
func with(addons map[model.Addon]string) model.Stack {
	s := shop()
	s.LoadBalancer.Addons = addons
	return s
}

func all() map[model.Addon]string {
	return map[model.Addon]string{
		model.AddonWebACL: "arn:acl", model.AddonClassicWebACL: "acl-1", model.AddonProtection: model.ProtectionName,
		model.AddonCapacity: "100", model.AddonIPAMPool: "ipam-pool-1",
	}
}

// addonCalls are the ops of the plan's changes about add-ons.
func addonCalls(p plan.Plan) []string {
	out := []string{}
	for _, c := range p.Changes {
		if c.Addon != "" {
			out = append(out, string(c.Op)+" "+string(c.Addon)+"="+c.Value)
		}
	}
	return out
}

func TestAddons(t *testing.T) {
	full := all()
	set := []string{
		"AssociateWebACL webACL=arn:acl", "AssociateWebACL classicWebACL=acl-1", "CreateProtection protection=" + model.ProtectionName,
		"ModifyCapacityReservation capacityUnits=100",
	}
	reset := []string{
		"ModifyIpPools ipamPool=", "DeleteProtection protection=", "ModifyCapacityReservation capacityUnits=", "DisassociateWebACL webACL=",
		"DisassociateWebACL classicWebACL=",
	}
	none := map[model.Addon]string{}
	for a := range full {
		none[a] = ""
	}
	for _, row := range []struct {
		why        string
		have, want map[model.Addon]string
		before     map[model.Addon]string
		calls      []string
	}{
		{"they are set", nil, full, nil, slices.Concat([]string{"ModifyIpPools ipamPool=ipam-pool-1"}, set)},
		{"they are there", full, full, nil, []string{}},
		{"nobody asks, and somebody else set them", full, nil, nil, []string{}},
		{"nobody asks any more", full, nil, full, reset},
		{"nobody asks any more, and they are gone", nil, nil, full, []string{}},
		{"none are asked for", full, none, nil, reset},
		{"none are asked for, and there are none", nil, none, nil, []string{}},
		{"one is changed", full, map[model.Addon]string{model.AddonWebACL: "arn:b"}, nil, []string{"AssociateWebACL webACL=arn:b"}},
		{"a protection protects by any name", map[model.Addon]string{model.AddonProtection: "by hand"},
			map[model.Addon]string{model.AddonProtection: model.ProtectionName}, nil, []string{}},
		{"somebody's protection stays", map[model.Addon]string{model.AddonProtection: "by hand"},
			map[model.Addon]string{model.AddonProtection: ""}, full, []string{}},
	} {
		t.Run(row.why, func(t *testing.T) {
			have := built(t, shop())
			have.LoadBalancer.Addons = row.have
			opts := plan.Options{Applied: plan.AppliedOf(with(row.before))}
			p := plan.Diff(with(row.want), have, opts)
			if diff := cmp.Diff(row.calls, addonCalls(p)); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			converges(t, with(row.want), have, opts)
		})
	}
	p := plan.Diff(with(full), model.Stack{Owner: owner()}, plan.Options{})
	if diff := cmp.Diff(set, addonCalls(p)); diff != "" {
		t.Errorf("calls of a creation, of which the IP pool is a part (-want +got):\n%s", diff)
	}
	converges(t, with(full), model.Stack{Owner: owner()}, plan.Options{})
}

// reaches tells whether a change comes after all of others.
func reaches(p plan.Plan, c plan.Change, others []plan.Change) bool {
	before := map[int]bool{}
	var visit func(plan.Change)
	visit = func(c plan.Change) {
		for _, id := range c.After {
			before[id] = true
			visit(p.Changes[id-1])
		}
	}
	visit(c)
	return !slices.ContainsFunc(others, func(o plan.Change) bool { return !before[o.ID] })
}

func of(p plan.Plan, ops ...plan.Op) []plan.Change {
	return slices.DeleteFunc(slices.Clone(p.Changes), func(c plan.Change) bool { return !slices.Contains(ops, c.Op) })
}

// TestNothingNewIsServedWithoutItsFirewall: neither on a new load balancer nor on one that had none.
func TestNothingNewIsServedWithoutItsFirewall(t *testing.T) {
	want := with(map[model.Addon]string{model.AddonWebACL: "arn:acl"})
	more := want
	more.Listeners = slices.Clone(want.Listeners)
	more.Listeners[0].Rules = append(slices.Clone(more.Listeners[0].Rules), rule(fixed("200"), host("new.example.com")))
	more.Listeners[1].DefaultActions = fixed("200")
	more.Listeners = append(more.Listeners, model.Listener{Port: 8080, Protocol: "HTTP", DefaultActions: fixed("200")})
	for why, have := range map[string]model.Stack{"new": {Owner: owner()}, "old": built(t, shop())} {
		p := plan.Diff(more, have, plan.Options{})
		guards := of(p, plan.AssociateWebACL)
		opening := of(p, plan.CreateListener, plan.CreateRule, plan.ModifyListener)
		if len(guards) != 1 || len(opening) < 3 || len(guards[0].Needs) == 0 {
			t.Fatalf("%s: the plan is not the case:\n%s", why, p)
		}
		for _, c := range opening {
			if !reaches(p, c, guards) {
				t.Errorf("%s: %s of %s does not wait for the firewall", why, c.Op, c.Key)
			}
		}
	}
	have := built(t, want)
	p := plan.Diff(more, have, plan.Options{})
	if len(of(p, plan.AssociateWebACL)) > 0 {
		t.Errorf("it is there already:\n%s", p)
	}
	gone := with(map[model.Addon]string{model.AddonWebACL: ""})
	gone.Listeners = gone.Listeners[:1]
	gone.Listeners[0].Rules = gone.Listeners[0].Rules[:1]
	p = plan.Diff(gone, have, plan.Options{})
	for _, c := range of(p, plan.DisassociateWebACL) {
		if !reaches(p, c, of(p, plan.DeleteRule, plan.DeleteListener)) {
			t.Errorf("the firewall goes before what it protects:\n%s", p)
		}
	}
	if len(of(p, plan.DeleteRule, plan.DeleteListener)) != 2 || len(of(p, plan.DisassociateWebACL)) != 1 {
		t.Fatalf("the plan is not the case:\n%s", p)
	}
}

// TestIPPoolAndAddressType: AWS does not take a pool together with an address type that has no public IPv4 addresses.
func TestIPPoolAndAddressType(t *testing.T) {
	pooled := with(map[model.Addon]string{model.AddonIPAMPool: "ipam-pool-1"})
	poolless := with(map[model.Addon]string{model.AddonIPAMPool: ""})
	poolless.LoadBalancer.IPAddressType = "dualstack-without-public-ipv4"
	for _, row := range []struct {
		have, want model.Stack
		ops        []plan.Op
	}{
		{pooled, poolless, []plan.Op{plan.ModifyIPPools, plan.SetIPAddressType}},
		{poolless, pooled, []plan.Op{plan.SetIPAddressType, plan.ModifyIPPools}},
	} {
		p := plan.Diff(row.want, built(t, row.have), plan.Options{})
		var got []plan.Op
		for _, c := range p.Changes {
			got = append(got, c.Op)
		}
		if diff := cmp.Diff(row.ops, got); diff != "" || !reaches(p, p.Changes[1], p.Changes[:1]) {
			t.Errorf("calls (-want +got):\n%s\n%s", diff, p)
		}
	}
}

// TestProtectionGoesWithItsLoadBalancer: AWS keeps a protection of what is gone.
func TestProtectionGoesWithItsLoadBalancer(t *testing.T) {
	have := built(t, with(all()))
	replaced := with(all())
	replaced.LoadBalancer.Scheme = "internet-facing"
	for why, want := range map[string]model.Stack{"deleted": {Owner: owner()}, "replaced": replaced} {
		p := plan.Diff(want, have, plan.Options{})
		gone, protections := of(p, plan.DeleteLoadBalancer), of(p, plan.DeleteProtection)
		if len(gone) != 1 || len(protections) != 1 || !reaches(p, gone[0], protections) || protections[0].ARN != have.LoadBalancer.ARN {
			t.Errorf("%s:\n%s", why, p)
		}
		if diff := cmp.Diff(gone[0].Needs, protections[0].Needs); diff != "" {
			t.Errorf("%s: the old one is protected as long as it serves: %s", why, diff)
		}
		converges(t, want, have, plan.Options{})
	}
	have.LoadBalancer.Addons[model.AddonProtection] = "by hand"
	if p := plan.Diff(model.Stack{Owner: owner()}, have, plan.Options{}); len(of(p, plan.DeleteProtection)) > 0 {
		t.Errorf("somebody else's is deleted:\n%s", p)
	}
}
