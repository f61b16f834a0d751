package ingress

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

func TestIntentOfOneIngress(t *testing.T) {
	in, findings := intentOf(load(t, Implicit("shop", "web"), newIngress(), newService("web"), newClass("alb", "")), settingsIP())
	mustBeClean(t, findings)
	want := intent.Intent{
		Owner: model.Owner{Cluster: "c", Prefix: model.PrefixIngress, Stack: "shop/web"},
		Front: "ingress", Namespace: "shop", Name: "web", Order: intent.ByFragment,
		Defaults: intent.Defaults{Cluster: "c", Scheme: "internal", TargetType: "ip", SSLPolicy: "ELBSecurityPolicy-2016-08"},
		Fragments: []intent.Fragment{{
			Member:    model.ObjectRef{Group: "networking.k8s.io", Kind: "Ingress", Namespace: "shop", Name: "web"},
			Listeners: []intent.Listener{{Port: 80, Protocol: "HTTP"}},
			Routes: []intent.Route{{
				Ports: []int{80}, Field: "spec.rules[0].http.paths[0]",
				Match: intent.Match{Hosts: []string{"a.example.com"}, Paths: []intent.Path{{Kind: intent.PathPrefix, Value: "/"}}},
				Forward: &intent.Forward{Backends: []intent.Backend{{Weight: 1, Service: &intent.Service{
					ID: "shop/web-web:80", NameKey: "shop/webshop/web", Namespace: "shop", Name: "web", UID: "u-1",
					Port: "80", TargetPort: 8080, NodePort: 30080,
				}}}},
			}},
		}},
	}
	if diff := cmp.Diff(want, in); diff != "" {
		t.Error(diff)
	}
}

func TestIntentOfNothingIsEmpty(t *testing.T) {
	in, findings := intentOf(Group{Key: Explicit("g")}, settingsIP())
	if len(in.Fragments) != 0 || len(findings) != 0 || in.Group != "g" || in.Owner.Stack != "g" {
		t.Errorf("%+v %v", in, findings)
	}
}

