package build_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

func https(port int, l intent.Listener) intent.Listener {
	l.Port, l.Protocol = port, "HTTPS"
	return l
}

func with(name string, listeners ...intent.Listener) intent.Fragment {
	return intent.Fragment{Member: member(name), Listeners: listeners}
}

func arns(l model.Listener) string {
	var out []string
	for _, a := range l.Certificates {
		out = append(out, strings.TrimPrefix(string(a), "arn:aws:acm:eu-west-1:1:certificate/"))
	}
	return strings.Join(out, ",")
}

func TestCertificates(t *testing.T) {
	for _, row := range []struct {
		why      string
		a, b     intent.Listener
		want     string
		findings []string
	}{
		{"the first of the first member is the default, the rest is sorted",
			intent.Listener{Certificates: []string{certOther, certShop}}, intent.Listener{Certificates: []string{certWild}}, "c,a,b", nil},
		{"all that match are attached, the lexically first is the default", intent.Listener{DiscoverHosts: []string{"shop.example.com"}},
			intent.Listener{Certificates: []string{certShop}}, "a,b", nil},
		{"hosts add up over members", intent.Listener{DiscoverHosts: []string{"shop.example.com"}},
			intent.Listener{DiscoverHosts: []string{"Example.org"}}, "a,b,c", nil},
		{"a wildcard is one label", intent.Listener{DiscoverHosts: []string{"shop.example.com"}},
			intent.Listener{DiscoverHosts: []string{"a.b.example.com"}}, "a,b", []string{"second Wrong listeners CertificateNotFound"}},
		{"a wildcard host needs the same wildcard", intent.Listener{DiscoverHosts: []string{"*.example.com"}},
			intent.Listener{DiscoverHosts: []string{"*.shop.example.com"}}, "a", []string{"second Wrong listeners CertificateNotFound"}},
		{"no host and no certificate", intent.Listener{Certificates: []string{certShop}}, intent.Listener{}, "b",
			[]string{"second Wrong listeners CertificateNotFound"}},
		{"not an ARN", intent.Listener{Certificates: []string{certShop}}, intent.Listener{Certificates: []string{"shop"}}, "b",
			[]string{"second Wrong listeners InvalidValue"}},
		{"one that ACM does not have stays with who names it", intent.Listener{Certificates: []string{certShop}},
			intent.Listener{Certificates: []string{certLost}}, "b", []string{"second Wrong listeners CertificateNotFound"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			world := facts()
			world.LostCertificates = map[model.ARN]string{certLost: "NOT_FOUND"}
			got := build.Build(group(with("first", https(443, row.a)), with("second", https(443, row.b))), world)
			same(t, row.why, "certificates", arns(got.Stack.Listeners[0]), row.want)
			same(t, row.why, "findings", reasons(got), row.findings)
		})
	}
}

func TestListenerWithoutCertificateIsNotMade(t *testing.T) {
	one := fragment("web", route("other.net", "/", "front"))
	one.Routes[0].Ports = []int{80, 443}
	one.Listeners = append(one.Listeners, https(443, intent.Listener{DiscoverHosts: []string{"other.net"}}))
	got := build.Build(group(one), facts())
	same(t, "AWS has no HTTPS listener without one", "listeners", len(got.Stack.Listeners), 1)
	same(t, "the other port serves", "rules", rulesOf(got.Stack, 80), []string{"other.net /* → front:80"})
	same(t, "the message names the host and a way out", "message", got.Findings[0].Message,
		"no issued certificate in ACM is for other.net; request or import one for other.net or *.net, or name a certificate")
}

func TestALostCertificateIsToldByItsState(t *testing.T) {
	for _, row := range []struct{ why, state, want string }{
		{"it is not there", "NOT_FOUND", "there is no certificate " + certLost + " in ACM; "},
		{"nobody proved the domain", "PENDING_VALIDATION",
			"certificate " + certLost + " cannot be used: in ACM its status is PENDING_VALIDATION; "},
	} {
		world := facts()
		world.LostCertificates = map[model.ARN]string{certLost: row.state}
		got := build.Build(group(with("web", https(443, intent.Listener{Certificates: []string{certLost}}))), world)
		want := row.want + "name one that is issued in this account and region, or remove it and have one found by host"
		same(t, row.why, "message", got.Findings[0].Message, want)
	}
}

