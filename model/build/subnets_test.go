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
