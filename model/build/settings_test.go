package build_test

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

func TestExclusiveSettings(t *testing.T) {
	internal, public := intent.Settings{Scheme: "internal"}, intent.Settings{Scheme: "internet-facing"}
	lb := func(r build.Result) model.LoadBalancer { return *r.Stack.LoadBalancer }
	scheme := func(r build.Result) string { return lb(r).Scheme }
	address := func(r build.Result) string { return lb(r).IPAddressType }
	for _, row := range []struct {
		why      string
		first    intent.Settings
		second   intent.Settings
		existing *model.Existing
		read     func(build.Result) string
		want     string
		findings []string
	}{
		{"the first in precedence counts", internal, public, nil, scheme, "internal", []string{"second Wrong scheme ConflictingSetting"}},
		{"members that agree are right", public, public, nil, scheme, "internet-facing", nil},
		{"who does not ask agrees with all", intent.Settings{}, public, nil, scheme, "internet-facing", nil},
		{"a newcomer cannot replace the load balancer under everyone", internal, public,
			&model.Existing{Scheme: "internet-facing", Subnets: []string{"subnet-c", "subnet-d"}}, scheme, "internet-facing",
			[]string{"first Wrong scheme ConflictingSetting"}},
		{"what nobody asks for any more does not stay", internal, internal, &model.Existing{Scheme: "internet-facing"}, scheme, "internal", nil},
		{"a value that AWS does not know is its owner's mistake", intent.Settings{Scheme: "public"}, public, nil, scheme, "internet-facing",
			[]string{"first Wrong scheme InvalidValue"}},
		{"the finding names the field that the user wrote", internal,
			intent.Settings{Scheme: "internet-facing", Fields: map[string]string{"scheme": "alb.ingress.kubernetes.io/scheme"}}, nil, scheme, "internal",
			[]string{"second Wrong alb.ingress.kubernetes.io/scheme ConflictingSetting"}},
		{"public IPv4 can be missing only where there are public addresses", intent.Settings{IPAddressType: "dualstack-without-public-ipv4"}, intent.Settings{},
			nil, address, "ipv4", []string{"first Wrong ipAddressType InvalidValue"}},
		{"a name AWS refuses", intent.Settings{Name: "internal-web"}, intent.Settings{Name: "web"}, nil,
			func(r build.Result) string { return lb(r).Name }, "web", []string{"first Wrong name InvalidValue"}},
		{"a redirect to a port that nobody listens on would be a dead end", intent.Settings{SSLRedirectPort: 443}, intent.Settings{}, nil,
			func(r build.Result) string { return answerText(r.Stack.Listeners[0].DefaultActions) }, "404",
			[]string{"first Wrong sslRedirectPort InvalidValue"}},
	} {
		t.Run(row.why, func(t *testing.T) {
			a, b := fragment("first", route("a.example.com", "/", "a")), fragment("second", route("b.example.com", "/", "b"))
			a.Settings, b.Settings = row.first, row.second
			f := facts()
			f.Existing = row.existing
			got := build.Build(group(a, b), f)
			same(t, row.why, "value", row.read(got), row.want)
			same(t, row.why, "findings", reasons(got), row.findings)
			same(t, row.why, "rules of both stay", len(rulesOf(got.Stack, 80)), 2)
		})
	}
}

func TestNames(t *testing.T) {
	for name, ok := range map[string]bool{
		"web": true, "web-1": true, "-web": false, "web-": false, "a--b": false, "w_b": false, "internal-x": false,
		strings.Repeat("a", 32): true, strings.Repeat("a", 33): false,
	} {
		one := fragment("web")
		one.Settings.Name = name
		got := build.Build(group(one), facts())
		same(t, "names as the API takes them", name, len(got.Findings) == 0, ok)
	}
}

func TestMapsMergeByKey(t *testing.T) {
	a, b := fragment("first"), fragment("second")
	a.Settings = intent.Settings{
		Attributes: map[string]string{"idle": "60", "drop": "true"}, Tags: map[string]string{"team": "a"},
		EnforcedAttributes: map[string]string{"log": "on"},
	}
	b.Settings = intent.Settings{
		Attributes: map[string]string{"idle": "90", "http2": "true", "log": "off"}, Tags: map[string]string{"team": "b", "env": "x"},
	}
	got := build.Build(group(a, b), facts())
	same(t, "what a class enforces wins, then the first member", "attributes", got.Stack.LoadBalancer.Attributes,
		map[string]string{"idle": "60", "drop": "true", "http2": "true", "log": "on"})
	same(t, "the same for tags", "team", got.Stack.LoadBalancer.Tags["team"], "a")
	same(t, "keys without a conflict add up", "env", got.Stack.LoadBalancer.Tags["env"], "x")
	same(t, "only losers are told", "findings", reasons(got), []string{
		"second Wrong attributes ConflictingSetting", "second Warning attributes OverriddenByClass", "second Wrong tags ConflictingSetting",
	})
}

