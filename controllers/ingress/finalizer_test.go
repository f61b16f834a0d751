package ingress

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// refusing is a client that a webhook keeps from writing to Ingresses of a name.
func refusing(c client.WithWatch, name string) client.WithWatch {
	return interceptor.NewClient(c, interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if o.GetName() == name {
				return errors.New("admission webhook denied the request")
			}
			return c.Patch(ctx, o, p, opts...)
		},
	})
}

func TestAMemberWithoutFinalizerHoldsUpNobody(t *testing.T) {
	remembered := &headgatev1alpha1.StackState{ObjectMeta: metav1.ObjectMeta{Name: stack.StateName(Explicit("g").Owner("c"))}}
	remembered.Spec.Fragments = map[string][]byte{"Ingress/shop/b": []byte("x")}
	for _, row := range []struct {
		why     string
		objects []client.Object
		want    []string
	}{
		{"a new one is left out", nil, []string{"a"}},
		{"one that is served already stays", []client.Object{remembered}, []string{"a", "b"}},
	} {
		a, b := named("a", annotations.GroupName, "g"), named("b", annotations.GroupName, "g")
		objects := append([]client.Object{a, b, newService("web"), newClass("alb", "")}, row.objects...)
		loop, events := &plays{result: active()}, &told{}
		r := New(refusing(newClient(t, objects...), "b"), loop, events, settingsIP())
		res := reconcileKey(t, r, Explicit("g"))
		if res.RequeueAfter != 2*time.Second {
			t.Errorf("%s: again in %s, want soon", row.why, res.RequeueAfter)
		}
		if len(loop.asked) != 1 {
			t.Fatalf("invariant 3: %s: the loop is asked %d times", row.why, len(loop.asked))
		}
		if got := memberNames(loop.asked[0].Intent); !slices.Equal(got, row.want) {
			t.Errorf("%s: members %v, want %v", row.why, got, row.want)
		}
		if !events.has("shop/b", "FailedAddFinalizer", "webhook denied") || events.has("shop/a", "Failed") {
			t.Errorf("%s: events %q", row.why, events.events)
		}
	}
}

// TestAFinalizerIsWaitedForAMoment: while somebody else writes to one of its members, a group is not made without that one, whose wishes may
// make another load balancer of it; it is after some tries.
func TestAFinalizerIsWaitedForAMoment(t *testing.T) {
	t.Parallel()
	a, b := named("a", annotations.GroupName, "g"), named("b", annotations.GroupName, "g")
	c := interceptor.NewClient(newClient(t, a, b, newService("web"), newClass("alb", "")), interceptor.Funcs{
		Patch: func(ctx context.Context, c client.WithWatch, o client.Object, p client.Patch, opts ...client.PatchOption) error {
			if o.GetName() == "b" {
				return apierrors.NewConflict(schema.GroupResource{Resource: "ingresses"}, "b", errors.New("it was changed"))
			}
			return c.Patch(ctx, o, p, opts...)
		},
	})
	loop := &plays{result: active()}
	r := New(c, loop, &told{}, settingsIP())
	for _, want := range []time.Duration{100 * time.Millisecond, 200 * time.Millisecond, 400 * time.Millisecond} {
		if res := reconcileKey(t, r, Explicit("g")); res.RequeueAfter != want || len(loop.asked) > 0 {
			t.Errorf("again in %s, want %s, and without asking the loop, which was asked %d times", res.RequeueAfter, want, len(loop.asked))
		}
	}
	reconcileKey(t, r, Explicit("g"))
	if len(loop.asked) != 1 || !slices.Equal(memberNames(loop.asked[0].Intent), []string{"a"}) {
		t.Errorf("invariant 3: the loop is asked %d times", len(loop.asked))
	}
}

func memberNames(in intent.Intent) (out []string) {
	for _, f := range in.Fragments {
		out = append(out, f.Member.Name)
	}
	return out
}

func TestNothingIsTakenDownForAFinalizer(t *testing.T) {
	leaving := named("leaving", annotations.GroupName, "new")
	leaving.Finalizers = []string{finalizerExplicit + "g"}
	loop := &plays{result: active()}
	c := newClient(t, named("b", annotations.GroupName, "g"), leaving, newService("web"), newClass("alb", ""))
	r := New(refusing(c, "b"), loop, &told{}, settingsIP())
	if _, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: Explicit("g").NamespacedName()}); err == nil || len(loop.asked) > 0 {
		t.Errorf("the loop is asked %d times, error %v: the load balancer would go and come again", len(loop.asked), err)
	}
}

