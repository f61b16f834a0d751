package plan_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// converges cuts a plan after every change, as a crash would, and checks that planning again ends in the same state, with
// nothing left behind and nothing made twice (invariants 1 and 2).
func converges(t *testing.T, want, have model.Stack, opts plan.Options) model.Stack {
	t.Helper()
	full := plan.Diff(want, have, opts)
	end := follow(t, have, full)
	for cut := range len(full.Changes) + 1 {
		s := have
		for _, c := range full.Changes[:cut] {
			var err error
			if s, err = plan.Step(s, c); err != nil {
				t.Fatal(err)
			}
		}
		for range 3 {
			s = follow(t, s, plan.Diff(want, s, opts))
		}
		if rest := plan.Diff(want, s, opts); !rest.Empty() {
			t.Errorf("cut after %d: still to do\n%s", cut, rest)
		}
		if diff := cmp.Diff(bare(end), bare(s)); diff != "" {
			t.Errorf("cut after %d of\n%s: another end: %s", cut, full, diff)
		}
	}
	return end
}

// bare leaves out what may differ between two ways to the same end: ARNs, priorities, and names that had to give way.
func bare(s model.Stack) map[string]string {
	s = model.Normalize(s)
	out := map[string]string{"stack": ""}
	for i := range s.TargetGroups {
		s.TargetGroups[i].Name = ""
	}
	if s.LoadBalancer != nil {
		lb := *s.LoadBalancer
		lb.Name = ""
		s.LoadBalancer = &lb
	}
	out["hash"] = model.HashOf(s)
	out["text"] = strings.Join([]string{names(s)}, "\n")
	return out
}

func names(s model.Stack) string {
	var out []string
	for _, lb := range s.Leftovers {
		out = append(out, "leftover "+lb.Scheme)
	}
	for _, g := range s.TargetGroups {
		out = append(out, "group "+g.ID)
	}
	return strings.Join(out, ", ")
}

func TestStack(t *testing.T) {
	for _, c := range slices.Concat(resourceCases(), listenerCases(), acceptedCases()) {
		t.Run(c.why, func(t *testing.T) {
			want := shop()
			c.edit(&want)
			have := built(t, shop())
			p := plan.Diff(want, have, c.opts)
			if diff := cmp.Diff(c.ops, ops(p)); diff != "" {
				t.Errorf("%s\n%s", diff, p)
			}
			if !strings.Contains(strings.Join(p.Notes, "\n"), c.note) || c.note == "" && len(p.Notes) > 0 {
				t.Errorf("notes %q", p.Notes)
			}
			converges(t, want, have, c.opts)
			converges(t, model.Stack{Owner: owner()}, follow(t, have, p), plan.Options{})
		})
	}
}

func TestFirstPlanConverges(t *testing.T) {
	converges(t, shop(), model.Stack{Owner: owner()}, plan.Options{})
}

func TestOrderOfInputDoesNotMatter(t *testing.T) {
	have := built(t, shop())
	want := shop()
	slices.Reverse(want.Listeners)
	slices.Reverse(want.TargetGroups)
	slices.Reverse(want.LoadBalancer.Subnets)
	slices.Reverse(want.LoadBalancer.SecurityGroups)
	if p := plan.Diff(want, have, plan.Options{}); !p.Empty() {
		t.Errorf("invariant 10: %s", p)
	}
	first := plan.Diff(shop(), model.Stack{Owner: owner()}, plan.Options{})
	if second := plan.Diff(want, model.Stack{Owner: owner()}, plan.Options{}); first.Hash() != second.Hash() {
		t.Errorf("invariant 10: %s\n%s", first, second)
	}
}

func protect(s *model.Stack) {
	s.LoadBalancer.Attributes = map[string]string{"deletion_protection.enabled": "true"}
}

func TestProtectedLoadBalancerStays(t *testing.T) {
	s := shop()
	protect(&s)
	have := built(t, s)
	for why, want := range map[string]model.Stack{"nothing is wanted": {Owner: owner()}, "another scheme is wanted": func() model.Stack {
		w := shop()
		w.LoadBalancer.Scheme = "internet-facing"
		return w
	}()} {
		p := plan.Diff(want, have, plan.Options{})
		if calls(p)[plan.DeleteLoadBalancer] > 0 || !strings.Contains(strings.Join(p.Notes, ""), "deletion protection") {
			t.Errorf("invariant 5: %s, and the plan is\n%s", why, p)
		}
		end := follow(t, have, p)
		if n := len(end.TargetGroups) - len(want.TargetGroups); n != 2 {
			t.Errorf("%s: its target groups are in use and stay: %d did\n%s", why, n, p)
		}
		if rest := plan.Diff(want, end, plan.Options{}); !rest.Empty() {
			t.Errorf("%s: invariant 1: %s", why, rest)
		}
	}
}

