package stack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// badPath makes the build find the member wrong.
func badPath(f *intent.Fragment) {
	f.Routes[0].Match.Paths = []intent.Path{{Kind: intent.PathExact, Value: strings.Repeat("x", 500)}}
}

// elsewhere is another host for the same Service.
func elsewhere(host string) func(*intent.Fragment) {
	return func(f *intent.Fragment) { f.Routes[0].Match.Hosts = []string{host} }
}

func secure(certificates ...string) func(*intent.Fragment) {
	return func(f *intent.Fragment) {
		l := intent.Listener{Port: 443, Protocol: "HTTPS", Certificates: certificates, Field: "certificate-arn"}
		if len(certificates) == 0 {
			l.DiscoverHosts = f.Routes[0].Match.Hosts
		}
		f.Listeners, f.Routes[0].Ports = []intent.Listener{l}, []int{443}
	}
}

const (
	serveA = "a.example.com shop/a-svc:80"
	serveB = "b.example.com shop/b-svc:80"
)

func TestWrongMemberKeepsItsLastGoodRules(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why string
		// req is what the group says once member a is wrong and b has another host.
		req stack.Request
	}{
		{"a mistake that the front door finds", wrong(request(member("a", elsewhere("broken.example.com")), member("b", elsewhere("new.example.com"))), "spec.rules[0]")},
		{"a mistake that the build finds", request(member("a", badPath), member("b", elsewhere("new.example.com")))},
		{"a certificate that is missing", request(member("a", secure()), member("b", elsewhere("new.example.com")))},
		{"a setting that conflicts", request(member("b", elsewhere("new.example.com")), member("a", func(f *intent.Fragment) {
			f.Listeners[0].Protocol, f.Listeners[0].Certificates = "HTTPS", []string{"arn:aws:acm:eu-west-1:1:certificate/c"}
		}))},
	} {
		w := newWorld(t)
		w.settle(request(member("a"), member("b")))
		res := w.settle(c.req)
		want := []string{serveA, "new.example.com shop/b-svc:80"}
		got := w.answers()
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("invariant 3: %s: a keeps its rules and the change of b lands: %s", c.why, diff)
		}
		i := slices.IndexFunc(res.Serving, func(s stack.Serving) bool { return s.Member == ref("a") })
		if a := res.Serving[i]; !a.Held || len(a.Problems) == 0 {
			t.Errorf("invariant 8: %s: a is told: %+v", c.why, a)
		}
		if b := res.Serving[1-i]; b.Held || len(b.Problems) > 0 {
			t.Errorf("invariant 3: %s: b is blamed: %+v", c.why, b)
		}
		w.restart()
		w.quiet("invariant 3: "+c.why+": over a restart", func() { w.run(c.req) })
	}
}

func TestNewcomerOfSmallerOrderChangesNoPort(t *testing.T) {
	t.Parallel()
	admit := func(cidr string) func(*intent.Fragment) {
		return func(f *intent.Fragment) { f.Listeners[0].InboundCIDRs = []string{cidr} }
	}
	w := newWorld(t)
	w.settle(request(member("b", admit("10.0.0.0/8"))))
	open := request(member("a", admit("0.0.0.0/0")), member("b", admit("10.0.0.0/8")))
	res := w.settle(open)
	for _, g := range w.aws.stacks[owner()].SecurityGroups {
		if slices.ContainsFunc(g.Ingress, everybody) {
			t.Errorf("invariant 3: a newcomer opened its neighbour's port: %+v", g.Ingress)
		}
	}
	i := slices.IndexFunc(res.Serving, func(s stack.Serving) bool { return s.Member == ref("a") })
	if len(res.Serving[i].Problems) == 0 {
		t.Error("invariant 8: the newcomer is not told")
	}
	w.restart()
	writes := len(w.aws.writes)
	w.run(open)
	if got := w.aws.writes[writes:]; len(got) > 0 {
		t.Errorf("invariant 3: a restart changes who counts: %v", got)
	}
}

func TestWrongMemberIsMended(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.settle(request(member("a", badPath), member("b")))
	w.settle(request(member("a", elsewhere("mended.example.com")), member("b")))
	if diff := cmp.Diff([]string{"mended.example.com shop/a-svc:80", serveB}, w.answers()); diff != "" {
		t.Error(diff)
	}
}

