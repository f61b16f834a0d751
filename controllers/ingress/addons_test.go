package ingress

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const aclA, aclB = "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/a/1", "arn:aws:wafv2:us-west-2:123456789012:regional/webacl/b/2"

func TestAddonsOfAMember(t *testing.T) {
	const prefix = annotations.IngressPrefix
	for _, row := range []struct {
		why   string
		pairs []string
		class elbv2v1beta1.IngressClassParamsSpec
		want  intent.Addons
		field string
	}{
		{why: "nobody asks"},
		{why: "an ARN", pairs: []string{annotations.WAFv2ARN, aclA}, want: intent.Addons{WebACL: aclA}, field: prefix + "wafv2-acl-arn"},
		{
			why: "a name beats an ARN", pairs: []string{annotations.WAFv2ARN, aclA, annotations.WAFv2Name, "b"},
			want: intent.Addons{WebACL: aclA, WebACLName: "b"}, field: prefix + "wafv2-acl-name",
		},
		{why: "none, in any writing", pairs: []string{annotations.WAFv2ARN, "None"}, want: intent.Addons{WebACL: "none"}, field: prefix + "wafv2-acl-arn"},
		{
			why: "what the class says counts", pairs: []string{annotations.WAFv2Name, "b"}, class: elbv2v1beta1.IngressClassParamsSpec{WAFv2ACLArn: aclA},
			want: intent.Addons{WebACL: aclA}, field: "IngressClassParams p spec.wafv2AclArn",
		},
		{why: "classic", pairs: []string{annotations.WAFClassic, "x", annotations.WAFClassicDeprecated, "y"}, want: intent.Addons{ClassicWebACL: "x"}},
		{why: "its older spelling", pairs: []string{annotations.WAFClassicDeprecated, "y"}, want: intent.Addons{ClassicWebACL: "y"}},
		{
			why: "everything else", pairs: []string{
				annotations.ShieldProtection, "false", annotations.MinimumCapacity, "CapacityUnits=0", annotations.IPAMPool, "ipam-pool-1",
				annotations.CustomerOwnedPool, "ipv4pool-coip-1",
			},
			want: intent.Addons{Protection: "false", CapacityUnits: "0", IPAMPool: "ipam-pool-1", CustomerOwnedPool: "ipv4pool-coip-1"},
		},
		{
			why: "of the class", pairs: []string{annotations.MinimumCapacity, "CapacityUnits=1", annotations.IPAMPool, "ipam-pool-1"},
			class: elbv2v1beta1.IngressClassParamsSpec{
				MinimumLoadBalancerCapacity: &elbv2v1beta1.MinimumLoadBalancerCapacity{CapacityUnits: 200},
				IPAMConfiguration:           &elbv2v1beta1.IPAMConfiguration{IPv4IPAMPoolID: new("ipam-pool-2")},
			},
			want: intent.Addons{CapacityUnits: "200", IPAMPool: "ipam-pool-2"},
		},
	} {
		f, findings := made(t, newIngress(row.pairs...), newService("web"), newClass("alb", "p"), newParams(row.class))
		mustBeClean(t, findings)
		if diff := cmp.Diff(row.want, f.Settings.Addons); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
		if got := f.Settings.Fields[string(model.AddonWebACL)]; row.field != got {
			t.Errorf("%s: written at %q, want %q", row.why, got, row.field)
		}
	}
}