func TestReplacedLoadBalancerIsDeletedWhenTheNewOneIsActive(t *testing.T) {
	have := built(t, shop())
	old := have.LoadBalancer.ARN
	want := shop()
	want.LoadBalancer.Scheme = "internet-facing"
	p := plan.Diff(want, have, plan.Options{})
	i := slices.IndexFunc(p.Changes, func(c plan.Change) bool { return c.Op == plan.DeleteLoadBalancer })
	c := p.Changes[i]
	needs := []plan.Need{{Key: model.Key{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}, State: plan.StateActive}}
	if diff := cmp.Diff(needs, c.Needs); diff != "" {
		t.Error(diff)
	}
	for _, before := range p.Changes[:i] {
		if before.Op != plan.CreateTargetGroup && !slices.Contains(c.After, before.ID) {
			t.Errorf("the old one may go before %s of %s", before.Op, before.Key)
		}
	}
	kept := plan.Diff(want, have, plan.Options{Keep: []model.ARN{old}})
	if n := calls(kept); n[plan.DeleteLoadBalancer]+n[plan.DeleteTargetGroup] > 0 {
		t.Errorf("its time is not over, and the plan is\n%s", kept)
	}
	both := follow(t, have, kept)
	if p := plan.Diff(want, both, plan.Options{Keep: []model.ARN{old}}); !p.Empty() {
		t.Errorf("invariant 1: %s", p)
	}
	back := plan.Diff(shop(), both, plan.Options{})
	if diff := cmp.Diff([]plan.Op{plan.DeleteLoadBalancer}, ops(back)); diff != "" || !back.Again || back.Changes[0].ARN == old {
		t.Errorf("the first one is wanted again: %s\n%s", diff, back)
	}
	if !strings.Contains(back.Text(), "this is not all") {
		t.Errorf("a reader must know that there is more:\n%s", back)
	}
}

func TestDuplicatesGo(t *testing.T) {
	have := built(t, shop())
	twin := *have.LoadBalancer
	twin.ARN, twin.Name = "twin", "twin"
	have.Leftovers = []model.LoadBalancer{twin}
	copied := have.TargetGroups[0]
	copied.ARN, copied.Name, copied.LoadBalancers = "aaa", "copy", nil
	have.TargetGroups = append(have.TargetGroups, copied)
	p := plan.Diff(shop(), have, plan.Options{})
	if diff := cmp.Diff([]plan.Op{plan.DeleteLoadBalancer, plan.DeleteTargetGroup}, ops(p)); diff != "" {
		t.Fatalf("%s\n%s", diff, p)
	}
	if p.Changes[0].ARN != "twin" || p.Changes[1].ARN != "aaa" {
		t.Errorf("what is in use stays:\n%s", p)
	}
	converges(t, shop(), have, plan.Options{})
}

func TestLoneLeftoverIsTheLoadBalancer(t *testing.T) {
	have := built(t, shop())
	have.Leftovers, have.LoadBalancer = []model.LoadBalancer{*have.LoadBalancer}, nil
	if p := plan.Diff(shop(), have, plan.Options{}); !p.Empty() {
		t.Errorf("made twice: %s", p)
	}
}

