package corpus

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
)

// newWorld is an API server without controllers; changes may stand for them.
func newWorld(t *testing.T, changes interceptor.Funcs) World {
	t.Helper()
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{
		corev1.AddToScheme, appsv1.AddToScheme, networkingv1.AddToScheme, gwv1.Install, elbv2v1beta1.AddToScheme, headgatev1alpha1.AddToScheme,
	} {
		if err := add(scheme); err != nil {
			t.Fatal(err)
		}
	}
	mapper := meta.NewDefaultRESTMapper(nil)
	for kind := range scheme.AllKnownTypes() {
		mapper.Add(kind, meta.RESTScopeNamespace)
	}
	for kind, version := range map[string]schema.GroupVersion{
		"Namespace": corev1.SchemeGroupVersion, "IngressClass": networkingv1.SchemeGroupVersion, "GatewayClass": {Group: gwv1.GroupName, Version: "v1"},
		"IngressClassParams": elbv2v1beta1.GroupVersion(),
	} {
		mapper.Add(version.WithKind(kind), meta.RESTScopeRoot)
	}
	c := fake.NewClientBuilder().WithScheme(scheme).WithRESTMapper(mapper).
		WithStatusSubresource(&elbv2v1beta1.TargetGroupBinding{}).WithInterceptorFuncs(changes).Build()
	return World{
		Client: c, Out: &bytes.Buffer{}, Patience: 20 * time.Millisecond, Workers: 4,
		Get: func(context.Context, Request) (int, error) { return 200, nil },
	}
}

