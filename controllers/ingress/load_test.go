package ingress

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
)

func named(name string, pairs ...string) *networkingv1.Ingress {
	ing := newIngress(pairs...)
	ing.Name = name
	return ing
}

func members(g Group) (out []string) {
	for _, m := range g.Members {
		out = append(out, m.Ingress.Name)
	}
	return out
}

func leavers(g Group) (out []string) {
	for _, l := range g.Leaving {
		out = append(out, l.Ingress.Name)
	}
	return out
}

func TestMembersAreSortedByOrderThenName(t *testing.T) {
	g := load(t, Explicit("g"), newClass("alb", ""),
		named("c", annotations.GroupName, "g"),
		named("b", annotations.GroupName, "g", annotations.GroupOrder, "5"),
		named("a", annotations.GroupName, "g", annotations.GroupOrder, " -1 "),
		named("d", annotations.GroupName, "g", annotations.GroupOrder, "many"),
		named("other", annotations.GroupName, "h"), named("alone"))
	if diff := cmp.Diff([]string{"a", "c", "d", "b"}, members(g)); diff != "" {
		t.Error(diff)
	}
	_, findings := intentOf(g, settingsIP())
	mustFind(t, findings, annotations.GroupOrder, "Wrong")
}

func TestClaim(t *testing.T) {
	alb, other, none := "alb", "nginx", "missing"
	legacy := func(value string, class *string) *networkingv1.Ingress {
		ing := named("x")
		ing.Annotations = map[string]string{classAnnotation: value}
		ing.Spec.IngressClassName = class
		return ing
	}
	withClass := func(class *string) *networkingv1.Ingress {
		ing := named("x")
		ing.Spec.IngressClassName = class
		return ing
	}
	foreign := othersClass("nginx")
	byDefault, second := newClass("alb", ""), newClass("alb2", "")
	byDefault.Annotations = map[string]string{defaultAnnotation: "true"}
	second.Annotations = map[string]string{defaultAnnotation: "true"}
	rows := []struct {
		name    string
		ing     *networkingv1.Ingress
		classes []client.Object
		set     Settings
		member  bool
		refused bool
		why     string
	}{
		{name: "class", ing: withClass(&alb), classes: []client.Object{newClass("alb", "")}, member: true, why: "our controller"},
		{name: "foreign", ing: withClass(&other), classes: []client.Object{foreign}, why: "another controller's"},
		{name: "missing", ing: withClass(&none), why: "no such class"},
		{name: "legacy", ing: legacy("alb", &other), classes: []client.Object{foreign}, member: true, why: "the annotation wins over the field"},
		{name: "legacy foreign", ing: legacy("nginx", &alb), classes: []client.Object{newClass("alb", "")}, why: "it wins in the other direction too"},
		{name: "legacy flag", ing: legacy("edge", nil), set: Settings{IngressClass: "edge"}, member: true, why: "--ingress-class"},
		{name: "default", ing: withClass(nil), classes: []client.Object{byDefault}, member: true, why: "the default class"},
		{name: "two defaults", ing: withClass(nil), classes: []client.Object{byDefault, second}, refused: true, why: "which one is meant?"},
		{name: "no class", ing: withClass(nil), classes: []client.Object{newClass("alb", "")}, why: "nobody asked us"},
		{name: "classless", ing: withClass(nil), set: Settings{Classless: true}, member: true, why: "an empty --ingress-class takes them"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c := newClient(t, append(row.classes, row.ing)...)
			g, err := Load(t.Context(), c, row.set, Implicit("shop", "x"))
			if err != nil || len(g.Members) == 1 != row.member || len(g.Refused) == 1 != row.refused {
				t.Errorf("members %v, refused %v (%v): %s", members(g), g.Refused, err, row.why)
			}
		})
	}
}

func TestClassParamsChooseTheGroup(t *testing.T) {
	params := newParams(elbv2v1beta1.IngressClassParamsSpec{Group: &elbv2v1beta1.IngressGroup{Name: "platform"}})
	ing := newIngress(annotations.GroupName, "mine")
	if got := members(load(t, Explicit("platform"), ing, params, newClass("alb", "p"))); len(got) != 1 {
		t.Errorf("members %v: the class's group wins over the annotation", got)
	}
	legacy := newIngress(annotations.GroupName, "mine")
	legacy.Annotations[classAnnotation] = "alb"
	if got := members(load(t, Explicit("mine"), legacy, params, newClass("alb", "p"))); len(got) != 1 {
		t.Errorf("members %v: with the legacy annotation there are no parameters", got)
	}
}

