package cloud_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/plan"
)

// TestAttributesAreSifted: of attributes of what members share, one that AWS refuses keeps the others from nobody, and the failure names it.
func TestAttributesAreSifted(t *testing.T) {
	a := newAccount(t)
	c, _ := fresh(t, a, newWire())
	lb := observe(t, c).LoadBalancer
	change := plan.Change{
		ID: 1, Op: plan.ModifyLoadBalancerAttributes, Action: plan.Update, Key: model.Key{Kind: model.KindLoadBalancer, ID: lb.ID}, ARN: lb.ARN,
		Attributes: map[string]string{"client_keep_alive.seconds": "90", "routing.http4.enabled": "true", "waf.fail_open.enabled": "true"},
	}
	_, err := c.Apply(t.Context(), plan.Plan{Owner: owner(), Changes: []plan.Change{change}})
	failures := plan.Failures(err)
	if len(failures) != 1 || fault.Of(err) != fault.Invalid {
		t.Fatalf("got %v, want one refusal", err)
	}
	if diff := cmp.Diff(map[string]string{"routing.http4.enabled": "true"}, failures[0].Change.Attributes); diff != "" {
		t.Errorf("what is refused (-want +got): %s", diff)
	}
	seen := observe(t, c).LoadBalancer.Attributes
	if seen["client_keep_alive.seconds"] != "90" || seen["waf.fail_open.enabled"] != "true" {
		t.Errorf("the others are not set: %v", seen)
	}
}
