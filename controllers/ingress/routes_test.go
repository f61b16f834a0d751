package ingress

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const (
	exact  = networkingv1.PathTypeExact
	prefix = networkingv1.PathTypePrefix
	free   = networkingv1.PathTypeImplementationSpecific
)

func TestPaths(t *testing.T) {
	rows := []struct {
		path  string
		kind  networkingv1.PathType
		regex bool
		want  []intent.Path
		wrong bool
		why   string
	}{
		{path: "/a", kind: exact, want: []intent.Path{{Kind: intent.PathExact, Value: "/a"}}, why: "as it is"},
		{path: "/a/", kind: exact, want: []intent.Path{{Kind: intent.PathExact, Value: "/a/"}}, why: "a slash at the end counts"},
		{path: "/a*", kind: exact, wrong: true, why: "an ALB would take it for a pattern"},
		{path: "/", kind: prefix, want: []intent.Path{{Kind: intent.PathPrefix, Value: "/"}}, why: "everything"},
		{path: "/a/", kind: prefix, want: []intent.Path{{Kind: intent.PathPrefix, Value: "/a"}}, why: "the same as /a"},
		{path: "/a?", kind: prefix, wrong: true, why: "a pattern"},
		{path: "", kind: prefix, wrong: true, why: "a prefix needs a path"},
		{path: "/a*", kind: free, want: []intent.Path{{Kind: intent.PathPattern, Value: "/a*"}}, why: "ALB's patterns"},
		{path: "/a*", kind: "", want: []intent.Path{{Kind: intent.PathPattern, Value: "/a*"}}, why: "no type is ImplementationSpecific"},
		{path: "", kind: "", want: nil, why: "no path is any path"},
		{path: "a", kind: free, wrong: true, why: "the API server refuses it too"},
		{path: "/^/api/.*$", kind: free, regex: true, want: []intent.Path{{Kind: intent.PathRegex, Value: "^/api/.*$"}}, why: "without the slash"},
		{path: "/", kind: free, regex: true, wrong: true, why: "nothing is left"},
		{path: "/a", kind: prefix, regex: true, want: []intent.Path{{Kind: intent.PathPrefix, Value: "/a"}}, why: "other types stay"},
		{path: "/a", kind: "Fuzzy", wrong: true, why: "no such type"},
	}
	for _, row := range rows {
		ing := newIngress()
		if row.regex {
			ing = newIngress(annotations.UseRegexPathMatch, "true")
		}
		ing.Spec.Rules = []networkingv1.IngressRule{ruleOf("", pathTo(row.path, row.kind, "web", "80"))}
		f, findings := simple(t, ing)
		if len(findings) > 0 != row.wrong {
			t.Errorf("%s %q: findings %v: %s", row.kind, row.path, findings, row.why)
		}
		if diff := cmp.Diff(row.want, f.Routes[0].Match.Paths); !row.wrong && diff != "" {
			t.Errorf("%s %q: %s: %s", row.kind, row.path, row.why, diff)
		}
	}
}

func TestHosts(t *testing.T) {
	rows := []struct {
		host  string
		wrong bool
		why   string
	}{
		{"a.example.com", false, "a name"},
		{"A.Example.com", false, "case does not count"},
		{"*.example.com", false, "a wildcard"},
		{"a.*.example.com", true, "not in the middle"},
		{"<FQDN>", true, "a template's hole"},
		{"$HOST", true, "another one"},
	}
	for _, row := range rows {
		ing := newIngress()
		ing.Spec.Rules[0].Host = row.host
		if _, findings := simple(t, ing); len(findings) > 0 != row.wrong {
			t.Errorf("%s: findings %v: %s", row.host, findings, row.why)
		}
	}
}

