package admission

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	admissionv1 "k8s.io/api/admission/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"
	"sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
)

func scheme(t *testing.T) *runtime.Scheme {
	t.Helper()
	s := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, elbv2v1beta1.AddToScheme} {
		if err := add(s); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func bindingTo(name, service string, kind elbv2v1beta1.TargetType) *elbv2v1beta1.TargetGroupBinding {
	b := &elbv2v1beta1.TargetGroupBinding{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}}
	b.Spec.ServiceRef.Name = service
	if kind != "" {
		b.Spec.TargetType = &kind
	}
	return b
}

func selecting(name string, selector map[string]string) *corev1.Service {
	return &corev1.Service{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name}, Spec: corev1.ServiceSpec{Selector: selector}}
}

func podWith(gates ...string) *corev1.Pod {
	pod := &corev1.Pod{ObjectMeta: metav1.ObjectMeta{GenerateName: "web-", Labels: map[string]string{"app": "web", "x": "y"}}}
	for _, g := range gates {
		pod.Spec.ReadinessGates = append(pod.Spec.ReadinessGates, corev1.PodReadinessGate{ConditionType: corev1.PodConditionType(g)})
	}
	return pod
}

// ask has a pod judged, and gives its gates as they are stored, or nil where it is not let in.
func ask(t *testing.T, p *Pods, pod *corev1.Pod) []string {
	t.Helper()
	raw, err := json.Marshal(pod)
	if err != nil {
		t.Fatal(err)
	}
	res := p.Handle(t.Context(), admission.Request{AdmissionRequest: admissionv1.AdmissionRequest{
		Namespace: "shop", Object: runtime.RawExtension{Raw: raw},
	}})
	if !res.Allowed {
		return nil
	}
	gates := []string{}
	stored := podWith()
	apply(t, raw, res, stored)
	for _, g := range stored.Spec.ReadinessGates {
		gates = append(gates, string(g.ConditionType))
	}
	return gates
}

// apply does to a pod what the operations say, which are all about the list of gates.
func apply(t *testing.T, raw []byte, res admission.Response, into *corev1.Pod) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatal(err)
	}
	for _, p := range res.Patches {
		value, err := json.Marshal(p.Value)
		if err != nil {
			t.Fatal(err)
		}
		switch {
		case p.Path == "/spec/readinessGates" && p.Operation == "add":
			if err := json.Unmarshal(value, &into.Spec.ReadinessGates); err != nil {
				t.Fatal(err)
			}
		case p.Path == "/spec/readinessGates" && p.Operation == "remove":
			into.Spec.ReadinessGates = nil
		case p.Path == "/spec/readinessGates/1" && p.Operation == "add":
			var one corev1.PodReadinessGate
			if err := json.Unmarshal(value, &one); err != nil {
				t.Fatal(err)
			}
			into.Spec.ReadinessGates = append(into.Spec.ReadinessGates, one)
		case p.Path == "/spec/readinessGates/0/conditionType" && p.Operation == "replace":
			if err := json.Unmarshal(value, &into.Spec.ReadinessGates[0].ConditionType); err != nil {
				t.Fatal(err)
			}
		default:
			t.Errorf("%s %s changes more than the gates", p.Operation, p.Path)
		}
	}
}

func TestGatesThatAPodGets(t *testing.T) {
	t.Parallel()
	const web, ip, instance = "target-health.elbv2.k8s.aws/web", elbv2v1beta1.TargetTypeIP, elbv2v1beta1.TargetTypeInstance
	app := map[string]string{"app": "web"}
	gone := bindingTo("web", "web", ip)
	gone.Finalizers, gone.DeletionTimestamp = []string{"x"}, &metav1.Time{Time: metav1.Now().Time}
	elsewhere := bindingTo("web", "web", ip)
	elsewhere.Namespace = "other"
	for _, c := range []struct {
		why     string
		objects []client.Object
		pod     *corev1.Pod
		want    []string
	}{
		{"one for its binding", []client.Object{bindingTo("web", "web", ip), selecting("web", app)}, podWith(), []string{web}},
		{"one for each binding", []client.Object{bindingTo("web", "web", ip), bindingTo("api", "web", ip), selecting("web", app)}, podWith(),
			[]string{"target-health.elbv2.k8s.aws/api", web}},
		{"it has it already", []client.Object{bindingTo("web", "web", ip), selecting("web", app)}, podWith(web), []string{web}},
		{"others' gates stay", []client.Object{bindingTo("web", "web", ip), selecting("web", app)}, podWith("example.com/warm"), []string{"example.com/warm", web}},
		{"legacy ones go", []client.Object{bindingTo("web", "web", ip), selecting("web", app)}, podWith("target-health.alb.ingress.k8s.aws/web_http"), []string{web}},
		{"legacy ones go without others", nil, podWith("target-health.alb.ingress.k8s.aws/web_http"), []string{}},
		{"a Service of other pods", []client.Object{bindingTo("web", "web", ip), selecting("web", map[string]string{"app": "api"})}, podWith(), []string{}},
		{"a Service without a selector selects none", []client.Object{bindingTo("web", "web", ip), selecting("web", nil)}, podWith(), []string{}},
		{"a Service that is not there", []client.Object{bindingTo("web", "web", ip)}, podWith(), []string{}},
		{"targets are nodes", []client.Object{bindingTo("web", "web", instance), selecting("web", app)}, podWith(), []string{}},
		{"a binding on its way out", []client.Object{gone, selecting("web", app)}, podWith(), []string{}},
		{"a binding of another namespace", []client.Object{elsewhere, selecting("web", app)}, podWith(), []string{}},
	} {
		s := scheme(t)
		p := NewPods(fake.NewClientBuilder().WithScheme(s).WithObjects(c.objects...).Build(), admission.NewDecoder(s))
		got := ask(t, p, c.pod)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s: %s", c.why, diff)
		}
	}
}

func TestWhatCannotBeReadIsAnError(t *testing.T) {
	t.Parallel()
	s := scheme(t)
	watch := fake.NewClientBuilder().WithScheme(s).WithInterceptorFuncs(interceptor.Funcs{}).Build()
	broken := interceptor.NewClient(watch, interceptor.Funcs{List: func(context.Context, client.WithWatch, client.ObjectList, ...client.ListOption) error {
		return errors.New("away")
	}})
	if got := ask(t, NewPods(broken, admission.NewDecoder(s)), podWith()); got != nil {
		t.Errorf("let in with gates %v: the API server decides what an error means (failurePolicy Ignore)", got)
	}
}
