package build_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// TestNewcomerChangesNothing: a member that comes later, with a smaller order, does not change what those have who are there
// (planning.md §5); it is told, and what nobody had before it gets.
func TestNewcomerChangesNothing(t *testing.T) {
	http := func(l intent.Listener) intent.Fragment {
		l.Port, l.Protocol = 80, "HTTP"
		return intent.Fragment{Listeners: []intent.Listener{l}}
	}
	tls := func(l intent.Listener) intent.Fragment {
		return intent.Fragment{Listeners: []intent.Listener{https(443, l)}}
	}
	settings := func(s intent.Settings) intent.Fragment {
		f := http(intent.Listener{})
		f.Settings = s
		return f
	}
	redirecting := tls(intent.Listener{Certificates: []string{certShop}})
	redirecting.Settings.SSLRedirectPort = 443
	backend := func(name string) *intent.Route { r := route("", "", name); return &r }
	cert := []string{certShop}
	for _, row := range []struct {
		why            string
		newcomer, here intent.Fragment
		read           func(model.Stack) string
		want           string
		told           string
	}{
		{"ranges", http(intent.Listener{InboundCIDRs: []string{"0.0.0.0/0"}}), http(intent.Listener{InboundCIDRs: []string{"10.0.0.0/8"}}),
			admits, "10.0.0.0/8", "listeners ConflictingSetting"},
		{"prefix lists", http(intent.Listener{PrefixLists: []string{"pl-2"}}), http(intent.Listener{PrefixLists: []string{"pl-1"}}),
			admits, "pl-1", "listeners ConflictingSetting"},
		{"policy", tls(intent.Listener{Certificates: cert, SSLPolicy: "weak"}), tls(intent.Listener{Certificates: cert, SSLPolicy: "strong"}),
			func(s model.Stack) string { return s.Listeners[0].SSLPolicy }, "strong", "listeners ConflictingSetting"},
		{"protocol", intent.Fragment{Listeners: []intent.Listener{https(80, intent.Listener{Certificates: cert})}}, http(intent.Listener{}),
			func(s model.Stack) string { return s.Listeners[0].Protocol }, "HTTP", "listeners PortConflict"},
		{"attribute", http(intent.Listener{Attributes: map[string]string{"x": "2", "y": "2"}}), http(intent.Listener{Attributes: map[string]string{"x": "1"}}),
			func(s model.Stack) string { return fmt.Sprint(s.Listeners[0].Attributes) }, "map[x:1 y:2]", "listeners ConflictingSetting"},
		{"default answer", http(intent.Listener{Default: backend("new")}), http(intent.Listener{Default: backend("old")}),
			func(s model.Stack) string { return answerText(s.Listeners[0].DefaultActions) }, "old:80", "spec.rules[0] DefaultBackendConflict"},
		{"default certificate: the other one serves its own hosts beside it", tls(intent.Listener{Certificates: []string{certOther}}),
			tls(intent.Listener{Certificates: cert}), func(s model.Stack) string { return arns(s.Listeners[0]) }, "b,c", ""},
		{"scheme, though the load balancer could not be read", settings(intent.Settings{Scheme: "internet-facing"}), settings(intent.Settings{Scheme: "internal"}),
			func(s model.Stack) string { return s.LoadBalancer.Scheme }, "internal", "scheme ConflictingSetting"},
		{"security groups", settings(intent.Settings{SecurityGroups: []string{"sg-2"}}), settings(intent.Settings{SecurityGroups: []string{"sg-1"}}),
			func(s model.Stack) string { return s.LoadBalancer.SecurityGroups[0].ID }, "sg-1", "securityGroups ConflictingSetting"},
		{"security groups of one's own lift no ranges", settings(intent.Settings{SecurityGroups: []string{"sg-2"}}),
			http(intent.Listener{InboundCIDRs: []string{"10.0.0.0/8"}}), admits, "10.0.0.0/8", "securityGroups ConflictingSetting"},
		{"a redirect cuts nobody off", redirecting, http(intent.Listener{}),
			func(s model.Stack) string { return answerText(s.Listeners[0].DefaultActions) }, "404", "sslRedirectPort ConflictingSetting"},
		{"subnets", settings(intent.Settings{SubnetTags: map[string][]string{"tier": {"front"}}}), settings(intent.Settings{SubnetTags: map[string][]string{"tier": {"back"}}}),
			func(s model.Stack) string { return strings.Join(s.LoadBalancer.Subnets, ",") }, "subnet-a,subnet-b", "subnetTags ConflictingSetting"},
		{"attribute of the load balancer", settings(intent.Settings{Attributes: map[string]string{"x": "2"}}), settings(intent.Settings{Attributes: map[string]string{"x": "1"}}),
			func(s model.Stack) string { return s.LoadBalancer.Attributes["x"] }, "1", "attributes ConflictingSetting"},
		{"tag", settings(intent.Settings{Tags: map[string]string{"team": "new"}}), settings(intent.Settings{Tags: map[string]string{"team": "old"}}),
			func(s model.Stack) string { return s.LoadBalancer.Tags["team"] }, "old", "tags ConflictingSetting"},
	} {
		t.Run(row.why, func(t *testing.T) {
			newcomer, here := row.newcomer, row.here
			newcomer.Member, here.Member = member("newcomer"), member("here")
			in := group(newcomer, here)
			first := build.Build(in, facts())
			if got := row.read(first.Stack); got == row.want {
				t.Fatalf("without a before the first in precedence gets %s too: the row says nothing", got)
			}
			in.Before = []intent.Fragment{here}
			got := build.Build(in, facts())
			same(t, row.why, "value", row.read(got.Stack), row.want)
			var told []string
			if row.told != "" {
				told = []string{"newcomer Wrong " + row.told}
			}
			same(t, row.why, "findings", reasons(got), told)
		})
	}
}

