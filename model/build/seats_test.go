package build_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// tight are facts with room for four rules and four target groups.
func tight() model.Facts {
	f := facts()
	f.Quotas = model.Quotas{RulesPerLoadBalancer: 4, TargetGroupsPerLoadBalancer: 4, CertificatesPerLoadBalancer: 2, ListenersPerLoadBalancer: 2}
	return f
}

// paths are routes of one host, each with a backend of its own: "a b=x" is /a to a and /b to x.
func pathsOf(name, words string) intent.Fragment {
	f := fragment(name)
	for i, word := range strings.Fields(words) {
		path, backend, ok := strings.Cut(word, "=")
		if !ok {
			backend = path
		}
		r := route(name+".example.com", "/"+path, "")
		r.Forward, r.Field = &intent.Forward{}, fmt.Sprintf("path %d", i)
		for b := range strings.SplitSeq(backend, "+") {
			s := service(name + "-" + b)
			s.ID = "shop/" + name + "-" + b + ":80"
			r.Forward.Backends = append(r.Forward.Backends, intent.Backend{Service: s, Weight: 1})
		}
		f.Routes = append(f.Routes, r)
	}
	return f
}

// served are the paths that rules are for, by host: "a.example.com/x".
func served(s model.Stack) string {
	var out []string
	for _, l := range s.Listeners {
		for _, r := range l.Rules {
			hosts, _ := r.Hosts()
			for _, c := range r.Conditions {
				if c.Field == model.FieldPath {
					out = append(out, strings.TrimSuffix(strings.Join(hosts, ","), ".example.com")+c.Values[0])
				}
			}
		}
	}
	return strings.Join(out, " ")
}

// members turns over a group as the loop does: what was good before stands.
type members struct {
	in    intent.Intent
	facts model.Facts
}

// turn builds, remembers who had room, and gives what is served and who was told what.
func (m *members) turn(fragments ...intent.Fragment) (string, []string) {
	m.in.Fragments = fragments
	got := build.Build(m.in, m.facts)
	m.in.Before = fragments
	if got.Left != nil {
		m.in.Before = got.Left
	}
	var told []string
	for _, f := range got.Findings {
		told = append(told, f.Object.Name+" "+f.Field+" "+string(f.Severity))
	}
	return served(got.Stack), told
}

// TestRoomIsDividedByStanding (invariant 3): what fits is served in group order; who is served stays so; what goes makes room for the first
// that waits.
func TestRoomIsDividedByStanding(t *testing.T) {
	type step struct {
		why       string
		fragments []intent.Fragment
		want      string
		told      []string
	}
	a, b, c := pathsOf("a", "1 2 3"), pathsOf("b", "1 2"), pathsOf("c", "1")
	for _, row := range []struct {
		why   string
		steps []step
	}{
		{"a newcomer of a lesser order takes nothing", []step{
			{"what fits, in group order", []intent.Fragment{a, b}, "a/1 a/2 a/3 b/1", []string{"b path 1 Answered"}},
			{"the newcomer waits", []intent.Fragment{c, a, b}, "a/1 a/2 a/3 b/1", []string{"b path 1 Answered", "c path 0 Answered"}},
			{"it still does when nothing happens", []intent.Fragment{c, a, b}, "a/1 a/2 a/3 b/1", []string{"b path 1 Answered", "c path 0 Answered"}},
			{"and comes first when there is room", []intent.Fragment{c, pathsOf("a", "1 3"), b}, "c/1 a/1 a/3 b/1", []string{"b path 1 Answered"}},
			{"a deletion makes room for all", []intent.Fragment{c, b}, "c/1 b/1 b/2", nil},
		}},
		{"an edit at the quota", []step{
			{"full", []intent.Fragment{pathsOf("a", "1 2"), pathsOf("b", "1 2 3")}, "a/1 a/2 b/1 b/2", []string{"b path 2 Answered"}},
			{"another path in place of one", []intent.Fragment{pathsOf("c", "1"), pathsOf("a", "1 9"), pathsOf("b", "1 2 3")}, "a/1 a/9 b/1 b/2",
				[]string{"b path 2 Answered", "c path 0 Answered"}},
			{"another backend in place of one", []intent.Fragment{pathsOf("c", "1"), pathsOf("a", "1 9=new"), pathsOf("b", "1 2 3")}, "a/1 a/9 b/1 b/2",
				[]string{"b path 2 Answered", "c path 0 Answered"}},
			{"one more path is the one that waits, wherever it stands", []intent.Fragment{pathsOf("a", "0 1 9=new"), pathsOf("b", "1 2")}, "a/1 a/9 b/1 b/2",
				[]string{"a path 0 Answered"}},
			{"two backends where there is room for one: what was served stays", []intent.Fragment{pathsOf("a", "1=x+y 9=new"), pathsOf("b", "1 2")}, "a/9 b/1 b/2",
				[]string{"a path 0 Wrong"}},
		}},
	} {
		t.Run(row.why, func(t *testing.T) {
			m := members{in: group(), facts: tight()}
			for _, s := range row.steps {
				got, told := m.turn(s.fragments...)
				same(t, s.why, "served", got, s.want)
				same(t, s.why, "told", told, s.told)
			}
		})
	}
}