func TestOrderWithinARule(t *testing.T) {
	ing := newIngress()
	ing.Spec.Rules = []networkingv1.IngressRule{
		ruleOf("a.example.com",
			pathTo("/first*", free, "web", "80"), pathTo("/", prefix, "web", "80"), pathTo("/second*", "", "web", "80"),
			pathTo("/long/er", prefix, "web", "80"), pathTo("/x", exact, "web", "80"), pathTo("/a", exact, "web", "80")),
		ruleOf("b.example.com", pathTo("/y", exact, "web", "80")),
	}
	f, findings := simple(t, ing)
	mustBeClean(t, findings)
	var got []string
	for _, r := range f.Routes {
		got = append(got, r.Match.Paths[0].Value+" "+r.Field)
	}
	want := []string{
		"/x spec.rules[0].http.paths[4]", "/a spec.rules[0].http.paths[5]",
		"/long/er spec.rules[0].http.paths[3]", "/ spec.rules[0].http.paths[1]",
		"/first* spec.rules[0].http.paths[0]", "/second* spec.rules[0].http.paths[2]",
		"/y spec.rules[1].http.paths[0]",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestConditionsJoinTheRule(t *testing.T) {
	ing := newIngress(annotations.Conditions+".web", `[
		{"field":"host-header","hostHeaderConfig":{"values":["*.b.com"]}},
		{"field":"path-pattern","pathPatternConfig":{"regexValues":["^/z"]}},
		{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"x-a","values":["1*"]}},
		{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"x-b","regexValues":["^2$"]}},
		{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET","HEAD"]}},
		{"field":"query-string","queryStringConfig":{"values":[{"key":"k","value":"v"},{"value":"w"}]}},
		{"field":"source-ip","sourceIPConfig":{"values":["192.0.2.0/24"]}}]`)
	f, findings := simple(t, ing)
	mustBeClean(t, findings)
	want := intent.Match{
		Hosts: []string{"a.example.com"}, HostPatterns: []string{"*.b.com"},
		Paths: []intent.Path{{Kind: intent.PathPrefix, Value: "/"}, {Kind: intent.PathRegex, Value: "^/z"}},
		Headers: []intent.Header{
			{Name: "x-a", Values: []string{"1*"}, Pattern: true}, {Name: "x-b", Regexes: []string{"^2$"}},
		},
		Methods:   []string{"GET", "HEAD"},
		Queries:   []intent.Query{{Pairs: []model.QueryPair{{Key: "k", Value: "v"}, {Value: "w"}}, Pattern: true}},
		SourceIPs: []string{"192.0.2.0/24"},
	}
	if diff := cmp.Diff(want, f.Routes[0].Match); diff != "" {
		t.Error(diff)
	}
}

func TestTransformsAndUnused(t *testing.T) {
	rewrite := `[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/a","replace":"/b"}]}}]`
	f, findings := simple(t, newIngress(annotations.Transforms+".web", rewrite, annotations.Conditions+".wbe", `[]`))
	if diff := cmp.Diff([]model.Transform{{Type: "url-rewrite", Regex: "^/a", Replace: "/b"}}, f.Routes[0].Transforms); diff != "" {
		t.Error(diff)
	}
	mustFind(t, findings, "conditions.wbe", model.Warning)
}

func TestActions(t *testing.T) {
	rows := []struct {
		name, action string
		want         intent.Route
		severity     model.Severity
		why          string
	}{
		{
			name: "fixed", action: `{"type":"fixed-response","fixedResponseConfig":{"statusCode":"404","contentType":"text/html","messageBody":"x"}}`,
			want: intent.Route{Fixed: &intent.Fixed{StatusCode: 404, ContentType: "text/html", Body: "x"}}, why: "an answer",
		},
		{
			name: "redirect", action: `{"Type":"redirect","RedirectConfig":{"Host":"b.com","Path":"/x","Port":"8443","Protocol":"HTTPS","Query":"q=1","StatusCode":"HTTP_302"}}`,
			want: intent.Route{Redirect: &intent.Redirect{Protocol: "HTTPS", Host: "b.com", Port: "8443", Path: "/x", Query: new("q=1"), StatusCode: 302}},
			why:  "all parts",
		},
		{
			name: "redirect without query", action: `{"type":"redirect","redirectConfig":{"path":"/x","query":"","statusCode":"HTTP_301"}}`,
			want: intent.Route{Redirect: &intent.Redirect{Path: "/x", Query: new(""), StatusCode: 301}}, why: "AWS drops the query where it is written as empty",
		},
		{
			name: "arn", action: `{"type":"forward","targetGroupARN":"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1"}`,
			want: intent.Route{Forward: &intent.Forward{Backends: []intent.Backend{{TargetGroupARN: "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/a/1", Weight: 1}}}}, why: "the short form",
		},
		{
			name: "weights", action: `{"type":"forward","forwardConfig":{"targetGroups":[
				{"serviceName":"web","servicePort":"80","weight":0},{"targetGroupName":"n","weight":9}],
				"targetGroupStickinessConfig":{"enabled":true,"durationSeconds":60}}}`,
			want: intent.Route{Forward: &intent.Forward{StickySeconds: 60, Backends: []intent.Backend{
				{Service: serviceWeb(), Weight: 0}, {TargetGroupName: "n", Weight: 9},
			}}}, why: "a numeric string is a number, and 0 is a weight",
		},
		{
			name: "missing", want: intent.Route{Fixed: unavailable()}, severity: model.Answered,
			why: "no such annotation: the specification's 503",
		},
		{
			name: "invalid", action: `{"type":"nothing"}`, want: intent.Route{Fixed: unavailable()}, severity: model.Wrong, why: "its owner's mistake",
		},
		{
			name: "no service", action: `{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"gone","servicePort":80}]}}`,
			want: intent.Route{Fixed: unavailable()}, severity: model.Answered, why: "a missing Service is answered 503",
		},
		{
			name: "half a service", action: `{"type":"forward","forwardConfig":{"targetGroups":[
				{"serviceName":"gone","servicePort":80,"weight":1},{"serviceName":"web","servicePort":80,"weight":1}]}}`,
			want:     intent.Route{Forward: &intent.Forward{Backends: []intent.Backend{{Service: serviceWeb(), Weight: 1}}}},
			severity: model.Wrong, why: "an ALB cannot answer a part of the requests with 503",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var pairs []string
			if row.action != "" {
				pairs = []string{annotations.Actions + ".act", row.action}
			}
			ing := newIngress(pairs...)
			ing.Spec.Rules[0] = ruleOf("", pathTo("/", prefix, "act", useAnnotation))
			// The Service is referred to in each case, so that it is read.
			ing.Spec.Rules = append(ing.Spec.Rules, ruleOf("b.example.com", pathTo("/", prefix, "web", "80")))
			f, findings := simple(t, ing)
			row.want.Ports, row.want.Field = []int{80}, "spec.rules[0].http.paths[0]"
			row.want.Match.Paths = []intent.Path{{Kind: intent.PathPrefix, Value: "/"}}
			if diff := cmp.Diff(row.want, f.Routes[0]); diff != "" {
				t.Errorf("%s: %s", row.why, diff)
			}
			if row.severity == "" {
				mustBeClean(t, findings)
			} else if len(findings) != 1 || findings[0].Severity != row.severity {
				t.Errorf("findings %v, want one %s: %s", findings, row.severity, row.why)
			}
		})
	}
}

func serviceWeb() *intent.Service {
	return &intent.Service{
		ID: "shop/web-web:80", NameKey: "shop/webshop/web", Namespace: "shop", Name: "web", UID: "u-1", Port: "80", TargetPort: 8080, NodePort: 30080,
	}
}

func TestBackends(t *testing.T) {
	external := newService("external")
	external.Spec.Type = corev1.ServiceTypeExternalName
	udp := newService("udp")
	udp.Spec.Ports[0].Protocol = corev1.ProtocolUDP
	bare := newService("bare")
	bare.Spec.Ports = []corev1.ServicePort{{Port: 80}}
	namedPort := newService("named")
	namedPort.Spec.Ports[0].TargetPort = intstr.FromString("web")
	six := newService("six")
	six.Spec.IPFamilies = []corev1.IPFamily{corev1.IPv6Protocol, corev1.IPv4Protocol}
	resource := networkingv1.IngressBackend{Resource: &corev1.TypedLocalObjectReference{Kind: "Bucket", Name: "b"}}
	rows := []struct {
		name     string
		backend  networkingv1.IngressBackend
		port     int
		ipv6     bool
		severity model.Severity
		why      string
	}{
		{name: "number", backend: backendTo("bare", "80"), port: 80, why: "the target port defaults to the port"},
		{name: "name", backend: backendTo("named", "http"), port: 1, why: "a named target port has no number of its own"},
		{name: "ipv6", backend: backendTo("six", "80"), port: 8080, ipv6: true, why: "the first family"},
		{name: "missing", backend: backendTo("gone", "80"), severity: model.Answered, why: "no such Service"},
		{name: "missing port", backend: backendTo("bare", "81"), severity: model.Answered, why: "no such port"},
		{name: "udp", backend: backendTo("udp", "80"), severity: model.Answered, why: "an Ingress speaks TCP"},
		{name: "external", backend: backendTo("external", "80"), severity: model.Answered, why: "no endpoints"},
		{name: "resource", backend: resource, severity: model.Wrong, why: "an ALB has none"},
		{name: "null", severity: model.Wrong, why: "neither service nor resource"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ing := newIngress()
			ing.Spec.Rules[0].HTTP.Paths[0].Backend = row.backend
			f, findings := simple(t, ing, external, udp, bare, namedPort, six)
			if row.severity != "" {
				mustSeverity(t, findings, "spec.rules[0].http.paths[0].backend", row.severity)
				if diff := cmp.Diff(unavailable(), f.Routes[0].Fixed); diff != "" {
					t.Errorf("%s: %s", row.why, diff)
				}
				return
			}
			mustBeClean(t, findings)
			s := f.Routes[0].Forward.Backends[0].Service
			if s.TargetPort != row.port || s.IPv6 != row.ipv6 {
				t.Errorf("port %d, IPv6 %v: %s", s.TargetPort, s.IPv6, row.why)
			}
		})
	}
}

