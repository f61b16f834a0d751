package ingress

import (
	"context"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const (
	certA = "arn:aws:acm:us-west-2:123456789012:certificate/a"
	certB = "arn:aws:acm:us-west-2:123456789012:certificate/b"
)

func settingsIP() Settings { return Settings{ClusterName: "c", DefaultTargetType: "ip"} }

// annotated makes annotations of the prefix out of keys and values.
func keys(pairs ...string) map[string]string {
	out := map[string]string{}
	for i := 0; i < len(pairs); i += 2 {
		out[annotations.IngressPrefix+pairs[i]] = pairs[i+1]
	}
	return out
}

// newIngress is shop/web of class alb, whose host a.example.com has one prefix path / to port 80 of Service web.
func newIngress(pairs ...string) *networkingv1.Ingress {
	class := "alb"
	return &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "web", Annotations: keys(pairs...)},
		Spec: networkingv1.IngressSpec{
			IngressClassName: &class,
			Rules:            []networkingv1.IngressRule{ruleOf("a.example.com", pathTo("/", networkingv1.PathTypePrefix, "web", "80"))},
		},
	}
}

func ruleOf(host string, paths ...networkingv1.HTTPIngressPath) networkingv1.IngressRule {
	return networkingv1.IngressRule{
		Host:             host,
		IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{Paths: paths}},
	}
}

func pathTo(path string, kind networkingv1.PathType, service, port string) networkingv1.HTTPIngressPath {
	out := networkingv1.HTTPIngressPath{Path: path, Backend: backendTo(service, port)}
	if kind != "" {
		out.PathType = &kind
	}
	return out
}

func backendTo(service, port string) networkingv1.IngressBackend {
	b := &networkingv1.IngressServiceBackend{Name: service}
	if v := intstr.Parse(port); v.Type == intstr.Int {
		b.Port.Number = v.IntVal
	} else {
		b.Port.Name = port
	}
	return networkingv1.IngressBackend{Service: b}
}

func newService(name string, pairs ...string) *corev1.Service {
	return &corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: name, UID: "u-" + "1", Annotations: keys(pairs...)},
		Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Name: "http", Port: 80, TargetPort: intstr.FromInt32(8080), NodePort: 30080}}},
	}
}

func newClass(name, params string) *networkingv1.IngressClass {
	class := &networkingv1.IngressClass{ObjectMeta: metav1.ObjectMeta{Name: name}}
	class.Spec.Controller = ControllerName
	if params != "" {
		group := paramsGroup
		class.Spec.Parameters = &networkingv1.IngressClassParametersReference{APIGroup: &group, Kind: paramsKind, Name: params}
	}
	return class
}

// othersClass is one of another controller.
func othersClass(name string) *networkingv1.IngressClass {
	class := newClass(name, "")
	class.Spec.Controller = "k8s.io/ingress-nginx"
	return class
}

func newParams(spec elbv2v1beta1.IngressClassParamsSpec) *elbv2v1beta1.IngressClassParams {
	return &elbv2v1beta1.IngressClassParams{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: spec}
}

func newClient(t *testing.T, objects ...client.Object) client.WithWatch {
	t.Helper()
	return fake.NewClientBuilder().WithScheme(newScheme(t)).WithObjects(objects...).
		WithStatusSubresource(&networkingv1.Ingress{}).Build()
}

// load loads the group of key out of objects.
func load(t *testing.T, key GroupKey, objects ...client.Object) Group {
	t.Helper()
	g, err := Load(context.Background(), newClient(t, objects...), settingsIP(), key)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// made is the only fragment of shop/web, and the findings.
func made(t *testing.T, objects ...client.Object) (intent.Fragment, []model.Finding) {
	t.Helper()
	in, findings := intentOf(load(t, Implicit("shop", "web"), objects...), settingsIP())
	if len(in.Fragments) != 1 {
		t.Fatalf("%d fragments, want 1 (%v)", len(in.Fragments), findings)
	}
	return in.Fragments[0], findings
}

// simple is the fragment of an Ingress of the plain class with its Service web.
func simple(t *testing.T, ing *networkingv1.Ingress, more ...client.Object) (intent.Fragment, []model.Finding) {
	t.Helper()
	return made(t, append([]client.Object{ing, newService("web"), newClass("alb", "")}, more...)...)
}

// find gives the finding whose field ends with suffix.
func find(findings []model.Finding, suffix string) (model.Finding, bool) {
	for _, f := range findings {
		if strings.HasSuffix(f.Field, suffix) {
			return f, true
		}
	}
	return model.Finding{}, false
}

func mustFind(t *testing.T, findings []model.Finding, suffix string, severity model.Severity) {
	t.Helper()
	f, ok := find(findings, suffix)
	if !ok || f.Severity != severity {
		t.Errorf("no %s finding at %s in %v", severity, suffix, findings)
	}
}

func mustBeClean(t *testing.T, findings []model.Finding) {
	t.Helper()
	if len(findings) > 0 {
		t.Errorf("findings: %v", findings)
	}
}

// intentOf is what the loop is asked for a group, without what is left of good fragments.
func intentOf(g Group, set Settings) (intent.Intent, []model.Finding) {
	r := Request(g, set)
	return r.Intent, r.Findings
}

// groupsOf are the groups that one Ingress concerns: the one it asks for, and those whose finalizer it carries.
func groupsOf(t *testing.T, c client.Reader, ing *networkingv1.Ingress) []GroupKey {
	t.Helper()
	known, err := newCatalog(t.Context(), c, settingsIP())
	if err != nil {
		t.Fatal(err)
	}
	at, err := known.place(ing)
	if err != nil {
		t.Fatal(err)
	}
	return at.keys()
}