func TestTagsThatUsersMayNotSet(t *testing.T) {
	many := map[string]string{}
	for i := range 60 {
		many["k"+strconv.Itoa(i)] = "v"
	}
	for _, row := range []struct {
		why  string
		tags map[string]string
		bad  int
	}{
		{"the cluster tag says who owns it", map[string]string{"elbv2.k8s.aws/cluster": "other"}, 1},
		{"so does the stack tag", map[string]string{"ingress.k8s.aws/stack": "x"}, 1},
		{"AWS keeps aws: for itself", map[string]string{"aws:x": "y"}, 1},
		{"a key has at most 128 characters", map[string]string{strings.Repeat("k", 129): "v"}, 1},
		{"a value has at most 256 characters", map[string]string{"k": strings.Repeat("v", 257)}, 1},
		{"AWS takes 50 tags, of which 3 are ours", many, 13},
		{"an ordinary tag", map[string]string{"team": "a"}, 0},
	} {
		one := fragment("web")
		one.Settings.Tags = row.tags
		got := build.Build(group(one), facts())
		same(t, row.why, "findings", len(got.Findings), row.bad)
		same(t, row.why, "ownership", got.Stack.LoadBalancer.Tags["elbv2.k8s.aws/cluster"], "demo")
		same(t, row.why, "tags left", len(got.Stack.LoadBalancer.Tags), len(row.tags)-row.bad+3)
	}
}

func TestSubnetsThatArePassedOverAreNamed(t *testing.T) {
	for _, row := range []struct {
		why      string
		settings intent.Settings
		change   func(*model.Facts)
		want     string
	}{
		{why: "no IPv6", settings: intent.Settings{IPAddressType: "dualstack"},
			want: "are none (subnet-a has no IPv6 block, which a load balancer of type dualstack needs, subnet-b has no IPv6 block, which"},
		{why: "full", change: func(f *model.Facts) { f.Subnets[0].FreeAddresses = 7 },
			want: "are in one zone only, and an application load balancer needs two (subnet-a has fewer than 8 free addresses); tag"},
		{why: "another cluster's", change: func(f *model.Facts) { f.Subnets[0].Tags["kubernetes.io/cluster/other"] = "owned" },
			want: "(subnet-a is tagged for another cluster); tag"},
		{why: "an empty VPC has none to pass over", change: func(f *model.Facts) { f.Subnets = nil }, want: "are none; tag one"},
	} {
		world := facts()
		if row.change != nil {
			row.change(&world)
		}
		got := build.Build(group(intent.Fragment{Settings: row.settings}), world)
		if text := got.Findings[0].Message; !strings.Contains(text, row.want) {
			t.Errorf("%s: %q does not say %q", row.why, text, row.want)
		}
	}
}

