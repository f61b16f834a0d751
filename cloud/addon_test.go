package cloud_test

import (
	"context"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/shield"
	"github.com/aws/aws-sdk-go-v2/service/wafregional"
	classictypes "github.com/aws/aws-sdk-go-v2/service/wafregional/types"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

// reserving is an account that may reserve capacity, of which AWS gives none without being asked.
func reserving(t *testing.T, o sim.Options) *account {
	t.Helper()
	o.Quotas.ReservedCapacityUnits = 15000
	return accountOf(t, o)
}

// quick is an account in which everything happens at once.
func quick(t *testing.T) *account {
	t.Helper()
	return reserving(t, sim.Options{Speed: 5000, Provisioning: -1})
}

// reserved waits until what was reserved is there: before, AWS takes no other request.
func (a *account) reserved(t *testing.T) {
	t.Helper()
	api := elasticloadbalancingv2.NewFromConfig(a.config())
	balancers, err := api.DescribeLoadBalancers(t.Context(), &elasticloadbalancingv2.DescribeLoadBalancersInput{})
	if err != nil {
		t.Fatal(err)
	}
	for range 1000 {
		out, err := api.DescribeCapacityReservation(t.Context(), &elasticloadbalancingv2.DescribeCapacityReservationInput{
			LoadBalancerArn: balancers.LoadBalancers[0].LoadBalancerArn,
		})
		if err != nil {
			t.Fatal(err)
		}
		pending := func(z elbtypes.ZonalCapacityReservationState) bool {
			return z.State.Code != elbtypes.CapacityReservationStateEnumProvisioned
		}
		if len(out.CapacityReservationState) > 0 && !slices.ContainsFunc(out.CapacityReservationState, pending) {
			return
		}
		time.Sleep(5 * time.Millisecond)
	}
	t.Fatal("what was reserved never comes")
}

// webACL makes a web ACL of AWS WAF.
func (a *account) webACL(t *testing.T, name string) string {
	t.Helper()
	got, err := wafv2.NewFromConfig(a.config()).CreateWebACL(t.Context(), &wafv2.CreateWebACLInput{
		Name: aws.String(name), Scope: waftypes.ScopeRegional, DefaultAction: &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}},
		VisibilityConfig: &waftypes.VisibilityConfig{MetricName: aws.String("m")},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *got.Summary.ARN
}

// classicACL makes a web ACL of WAF Classic.
func (a *account) classicACL(t *testing.T) string {
	t.Helper()
	c := wafregional.NewFromConfig(a.config())
	token, err := c.GetChangeToken(t.Context(), &wafregional.GetChangeTokenInput{})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.CreateWebACL(t.Context(), &wafregional.CreateWebACLInput{
		ChangeToken: token.ChangeToken, Name: aws.String("old"), MetricName: aws.String("m"),
		DefaultAction: &classictypes.WafAction{Type: classictypes.WafActionTypeAllow},
	})
	if err != nil {
		t.Fatal(err)
	}
	return *got.WebACL.WebACLId
}

// subscribe has the account subscribe to Shield Advanced.
func (a *account) subscribe(t *testing.T) {
	t.Helper()
	if _, err := shield.NewFromConfig(a.config()).CreateSubscription(t.Context(), &shield.CreateSubscriptionInput{}); err != nil {
		t.Fatal(err)
	}
}

// publicPool makes an IPAM pool of public addresses.
func (a *account) publicPool(t *testing.T) string {
	t.Helper()
	c := ec2.NewFromConfig(a.config())
	manager, err := c.CreateIpam(t.Context(), &ec2.CreateIpamInput{})
	if err != nil {
		t.Fatal(err)
	}
	pool, err := c.CreateIpamPool(t.Context(), &ec2.CreateIpamPoolInput{
		IpamScopeId: manager.Ipam.PublicDefaultScopeId, AddressFamily: ec2types.AddressFamilyIpv4, Locale: aws.String("us-west-2"),
		PublicIpSource: ec2types.IpamPoolPublicIpSourceAmazon,
	})
	if err != nil {
		t.Fatal(err)
	}
	return *pool.IpamPool.IpamPoolId
}

// guarded is a small stack with every add-on.
func (a *account) guarded(t *testing.T) model.Stack {
	t.Helper()
	a.subscribe(t)
	out := shop(a.certificate(t, "shop.example"))
	out.LoadBalancer.Addons = map[model.Addon]string{
		model.AddonWebACL: a.webACL(t, "front"), model.AddonClassicWebACL: a.classicACL(t), model.AddonProtection: model.ProtectionName,
		model.AddonCapacity: "100", model.AddonIPAMPool: a.publicPool(t),
	}
	return out
}

// every asks for all add-ons.
func every() []model.Key { return model.AddonKeys(model.Addons()) }

// round is one pass of the loop that looks at add-ons, with what was applied before.
func round(ctx context.Context, c *cloud.Client, desired, before model.Stack) (plan.Plan, model.Outputs, error) {
	observed, err := c.Observe(ctx, desired.Owner, every())
	if err != nil {
		return plan.Plan{}, model.Outputs{}, err
	}
	p := plan.Diff(desired, observed, plan.Options{Applied: plan.AppliedOf(before)})
	out, err := c.Apply(ctx, p)
	return p, out, err
}

// rounds goes on until nothing is left to do.
func rounds(t *testing.T, c *cloud.Client, desired, before model.Stack) {
	t.Helper()
	for range 400 {
		p, out, err := round(t.Context(), c, desired, before)
		if err != nil {
			t.Fatal(err)
		}
		if p.Empty() {
			return
		}
		if out.Done == 0 {
			time.Sleep(5 * time.Millisecond)
		}
	}
	t.Fatal("there is always something left to do")
}

// addons are those that a fresh look finds.
func (a *account) addons(t *testing.T) map[model.Addon]string {
	t.Helper()
	s, err := a.client(t, nil).Observe(t.Context(), owner(), every())
	if err != nil {
		t.Fatal(err)
	}
	if s.LoadBalancer == nil {
		return nil
	}
	return s.LoadBalancer.Addons
}

// addonCalls are those calls of counts that are about add-ons.
func addonCalls(counts map[string]int) map[string]int {
	out := maps.Clone(counts)
	maps.DeleteFunc(out, func(action string, _ int) bool {
		_, ok := map[string]bool{
			"AssociateWebACL": true, "DisassociateWebACL": true, "CreateProtection": true, "DeleteProtection": true,
			"ModifyCapacityReservation": true, "ModifyIpPools": true, "GetWebACLForResource": true, "DescribeProtection": true,
			"DescribeCapacityReservation": true,
		}[action]
		return !ok
	})
	return out
}

func TestAddonsComeAndGo(t *testing.T) {
	a := quick(t)
	desired := a.guarded(t)
	w := newWire()
	c := a.client(t, w)
	rounds(t, c, desired, model.Stack{})
	if diff := cmp.Diff(desired.LoadBalancer.Addons, a.addons(t)); diff != "" {
		t.Errorf("add-ons (-want +got):\n%s", diff)
	}
	writes := map[string]int{"AssociateWebACL": 2, "CreateProtection": 1, "ModifyCapacityReservation": 1}
	if diff := cmp.Diff(writes, addonCalls(w.take(true))); diff != "" {
		t.Errorf("writes of a creation, of which the IP pool is a part (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int{}, addonCalls(w.take(false))); diff != "" {
		t.Errorf("what was just made has none, and needs no read (-want +got):\n%s", diff)
	}

	bare := desired
	lb := *desired.LoadBalancer
	lb.Addons = nil
	bare.LoadBalancer = &lb
	rounds(t, c, bare, model.Stack{})
	if got := w.take(true); len(got) > 0 {
		t.Errorf("what nobody asks for, and was not ours, is left alone: %v", got)
	}
	a.reserved(t)
	rounds(t, c, bare, desired)
	writes = map[string]int{"DisassociateWebACL": 2, "DeleteProtection": 1, "ModifyCapacityReservation": 1, "ModifyIpPools": 1}
	if diff := cmp.Diff(writes, addonCalls(w.take(true))); diff != "" {
		t.Errorf("writes of a reset (-want +got):\n%s", diff)
	}
	if got := a.addons(t); len(got) > 0 {
		t.Errorf("left: %v", got)
	}
}

// TestAddonsAreReadWhereAskedFor counts the reads of a client that knows nothing yet.
func TestAddonsAreReadWhereAskedFor(t *testing.T) {
	a := quick(t)
	rounds(t, a.client(t, nil), a.guarded(t), model.Stack{})
	for _, row := range []struct {
		why  string
		keys []model.Key
		want map[string]int
	}{
		{"nobody asks", nil, map[string]int{}},
		{"a pool comes with the load balancer", model.AddonKeys([]model.Addon{model.AddonIPAMPool}), map[string]int{}},
		{"one firewall", model.AddonKeys([]model.Addon{model.AddonWebACL}), map[string]int{"GetWebACLForResource": 1}},
		{"all of them", every(), map[string]int{"GetWebACLForResource": 2, "DescribeProtection": 1, "DescribeCapacityReservation": 1}},
	} {
		w := newWire()
		c := a.client(t, w)
		for range 2 {
			if _, err := c.Observe(t.Context(), owner(), row.keys); err != nil {
				t.Fatal(err)
			}
		}
		if diff := cmp.Diff(row.want, addonCalls(w.take(false))); diff != "" {
			t.Errorf("%s (-want +got):\n%s", row.why, diff)
		}
	}
}

// TestNothingIsServedBeforeItsFirewall: with a web ACL that cannot be associated no listener comes.
func TestNothingIsServedBeforeItsFirewall(t *testing.T) {
	a := quick(t)
	desired := a.guarded(t)
	w := newWire()
	w.intercept = func(action string) verdict {
		if action == "AssociateWebACL" {
			return deny
		}
		return pass
	}
	_, _, err := round(t.Context(), a.client(t, w), desired, model.Stack{})
	if fault.Of(err) != fault.Denied {
		t.Errorf("got %v, want the right that is missing", err)
	}
	if got := a.size(t); got.balancers != 1 || got.listeners != 0 {
		t.Errorf("the account holds %+v: want a load balancer that does not listen", got)
	}
}

// TestFirewallWaitsForALoadBalancerToComeUp, and the listeners for the firewall.
func TestFirewallWaitsForALoadBalancerToComeUp(t *testing.T) {
	now := time.Now()
	a := reserving(t, sim.Options{Now: func() time.Time { return now }})
	desired := a.guarded(t)
	w := newWire()
	c := a.client(t, w)
	_, out, err := round(t.Context(), c, desired, model.Stack{})
	if err != nil {
		t.Fatal(err)
	}
	waits := 0
	for _, one := range out.Waiting {
		if one.For == plan.StateActive {
			waits++
		}
	}
	if calls := w.take(true); waits != 3 || calls["AssociateWebACL"]+calls["CreateListener"] > 0 {
		t.Errorf("waiting %v after %v: want two web ACLs and the capacity to wait, and nothing to listen", out.Waiting, calls)
	}
	now = now.Add(10 * time.Minute)
	if _, _, err = round(t.Context(), c, desired, model.Stack{}); err != nil {
		t.Fatal(err)
	}
	if calls := w.take(true); calls["AssociateWebACL"] != 2 || calls["CreateListener"] != 2 {
		t.Errorf("calls %v: want both web ACLs and the listeners", calls)
	}
}

func TestCapacityIsAskedForOnce(t *testing.T) {
	now := time.Now()
	a := reserving(t, sim.Options{Provisioning: -1, Now: func() time.Time { return now }})
	desired := a.guarded(t)
	w := newWire()
	c := a.client(t, w)
	if _, _, err := round(t.Context(), c, desired, model.Stack{}); err != nil {
		t.Fatal(err)
	}
	w.take(true)
	change := func(units string) (model.Outputs, error) {
		lb := *desired.LoadBalancer
		lb.Addons = model.WithAddon(lb.Addons, model.AddonCapacity, units)
		desired.LoadBalancer = &lb
		_, out, err := round(t.Context(), c, desired, model.Stack{})
		return out, err
	}
	out, err := change("200")
	if err != nil || len(out.Waiting) != 1 || w.take(true)["ModifyCapacityReservation"] != 1 {
		t.Errorf("waiting %v, %v: want one call, and to wait until the change before is provisioned", out.Waiting, err)
	}
	now = now.Add(time.Hour)
	if _, err = change("200"); err != nil || a.addons(t)[model.AddonCapacity] != "200" {
		t.Errorf("capacity %s, %v", a.addons(t)[model.AddonCapacity], err)
	}
	now = now.Add(time.Hour)
	if _, err := change("100000"); fault.Of(err) != fault.Quota {
		t.Errorf("got %v, want the quota", err)
	}
}

// TestStrangersProtectionStays: one that somebody made for the load balancer protects it just as well, and is nobody's to delete.
func TestStrangersProtectionStays(t *testing.T) {
	a := quick(t)
	a.subscribe(t)
	w := newWire()
	c, desired := fresh(t, a, w)
	arn := string(observe(t, c).LoadBalancer.ARN)
	if _, err := shield.NewFromConfig(a.config()).CreateProtection(t.Context(),
		&shield.CreateProtectionInput{Name: aws.String("by hand"), ResourceArn: &arn}); err != nil {
		t.Fatal(err)
	}
	c = a.client(t, w)
	w.take(true)
	for _, value := range []string{model.ProtectionName, ""} {
		lb := *desired.LoadBalancer
		lb.Addons = map[model.Addon]string{model.AddonProtection: value}
		desired.LoadBalancer = &lb
		rounds(t, c, desired, desired)
	}
	if got := w.take(true); len(got) > 0 || a.addons(t)[model.AddonProtection] != "by hand" {
		t.Errorf("calls %v, and the protection is %q", got, a.addons(t)[model.AddonProtection])
	}
}

// TestEveryCutOfAddonsIsMadeGood cuts the connection at every call about an add-on, before and after its effect, and lets nothing be left
// behind by the deletion.
func TestEveryCutOfAddonsIsMadeGood(t *testing.T) {
	for _, what := range []verdict{before, after} {
		for at := 1; at <= 6; at++ {
			a := quick(t)
			desired := a.guarded(t)
			for _, stack := range []model.Stack{desired, {Owner: owner()}} {
				w, n := newWire(), 0
				w.intercept = func(action string) verdict {
					if len(addonCalls(map[string]int{action: 1})) > 0 {
						n++
					}
					if n >= at {
						return what
					}
					return pass
				}
				for range 2 {
					_, _, _ = round(t.Context(), a.client(t, w), stack, desired)
				}
				rounds(t, a.client(t, nil), stack, desired)
				want := map[model.Addon]string(nil)
				if stack.LoadBalancer != nil {
					want = stack.LoadBalancer.Addons
				}
				if diff := cmp.Diff(want, a.addons(t)); diff != "" {
					t.Errorf("cut %v at call %d: add-ons (-want +got):\n%s", what, at, diff)
				}
			}
			left, err := shield.NewFromConfig(a.config()).ListProtections(t.Context(), &shield.ListProtectionsInput{})
			if err != nil || len(left.Protections) > 0 {
				t.Errorf("cut %v at call %d: protections that are left: %d, %v", what, at, len(left.Protections), err)
			}
		}
	}
}

func TestFirewallFacts(t *testing.T) {
	a := quick(t)
	acl, classic := a.webACL(t, "front"), a.classicACL(t)
	need := model.Needs{WebACLs: []string{acl, "front", acl + "0", "back"}, ClassicWebACLs: []string{classic, "gone"}, Shield: true}
	w := newWire()
	c := a.client(t, w)
	want := map[string]model.ARN{acl: model.ARN(acl), "front": model.ARN(acl)}
	for range 2 {
		got, err := c.Facts(t.Context(), need)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got.WebACLs); diff != "" || !cmp.Equal(got.ClassicWebACLs, []string{classic}) || got.ShieldSubscribed {
			t.Errorf("web ACLs (-want +got):\n%s; classic %v; subscribed %v", diff, got.ClassicWebACLs, got.ShieldSubscribed)
		}
	}
	reads := w.take(false)
	delete(reads, "DescribeVpcs")
	if diff := cmp.Diff(map[string]int{"GetWebACL": 4, "ListWebACLs": 1, "GetSubscriptionState": 1}, reads); diff != "" {
		t.Errorf("reads of two looks (-want +got):\n%s", diff)
	}
	w.intercept = func(action string) verdict {
		if action == "GetWebACL" {
			return deny
		}
		return pass
	}
	got, err := a.client(t, w).Facts(t.Context(), model.Needs{WebACLs: []string{acl}})
	if err != nil || got.WebACLs[acl] == "" {
		t.Errorf("%v, %v: a web ACL that may not be read is taken for good", got.WebACLs, err)
	}
}
