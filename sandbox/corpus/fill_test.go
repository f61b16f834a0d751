package corpus

import (
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestWhatIsLeftToTheReaderIsFilledIn(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: gateway.networking.k8s.io/v1\nmetadata: {name: x}\n"
	for _, c := range []struct{ why, text, at, want, says string }{
		{"a controller of documentation", "kind: GatewayClass\nspec: {controllerName: acme.io/x, parametersRef: {name: x}}", "controllerName", gatewayController, "acme.io/x"},
		{"a controller that may exist", "kind: GatewayClass\nspec: {controllerName: istio.io/gateway-controller}", "controllerName", "istio.io/gateway-controller", ""},
		{"a placeholder", "kind: Gateway\nspec: {gatewayClassName: '{CLASS}'}", "gatewayClassName", standInClass, "{CLASS}"},
		{"a class", "kind: Gateway\nspec: {gatewayClassName: alb}", "gatewayClassName", "alb", ""},
	} {
		objects, err := read(filepath.Join(folder(t, map[string]string{"f.yaml": head + c.text}), "f.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		says := fill(objects[0])
		if got, _, _ := unstructured.NestedString(objects[0].Object, "spec", c.at); got != c.want || (says != "") != (c.says != "") || !strings.Contains(says, c.says) {
			t.Errorf("%s: %s %q, told %q", c.why, c.at, got, says)
		}
		if _, found, _ := unstructured.NestedMap(objects[0].Object, "spec", "parametersRef"); found {
			t.Errorf("%s: parameters of a stranger's kind stay", c.why)
		}
	}
}

func TestRouteWithoutParentGetsOne(t *testing.T) {
	t.Parallel()
	const text = "apiVersion: gateway.networking.k8s.io/v1\nkind: HTTPRoute\nmetadata: {name: x}\nspec: {%}"
	for parents, want := range map[string]string{"": standInGateway, "parentRefs: [{name: own}]": "own"} {
		objects, err := read(filepath.Join(folder(t, map[string]string{"f.yaml": strings.Replace(text, "%", parents, 1)}), "f.yaml"))
		if err != nil {
			t.Fatal(err)
		}
		said := fill(objects[0])
		route, ok := typed[routeForm](objects[0])
		if !ok || len(route.Spec.ParentRefs) != 1 || string(route.Spec.ParentRefs[0].Name) != want || (said != "") != (parents == "") {
			t.Errorf("%q: %v, told %q", parents, route.Spec.ParentRefs, said)
		}
	}
}