func TestPortsOfTwoMembers(t *testing.T) {
	cert := []string{certShop}
	for _, row := range []struct {
		why      string
		a, b     intent.Listener
		read     func(model.Listener) string
		want     string
		findings []string
	}{
		{"one port speaks one protocol", intent.Listener{Port: 80, Protocol: "HTTP"}, intent.Listener{Port: 80, Protocol: "HTTPS", Certificates: cert},
			func(l model.Listener) string { return l.Protocol }, "HTTP", []string{"second Wrong listeners PortConflict"}},
		{"the first policy counts", https(80, intent.Listener{Certificates: cert, SSLPolicy: "p1"}), https(80, intent.Listener{Certificates: cert, SSLPolicy: "p2"}),
			func(l model.Listener) string { return l.SSLPolicy }, "p1", []string{"second Wrong listeners ConflictingSetting"}},
		{"who names no policy takes any", https(80, intent.Listener{Certificates: cert}), https(80, intent.Listener{Certificates: cert, SSLPolicy: "p2"}),
			func(l model.Listener) string { return l.SSLPolicy }, "p2", nil},
		{"the flag's policy otherwise", https(80, intent.Listener{Certificates: cert}), https(80, intent.Listener{Certificates: cert}),
			func(l model.Listener) string { return l.SSLPolicy }, "policy-default", nil},
		{"attributes merge by key", intent.Listener{Port: 80, Protocol: "HTTP", Attributes: map[string]string{"x": "1", "y": "1"}},
			intent.Listener{Port: 80, Protocol: "HTTP", Attributes: map[string]string{"x": "2", "z": "2"}},
			func(l model.Listener) string { return fmt.Sprint(l.Attributes) }, "map[x:1 y:1 z:2]", []string{"second Wrong listeners ConflictingSetting"}},
		{"a port that there is not", intent.Listener{Port: 80, Protocol: "HTTP"}, intent.Listener{Port: 70000, Protocol: "HTTP", Field: "listen-ports"},
			func(l model.Listener) string { return l.Protocol }, "HTTP", []string{"second Wrong listen-ports InvalidListener"}},
		{"a protocol that there is not", intent.Listener{Port: 80, Protocol: "HTTP"}, intent.Listener{Port: 81, Protocol: "TCP"},
			func(l model.Listener) string { return l.Protocol }, "HTTP", []string{"second Wrong listeners InvalidListener"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			got := build.Build(group(with("first", row.a), with("second", row.b)), facts())
			same(t, row.why, "listeners", len(got.Stack.Listeners), 1)
			same(t, row.why, "value", row.read(got.Stack.Listeners[0]), row.want)
			same(t, row.why, "findings", reasons(got), row.findings)
		})
	}
}

func TestLostPortCarriesNoRules(t *testing.T) {
	loser := fragment("second", route("b.example.com", "/", "b"))
	loser.Listeners[0] = intent.Listener{Port: 80, Protocol: "HTTPS", Certificates: []string{certShop}}
	got := build.Build(group(fragment("first", route("a.example.com", "/", "a")), loser), facts())
	same(t, "what was written for HTTPS must not be served in the clear", "rules", rulesOf(got.Stack, 80), []string{"a.example.com /* → a:80"})
}

func TestDefaultAnswers(t *testing.T) {
	a, b := fragment("first"), fragment("second")
	backend := func(name string) *intent.Route { r := route("", "", name); return &r }
	a.Listeners[0].Default, b.Listeners[0].Default = backend("one"), backend("two")
	got := build.Build(group(a, b), facts())
	same(t, "one default a port: the first", "answer", answerText(got.Stack.Listeners[0].DefaultActions), "one:80")
	same(t, "the other one is told", "findings", reasons(got), []string{"second Wrong spec.rules[0] DefaultBackendConflict"})
	same(t, "and gets no target group", "target groups", len(got.Stack.TargetGroups), 1)
}

