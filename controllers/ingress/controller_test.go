package ingress

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/event"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// told keeps events as "<type> <object> <reason>: <text>".
type told struct{ events []string }

func (r *told) Eventf(regarding, _ runtime.Object, eventtype, reason, _, note string, args ...any) {
	name := "?"
	switch o := regarding.(type) {
	case *corev1.ObjectReference:
		name = o.Kind + "/" + o.Namespace + "/" + o.Name
	case client.Object:
		name = o.GetNamespace() + "/" + o.GetName() + "/" + string(o.GetUID())
	}
	r.events = append(r.events, fmt.Sprintf("%s %s %s: %s", eventtype, strings.TrimSuffix(name, "/"), reason, fmt.Sprintf(note, args...)))
}

func (r *told) has(parts ...string) bool {
	return slices.ContainsFunc(r.events, func(e string) bool {
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(e, p) })
	})
}

// plays is a loop that answers as it was told, and keeps what it was asked.
type plays struct {
	result stack.Result
	err    error
	asked  []stack.Request
	during func()
	// newer are the stacks of which something else was asked for.
	newer []string
}

func (p *plays) Asked(model.Owner) uint64 { return 0 }

func (p *plays) Newer(owner model.Owner) { p.newer = append(p.newer, owner.Stack) }

func (p *plays) Run(_ context.Context, req stack.Request) (stack.Result, error) {
	p.asked = append(p.asked, req)
	if p.during != nil {
		p.during()
	}
	res := p.result
	res.Findings = append(slices.Clone(req.Findings), res.Findings...)
	return res, p.err
}

func active() stack.Result {
	return stack.Result{Settled: true, LoadBalancer: &model.LoadBalancer{DNSName: "LB-1.us-west-2.elb.amazonaws.com"}, RequeueAfter: time.Hour}
}

func reconcileKey(t *testing.T, r *Reconciler, key GroupKey) reconcile.Result {
	t.Helper()
	res, err := r.Reconcile(t.Context(), reconcile.Request{NamespacedName: key.NamespacedName()})
	if err != nil {
		t.Fatal(err)
	}
	return res
}

func get(t *testing.T, c client.Client, name string) *networkingv1.Ingress {
	t.Helper()
	ing := &networkingv1.Ingress{}
	if err := c.Get(t.Context(), client.ObjectKey{Namespace: "shop", Name: name}, ing); err != nil {
		t.Fatal(err)
	}
	return ing
}

func TestReconcileServesAMember(t *testing.T) {
	c := newClient(t, newIngress(annotations.ListenPorts, `[{"HTTP":8080},{"HTTP":80}]`), newService("web"), newClass("alb", ""))
	loop, events := &plays{result: active()}, &told{}
	loop.during = func() {
		if f := get(t, c, "web").Finalizers; !slices.Contains(f, finalizerImplicit) {
			t.Errorf("finalizers %v while the loop runs: the finalizer comes before the first create", f)
		}
	}
	r := New(c, loop, events, settingsIP())
	if res := reconcileKey(t, r, Implicit("shop", "web")); res.RequeueAfter != time.Hour {
		t.Errorf("again in %s, want what the loop says", res.RequeueAfter)
	}
	ing := get(t, c, "web")
	want := []networkingv1.IngressLoadBalancerIngress{{
		Hostname: "lb-1.us-west-2.elb.amazonaws.com",
		Ports:    []networkingv1.IngressPortStatus{{Port: 80, Protocol: corev1.ProtocolTCP}, {Port: 8080, Protocol: corev1.ProtocolTCP}},
	}}
	if diff := cmp.Diff(want, ing.Status.LoadBalancer.Ingress); diff != "" {
		t.Error(diff)
	}
	version := ing.ResourceVersion
	reconcileKey(t, r, Implicit("shop", "web"))
	if got := get(t, c, "web").ResourceVersion; got != version {
		t.Error("a steady group writes to its Ingress")
	}
	loop.result.LoadBalancer = nil
	reconcileKey(t, r, Implicit("shop", "web"))
	if got := get(t, c, "web").Status.LoadBalancer.Ingress; len(got) != 1 {
		t.Error("an address is blanked because the loop did not get as far as the load balancer")
	}
}