func TestSettingsOfTheLoadBalancer(t *testing.T) {
	full := elbv2v1beta1.IngressClassParamsSpec{
		Scheme:                 new(elbv2v1beta1.SchemeInternetFacing),
		IPAddressType:          new(elbv2v1beta1.IPAddressTypeDualStack),
		LoadBalancerName:       "from-class",
		SSLRedirectPort:        "8443",
		Subnets:                &elbv2v1beta1.SubnetSelector{IDs: []elbv2v1beta1.SubnetID{"subnet-1"}},
		LoadBalancerAttributes: []elbv2v1beta1.Attribute{{Key: "k", Value: "class"}},
		Tags:                   []elbv2v1beta1.Tag{{Key: "team", Value: "class"}},
	}
	byTags := elbv2v1beta1.IngressClassParamsSpec{Subnets: &elbv2v1beta1.SubnetSelector{Tags: map[string][]string{"tier": {"a", "b"}}}}
	p := annotations.IngressPrefix
	rows := []struct {
		name   string
		pairs  []string
		params elbv2v1beta1.IngressClassParamsSpec
		want   intent.Settings
		why    string
	}{
		{name: "nothing", why: "a member that asks for nothing leaves all to others"},
		{
			name: "annotations",
			pairs: []string{
				annotations.LoadBalancerName, "mine", annotations.Scheme, "internet-facing", annotations.IPAddressType, "dualstack",
				annotations.Subnets, "subnet-1, by-name", annotations.SecurityGroups, "sg-2,sg-1", annotations.ManageBackendRules, "true",
				annotations.LoadBalancerAttrs, "idle_timeout.timeout_seconds=600", annotations.Tags, "a=b", annotations.SSLRedirect, "443",
			},
			want: intent.Settings{
				Name: "mine", Scheme: "internet-facing", IPAddressType: "dualstack", Subnets: []string{"subnet-1", "by-name"},
				SecurityGroups: []string{"sg-2", "sg-1"}, ManageBackendRules: "true",
				Attributes: map[string]string{"idle_timeout.timeout_seconds": "600"}, Tags: map[string]string{"a": "b"}, SSLRedirectPort: 443,
				Fields: map[string]string{
					"name": p + "load-balancer-name", "scheme": p + "scheme", "ipAddressType": p + "ip-address-type", "subnets": p + "subnets",
					"securityGroups": p + "security-groups", "manageBackendRules": p + "manage-backend-security-group-rules",
					"attributes": p + "load-balancer-attributes", "tags": p + "tags", "sslRedirectPort": p + "ssl-redirect",
				},
			},
			why: "each annotation has its setting, and its field for findings of the build",
		},
		{
			name:   "class",
			pairs:  []string{annotations.LoadBalancerName, "mine", annotations.Scheme, "internal", annotations.Subnets, "x", annotations.SSLRedirect, "443"},
			params: full,
			want: intent.Settings{
				Name: "from-class", Scheme: "internet-facing", IPAddressType: "dualstack", Subnets: []string{"subnet-1"}, SSLRedirectPort: 8443,
				EnforcedAttributes: map[string]string{"k": "class"}, EnforcedTags: map[string]string{"team": "class"},
				Fields: map[string]string{
					"name": "IngressClassParams p spec.loadBalancerName", "scheme": "IngressClassParams p spec.scheme",
					"ipAddressType": "IngressClassParams p spec.ipAddressType", "subnets": "IngressClassParams p spec.subnets.ids",
					"sslRedirectPort": "IngressClassParams p spec.sslRedirectPort", "enforcedAttributes": "IngressClassParams p spec.loadBalancerAttributes",
				},
			},
			why: "the class wins over annotations",
		},
		{
			name: "subnet tags", params: byTags,
			want: intent.Settings{
				SubnetTags: map[string][]string{"tier": {"a", "b"}},
				Fields:     map[string]string{"subnetTags": "IngressClassParams p spec.subnets.tags"},
			},
			why: "subnets by tags",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			f, findings := made(t, newIngress(row.pairs...), newService("web"), newClass("alb", "p"), newParams(row.params))
			mustBeClean(t, findings)
			if diff := cmp.Diff(row.want, f.Settings); diff != "" {
				t.Errorf("%s: %s", row.why, diff)
			}
		})
	}
}

