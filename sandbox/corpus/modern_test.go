package corpus

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestOldIngressesAreMadeNew(t *testing.T) {
	t.Parallel()
	old := func(version string) *unstructured.Unstructured {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": version, "kind": "Ingress",
			"spec": map[string]any{
				"backend": map[string]any{"serviceName": "rest", "servicePort": "web"},
				"rules": []any{map[string]any{"http": map[string]any{"paths": []any{
					map[string]any{"path": "/*", "backend": map[string]any{"serviceName": "shop", "servicePort": int64(80)}},
				}}}, map[string]any{"host": "a.example.com"}},
			},
		}}
	}
	service := func(name string, port map[string]any) map[string]any {
		return map[string]any{"service": map[string]any{"name": name, "port": port}}
	}
	want := map[string]any{
		"apiVersion": "networking.k8s.io/v1", "kind": "Ingress",
		"spec": map[string]any{
			"defaultBackend": service("rest", map[string]any{"name": "web"}),
			"rules": []any{map[string]any{"http": map[string]any{"paths": []any{
				map[string]any{"path": "/*", "pathType": "ImplementationSpecific", "backend": service("shop", map[string]any{"number": int64(80)})},
			}}}, map[string]any{"host": "a.example.com"}},
		},
	}
	for _, version := range []string{"extensions/v1beta1", "networking.k8s.io/v1beta1"} {
		got := old(version)
		modern(got)
		if diff := cmp.Diff(want, got.Object); diff != "" {
			t.Errorf("%s: %s", version, diff)
		}
	}
	now := old("networking.k8s.io/v1")
	modern(now)
	if diff := cmp.Diff(old("networking.k8s.io/v1"), now); diff != "" {
		t.Errorf("one of today changed: %s", diff)
	}
}
