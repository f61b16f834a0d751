package corpus

import (
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// fill puts into an example or a template of the Gateway API what it leaves to its reader, and says what: our controller in place of
// one that exists nowhere, the class in place of a placeholder, a Gateway for a route that names none. Anything else stays as it is.
func fill(o *unstructured.Unstructured) string {
	if o.GroupVersionKind().Group != "gateway.networking.k8s.io" {
		return ""
	}
	spec, ok := o.Object["spec"].(map[string]any)
	if !ok {
		return ""
	}
	switch o.GetKind() {
	case "GatewayClass":
		return fillController(spec)
	case "Gateway":
		if name, _ := spec["gatewayClassName"].(string); strings.HasPrefix(name, "{") && strings.HasSuffix(name, "}") {
			spec["gatewayClassName"] = standInClass
			return "a class in place of " + name
		}
	case "HTTPRoute", "GRPCRoute":
		if parents, _ := spec["parentRefs"].([]any); len(parents) == 0 {
			spec["parentRefs"] = []any{map[string]any{"name": standInGateway}}
			return "a Gateway, as it names none"
		}
	}
	return ""
}

// fillController puts ours in place of a controller of documentation, whose parameters nobody knows.
func fillController(spec map[string]any) string {
	name, _ := spec["controllerName"].(string)
	if !strings.HasPrefix(name, "acme.io/") && !strings.HasPrefix(name, "example.com/") {
		return ""
	}
	spec["controllerName"] = gatewayController
	delete(spec, "parametersRef")
	return gatewayController + " in place of " + name
}

// home is where objects go that name no namespace: one of the file's own, unless another object says that they are in default.
func home(own string, objects []*unstructured.Unstructured) string {
	for _, o := range objects {
		if n, _, _ := unstructured.NestedString(o.Object, "spec", "parentRef", "namespace"); n == "default" {
			return n
		}
	}
	return own
}
