package gateway

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/client"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"
	"sigs.k8s.io/gateway-api/pkg/consts"
	"sigs.k8s.io/gateway-api/pkg/features"

	"github.com/headgate/headgate/model"
)

// installed is the definition of GatewayClasses, of a version of the Gateway API.
func installed(version string) client.Object {
	o := &unstructured.Unstructured{}
	o.SetGroupVersionKind(schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"})
	o.SetName("gatewayclasses." + gwv1.GroupName)
	o.SetAnnotations(map[string]string{consts.BundleVersionAnnotation: version})
	return o
}

func TestClassTellsWhetherTheVersionIsSupported(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ why, version, want, text string }{
		{"the one that this is built with", consts.BundleVersion, "True/SupportedVersion", ""},
		{"an earlier one has fewer fields", "v1.2.1", "True/SupportedVersion", ""},
		{"a later one may say what nobody here reads", "v1.99.0", "False/UnsupportedVersion", "v1.99.0"},
		{"an earlier major one", "v0.8.1", "False/UnsupportedVersion", "v0.8.1"},
		{"no version", "main", "False/UnsupportedVersion", "main"},
	} {
		w := newWorld(t, append(shop(t), installed(c.version))...)
		class := w.judgeClass()
		got := meta.FindStatusCondition(class.Status.Conditions, "SupportedVersion")
		if got == nil || string(got.Status)+"/"+got.Reason != c.want || !strings.Contains(got.Message, c.text) || got.ObservedGeneration != 1 {
			t.Errorf("%s: %+v, want %s", c.why, got, c.want)
		}
		if words(class.Status.Conditions)["Accepted"] != "True/Accepted" {
			t.Errorf("%s: what is known of it is served", c.why)
		}
	}
}

func TestClassIsWrittenOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t, append(shop(t), installed(consts.BundleVersion))...)
	class := w.judgeClass()
	class.Status.Conditions = append(class.Status.Conditions, metav1.Condition{Type: "example.com/Foreign", Status: metav1.ConditionTrue, Reason: "Theirs"})
	w.must(w.api.Status().Update(t.Context(), class))
	before := w.judgeClass().ResourceVersion
	class = w.judgeClass()
	if class.ResourceVersion != before {
		t.Error("invariant 1: a steady class was written")
	}
	if diff := cmp.Diff(map[string]string{
		"Accepted": "True/Accepted", "SupportedVersion": "True/SupportedVersion", "example.com/Foreign": "True/Theirs",
	}, words(class.Status.Conditions)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(supported(features.SupportListenerSet), class.Status.SupportedFeatures); diff != "" {
		t.Error(diff)
	}
	class.Generation = 2
	w.must(w.api.Update(t.Context(), class))
	for _, c := range w.judgeClass().Status.Conditions {
		if c.Type != "example.com/Foreign" && c.ObservedGeneration != 2 {
			t.Errorf("%s is of generation %d", c.Type, c.ObservedGeneration)
		}
	}
}

