package traffic

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
)

// routeWorld is a Gateway with routes.
type routeWorld struct {
	listeners []gwv1.Listener
	web       []gwv1.HTTPRoute
	calls     []gwv1.GRPCRoute
}

// oneOf is one of several, each as often as the others.
func oneOf[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func chance(r *rand.Rand, percent int) bool { return r.IntN(100) < percent }

func some[T any](r *rand.Rand, least, most int, one func() T) []T {
	var out []T
	for range least + r.IntN(most-least+1) {
		out = append(out, one())
	}
	return out
}

// newRouteWorld draws from a small alphabet, so that routes collide.
func newRouteWorld(r *rand.Rand) *routeWorld {
	w := &routeWorld{}
	taken := map[string]bool{}
	for _, l := range some(r, 1, 5, func() gwv1.Listener { return randomListener(r) }) {
		if at := fmt.Sprint(l.Port, *l.Hostname); !taken[at] {
			taken[at] = true
			l.Name = gwv1.SectionName(fmt.Sprintf("l%d", len(w.listeners)))
			w.listeners = append(w.listeners, l)
		}
	}
	for _, name := range r.Perm(1 + r.IntN(5)) {
		object := metav1.ObjectMeta{
			Namespace: "shop", Name: fmt.Sprintf("r%d", name), CreationTimestamp: metav1.NewTime(time.Unix(int64(1000+r.IntN(2)), 0).UTC()),
		}
		common, hosts := w.attachment(r), randomHosts(r)
		if chance(r, 15) {
			w.web = append(w.web, gwv1.HTTPRoute{ObjectMeta: object, Spec: gwv1.HTTPRouteSpec{CommonRouteSpec: common, Rules: []gwv1.HTTPRouteRule{refusedRule(r)}}})
			continue
		}
		if chance(r, 60) {
			spec := gwv1.HTTPRouteSpec{CommonRouteSpec: common, Hostnames: hosts, Rules: some(r, 1, 3, func() gwv1.HTTPRouteRule { return randomRule(r) })}
			w.web = append(w.web, gwv1.HTTPRoute{ObjectMeta: object, Spec: spec})
			continue
		}
		spec := gwv1.GRPCRouteSpec{CommonRouteSpec: common, Hostnames: hosts, Rules: some(r, 1, 3, func() gwv1.GRPCRouteRule { return randomCalls(r) })}
		w.calls = append(w.calls, gwv1.GRPCRoute{ObjectMeta: object, Spec: spec})
	}
	return w
}

func randomListener(r *rand.Rand) gwv1.Listener {
	all := gwv1.NamespacesFromAll
	out := gwv1.Listener{
		Port: 80, Protocol: gwv1.HTTPProtocolType, Hostname: new(oneOf[gwv1.Hostname](r, "", "", "*.example.com", "a.example.com", "*.b.example.com")),
		AllowedRoutes: &gwv1.AllowedRoutes{Namespaces: &gwv1.RouteNamespaces{From: &all}},
	}
	if chance(r, 60) {
		out.Port, out.Protocol = 443, gwv1.HTTPSProtocolType
	}
	return out
}

func (w *routeWorld) attachment(r *rand.Rand) gwv1.CommonRouteSpec {
	ref := gwv1.ParentReference{Name: "edge"}
	switch r.IntN(4) {
	case 0:
		ref.SectionName = new(oneOf(r, w.listeners...).Name)
	case 1:
		ref.Port = new(oneOf(r, w.listeners...).Port)
	}
	return gwv1.CommonRouteSpec{ParentRefs: []gwv1.ParentReference{ref}}
}

func randomHosts(r *rand.Rand) []gwv1.Hostname {
	return some(r, 0, 2, func() gwv1.Hostname {
		return oneOf[gwv1.Hostname](r, "a.example.com", "x.b.example.com", "*.example.com", "*.b.example.com", "*.com", "other.org")
	})
}

func randomRule(r *rand.Rand) gwv1.HTTPRouteRule {
	out := gwv1.HTTPRouteRule{Matches: some(r, 0, 2, func() gwv1.HTTPRouteMatch { return randomMatch(r) })}
	switch n := r.IntN(100); {
	case n < 10:
		out.Filters = []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterRequestRedirect, RequestRedirect: &gwv1.HTTPRequestRedirectFilter{Hostname: new(gwv1.PreciseHostname("moved.example.net"))}}}
		return out
	case n < 14:
		out.Filters = []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterRequestMirror, RequestMirror: &gwv1.HTTPRequestMirrorFilter{BackendRef: randomBackend(r).BackendObjectReference}}}
	case n < 20:
		out.Filters = []gwv1.HTTPRouteFilter{{Type: gwv1.HTTPRouteFilterURLRewrite, URLRewrite: &gwv1.HTTPURLRewriteFilter{Hostname: new(gwv1.PreciseHostname("inner.example.net"))}}}
	}
	for _, b := range some(r, 1, 2, func() gwv1.BackendRef { return randomBackend(r) }) {
		out.BackendRefs = append(out.BackendRefs, gwv1.HTTPBackendRef{BackendRef: b})
	}
	return out
}