func TestListeners(t *testing.T) {
	rows := []struct {
		name   string
		pairs  []string
		params elbv2v1beta1.IngressClassParamsSpec
		want   []intent.Listener
		why    string
	}{
		{name: "default", want: []intent.Listener{{Port: 80, Protocol: "HTTP"}}, why: "80 without a certificate"},
		{
			name: "certificate", pairs: []string{annotations.CertificateARN, certA + "," + certB, annotations.SSLPolicy, "P"},
			want: []intent.Listener{{
				Port: 443, Protocol: "HTTPS", Certificates: []string{certA, certB}, SSLPolicy: "P", Field: annotations.IngressPrefix + "certificate-arn",
				Fields: map[string]string{"sslPolicy": annotations.IngressPrefix + annotations.SSLPolicy},
			}},
			why: "443 with one",
		},
		{
			name: "empty certificate", pairs: []string{annotations.CertificateARN, ""},
			want: []intent.Listener{{Port: 80, Protocol: "HTTP"}}, why: "an empty value is none",
		},
		{
			name: "class certificate", pairs: []string{annotations.CertificateARN, certB},
			params: elbv2v1beta1.IngressClassParamsSpec{CertificateArn: []string{certA}, SSLPolicy: "C"},
			want: []intent.Listener{{
				Port: 443, Protocol: "HTTPS", Certificates: []string{certA}, SSLPolicy: "C", Field: "IngressClassParams p spec.certificateArn",
				Fields: map[string]string{"sslPolicy": "IngressClassParams p spec.sslPolicy"},
			}},
			why: "the class's certificates replace the Ingress's",
		},
		{
			name: "ports", pairs: []string{annotations.ListenPorts, `[{"HTTP":80},{"HTTPS":8443}]`},
			want: []intent.Listener{
				{Port: 80, Protocol: "HTTP", Field: annotations.IngressPrefix + "listen-ports"},
				{
					Port: 8443, Protocol: "HTTPS", DiscoverHosts: []string{"a.example.com", "b.example.com"},
					Field: annotations.IngressPrefix + "listen-ports",
				},
			},
			why: "certificates are discovered for the hosts of rules and TLS entries",
		},
		{
			name: "sources", pairs: []string{annotations.InboundCIDRs, "10.0.0.0/8", annotations.PrefixLists, "pl-1"},
			want: []intent.Listener{{
				Port: 80, Protocol: "HTTP", InboundCIDRs: []string{"10.0.0.0/8"}, PrefixLists: []string{"pl-1"},
				Fields: map[string]string{
					"inboundCIDRs": annotations.IngressPrefix + annotations.InboundCIDRs, "prefixLists": annotations.IngressPrefix + annotations.PrefixLists,
				},
			}},
			why: "who may connect",
		},
		{
			name: "class sources", pairs: []string{annotations.InboundCIDRs, "10.0.0.0/8", annotations.PrefixLists, "pl-1"},
			params: elbv2v1beta1.IngressClassParamsSpec{InboundCIDRs: []string{"192.0.2.0/24"}, PrefixListsIDsLegacy: []string{"pl-2"}},
			want: []intent.Listener{{
				Port: 80, Protocol: "HTTP", InboundCIDRs: []string{"192.0.2.0/24"}, PrefixLists: []string{"pl-2"},
				Fields: map[string]string{
					"inboundCIDRs": "IngressClassParams p spec.inboundCIDRs", "prefixLists": "IngressClassParams p spec.PrefixListsIDs",
				},
			}},
			why: "the class wins; both spellings of its prefix lists are read",
		},
		{
			name: "attributes", pairs: []string{annotations.ListenerAttributes + ".HTTP-80", "a=1,b=1"},
			params: elbv2v1beta1.IngressClassParamsSpec{Listeners: []elbv2v1beta1.Listener{{
				Protocol: "HTTP", Port: 80, ListenerAttributes: []elbv2v1beta1.Attribute{{Key: "b", Value: "2"}},
			}}},
			want: []intent.Listener{{
				Port: 80, Protocol: "HTTP", Attributes: map[string]string{"a": "1", "b": "2"}, Fields: map[string]string{
					"attributes": annotations.IngressPrefix + annotations.ListenerAttributes + ".HTTP-80 or IngressClassParams p spec.listeners",
				},
			}},
			why: "the class wins key by key",
		},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			ing := newIngress(row.pairs...)
			ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"B.example.com", "a.example.com"}}}
			f, _ := made(t, ing, newService("web"), newClass("alb", "p"), newParams(row.params))
			if diff := cmp.Diff(row.want, f.Listeners); diff != "" {
				t.Errorf("%s: %s", row.why, diff)
			}
		})
	}
}

func TestListenerWarnings(t *testing.T) {
	ing := newIngress(annotations.ListenPorts, `[{"HTTPS":443}]`, annotations.ListenerAttributes+".HTTP-80", "a=1")
	ing.Spec.TLS = []networkingv1.IngressTLS{{SecretName: "tls"}}
	_, findings := simple(t, ing)
	mustFind(t, findings, "listener-attributes.HTTP-80", model.Warning)
	plain := newIngress()
	plain.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"a.example.com"}}}
	_, findings = simple(t, plain)
	mustFind(t, findings, "spec.tls", model.Warning)
	plain = newIngress(annotations.CertificateARN, certA)
	plain.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"a.example.com"}}}
	_, findings = simple(t, plain)
	mustBeClean(t, findings)
}