// TestFirewallThatIsSwitchedOffCloses: flags leave services out, and what restricts access closes then.
func TestFirewallThatIsSwitchedOffCloses(t *testing.T) {
	for _, row := range []struct {
		pairs  []string
		class  elbv2v1beta1.IngressClassParamsSpec
		closed bool
		field  string
	}{
		{pairs: []string{annotations.WAFv2ARN, aclA}, closed: true, field: "wafv2-acl-arn"},
		{pairs: []string{annotations.WAFv2Name, "x"}, closed: true, field: "wafv2-acl-name"},
		{pairs: []string{annotations.WAFClassic, "x"}, closed: true, field: "waf-acl-id"},
		{pairs: []string{annotations.WAFClassicDeprecated, "x"}, closed: true, field: "web-acl-id"},
		{class: elbv2v1beta1.IngressClassParamsSpec{WAFv2ACLName: "n"}, closed: true, field: "spec.wafv2AclName"},
		{class: elbv2v1beta1.IngressClassParamsSpec{WAFv2ACLArn: aclA}, closed: true, field: "spec.wafv2AclArn"},
		{pairs: []string{annotations.WAFv2ARN, "none", annotations.WAFClassic, "none"}},
		{pairs: []string{annotations.ShieldProtection, "true"}, field: "shield-advanced-protection"},
		{pairs: []string{annotations.MinimumCapacity, "CapacityUnits=100"}, field: "minimum-load-balancer-capacity"},
	} {
		set := settingsIP()
		set.Without = model.Addons()
		in, findings := intentOf(load(t, Implicit("shop", "web"), newIngress(row.pairs...), newService("web"), newClass("alb", "p"), newParams(row.class)), set)
		f := in.Fragments[0]
		if closed := f.Routes[0].Forward == nil; closed != row.closed || len(f.Settings.Addons.Asked()) > 0 {
			t.Errorf("%v %v: closed %v, want %v; asks for %v", row.pairs, row.class, closed, row.closed, f.Settings.Addons)
		}
		got, ok := find(findings, row.field)
		if row.field == "" {
			mustBeClean(t, findings)
		} else if !ok || got.Reason != ReasonSwitchedOff || (got.Severity == model.Closed) != row.closed || !strings.Contains(got.Message, "--") {
			t.Errorf("%s: %v", row.field, findings)
		}
	}
}

// TestFirewallOfNowStandsBeforeWhatWasGood (invariant 8): a mistake elsewhere does not keep a member open that asks for a firewall.
func TestFirewallOfNowStandsBeforeWhatWasGood(t *testing.T) {
	open, walled := intent.Addons{}, intent.Addons{WebACL: aclB}
	for _, row := range []struct {
		why    string
		pairs  []string
		class  elbv2v1beta1.IngressClassParamsSpec
		good   intent.Addons
		want   intent.Addons
		closed bool
	}{
		{why: "a new one", pairs: []string{annotations.WAFv2ARN, aclA}, good: open, want: intent.Addons{WebACL: aclA}},
		{why: "another one", pairs: []string{annotations.WAFv2Name, "a"}, good: walled, want: intent.Addons{WebACLName: "a"}},
		{why: "the class's", class: elbv2v1beta1.IngressClassParamsSpec{WAFv2ACLArn: aclA}, good: open, want: intent.Addons{WebACL: aclA}},
		{why: "classic", pairs: []string{annotations.WAFClassic, "x"}, good: open, want: intent.Addons{ClassicWebACL: "x"}},
		{why: "one that cannot be read", pairs: []string{annotations.WAFv2ARN, "x"}, good: open, closed: true},
		{why: "nor that of the class", class: elbv2v1beta1.IngressClassParamsSpec{WAFv2ACLName: "a b"}, good: open, closed: true},
		{why: "one that cannot be read in place of a good one", pairs: []string{annotations.WAFv2ARN, "x"}, good: walled, want: walled},
		{why: "one that is taken away: what was good stays", pairs: []string{annotations.WAFv2ARN, "none"}, good: walled, want: walled},
		{why: "none", good: walled, want: walled},
	} {
		good, _ := simple(t, newIngress())
		good.Settings.Addons = row.good
		g := load(t, Implicit("shop", "web"), newIngress(row.pairs...), newService("web"), newClass("alb", "p"), newParams(row.class))
		got := Request(g, settingsIP()).Permit(good)
		if diff := cmp.Diff(row.want, got.Settings.Addons); diff != "" || (got.Routes[0].Forward == nil) != row.closed {
			t.Errorf("%s: closed %v; %s", row.why, got.Routes[0].Forward == nil, diff)
		}
	}
}
