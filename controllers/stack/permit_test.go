package stack_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// twice is a member with a second rule, on port 81, to another Service.
func twice(f *intent.Fragment) {
	second := f.Routes[0]
	service := *second.Forward.Backends[0].Service
	service.ID, service.Name = "shop/a-other:80", "other"
	second.Ports, second.Match.Hosts = []int{81}, []string{"other.example.com"}
	second.Forward = &intent.Forward{Backends: []intent.Backend{{Weight: 1, Service: &service}}}
	f.Routes = append(f.Routes, second)
	f.Listeners = append(f.Listeners, intent.Listener{Port: 81, Protocol: "HTTP"})
}

// closing permits no route that closed says.
func closing(closed func(intent.Route) bool) func(intent.Fragment) intent.Fragment {
	return func(f intent.Fragment) intent.Fragment {
		f.Routes = slices.Clone(f.Routes)
		for i, r := range f.Routes {
			if closed(r) {
				f.Routes[i].Forward, f.Routes[i].Fixed = nil, &intent.Fixed{StatusCode: 503, ContentType: "text/plain"}
			}
		}
		return f
	}
}

// unbuildable permits what permit does, for ranges that the build finds wrong.
func unbuildable(permit func(intent.Fragment) intent.Fragment) func(intent.Fragment) intent.Fragment {
	return func(f intent.Fragment) intent.Fragment {
		if permit != nil {
			f = permit(f)
		}
		f.Listeners = slices.Clone(f.Listeners)
		for i := range f.Listeners {
			f.Listeners[i].InboundCIDRs = []string{"10.0.0.0/8", "x"}
		}
		return f
	}
}

// TestHeldRulesAreServedAsFarAsTheyArePermitted: the good state of member a is lost, or does not build any more.
func TestHeldRulesAreServedAsFarAsTheyArePermitted(t *testing.T) {
	t.Parallel()
	onPort := func(port int) func(intent.Route) bool {
		return func(r intent.Route) bool { return slices.Contains(r.Ports, port) }
	}
	for _, c := range []struct {
		why    string
		permit func(intent.Fragment) intent.Fragment
		want   []string
		held   bool
	}{
		{"all of it", nil, []string{serveA, serveB, "other.example.com shop/a-other:80"}, true},
		{"one port", closing(onPort(81)), []string{serveA, serveB, "other.example.com 503"}, true},
		{"a Service", closing(func(r intent.Route) bool {
			return r.Forward != nil && r.Forward.Backends[0].Service.Name == "svc-a"
		}), []string{"a.example.com 503", serveB, "other.example.com shop/a-other:80"}, true},
		{"nothing", closing(func(intent.Route) bool { return true }), []string{"a.example.com 503", serveB, "other.example.com 503"}, false},
		{"another host name", func(f intent.Fragment) intent.Fragment {
			f.Routes = slices.Clone(f.Routes)
			for i := range f.Routes {
				f.Routes[i].Match.Hosts = []string{"other.example.com"}
			}
			return f
		}, []string{"a.example.com 503", serveB, "other.example.com shop/a-other:80"}, true},
	} {
		for _, lost := range []bool{true, false} {
			w := newWorld(t)
			w.settle(request(member("a", twice), member("b")))
			req := request(member("a", twice, badPath), member("b"))
			req.Permit = c.permit
			if lost {
				w.lose()
				w.restart()
			} else {
				req.Permit = unbuildable(c.permit)
			}
			res := w.settle(req)
			got, want := w.answers(), slices.Clone(c.want)
			slices.Sort(got)
			slices.Sort(want)
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("invariant 8: permitted is %s (state lost: %v): %s", c.why, lost, diff)
			}
			if res.Serving[0].Held != c.held {
				t.Errorf("permitted is %s: the last good state serves: %v", c.why, res.Serving[0].Held)
			}
		}
	}
}

func TestHeldPortThatIsNotAskedForAdmitsNobodyMore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	narrow := func(f *intent.Fragment) { f.Listeners[0].InboundCIDRs = []string{"10.0.0.0/8"} }
	moved := func(f *intent.Fragment) { f.Listeners[0].Port, f.Routes[0].Ports = 81, []int{81} }
	w.settle(request(member("a", narrow)))
	w.lose()
	w.restart()
	w.settle(request(member("a", narrow, moved, badPath)))
	if got := w.answers(); !slices.Contains(got, serveA) {
		t.Errorf("invariant 3: %v", got)
	}
	for _, g := range w.aws.stacks[owner()].SecurityGroups {
		if slices.ContainsFunc(g.Ingress, everybody) {
			t.Errorf("invariant 8: a port that is held admits everybody: %v", g.Ingress)
		}
	}
}

// TestNarrowedSecurityGroups: member a asks for other security groups than before, and for subnets that are not there.
func TestNarrowedSecurityGroups(t *testing.T) {
	t.Parallel()
	groups := func(names ...string) func(*intent.Fragment) {
		return func(f *intent.Fragment) {
			f.Settings.SecurityGroups = names
			f.Settings.Fields = map[string]string{"securityGroups": "alb.ingress.kubernetes.io/security-groups"}
		}
	}
	absent := func(f *intent.Fragment) { f.Settings.Subnets = []string{"absent"} }
	for _, c := range []struct {
		why  string
		lost bool
		now  string
		want string
		rule string
	}{
		{"an ID takes effect", false, "sg-narrow", "sg-narrow", serveA},
		{"a name takes effect", false, "narrow", "sg-narrow", serveA},
		{"one that is not there closes", false, "gone", "sg-wide", "a.example.com 503"},
		{"an ID takes effect, the good state lost", true, "sg-narrow", "sg-narrow", serveA},
		{"a name takes effect, the good state lost", true, "narrow", "sg-narrow", serveA},
		{"what was before is not known: it stays", true, "gone", "sg-wide", serveA},
	} {
		w := newWorld(t)
		w.aws.groups = map[string][]string{"narrow": {"sg-narrow"}}
		w.settle(request(member("a", groups("sg-wide")), member("b")))
		if c.lost {
			w.lose()
			w.restart()
		}
		req := request(member("a", groups(c.now), absent), member("b"))
		req.Permit = func(f intent.Fragment) intent.Fragment {
			if f.Member.Name == "a" {
				groups(c.now)(&f)
			}
			return f
		}
		w.settle(req)
		if diff := cmp.Diff([]model.GroupRef{{ID: c.want}}, w.aws.stacks[owner()].LoadBalancer.SecurityGroups); diff != "" {
			t.Errorf("invariant 8: %s: %s", c.why, diff)
		}
		if got := w.answers(); !slices.Contains(got, c.rule) || !slices.Contains(got, serveB) {
			t.Errorf("invariants 3 and 8: %s: %s", c.why, strings.Join(got, "; "))
		}
	}
}