func admits(s model.Stack) string {
	if len(s.SecurityGroups) == 0 {
		return "whom the groups admit"
	}
	var who []string
	for _, p := range s.SecurityGroups[0].Ingress {
		who = append(who, p.CIDR+p.PrefixList)
	}
	return strings.Join(who, " ")
}

// TestNewcomerChangesNoDefault: who asks for nothing stands on what holds then, as if it were written (planning.md §5).
func TestNewcomerChangesNoDefault(t *testing.T) {
	scheme := func(s model.Stack) string { return s.LoadBalancer.Scheme }
	address := func(s model.Stack) string { return s.LoadBalancer.IPAddressType }
	public, open := intent.Settings{Scheme: "internet-facing"}, model.Existing{Scheme: "internet-facing", Subnets: []string{"subnet-c", "subnet-d"}}
	dual := intent.Settings{IPAddressType: "dualstack"}
	for _, row := range []struct {
		why string
		// now are the settings of the members one, two ... and before those that were good.
		now, before []intent.Settings
		existing    *model.Existing
		read        func(model.Stack) string
		want        string
		told        []string
	}{
		{"a scheme", []intent.Settings{{}, public}, []intent.Settings{{}}, nil, scheme, "internal", []string{"two Wrong scheme ConflictingSetting"}},
		{"who stands may not change it for others either", []intent.Settings{{}, public}, []intent.Settings{{}, {}}, nil, scheme, "internal",
			[]string{"two Wrong scheme ConflictingSetting"}},
		{"not even who wrote the default", []intent.Settings{{}, public}, []intent.Settings{{}, {Scheme: "internal"}}, nil, scheme, "internal",
			[]string{"two Wrong scheme ConflictingSetting"}},
		{"two of three", []intent.Settings{{}, public, public}, []intent.Settings{{}, {}, {}}, nil, scheme, "internal",
			[]string{"three Wrong scheme ConflictingSetting", "two Wrong scheme ConflictingSetting"}},
		{"all agree", []intent.Settings{public, public}, []intent.Settings{{}, {}}, nil, scheme, "internet-facing", nil},
		{"one that is alone changes its own", []intent.Settings{public}, []intent.Settings{{}}, nil, scheme, "internet-facing", nil},
		{"who joins with it is not in the way", []intent.Settings{public, {}}, []intent.Settings{{}}, nil, scheme, "internet-facing", nil},
		{"nobody stands", []intent.Settings{{}, public}, nil, nil, scheme, "internet-facing", nil},
		{"it was chosen long ago", []intent.Settings{{}, public}, []intent.Settings{{}, public}, &open, scheme, "internet-facing", nil},
		{"and is chosen while the other load balancer is not there yet", []intent.Settings{{}, public}, []intent.Settings{{}, public},
			&model.Existing{Scheme: "internal", Subnets: []string{"subnet-a", "subnet-b"}}, scheme, "internet-facing", nil},
		{"what is remembered was lost in part", []intent.Settings{{}, public}, []intent.Settings{{}}, &open, scheme, "internet-facing", nil},
		{"the default, said aloud", []intent.Settings{{}, {Scheme: "internal"}}, []intent.Settings{{}}, nil, scheme, "internal", nil},
		{"addresses", []intent.Settings{{}, dual}, []intent.Settings{{}}, nil, address, "ipv4", []string{"two Wrong ipAddressType ConflictingSetting"}},
		{"who chose the addresses chooses others", []intent.Settings{{}, {IPAddressType: "ipv4"}}, []intent.Settings{{}, dual},
			&model.Existing{Scheme: "internal", IPAddressType: "dualstack", Subnets: []string{"subnet-a", "subnet-b"}}, address, "ipv4", nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			members := func(all []intent.Settings) []intent.Fragment {
				var out []intent.Fragment
				for i, s := range all {
					f := fragment([]string{"one", "two", "three"}[i])
					f.Settings = s
					out = append(out, f)
				}
				return out
			}
			in, world := group(members(row.now)...), facts()
			in.Before, world.Existing = members(row.before), row.existing
			for i := range world.Subnets {
				world.Subnets[i].IPv6 = true
			}
			got := build.Build(in, world)
			same(t, row.why, "value", row.read(got.Stack), row.want)
			same(t, row.why, "findings", reasons(got), row.told)
		})
	}
}

// TestWhatNobodyAsksForAnyMoreGivesWay: what was applied counts only while its member asks for it.
func TestWhatNobodyAsksForAnyMoreGivesWay(t *testing.T) {
	policy := func(name, policy string) intent.Fragment {
		return with(name, https(443, intent.Listener{Certificates: []string{certShop}, SSLPolicy: policy}))
	}
	in := group(policy("newcomer", "new"), policy("here", "edited"))
	in.Before = []intent.Fragment{policy("here", "old"), policy("gone", "edited")}
	got := build.Build(in, facts())
	same(t, "its owner changed its mind, and so both ask anew", "policy", got.Stack.Listeners[0].SSLPolicy, "new")
	same(t, "the second in precedence is told", "findings", reasons(got), []string{"here Wrong listeners ConflictingSetting"})

	alone := group(policy("here", "edited"))
	alone.Before = in.Before
	got = build.Build(alone, facts())
	same(t, "an edit of one's own is no conflict", "policy", got.Stack.Listeners[0].SSLPolicy, "edited")
	same(t, "nobody is told", "findings", reasons(got), nil)
}
