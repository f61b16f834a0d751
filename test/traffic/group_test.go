package traffic

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/ingress"
)

// TestGroup: the members of a group share a load balancer, in the order of group.order, then of their names.
func TestGroup(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: -1})
	found := s.apply(named("last", []string{"group.name: shop", "group.order: 10"}, []string{host("", "Prefix / c")}, "") +
		named("beta", []string{"group.name: shop"}, []string{host("", "Prefix /both b", "Prefix /b b")}, "") +
		named("alpha", []string{"group.name: shop"}, []string{host("", "Prefix /both a")}, "") +
		named("early", []string{"group.name: shop", "group.order: -5"}, []string{host("early.example.com", "Prefix /both many")}, ""))
	if len(found) > 0 {
		t.Fatalf("found %v", found)
	}
	s.register(ingress.Explicit("shop").Owner(cluster), nil)
	s.check(t, []ask{
		{to: "GET http://s.example.com/both", want: "a: GET s.example.com/both"},
		{to: "GET http://s.example.com/b", want: "b: GET s.example.com/b"},
		{to: "GET http://s.example.com/", want: "c: GET s.example.com/"},
	})
	c := s.newClient("")
	if got := c.pod(ask{to: "GET http://early.example.com/both"}); got != "m1" && got != "m2" && got != "m3" {
		t.Errorf("%s answers for the member that comes first, want a pod of many", got)
	}
}
