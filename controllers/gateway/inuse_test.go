package gateway

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/reconcile"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
)

const toConfig = `{group: gateway.k8s.aws, kind: LoadBalancerConfiguration, `

// furnished is a shop whose Gateway, class and route use a configuration of each kind, and one configuration that nobody uses.
func furnished(t *testing.T) []client.Object {
	t.Helper()
	objects := shop(t)
	class, gateway, route := &gwv1.GatewayClass{}, &gwv1.Gateway{}, &gwv1.HTTPRoute{}
	parse(t, `{metadata: {name: alb, generation: 1}, spec: {controllerName: gateway.k8s.aws/alb, parametersRef: `+toConfig+`namespace: infra, name: class}}}`, class)
	parse(t, `{metadata: {namespace: infra, name: gw, generation: 1}, spec: {gatewayClassName: alb, listeners: `+anyListener+`,
		infrastructure: {parametersRef: `+toConfig+`name: own}}}}`, gateway)
	parse(t, routeWith(`{backendRefs: [{name: web, port: 80}], filters: [`+extension+`]}`), route)
	objects[0], objects[1], objects[2] = class, gateway, route
	own, named := &awsgwv1.LoadBalancerConfiguration{}, &awsgwv1.TargetGroupConfiguration{}
	parse(t, `{metadata: {namespace: infra, name: own, generation: 1}, spec: {defaultTargetGroupConfiguration: {name: default}}}`, own)
	parse(t, `{metadata: {namespace: app, name: web, generation: 1}, spec: {targetReference: {name: web}}}`, named)
	return append(objects, own, named,
		&awsgwv1.LoadBalancerConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "class", Generation: 1}},
		&awsgwv1.LoadBalancerConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "idle", Generation: 1}},
		&awsgwv1.TargetGroupConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "default", Generation: 1}},
		&awsgwv1.ListenerRuleConfiguration{ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "login", Generation: 1}},
		&corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: "app", Name: "web"}, Spec: corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		})
}

// configs are all configurations there are, as "namespace/name".
func (w *world) configs() map[string]client.Object {
	w.Helper()
	out := map[string]client.Object{}
	var balancers awsgwv1.LoadBalancerConfigurationList
	var groups awsgwv1.TargetGroupConfigurationList
	var rules awsgwv1.ListenerRuleConfigurationList
	for _, list := range []client.ObjectList{&balancers, &groups, &rules} {
		w.must(w.api.List(w.Context(), list))
	}
	for i := range balancers.Items {
		out[balancers.Items[i].Namespace+"/"+balancers.Items[i].Name] = &balancers.Items[i]
	}
	for i := range groups.Items {
		out[groups.Items[i].Namespace+"/"+groups.Items[i].Name] = &groups.Items[i]
	}
	for i := range rules.Items {
		out[rules.Items[i].Namespace+"/"+rules.Items[i].Name] = &rules.Items[i]
	}
	return out
}

// kept are the finalizers of the configurations that have any.
func (w *world) kept() map[string]string {
	w.Helper()
	out := map[string]string{}
	for name, o := range w.configs() {
		if f := o.GetFinalizers(); len(f) > 0 {
			out[name] = strings.Join(f, " ")
		}
	}
	return out
}

// keep lets every keeper look at all configurations: each one takes a name of another kind for one that is gone.
func (w *world) keep() {
	w.Helper()
	for name := range w.configs() {
		namespace, name, _ := strings.Cut(name, "/")
		for _, k := range w.op.keepers() {
			if _, err := k.Reconcile(w.Context(), reconcile.Request{NamespacedName: types.NamespacedName{Namespace: namespace, Name: name}}); err != nil {
				w.Fatal(err)
			}
		}
	}
}

// settle lets everybody do what there is to do.
func (w *world) settle() {
	w.Helper()
	for range 3 {
		w.reconcile()
		w.judgeClass()
		w.keep()
	}
}

