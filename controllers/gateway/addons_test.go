package gateway

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

func TestAddonsOfAGateway(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why, class, gateway string
		want                intent.Addons
	}{
		{"nobody asks", `{}`, `{}`, intent.Addons{}},
		{"everything", `{}`, `{wafV2: {webACL: arn}, shieldConfiguration: {enabled: true}, minimumLoadBalancerCapacity: {capacityUnits: 100},
			ipv4IPAMPoolId: ipam-pool-1, customerOwnedIpv4Pool: ipv4pool-coip-1}`,
			intent.Addons{WebACL: "arn", Protection: "true", CapacityUnits: "100", IPAMPool: "ipam-pool-1", CustomerOwnedPool: "ipv4pool-coip-1"}},
		{"taken away", `{}`, `{wafV2: {webACL: None}, shieldConfiguration: {}, minimumLoadBalancerCapacity: {capacityUnits: 0}}`,
			intent.Addons{WebACL: "none", Protection: "false", CapacityUnits: "0"}},
		{"the merge loses nothing", `{minimumLoadBalancerCapacity: {capacityUnits: 100}}`, `{wafV2: {webACL: arn}}`,
			intent.Addons{WebACL: "arn", CapacityUnits: "100"}},
		{"the class counts", `{wafV2: {webACL: a}}`, `{wafV2: {webACL: b}}`, intent.Addons{WebACL: "a"}},
	} {
		s := snapshotOf(t, twoListeners)
		s.ClassConfig, s.GatewayConfig = configOf(t, "class", c.class), configOf(t, "gateway", c.gateway)
		if diff := cmp.Diff(c.want, verdictOf(s).Intent.Fragments[0].Settings.Addons); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

// TestSwitchedOff (invariant 8): a firewall that flags leave out closes, all else is told.
func TestSwitchedOff(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		spec, answer string
		want         []string
	}{
		{`{wafV2: {webACL: arn}}`, "503", []string{"Closed LoadBalancerConfiguration c-ns/c spec.wafV2"}},
		{`{wafV2: {webACL: none}}`, "forward", nil},
		{`{shieldConfiguration: {enabled: true}}`, "forward", []string{"Warning LoadBalancerConfiguration c-ns/c spec.shieldConfiguration"}},
		{`{shieldConfiguration: {enabled: false}}`, "forward", nil},
		{`{minimumLoadBalancerCapacity: {capacityUnits: 5}}`, "forward",
			[]string{"Warning LoadBalancerConfiguration c-ns/c spec.minimumLoadBalancerCapacity"}},
	} {
		s := snapshotOf(t, `[{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}}]`, routeWith(`{backendRefs: [{name: web, port: 80}]}`))
		s.GatewayConfig = configOf(t, "c", c.spec)
		v := Judge(s, Settings{ClusterName: "c", DefaultTargetType: "ip", Without: model.Addons()}, Owner("c", types.NamespacedName{Namespace: "infra", Name: "gw"}))
		if diff := cmp.Diff(c.want, told(v.Findings)); diff != "" || len(v.Intent.Fragments[0].Settings.Addons.Asked()) > 0 {
			t.Errorf("%s: %s", c.spec, diff)
		}
		if got := answer(v.routes[0].fragment.Routes[0]); got != c.answer {
			t.Errorf("%s: %s, want %s", c.spec, got, c.answer)
		}
	}
}

// TestFirewallOfNowStandsBeforeAGoodGateway (invariant 8): a mistake elsewhere in the Gateway does not keep it open.
func TestFirewallOfNowStandsBeforeAGoodGateway(t *testing.T) {
	t.Parallel()
	s := snapshotOf(t, twoListeners)
	good := verdictOf(s).Intent.Fragments[0]
	s.GatewayConfig = configOf(t, "c", `{wafV2: {webACL: arn}}`)
	got := verdictOf(s).Request().Permit(good).Settings
	if got.Addons.WebACL != "arn" || got.Fields[string(model.AddonWebACL)] == "" {
		t.Errorf("%+v", got)
	}
	s.GatewayConfig = nil
	if kept := verdictOf(s).Request().Permit(verdictOf(s).Intent.Fragments[0]).Settings; len(kept.Addons.Asked()) > 0 {
		t.Errorf("%+v", kept)
	}
}