func mustSeverity(t *testing.T, findings []model.Finding, field string, severity model.Severity) {
	t.Helper()
	if len(findings) != 1 || findings[0].Severity != severity || len(findings[0].Field) < len(field) || findings[0].Field[:len(field)] != field {
		t.Errorf("findings %v, want one %s at %s", findings, severity, field)
	}
}

func TestDefaultBackend(t *testing.T) {
	backend := backendTo("web", "80")
	ing := newIngress(annotations.ListenPorts, `[{"HTTP":80},{"HTTP":8080}]`, annotations.Conditions+".web", `[{"field":"http-request-method","httpRequestMethodConfig":{"values":["GET"]}}]`)
	ing.Spec.Rules, ing.Spec.DefaultBackend = nil, &backend
	f, findings := simple(t, ing)
	mustFind(t, findings, "conditions.web", model.Warning)
	for i, port := range []int{80, 8080} {
		d := f.Listeners[i].Default
		if d == nil || d.Forward == nil || d.Field != "spec.defaultBackend" {
			t.Fatalf("default %+v of port %d", d, port)
		}
		if diff := cmp.Diff([]int{port}, d.Ports); diff != "" {
			t.Error(diff)
		}
	}
	broken := newIngress()
	resource := networkingv1.IngressBackend{Resource: &corev1.TypedLocalObjectReference{Kind: "Bucket", Name: "b"}}
	broken.Spec.DefaultBackend = &resource
	_, findings = simple(t, broken)
	mustSeverity(t, findings, "spec.defaultBackend.resource", model.Wrong)
}