func TestWrongOfAClassIsToldToBoth(t *testing.T) {
	rows := []struct {
		field string
		spec  elbv2v1beta1.IngressClassParamsSpec
		why   string
	}{
		{"spec.sslRedirectPort", elbv2v1beta1.IngressClassParamsSpec{SSLRedirectPort: "https"}, "the incumbent turns the redirect off in silence"},
		{"spec.loadBalancerName", elbv2v1beta1.IngressClassParamsSpec{LoadBalancerName: "a_b"}, "AWS refuses it"},
		{"spec.certificateArn", elbv2v1beta1.IngressClassParamsSpec{CertificateArn: []string{"x"}}, "no ARN"},
		{"spec.inboundCIDRs", elbv2v1beta1.IngressClassParamsSpec{InboundCIDRs: []string{"x"}}, "no block"},
		{"spec.prefixListsIDs", elbv2v1beta1.IngressClassParamsSpec{PrefixListsIDs: []string{"x"}}, "no ID"},
		{"spec.tags", elbv2v1beta1.IngressClassParamsSpec{Tags: []elbv2v1beta1.Tag{{Key: "aws:x"}}}, "AWS's own"},
		{"spec.subnets", elbv2v1beta1.IngressClassParamsSpec{Subnets: &elbv2v1beta1.SubnetSelector{
			IDs: []elbv2v1beta1.SubnetID{"subnet-1"}, Tags: map[string][]string{"a": {"b"}},
		}}, "one of the two"},
		{"spec.subnets", elbv2v1beta1.IngressClassParamsSpec{Subnets: &elbv2v1beta1.SubnetSelector{}}, "it names none, and discovery was not asked for"},
		{"spec.subnets.ids", elbv2v1beta1.IngressClassParamsSpec{Subnets: &elbv2v1beta1.SubnetSelector{
			IDs: []elbv2v1beta1.SubnetID{"subnet-1", "subnet-2", "subnet-1"},
		}}, "twice the same"},
		{"spec.subnets.tags", elbv2v1beta1.IngressClassParamsSpec{Subnets: &elbv2v1beta1.SubnetSelector{Tags: map[string][]string{"a": {}}}}, "no subnet has it"},
		{"spec.inboundCIDRs", elbv2v1beta1.IngressClassParamsSpec{InboundCIDRs: []string{"10.0.0.5/8"}}, "the incumbent's webhook refuses host bits"},
		{"spec.group.name", elbv2v1beta1.IngressClassParamsSpec{Group: &elbv2v1beta1.IngressGroup{Name: "A B"}}, "no name of a group"},
	}
	for _, row := range rows {
		t.Run(row.field+" "+row.why, func(t *testing.T) {
			ing := newIngress()
			ing.Finalizers = []string{finalizerImplicit}
			_, findings := made(t, ing, newService("web"), newClass("alb", "p"), newParams(row.spec))
			mustFind(t, findings, "IngressClassParams p "+row.field, model.Wrong)
			if f, _ := find(findings, "IngressClassParams p "+row.field); f.Object.Kind != "Ingress" {
				t.Errorf("the finding is about %s: only a member's own findings hold it: %s", f.Object, row.why)
			}
		})
	}
}

func TestExternalManagedTags(t *testing.T) {
	set := settingsIP()
	set.ExternalManagedTags = []string{"cost"}
	g := load(t, Implicit("shop", "web"), newIngress(annotations.Tags, "cost=1"), newService("web", annotations.Tags, "cost=2"), newClass("alb", ""))
	_, findings := intentOf(g, set)
	if len(findings) != 2 || findings[0].Severity != model.Wrong {
		t.Errorf("findings %v, want one of the Ingress and one of the Service", findings)
	}
}

func TestAllMistakesAtOnce(t *testing.T) {
	ing := newIngress(annotations.Scheme, "public", annotations.GroupOrder, "x", annotations.HealthPath, "y", "nonsense", "z")
	ing.Spec.Rules = append(ing.Spec.Rules, ruleOf("b_d.example.com", pathTo("x", networkingv1.PathTypePrefix, "", "80")))
	f, findings := simple(t, ing)
	for _, at := range []string{"/scheme", "/group.order", "/healthcheck-path", "spec.rules[1].http.paths[0]", "spec.rules[1].http.paths[0].backend.service"} {
		mustFind(t, findings, at, model.Wrong)
	}
	mustFind(t, findings, "/nonsense", model.Warning)
	if len(f.Routes) != 2 {
		t.Errorf("%d routes: hosts and paths are given for a fragment that is wrong too", len(f.Routes))
	}
	for _, one := range findings {
		if one.Message == "" || one.Reason == "" || strings.Contains(one.Message, "\n") {
			t.Errorf("%v is not told in a line", one)
		}
	}
}
