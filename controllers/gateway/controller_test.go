package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/api/meta/testrestmapper"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	gwv1beta1 "sigs.k8s.io/gateway-api/apis/v1beta1"
	"sigs.k8s.io/gateway-api/pkg/consts"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// clouds is a loop whose AWS does at once what it is asked for.
type clouds struct {
	// made are the load balancers by owner.
	made map[model.Owner]*model.LoadBalancer
	err  error
	runs int
	// newer are the stacks of which something else was asked for.
	newer []string
	// plan is what it says that it did, drift that somebody else had changed it.
	plan  plan.Plan
	drift bool
	// finds are what the build finds, and serving how it says that members are served.
	finds   []model.Finding
	serving []stack.Serving
}

func (c *clouds) Asked(model.Owner) uint64 { return 0 }

func (c *clouds) Newer(owner model.Owner) { c.newer = append(c.newer, owner.Stack) }

func (c *clouds) Run(_ context.Context, req stack.Request) (stack.Result, error) {
	c.runs++
	owner := req.Intent.Owner
	if len(req.Intent.Fragments) == 0 {
		delete(c.made, owner)
		return stack.Result{Settled: true, Gone: true}, nil
	}
	if c.made[owner] == nil && c.err == nil {
		c.made[owner] = &model.LoadBalancer{ARN: "arn:lb", Name: "lb", DNSName: "lb.elb.example.com", State: "active"}
	}
	return stack.Result{
		LoadBalancer: c.made[owner], Ports: []int{80}, Findings: slices.Concat(req.Findings, c.finds), Settled: c.err == nil,
		RequeueAfter: time.Minute, Plan: c.plan, Drift: c.drift, Serving: c.serving,
	}, c.err
}

// notes record events as "object reason".
type notes struct{ all, texts []string }

func (n *notes) Eventf(regarding, _ runtime.Object, _, reason, _, format string, args ...any) {
	o, err := meta.Accessor(regarding)
	if err != nil {
		panic(err)
	}
	n.all = append(n.all, fmt.Sprintf("%s %s", o.GetName(), reason))
	n.texts = append(n.texts, fmt.Sprintf(format, args...))
}

type world struct {
	*testing.T

	api    client.Client
	clouds *clouds
	notes  *notes
	op     *Reconciler
	class  *ClassReconciler
}

func newWorld(t *testing.T, objects ...client.Object) *world {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, gwv1.Install, gwv1beta1.Install, awsgwv1.AddToScheme} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	for _, kind := range composing() {
		definition := definitionOf(kind)
		if o := installed(consts.BundleVersion); !slices.ContainsFunc(objects, func(b client.Object) bool { return b.GetName() == definition }) {
			o.SetName(definition)
			objects = append(objects, o)
		}
	}
	api := fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(testrestmapper.TestOnlyStaticRESTMapper(scheme)).WithObjects(objects...).
		WithStatusSubresource(&gwv1.Gateway{}, &gwv1.HTTPRoute{}, &gwv1.GatewayClass{}, &gwv1.ListenerSet{},
			&awsgwv1.LoadBalancerConfiguration{}, &awsgwv1.TargetGroupConfiguration{}, &awsgwv1.ListenerRuleConfiguration{}).Build()
	w := &world{T: t, api: api, clouds: &clouds{made: map[model.Owner]*model.LoadBalancer{}}, notes: &notes{}}
	w.op = &Reconciler{
		client: api, objects: api, live: api, loop: w.clouds, set: Settings{ClusterName: "c", DefaultTargetType: "ip", DefaultScheme: "internal"},
		voice: outcome.NewVoice(w.notes, time.Now), uses: newLedger(),
	}
	w.class = &ClassReconciler{client: api, live: api, voice: outcome.NewVoice(w.notes, time.Now)}
	return w
}

