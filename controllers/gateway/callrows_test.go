package gateway

import "strings"

// callRows are the fields of GRPCRoutes. Those that HTTPRoutes have too have the same rows.
func callRows() []row {
	match := func(m string) string {
		return `{rules: [{matches: [` + m + `], backendRefs: [{name: web, port: 80}]}]}`
	}
	out := []row{
		{path: "rules[].matches[].method.type", with: match(`{method: {type: RegularExpression, service: a}}`)},
		{path: "rules[].matches[].method.service", with: match(`{method: {service: a}}`)},
		{path: "rules[].matches[].method.method", with: match(`{method: {method: a}}`)},
	}
	for _, r := range routeRows() {
		switch {
		case strings.Contains(r.path, "Redirect"), strings.Contains(r.path, "urlRewrite"), strings.HasPrefix(r.path, "rules[].matches[]") && !strings.Contains(r.path, "headers"):
			continue
		case r.path == "rules[].filters[].type":
			r = row{path: r.path, with: `{rules: [{filters: [{type: RequestMirror}]}]}`, cut: "rules[].filters", want: "Wrong GRPCRoute spec.rules[0].filters[0]"}
		}
		for _, absent := range []string{"cors", "externalAuth", "timeouts", "retry"} {
			if strings.HasSuffix(r.path, absent) {
				r.path = ""
			}
		}
		if r.path != "" {
			r.want = strings.Replace(r.want, kindHTTPRoute, kindGRPCRoute, 1)
			out = append(out, r)
		}
	}
	return out
}
