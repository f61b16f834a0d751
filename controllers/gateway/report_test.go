package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/model"
)

// sealRoutes has a webhook keep the operator from writing the status of routes.
func (w *world) sealRoutes() {
	w.Helper()
	api, ok := w.api.(client.WithWatch)
	if !ok {
		w.Fatal("the client cannot watch")
	}
	w.op.client = interceptor.NewClient(api, interceptor.Funcs{
		SubResourcePatch: func(
			ctx context.Context, c client.Client, sub string, o client.Object, p client.Patch, opts ...client.SubResourcePatchOption,
		) error {
			if _, route := o.(*gwv1.HTTPRoute); route {
				return errors.New("admission webhook denied the request")
			}
			return c.SubResource(sub).Patch(ctx, o, p, opts...)
		},
	})
}

func TestARouteThatCannotBeWrittenHoldsNoGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.reconcile()
	w.sealRoutes()
	w.must(w.api.Delete(t.Context(), w.gateway()))
	w.reconcile()
	if g := w.gateway(); g.Name != "" {
		t.Errorf("invariant 3: finalizers %v", g.Finalizers)
	}
}

func TestWhatIsDueSurvivesWhatCannotBeWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.sealRoutes()
	for _, want := range []time.Duration{2 * time.Second, 4 * time.Second} {
		if got := w.reconcile().RequeueAfter; got != want {
			t.Errorf("again in %s, want %s", got, want)
		}
	}
	if len(w.gateway().Status.Addresses) != 1 {
		t.Error("the Gateway itself is not told")
	}
}

func TestAGatewayOfAnotherKeepsItsStatus(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why  string
		take func(*gwv1.Gateway)
		want []string
	}{
		{"nobody serves it", func(*gwv1.Gateway) {}, nil},
		{"another controller does", func(g *gwv1.Gateway) {
			kind := gwv1.IPAddressType
			g.Status.Addresses = []gwv1.GatewayStatusAddress{{Type: &kind, Value: "203.0.113.7"}}
			meta.SetStatusCondition(&g.Status.Conditions, metav1.Condition{Type: "Programmed", Status: "True", Reason: "Programmed", Message: "ready"})
		}, []string{"203.0.113.7"}},
	} {
		w := newWorld(t, shop(t)...)
		w.reconcile()
		g := w.gateway()
		c.take(g)
		w.must(w.api.Status().Update(t.Context(), g))
		class := &gwv1.GatewayClass{}
		w.must(w.api.Get(t.Context(), client.ObjectKey{Name: "alb"}, class))
		class.Spec.ControllerName = "example.com/other"
		w.must(w.api.Update(t.Context(), class))
		s, err := Load(t.Context(), w.api, Settings{}, client.ObjectKeyFromObject(g))
		w.must(err)
		before := w.gateway().Status
		w.must(w.op.report(t.Context(), verdictOf(s), reached{}))
		if diff := cmp.Diff(before, w.gateway().Status); diff != "" {
			t.Errorf("%s: while ours goes: %s", c.why, diff)
		}
		w.reconcile()
		var got []string
		for _, a := range w.gateway().Status.Addresses {
			got = append(got, a.Value)
		}
		if diff := cmp.Diff(c.want, got); diff != "" || slices.Contains(w.gateway().Finalizers, Finalizer) {
			t.Errorf("%s: %s", c.why, diff)
		}
		if left := words(w.gateway().Status.Conditions)["Programmed"]; strings.HasPrefix(left, "True") != (c.want != nil) {
			t.Errorf("%s: Programmed %s", c.why, left)
		}
	}
}

func TestStatusOfALongRouteIsTaken(t *testing.T) {
	t.Parallel()
	var rules, filters []string
	for k := range 10 {
		filters = append(filters, fmt.Sprintf(`{type: ExtensionRef, extensionRef: {group: gateway.k8s.aws, kind: Vault, name: n%d}}`, k))
	}
	for i := range 15 {
		rules = append(rules, fmt.Sprintf(`{matches: [{path: {type: Exact, value: /p%d}}], backendRefs: [{name: web, port: 80}], filters: [%s]}`,
			i, strings.Join(filters, ", ")))
	}
	s := snapshotOf(t, anyListener, routeWith(strings.Join(append(rules, `{backendRefs: [{name: web, port: 80}]}`), ", ")))
	v := verdictOf(s)
	route := s.Routes[0].DeepCopy()
	v.routeStatus(v.routes[0], &route.Status.RouteStatus, reached{})
	c := meta.FindStatusCondition(route.Status.Parents[0].Conditions, "PartiallyInvalid")
	if c == nil || len(c.Message) > 32768 {
		t.Errorf("the API server takes 32768 bytes: %d", len(c.Message))
	}
	if len(v.findingsOf(v.routes[0].fragment.Member)) < 150 {
		t.Error("the route is not wrong in many places")
	}
}

func (v *Verdict) findingsOf(object model.ObjectRef) (out []model.Finding) {
	for _, f := range v.Findings {
		if f.Object.Same(object) {
			out = append(out, f)
		}
	}
	return out
}
