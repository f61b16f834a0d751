package gateway

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/yaml"
)

// snapshotOf is a Gateway infra/gw with the listeners and routes that the YAML lists, and Services web in namespaces infra and app.
func snapshotOf(t *testing.T, listeners string, routes ...string) *Snapshot {
	t.Helper()
	s := &Snapshot{
		Gateway: &gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "infra", Name: "gw", Generation: 3}},
		Class:   &gwv1.GatewayClass{}, Ours: true,
		Namespaces: map[string]corev1.Namespace{
			"infra": {}, "app": {ObjectMeta: metav1.ObjectMeta{Labels: map[string]string{"team": "a"}}},
		},
		Services: map[types.NamespacedName]corev1.Service{},
	}
	parse(t, listeners, &s.Gateway.Spec.Listeners)
	for _, text := range routes {
		s.Routes = append(s.Routes, parseRoute(t, text))
	}
	for _, namespace := range []string{"infra", "app"} {
		s.Services[types.NamespacedName{Namespace: namespace, Name: "web"}] = corev1.Service{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "web"},
			Spec:       corev1.ServiceSpec{Ports: []corev1.ServicePort{{Port: 80}}},
		}
	}
	return s
}

// parseRoute reads an HTTPRoute, or where it says so a GRPCRoute.
func parseRoute(t *testing.T, text string) route {
	t.Helper()
	var object client.Object = &gwv1.HTTPRoute{}
	if strings.Contains(text, "kind: GRPCRoute") {
		object = &gwv1.GRPCRoute{}
	}
	parse(t, text, object)
	out, _ := routeOf(object)
	return out
}

func parse(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatalf("parsing %s: %v", text, err)
	}
}

func verdictOf(s *Snapshot) *Verdict {
	set := Settings{ClusterName: "c", DefaultTargetType: "ip", DefaultScheme: "internal"}
	return Judge(s, set, Owner("c", types.NamespacedName{Namespace: "infra", Name: "gw"}))
}
