package traffic

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// crowd is a group of Ingresses, each with a host and three paths that lead to a target group of their own.
type crowd map[string][]string

// newCrowd are so many members, app00 and on.
func newCrowd(n int) crowd {
	out := crowd{}
	for i := range n {
		out[fmt.Sprintf("app%02d", i)] = []string{"Prefix /a a", "Prefix /b b", "Prefix /c c"}
	}
	return out
}

// with is the crowd with other paths of one member, without the member where there are none.
func (c crowd) with(name string, paths ...string) crowd {
	out := maps.Clone(c)
	if out[name] = paths; len(paths) == 0 {
		delete(out, name)
	}
	return out
}

func (c crowd) text() string {
	var out strings.Builder
	for _, name := range slices.Sorted(maps.Keys(c)) {
		out.WriteString(named(name, []string{"group.name: crowd", "listen-ports: " + `[{"HTTP":80}]`}, []string{host(name+".example.com", c[name]...)}, ""))
	}
	return out.String()
}

func crowdOwner() model.Owner { return ingress.Explicit("crowd").Owner(cluster) }

// looked tells whether requests are sent to a target group: the others have no targets, whose health would have to be checked.
func looked(g model.TargetGroup) bool {
	return slices.ContainsFunc([]string{"app00", "app05", "app07", "app32", "app33", "app34"}, func(name string) bool {
		return strings.Contains(g.ID, "/"+name+"-")
	})
}

// size is how many rules and target groups AWS holds.
func (s *stage) size() string {
	s.t.Helper()
	held, err := s.cloud.Observe(s.t.Context(), crowdOwner(), nil)
	if err != nil {
		s.t.Fatal(err)
	}
	rules := 0
	for _, l := range held.Listeners {
		rules += len(l.Rules)
	}
	return fmt.Sprintf("%d rules, %d target groups", rules, len(held.TargetGroups))
}

// waiting are the members that have no room, with how many of their paths.
func (o *operator) waiting() map[string]int {
	out := map[string]int{}
	for _, f := range o.findings {
		if f.Reason != "QuotaExceeded" || !strings.HasPrefix(f.Field, "spec.rules[0].http.paths[") ||
			!strings.Contains(f.Message, `uses 100 of the 100 that AWS's quota "Rules per Application Load Balancer" allows; have AWS raise the quota`) {
			o.stage.t.Fatalf("found %v", f)
		}
		out[f.Object.Name]++
	}
	return out
}

// remove takes a stack away, and tells whether nothing is left.
func (o *operator) remove(owner model.Owner) bool {
	for end := time.Now().Add(longestApply); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		got, err := o.loop.Run(o.stage.t.Context(), stack.Request{Intent: intent.Intent{Owner: owner}})
		if err != nil {
			o.stage.t.Fatal(err)
		}
		if got.Gone {
			return true
		}
	}
	return false
}

// serves tells which paths of a member a pod answers.
func (c *client) serves(name string, paths ...string) string {
	var out []string
	for _, p := range paths {
		if got := c.ask(ask{to: "GET http://" + name + ".example.com" + p}); !strings.HasPrefix(got, "404") {
			out = append(out, p+" by "+got[:1])
		}
	}
	return strings.Join(out, ", ")
}

// keepAsking sends one request after the other until its result is called, which gives how many there were and the answers that were wrong.
func (s *stage) keepAsking(a ask) func() (sent int, wrong []string) {
	stop, done := make(chan struct{}), make(chan struct{})
	sent, wrong := 0, []string(nil)
	c := s.newClient("")
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
			}
			sent++
			if got := c.ask(a); got != a.want {
				wrong = append(wrong, got)
			}
		}
	}()
	return func() (int, []string) {
		close(stop)
		<-done
		return sent, wrong
	}
}

// TestCrowdBeyondTheQuotas (issue 5, section 4): of 300 paths with target groups of their own, 100 fit. Those are served, in group order;
// the others are told. A deletion and an edit at the quota go through, who is served stays so, and no request is lost.
func TestCrowdBeyondTheQuotas(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: -1})
	o := s.newOperator()
	all := newCrowd(100)
	o.apply(all.text())
	s.registerIn(crowdOwner(), nil, looked)
	c := s.newClient("")
	paths := []string{"/a", "/b", "/c", "/d"}
	end := s.keepAsking(ask{to: "GET http://app05.example.com/b", want: "b: GET app05.example.com/b"})
	for _, step := range []struct {
		why   string
		crowd crowd
		// waits are the first member that waits for room, how many of its paths do, and how many members wait for all of theirs.
		first       string
		few, beyond int
		serves      map[string]string
		restart     bool
	}{
		{"what fits, in group order", all, "app33", 2, 66, map[string]string{
			"app00": "/a by a, /b by b, /c by c", "app32": "/a by a, /b by b, /c by c", "app33": "/a by a", "app34": ""}, true},
		{"who never had room goes", all.with("app99"), "app33", 2, 65, nil, false},
		{"a newcomer of the least order takes nothing", all.with("app99").with("aaa", "Prefix /a a"), "app33", 2, 66, map[string]string{
			"aaa": "", "app33": "/a by a", "app32": "/a by a, /b by b, /c by c"}, true},
		{"another path in place of one", all.with("app99").with("app07", "Prefix /d a", "Prefix /b b", "Prefix /c c"), "app33", 2, 65, map[string]string{
			"app07": "/b by b, /c by c, /d by a"}, false},
		{"a member that is served goes: the first that wait come", all.with("app99").with("app07"), "app34", 2, 64, map[string]string{
			"app07": "", "app33": "/a by a, /b by b, /c by c", "app34": "/a by a"}, false},
		{"and they stay when it is back, at its place in the order", all.with("app99"), "app34", 2, 65, map[string]string{
			"app07": "", "app34": "/a by a"}, true},
	} {
		o.apply(step.crowd.text())
		if step.restart {
			o.restart()
			if wrote := o.apply(step.crowd.text()); wrote != "" {
				t.Errorf("%s: after a restart it wrote %s", step.why, wrote)
			}
		}
		if got := s.size(); got != "100 rules, 100 target groups" {
			t.Errorf("%s: AWS holds %s", step.why, got)
		}
		told := o.waiting()
		if few := told[step.first]; few != step.few || len(told) != step.beyond+1 {
			t.Errorf("%s: %d members wait, %s for %d paths, want %d and %d", step.why, len(told), step.first, few, step.beyond+1, step.few)
		}
		s.registerIn(crowdOwner(), nil, looked)
		for name, want := range step.serves {
			if got := c.serves(name, paths...); got != want {
				t.Errorf("%s: of %s is served %q, want %q", step.why, name, got, want)
			}
		}
	}
	if sent, wrong := end(); sent == 0 || len(wrong) > 0 {
		t.Errorf("of %d requests %d were lost: %v", sent, len(wrong), wrong)
	}
	o.apply(newCrowd(20).text())
	if got := s.size(); got != "60 rules, 60 target groups" {
		t.Errorf("most of them go: AWS holds %s", got)
	}
	if !o.remove(crowdOwner()) {
		t.Errorf("all of them go: AWS holds %s", s.size())
	}
}
