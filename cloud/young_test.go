package cloud_test

import (
	"testing"
	"time"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/fault"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/model"
)

// TestALoadBalancerThatComesUpIsNotGone: while it is provisioning it is looked at by its ARN, which AWS may not find yet. One that was forgotten for that
// would stay behind when its stack is deleted.
func TestALoadBalancerThatComesUpIsNotGone(t *testing.T) {
	a := accountOf(t, sim.Options{})
	hours := fault.Duration(time.Hour)
	if err := a.sim.Disturb(sim.Disturbances{Consistency: sim.Consistency{Names: hours}}); err != nil {
		t.Fatal(err)
	}
	c := a.client(t, nil)
	desired := model.Stack{Owner: owner(), LoadBalancer: shop("").LoadBalancer}
	desired.LoadBalancer.SecurityGroups = []model.GroupRef{{ID: vpc.DefaultWorld().NodeSecurityGroup}}
	if _, out, err := turn(t.Context(), c, desired); out.Done == 0 {
		t.Fatalf("no load balancer was made: %v", err)
	}
	for range 2 {
		// That it cannot be looked at yet is an error that passes.
		s, err := c.Observe(t.Context(), owner(), nil)
		if err == nil && s.LoadBalancer == nil {
			t.Fatal("the load balancer that AWS does not find yet is taken as gone")
		}
	}
}
