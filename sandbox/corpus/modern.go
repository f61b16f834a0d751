package corpus

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// modern turns an Ingress of an API version that clusters have no more into what its author would write today, as kubectl convert does:
// backends in their new form, and paths of the type ImplementationSpecific. Anything else stays as it is.
func modern(o *unstructured.Unstructured) {
	version := o.GetAPIVersion()
	if o.GetKind() != "Ingress" || version != "extensions/v1beta1" && version != "networking.k8s.io/v1beta1" {
		return
	}
	o.SetAPIVersion("networking.k8s.io/v1")
	spec, _ := o.Object["spec"].(map[string]any)
	if backend, ok := spec["backend"].(map[string]any); ok {
		delete(spec, "backend")
		spec["defaultBackend"] = modernBackend(backend)
	}
	rules, _ := spec["rules"].([]any)
	for _, r := range rules {
		rule, _ := r.(map[string]any)
		http, _ := rule["http"].(map[string]any)
		paths, _ := http["paths"].([]any)
		for _, p := range paths {
			path, ok := p.(map[string]any)
			if !ok {
				continue
			}
			if _, typed := path["pathType"]; !typed {
				path["pathType"] = "ImplementationSpecific"
			}
			if backend, ok := path["backend"].(map[string]any); ok {
				path["backend"] = modernBackend(backend)
			}
		}
	}
}

func modernBackend(old map[string]any) map[string]any {
	name, named := old["serviceName"]
	if !named {
		return old
	}
	port := map[string]any{"number": old["servicePort"]}
	if text, ok := old["servicePort"].(string); ok {
		port = map[string]any{"name": text}
	}
	return map[string]any{"service": map[string]any{"name": name, "port": port}}
}