func TestAddressIsWrittenWhileTheLoopWritesDownTheRest(t *testing.T) {
	c := newClient(t, newIngress(), newService("web"), newClass("alb", ""))
	loop, version := &plays{result: active()}, ""
	loop.during = func() {
		loop.asked[len(loop.asked)-1].Reached(t.Context(), stack.Result{LoadBalancer: active().LoadBalancer, Ports: []int{80}})
		ing := get(t, c, "web")
		if len(ing.Status.LoadBalancer.Ingress) != 1 {
			t.Error("the address waits for what is only written down")
		}
		version = ing.ResourceVersion
	}
	reconcileKey(t, New(c, loop, &told{}, settingsIP()), Implicit("shop", "web"))
	if got := get(t, c, "web").ResourceVersion; got != version {
		t.Error("the address is written twice")
	}
}

func TestReconcileLetsLeaversGoWhenSettled(t *testing.T) {
	moved := named("moved", annotations.GroupName, "new")
	moved.Finalizers = []string{finalizerExplicit + "old", finalizerExplicit + "new"}
	moved.Status.LoadBalancer.Ingress = []networkingv1.IngressLoadBalancerIngress{{Hostname: "of-new"}}
	unclaimed := named("unclaimed")
	unclaimed.Spec.IngressClassName = new("nginx")
	unclaimed.Finalizers = []string{finalizerExplicit + "old", "other/finalizer"}
	unclaimed.Status.LoadBalancer.Ingress = addresses("of-old", []int{80})
	deleted := named("deleted", annotations.GroupName, "old")
	deleted.Finalizers = []string{finalizerExplicit + "old"}
	c := newClient(t, moved, unclaimed, deleted, newClass("alb", ""), othersClass("nginx"))
	if err := c.Delete(t.Context(), deleted); err != nil {
		t.Fatal(err)
	}
	loop := &plays{result: stack.Result{RequeueAfter: time.Second, Free: []model.ObjectRef{refOf(moved)}}}
	r := New(c, loop, &told{}, settingsIP())

	reconcileKey(t, r, Explicit("old"))
	if f := get(t, c, "deleted").Finalizers; len(f) != 1 {
		t.Error("a finalizer went before the rules were gone")
	}
	if got := get(t, c, "moved"); !slices.Equal(got.Finalizers, []string{finalizerExplicit + "new"}) {
		t.Errorf("invariant 3: %v: nothing of it is left, and it waits for the others", got.Finalizers)
	}
	if n := len(loop.asked[0].Intent.Fragments); n != 0 {
		t.Errorf("%d fragments, want none", n)
	}
	asked := loop.asked[0].Leaving
	slices.SortFunc(asked, func(a, b model.ObjectRef) int { return strings.Compare(a.Name, b.Name) })
	if diff := cmp.Diff([]model.ObjectRef{refOf(deleted), refOf(unclaimed)}, asked); diff != "" {
		t.Error(diff)
	}
	move := []stack.Move{{Member: refOf(moved), Other: Explicit("new").Owner("c"), Published: []string{"of-new"}}}
	if diff := cmp.Diff(move, loop.asked[0].Moving); diff != "" {
		t.Error(diff)
	}
	loop.result = stack.Result{Settled: true, Gone: true, Free: append(asked, refOf(moved))}
	reconcileKey(t, r, Explicit("old"))
	err := c.Get(t.Context(), client.ObjectKeyFromObject(deleted), &networkingv1.Ingress{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the deleted Ingress is still there: %v", err)
	}
	if got := get(t, c, "moved"); !slices.Equal(got.Finalizers, []string{finalizerExplicit + "new"}) || len(got.Status.LoadBalancer.Ingress) != 1 {
		t.Errorf("moved: %v %v: its new group's finalizer and address stay", got.Finalizers, got.Status)
	}
	if got := get(t, c, "unclaimed"); !slices.Equal(got.Finalizers, []string{"other/finalizer"}) || len(got.Status.LoadBalancer.Ingress) != 0 {
		t.Errorf("unclaimed: %v %v: nothing serves it any more", got.Finalizers, got.Status)
	}
}

func TestReconcileTellsOfWhatWentWrong(t *testing.T) {
	ing := newIngress(annotations.Scheme, "public")
	ing.UID = "u"
	c := newClient(t, ing, newService("web", annotations.HealthPath, "x"), newClass("alb", ""))
	events := &told{}
	loop := &plays{err: errors.New("the cloud is grey"), result: stack.Result{
		RequeueAfter: 2 * time.Second, Serving: []stack.Serving{{Member: refOf(ing), Held: true}},
	}}
	r := New(c, loop, events, settingsIP())
	if res := reconcileKey(t, r, Implicit("shop", "web")); res.RequeueAfter != 2*time.Second {
		t.Errorf("again in %s", res.RequeueAfter)
	}
	for _, want := range [][]string{
		{"Warning shop/web/u InvalidAnnotation", annotations.Scheme, "write one of internal, internet-facing", "last good rules"},
		{"Warning Service/shop/web InvalidAnnotation", annotations.HealthPath},
		{"Warning shop/web/u FailedDeployModel", "the cloud is grey", "tried again in 2s"},
	} {
		if !events.has(want...) {
			t.Errorf("no event with %q in %q", want, events.events)
		}
	}
	n := len(events.events)
	reconcileKey(t, r, Implicit("shop", "web"))
	if len(events.events) != n {
		t.Errorf("the same is told again: %q", events.events[n:])
	}
	loop.err, loop.result = nil, stack.Result{Blocked: "no subnets: tag some"}
	reconcileKey(t, r, Implicit("shop", "web"))
	if !events.has("FailedBuildModel", "no subnets") {
		t.Errorf("events %q", events.events)
	}
}

func TestWhyNothingIsBuiltIsToldOnce(t *testing.T) {
	ing := newIngress()
	events := &told{}
	loop := &plays{result: stack.Result{Blocked: "no subnets", Findings: []model.Finding{{
		Object: refOf(ing), Severity: model.Wrong, Reason: "SubnetsNotUsable", Message: "no subnets; tag some",
	}}}}
	reconcileKey(t, New(newClient(t, ing, newService("web"), newClass("alb", "")), loop, events, settingsIP()), Implicit("shop", "web"))
	if !events.has("SubnetsNotUsable", "tag some") || events.has("FailedBuildModel") {
		t.Errorf("events %q", events.events)
	}
}

func TestReconcileTellsOfARestrictionBesideAMistake(t *testing.T) {
	ing := newIngress(annotations.Scheme, "public", "inbound-cidr", "10.0.0.0/8")
	events := &told{}
	loop := &plays{result: stack.Result{Serving: []stack.Serving{{Member: refOf(ing), Held: true}}}}
	reconcileKey(t, New(newClient(t, ing, newService("web"), newClass("alb", "")), loop, events, settingsIP()), Implicit("shop", "web"))
	if !events.has(annotations.Scheme, "except those to which it restricts access") || !events.has("UnknownAnnotation", "inbound-cidr") {
		t.Errorf("events %q", events.events)
	}
}

func TestReconcileTellsOfWhatWasDone(t *testing.T) {
	change := plan.Change{Action: plan.Create, Key: model.Key{Kind: model.KindTargetGroup, ID: "a"}}
	for _, row := range []struct {
		why    string
		result stack.Result
		want   string
	}{
		{"the past tense", stack.Result{Settled: true, Plan: plan.Plan{Changes: []plan.Change{change}}},
			"Normal shop/web SuccessfullyReconciled: Created 1, updated 0, deleted 0 AWS resources."},
		{"somebody else changed it", stack.Result{Settled: true, Drift: true, Plan: plan.Plan{Changes: []plan.Change{change}}},
			"Normal shop/web SuccessfullyReconciled: AWS did not hold any more what was asked for. Created 1"},
		{"not all is done", stack.Result{Plan: plan.Plan{Changes: []plan.Change{change}}}, ""},
		{"nothing was to be done", stack.Result{Settled: true}, ""},
	} {
		events := &told{}
		c := newClient(t, newIngress(), newService("web"), newClass("alb", ""))
		reconcileKey(t, New(c, &plays{result: row.result}, events, settingsIP()), Implicit("shop", "web"))
		if row.want != "" && !events.has(row.want) || row.want == "" && len(events.events) > 0 {
			t.Errorf("%s: events %q", row.why, events.events)
		}
	}
}

func TestReconcileOfRefusedAsksNothingOfTheCloud(t *testing.T) {
	c := newClient(t, newIngress(annotations.GroupName, "$x"), newClass("alb", ""))
	loop, events := &plays{}, &told{}
	reconcileKey(t, New(c, loop, events, settingsIP()), Implicit("shop", "web"))
	if len(loop.asked) != 0 || !events.has("FailedLoadGroupID", "$x") {
		t.Errorf("asked %v, told %q", loop.asked, events.events)
	}
}

func TestReconcileCleansWhatIsRememberedOnly(t *testing.T) {
	owner := Explicit("g").Owner("c")
	state := &headgatev1alpha1.StackState{ObjectMeta: metav1.ObjectMeta{Name: stack.StateName(owner)}}
	loop := &plays{result: stack.Result{Settled: true, Gone: true}}
	reconcileKey(t, New(newClient(t, state), loop, &told{}, settingsIP()), Explicit("g"))
	if len(loop.asked) != 1 {
		t.Error("a group whose finalizers were taken away by hand is left behind")
	}
}

func TestRequests(t *testing.T) {
	legacy := named("legacy", annotations.GroupName, "l")
	legacy.Annotations[classAnnotation] = "alb"
	legacy.Spec.IngressClassName = nil
	moving := newIngress(annotations.GroupName, "g")
	moving.Finalizers = []string{finalizerImplicit}
	foreign := named("foreign")
	foreign.Spec.IngressClassName = new("nginx")
	params := newParams(elbv2v1beta1.IngressClassParamsSpec{})
	c := newClient(t, moving, legacy, foreign, newClass("alb", "p"), params, newService("web"))
	r := New(c, &plays{}, &told{}, settingsIP())
	name := func(requests []reconcile.Request) (out []string) {
		for _, q := range requests {
			out = append(out, KeyOf(q.NamespacedName).String())
		}
		slices.Sort(out)
		return out
	}
	rows := []struct {
		name string
		got  []reconcile.Request
		want []string
		why  string
	}{
		{"ingress", r.ofIngress(t.Context(), moving), []string{"g", "shop/web"}, "the new group and the one of its finalizer"},
		{"foreign ingress", r.ofIngress(t.Context(), foreign), nil, "not ours"},
		{"service", r.ofService(t.Context(), newService("web")), []string{"g", "l", "shop/web"}, "all that refer to it"},
		{"other service", r.ofService(t.Context(), newService("other")), nil, "nobody refers to it"},
		{"class", r.ofClass(t.Context(), newClass("alb", "")), []string{"g", "l", "shop/web"}, "those of the class, and those without"},
		{"other class", r.ofClass(t.Context(), newClass("nginx", "")), []string{"l"}, "it may have been the default"},
		{"params", r.ofParams(t.Context(), params), []string{"g", "l", "shop/web"}, "through the class"},
		{"namespace", r.ofNamespace(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop"}}), []string{"g", "l", "shop/web"}, "all in it"},
		{"binding", r.ofBinding(t.Context(), newBinding("ingress.k8s.aws/stack", "g")), []string{"g"}, "one that was deleted is made again"},
		{"binding of one Ingress", r.ofBinding(t.Context(), newBinding("ingress.k8s.aws/stack-name", "web", "ingress.k8s.aws/stack-namespace", "shop")),
			[]string{"shop/web"}, "of an implicit group"},
		{"foreign binding", r.ofBinding(t.Context(), newBinding("service.k8s.aws/stack", "g")), nil, "of another front door"},
		{"a user's binding", r.ofBinding(t.Context(), newBinding()), nil, "it was not made for a stack"},
		{"load balancer", r.ofLoadBalancer(t.Context(), shownOn("Ingress", "web")), []string{"g", "shop/web"}, "somebody wrote to it"},
		{"load balancer of a Gateway", r.ofLoadBalancer(t.Context(), shownOn("Gateway", "web")), nil, "of another front door"},
		{"other namespace", r.ofNamespace(t.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "x"}}), nil, "nothing in it"},
	}
	for _, row := range rows {
		if diff := cmp.Diff(row.want, name(row.got)); diff != "" {
			t.Errorf("%s: %s: %s", row.name, row.why, diff)
		}
	}
	r.set.WatchNamespace = "elsewhere"
	if got := r.ofIngress(t.Context(), moving); got != nil {
		t.Errorf("%v of a namespace that is not watched", got)
	}
}

func newBinding(labels ...string) *elbv2v1beta1.TargetGroupBinding {
	b := &elbv2v1beta1.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "k8s", Labels: map[string]string{}}}
	for i := 0; i < len(labels); i += 2 {
		b.Labels[labels[i]] = labels[i+1]
	}
	return b
}

