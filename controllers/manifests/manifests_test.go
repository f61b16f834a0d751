package manifests_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/fields"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	awsgwv1 "github.com/headgate/headgate/apis/gateway/v1"
	"github.com/headgate/headgate/controllers/manifests"
)

func set(t *testing.T, text string) *manifests.Set {
	t.Helper()
	s, err := manifests.New()
	if err != nil {
		t.Fatal(err)
	}
	s.Add("in.yaml", []byte(text))
	return s
}

func TestProblems(t *testing.T) {
	for _, row := range []struct {
		why, text, want string
	}{
		{"empty documents are none", "---\n---\n# nothing\n", ""},
		{"what is not YAML is told", "a: [", "not YAML"},
		{"what is no object is told", "a: b", "no kind"},
		{"fields of a wrong type are told", "apiVersion: v1\nkind: Service\nmetadata: {name: 5}", "Service"},
		{"fields that a kind does not have are told", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {prots: []}", `unknown field "prots"`},
		{"an object without a name is told", "apiVersion: v1\nkind: Service\nmetadata: {}", "no metadata.name"},
		{"the others are read all the same", "a: b\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}", "no kind"},
	} {
		t.Run(row.why, func(t *testing.T) {
			s := set(t, row.text)
			var got []string
			for _, p := range s.Problems {
				got = append(got, p.String())
			}
			all := strings.Join(got, "\n")
			if row.want == "" && all != "" || !strings.Contains(all, row.want) {
				t.Errorf("problems are %q, want %q", all, row.want)
			}
		})
	}
	if s := set(t, "a: b\n---\napiVersion: v1\nkind: Service\nmetadata: {name: a}"); s.Get(t.Context(), client.ObjectKey{Namespace: "default", Name: "a"}, &corev1.Service{}) != nil {
		t.Error("a bad document took the one after it along")
	}
}

func TestKindsThatAreNotRead(t *testing.T) {
	s := set(t, "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\n---\napiVersion: networking.k8s.io/v1beta1\nkind: Ingress\nmetadata: {name: a}\n")
	if diff := cmp.Diff(map[string]int{"apps/v1 Deployment": 1, "networking.k8s.io/v1beta1 Ingress": 1}, s.Ignored); diff != "" {
		t.Errorf("ignored: -want +got\n%s", diff)
	}
}

func TestLists(t *testing.T) {
	s := set(t, `
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Service, metadata: {namespace: b, name: two, labels: {app: x}}}
- {apiVersion: v1, kind: Service, metadata: {namespace: a, name: one}}
- {apiVersion: v1, kind: Service, metadata: {namespace: a, name: one, labels: {app: x}}}
`)
	for _, row := range []struct {
		why  string
		opts []client.ListOption
		want string
	}{
		{"all, by namespace and name; the later of two documents counts", nil, "a/one b/two"},
		{"of a namespace", []client.ListOption{client.InNamespace("b")}, "b/two"},
		{"by label", []client.ListOption{client.MatchingLabels{"app": "x"}}, "a/one b/two"},
		{"by another label", []client.ListOption{client.MatchingLabels{"app": "y"}}, ""},
	} {
		var list corev1.ServiceList
		if err := s.List(t.Context(), &list, row.opts...); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, item := range list.Items {
			got = append(got, item.Namespace+"/"+item.Name)
		}
		if diff := cmp.Diff(row.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: -want +got\n%s", row.why, diff)
		}
	}
	err := s.List(t.Context(), &corev1.ServiceList{}, client.MatchingFieldsSelector{Selector: fields.OneTermEqualSelector("a", "b")})
	if err == nil {
		t.Error("a selector that is not served was passed over in silence")
	}
}

func TestGet(t *testing.T) {
	s := set(t, `
apiVersion: gateway.networking.k8s.io/v1beta1
kind: HTTPRoute
metadata: {name: old, namespace: app}
spec: {hostnames: [a.example.com]}
---
apiVersion: gateway.k8s.aws/v1beta1
kind: LoadBalancerConfiguration
metadata: {name: c, namespace: app}
spec: {scheme: internal}
---
apiVersion: networking.k8s.io/v1
kind: IngressClass
metadata: {name: alb}
`)
	route := gwv1.HTTPRoute{Spec: gwv1.HTTPRouteSpec{Hostnames: []gwv1.Hostname{"left.over"}}}
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: "app", Name: "old"}, &route); err != nil || route.Spec.Hostnames[0] != "a.example.com" {
		t.Errorf("an older version of a kind: %v %v", err, route.Spec.Hostnames)
	}
	var config awsgwv1.LoadBalancerConfiguration
	if err := s.Get(t.Context(), client.ObjectKey{Namespace: "app", Name: "c"}, &config); err != nil || config.Spec.Scheme == nil {
		t.Errorf("an older version of our kinds: %v", err)
	}
	if err := s.Get(t.Context(), client.ObjectKey{Name: "alb"}, &networkingv1.IngressClass{}); err != nil {
		t.Errorf("a kind of the cluster has no namespace: %v", err)
	}
	if err := s.Get(t.Context(), client.ObjectKey{Name: "gone"}, &networkingv1.IngressClass{}); !apierrors.IsNotFound(err) {
		t.Errorf("what is not there is %v", err)
	}
	var namespace corev1.Namespace
	if err := s.Get(t.Context(), client.ObjectKey{Name: "app"}, &namespace); err != nil || namespace.Labels["kubernetes.io/metadata.name"] != "app" {
		t.Errorf("a namespace that is used is there, with its label: %v %v", err, namespace.Labels)
	}
	objects, err := s.Objects()
	if err != nil || len(objects) != 4 {
		t.Errorf("%d objects, want 4 with the namespace: %v", len(objects), err)
	}
}

func TestRead(t *testing.T) {
	dir := t.TempDir()
	service := "apiVersion: v1\nkind: Service\nmetadata: {name: %s}\n"
	for name, text := range map[string]string{
		"a.yaml": strings.Replace(service, "%s", "a", 1), "sub/b.yml": strings.Replace(service, "%s", "b", 1),
		"c.json": `{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"}}`, "README.md": "not YAML: [",
	} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	s := set(t, "")
	if err := s.Read(dir); err != nil {
		t.Fatal(err)
	}
	var list corev1.ServiceList
	if err := s.List(t.Context(), &list); err != nil || len(list.Items) != 3 || len(s.Problems) != 0 {
		t.Errorf("%d Services, want 3: %v %v", len(list.Items), err, s.Problems)
	}
	if err := s.Read(filepath.Join(dir, "gone")); err == nil {
		t.Error("a file that is not there is no error")
	}
}