func TestForeignGroupsOfTheClusterStack(t *testing.T) {
	cluster := model.Owner{Cluster: "c1"}
	mark := func(from, to int) model.Permission {
		return model.Permission{
			Protocol: "tcp", FromPort: from, ToPort: to, Source: model.GroupRef{Key: model.ResourceBackendSecurityGroup},
			Description: model.PermissionMark,
		}
	}
	want := model.Stack{Owner: cluster, SecurityGroups: []model.SecurityGroup{
		{ID: model.ResourceBackendSecurityGroup, Name: "k8s-traffic-c1", Tags: map[string]string{model.TagCluster: "c1"}},
		{ID: "sg-pods", Foreign: true, Ingress: []model.Permission{mark(8080, 8080)}},
	}}
	have := model.Stack{Owner: cluster, SecurityGroups: []model.SecurityGroup{
		{ID: "sg-pods", ARN: "sg-pods", Foreign: true, Ingress: []model.Permission{
			mark(9090, 9090), {Protocol: "tcp", FromPort: 22, ToPort: 22, CIDR: "10.0.0.0/8", Description: "theirs"},
		}},
		{ID: "sg-old", ARN: "sg-old", Foreign: true, Ingress: []model.Permission{mark(1, 2)}},
	}}
	p := plan.Diff(want, have, plan.Options{})
	ours := []plan.Op{plan.CreateSecurityGroup, plan.AuthorizeIngress, plan.RevokeIngress, plan.RevokeIngress}
	if diff := cmp.Diff(ours, ops(p)); diff != "" {
		t.Fatalf("%s\n%s", diff, p)
	}
	if !slices.Contains(p.Changes[1].After, 1) {
		t.Error("a permission waits for the group that is its source")
	}
	end := converges(t, want, have, plan.Options{})
	if diff := cmp.Diff(1, strings.Count(plan.Diff(model.Stack{Owner: cluster}, end, plan.Options{}).Text(), "DeleteSecurityGroup")); diff != "" {
		t.Errorf("only the owned group is deleted, after its uses: %s", diff)
	}
	converges(t, model.Stack{Owner: cluster}, end, plan.Options{})
	if p := plan.Diff(model.Stack{Owner: cluster}, end, plan.Options{AuthoriseOnly: true}); !p.Empty() {
		t.Errorf("withdrawn too early: %s", p)
	}
}

func TestUDPAndTCPOfOnePortAreTwoListeners(t *testing.T) {
	s := shop()
	s.LoadBalancer.Type, s.Listeners = "network", []model.Listener{{Port: 53, Protocol: "TCP", DefaultActions: forward("shop/web:80")}}
	have := built(t, s)
	s.Listeners = []model.Listener{{Port: 53, Protocol: "UDP", DefaultActions: forward("shop/web:80")}}
	p := plan.Diff(s, have, plan.Options{})
	if diff := cmp.Diff([]plan.Op{plan.DeleteListener, plan.CreateListener}, ops(p)); diff != "" || len(p.Changes[1].After) == 0 {
		t.Errorf("the port is free only when the old one is gone: %s\n%s", diff, p)
	}
	converges(t, s, have, plan.Options{})
}

func TestNamesGiveWay(t *testing.T) {
	s := shop()
	s.LoadBalancer.Name, s.LoadBalancer.NameGiven = "given-by-a-user-with-many-letter", true
	have := built(t, s)
	s.LoadBalancer.Scheme = "internet-facing"
	p := plan.Diff(s, have, plan.Options{})
	name := p.Changes[0].LoadBalancer.Name
	if name == s.LoadBalancer.Name || len(name) > 32 || strings.Contains(name, "--") {
		t.Errorf("two load balancers cannot have one name: %q", name)
	}
	for _, c := range p.Changes {
		if c.Op == plan.CreateTargetGroup && slices.ContainsFunc(have.TargetGroups, func(g model.TargetGroup) bool { return g.Name == c.TargetGroup.Name }) {
			t.Errorf("two target groups cannot have one name: %q", c.TargetGroup.Name)
		}
	}
}

func TestTaglessObservationComparesNoTags(t *testing.T) {
	have := built(t, shop())
	have.Tagless = true
	for i := range have.Listeners {
		have.Listeners[i].Tags = nil
	}
	want := shop()
	want.Listeners[0].Rules[0].Tags["team"] = "new"
	if p := plan.Diff(want, have, plan.Options{}); !p.Empty() {
		t.Errorf("tags that were not read count as equal: %s", p)
	}
}

func TestApplied(t *testing.T) {
	applied := plan.AppliedOf(shop())
	want := map[string]string{"team": "shop"}
	lb := applied[model.Key{Kind: model.KindLoadBalancer, ID: "LoadBalancer"}]
	if diff := cmp.Diff(want, lb.Tags); diff != "" {
		t.Errorf("ownership is never taken back: %s", diff)
	}
	if diff := cmp.Diff(shop().LoadBalancer.Attributes, lb.Attributes); diff != "" {
		t.Error(diff)
	}
	if _, ok := applied[model.Key{Kind: model.KindTargetGroup, ID: "shop/web:80"}]; ok {
		t.Error("nothing was set, so nothing is remembered")
	}
}