// shownOn is the page of a load balancer that an object of namespace shop asked for.
func shownOn(kind, name string) *headgatev1alpha1.LoadBalancer {
	return &headgatev1alpha1.LoadBalancer{Status: headgatev1alpha1.LoadBalancerStatus{
		Sources: []headgatev1alpha1.ObjectReference{{Kind: kind, Namespace: "shop", Name: name}},
	}}
}

func TestLoadBalancersAreWatchedForWhatUsersWrite(t *testing.T) {
	before, after := shownOn("Ingress", "web"), shownOn("Ingress", "web")
	if written().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}) || written().Create(event.CreateEvent{Object: after}) {
		t.Error("every status has its group looked at")
	}
	after.Generation++
	if !written().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}) {
		t.Error("an approval is not noticed")
	}
	if !written().Delete(event.DeleteEvent{Object: after}) {
		t.Error("one that somebody deletes is not made again")
	}
}

func TestBindingsAreWatchedForTheirDeletion(t *testing.T) {
	b := newBinding()
	if !deleted().Delete(event.DeleteEvent{Object: b}) {
		t.Error("a binding that is gone is not noticed")
	}
	if deleted().Create(event.CreateEvent{Object: b}) || deleted().Update(event.UpdateEvent{ObjectOld: b, ObjectNew: b}) ||
		deleted().Generic(event.GenericEvent{Object: b}) {
		t.Error("every binding that is written has its group looked at")
	}
}