func TestWhatIsDueSurvivesWhatCannotBeWritten(t *testing.T) {
	ing := newIngress()
	ing.Finalizers = []string{finalizerImplicit}
	c := interceptor.NewClient(newClient(t, ing, newService("web"), newClass("alb", "")), interceptor.Funcs{
		SubResourcePatch: func(context.Context, client.Client, string, client.Object, client.Patch, ...client.SubResourcePatchOption) error {
			return errors.New("admission webhook denied the request")
		},
	})
	loop := &plays{result: active()}
	r := New(c, loop, &told{}, settingsIP())
	for _, want := range []time.Duration{2 * time.Second, 4 * time.Second} {
		if res := reconcileKey(t, r, Implicit("shop", "web")); res.RequeueAfter != want {
			t.Errorf("again in %s, want %s", res.RequeueAfter, want)
		}
	}
	loop.result.RequeueAfter = time.Second
	if res := reconcileKey(t, r, Implicit("shop", "web")); res.RequeueAfter != time.Second {
		t.Errorf("again in %s: what the loop waits for is due sooner", res.RequeueAfter)
	}
}

func TestALeaverLosesOurAddressOnly(t *testing.T) {
	nginx := networkingv1.IngressLoadBalancerIngress{IP: "203.0.113.7"}
	cloud := networkingv1.IngressLoadBalancerIngress{Hostname: "other.elb.amazonaws.com"}
	ours := addresses("LB-1.us-west-2.elb.amazonaws.com", []int{80})[0]
	for _, row := range []struct {
		why  string
		host string
		have []networkingv1.IngressLoadBalancerIngress
		want []networkingv1.IngressLoadBalancerIngress
	}{
		{"ours", "LB-1.us-west-2.elb.amazonaws.com", []networkingv1.IngressLoadBalancerIngress{ours}, nil},
		{"another controller's", "LB-1.us-west-2.elb.amazonaws.com", []networkingv1.IngressLoadBalancerIngress{nginx}, []networkingv1.IngressLoadBalancerIngress{nginx}},
		{"both", "LB-1.us-west-2.elb.amazonaws.com", []networkingv1.IngressLoadBalancerIngress{nginx, ours}, []networkingv1.IngressLoadBalancerIngress{nginx}},
		{"it is not known any more which was ours", "", []networkingv1.IngressLoadBalancerIngress{nginx, cloud, ours}, []networkingv1.IngressLoadBalancerIngress{nginx, cloud}},
	} {
		ing := newIngress()
		ing.Spec.IngressClassName, ing.Finalizers = new("nginx"), []string{finalizerImplicit}
		ing.Status.LoadBalancer.Ingress = row.have
		owner := Implicit("shop", "web").Owner("c")
		state := &headgatev1alpha1.StackState{ObjectMeta: metav1.ObjectMeta{Name: stack.StateName(owner)}}
		state.Spec.LoadBalancer = &headgatev1alpha1.AppliedLoadBalancer{DNSName: row.host}
		c := newClient(t, ing, state, newClass("alb", ""), othersClass("nginx"))
		loop := &plays{}
		loop.during = func() { // The load balancer goes first: when nothing of the stack is left, nobody knows its name.
			if err := c.Delete(t.Context(), state); client.IgnoreNotFound(err) != nil {
				t.Fatal(err)
			}
		}
		r := New(c, loop, &told{}, settingsIP())
		reconcileKey(t, r, Implicit("shop", "web"))
		loop.result = stack.Result{Settled: true, Gone: true, Free: []model.ObjectRef{refOf(ing)}}
		reconcileKey(t, r, Implicit("shop", "web"))
		got := get(t, c, "web")
		if diff := cmp.Diff(row.want, got.Status.LoadBalancer.Ingress); diff != "" || len(got.Finalizers) > 0 {
			t.Errorf("%s: finalizers %v, %s", row.why, got.Finalizers, diff)
		}
	}
}