func TestSSLRedirect(t *testing.T) {
	a, b := fragment("first", route("a.example.com", "/", "a")), fragment("second", route("b.example.com", "/", "b"))
	a.Settings.SSLRedirectPort = 443
	b.Listeners = append(b.Listeners, https(443, intent.Listener{Certificates: []string{certShop}}))
	b.Routes[0].Ports = []int{80, 443}
	got := build.Build(group(a, b), facts())
	same(t, "every HTTP listener of the group", "answer", *got.Stack.Listeners[0].DefaultActions[0].Redirect, model.Redirect{
		Protocol: "HTTPS", Host: "#{host}", Port: "443", Path: "/#{path}", Query: "#{query}", StatusCode: "HTTP_301",
	})
	same(t, "has no rules then", "rules", rulesOf(got.Stack, 80), nil)
	same(t, "HTTPS serves", "rules", rulesOf(got.Stack, 443), []string{"b.example.com /* → b:80"})
}

func TestInbound(t *testing.T) {
	for _, row := range []struct {
		why      string
		a, b     intent.Listener
		address  string
		want     string
		findings []string
	}{
		{"everybody, where nobody is named", intent.Listener{}, intent.Listener{}, "dualstack", "0.0.0.0/0 ::/0", nil},
		{"IPv6 ranges mean nothing without IPv6", intent.Listener{InboundCIDRs: []string{"10.0.0.0/8", "fd00::/8"}}, intent.Listener{}, "ipv4", "10.0.0.0/8", nil},
		{"EC2 keeps the network, not the host", intent.Listener{InboundCIDRs: []string{"10.1.2.3/8"}}, intent.Listener{}, "ipv4", "10.0.0.0/8", nil},
		{"prefix lists instead of everybody", intent.Listener{PrefixLists: []string{"pl-1"}}, intent.Listener{}, "ipv4", "pl-1", nil},
		{"a restriction is not widened by a neighbour", intent.Listener{InboundCIDRs: []string{"10.0.0.0/8"}},
			intent.Listener{InboundCIDRs: []string{"0.0.0.0/0"}}, "ipv4", "10.0.0.0/8", []string{"second Wrong listeners ConflictingSetting"}},
		{"what restricts and is wrong closes", intent.Listener{InboundCIDRs: []string{"ten"}}, intent.Listener{}, "ipv4", "",
			[]string{"first Wrong listeners InvalidValue"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			row.a.Port, row.a.Protocol, row.b.Port, row.b.Protocol = 80, "HTTP", 80, "HTTP"
			a := with("first", row.a)
			a.Settings.IPAddressType = row.address
			f := facts()
			for i := range f.Subnets {
				f.Subnets[i].IPv6 = true
			}
			got := build.Build(group(a, with("second", row.b)), f)
			var who []string
			for _, p := range got.Stack.SecurityGroups[0].Ingress {
				who = append(who, p.CIDR+p.PrefixList)
			}
			same(t, row.why, "admitted", strings.Join(who, " "), row.want)
			same(t, row.why, "findings", reasons(got), row.findings)
		})
	}
}

func TestGivenSecurityGroups(t *testing.T) {
	for _, row := range []struct {
		why      string
		settings intent.Settings
		want     []model.GroupRef
		network  int
		blocked  bool
	}{
		{"IDs and names", intent.Settings{SecurityGroups: []string{"sg-9", "web"}}, []model.GroupRef{{ID: "sg-1"}, {ID: "sg-9"}}, 0, false},
		{"with rules on pods' groups if asked for", intent.Settings{SecurityGroups: []string{"sg-9"}, ManageBackendRules: "true"},
			[]model.GroupRef{{ID: "sg-9"}, {Key: "backend-sg"}}, 1, false},
		{"a name that is not there must not open the load balancer", intent.Settings{SecurityGroups: []string{"gone"}}, nil, 0, true},
		{"a name that is there twice says nothing", intent.Settings{SecurityGroups: []string{"twice"}}, nil, 0, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			one := fragment("web", route("", "/", "front"))
			one.Settings = row.settings
			got := build.Build(group(one), facts())
			same(t, row.why, "blocked", got.Blocked != "", row.blocked)
			if row.blocked {
				same(t, row.why, "findings", reasons(got), []string{"web Wrong securityGroups SecurityGroupNotFound"})
				return
			}
			same(t, row.why, "groups", got.Stack.LoadBalancer.SecurityGroups, row.want)
			same(t, row.why, "no managed group", len(got.Stack.SecurityGroups), 0)
			same(t, row.why, "permissions of pods", len(got.Stack.TargetGroups[0].Backend.Network), row.network)
		})
	}
}