// TestWhatAWSHoldsStands: after a take-over, or when the state was lost, it is AWS that says who is served.
func TestWhatAWSHoldsStands(t *testing.T) {
	in := group(pathsOf("b", "1 2 3"))
	held := build.Build(in, facts()).Stack.Listeners
	in.Fragments = []intent.Fragment{pathsOf("a", "1 2 3"), pathsOf("b", "1 2 3")}
	same(t, "nothing is known: the group order", "served", served(build.Build(in, tight()).Stack), "a/1 a/2 a/3 b/1")
	in.Observed = held
	same(t, "who is there stays", "served", served(build.Build(in, tight()).Stack), "a/1 b/1 b/2 b/3")

	low := tight()
	low.Quotas.RulesPerLoadBalancer = 2
	same(t, "AWS holds more than a quota that could not be read: it is higher", "served", served(build.Build(in, low).Stack), "b/1 b/2 b/3")
}

// TestOtherRoomIsDividedByStanding: ports, certificates and default backends.
func TestOtherRoomIsDividedByStanding(t *testing.T) {
	cert := func(n ...string) intent.Fragment {
		return with("x", https(443, intent.Listener{Certificates: n}))
	}
	named := func(name string, f intent.Fragment) intent.Fragment {
		f.Member = member(name)
		return f
	}
	ports := func(n ...int) intent.Fragment {
		var f intent.Fragment
		for _, p := range n {
			f.Listeners = append(f.Listeners, intent.Listener{Port: p, Protocol: "HTTP"})
		}
		return f
	}
	answer := func(backend string) intent.Fragment {
		f := fragment("x")
		f.Listeners[0].Default = &pathsOf("d", "1="+backend).Routes[0]
		return f
	}
	for _, row := range []struct {
		why            string
		here, newcomer intent.Fragment
		read           func(model.Stack) string
		want, told     string
	}{
		{"certificates", cert("arn:1", "arn:2", "arn:3", "arn:4"), cert("arn:0"), func(s model.Stack) string { return fmt.Sprint(s.Listeners[0].Certificates) },
			"[arn:1 arn:2 arn:3]", `here: no room for certificate arn:4: the load balancer uses 2 of the 2 that AWS's quota "Certificates per Application Load Balancer" allows; ` +
				`have AWS raise the quota, use one certificate for several hosts, or use another load balancer`},
		{"ports", ports(81, 82, 83), ports(80), func(s model.Stack) string { return fmt.Sprint(s.Listeners[0].Port, s.Listeners[1].Port) },
			"81 82", `here: no room for the listener on port 83: the load balancer uses 2 of the 2 that AWS's quota "Listeners per Application Load Balancer" allows; ` +
				`have AWS raise the quota, ask for fewer ports, or use another load balancer`},
		{"target groups", pathsOf("here", "1 2 3 4 5=4 6"), answer("new"), served, "here/1 here/2 here/3 here/4",
			`here: no room for 1 rule: the load balancer uses 4 of the 4 that AWS's quota "Rules per Application Load Balancer" allows; ` +
				`have AWS raise the quota, ask for fewer rules, or use another load balancer`},
	} {
		t.Run(row.why, func(t *testing.T) {
			m := members{in: group(), facts: tight()}
			here, newcomer := named("here", row.here), named("newcomer", row.newcomer)
			m.turn(here)
			for range 2 {
				m.in.Fragments = []intent.Fragment{newcomer, here}
				got := build.Build(m.in, m.facts)
				same(t, row.why, "served", row.read(got.Stack), row.want)
				var all []string
				for _, f := range got.Findings {
					all = append(all, f.Object.Name+": "+f.Message)
				}
				if !slices.Contains(all, row.told) {
					t.Errorf("%s: nobody is told %s, but\n%s", row.why, row.told, strings.Join(all, "\n"))
				}
				if !slices.ContainsFunc(all, func(s string) bool { return strings.HasPrefix(s, "newcomer: no room for") }) {
					t.Errorf("%s: the newcomer is told nothing:\n%s", row.why, strings.Join(all, "\n"))
				}
				m.turn(newcomer, here)
			}
		})
	}
}

