package plan_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// TestReplacedLoadBalancerKeepsItsPorts: what a security group admits to ports on which only a load balancer that is replaced listens stays
// until that goes. On ports of both, what the new one shall not admit goes at once.
func TestReplacedLoadBalancerKeepsItsPorts(t *testing.T) {
	admit := func(port int, from string) model.Permission {
		return model.Permission{Protocol: "tcp", FromPort: port, ToPort: port, CIDR: from}
	}
	with := func(scheme string, ports []int, admits ...model.Permission) model.Stack {
		s := oneListener("404")
		one := s.Listeners[0]
		s.Listeners = nil
		for _, port := range ports {
			one.Port = port
			s.Listeners = append(s.Listeners, one)
		}
		s.LoadBalancer.Scheme = scheme
		s.SecurityGroups = []model.SecurityGroup{{ID: "sg", Name: "group", Ingress: admits}}
		s.LoadBalancer.SecurityGroups = []model.GroupRef{{Key: "sg"}}
		return s
	}
	have := built(t, with("internal", []int{80, 8443}, admit(80, "0.0.0.0/0"), admit(8443, "0.0.0.0/0")))
	want := with("internet-facing", []int{80, 443}, admit(80, "192.0.2.0/24"), admit(443, "192.0.2.0/24"))
	waits := func(n plan.Need) (bool, string) { return n.State != plan.StateRetired, "" }

	for _, met := range []func(plan.Need) (bool, string){waits, func(plan.Need) (bool, string) { return true, "" }} {
		p := plan.Diff(want, have, plan.Options{Met: met})
		if got, want := withdrawn(p), map[int]bool{80: false, 8443: true}; !maps.Equal(got, want) {
			t.Errorf("withdrawn are, and whether after the deletion, %v, want %v\n%s", got, want, p)
		}
	}

	kept := plan.Diff(want, have, plan.Options{Met: waits, Keep: []model.ARN{have.LoadBalancer.ARN}})
	for _, c := range kept.Changes {
		if c.Op == plan.RevokeIngress && (len(c.Permissions) != 1 || c.Permissions[0].FromPort != 80) {
			t.Errorf("while it stays, withdrawn are %v", c.Permissions)
		}
	}
}

// TestNobodyIsLetInToWhatLeavesTheInternet: the load balancer on the internet has the security group of its internal successor. What that admits
// besides counts once the old one went. The other way round, or for clients that are named by their group, it counts at once.
func TestNobodyIsLetInToWhatLeavesTheInternet(t *testing.T) {
	at := func(scheme string, admits ...model.Permission) model.Stack {
		s := oneListener("404")
		s.LoadBalancer.Scheme = scheme
		s.SecurityGroups = []model.SecurityGroup{{ID: "sg", Name: "group", Ingress: admits}}
		s.LoadBalancer.SecurityGroups = []model.GroupRef{{Key: "sg"}}
		return s
	}
	all := func(plan.Need) (bool, string) { return true, "" }
	from := func(cidr string) model.Permission {
		return model.Permission{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: cidr}
	}
	group := model.Permission{Protocol: "tcp", FromPort: 80, ToPort: 80, Source: model.GroupRef{ID: "sg-inside"}}
	for _, row := range []struct {
		why       string
		old, now  string
		permitted model.Permission
		late      bool
	}{
		{"it leaves the internet, and everybody may come", "internet-facing", "internal", from("0.0.0.0/0"), true},
		{"it leaves the internet, and a group of clients may come", "internet-facing", "internal", group, false},
		{"it leaves the internet, and fewer may come", "internet-facing", "internal", from("192.0.2.0/25"), false},
		{"it goes to the internet", "internal", "internet-facing", from("0.0.0.0/0"), false},
	} {
		have := built(t, at(row.old, from("192.0.2.0/24")))
		want := at(row.now, row.permitted)
		if got := admitted(plan.Diff(want, have, plan.Options{Met: all})); !maps.Equal(got, map[bool]int{row.late: 1}) {
			t.Errorf("%s: added, and whether after the deletion, are %v", row.why, got)
		}
		for port, late := range withdrawn(plan.Diff(want, have, plan.Options{Met: all})) {
			if late != row.late {
				t.Errorf("%s: what is a part of it is withdrawn on port %d, after the deletion %t", row.why, port, late)
			}
		}
		kept := plan.Diff(want, have, plan.Options{Met: all, Keep: []model.ARN{have.LoadBalancer.ARN}})
		if got := admitted(kept); len(got) > 0 == row.late {
			t.Errorf("%s: while the old one stays, added are %v\n%s", row.why, got, kept)
		}
	}
}

