package ingress

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// everything is what the loop is asked for all groups of two Ingresses, shop/web and shop/zeta; the first carries the annotations.
func everything(t *testing.T, spec elbv2v1beta1.IngressClassParamsSpec, pairs ...string) []stack.Request {
	t.Helper()
	group := []string{annotations.GroupName, "g", annotations.ListenPorts, `[{"HTTP":80},{"HTTPS":443}]`}
	web, zeta := newIngress(append(group, pairs...)...), named("zeta", group...)
	web.Spec.Rules = append(web.Spec.Rules,
		ruleOf("b.example.com", pathTo("/^/a$", networkingv1.PathTypeImplementationSpecific, "web", "80")),
		ruleOf("c.example.com", pathTo("/", networkingv1.PathTypePrefix, "act", useAnnotation)))
	c := newClient(t, []client.Object{web, zeta, newService("web"), newClass("alb", "p"), newParams(spec)}...)
	keys, err := Groups(t.Context(), c, settingsIP())
	if err != nil {
		t.Fatal(err)
	}
	var out []stack.Request
	for _, key := range keys {
		g, err := Load(t.Context(), c, settingsIP(), key)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, Request(g, settingsIP()))
	}
	return out
}

func intents(all []stack.Request) (out []intent.Intent) {
	for _, r := range all {
		out = append(out, r.Intent)
	}
	return out
}

// about are the findings whose field ends with name.
func about(all []stack.Request, name string) (out []model.Finding) {
	for _, r := range all {
		for _, f := range r.Findings {
			if strings.HasSuffix(f.Field, name) {
				out = append(out, f)
			}
		}
	}
	return out
}

func isClosed(f model.Finding) bool { return f.Severity == model.Closed }

func isWarning(f model.Finding) bool { return f.Severity == model.Warning }

// servedOrTold checks that what was written has an effect, or a finding that says that it has none; what closes has to do both.
func servedOrTold(t *testing.T, what string, before, after []stack.Request) {
	t.Helper()
	served, told := cmp.Diff(intents(before), intents(after)) != "", about(after, what)
	switch {
	case !served && !slices.ContainsFunc(told, isWarning):
		t.Errorf("%s: has no effect, and nobody is told (%v)", what, told)
	case slices.ContainsFunc(told, isClosed):
		for _, r := range after[0].Intent.Fragments[0].Routes {
			if r.Forward != nil && slices.Contains(r.Ports, defaultHTTPSPort) {
				t.Errorf("%s: restricts access, is not served, and %v is open", what, r.Match)
			}
		}
	}
	if slices.ContainsFunc(told, func(f model.Finding) bool { return f.Severity == model.Wrong }) {
		t.Errorf("%s: the sample is wrong: %v", what, told)
	}
}

// TestEveryFieldOfIngressClassParams sets each field of the type alone.
func TestEveryFieldOfIngressClassParams(t *testing.T) {
	samples := map[string]elbv2v1beta1.IngressClassParamsSpec{
		"certificateArn":              {CertificateArn: []string{certB}},
		"namespaceSelector":           {NamespaceSelector: &metav1.LabelSelector{MatchLabels: map[string]string{"team": "other"}}},
		"group":                       {Group: &elbv2v1beta1.IngressGroup{Name: "platform"}},
		"scheme":                      {Scheme: new(elbv2v1beta1.LoadBalancerScheme("internet-facing"))},
		"inboundCIDRs":                {InboundCIDRs: []string{"10.0.0.0/8"}},
		"sslPolicy":                   {SSLPolicy: "ELBSecurityPolicy-TLS13-1-2-2021-06"},
		"sslRedirectPort":             {SSLRedirectPort: "443"},
		"subnets":                     {Subnets: &elbv2v1beta1.SubnetSelector{IDs: []elbv2v1beta1.SubnetID{"subnet-1"}}},
		"ipAddressType":               {IPAddressType: new(elbv2v1beta1.IPAddressType("dualstack"))},
		"tags":                        {Tags: []elbv2v1beta1.Tag{{Key: "a", Value: "b"}}},
		"targetType":                  {TargetType: new(elbv2v1beta1.TargetType("instance"))},
		"loadBalancerName":            {LoadBalancerName: "edge"},
		"loadBalancerAttributes":      {LoadBalancerAttributes: []elbv2v1beta1.Attribute{{Key: "idle_timeout.timeout_seconds", Value: "30"}}},
		"listeners":                   {Listeners: []elbv2v1beta1.Listener{{Protocol: "HTTP", Port: 80, ListenerAttributes: []elbv2v1beta1.Attribute{{Key: "a", Value: "b"}}}}},
		"minimumLoadBalancerCapacity": {MinimumLoadBalancerCapacity: &elbv2v1beta1.MinimumLoadBalancerCapacity{CapacityUnits: 100}},
		"ipamConfiguration":           {IPAMConfiguration: &elbv2v1beta1.IPAMConfiguration{IPv4IPAMPoolID: new("ipam-pool-1")}},
		"prefixListsIDs":              {PrefixListsIDs: []string{"pl-1"}},
		"PrefixListsIDs":              {PrefixListsIDsLegacy: []string{"pl-1"}},
		"wafv2AclArn":                 {WAFv2ACLArn: aclA},
		"wafv2AclName":                {WAFv2ACLName: "acl"},
	}
	before := everything(t, elbv2v1beta1.IngressClassParamsSpec{})
	for i := range reflect.TypeFor[elbv2v1beta1.IngressClassParamsSpec]().NumField() {
		field := reflect.TypeFor[elbv2v1beta1.IngressClassParamsSpec]().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		sample, ok := samples[name]
		if !ok || reflect.ValueOf(sample).Field(i).IsZero() {
			t.Errorf("spec.%s has no sample", name)
			continue
		}
		after := everything(t, sample)
		servedOrTold(t, "spec."+name, before, after)
		for _, f := range about(after, "spec."+name) {
			if f.Reason == ReasonUnserved || isWarning(f) && (f.Reason != ReasonField || f.Object.Kind != paramsKind || f.Object.Name != "p") {
				t.Errorf("spec.%s: %v: names another object than the one that has the field, or calls it an annotation", name, f)
			}
		}
	}
}