func folder(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

const (
	className = `
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: other}
spec: {controller: example.com/other}
`
	bindingText = `
apiVersion: elbv2.k8s.aws/v1beta1
kind: TargetGroupBinding
metadata: {name: web, namespace: shop}
spec:
  serviceRef: {name: web, port: 80}
  targetGroupARN: changeme
`
)

func TestEveryFileGetsItsRowsWhateverTheOthersAre(t *testing.T) {
	t.Parallel()
	stuck := interceptor.Funcs{Delete: func(ctx context.Context, c client.WithWatch, o client.Object, opts ...client.DeleteOption) error {
		if _, ok := o.(*unstructured.Unstructured); ok && o.GetName() == "web" {
			return nil // its finalizer is never taken off
		}
		return c.Delete(ctx, o, opts...)
	}}
	w := newWorld(t, stuck)
	rows, err := Run(t.Context(), w, folder(t, map[string]string{
		"1-broken.yaml":  "kind: [",
		"2-nothing.yaml": "# a comment\n---\n{}\n---\na: b\n",
		"3-stuck.yaml":   bindingText,
		"4-strange.yaml": "apiVersion: example.com/v1\nkind: Rollout\nmetadata: {name: x}\n",
		"5-class.yaml":   className,
	}), []string{"."})
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, r := range rows {
		got = append(got, fmt.Sprintf("%s %s: %s", r.File, r.Object, r.Verdict))
	}
	want := []string{
		"1-broken.yaml (document): refused by the API server",
		"2-nothing.yaml (document): refused by the API server",
		"3-stuck.yaml TargetGroupBinding shop/web: UNCLEAR",
		"3-stuck.yaml TargetGroupBinding shop/web: UNCLEAR",
		"4-strange.yaml Rollout x: refused by the API server",
		"5-class.yaml IngressClass other: not for us",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if !strings.Contains(rows[3].Detail, "a deletion that does not end") {
		t.Errorf("the second row of the stuck one says %q", rows[3].Detail)
	}
	if text, ok := Summary(rows); ok || !strings.Contains(text, "2 unclear") {
		t.Errorf("an object without a verdict is a defect: %s", text)
	}
}

func TestADeletionThatIsExplainedIsAFinding(t *testing.T) {
	t.Parallel()
	w := newWorld(t, interceptor.Funcs{})
	o := &unstructured.Unstructured{}
	o.SetAPIVersion("elbv2.k8s.aws/v1beta1")
	o.SetKind("TargetGroupBinding")
	o.SetNamespace("shop")
	o.SetName("web")
	trial := &trial{World: w}
	event := &corev1.Event{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "e"}, Type: corev1.EventTypeWarning, Reason: "FailedCleanup", Message: "denied",
		InvolvedObject: corev1.ObjectReference{Kind: "TargetGroupBinding", Namespace: "shop", Name: "web"},
	}
	if got, detail := trial.lingers(t.Context(), o); got != Unclear {
		t.Errorf("nothing is said, and it is %s: %s", got, detail)
	}
	if err := w.Client.Create(t.Context(), event); err != nil {
		t.Fatal(err)
	}
	if got, detail := trial.lingers(t.Context(), o); got != Finding || !strings.Contains(detail, "FailedCleanup: denied") {
		t.Errorf("it is %s: %s", got, detail)
	}
}

func TestFilesThatClaimTheSameGoOneAfterTheOther(t *testing.T) {
	t.Parallel()
	use := func(name string, a access) claims { return claims{name: a} }
	p := &pool{out: &bytes.Buffer{}, jobs: []*job{
		{name: "a", claims: use("shop", alone)}, {name: "b", claims: use("shop", alone)},
		{name: "c", claims: use("class", shared)}, {name: "d", claims: use("class", shared)},
		{name: "e", claims: use("class", alone)}, {name: "f", claims: use("class", shared)},
	}}
	var shop, class, reading atomic.Int32
	apply := func(_ context.Context, j *job) []Row {
		switch in := map[string]*atomic.Int32{"a": &shop, "b": &shop, "e": &class}[j.name]; {
		case in == nil:
			reading.Add(1)
			defer reading.Add(-1)
			if class.Load() > 0 {
				t.Errorf("%s runs beside the one that has the class alone", j.name)
			}
		case in.Add(1) > 1 || in == &class && reading.Load() > 0:
			t.Errorf("%s runs beside another one that claims the same", j.name)
			defer in.Add(-1)
		default:
			defer in.Add(-1)
		}
		time.Sleep(time.Millisecond)
		return []Row{{File: j.name}}
	}
	p.run(t.Context(), 4, apply)
	var order []string
	for _, r := range p.rows() {
		order = append(order, r.File)
	}
	if !slices.Equal(order, []string{"a", "b", "c", "d", "e", "f"}) {
		t.Errorf("rows of %v", order)
	}
}

func TestClaims(t *testing.T) {
	t.Parallel()
	w := newWorld(t, interceptor.Funcs{})
	object := func(kind, version, namespace string, annotations map[string]string, spec map[string]any) *unstructured.Unstructured {
		o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
		o.SetKind(kind)
		o.SetAPIVersion(version)
		o.SetNamespace(namespace)
		o.SetName("x")
		o.SetAnnotations(annotations)
		return o
	}
	grouped := map[string]string{groupAnnotation: "g", balancerAnnotation: "lb"}
	for _, c := range []struct {
		why      string
		one, two *unstructured.Unstructured
		conflict bool
	}{
		{"two Ingresses in two namespaces", object("Ingress", "networking.k8s.io/v1", "a", nil, nil), object("Ingress", "networking.k8s.io/v1", "b", nil, nil), false},
		{"the same namespace", object("Service", "v1", "a", nil, nil), object("Service", "v1", "a", nil, nil), true},
		{"a namespace and what is in it", object("Namespace", "v1", "", nil, nil), object("Service", "v1", "x", nil, nil), true},
		{"the same group", object("Ingress", "networking.k8s.io/v1", "a", grouped, nil), object("Ingress", "networking.k8s.io/v1", "b", grouped, nil), true},
		{
			"the class's group", object("Ingress", "networking.k8s.io/v1", "a", grouped, nil),
			object("IngressClassParams", "elbv2.k8s.aws/v1beta1", "", nil, map[string]any{"group": map[string]any{"name": "g"}}), true,
		},
		{
			"the same load balancer name", object("Ingress", "networking.k8s.io/v1", "a", grouped, nil),
			object("LoadBalancerConfiguration", "gateway.k8s.aws/v1", "b", nil, map[string]any{"loadBalancerName": "lb"}), true,
		},
		{
			"a class and who uses it", object("GatewayClass", "gateway.networking.k8s.io/v1", "", nil, nil),
			object("Gateway", "gateway.networking.k8s.io/v1", "a", nil, map[string]any{"gatewayClassName": "x"}), true,
		},
		{
			"two that use a class", object("Gateway", "gateway.networking.k8s.io/v1", "b", nil, map[string]any{"gatewayClassName": "x"}),
			object("Gateway", "gateway.networking.k8s.io/v1", "a", nil, map[string]any{"gatewayClassName": "x"}), false,
		},
		{
			"a default class changes every Ingress", object("Ingress", "networking.k8s.io/v1", "a", nil, nil),
			object("IngressClass", "networking.k8s.io/v1", "", map[string]string{defaultAnnotation: "true"}, nil), true,
		},
	} {
		one := w.claims("one", []*unstructured.Unstructured{c.one})
		two := w.claims("two", []*unstructured.Unstructured{c.two})
		if one.conflict(two) != c.conflict || two.conflict(one) != c.conflict {
			t.Errorf("%s: %v and %v, want a conflict: %v", c.why, one, two, c.conflict)
		}
	}
}

func TestPodsStandInBehindServicesWithoutAny(t *testing.T) {
	t.Parallel()
	const service = `
apiVersion: v1
kind: Service
metadata: {name: web, namespace: shop}
spec:
  selector: {app: web}
  ports: [{name: http, port: 80, targetPort: web}]
`
	const workload = `
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: own, namespace: shop}
spec:
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web, tier: front}}
    spec: {containers: [{name: a, image: b}]}
`
	for text, want := range map[string][]string{service: {"corpus-web"}, service + workload: {"own"}} {
		w := newWorld(t, interceptor.Funcs{})
		objects, err := read(filepath.Join(folder(t, map[string]string{"f.yaml": text}), "f.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (&trial{World: w, namespace: "corpus-f", users: map[string]*unstructured.Unstructured{}}).apply(t.Context(), objects); err != nil {
			t.Fatal(err)
		}
		var list appsv1.DeploymentList
		if err := w.Client.List(t.Context(), &list); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, d := range list.Items {
			got = append(got, d.Name)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	}
}
