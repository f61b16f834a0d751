package build_test

import (
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

func TestTargetsOfAGroup(t *testing.T) {
	admit := func(ports ...int) []model.Permission {
		var out []model.Permission
		for _, p := range ports {
			out = append(out, model.Permission{Protocol: "tcp", FromPort: p, ToPort: p, Source: model.GroupRef{Key: "backend-sg"}})
		}
		return out
	}
	type result struct {
		Kind          string
		Port, Control int
		Backend       model.Backend
		Findings      []string
	}
	pods := model.Backend{Namespace: "shop", Service: "a", Port: "80", Network: admit(8080)}
	for _, row := range []struct {
		why      string
		group    intent.GroupSettings
		nodePort int
		want     result
	}{
		{"pods by default", intent.GroupSettings{}, 30080, result{Kind: "ip", Port: 8080, Backend: pods}},
		{
			"nodes have the node port", intent.GroupSettings{TargetType: "instance", Nodes: "role=web"}, 30080,
			result{Kind: "instance", Port: 30080, Backend: model.Backend{Namespace: "shop", Service: "a", Port: "80", Nodes: "role=web", Network: admit(30080)}},
		},
		{
			"pods have no labels of nodes", intent.GroupSettings{Nodes: "role=web"}, 0,
			result{Kind: "ip", Port: 8080, Backend: pods, Findings: []string{"web Warning nodes NoEffect"}},
		},
		{
			"several clusters", intent.GroupSettings{MultiCluster: true}, 0,
			result{Kind: "ip", Port: 8080, Backend: model.Backend{Namespace: "shop", Service: "a", Port: "80", MultiCluster: true, Network: admit(8080)}},
		},
		{
			"the control port is admitted too", intent.GroupSettings{ControlPort: 3000}, 0,
			result{Kind: "ip", Port: 8080, Control: 3000, Backend: model.Backend{Namespace: "shop", Service: "a", Port: "80", Network: admit(8080, 3000)}},
		},
		{"nodes have no control port", intent.GroupSettings{ControlPort: 3000, TargetType: "instance"}, 30080, result{Findings: []string{"web Wrong controlPort InvalidTargets"}}},
		{"a control port is a port", intent.GroupSettings{ControlPort: 65536}, 0, result{Findings: []string{"web Wrong controlPort InvalidTargets"}}},
		{"a selector that nobody can read", intent.GroupSettings{TargetType: "instance", Nodes: intent.InvalidSelector}, 30080, result{Findings: []string{"web Wrong nodes InvalidTargets"}}},
		{"nodes without a node port", intent.GroupSettings{TargetType: "instance"}, 0, result{Findings: []string{"web Answered targetType TargetTypeInstance"}}},
	} {
		r := route("shop.example.com", "/", "a")
		r.Forward.Backends[0].Service.Group, r.Forward.Backends[0].Service.NodePort = row.group, row.nodePort
		got := build.Build(group(fragment("web", r)), facts())
		have := result{Findings: reasons(got)}
		if len(got.Stack.TargetGroups) > 0 {
			g := got.Stack.TargetGroups[0]
			have.Kind, have.Port, have.Control, have.Backend = g.TargetType, g.Port, g.ControlPort, g.Backend
		}
		same(t, row.why, "group", have, row.want)
	}
}

// TestAddressesOfAGroup: a target group has the addresses of the Service's first family, or of the one that is asked for, where the Service has it.
func TestAddressesOfAGroup(t *testing.T) {
	for _, row := range []struct {
		why       string
		six, both bool
		asked     string
		want      string
		findings  []string
	}{
		{why: "the first family", want: "ipv4"},
		{why: "the first family is IPv6", six: true, want: "ipv6"},
		{why: "the second is asked for", both: true, asked: "ipv6", want: "ipv6"},
		{why: "the second is IPv4", six: true, both: true, asked: "ipv4", want: "ipv4"},
		{why: "the Service has no other", asked: "ipv6", findings: []string{"web Wrong ipAddressType AddressTypeMismatch"}},
		{why: "no type", asked: "ipx", findings: []string{"web Wrong ipAddressType InvalidValue"}},
	} {
		f := fragment("web", route("", "/", "a"))
		f.Settings.IPAddressType = "dualstack"
		s := f.Routes[0].Forward.Backends[0].Service
		s.IPv6, s.DualStack, s.Group.IPAddressType = row.six, row.both, row.asked
		world := facts()
		for i := range world.Subnets {
			world.Subnets[i].IPv6 = true
		}
		got := build.Build(group(f), world)
		family := ""
		if len(got.Stack.TargetGroups) > 0 {
			family = got.Stack.TargetGroups[0].IPAddressType
		}
		same(t, row.why, "family", family, row.want)
		same(t, row.why, "findings", reasons(got), row.findings)
	}
}