func TestServiceChanged(t *testing.T) {
	rows := []struct {
		change func(*corev1.Service)
		want   bool
		why    string
	}{
		{func(s *corev1.Service) { s.Status.LoadBalancer.Ingress = []corev1.LoadBalancerIngress{{Hostname: "x"}} }, false, "status"},
		{func(s *corev1.Service) { s.Annotations["other"] = "x" }, false, "somebody else's annotation"},
		{func(s *corev1.Service) { s.Annotations[annotations.IngressPrefix+annotations.HealthPath] = "/b" }, true, "our annotation"},
		{func(s *corev1.Service) { s.Spec.Ports[0].TargetPort.IntVal = 1 }, true, "a port"},
		{func(s *corev1.Service) { s.Spec.Type = corev1.ServiceTypeExternalName }, true, "the type"},
		{func(s *corev1.Service) { s.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol} }, true, "the family"},
		{func(s *corev1.Service) { s.UID = "other" }, true, "another Service of the name"},
	}
	for _, row := range rows {
		before := newService("web", annotations.HealthPath, "/a")
		after := before.DeepCopy()
		row.change(after)
		if got := serviceChanged().Update(event.UpdateEvent{ObjectOld: before, ObjectNew: after}); got != row.want {
			t.Errorf("%s passes: %v", row.why, got)
		}
	}
}