func TestSubnets(t *testing.T) {
	for _, row := range []struct {
		why      string
		settings intent.Settings
		change   func(*model.Facts)
		want     string
		reason   string
	}{
		{why: "role tags of the scheme", settings: intent.Settings{Scheme: "internet-facing"}, want: "subnet-c,subnet-d"},
		{why: "IDs and names are taken as they are", settings: intent.Settings{Subnets: []string{"subnet-b", "alpha"}}, want: "subnet-a,subnet-b"},
		{why: "tags select", settings: intent.Settings{SubnetTags: map[string][]string{"tier": {"front", "edge"}}}, want: "subnet-c,subnet-d"},
		{why: "without role tags the way to the internet decides", change: func(f *model.Facts) {
			for i := range f.Subnets {
				delete(f.Subnets[i].Tags, "kubernetes.io/role/internal-elb")
			}
		}, want: "subnet-a,subnet-b"},
		{why: "a load balancer that exists keeps its subnets", change: func(f *model.Facts) {
			f.Existing = &model.Existing{Scheme: "internal", Subnets: []string{"subnet-z", "subnet-y"}}
		}, want: "subnet-y,subnet-z"},
		{why: "one a zone, the lowest ID", change: func(f *model.Facts) {
			f.Subnets = append(f.Subnets, model.Subnet{ID: "subnet-0", Zone: "1a", ZoneType: "availability-zone", FreeAddresses: 100,
				Tags: map[string]string{"kubernetes.io/role/internal-elb": ""}})
		}, want: "subnet-0,subnet-b"},
		{why: "the tag of this cluster before the ID", change: func(f *model.Facts) {
			f.Subnets = append(f.Subnets, model.Subnet{ID: "subnet-z", Zone: "1a", ZoneType: "availability-zone", FreeAddresses: 100,
				Tags: map[string]string{"kubernetes.io/role/internal-elb": "1", "kubernetes.io/cluster/demo": "shared"}})
		}, want: "subnet-b,subnet-z"},
		{why: "subnets of another cluster are not ours", change: func(f *model.Facts) {
			f.Subnets[0].Tags["kubernetes.io/cluster/other"] = "owned"
		}, reason: "SubnetsNotUsable"},
		{why: "a full subnet cannot take a load balancer", change: func(f *model.Facts) { f.Subnets[0].FreeAddresses = 7 }, reason: "SubnetsNotUsable"},
		{why: "dual stack needs IPv6 in the subnets", settings: intent.Settings{IPAddressType: "dualstack"}, reason: "SubnetsNotUsable"},
		{why: "also where they are named", settings: intent.Settings{IPAddressType: "dualstack", Subnets: []string{"alpha", "beta"}}, reason: "SubnetsNotUsable"},
		{why: "two subnets of one zone", settings: intent.Settings{Subnets: []string{"subnet-a", "subnet-c"}}, reason: "SubnetsNotUsable"},
		{why: "one zone is too few", settings: intent.Settings{Subnets: []string{"subnet-a"}}, reason: "SubnetsNotUsable"},
		{why: "one local zone is enough", settings: intent.Settings{Subnets: []string{"subnet-a"}}, want: "subnet-a",
			change: func(f *model.Facts) { f.Subnets[0].ZoneType = "local-zone" }},
		{why: "zones of one type", settings: intent.Settings{Subnets: []string{"subnet-a", "subnet-b"}}, reason: "SubnetsNotUsable",
			change: func(f *model.Facts) { f.Subnets[0].ZoneType = "local-zone" }},
		{why: "a name that is not there, never by half", settings: intent.Settings{Subnets: []string{"subnet-a", "subnet-b", "gone"}}, reason: "SubnetNotFound"},
		{why: "an empty VPC", change: func(f *model.Facts) { f.Subnets = nil }, reason: "SubnetsNotUsable"},
	} {
		t.Run(row.why, func(t *testing.T) {
			one := fragment("web", route("", "/", "front"))
			one.Settings = row.settings
			f := facts()
			for i := range f.Subnets {
				f.Subnets[i].Tags = maps.Clone(f.Subnets[i].Tags)
			}
			if row.change != nil {
				row.change(&f)
			}
			got := build.Build(group(one), f)
			if row.reason != "" {
				same(t, row.why, "blocked", got.Blocked != "", true)
				same(t, row.why, "a blocked build has no stack", got.Stack, model.Stack{Owner: group().Owner})
				same(t, row.why, "reason", slices.ContainsFunc(got.Findings, func(f model.Finding) bool { return f.Reason == row.reason }), true)
				return
			}
			same(t, row.why, "subnets", strings.Join(got.Stack.LoadBalancer.Subnets, ","), row.want)
			same(t, row.why, "findings", reasons(got), nil)
		})
	}
}

func TestSubnetsOfAConflict(t *testing.T) {
	a, b := fragment("first"), fragment("second")
	a.Settings.Subnets, b.Settings.Subnets = []string{"subnet-a", "subnet-b"}, []string{"beta", "alpha"}
	same(t, "names and IDs of the same subnets are no conflict, whatever their order", "findings", reasons(build.Build(group(a, b), facts())), nil)
	b.Settings.Subnets = []string{"subnet-c", "subnet-d"}
	same(t, "others are", "findings", reasons(build.Build(group(a, b), facts())), []string{"second Wrong subnets ConflictingSetting"})
}

func TestHeldMemberKeepsTheScheme(t *testing.T) {
	f := facts()
	f.Existing = &model.Existing{Name: "x", Scheme: "internet-facing", Subnets: []string{"subnet-c", "subnet-d"}}
	held := intent.Fragment{Member: member("broken"), Held: []intent.HeldRule{{Port: 80, Rule: model.Rule{
		Conditions: []model.Condition{{Field: "path-pattern", Values: []string{"/*"}}},
		Actions:    []model.Action{{Type: "forward", Forward: &model.Forward{Groups: []model.WeightedGroup{{Key: "k", Weight: 1}}}}},
	}}}, Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP"}}}
	got := build.Build(group(held), f)
	same(t, "what a broken member asked for is not known, and the address must not go", "scheme", got.Stack.LoadBalancer.Scheme, "internet-facing")
	same(t, "its rules stay", "rules", rulesOf(got.Stack, 80), []string{"/* → k"})
}

func TestNoTagClaimsAnOwner(t *testing.T) {
	for _, key := range []string{
		"elbv2.k8s.aws/cluster", "ingress.k8s.aws/stack", "ingress.k8s.aws/resource", "service.k8s.aws/stack", "gateway.k8s.aws.alb/stack",
		"gateway.k8s.aws.nlb/resource", "elbv2.k8s.aws/resource", "aga.k8s.aws/stack",
	} {
		in := group(intent.Fragment{Settings: intent.Settings{Tags: map[string]string{key: "victim"}}})
		in.Owner = model.Owner{Cluster: "demo", Prefix: model.PrefixGatewayALB, Stack: "infra/gw"}
		got := build.Build(in, facts())
		if got.Stack.LoadBalancer.Tags[key] == "victim" || len(got.Findings) != 1 || got.Findings[0].Reason != "InvalidTag" {
			t.Errorf("invariant 5: the tag %s: %v, findings %v", key, got.Stack.LoadBalancer.Tags, got.Findings)
		}
	}
}