// TestEveryAnnotationOfIngresses writes each annotation that the incumbent knows alone.
func TestEveryAnnotationOfIngresses(t *testing.T) {
	samples := map[string]string{
		"load-balancer-name": "edge", "group.name": "h", "group.order": "5", "tags": "a=b", "ip-address-type": "dualstack",
		"scheme": "internet-facing", "subnets": "subnet-1", "security-groups": "sg-1", "manage-backend-security-group-rules": "true",
		"customer-owned-ipv4-pool": "ipv4pool-coip-1", "load-balancer-attributes": "a=b", "wafv2-acl-arn": aclA, "wafv2-acl-name": "acl",
		"waf-acl-id": "acl", "web-acl-id": "acl", "shield-advanced-protection": "true", "listen-ports": `[{"HTTP":8080}]`,
		"ssl-redirect": "443", "inbound-cidrs": "10.0.0.0/8", "security-group-prefix-lists": "pl-1", "certificate-arn": certA,
		"ssl-policy": "ELBSecurityPolicy-TLS13-1-2-2021-06", "target-type": "instance", "backend-protocol": "HTTPS",
		"backend-protocol-version": "HTTP2", "target-group-attributes": "a=b", "healthcheck-port": "8081", "healthcheck-protocol": "HTTPS",
		"healthcheck-path": "/ready", "healthcheck-interval-seconds": "20", "healthcheck-timeout-seconds": "4", "healthy-threshold-count": "3",
		"unhealthy-threshold-count": "3", "success-codes": "204", "auth-type": "oidc", "auth-idp-cognito": pool, "auth-idp-oidc": oidc,
		"auth-on-unauthenticated-request": "deny", "auth-scope": "email", "auth-session-cookie": "cookie", "auth-session-timeout": "60",
		"jwt-validation": jwt, "actions.act": `{"type":"fixed-response","fixedResponseConfig":{"statusCode":"404"}}`,
		"conditions.web":       `[{"field":"source-ip","sourceIPConfig":{"values":["192.0.2.0/24"]}}]`,
		"transforms.web":       `[{"type":"url-rewrite","urlRewriteConfig":{"rewrites":[{"regex":"^/a","replace":"/b"}]}}]`,
		"use-regex-path-match": "true", "target-node-labels": "a=b", "mutual-authentication": `[{"port":443,"mode":"verify","trustStore":"t"}]`,
		"multi-cluster-target-group": "true", "listener-attributes.HTTP-80": "a=b", "minimum-load-balancer-capacity": "CapacityUnits=100",
		"ipam-ipv4-pool-id": "ipam-pool-1", "enable-frontend-nlb": "true", "frontend-nlb-scheme": "internal", "frontend-nlb-subnets": "subnet-1",
		"frontend-nlb-security-groups": "sg-1", "frontend-nlb-listener-port-mapping": "80=443", "frontend-nlb-healthcheck-port": "80",
		"frontend-nlb-healthcheck-protocol": "HTTP", "frontend-nlb-healthcheck-path": "/", "frontend-nlb-healthcheck-interval-seconds": "20",
		"frontend-nlb-healthcheck-timeout-seconds": "4", "frontend-nlb-healthcheck-healthy-threshold-count": "3",
		"frontend-nlb-healthcheck-unhealthy-threshold-count": "3", "frontend-nlb-healthcheck-success-codes": "204", "frontend-nlb-tags": "a=b",
		"frontend-nlb-eip-allocations": "eipalloc-1", "frontend-nlb-attributes": "a=b", "target-control-port.web.80": "3000",
		"create-acm-cert": "true", "acm-pca-arn": "arn:aws:acm-pca:us-west-2:123456789012:certificate-authority/a",
	}
	closing := []string{
		"auth-idp-cognito", "auth-idp-oidc",
	}
	before := everything(t, elbv2v1beta1.IngressClassParamsSpec{})
	known := map[string]bool{}
	for key, value := range samples {
		spec, _, ok := annotations.Ingress().Find(key)
		if !ok {
			t.Errorf("%s: the incumbent knows it", key)
		}
		known[spec.Key] = true
		after := everything(t, elbv2v1beta1.IngressClassParamsSpec{}, key, value)
		servedOrTold(t, annotations.IngressPrefix+key, before, after)
		if got := slices.ContainsFunc(about(after, key), isClosed); got != slices.Contains(closing, key) {
			t.Errorf("%s: closes: %v (%v)", key, got, about(after, key))
		}
	}
	for _, spec := range annotations.Ingress().Specs() {
		if !known[spec.Key] && spec.Status != annotations.Ignored {
			t.Errorf("%s has no sample", spec.Key)
		}
	}
}
