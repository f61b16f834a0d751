package build_test

import (
	"strings"
	"testing"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// TestAddressTypeNeedsItsSubnets: AWS gives no IPv6 addresses to a load balancer that stands in subnets without any.
func TestAddressTypeNeedsItsSubnets(t *testing.T) {
	for _, row := range []struct {
		why    string
		asks   string
		subnet []string
		edit   func(*model.Facts)
		reason string
		gets   string
	}{
		{why: "one of its subnets has no IPv6 block", asks: "dualstack", edit: func(f *model.Facts) { f.Subnets[0].IPv6 = true },
			reason: "web Wrong ipAddressType SubnetsNotUsable"},
		{why: "all of them have", asks: "dualstack", edit: func(f *model.Facts) { f.Subnets[0].IPv6, f.Subnets[1].IPv6 = true, true }, gets: "dualstack"},
		{why: "who names others, too, is told by these", asks: "dualstack", subnet: []string{"subnet-a", "subnet-b"},
			edit: func(*model.Facts) {}, reason: "web Wrong subnets SubnetsNotUsable"},
		{why: "what AWS has it has", asks: "dualstack", edit: func(f *model.Facts) { f.Existing.IPAddressType = "dualstack" }, gets: "dualstack"},
		{why: "IPv4 needs none", edit: func(*model.Facts) {}, gets: "ipv4"},
	} {
		one := fragment("web", route("", "/", "front"))
		one.Settings.IPAddressType, one.Settings.Subnets = row.asks, row.subnet
		f := facts()
		f.Existing = &model.Existing{Scheme: "internal", IPAddressType: "ipv4", Subnets: []string{"subnet-a", "subnet-b"}}
		row.edit(&f)
		got := build.Build(group(one, fragment("other", route("o.example.com", "/", "front"))), f)
		if row.reason == "" {
			same(t, row.why, "findings", len(got.Findings), 0)
			same(t, row.why, "address type", got.Stack.LoadBalancer.IPAddressType, row.gets)
			continue
		}
		if diff := reasons(got); len(diff) != 1 || diff[0] != row.reason {
			t.Errorf("%s: findings %v, want %s", row.why, diff, row.reason)
			continue
		}
		if text := got.Findings[0].Message; !strings.Contains(text, "subnet-") || !strings.Contains(text, "IPv6") {
			t.Errorf("%s: %q does not name the subnet", row.why, text)
		}
	}
}

// TestAddressTypeOfAnotherMember: who chose the subnets is right; who wants of them what they have not is told, and nobody is blocked.
func TestAddressTypeOfAnotherMember(t *testing.T) {
	named, tagged := []string{"subnet-a", "subnet-b"}, map[string][]string{"tier": {"back"}}
	for _, row := range []struct {
		why   string
		owner intent.Settings
		edit  func(*model.Facts)
		want  []string
	}{
		{why: "subnets by name", owner: intent.Settings{Subnets: named}, want: []string{"asks Wrong ipAddressType SubnetsNotUsable"}},
		{why: "subnets by tags", owner: intent.Settings{SubnetTags: tagged}, want: []string{"asks Wrong ipAddressType SubnetsNotUsable"}},
		{why: "the owner wants it as well", owner: intent.Settings{Subnets: named, IPAddressType: "dualstack"},
			want: []string{"owner Wrong subnets SubnetsNotUsable"}},
		{why: "the load balancer has IPv6 addresses: other subnets would take them away", owner: intent.Settings{Subnets: named},
			edit: func(f *model.Facts) { f.Existing.IPAddressType = "dualstack" }, want: []string{"owner Wrong subnets SubnetsNotUsable"}},
		{why: "the subnets would not do in any case", owner: intent.Settings{Subnets: named[:1]}, want: []string{"owner Wrong subnets SubnetsNotUsable"}},
		{why: "a subnet that is not there", owner: intent.Settings{Subnets: []string{"subnet-a", "gone"}},
			want: []string{"owner Wrong subnets SubnetNotFound", "owner Wrong subnets SubnetsNotUsable"}},
		{why: "they have it", owner: intent.Settings{Subnets: named}, edit: func(f *model.Facts) { f.Subnets[0].IPv6, f.Subnets[1].IPv6 = true, true }},
	} {
		owner, asks := fragment("owner", route("", "/", "front")), fragment("asks", route("o.example.com", "/", "front"))
		owner.Settings, asks.Settings = row.owner, intent.Settings{IPAddressType: "dualstack"}
		f := facts()
		f.Existing = &model.Existing{Scheme: "internal", IPAddressType: "ipv4", Subnets: named}
		if row.edit != nil {
			row.edit(&f)
		}
		got := build.Build(group(owner, asks), f)
		same(t, row.why, "findings", reasons(got), row.want)
		same(t, row.why, "blocked", got.Blocked != "", len(row.want) > 0 && strings.HasPrefix(row.want[0], "owner"))
		if len(row.want) > 0 && strings.HasPrefix(row.want[0], "asks") && !strings.Contains(got.Findings[0].Message, "subnet-a, subnet-b") {
			t.Errorf("%s: %q does not name the subnets", row.why, got.Findings[0].Message)
		}
	}
}

// TestNameOfSeveralSubnets: a Name tag that is on several does not say which is meant.
func TestNameOfSeveralSubnets(t *testing.T) {
	for _, row := range []struct {
		why      string
		settings intent.Settings
	}{
		{"of the load balancer", intent.Settings{Subnets: []string{"alpha", "subnet-b"}}},
		{"of the frontend", intent.Settings{Frontend: &intent.Frontend{Enabled: "true", Subnets: []string{"alpha", "subnet-b"}}}},
	} {
		one := fragment("web", route("", "/", "front"))
		one.Settings = row.settings
		f := facts()
		f.Subnets[2].Tags["Name"] = "alpha"
		got := build.Build(group(one), f)
		if len(got.Findings) == 0 || !strings.Contains(got.Findings[0].Message, "alpha") ||
			!strings.Contains(got.Findings[0].Message, "subnet-a, subnet-c") {
			t.Errorf("%s: %v: want a finding that lists the IDs", row.why, got.Findings)
		}
	}
}
