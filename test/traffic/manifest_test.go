package traffic

import (
	"fmt"
	"strings"
)

// web is the Ingress of that name. Settings are annotations, "key: value" without the prefix; rules are made by [host], the fallback
// is the Service of its default backend or the action of one, as in [backend].
func web(settings []string, rules []string, fallback string) string {
	return named("web", settings, rules, fallback)
}

func named(name string, settings []string, rules []string, fallback string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "---\napiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  namespace: shop\n  name: %s\n  annotations:\n", name)
	for _, s := range settings {
		key, value, _ := strings.Cut(s, ": ")
		fmt.Fprintf(&out, "    alb.ingress.kubernetes.io/%s: '%s'\n", key, strings.ReplaceAll(value, "'", "''"))
	}
	out.WriteString("spec:\n  ingressClassName: alb\n")
	if fallback != "" {
		fmt.Fprintf(&out, "  defaultBackend: %s\n", backend(fallback))
	}
	if len(rules) > 0 {
		out.WriteString("  rules:\n" + strings.Join(rules, ""))
	}
	return out.String()
}

// host is a rule: a host name, empty for any, and paths as "Kind path backend".
func host(name string, paths ...string) string {
	var out strings.Builder
	fmt.Fprintf(&out, "  - host: '%s'\n    http:\n      paths:\n", name)
	for _, p := range paths {
		part := strings.Fields(p)
		fmt.Fprintf(&out, "      - {path: '%s', pathType: %s, backend: %s}\n", part[1], part[0], backend(part[2]))
	}
	return out.String()
}

// backend is a Service, at its port 80 or at another one after a colon, or with @ before its name the action of an annotation.
func backend(name string) string {
	if action, ok := strings.CutPrefix(name, "@"); ok {
		return fmt.Sprintf("{service: {name: %s, port: {name: use-annotation}}}", action)
	}
	name, port, other := strings.Cut(name, ":")
	if !other {
		port = "80"
	}
	return fmt.Sprintf("{service: {name: %s, port: {number: %s}}}", name, port)
}
