package cloud_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/model"
)

// TestUsageOfTheRegion: what the account has counts, whoever made it, by what was read anyway.
func TestUsageOfTheRegion(t *testing.T) {
	a := accountOf(t, sim.Options{Speed: 5000, Provisioning: -1, Quotas: elb.Quotas{TargetGroups: 4000, ApplicationLoadBalancers: 2}})
	w := newWire()
	c := a.client(t, w)
	if got := c.Usage(); len(got) > 0 {
		t.Errorf("nothing was read yet, and it says %v", got)
	}
	a.strangeBalancer(t, "one", nil)
	a.strangeGroup(t, "two", nil)
	a.strangeGroup(t, "three", nil)
	facts(t, c, model.Needs{Owner: owner()})
	if _, err := c.Owners(t.Context()); err != nil {
		t.Fatal(err)
	}
	w.take(false)
	want := []model.QuotaUse{
		{Name: model.QuotaBalancers, Used: 1, Limit: 2}, {Name: model.QuotaNetworkBalancers, Used: 0, Limit: 50},
		{Name: model.QuotaTargetGroups, Used: 2, Limit: 4000},
	}
	if diff := cmp.Diff(want, c.Usage()); diff != "" {
		t.Error(diff)
	}
	if reads := w.take(false); len(reads) > 0 {
		t.Errorf("it called %v", reads)
	}
	if _, _, err := turn(t.Context(), c, shop(a.certificate(t, "shop.example"))); err != nil {
		t.Fatal(err)
	}
	if got := c.Usage()[0]; got.Used != 2 {
		t.Errorf("after one more was made it says %+v", got)
	}
}
