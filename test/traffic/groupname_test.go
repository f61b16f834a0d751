package traffic

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/model"
)

// nameGateway has a route to target groups that others made, by their names.
const nameGateway = `
apiVersion: gateway.networking.k8s.io/v1
kind: GatewayClass
metadata: {name: alb}
spec: {controllerName: gateway.k8s.aws/alb}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {namespace: shop, name: edge}
spec:
  gatewayClassName: alb
  listeners: [{name: http, protocol: HTTP, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {namespace: shop, name: names}
spec:
  parentRefs: [{name: edge}]
  hostnames: [shop.example.com]
  rules:
  - matches: [{path: {value: /legacy}}]
    backendRefs: [{group: gateway.k8s.aws, kind: TargetGroupName, name: legacy}]
  - matches: [{path: {value: /later}}]
    backendRefs: [{group: gateway.k8s.aws, kind: TargetGroupName, name: later}]
  - backendRefs: [{name: a, port: 80, weight: 3}, {group: gateway.k8s.aws, kind: TargetGroupName, name: legacy, weight: 1}]
`

// TestTargetGroupsByName: a route sends requests to target groups that somebody else made, alone and by weight beside a Service; a name
// that AWS has not is told and answers 500, and serves as soon as AWS has it.
func TestTargetGroupsByName(t *testing.T) {
	t.Parallel()
	s := newStage(t, sim.Options{RuleDelay: -1})
	legacy := s.group("legacy", "b")
	o := s.newOperator()
	told := func(want ...string) {
		t.Helper()
		var got []string
		for _, f := range o.findings {
			got = append(got, f.Reason+" "+f.Field)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("told: %s", diff)
		}
	}
	o.apply(nameGateway)
	told("TargetGroupNotFound spec.rules[1].backendRefs[0]")
	owner := gateway.Owner(cluster, types.NamespacedName{Namespace: "shop", Name: "edge"})
	s.register(owner, nil)
	s.healthy(legacy, "b")
	s.check(t, []ask{
		{to: "GET http://shop.example.com/legacy/1", want: "b: GET shop.example.com/legacy/1"},
		{to: "GET http://shop.example.com/later", want: "500 text/plain; charset=utf-8"},
	})
	c := s.newClient("")
	// As in TestWeights.
	if got := count(func() *client { return c }); got["a"]+got["b"] != requests || got["b"] < 48 || got["b"] > 152 {
		t.Errorf("a with weight 3 and the target group of b with weight 1 answered %v of %d", got, requests)
	}

	later := s.group("later", "c")
	if got := o.apply(nameGateway); got != "ModifyRule" {
		t.Errorf("the name is there now, and takes one change of its rule: %s", got)
	}
	told()
	s.healthy(later, "c")
	s.check(t, []ask{{to: "GET http://shop.example.com/later", want: "c: GET shop.example.com/later"}})

	if !o.remove(owner) {
		t.Fatal("the Gateway does not go")
	}
	for group, service := range map[string]string{legacy: "b", later: "c"} {
		if health, err := s.cloud.Health(t.Context(), model.ARN(group)); err != nil || len(health) != len(s.pods[service]) {
			t.Errorf("invariant 5: the Gateway is gone, and somebody else's target group with %s is not as it was: %v, %v", service, health, err)
		}
	}
}

// healthy waits until the pods of a Service are healthy in a target group of the user's own.
func (s *stage) healthy(group, service string) {
	s.t.Helper()
	s.sim.Settle(s.t.Context())
	want := map[string]string{}
	for _, p := range s.pods[service] {
		want[p.address] = "healthy"
	}
	s.await(model.ARN(group), want)
}