func incumbentFinalizers() map[string]string {
	return map[string]string{
		"infra/class": "gateway.k8s.aws/loadbalancerconfigurations", "infra/own": "gateway.k8s.aws/loadbalancerconfigurations",
		"infra/default": "gateway.k8s.aws/targetgroupconfigurations", "app/web": "gateway.k8s.aws/targetgroupconfigurations",
		"app/login": "gateway.k8s.aws/listenerruleconfigurations",
	}
}

func TestConfigurationsInUseAreKept(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	w.settle()
	if diff := cmp.Diff(incumbentFinalizers(), w.kept()); diff != "" {
		t.Error(diff)
	}
	versions := map[string]string{}
	for name, o := range w.configs() {
		versions[name] = o.GetResourceVersion()
	}
	w.settle()
	for name, o := range w.configs() {
		if o.GetResourceVersion() != versions[name] {
			t.Errorf("invariant 1: %s was written in a steady cluster", name)
		}
	}
	w.must(w.api.Delete(t.Context(), w.gateway()))
	w.settle()
	if diff := cmp.Diff(map[string]string{}, w.kept()); diff != "" {
		t.Errorf("the Gateway is gone: %s", diff)
	}
}

func TestFinalizerIsAllThatIsWritten(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	own := w.configs()["infra/own"]
	own.SetFinalizers([]string{"example.com/theirs"})
	own.SetAnnotations(map[string]string{"a": "b"})
	w.must(w.api.Update(t.Context(), own))
	w.settle()
	got, ok := w.configs()["infra/own"].(*awsgwv1.LoadBalancerConfiguration)
	if !ok || got.Spec.DefaultTargetGroupConfiguration == nil || got.Annotations["a"] != "b" || len(got.Finalizers) != 2 {
		t.Errorf("%+v", got)
	}
	w.must(w.api.Delete(t.Context(), w.gateway()))
	w.settle()
	if diff := cmp.Diff(map[string]string{"infra/own": "example.com/theirs"}, w.kept()); diff != "" {
		t.Errorf("finalizers of others are theirs: %s", diff)
	}
}

func TestDeletionOfAConfigurationWaits(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	w.settle()
	w.must(w.api.Delete(t.Context(), w.configs()["infra/own"]))
	w.notes.all, w.notes.texts = nil, nil
	w.settle()
	if w.configs()["infra/own"] == nil {
		t.Fatal("a configuration that a Gateway uses is gone")
	}
	for object, part := range map[string]string{"gw ConfigurationIsDeleted": "infra/own", "own FailedRemoveFinalizer": "infra/gw"} {
		i := slices.Index(w.notes.all, object)
		if i < 0 || !strings.Contains(w.notes.texts[i], part) || slices.Contains(w.notes.all[i+1:], object) {
			t.Errorf("invariant 8: %s with %s is told once: %v, %v", object, part, w.notes.all, w.notes.texts)
		}
	}
	g := w.gateway()
	g.Spec.Infrastructure = nil
	w.must(w.api.Update(t.Context(), g))
	w.settle()
	if w.configs()["infra/own"] != nil {
		t.Error("nobody uses the configuration any more, and it is kept")
	}
	if got := w.kept()["infra/default"]; got != "" {
		t.Errorf("what only that one named is not used either: %s", got)
	}
}

// What the incumbent marked is let go under its rules, whether or not it was ever used here.
func TestMarksOfTheIncumbent(t *testing.T) {
	t.Parallel()
	w := newWorld(t, furnished(t)...)
	for name, finalizer := range map[string]string{
		"infra/idle": "gateway.k8s.aws/loadbalancerconfigurations", "infra/own": "gateway.k8s.aws/loadbalancerconfigurations",
	} {
		o := w.configs()[name]
		o.SetFinalizers([]string{finalizer})
		w.must(w.api.Update(t.Context(), o))
		w.must(w.api.Delete(t.Context(), w.configs()[name]))
	}
	w.keep()
	if got := w.configs(); got["infra/own"] == nil || got["infra/idle"] == nil {
		t.Fatal("after a start nothing is let go before every Gateway was looked at")
	}
	w.settle()
	if got := w.configs(); got["infra/own"] == nil || got["infra/idle"] != nil {
		t.Errorf("only what is used stays: %v", got)
	}
}