func TestDeletionDoesNotWaitForANeighboursMistake(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	w.settle(request(member("a", badPath)))
	if diff := cmp.Diff([]string{serveA}, w.answers()); diff != "" {
		t.Errorf("invariant 3: %s", diff)
	}
}

func TestMemberThatNeverWasGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	// Both ask for the same host; a comes first in the group.
	shared := elsewhere("shop.example.com")
	req := wrong(request(member("a", shared), member("b", shared), member("c")), "spec.rules[0]")
	res := w.settle(req)
	want := []string{"shop.example.com shop/b-svc:80", "c.example.com shop/c-svc:80", "shop.example.com 503"}
	if diff := cmp.Diff(want, w.answers()); diff != "" {
		t.Errorf("it answers 503 where it shadows nobody: %s", diff)
	}
	if res.Serving[0].Held {
		t.Error("there is no last good state that could serve")
	}
}

func TestClosedMemberRestrictsNobodyElse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	restricted := func(f *intent.Fragment) { f.Listeners[0].InboundCIDRs = []string{"not a range"} }
	w.settle(request(member("a", restricted), member("b")))
	for _, g := range w.aws.stacks[owner()].SecurityGroups {
		if !slices.ContainsFunc(g.Ingress, everybody) {
			t.Errorf("invariant 3: port 80 admits %v, for a mistake of another", g.Ingress)
		}
	}
}

func TestLastGoodThatNoLongerBuildsKeepsItsObservedRules(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.certificates = []model.Certificate{{ARN: "arn:aws:acm:eu-west-1:1:certificate/a", Domains: []string{"a.example.com"}}}
	narrow := func(f *intent.Fragment) { f.Listeners[0].InboundCIDRs = []string{"10.0.0.0/8"} }
	w.settle(request(member("a", secure(), narrow), member("b")))
	before := w.aws.stacks[owner()]

	w.aws.certificates = nil
	w.settle(request(member("a", secure(), narrow), member("b", elsewhere("new.example.com"))))
	after := w.aws.stacks[owner()]
	if diff := cmp.Diff([]string{"new.example.com shop/b-svc:80", serveA}, w.answers()); diff != "" {
		t.Errorf("invariant 3: %s", diff)
	}
	if diff := cmp.Diff(before.Listeners[1], after.Listeners[1]); diff != "" {
		t.Errorf("the listener of the member whose certificate is missing changed: %s", diff)
	}
	if diff := cmp.Diff(before.SecurityGroups[0].Ingress, after.SecurityGroups[0].Ingress); diff != "" {
		t.Errorf("invariant 8: who may connect changed because of a mistake: %s", diff)
	}
	w.restart()
	writes := len(w.aws.writes)
	w.run(request(member("a", secure(), narrow), member("b", elsewhere("new.example.com"))))
	if got := w.aws.writes[writes:]; len(got) > 0 {
		t.Errorf("invariant 3: over a restart %v was written", got)
	}
}

// The front door is asked about an observed rule with the addresses that it serves.
func TestObservedRuleIsPermittedByItsSources(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	office := func(f *intent.Fragment) { f.Routes[0].Match.SourceIPs = []string{"10.1.0.0/16"} }
	w.settle(request(member("a", office), member("b")))
	w.lose()
	w.restart()
	broken := wrong(request(member("a", elsewhere("broken.example.com")), member("b")), "spec.rules[0]")
	var asked []string
	broken.Permit = func(f intent.Fragment) intent.Fragment {
		for _, r := range f.Routes {
			asked = append(asked, r.Match.SourceIPs...)
		}
		return f
	}
	w.settle(broken)
	if !slices.Contains(asked, "10.1.0.0/16") {
		t.Errorf("invariant 8: the front door was asked about %v", asked)
	}
}

func TestLostStateAndWrongMember(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	public := func(f *intent.Fragment) { f.Settings.Scheme = "internet-facing" }
	w.settle(request(member("a", public), member("b")))
	arn := w.aws.stacks[owner()].LoadBalancer.ARN
	w.lose()
	w.restart()
	// What a asked for is not known any more: neither its host nor that the load balancer is public.
	broken := wrong(request(member("a", elsewhere("broken.example.com")), member("b")), "spec.rules[0]")
	broken.Intent.Fragments[0].Settings = intent.Settings{}
	res := w.settle(broken)
	if diff := cmp.Diff([]string{serveA, serveB}, w.answers()); diff != "" {
		t.Errorf("the observed rules stay in their place: %s", diff)
	}
	if lb := w.aws.stacks[owner()].LoadBalancer; lb.ARN != arn || lb.Scheme != "internet-facing" {
		t.Errorf("invariant 7: the load balancer is another one: %+v", lb)
	}
	if !res.Serving[0].Held {
		t.Error("its observed rules serve")
	}
}

func TestDefaultBackendOfAWrongMemberStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	byDefault := func(f *intent.Fragment) {
		f.Listeners[0].Default = &intent.Route{Ports: []int{80}, Forward: f.Routes[0].Forward, Field: "spec.defaultBackend"}
		f.Routes = nil
	}
	public := func(f *intent.Fragment) { f.Settings.Scheme = "internet-facing" }
	w.settle(request(member("a", byDefault, public), member("b")))
	w.lose()
	w.restart()
	w.settle(wrong(request(member("a", byDefault), member("b")), "tags"))
	if got := w.aws.stacks[owner()].LoadBalancer.Scheme; got != "internet-facing" {
		t.Errorf("invariant 7: what a asked for is not known, and the load balancer is %s now", got)
	}
	listener := w.aws.stacks[owner()].Listeners[0]
	if f := listener.DefaultActions[0].Forward; f == nil || f.Groups[0].Key != "shop/a-svc:80" {
		t.Errorf("invariant 3: the default answer is now %+v", listener.DefaultActions)
	}
}

func TestSecurityGroupThatIsGoneOpensNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.aws.groups = map[string][]string{"office": {"sg-office"}}
	office := func(f *intent.Fragment) {
		f.Settings.SecurityGroups = []string{"office"}
		f.Settings.Fields = map[string]string{"securityGroups": "alb.ingress.kubernetes.io/security-groups"}
	}
	w.settle(request(member("a", office), member("b")))
	w.aws.groups = nil
	res := w.settle(request(member("a", office), member("b", elsewhere("new.example.com"))))
	if diff := cmp.Diff([]model.GroupRef{{ID: "sg-office"}}, w.aws.stacks[owner()].LoadBalancer.SecurityGroups); diff != "" {
		t.Errorf("invariant 8: the load balancer is guarded otherwise than before: %s", diff)
	}
	if diff := cmp.Diff([]string{serveA, "new.example.com shop/b-svc:80"}, w.answers()); diff != "" {
		t.Errorf("invariant 3: %s", diff)
	}
	if len(res.Serving[0].Problems) == 0 {
		t.Error("invariant 8: nobody is told")
	}
}

func TestConflictWithAMistakeIsNone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("b")))
	// a comes first and takes port 80 for HTTPS, with a certificate that does not exist: port 80 is b's.
	greedy := func(f *intent.Fragment) {
		f.Listeners[0].Protocol, f.Listeners[0].Certificates = "HTTPS", []string{"no certificate"}
	}
	res := w.settle(request(member("a", greedy), member("b", elsewhere("new.example.com"))))
	if b := res.Serving[1]; b.Held || len(b.Problems) > 0 {
		t.Errorf("invariant 3: b is blamed for what a got wrong: %+v", b)
	}
	if got := w.answers(); !slices.Contains(got, "new.example.com shop/b-svc:80") {
		t.Errorf("invariant 3: the change of b did not land: %v", got)
	}
}

func TestNewObjectOfTheSameNameInheritsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	successor := func(f *intent.Fragment) { badPath(f); f.Member.UID = "another" }
	res := w.settle(request(member("a", successor, elsewhere("successor.example.com")), member("b")))
	if res.Serving[0].Member.UID != "another" {
		t.Fatal(res.Serving)
	}
	for _, f := range w.stored() {
		if f == "Ingress/shop/a" {
			t.Error("the fragment of the object that was deleted is still kept")
		}
	}
}

func TestWithdrawnPermissionIsNotKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.settle(request(member("a"), member("b")))
	req := request(member("a", badPath), member("b"))
	req.Permit = func(f intent.Fragment) intent.Fragment {
		f.Routes = slices.Clone(f.Routes)
		for i := range f.Routes {
			f.Routes[i].Forward, f.Routes[i].Fixed = nil, &intent.Fixed{StatusCode: 500}
		}
		return f
	}
	w.settle(req)
	if diff := cmp.Diff([]string{"a.example.com 500", serveB}, w.answers()); diff != "" {
		t.Errorf("the last good rule forwards to what is forbidden now: %s", diff)
	}
}

// everybody may reach port 80.
func everybody(p model.Permission) bool { return p.CIDR == "0.0.0.0/0" && p.FromPort == 80 }

