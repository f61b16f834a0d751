package plan_test

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

const roomQuota = 6

// sources makes a stack whose load balancer has groups with these ranges.
func sources(groups ...[]string) model.Stack {
	s := shop()
	s.SecurityGroups = nil
	s.LoadBalancer.SecurityGroups = nil
	for i, ranges := range groups {
		g := model.SecurityGroup{ID: fmt.Sprint("sg", i), Name: fmt.Sprint("group-", i)}
		for _, r := range ranges {
			g.Ingress = append(g.Ingress, model.Permission{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: r})
		}
		s.SecurityGroups = append(s.SecurityGroups, g)
		s.LoadBalancer.SecurityGroups = append(s.LoadBalancer.SecurityGroups, model.GroupRef{Key: g.ID})
	}
	return s
}

// attached tells whether the load balancer's groups admit an address.
func attached(s model.Stack, address netip.Addr) bool {
	for _, ref := range s.LoadBalancer.SecurityGroups {
		for _, g := range s.SecurityGroups {
			if ref.Key != g.ID {
				continue
			}
			for _, p := range g.Ingress {
				if netip.MustParsePrefix(p.CIDR).Contains(address) {
					return true
				}
			}
		}
	}
	return false
}

// someGroups are the ranges of one or two groups, none of which has more than its quota.
func someGroups(random *rand.Rand) [][]string {
	some := func() []string {
		var out []string
		for range 1 + random.IntN(roomQuota) {
			bits := 24 + random.IntN(3)
			p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 0, byte(random.IntN(4)), byte(random.IntN(4) * 64)}), bits).Masked()
			out = append(out, p.String())
		}
		slices.Sort(out)
		return slices.Compact(out)
	}
	out := [][]string{some()}
	if random.IntN(2) == 0 {
		out = append(out, some())
	}
	return out
}

// TestNobodyIsShutOutOnTheWay changes ranges at the quota: a plan never puts more into a group than it takes, and who is admitted before and
// after is admitted all the time, unless the plan says who is not.
func TestNobodyIsShutOutOnTheWay(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 2))
	full, told := 0, 0
	for range 3000 {
		have, want := built(t, sources(someGroups(random)...)), sources(someGroups(random)...)
		p := plan.Diff(want, have, plan.Options{Quotas: model.Quotas{RulesPerSecurityGroup: roomQuota}})
		states := []model.Stack{have}
		for _, c := range p.Changes {
			s, err := plan.Step(states[len(states)-1], c)
			if err != nil {
				t.Fatalf("%v\n%s", err, p)
			}
			for _, g := range s.SecurityGroups {
				if len(g.Ingress) > roomQuota {
					t.Fatalf("group %s has %d rules after %s\n%s", g.ID, len(g.Ingress), c.Op, p)
				}
			}
			states = append(states, s)
		}
		end := states[len(states)-1]
		if rest := plan.Diff(want, end, plan.Options{}); !rest.Empty() {
			t.Fatalf("still to do\n%s", rest)
		}
		if len(p.Notes) > 0 {
			told++
			continue
		}
		full++
		judge(t, states, p)
	}
	if full < 1000 || told == 0 {
		t.Errorf("%d plans were judged and %d told who is shut out", full, told)
	}
}

// judge looks for addresses that are admitted at both ends of a plan and not in between.
func judge(t *testing.T, states []model.Stack, p plan.Plan) {
	t.Helper()
	have, end := states[0], states[len(states)-1]
	for part := range 32 {
		address := netip.AddrFrom4([4]byte{10, 0, byte(part / 8), byte(part % 8 * 32)})
		if !attached(have, address) || !attached(end, address) {
			continue
		}
		for i, s := range states {
			if !attached(s, address) {
				t.Fatalf("%s is shut out after change %d\n%s", address, i, p)
			}
		}
	}
}

func TestAPortGivesItsRoomToAnother(t *testing.T) {
	t.Parallel()
	listening := func(ports ...int) model.Stack {
		s := shop()
		s.Listeners = nil
		for _, port := range ports {
			s.Listeners = append(s.Listeners, model.Listener{Port: port, Protocol: "HTTP", DefaultActions: fixed("404")})
		}
		return s
	}
	for _, row := range []struct {
		why   string
		quota int
		want  []plan.Op
	}{
		{"where there is room, nothing goes before what comes", 3, []plan.Op{plan.CreateListener, plan.DeleteListener}},
		{"where there is none, AWS would refuse what comes", 2, []plan.Op{plan.DeleteListener, plan.CreateListener}},
	} {
		p := plan.Diff(listening(80, 81), built(t, listening(80, 90)), plan.Options{Quotas: model.Quotas{ListenersPerLoadBalancer: row.quota}})
		if got := ops(p); !slices.Equal(got, row.want) {
			t.Errorf("%s: %v, want %v", row.why, got, row.want)
			continue
		}
		waits := len(p.Changes[1].After) > 0 && slices.Contains(p.Changes[1].After, p.Changes[0].ID)
		if crowded := row.want[0] == plan.DeleteListener; crowded && !waits {
			t.Errorf("%s: change 2 waits for %v", row.why, p.Changes[1].After)
		}
	}
}
