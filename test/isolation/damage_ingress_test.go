package isolation

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"

	"github.com/headgate/headgate/controllers/annotations"
)

// valueDamages are values that look right and that AWS, or another value, refuses.
func valueDamages() []damage {
	set := func(name string, becomes fate, key string, values ...string) damage {
		return damage{name: name, fate: becomes, do: func(s *scene) bool { return s.set(key, values...) }}
	}
	return []damage{
		set("attributes of a port that is none", keeps, annotations.ListenerAttributes+".HTTP", "routing.http.response.server.enabled=false"),
		set("policy that is none", keeps, annotations.SSLPolicy, "strongest"),
		set("prefix list that is not there", guarded, annotations.PrefixLists, "pl-00000000000000001"),
		set("reserved tag", keeps, annotations.Tags, "aws:mine=1", "elbv2.k8s.aws/cluster=other", "ingress.k8s.aws/stack=other"),
		set("tag too long", keeps, annotations.Tags, "k="+strings.Repeat("v", 300), strings.Repeat("k", 200)+"=v"),
		{name: "more tags than AWS takes", do: func(s *scene) bool {
			var all []string
			for i := range 60 {
				all = append(all, fmt.Sprintf("k%d=v", i))
			}
			return s.set(annotations.Tags, strings.Join(all, ","))
		}},
		{name: "timeout above interval", do: func(s *scene) bool {
			s.set(annotations.HealthTimeout, "100")
			return s.set(annotations.HealthInterval, "10")
		}},
		set("success codes out of range", keeps, annotations.SuccessCodes, "200-999", "0", "200,abc"),
		set("port of health checks that is none", keeps, annotations.HealthPort, "nowhere", "70000"),
		set("gRPC over what it does not go over", keeps, annotations.BackendVersion, "GRPC,HTTP2", "HTTP3"),
		{name: "health checks of gRPC by codes of HTTP", do: func(s *scene) bool {
			s.set(annotations.BackendVersion, "GRPC")
			return s.set(annotations.SuccessCodes, "200-299")
		}},
		set("instances behind a Service without node ports", lacks, annotations.TargetType, "instance"),
		set("subnets that are not there", keeps, annotations.Subnets, "subnet-00000000000000001,subnet-00000000000000002", "nowhere-a,nowhere-b"),
		set("security group that is not there", guarded, annotations.SecurityGroups, "sg-00000000000000001", "nobody"),
		set("web ACL that is not there", guarded, "wafv2-acl-arn",
			"arn:aws:wafv2:us-west-2:123456789012:regional/webacl/gone/11111111-2222-3333-4444-555555555555"),
		set("web ACL's name that is not there", guarded, "wafv2-acl-name", "nobody"),
		set("protection without a subscription", guarded, "shield-advanced-protection", "true"),
		set("port in two protocols", guarded, annotations.ListenPorts, `[{"HTTP":80},{"HTTPS":80}]`),
		set("port out of range", guarded, annotations.ListenPorts, `[{"HTTP":0}]`, `[{"HTTP":70000}]`, `[{"HTTP":-1}]`, `[]`, `[{}]`),
		set("redirect to a port that is none", keeps, annotations.SSLRedirect, "444", "8444"),
	}
}