func TestQuotas(t *testing.T) {
	many := func(n int) []intent.Route {
		var out []intent.Route
		for i := range n {
			out = append(out, route(fmt.Sprintf("h%d.example.com", i), "/", fmt.Sprint("s", i)))
		}
		return out
	}
	listeners := func(n int) []intent.Listener {
		var out []intent.Listener
		for i := range n {
			out = append(out, https(1000+i, intent.Listener{Certificates: []string{"arn:1", "arn:2"}}))
		}
		return out
	}
	for _, row := range []struct {
		why      string
		quotas   model.Quotas
		fragment intent.Fragment
		read     func(model.Stack) int
		want     int
		left     int
	}{
		{"100 rules", model.Quotas{TargetGroupsPerLoadBalancer: 500}, fragment("web", many(103)...),
			func(s model.Stack) int { return len(s.Listeners[0].Rules) }, 100, 3},
		{"100 target groups", model.Quotas{RulesPerLoadBalancer: 500}, fragment("web", many(103)...),
			func(s model.Stack) int { return len(s.TargetGroups) }, 100, 1},
		{"listeners", model.Quotas{ListenersPerLoadBalancer: 2}, with("web", listeners(3)...),
			func(s model.Stack) int { return len(s.Listeners) }, 2, 1},
		{"certificates, without the default ones", model.Quotas{CertificatesPerLoadBalancer: 2}, with("web", listeners(3)...),
			func(s model.Stack) int { return len(s.Listeners[2].Certificates) }, 1, 1},
	} {
		t.Run(row.why, func(t *testing.T) {
			f := facts()
			f.Quotas = row.quotas
			for i := range row.fragment.Routes {
				row.fragment.Routes[i].Field = fmt.Sprintf("rule %d", min(i, 102))
			}
			got := build.Build(group(row.fragment), f)
			same(t, row.why, "served", row.read(got.Stack), row.want)
			for _, finding := range got.Findings {
				same(t, row.why, "what does not fit is told", string(finding.Severity)+" "+finding.Reason, "Answered QuotaExceeded")
			}
			if len(got.Findings) < row.left {
				t.Errorf("%d findings, want at least %d", len(got.Findings), row.left)
			}
		})
	}
}

// TestPortsThatAWSHoldsStand where it is not remembered who had which: as after a take-over.
func TestPortsThatAWSHoldsStand(t *testing.T) {
	greedy, quiet := fragment("greedy", route("a.example.com", "/", "a")), fragment("quiet", route("b.example.com", "/", "b"))
	greedy.Listeners, quiet.Listeners = nil, []intent.Listener{{Port: 9999, Protocol: "HTTP"}}
	for n := range 5 {
		greedy.Listeners = append(greedy.Listeners, intent.Listener{Port: 8000 + n, Protocol: "HTTP"})
	}
	f := facts()
	f.Quotas = model.Quotas{ListenersPerLoadBalancer: 3}
	in := group(greedy, quiet)
	in.Observed = []model.Listener{{Port: 9999, Protocol: "HTTP"}}
	got := build.Build(in, f)
	var ports []int
	for _, l := range got.Stack.Listeners {
		ports = append(ports, l.Port)
	}
	same(t, "the neighbour's port is there, and stays", "ports", ports, []int{8000, 8001, 9999})
	for _, found := range got.Findings {
		if found.Object.Name != "greedy" || found.Reason != "QuotaExceeded" {
			t.Errorf("%v", found)
		}
	}
	same(t, "one for each port that has no room", "findings", len(got.Findings), 3)
}