// A neighbour's mistake, and a Gateway that is not ours, keep nobody from deleting.
func TestOthersHoldNothing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why    string
		change func(g *gwv1.Gateway, class *gwv1.GatewayClass)
		want   string
	}{
		{"its class is another controller's", func(_ *gwv1.Gateway, class *gwv1.GatewayClass) { class.Spec.ControllerName = "example.com/x" }, ""},
		{"its class was never there", func(g *gwv1.Gateway, _ *gwv1.GatewayClass) { g.Spec.GatewayClassName = "absent" }, ""},
		{"its class is lost, and what it made is there", func(g *gwv1.Gateway, _ *gwv1.GatewayClass) {
			g.Spec.GatewayClassName, g.Finalizers = "absent", []string{Finalizer}
		}, "gateway.k8s.aws/loadbalancerconfigurations"},
		{"it goes, and is there still", func(g *gwv1.Gateway, _ *gwv1.GatewayClass) {
			now := metav1.Now()
			g.DeletionTimestamp, g.Finalizers = &now, []string{Finalizer}
		}, "gateway.k8s.aws/loadbalancerconfigurations"},
	} {
		objects := furnished(t)
		class, _ := objects[0].(*gwv1.GatewayClass)
		gateway, _ := objects[1].(*gwv1.Gateway)
		c.change(gateway, class)
		w := newWorld(t, objects...)
		s, err := Load(t.Context(), w.api, Settings{}, client.ObjectKeyFromObject(gateway))
		w.must(err)
		w.op.uses.note(client.ObjectKeyFromObject(gateway), Judge(s, w.op.set, Owner("c", client.ObjectKeyFromObject(gateway))).uses())
		w.keep()
		if got := w.kept()["infra/own"]; got != c.want {
			t.Errorf("%s: finalizer %q, want %q", c.why, got, c.want)
		}
	}
}

func TestConfigurationsAreWoken(t *testing.T) {
	t.Parallel()
	l := newLedger()
	var woken []string
	l.onWake("K", func(name types.NamespacedName) { woken = append(woken, name.String()) })
	gateway := func(name string) types.NamespacedName { return types.NamespacedName{Namespace: "infra", Name: name} }
	config := func(name string) configName { return configName{types.NamespacedName{Namespace: "n", Name: name}, "K"} }
	all := []types.NamespacedName{gateway("1"), gateway("2")}
	for _, c := range []struct {
		why  string
		do   func()
		want []string
	}{
		{"it is used now", func() { l.note(gateway("1"), map[configName]bool{config("a"): true}) }, []string{"n/a"}},
		{"nothing changed", func() { l.note(gateway("1"), map[configName]bool{config("a"): true}) }, nil},
		{"who asks while a Gateway was not looked at waits", func() {
			if l.unused(config("b"), all) {
				t.Error("nobody knows yet")
			}
		}, nil},
		{"and is woken when it was", func() { l.note(gateway("2"), nil) }, []string{"n/b"}},
		{"once", func() { l.note(gateway("2"), nil) }, nil},
		{"it is not used any more", func() { l.note(gateway("1"), nil) }, []string{"n/a"}},
		{"who waits for a Gateway that never comes is woken when it is gone", func() {
			l.unused(config("b"), append(all, gateway("3")))
			l.forget(gateway("3"))
		}, []string{"n/b"}},
	} {
		woken = nil
		c.do()
		if diff := cmp.Diff(c.want, woken); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
	if !l.unused(config("a"), all) || len(l.uses) != 2 {
		t.Errorf("a Gateway that is gone is forgotten: %v", l.uses)
	}
}