func TestHostsOnUnusualPortsMatchAnyPort(t *testing.T) {
	ing := newIngress(annotations.ListenPorts, `[{"HTTP":80},{"HTTP":8080},{"HTTPS":443},{"HTTPS":8443}]`)
	ing.Spec.Rules = append(ing.Spec.Rules, ruleOf("", pathTo("/x", prefix, "web", "80")))
	f, _ := simple(t, ing)
	type part struct {
		Ports   []int
		AnyPort bool
	}
	var got []part
	for _, r := range f.Routes {
		got = append(got, part{r.Ports, r.Match.AnyPort})
	}
	want := []part{{[]int{80, 443}, false}, {[]int{8080, 8443}, true}, {[]int{80, 443, 8080, 8443}, false}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestRedirectsThatGoNowhereAreLeftOut(t *testing.T) {
	toHTTPS := `{"type":"redirect","redirectConfig":{"protocol":"HTTPS","port":"443","statusCode":"HTTP_301"}}`
	ing := newIngress(annotations.ListenPorts, `[{"HTTP":80},{"HTTPS":443}]`, annotations.Actions+".ssl", toHTTPS)
	ing.Spec.Rules = []networkingv1.IngressRule{
		ruleOf("", pathTo("/*", free, "ssl", useAnnotation)),
		ruleOf("a.example.com", pathTo("/", prefix, "web", "80")),
	}
	f, findings := simple(t, ing)
	mustBeClean(t, findings)
	if len(f.Routes) != 2 {
		t.Fatalf("routes %+v", f.Routes)
	}
	if diff := cmp.Diff([]int{80}, f.Routes[0].Ports); diff != "" || f.Routes[0].Redirect == nil {
		t.Errorf("on 443 the redirect leads to itself: %s", diff)
	}
	if diff := cmp.Diff([]int{443}, f.Routes[1].Ports); diff != "" {
		t.Errorf("on 80 nothing reaches what comes after a redirect of everything: %s", diff)
	}
}

func TestCovers(t *testing.T) {
	all := []intent.Path{{Kind: intent.PathPattern, Value: "/*"}}
	one := []intent.Path{{Kind: intent.PathExact, Value: "/a"}}
	rows := []struct {
		a, b intent.Match
		want bool
		why  string
	}{
		{intent.Match{}, intent.Match{Hosts: []string{"a"}, Paths: one}, true, "everything covers something"},
		{intent.Match{Paths: all}, intent.Match{Paths: one}, true, "/* is every path"},
		{intent.Match{Hosts: []string{"a"}, Paths: all}, intent.Match{Paths: one}, false, "any host is more than one"},
		{intent.Match{Hosts: []string{"a"}}, intent.Match{Hosts: []string{"a"}, Paths: one}, true, "the same host"},
		{intent.Match{Hosts: []string{"a"}}, intent.Match{Hosts: []string{"b"}}, false, "another host"},
		{intent.Match{Paths: one}, intent.Match{}, false, "any path is more than one"},
		{intent.Match{Hosts: []string{"a"}}, intent.Match{Hosts: []string{"a"}, HostPatterns: []string{"*.b"}}, false, "patterns add hosts"},
		{intent.Match{Paths: one}, intent.Match{Paths: one, SourceIPs: []string{"192.0.2.0/24"}}, true, "conditions only narrow"},
	}
	for _, row := range rows {
		if got := covers(row.a, row.b); got != row.want {
			t.Errorf("%+v covers %+v: %v: %s", row.a, row.b, got, row.why)
		}
	}
}

func FuzzPathAndHost(f *testing.F) {
	for _, seed := range []struct{ host, path, kind string }{
		{"a.example.com", "/", "Prefix"}, {"*.example.com", "/a/", "Exact"}, {"", "", ""}, {"<FQDN>", "/a*?", "ImplementationSpecific"},
		{"A.B", "//", "Prefix"}, {"*", "x", "Fuzzy"}, {"é.com", "/\x00", "Exact"},
	} {
		f.Add(seed.host, seed.path, seed.kind)
	}
	f.Fuzz(func(t *testing.T, host, path, kind string) {
		ing := newIngress()
		ing.Spec.Rules = []networkingv1.IngressRule{ruleOf(host, pathTo(path, networkingv1.PathType(kind), "web", "80"))}
		g := Group{Key: Implicit("shop", "web"), Members: []Member{{Ingress: ing}}}
		in, findings := intentOf(g, settingsIP())
		if len(in.Fragments) != 1 || len(in.Fragments[0].Routes) != 1 {
			t.Fatalf("fragments %+v (%v)", in.Fragments, findings)
		}
		for _, p := range in.Fragments[0].Routes[0].Match.Paths {
			if p.Kind == intent.PathPrefix && p.Value != "/" && p.Value[len(p.Value)-1] == '/' && path[len(path)-2:] != "//" {
				t.Errorf("prefix %q ends with a slash", p.Value)
			}
		}
	})
}
