package crash

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
)

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// wrapped is a configuration whose calls go through what around makes of a transport.
func wrapped(config *rest.Config, around func(next http.RoundTripper) roundTripper) *rest.Config {
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return around(next) })
	return config
}

// alone shows an operator no GatewayClass but one. Those of other runs it would take for unused, and its neighbours this one: they see
// the Gateways of their own namespace only.
func alone(config *rest.Config, class string) *rest.Config {
	return wrapped(config, func(next http.RoundTripper) roundTripper {
		return func(req *http.Request) (*http.Response, error) {
			if req.Method != http.MethodGet || !strings.HasSuffix(req.URL.Path, "/gatewayclasses") {
				return next.RoundTrip(req)
			}
			req = req.Clone(req.Context())
			query := req.URL.Query()
			query.Set("fieldSelector", url.Values{"metadata.name": {class}}.Encode())
			req.URL.RawQuery = query.Encode()
			return next.RoundTrip(req)
		}
	})
}

// writeOf names what a call writes in the cluster, as "PATCH ingresses/status"; empty for reads, for events, which nobody depends on, and
// for questions that are asked by POST.
func writeOf(req *http.Request) string {
	const core, grouped = 2, 3 // api/v1/…, apis/group/version/…
	parts := strings.Split(strings.Trim(req.URL.Path, "/"), "/")
	skip := core
	if parts[0] == "apis" {
		skip = grouped
	}
	if req.Method == http.MethodGet || len(parts) <= skip {
		return ""
	}
	parts = parts[skip:]
	if parts[0] == "namespaces" && len(parts) > 2 {
		parts = parts[2:]
	}
	if slices.Contains([]string{"events", "leases", "selfsubjectaccessreviews"}, parts[0]) {
		return ""
	}
	if len(parts) > 2 {
		return req.Method + " " + parts[0] + "/" + parts[2]
	}
	return req.Method + " " + parts[0]
}