func TestNamespaceSelector(t *testing.T) {
	params := newParams(elbv2v1beta1.IngressClassParamsSpec{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "a"}},
	})
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: map[string]string{"team": "a"}}}
	key := Implicit("shop", "web")
	if g := load(t, key, newIngress(), params, newClass("alb", "p"), namespace); len(g.Members) != 1 {
		t.Errorf("%+v: the namespace is selected", g)
	}
	known := newIngress()
	known.Finalizers = []string{finalizerImplicit}
	g := load(t, key, known, params, newClass("alb", "p"))
	if len(g.Members) != 0 || len(g.Leaving) != 1 || len(g.Refused) != 1 {
		t.Errorf("%+v: withdrawn permission removes a member at once, and says so", g)
	}
	in, findings := intentOf(g, settingsIP())
	if len(in.Fragments) != 0 {
		t.Errorf("%d fragments, want none", len(in.Fragments))
	}
	mustFind(t, findings, "spec.ingressClassName", "Wrong")

	byName := newParams(elbv2v1beta1.IngressClassParamsSpec{
		NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{metadataName: "shop"}},
	})
	if g := load(t, key, newIngress(), byName, newClass("alb", "p")); len(g.Members) != 1 {
		t.Errorf("%+v: the API server labels every namespace with its name, raw manifests do not", g)
	}
	broken := newParams(elbv2v1beta1.IngressClassParamsSpec{NamespaceSelector: &metav1.LabelSelector{
		MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "a", Operator: "Resembles"}},
	}})
	if g := load(t, key, newIngress(), broken, newClass("alb", "p"), namespace); len(g.Members) != 0 {
		t.Errorf("%+v: a selector that cannot be read selects nothing", g)
	}
}

func TestMissingParamsHoldWhoIsKnown(t *testing.T) {
	known, fresh := newIngress(), named("fresh")
	known.Finalizers = []string{finalizerExplicit + "platform"}
	c := newClient(t, known, fresh, newClass("alb", "p"))
	keys, err := Groups(t.Context(), c, settingsIP())
	if diff := cmp.Diff([]GroupKey{Explicit("platform"), Implicit("shop", "fresh")}, keys); diff != "" || err != nil {
		t.Error(diff, err)
	}
	g := load(t, Explicit("platform"), known, fresh, newClass("alb", "p"))
	if len(g.Members) != 1 || len(g.Leaving) != 0 {
		t.Errorf("%+v: a known member stays in its group while the parameters are not there", g)
	}
	_, findings := intentOf(g, settingsIP())
	mustFind(t, findings, "spec.ingressClassName", "Wrong")
	if g := load(t, Implicit("shop", "fresh"), known, fresh, newClass("alb", "p")); len(g.Members) != 0 || len(g.Refused) != 1 {
		t.Errorf("%+v: nobody knows what a new one shall be", g)
	}
}

func TestInvalidGroupName(t *testing.T) {
	if g := load(t, Implicit("shop", "web"), newIngress(annotations.GroupName, "$group"), newClass("alb", "")); len(g.Members) != 0 || len(g.Refused) != 1 {
		t.Errorf("%+v: an Ingress with a name that is none has no group", g)
	}
	known := newIngress(annotations.GroupName, "$group")
	known.Finalizers = []string{finalizerExplicit + "old"}
	g := load(t, Explicit("old"), known, newClass("alb", ""))
	_, findings := intentOf(g, settingsIP())
	if len(g.Members) != 1 || len(findings) == 0 {
		t.Errorf("%+v: a member whose name of the group broke keeps serving where it was", g)
	}
}

func TestLeaving(t *testing.T) {
	moved := named("moved", annotations.GroupName, "new")
	moved.Finalizers = []string{finalizerExplicit + "old"}
	deleted := named("deleted", annotations.GroupName, "old")
	deleted.Finalizers = []string{finalizerExplicit + "old"}
	deleted.DeletionTimestamp = &metav1.Time{Time: time.Unix(1, 0)}
	unclaimed := named("unclaimed")
	unclaimed.Spec.IngressClassName = new("nginx")
	foreign := newClass("nginx", "")
	foreign.Spec.Controller = "k8s.io/ingress-nginx"
	unclaimed.Finalizers = []string{finalizerExplicit + "old"}
	stays := named("stays", annotations.GroupName, "old")
	objects := []client.Object{moved, deleted, unclaimed, stays, newClass("alb", ""), othersClass("nginx")}

	g := load(t, Explicit("old"), objects...)
	if diff := cmp.Diff([]string{"stays"}, members(g)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]string{"deleted", "moved", "unclaimed"}, leavers(g)); diff != "" {
		t.Error(diff)
	}
	for _, l := range g.Leaving {
		if l.Elsewhere != (l.Ingress.Name == "moved") {
			t.Errorf("%s is elsewhere: %v", l.Ingress.Name, l.Elsewhere)
		}
	}
	c := newClient(t, objects...)
	if diff := cmp.Diff([]GroupKey{Explicit("old"), Explicit("new")}, groupsOf(t, c, moved)); diff != "" {
		t.Error(diff)
	}
}