// TestEveryMistakeLeavesNeighboursAlone breaks the first or the last member of three in every way.
func TestEveryMistakeLeavesNeighboursAlone(t *testing.T) {
	t.Parallel()
	names := []string{"a", "b", "c"}
	breaks := map[string]func(*intent.Fragment){
		"path": badPath, "certificate": secure(), "arn": secure("no"), "ranges": func(f *intent.Fragment) { f.Listeners[0].InboundCIDRs = []string{"x"} },
		"scheme": func(f *intent.Fragment) { f.Settings.Scheme = "public" }, "name": func(f *intent.Fragment) { f.Settings.Name = "-" },
		"groups":  func(f *intent.Fragment) { f.Settings.SecurityGroups = []string{"absent"} },
		"subnets": func(f *intent.Fragment) { f.Settings.Subnets = []string{"absent"} },
		"tags":    func(f *intent.Fragment) { f.Settings.Tags = map[string]string{"aws:x": "y"} },
		"health": func(f *intent.Fragment) {
			f.Routes[0].Forward.Backends[0].Service.Group.HealthCheck.IntervalSeconds = 1
		},
		"action": func(f *intent.Fragment) { f.Routes[0].Forward = nil },
		"port":   func(f *intent.Fragment) { f.Listeners[0].Port = 0 },
	}
	for what, breaking := range breaks {
		for _, broken := range []int{0, 2} {
			mistake{what: what, names: names, broken: broken, breaking: breaking}.check(t, newWorld(t), "known")
			mistake{what: what, names: names, broken: broken, breaking: breaking, isNew: true}.check(t, newWorld(t), "new")
		}
	}
}

// mistake is one member of several that is wrong.
type mistake struct {
	what     string
	names    []string
	broken   int
	breaking func(*intent.Fragment)
	// isNew: the member never was good.
	isNew bool
}

func (m mistake) check(t *testing.T, w *world, kind string) {
	t.Helper()
	var good, bad []intent.Fragment
	for i, name := range m.names {
		if i == m.broken {
			bad = append(bad, member(name, m.breaking))
			if m.isNew {
				continue
			}
		} else {
			bad = append(bad, member(name, elsewhere("new-"+name+".example.com")))
		}
		good = append(good, member(name))
	}
	w.settle(request(good...))
	res := w.settle(request(bad...))
	for i, name := range m.names {
		host := "new-" + name
		if i == m.broken {
			host = name
		}
		rule := fmt.Sprintf("%s.example.com shop/%s-svc:80", host, name)
		if !slices.Contains(w.answers(), rule) && (i != m.broken || !m.isNew) {
			t.Errorf("invariant 3: %s of %s member %s is wrong: %q is missing from %v", m.what, kind, m.names[m.broken], rule, w.answers())
		}
		if told := len(res.Serving[i].Problems) > 0; told != (i == m.broken) {
			t.Errorf("invariants 3 and 8: %s of %s member %s is wrong, and %s is told %v", m.what, kind, m.names[m.broken], name, res.Serving[i].Problems)
		}
	}
	for _, g := range w.aws.stacks[owner()].SecurityGroups {
		if !slices.ContainsFunc(g.Ingress, everybody) {
			t.Errorf("invariant 3: %s of %s member is wrong, and the load balancer admits %v", m.what, kind, g.Ingress)
		}
	}
}

// TestLostStateAndLostRanges: a class said who may connect, and is gone when the operator begins to serve.
func TestLostStateAndLostRanges(t *testing.T) {
	t.Parallel()
	admit := func(f *intent.Fragment) { f.Listeners[0].InboundCIDRs = []string{"10.0.0.0/8"} }
	w := newWorld(t)
	w.settle(request(member("a", admit), member("b", admit)))
	w.lose()
	w.restart()
	broken := request(member("a"), member("b"))
	for _, name := range []string{"a", "b"} {
		broken.Findings = append(broken.Findings, model.Finding{
			Object: ref(name), Severity: model.Wrong, Reason: "InvalidClassParams", Field: "spec.ingressClassName", Message: "its parameters are gone",
		})
	}
	w.settle(broken)
	for _, g := range w.aws.stacks[owner()].SecurityGroups {
		if slices.ContainsFunc(g.Ingress, everybody) {
			t.Errorf("invariant 8: what the class restricted is open: %+v", g.Ingress)
		}
	}
}