// shop is a class, a Gateway and a route of it.
func shop(t *testing.T) []client.Object {
	t.Helper()
	class, gateway, route := &gwv1.GatewayClass{}, &gwv1.Gateway{}, &gwv1.HTTPRoute{}
	parse(t, `{metadata: {name: alb, generation: 1}, spec: {controllerName: gateway.k8s.aws/alb}}`, class)
	parse(t, `{metadata: {namespace: infra, name: gw, generation: 1}, spec: {gatewayClassName: alb, listeners: `+anyListener+`}}`, gateway)
	parse(t, routeWith(`{backendRefs: [{name: web, port: 80}]}`), route)
	return []client.Object{class, gateway, route, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "app"}}}
}

func (w *world) reconcile() reconcile.Result {
	w.Helper()
	res, err := w.op.Reconcile(w.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: "infra", Name: "gw"}})
	if err != nil {
		w.Fatal(err)
	}
	return res
}

func (w *world) judgeClass() *gwv1.GatewayClass {
	w.Helper()
	if _, err := w.class.Reconcile(w.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Name: "alb"}}); err != nil {
		w.Fatal(err)
	}
	class := &gwv1.GatewayClass{}
	if err := w.api.Get(w.Context(), client.ObjectKey{Name: "alb"}, class); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	return class
}

func (w *world) gateway() *gwv1.Gateway {
	w.Helper()
	g := &gwv1.Gateway{}
	if err := w.api.Get(w.Context(), client.ObjectKey{Namespace: "infra", Name: "gw"}, g); client.IgnoreNotFound(err) != nil {
		w.Fatal(err)
	}
	return g
}

func (w *world) route() *gwv1.HTTPRoute {
	w.Helper()
	r := &gwv1.HTTPRoute{}
	if err := w.api.Get(w.Context(), client.ObjectKey{Namespace: "app", Name: "r"}, r); err != nil {
		w.Fatal(err)
	}
	return r
}

func (w *world) must(err error) {
	w.Helper()
	if err != nil {
		w.Fatal(err)
	}
}

func TestGatewayIsServed(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	if res := w.reconcile(); res.RequeueAfter != time.Minute {
		t.Errorf("the loop says when to look again: %+v", res)
	}
	g, route := w.gateway(), w.route()
	if !slices.Contains(g.Finalizers, Finalizer) || len(g.Status.Addresses) != 1 || len(g.Status.Listeners) != 1 {
		t.Errorf("Gateway %+v", g)
	}
	if got := route.Status.Parents; len(got) != 1 || words(got[0].Conditions)["ResolvedRefs"] != "False/BackendNotFound" {
		t.Errorf("route %+v", got)
	}
	versions := g.ResourceVersion + " " + route.ResourceVersion
	w.reconcile()
	if got := w.gateway().ResourceVersion + " " + w.route().ResourceVersion; got != versions {
		t.Errorf("invariant 1: a steady Gateway was written: %s → %s", versions, got)
	}
}

func TestServiceOfARouteIsFound(t *testing.T) {
	t.Parallel()
	service := &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "web"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
	}
	w := newWorld(t, append(shop(t), service)...)
	w.reconcile()
	if got := words(w.route().Status.Parents[0].Conditions)["ResolvedRefs"]; got != "True/ResolvedRefs" {
		t.Error(got)
	}
	if got := requests(w.op.gatewaysOfService(t.Context(), service)); cmp.Diff([]string{"infra/gw"}, got) != "" {
		t.Errorf("the Service wakes %v", got)
	}
	if got := requests(w.op.allGateways(t.Context(), nil)); cmp.Diff([]string{"infra/gw"}, got) != "" {
		t.Errorf("everything wakes %v", got)
	}
}

func requests(list []reconcile.Request) []string {
	var out []string
	for _, r := range list {
		out = append(out, r.String())
	}
	return out
}

func TestGatewayIsDeleted(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.reconcile()
	w.must(w.api.Delete(t.Context(), w.gateway()))
	w.reconcile()
	if g := w.gateway(); g.Name != "" || len(w.clouds.made) > 0 {
		t.Errorf("left: %v, %v", g, w.clouds.made)
	}
	if got := w.route().Status.Parents; len(got) > 0 || got == nil {
		t.Errorf("the route says that it is on no Gateway by a list, which the API server asks for: %+v", got)
	}
}

func TestRouteLeavesAGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.reconcile()
	route := w.route()
	route.Spec.ParentRefs[0].Name = "other"
	w.must(w.api.Update(t.Context(), route))
	if got := requests(w.op.gatewaysOfRoute(t.Context(), w.route())); cmp.Diff([]string{"infra/other", "infra/gw"}, got) != "" {
		t.Errorf("both Gateways are woken: %v", got)
	}
	w.reconcile()
	if got := w.route().Status.Parents; len(got) > 0 {
		t.Errorf("its status still names the Gateway: %+v", got)
	}
	if got := w.gateway().Status.Listeners[0].AttachedRoutes; got != 0 {
		t.Errorf("%d routes are attached", got)
	}
}

func TestClassOfAGateway(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.reconcile()
	class := w.judgeClass()
	if !slices.Contains(class.Finalizers, ClassFinalizer) || words(class.Status.Conditions)["Accepted"] != "True/Accepted" {
		t.Errorf("%+v", class)
	}

	class.Finalizers = nil
	w.must(w.api.Update(t.Context(), class))
	w.must(w.api.Delete(t.Context(), class))
	runs := w.clouds.runs
	w.reconcile()
	if w.clouds.runs != runs || len(w.clouds.made) != 1 {
		t.Error("a class that is missing costs a load balancer")
	}

	other := &gwv1.GatewayClass{ObjectMeta: metav1.ObjectMeta{Name: "alb"}, Spec: gwv1.GatewayClassSpec{ControllerName: "example.com/other"}}
	w.must(w.api.Create(t.Context(), other))
	w.reconcile()
	if len(w.clouds.made) > 0 || slices.Contains(w.gateway().Finalizers, Finalizer) {
		t.Error("a class of another controller means that the Gateway is not ours any more")
	}
	runs = w.clouds.runs
	w.reconcile()
	if w.clouds.runs != runs {
		t.Error("a Gateway that is not ours is left alone")
	}
}

func TestClassInUseStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.must(w.api.Delete(t.Context(), func() client.Object { return w.judgeClass() }()))
	if class := w.judgeClass(); class.Name == "" {
		t.Fatal("a class that a Gateway names is gone")
	}
	w.must(w.api.Delete(t.Context(), w.gateway()))
	if class := w.judgeClass(); class.Name != "" {
		t.Errorf("nobody names it, and it is held: %v", class.Finalizers)
	}
}

func TestParametersOfAClass(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, ref, want string }{
		{"they are there", `{group: gateway.k8s.aws, kind: LoadBalancerConfiguration, namespace: infra, name: c}`, "True/Accepted"},
		{"they are not", `{group: gateway.k8s.aws, kind: LoadBalancerConfiguration, namespace: infra, name: absent}`, "False/InvalidParameters"},
		{"no namespace", `{group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: c}`, "False/InvalidParameters"},
		{"another kind", `{group: "", kind: ConfigMap, namespace: infra, name: c}`, "False/InvalidParameters"},
	} {
		objects := shop(t)
		class, ok := objects[0].(*gwv1.GatewayClass)
		if !ok {
			t.Fatal("the first is the class")
		}
		parse(t, c.ref, &class.Spec.ParametersRef)
		w := newWorld(t, append(objects, &awsgwv1.LoadBalancerConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "c"}})...)
		if got := words(w.judgeClass().Status.Conditions)["Accepted"]; got != c.want {
			t.Errorf("%s: %s, want %s", c.why, got, c.want)
		}
	}
}

