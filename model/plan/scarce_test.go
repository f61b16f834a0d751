package plan_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// At the quota of rules no plan goes over it, each ends where it should, and a request that gets an answer which is neither
// the old nor the new one was named.
func TestQuotaOfRules(t *testing.T) {
	exposed := 0
	for seed := range uint64(1500) {
		r := rand.New(rand.NewPCG(seed, 2))
		want, have := pair(r)
		quota := max(len(want.Listeners[0].Rules), len(have.Listeners[0].Rules), 1)
		opts := plan.Options{Quotas: model.Quotas{RulesPerLoadBalancer: quota}}
		p := plan.Diff(want, have, opts)
		s := have
		for _, c := range p.Changes {
			next, err := wrongAnswer(s, want.Listeners[0], []plan.Change{c})
			if err != nil && !strings.Contains(err.Error(), "neither") {
				t.Fatalf("seed %d: %v\n%s", seed, err, p)
			}
			s = next
			if n := len(s.Listeners[0].Rules); n > quota {
				t.Fatalf("seed %d: %d rules, and the quota is %d\n%s", seed, n, quota, p)
			}
		}
		if rest := plan.Diff(want, s, opts); !rest.Empty() {
			t.Fatalf("seed %d: invariant 2: still to do\n%s\nafter\n%s", seed, rest, p)
		}
		if _, err := wrongAnswer(have, want.Listeners[0], p.Changes); err != nil {
			exposed++
			if len(p.Notes) == 0 {
				t.Fatalf("seed %d: nobody was told: %v\n%s", seed, err, p)
			}
		}
	}
	if exposed == 0 {
		t.Error("there was always room, so the test proves nothing")
	}
}

func hostRules(n int) []model.Rule {
	out := make([]model.Rule, n)
	for i := range out {
		out[i] = model.Rule{Conditions: []model.Condition{host(fmt.Sprintf("h%d.example.com", i))}, Actions: fixed("200")}
	}
	return out
}

func TestAtTheQuota(t *testing.T) {
	moved := hostRules(100)
	moved[99] = model.Rule{Conditions: []model.Condition{host("new.example.com")}, Actions: fixed("200")}
	lost := slices.Clone(hostRules(100))
	lost[4] = model.Rule{Conditions: []model.Condition{host("h5.example.com"), path("/first")}, Actions: fixed("200")}
	narrower := hostRules(100)
	narrower[0] = model.Rule{Conditions: []model.Condition{host("h0.example.com"), path("/api")}, Actions: fixed("201")}
	narrower[1] = model.Rule{Conditions: []model.Condition{host("h0.example.com"), path("/web")}, Actions: fixed("202")}
	swapped := slices.Clone(moved)
	swapped[0], swapped[1] = swapped[1], swapped[0]
	cases := []struct {
		why   string
		rules []model.Rule
		ops   []plan.Op
		note  string
	}{
		{
			"a rule for another host takes the place of one that goes", moved,
			[]plan.Op{plan.ModifyRule}, "",
		},
		{
			"so does one within reach of a rule that stays", lost,
			[]plan.Op{plan.ModifyRule}, "",
		},
		{
			"two rules that divide an old one up: the first may take its neighbour's place, the second then its own", narrower,
			[]plan.Op{plan.ModifyRule, plan.ModifyRule}, "",
		},
		{
			"a new order needs room to park", swapped,
			[]plan.Op{plan.DeleteRule, plan.CreateRule, plan.SetRulePriorities}, "h99.example.com",
		},
	}
	for _, c := range cases {
		have := observed(oneListener("404", hostRules(100)...), numbers(100, 100))
		p := plan.Diff(oneListener("404", c.rules...), have, plan.Options{})
		if diff := cmp.Diff(c.ops, ops(p)); diff != "" {
			t.Errorf("%s: %s\n%s", c.why, diff, p)
		}
		if !strings.Contains(strings.Join(p.Notes, ""), c.note) || c.note == "" && len(p.Notes) > 0 {
			t.Errorf("%s: notes %q", c.why, p.Notes)
		}
	}
}

// A load balancer takes 100 target groups, and AWS never raises that.
func TestQuotaOfTargetGroups(t *testing.T) {
	stack := func(protocol string) model.Stack {
		s := oneListener("404")
		for i := range 100 {
			g := group("ns/svc" + strconv.Itoa(i) + ":80")
			g.Protocol, g.Name = protocol, "name-"+strconv.Itoa(i)
			s.TargetGroups = append(s.TargetGroups, g)
			s.Listeners[0].Rules = append(s.Listeners[0].Rules,
				model.Rule{Conditions: []model.Condition{host(fmt.Sprintf("h%d.example.com", i))}, Actions: forward(g.ID)})
		}
		return s
	}
	have := built(t, stack("HTTP"))
	want := stack("HTTPS")
	p := plan.Diff(want, have, plan.Options{})
	s := have
	for _, c := range p.Changes {
		var err error
		if s, err = plan.Step(s, c); err != nil {
			t.Fatal(err)
		}
		used := 0
		for _, g := range s.TargetGroups {
			used += len(g.LoadBalancers)
		}
		if used > 100 {
			t.Fatalf("%d target groups after %s of %s", used, c.Op, c.Key)
		}
	}
	if n := calls(p)[plan.ModifyRule]; n != 100 || len(p.Notes) > 0 {
		t.Errorf("one rule after the other moves over: %d did, notes %q", n, p.Notes)
	}
	if rest := plan.Diff(want, s, plan.Options{}); !rest.Empty() {
		t.Errorf("invariant 2: %s", rest)
	}
}

func TestDoomedListenersMakeRoom(t *testing.T) {
	have := observed(oneListener("404", hostRules(60)...), numbers(60, 100))
	second := have.Listeners[0]
	second.Port, second.ARN = 81, "listener-2"
	have.Listeners = append(have.Listeners, second)
	want := oneListener("404", hostRules(95)...)
	p := plan.Diff(want, have, plan.Options{})
	if p.Changes[0].Op != plan.DeleteListener || len(p.Notes) > 0 || len(p.Changes) != 36 {
		t.Errorf("the listener that goes anyhow goes first:\n%s", p)
	}
}

// TestRoomOfAListenerThatGoes: where rules need the room of a listener that goes, each comes after its deletion, for calls go out side by side.
func TestRoomOfAListenerThatGoes(t *testing.T) {
	two := oneListener("404", hostRules(2)...)
	gone := two.Listeners[0]
	gone.Port, gone.Rules = 8080, hostRules(98)
	two.Listeners = append(two.Listeners, gone)
	p := plan.Diff(oneListener("404", hostRules(4)...), built(t, two), plan.Options{})
	deleted, made := 0, 0
	after := map[int]bool{}
	for _, c := range p.Changes {
		late := slices.ContainsFunc(c.After, func(id int) bool { return id == deleted || after[id] })
		after[c.ID] = late
		switch c.Op {
		case plan.DeleteListener:
			deleted = c.ID
		case plan.CreateRule:
			made++
			if deleted == 0 || !late {
				t.Errorf("%s does not wait for its room\n%s", c.Key, p)
			}
		default:
		}
	}
	if made != 2 {
		t.Errorf("%d rules are made, want 2", made)
	}
}