// refusedRule takes every request, and asks for what cannot be served: by the front door, or by the build for how much it is.
func refusedRule(r *rand.Rand) gwv1.HTTPRouteRule {
	to := gwv1.BackendRef{BackendObjectReference: gwv1.BackendObjectReference{Name: "a", Port: new(gwv1.PortNumber(80))}, Weight: new(int32(1))}
	out := gwv1.HTTPRouteRule{BackendRefs: []gwv1.HTTPBackendRef{{BackendRef: to}}}
	out.Filters = []gwv1.HTTPRouteFilter{oneOf(r, gwv1.HTTPRouteFilter{
		Type: gwv1.HTTPRouteFilterRequestMirror, RequestMirror: &gwv1.HTTPRequestMirrorFilter{BackendRef: to.BackendObjectReference},
	}, gwv1.HTTPRouteFilter{
		Type: gwv1.HTTPRouteFilterURLRewrite, URLRewrite: &gwv1.HTTPURLRewriteFilter{Hostname: new(gwv1.PreciseHostname(strings.Repeat("a", 1025)))},
	})}
	return out
}

func randomBackend(r *rand.Rand) gwv1.BackendRef {
	name := oneOf[gwv1.ObjectName](r, "a", "b", "c", "a", "b", "c", "absent")
	return gwv1.BackendRef{
		BackendObjectReference: gwv1.BackendObjectReference{Name: name, Port: new(gwv1.PortNumber(80))}, Weight: new(oneOf[int32](r, 0, 1, 1)),
	}
}

func randomMatch(r *rand.Rand) gwv1.HTTPRouteMatch {
	var out gwv1.HTTPRouteMatch
	if chance(r, 80) {
		kind := oneOf(r, gwv1.PathMatchExact, gwv1.PathMatchPathPrefix, gwv1.PathMatchPathPrefix)
		out.Path = &gwv1.HTTPPathMatch{Type: &kind, Value: new(oneOf(r, "/", "/a", "/a/b", "/p.S", "/p.S/Get"))}
		if chance(r, 10) {
			out.Path = &gwv1.HTTPPathMatch{Type: new(gwv1.PathMatchRegularExpression), Value: new(oneOf(r, "^/a.*$", "^/[ap].*b$"))}
		}
	}
	if chance(r, 25) {
		out.Method = new(oneOf(r, gwv1.HTTPMethodGet, gwv1.HTTPMethodPost))
	}
	out.Headers = some(r, 0, 1, func() gwv1.HTTPHeaderMatch { return randomHeader(r) })
	if chance(r, 25) {
		out.QueryParams = []gwv1.HTTPQueryParamMatch{{Name: "q", Value: oneOf(r, "1", "2")}}
	}
	return out
}