func TestParametersOfAGateway(t *testing.T) {
	t.Parallel()
	objects := shop(t)
	gateway, ok := objects[1].(*gwv1.Gateway)
	if !ok {
		t.Fatal("the second is the Gateway")
	}
	parse(t, `{parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: c}}`, &gateway.Spec.Infrastructure)
	w := newWorld(t, objects...)
	w.reconcile()
	if got := words(w.gateway().Status.Conditions)["Accepted"]; got != "False/InvalidParameters" {
		t.Errorf("parameters that do not exist: %s", got)
	}
	w.must(w.api.Create(t.Context(), &awsgwv1.LoadBalancerConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "c"}}))
	w.reconcile()
	if got := words(w.gateway().Status.Conditions)["Accepted"]; got != "True/Accepted" {
		t.Errorf("now they exist: %s", got)
	}
}

func TestBothParametersAreTold(t *testing.T) {
	t.Parallel()
	objects := shop(t)
	class, gateway := &gwv1.GatewayClass{}, &gwv1.Gateway{}
	parse(t, `{metadata: {name: alb}, spec: {controllerName: gateway.k8s.aws/alb, parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, namespace: infra, name: one}}}`, class)
	parse(t, `{metadata: {namespace: infra, name: gw}, spec: {gatewayClassName: alb, listeners: `+anyListener+`,
		infrastructure: {parametersRef: {group: gateway.k8s.aws, kind: LoadBalancerConfiguration, name: two}}}}`, gateway)
	objects[0], objects[1] = class, gateway
	w := newWorld(t, objects...)
	w.reconcile()
	message := meta.FindStatusCondition(w.gateway().Status.Conditions, "Accepted").Message
	if !strings.Contains(message, "infra/one") || !strings.Contains(message, "infra/two") {
		t.Errorf("invariant 8: %s", message)
	}
}

func TestOtherNamespacesAreNotWatched(t *testing.T) {
	t.Parallel()
	w := newWorld(t, shop(t)...)
	w.op.set.WatchNamespace = "elsewhere"
	w.reconcile()
	if w.clouds.runs > 0 {
		t.Error("a Gateway of a namespace that is not watched is served")
	}
}

func TestGatewayOfABinding(t *testing.T) {
	t.Parallel()
	b := &elbv2v1beta1.TargetGroupBinding{}
	b.Labels = map[string]string{"gateway.k8s.aws.alb/stack-namespace": "infra", "gateway.k8s.aws.alb/stack-name": "gw"}
	if got := requests(gatewayOfBinding(t.Context(), b)); cmp.Diff([]string{"infra/gw"}, got) != "" {
		t.Error(got)
	}
	b.Labels = map[string]string{"ingress.k8s.aws/stack": "shop"}
	if got := gatewayOfBinding(t.Context(), b); len(got) > 0 {
		t.Error(got)
	}
}

func TestGatewaysOfALoadBalancer(t *testing.T) {
	t.Parallel()
	lb := &headgatev1alpha1.LoadBalancer{Status: headgatev1alpha1.LoadBalancerStatus{Sources: []headgatev1alpha1.ObjectReference{
		{Kind: "Gateway", Namespace: "infra", Name: "gw"}, {Kind: "HTTPRoute", Namespace: "app", Name: "r"}, {Kind: "Ingress", Namespace: "app", Name: "web"},
	}}}
	if diff := cmp.Diff([]string{"infra/gw"}, requests(gatewaysOfLoadBalancer(t.Context(), lb))); diff != "" {
		t.Error(diff)
	}
	changed := lb.DeepCopy()
	changed.Generation++
	for _, c := range []struct {
		why       string
		got, want bool
	}{
		{"it was deleted", edited().Delete(event.DeleteEvent{Object: lb}), true},
		{"somebody wrote to it", edited().Update(event.UpdateEvent{ObjectOld: lb, ObjectNew: changed}), true},
		{"its status", edited().Update(event.UpdateEvent{ObjectOld: lb, ObjectNew: lb}), false},
		{"it was made", edited().Create(event.CreateEvent{Object: lb}), false},
	} {
		if c.got != c.want {
			t.Errorf("%s: passes %v", c.why, c.got)
		}
	}
}