// ruleDamages are rules and what annotations say of them.
func ruleDamages() []damage {
	path := func(name string, kind networkingv1.PathType, host, path string) damage {
		return damage{name: name, do: func(s *scene) bool {
			return s.rule(host, networkingv1.HTTPIngressPath{Path: path, PathType: &kind, Backend: to("a")})
		}}
	}
	prefix, exact, pattern := networkingv1.PathTypePrefix, networkingv1.PathTypeExact, networkingv1.PathTypeImplementationSpecific
	action := func(name, action string) damage {
		return damage{name: name, do: func(s *scene) bool {
			s.set(annotations.Actions+".odd", action)
			return s.rule(s.m.host, networkingv1.HTTPIngressPath{Path: "/odd", PathType: &exact, Backend: use("odd")})
		}}
	}
	condition := func(name string, becomes fate, condition string) damage {
		return damage{name: name, fate: becomes, do: func(s *scene) bool { return s.set(annotations.Conditions+".b", condition) }}
	}
	transform := func(name, transform string) damage {
		return damage{name: name, do: func(s *scene) bool { return s.set(annotations.Transforms+".a", transform) }}
	}
	return []damage{
		path("prefix with a wildcard", prefix, "", "/v*/x"), path("exact path with a wildcard", exact, "", "/what?"),
		path("path without a slash", prefix, "", "api"), path("pattern without a slash", pattern, "", "*.php"),
		path("path of an unknown type", "Regex", "", "/x"), path("path too long", exact, "", "/"+strings.Repeat("x", 200)),
		path("path of letters that AWS refuses", pattern, "", "/grüße {}"), path("host that is none", prefix, "not a host!", "/"),
		path("host too long", prefix, strings.Repeat("a.", 80)+"example.com", "/"), path("host of letters that AWS refuses", prefix, "münchen.example.com", "/"),
		path("wildcard in the middle", prefix, "a.*.example.com", "/"), path("address as a host", prefix, "10.0.0.1:80", "/"),
		{name: "expression that is none", do: func(s *scene) bool {
			s.set(annotations.UseRegexPathMatch, "true")
			return s.rule("", networkingv1.HTTPIngressPath{Path: "/^(", PathType: &pattern, Backend: to("a")})
		}},
		action("answer with a code that is none", `{"type":"fixed-response","fixedResponseConfig":{"statusCode":"999"}}`),
		action("answer too long", `{"type":"fixed-response","fixedResponseConfig":{"statusCode":"200","contentType":"text/plain","messageBody":"`+
			strings.Repeat("x", 2000)+`"}}`),
		action("redirect to itself", `{"type":"redirect","redirectConfig":{"statusCode":"HTTP_301"}}`),
		action("redirect with a code that is none", `{"type":"redirect","redirectConfig":{"host":"example.org","statusCode":"HTTP_307"}}`),
		action("redirect to a place that is none", `{"type":"redirect","redirectConfig":{"host":"exa mple","path":"nowhere","statusCode":"HTTP_301"}}`),
		action("weight out of range", `{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":"80","weight":-1}]}}`),
		action("no group to forward to", `{"type":"forward","forwardConfig":{"targetGroups":[]}}`),
		action("group's name that is not there", `{"type":"forward","targetGroupName":"nobody"}`),
		action("stickiness out of range", `{"type":"forward","forwardConfig":{"targetGroups":[{"serviceName":"a","servicePort":"80"}],`+
			`"targetGroupStickinessConfig":{"enabled":true,"durationSeconds":9999999}}}`),
		condition("condition without values", keeps, `[{"field":"http-header","httpHeaderConfig":{"httpHeaderName":"X-A"}}]`),
		condition("condition on no header", keeps, `[{"field":"http-header","httpHeaderConfig":{"values":["x"]}}]`),
		condition("method that is none", keeps, `[{"field":"http-request-method","httpRequestMethodConfig":{"values":["get it"]}}]`),
		condition("host condition that is none", keeps, `[{"field":"host-header","hostHeaderConfig":{"values":["ü b"]}}]`),
		condition("source that is none", guarded, `[{"field":"source-ip","sourceIpConfig":{"values":["10.0.0.0/99"]}}]`),
		condition("query that is none", keeps, `[{"field":"query-string","queryStringConfig":{"values":[{"key":"only"}]}}]`),
		condition("expression of a condition that is none", keeps, `[{"field":"path-pattern","pathPatternConfig":{"regexValues":["("]}}]`),
		transform("transform that is none", `[{"type":"colour"}]`),
		transform("transform without rewrites", `[{"type":"url-rewrite"}]`),
		transform("transform of an expression that is none", `[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"(","replace":"x"}]}}]`),
		transform("two transforms of a kind", `[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"a","replace":"x"}]}},`+
			`{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"b","replace":"x"}]}}]`),
		{name: "the same path again", quiet: true, do: func(s *scene) bool {
			return s.rule(s.m.host, networkingv1.HTTPIngressPath{Path: "/b", PathType: &exact, Backend: to("a")})
		}},
	}
}

// rule adds a rule, of the member's own host where none is given, at its end.
func (s *scene) rule(host string, path networkingv1.HTTPIngressPath) bool {
	if host == "" {
		host = s.m.host
	}
	s.ing.Spec.Rules = append(s.ing.Spec.Rules, networkingv1.IngressRule{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
		HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{path}},
	}})
	return true
}

// backendDamages are about what is behind rules.
func backendDamages() []damage {
	exact := networkingv1.PathTypeExact
	backend := func(b networkingv1.IngressBackend) func(s *scene) bool {
		return func(s *scene) bool {
			return s.rule(s.m.host, networkingv1.HTTPIngressPath{Path: "/odd", PathType: &exact, Backend: b})
		}
	}
	return []damage{
		{name: "Service that is gone", fate: lacks, do: drop[*corev1.Service]},
		{name: "Service that never was", do: backend(to("nobody")), fate: lacks},
		{name: "port that the Service has not", do: backend(networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
			Name: "a", Port: networkingv1.ServiceBackendPort{Number: 81},
		}}), fate: lacks},
		{name: "port's name that the Service has not", do: backend(networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
			Name: "a", Port: networkingv1.ServiceBackendPort{Name: "metrics"},
		}}), fate: lacks},
		{name: "action that is not there", do: backend(use("nobody")), fate: lacks},
		{name: "no backend", do: backend(networkingv1.IngressBackend{})},
		{name: "resource as a backend", do: backend(networkingv1.IngressBackend{Resource: &corev1.TypedLocalObjectReference{Kind: "Bucket", Name: "b"}})},
		{name: "Service of an external name", fate: lacks, do: func(s *scene) bool {
			return change(s, func(svc *corev1.Service) {
				svc.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "example.org", Ports: svc.Spec.Ports}
			})
		}},
		{name: "Service that lost its port", fate: lacks, do: func(s *scene) bool {
			return change(s, func(svc *corev1.Service) { svc.Spec.Ports[0].Port = 81 })
		}},
		{name: "Service with an annotation that cannot be read", do: func(s *scene) bool {
			return change(s, func(svc *corev1.Service) {
				svc.Annotations = map[string]string{annotations.IngressPrefix + annotations.HealthInterval: "often"}
			})
		}},
	}
}