func randomHeader(r *rand.Rand) gwv1.HTTPHeaderMatch {
	if chance(r, 20) {
		return gwv1.HTTPHeaderMatch{Type: new(gwv1.HeaderMatchRegularExpression), Name: "x", Value: "^[12]$"}
	}
	return gwv1.HTTPHeaderMatch{Name: oneOf[gwv1.HTTPHeaderName](r, "x", "X", "y"), Value: oneOf(r, "1", "2")}
}

func randomCalls(r *rand.Rand) gwv1.GRPCRouteRule {
	var out gwv1.GRPCRouteRule
	for _, m := range some(r, 0, 2, func() gwv1.GRPCMethodMatch { return randomMethod(r) }) {
		one := gwv1.GRPCRouteMatch{Method: &m}
		if deref(m.Service)+deref(m.Method) == "" {
			one.Method = nil
		}
		for _, h := range some(r, 0, 1, func() gwv1.HTTPHeaderMatch { return randomHeader(r) }) {
			one.Headers = append(one.Headers, gwv1.GRPCHeaderMatch{Type: (*gwv1.GRPCHeaderMatchType)(h.Type), Name: gwv1.GRPCHeaderName(h.Name), Value: h.Value})
		}
		out.Matches = append(out.Matches, one)
	}
	if chance(r, 5) {
		out.Filters = []gwv1.GRPCRouteFilter{{Type: gwv1.GRPCRouteFilterRequestHeaderModifier, RequestHeaderModifier: &gwv1.HTTPHeaderFilter{Remove: []string{"x"}}}}
	}
	for _, b := range some(r, 1, 2, func() gwv1.BackendRef { return randomBackend(r) }) {
		out.BackendRefs = append(out.BackendRefs, gwv1.GRPCBackendRef{BackendRef: b})
	}
	return out
}

func randomMethod(r *rand.Rand) gwv1.GRPCMethodMatch {
	out := gwv1.GRPCMethodMatch{Service: new(oneOf(r, "p.S", "p.T", "")), Method: new(oneOf(r, "Get", "Put", ""))}
	if chance(r, 15) {
		out = gwv1.GRPCMethodMatch{Type: new(gwv1.GRPCMethodMatchRegularExpression), Service: new(oneOf(r, `p\.[ST]`, "")), Method: new(oneOf(r, "G.*", "[GP].t"))}
	}
	return out
}

func deref[T any](p *T) T {
	if p == nil {
		return *new(T)
	}
	return *p
}

// manifests are the objects of a world, for an operator.
func (w *routeWorld) manifests(t *testing.T) string {
	t.Helper()
	docs := []string{
		`{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "GatewayClass", "metadata": {"name": "alb"}, "spec": {"controllerName": "gateway.k8s.aws/alb"}}`,
		`{"apiVersion": "gateway.k8s.aws/v1", "kind": "LoadBalancerConfiguration", "metadata": {"namespace": "shop", "name": "edge"},
			"spec": {"listenerConfigurations": [{"protocolPort": "HTTPS:443", "defaultCertificate": "CERTIFICATE"}]}}`,
	}
	add := func(kind string, object any) {
		text, err := json.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		docs = append(docs, strings.Replace(string(text), "{", `{"apiVersion": "gateway.networking.k8s.io/v1", "kind": "`+kind+`", `, 1))
	}
	infrastructure := &gwv1.GatewayInfrastructure{ParametersRef: &gwv1.LocalParametersReference{Group: "gateway.k8s.aws", Kind: "LoadBalancerConfiguration", Name: "edge"}}
	add("Gateway", gwv1.Gateway{ObjectMeta: metav1.ObjectMeta{Namespace: "shop", Name: "edge"},
		Spec: gwv1.GatewaySpec{GatewayClassName: "alb", Listeners: w.listeners, Infrastructure: infrastructure}})
	for _, one := range w.web {
		add("HTTPRoute", one)
	}
	for _, one := range w.calls {
		add("GRPCRoute", one)
	}
	return strings.Join(docs, "\n---\n")
}