// TestFrontendOnTheInternetKeepsNobodyOut: one that stays has the group of the load balancer behind it, and shall let in whom that does.
func TestFrontendOnTheInternetKeepsNobodyOut(t *testing.T) {
	with := func(from string) model.Stack {
		s := oneListener("404")
		s.LoadBalancer.Scheme = "internal"
		s.SecurityGroups = []model.SecurityGroup{{ID: "sg", Name: "group", Ingress: []model.Permission{{Protocol: "tcp", FromPort: 80, ToPort: 80, CIDR: from}}}}
		s.LoadBalancer.SecurityGroups = []model.GroupRef{{Key: "sg"}}
		return s
	}
	front := &model.Stack{Owner: owner(), LoadBalancer: &model.LoadBalancer{
		ID: model.ResourceFrontend, Name: "front", Type: "network", Scheme: "internet-facing", IPAddressType: "ipv4", Subnets: []string{"s1", "s2"},
		SecurityGroups: []model.GroupRef{{Key: "sg"}}, ARN: "arn:front", State: plan.StateActive,
	}}
	have, want := built(t, with("192.0.2.0/24")), with("0.0.0.0/0")
	have.Frontend, want.Frontend = front, front
	p := plan.Diff(want, have, plan.Options{})
	if got := admitted(p); !maps.Equal(got, map[bool]int{false: 1}) {
		t.Errorf("added, and whether after a deletion, are %v\n%s", got, p)
	}
}

// admitted counts the permissions that a plan adds, by whether that comes after the deletion of a load balancer.
func admitted(p plan.Plan) map[bool]int {
	deleted, out := deletion(p), map[bool]int{}
	for _, c := range p.Changes {
		if c.Op == plan.AuthorizeIngress {
			out[slices.Contains(c.After, deleted)] += len(c.Permissions)
		}
	}
	return out
}

// deletion is the change that deletes a load balancer, zero where there is none.
func deletion(p plan.Plan) int {
	for _, c := range p.Changes {
		if c.Op == plan.DeleteLoadBalancer {
			return c.ID
		}
	}
	return 0
}

// withdrawn are the ports that a plan withdraws, and whether that comes after the deletion of a load balancer.
func withdrawn(p plan.Plan) map[int]bool {
	deleted, out := deletion(p), map[int]bool{}
	for _, c := range p.Changes {
		if c.Op != plan.RevokeIngress {
			continue
		}
		for _, perm := range c.Permissions {
			out[perm.FromPort] = slices.Contains(c.After, deleted)
		}
	}
	return out
}

// TestPortOpensBehindItsSecurityGroups: a new port waits for the security groups of its load balancer; not where there is no room, which the plan says.
func TestPortOpensBehindItsSecurityGroups(t *testing.T) {
	ports := func(group string, rules []model.Rule, all ...int) model.Stack {
		s := oneListener("404", rules...)
		for _, port := range all {
			s.Listeners = append(s.Listeners, model.Listener{Port: port, Protocol: "HTTP", DefaultActions: fixed("404")})
		}
		s.LoadBalancer.SecurityGroups = []model.GroupRef{{ID: group}}
		return s
	}
	moved := hostRules(101)[1:]
	for _, row := range []struct {
		why       string
		have, now []model.Rule
		waits     bool
		note      string
	}{
		{"there is room", hostRules(1), hostRules(1), true, ""},
		{"at the quota of rules", hostRules(100), moved, false, "so port 443 is opened while it has the security groups of before, too"},
	} {
		p := plan.Diff(ports("sg-narrow", row.now, 443), built(t, ports("sg-wide", row.have)), plan.Options{})
		swapped, waits := 0, false
		for _, c := range p.Changes {
			switch c.Op {
			case plan.SetSecurityGroups:
				swapped = c.ID
			case plan.CreateListener:
				waits = slices.Contains(c.After, swapped)
			default:
			}
		}
		if swapped == 0 || waits != row.waits || !strings.Contains(strings.Join(p.Notes, "\n"), row.note) {
			t.Errorf("%s: the port waits %v, want %v, and note %q\n%s", row.why, waits, row.waits, row.note, p)
		}
	}
}