// TestRoomProperties: whatever members come, change and go, the quotas hold, who does not change loses nothing, and nothing changes by
// itself.
func TestRoomProperties(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	words := func() string {
		var out []string
		for range random.IntN(4) {
			word := fmt.Sprint(len(out), "=", random.IntN(3))
			if random.IntN(4) == 0 {
				word += fmt.Sprint("+", 3+random.IntN(2))
			}
			out = append(out, word)
		}
		return strings.Join(out, " ")
	}
	for range 40 {
		m := members{in: group(), facts: tight()}
		m.facts.Quotas.RulesPerLoadBalancer, m.facts.Quotas.TargetGroupsPerLoadBalancer = 3+random.IntN(4), 3+random.IntN(4)
		var now []intent.Fragment
		for range 12 {
			at := random.IntN(4)
			name := string(rune('a' + at))
			before, _ := m.turn(now...)
			now = slices.DeleteFunc(slices.Clone(now), func(f intent.Fragment) bool { return f.Member.Name == name })
			if random.IntN(3) > 0 {
				now = slices.Insert(now, random.IntN(len(now)+1), pathsOf(name, words()))
			}
			after, _ := m.turn(now...)
			for one := range strings.FieldsSeq(before) {
				if !strings.HasPrefix(one, name+"/") && !slices.Contains(strings.Fields(after), one) {
					t.Fatalf("%s lost its room by a change of %s: %q, then %q", one, name, before, after)
				}
			}
			if again, _ := m.turn(now...); again != after {
				t.Fatalf("nothing changed, but who is served did: %q, then %q", after, again)
			}
			if got := build.Build(m.in, m.facts).Stack; len(got.TargetGroups) > m.facts.Quotas.TargetGroupsPerLoadBalancer ||
				len(strings.Fields(after)) > m.facts.Quotas.RulesPerLoadBalancer {
				t.Fatalf("over the quota: %q with %d target groups", after, len(got.TargetGroups))
			}
		}
	}
}

// TestFoldingMakesRoom: rules are folded before the quota counts them; switching that off where there is no room leaves what is served.
func TestFoldingMakesRoom(t *testing.T) {
	wide := func(f intent.Fragment, fold bool) intent.Fragment {
		for i := range f.Routes {
			f.Routes[i].Match.Paths[0].Kind = intent.PathExact
		}
		f.Fold = fold
		return f
	}
	a := pathsOf("a", "1=x 2=x 3=x 4=x 5=x 6=x 7=x 8=x 9=x")
	m := members{in: group(), facts: tight()}
	for _, s := range []struct {
		why       string
		fragments []intent.Fragment
		want      string
		told      int
	}{
		{"nine rules where four fit", []intent.Fragment{wide(a, false)}, "a/1 a/2 a/3 a/4", 5},
		{"folded they are three, of which the first path is named", []intent.Fragment{wide(a, true)}, "a/1 a/5 a/9", 0},
		{"a fourth has room, a fifth has none", []intent.Fragment{wide(pathsOf("b", "1 2"), false), wide(a, true)}, "b/1 a/1 a/5 a/9", 1},
		{"as long as nothing changes", []intent.Fragment{wide(pathsOf("b", "1 2"), false), wide(a, true)}, "b/1 a/1 a/5 a/9", 1},
	} {
		got, told := m.turn(s.fragments...)
		same(t, s.why, "served", got, s.want)
		same(t, s.why, "told", len(told), s.told)
	}
	m.in.Fragments = []intent.Fragment{wide(pathsOf("b", "1 2"), false), wide(a, false)}
	wrong := 0
	for _, f := range build.Build(m.in, m.facts).Findings {
		if f.Object.Name == "a" && f.Severity == model.Wrong {
			wrong++
		}
	}
	if wrong == 0 {
		t.Error("folding is switched off without room for the rules, and its owner keeps nothing")
	}
}
