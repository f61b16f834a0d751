package gateway

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

// withdraw has the definition of a kind be deleted, as the API server does it: it stays until nothing of its kind is left.
func (w *world) withdraw(kind string) client.Object {
	w.Helper()
	o := installed(consts.BundleVersion)
	w.must(w.api.Get(w.Context(), client.ObjectKey{Name: definitionOf(composing()[kind])}, o))
	o.SetFinalizers([]string{"customresourcecleanup.apiextensions.k8s.io"})
	w.must(w.api.Update(w.Context(), o))
	w.must(w.api.Delete(w.Context(), o))
	return o
}

// gone lets a definition go for good.
func (w *world) gone(definition client.Object) {
	w.Helper()
	w.must(w.api.Get(w.Context(), client.ObjectKeyFromObject(definition), definition))
	definition.SetFinalizers(nil)
	w.must(w.api.Update(w.Context(), definition))
}

// TestDefinitionsHaveTheirNames: one that is looked for by another name is never there, and nothing would be taken away from AWS any more.
func TestDefinitionsHaveTheirNames(t *testing.T) {
	t.Parallel()
	var got []string
	for _, kind := range composing() {
		got = append(got, definitionOf(kind))
	}
	slices.Sort(got)
	want := []string{
		"gatewayclasses.gateway.networking.k8s.io", "gateways.gateway.networking.k8s.io", "grpcroutes.gateway.networking.k8s.io",
		"httproutes.gateway.networking.k8s.io", "listenerruleconfigurations.gateway.k8s.aws", "listenersets.gateway.networking.k8s.io",
		"loadbalancerconfigurations.gateway.k8s.aws", "referencegrants.gateway.networking.k8s.io", "targetgroupconfigurations.gateway.k8s.aws",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("as they are installed (-want +got):\n%s", diff)
	}
}

// What goes with its definition is left as it is in AWS: the loop is not run for a Gateway that lost it.
func TestNothingFollowsFromADefinitionThatGoes(t *testing.T) {
	t.Parallel()
	for kind, object := range map[string]client.Object{
		kindHTTPRoute:                         &gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "r"}},
		awsgwv1.KindLoadBalancerConfiguration: &awsgwv1.LoadBalancerConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "own"}},
		awsgwv1.KindTargetGroupConfiguration:  &awsgwv1.TargetGroupConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "web"}},
		awsgwv1.KindListenerRuleConfiguration: &awsgwv1.ListenerRuleConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "login"}},
	} {
		w := newWorld(t, furnished(t)...)
		w.settle()
		definition := w.withdraw(kind)
		w.must(w.api.Delete(t.Context(), object))
		w.keep() // a configuration counts until it is let go
		before := w.clouds.runs
		w.settle()
		if err := w.api.Get(t.Context(), client.ObjectKeyFromObject(object), object); client.IgnoreNotFound(err) != nil || err == nil {
			t.Errorf("%s: the definition waits for an object that nobody lets go: %v", kind, err)
		}
		w.gone(definition)
		w.settle()
		if got := w.clouds.runs - before; got > 0 {
			t.Errorf("%s: its objects are gone with the definition, and AWS was changed in %d runs", kind, got)
		}
		if got := count(w.notes.all, "gw "+reasonWithheld); got != 1 {
			t.Errorf("%s: invariant 8: the Gateway was told %d times: %v", kind, got, w.notes.all)
		}
		again := installed(consts.BundleVersion)
		again.SetName(definition.GetName())
		w.must(w.api.Create(t.Context(), again))
		w.settle()
		if w.clouds.runs == before {
			t.Errorf("%s: the definition is there again, and the Gateway is not served", kind)
		}
	}
}

func count(all []string, what string) (n int) {
	for _, one := range all {
		if one == what {
			n++
		}
	}
	return n
}

// A Gateway and its class that go with their definitions are let go, and what AWS holds stays; one that somebody deletes is taken down.
func TestGatewayThatGoesWithItsDefinition(t *testing.T) {
	t.Parallel()
	owner := Owner("c", types.NamespacedName{Namespace: "infra", Name: "gw"})
	for _, c := range []struct {
		why  string
		with string
		shut bool
		left bool
	}{
		{"its definition is deleted", kindGateway, false, true},
		{"and the door is shut already", kindGateway, true, true},
		{"somebody deletes it, and another definition", kindGRPCRoute, false, false},
	} {
		w := newWorld(t, furnished(t)...)
		w.op.latch, w.class.latch = new(Latch), new(Latch)
		w.settle()
		w.withdraw(c.with)
		if c.shut {
			w.op.latch.Shut()
			w.class.latch.Shut()
		}
		w.must(w.api.Delete(t.Context(), w.gateway()))
		w.settle()
		if err := w.api.Get(t.Context(), types.NamespacedName{Namespace: "infra", Name: "gw"}, &gwv1.Gateway{}); err == nil {
			t.Errorf("%s: the Gateway does not go", c.why)
		}
		if left := w.clouds.made[owner] != nil; left != c.left {
			t.Errorf("%s: the load balancer is left: %t, want %t", c.why, left, c.left)
		}
	}
}

func TestClassThatGoesWithItsDefinition(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	w.settle()
	w.withdraw("GatewayClass")
	w.must(w.api.Delete(t.Context(), &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "alb"}}))
	w.settle()
	if err := w.api.Get(t.Context(), client.ObjectKey{Name: "alb"}, &gwv1.GatewayClass{}); err == nil {
		t.Error("the class is kept because a Gateway names it, and its definition waits for it")
	}
	if len(w.clouds.made) != 1 {
		t.Errorf("the Gateway has %d load balancers", len(w.clouds.made))
	}
}

// While the door is shut nobody is looked at, and everybody again soon.
func TestShutDoor(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	latch := new(Latch)
	w.op.latch, w.class.latch, w.class.pause = latch, latch, usualPause
	latch.Shut()
	res := w.reconcile()
	again, err := w.class.Reconcile(t.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Name: "alb"}})
	w.must(err)
	if w.clouds.runs > 0 || res.RequeueAfter != usualPause || again.RequeueAfter != usualPause {
		t.Errorf("%d runs, looked at again after %s and %s", w.clouds.runs, res.RequeueAfter, again.RequeueAfter)
	}
	latch.Open()
	w.settle()
	if w.clouds.runs == 0 || !slices.ContainsFunc(w.judgeClass().Status.Conditions, func(c metav1.Condition) bool { return c.Type == "Accepted" }) {
		t.Error("the door is open again, and nobody is served")
	}
}

// After its definition was away a copy of the cluster may come late: what the API server has is not taken for deleted.
func TestCopyThatComesLate(t *testing.T) {
	t.Parallel()
	full := newWorld(t, furnished(t)...)
	w := newWorld(t, furnished(t)...)
	w.settle()
	before := w.clouds.runs
	w.must(w.api.Delete(t.Context(), &gwv1.HTTPRoute{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "r"}}))
	w.op.live = full.api
	w.op.roll.missed(kindHTTPRoute)
	w.settle()
	if w.clouds.runs != before {
		t.Error("the route is there, and was taken for deleted")
	}
	w.op.live = w.api
	w.settle()
	if w.clouds.runs == before {
		t.Error("the route is gone, and nothing follows from it")
	}
}