func TestOnlyReferredServicesAreRead(t *testing.T) {
	ing := newIngress(annotations.Actions+".weighted",
		`{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"blue","servicePort":80,"weight":1},{"serviceName":"green","servicePort":80,"weight":1}]}}`)
	ing.Spec.Rules = []networkingv1.IngressRule{
		{Host: "no.example.com"},
		ruleOf("a.example.com", pathTo("/w", networkingv1.PathTypePrefix, "weighted", useAnnotation), pathTo("/", "", "web", "http")),
	}
	backend := backendTo("fallback", "80")
	ing.Spec.DefaultBackend = &backend
	if diff := cmp.Diff([]string{"blue", "fallback", "green", "web"}, servicesOf(ing)); diff != "" {
		t.Error(diff)
	}
	g := load(t, Implicit("shop", "web"), ing, newClass("alb", ""), newService("web"), newService("other"))
	if len(g.Services) != 1 {
		t.Errorf("read %v", g.Services)
	}
}

func TestKeys(t *testing.T) {
	for _, key := range []GroupKey{Explicit("g"), Implicit("ns", "ing")} {
		if got := KeyOf(key.NamespacedName()); got != key {
			t.Errorf("%v comes back as %v", key, got)
		}
	}
	if got := Explicit("g").Owner("c").StackTag(); got != "ingress.k8s.aws/stack" {
		t.Errorf("stack tag %s", got)
	}
	if got := Implicit("ns", "ing").Owner("c").Stack; got != "ns/ing" {
		t.Errorf("stack %s", got)
	}
}

func TestWatchNamespace(t *testing.T) {
	other := named("x")
	other.Namespace = "other"
	set := settingsIP()
	set.WatchNamespace = "shop"
	keys, err := Groups(t.Context(), newClient(t, newIngress(), other, newClass("alb", "")), set)
	if diff := cmp.Diff([]GroupKey{Implicit("shop", "web")}, keys); diff != "" || err != nil {
		t.Error(diff, err)
	}
}

// The offline plan reads manifests as they are written; the operator reads them as the API server completes them.
func TestAbsentFieldsMeanTheirDefaults(t *testing.T) {
	raw := newIngress()
	raw.Spec.Rules[0].HTTP.Paths[0].PathType = nil
	rawService := newService("web")
	rawService.Spec.Ports = []corev1.ServicePort{{Port: 80}}

	complete := raw.DeepCopy()
	complete.Spec.Rules[0].HTTP.Paths[0].PathType = new(networkingv1.PathTypeImplementationSpecific)
	completeService := rawService.DeepCopy()
	completeService.Spec = corev1.ServiceSpec{
		Ports: []corev1.ServicePort{{Port: 80, Protocol: corev1.ProtocolTCP, TargetPort: intstr.FromInt32(80)}},
		Type:  corev1.ServiceTypeClusterIP, IPFamilies: []corev1.IPFamily{corev1.IPv4Protocol}, SessionAffinity: corev1.ServiceAffinityNone,
	}
	a, findings := made(t, raw, rawService, newClass("alb", ""))
	mustBeClean(t, findings)
	b, _ := made(t, complete, completeService, newClass("alb", ""))
	if diff := cmp.Diff(a, b); diff != "" {
		t.Error(diff)
	}
}

func TestTheOrderOfObjectsDoesNotMatter(t *testing.T) {
	objects := []client.Object{
		named("a", annotations.GroupName, "g", "zz", "1", "yy", "2"), named("b", annotations.GroupName, "g"), named("c", annotations.GroupName, "g"),
		newService("web"), newClass("alb", ""),
	}
	first, told := intentOf(load(t, Explicit("g"), objects...), settingsIP())
	backwards := interceptor.NewClient(newClient(t, objects...), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if err := c.List(ctx, list, opts...); err != nil {
				return err
			}
			items, err := meta.ExtractList(list)
			slices.Reverse(items)
			return errors.Join(err, meta.SetList(list, items))
		},
	})
	g, err := Load(t.Context(), backwards, settingsIP(), Explicit("g"))
	if err != nil {
		t.Fatal(err)
	}
	again, findings := intentOf(g, settingsIP())
	if diff := cmp.Diff(first, again) + cmp.Diff(told, findings); diff != "" {
		t.Error(diff)
	}
}