// extended are features beyond the kinds themselves: what of a Gateway, of its listeners and of rules needs them.
func extended() map[features.FeatureName]struct{ gateway, listeners, parent, rule string } {
	redirect := func(fields string) string {
		return `{filters: [{type: RequestRedirect, requestRedirect: {` + fields + `}}]}`
	}
	const secure = `[{name: a, port: 443, protocol: HTTPS, hostname: x.com, allowedRoutes: {namespaces: {from: All}}}]`
	verified := func(more string) string {
		return `{tls: {frontend: {default: {validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]` + more + `}}}}}`
	}
	return map[features.FeatureName]struct{ gateway, listeners, parent, rule string }{
		features.SupportGatewayFrontendClientCertificateValidation:                 {gateway: verified(""), listeners: secure},
		features.SupportGatewayFrontendClientCertificateValidationInsecureFallback: {gateway: verified(", mode: AllowInsecureFallback"), listeners: secure},
		features.SupportGatewayAddressEmpty:                                        {gateway: `{addresses: [{type: IPAddress}, {type: Hostname}]}`},
		features.SupportGatewayInfrastructure:                                      {gateway: `{infrastructure: {labels: {team: a}, annotations: {a: b}}}`},
		features.SupportGatewayStaticAddresses:                                     {gateway: `{addresses: [{type: IPAddress, value: 192.0.2.1}]}`},
		features.SupportGatewayBackendClientCertificate:                            {gateway: `{tls: {backend: {clientCertificateRef: {name: x}}}}`},
		features.SupportGatewayHTTPListenerIsolation: {listeners: `[
			{name: a, port: 80, protocol: HTTP, allowedRoutes: {namespaces: {from: All}}},
			{name: b, port: 80, protocol: HTTP, hostname: x.com, allowedRoutes: {namespaces: {from: All}}}]`},
		features.SupportHTTPRouteBackendProtocolWebSocket: {rule: `{backendRefs: [{name: web, port: 80}]}`},
		features.SupportHTTPRouteDestinationPortMatching:  {parent: `, port: 80`},
		features.SupportHTTPRouteParentRefPort:            {parent: `, port: 80`},
		features.SupportHTTPRouteMethodMatching:           {rule: `{matches: [{method: PUT}], backendRefs: [{name: web, port: 80}]}`},
		features.SupportHTTPRouteNamedRouteRule:           {rule: `{name: one, backendRefs: [{name: web, port: 80}]}`},
		features.SupportHTTPRoutePortRedirect:             {rule: redirect(`port: 8083`)},
		features.SupportHTTPRouteSchemeRedirect:           {rule: redirect(`scheme: https`)},
		features.SupportHTTPRoutePathRedirect:             {rule: redirect(`path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}`)},
		features.SupportHTTPRoute303RedirectStatusCode:    {rule: redirect(`port: 8083, statusCode: 303`)},
		features.SupportHTTPRoute307RedirectStatusCode:    {rule: redirect(`port: 8083, statusCode: 307`)},
		features.SupportHTTPRoute308RedirectStatusCode:    {rule: redirect(`port: 8083, statusCode: 308`)},
		features.SupportHTTPRouteRequestTimeout:           {rule: `{timeouts: {request: 1s}}`},
		features.SupportHTTPRouteRetry:                    {rule: `{retry: {attempts: 2}}`},
		features.SupportHTTPRouteHostRewrite:              {rule: `{filters: [{type: URLRewrite, urlRewrite: {hostname: a.example.com}}]}`},
		features.SupportHTTPRoutePathRewrite:              {rule: `{filters: [{type: URLRewrite, urlRewrite: {path: {type: ReplaceFullPath, replaceFullPath: /b}}}]}`},
		features.SupportHTTPRouteRequestMirror:            {rule: `{filters: [{type: RequestMirror, requestMirror: {backendRef: {name: web, port: 80}}}]}`},
		features.SupportHTTPRouteCORS:                     {rule: `{filters: [{type: CORS, cors: {allowOrigins: ["https://a.example.com"]}}]}`},
		features.SupportHTTPRouteResponseHeaderModification: {
			rule: `{filters: [{type: ResponseHeaderModifier, responseHeaderModifier: {remove: [a]}}]}`},
	}
}

// promised is all that a class may promise.
func promised() []gwv1.SupportedFeature {
	return supported(append(verifying(), features.SupportListenerSet)...)
}

// TestFeaturesAreServed judges an example of each extended feature: what the class promises is served without a finding, and what is
// refused is not promised.
func TestFeaturesAreServed(t *testing.T) {
	t.Parallel()
	promises := map[features.FeatureName]bool{}
	for _, f := range promised() {
		promises[features.FeatureName(f.Name)] = true
	}
	// These are served, and not promised: the suite's tests of them set headers too, which no application load balancer does.
	unproven := []features.FeatureName{features.SupportHTTPRouteHostRewrite, features.SupportHTTPRoutePathRewrite}
	examples := extended()
	for _, name := range slices.Sorted(maps.Keys(promises)) {
		if _, shown := examples[name]; !shown && !slices.Contains([]features.FeatureName{
			features.SupportGateway, features.SupportHTTPRoute, features.SupportReferenceGrant, features.SupportListenerSet,
		}, name) {
			t.Errorf("%s is promised without an example", name)
		}
	}
	for name, e := range examples {
		listeners, rule := e.listeners, e.rule
		if listeners == "" {
			listeners = anyListener
		}
		if rule == "" {
			rule = `{backendRefs: [{name: web, port: 80}]}`
		}
		route := strings.Replace(routeWith(rule), "namespace: infra", "namespace: infra"+e.parent, 1)
		snapshot := snapshotOf(t, listeners, route)
		if e.gateway != "" {
			own := snapshot.Gateway.Spec.Listeners
			parse(t, e.gateway, &snapshot.Gateway.Spec)
			snapshot.Gateway.Spec.Listeners = own
		}
		snapshot.Authorities = map[types.NamespacedName]authorities{{Namespace: "infra", Name: "ca"}: {pem: authority}}
		v := keeping(snapshot)
		served := len(v.Findings) == 0 && len(v.Intent.Fragments) == 2
		if served != (promises[name] || slices.Contains(unproven, name)) {
			t.Errorf("%s: promised %v, served %v: %v", name, promises[name], served, messages(v.Findings))
		}
	}
}

func messages(list []model.Finding) []string {
	var out []string
	for _, f := range list {
		out = append(out, f.Field+" "+f.Message)
	}
	return out
}

func TestFeaturesAreSortedAndKnown(t *testing.T) {
	t.Parallel()
	var got []string
	for _, f := range promised() {
		got = append(got, string(f.Name))
		if !slices.ContainsFunc(features.AllFeatures.UnsortedList(), func(k features.Feature) bool { return string(k.Name) == string(f.Name) }) {
			t.Errorf("%s is no feature of the Gateway API", f.Name)
		}
	}
	if !slices.IsSorted(got) || len(slices.Compact(got)) != len(promised()) {
		t.Error(got)
	}
}
