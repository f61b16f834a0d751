package isolation

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/annotations"
)

// accessDamages are about who is let in.
func accessDamages() []damage {
	const nowhere = "arn:aws:acm:us-west-2:123456789012:certificate/00000000-0000-0000-0000-000000000000"
	return []damage{
		{name: "Secret that is gone", fate: guarded, do: drop[*corev1.Secret]},
		{name: "Secret without its keys", fate: guarded, do: func(s *scene) bool {
			return change(s, func(secret *corev1.Secret) { secret.Data = map[string][]byte{"other": []byte("x")} })
		}},
		{name: "Secret of nonsense", fate: guarded, do: func(s *scene) bool {
			return len(s.ing.Spec.TLS) > 0 && change(s, func(secret *corev1.Secret) {
				for key := range secret.Data {
					secret.Data[key] = []byte(" \x00\xff ")
				}
			})
		}},
		{name: "Secret that never was", fate: guarded, do: func(s *scene) bool {
			if len(s.ing.Spec.TLS) == 0 {
				return false
			}
			s.ing.Spec.TLS[0].SecretName = "nobody"
			return true
		}},
		{name: "certificate that is not there", do: func(s *scene) bool { return s.secure() && s.set(annotations.CertificateARN, nowhere) }},
		{name: "host that no certificate is for", do: func(s *scene) bool {
			if !s.secure() {
				return false
			}
			delete(s.ing.Annotations, annotations.IngressPrefix+annotations.CertificateARN)
			s.ing.Spec.TLS = []networkingv1.IngressTLS{{Hosts: []string{"unknown.example.net"}}}
			return true
		}},
		{name: "sign-in without a provider", fate: guarded, do: func(s *scene) bool {
			delete(s.ing.Annotations, annotations.IngressPrefix+annotations.AuthOIDC)
			return s.set(annotations.AuthType, "oidc", "cognito")
		}},
		{name: "sign-in of a kind that is none", fate: guarded, do: func(s *scene) bool { return s.set(annotations.AuthType, "basic", "OIDC?") }},
		{name: "provider of nonsense", fate: guarded, do: func(s *scene) bool {
			s.set(annotations.AuthType, "oidc")
			return s.set(annotations.AuthOIDC, `{"issuer":"x"}`, `{"issuer":"http://idp","secretName":""}`, `[]`)
		}},
		{name: "provider whose Secret is not there", fate: guarded, do: func(s *scene) bool {
			s.set(annotations.AuthType, "oidc")
			return s.set(annotations.AuthOIDC, `{"issuer":"https://i.example.com","authorizationEndpoint":"https://i.example.com/a",`+
				`"tokenEndpoint":"https://i.example.com/t","userInfoEndpoint":"https://i.example.com/u","secretName":"nobody"}`)
		}},
		{name: "sign-in and tokens", fate: guarded, do: func(s *scene) bool {
			s.set(annotations.JWTValidation, `{"jwksEndpoint":"https://idp.example.com/jwks","issuer":"https://idp.example.com"}`)
			return s.set(annotations.AuthType, "oidc")
		}},
		{name: "session that is none", fate: guarded, do: func(s *scene) bool {
			s.set("auth-session-timeout", "forever")
			return s.has(annotations.AuthType)
		}},
		{name: "trust store that is not there", fate: guarded, do: func(s *scene) bool {
			return s.has(annotations.MutualAuthentication) &&
				s.set(annotations.MutualAuthentication, `[{"port":8443,"mode":"verify","trustStore":"nobody"}]`,
					`[{"port":8443,"mode":"verify"}]`, `[{"port":9999,"mode":"verify","trustStore":"nobody"}]`)
		}},
		{name: "clients' certificates on a port without TLS", fate: guarded, do: func(s *scene) bool {
			return s.set(annotations.MutualAuthentication, `[{"port":80,"mode":"passthrough"}]`)
		}},
	}
}

// secure tells whether the member listens with TLS.
func (s *scene) secure() bool { return s.listens(443) || s.listens(8443) }

// groupDamages are what members of one group cannot both have. The first member says it first.
func groupDamages() []damage {
	conflict := func(name, key string, values ...string) damage {
		return damage{name: "another " + name, stands: true, do: func(s *scene) bool { return s.m != s.members[0] && s.set(key, values...) }}
	}
	return []damage{
		conflict("scheme", annotations.Scheme, "internet-facing"),
		conflict("address type", annotations.IPAddressType, "dualstack"),
		conflict("name", annotations.LoadBalancerName, "mine-alone"),
		conflict("value of an attribute", annotations.LoadBalancerAttrs, "idle_timeout.timeout_seconds=30", "routing.http2.enabled=true"),
		conflict("value of a tag", annotations.Tags, "Team=mine", "Cost=0,Team=platform"),
		conflict("value of an attribute of a port", annotations.ListenerAttributes+".HTTP-80", "routing.http.response.server.enabled=true"),
		{name: "another policy", stands: true, do: func(s *scene) bool {
			return s.m != s.members[0] && s.listens(443) && s.set(annotations.SSLPolicy, "ELBSecurityPolicy-2016-08")
		}},
		{name: "other ranges", fate: guarded, stands: true, do: func(s *scene) bool {
			return s.m != s.members[0] && s.listens(80) && s.set(annotations.InboundCIDRs, "10.1.0.0/16", "0.0.0.0/0")
		}},
		{name: "another web ACL", fate: guarded, stands: true, do: func(s *scene) bool {
			return s.m != s.members[0] && s.firewalled() && s.set("wafv2-acl-arn", s.props.other)
		}},
		{name: "other subnets", stands: true, do: func(s *scene) bool {
			world := s.sim.World()
			_, asked := s.members[0].ing.Annotations[annotations.IngressPrefix+annotations.Subnets]
			return s.m != s.members[0] && asked && s.set(annotations.Subnets, strings.Join(world.PrivateSubnets[1:3], ","), strings.Join(world.PublicSubnets[:2], ","))
		}},
		{name: "another protocol of a port", fate: guarded, stands: true, do: func(s *scene) bool {
			return s.m != s.members[0] && s.set(annotations.ListenPorts, `[{"HTTPS":80}]`, `[{"HTTP":443}]`) && s.set(annotations.CertificateARN, s.props.certificate)
		}},
		{name: "order that cannot be read", do: func(s *scene) bool { return s.set(annotations.GroupOrder, "first", "5000", "-5000", "1.5", "") }},
		{name: "group's name that is none", do: func(s *scene) bool {
			return s.set(annotations.GroupName, "Shop!", "", strings.Repeat("x", 80), "größe")
		}},
		{name: "path of a neighbour, after it", quiet: true, do: func(s *scene) bool {
			if s.has(annotations.GroupOrder) {
				return false
			}
			s.set(annotations.GroupOrder, "999")
			prefix := networkingv1.PathTypePrefix
			for _, m := range s.members {
				if m != s.m {
					s.rule(m.host, networkingv1.HTTPIngressPath{Path: "/", PathType: &prefix, Backend: to("a")})
				}
			}
			return true
		}},
	}
}

func (s *scene) listens(port int) bool { return slices.Contains(s.m.ports, port) }

func (s *scene) firewalled() bool {
	_, ok := s.members[0].ing.Annotations[annotations.IngressPrefix+"wafv2-acl-arn"]
	return ok
}

// classDamages are about classes: what they permit goes at once, what is wrong with them is a mistake.
func classDamages() []damage {
	params := func(name string, edit func(*elbv2v1beta1.IngressClassParamsSpec)) damage {
		return damage{name: name, do: func(s *scene) bool {
			return change(s, func(p *elbv2v1beta1.IngressClassParams) { edit(&p.Spec) })
		}}
	}
	return []damage{
		{name: "class that is gone", do: drop[*networkingv1.IngressClass]},
		{name: "class of another controller", fate: leaves, quiet: true, do: func(s *scene) bool {
			s.ing.Spec.IngressClassName = new("nginx")
			return true
		}},
		{name: "class annotation of another controller", fate: leaves, quiet: true, do: func(s *scene) bool {
			s.ing.Annotations["kubernetes.io/ingress.class"] = "nginx"
			return true
		}},
		{name: "class that leads elsewhere", do: func(s *scene) bool {
			return change(s, func(c *networkingv1.IngressClass) { c.Spec.Parameters.Kind = "ConfigMap" })
		}},
		{name: "parameters that are gone", do: drop[*elbv2v1beta1.IngressClassParams]},
		{name: "namespace that is not selected any more", fate: leaves, do: func(s *scene) bool {
			return change(s, func(n *corev1.Namespace) { n.Labels = map[string]string{"team": "nobody"} })
		}},
		{name: "selector that selects others", fate: leaves, do: func(s *scene) bool {
			return change(s, func(p *elbv2v1beta1.IngressClassParams) {
				p.Spec.NamespaceSelector = &metav1.LabelSelector{MatchLabels: map[string]string{"team": "nobody"}}
			})
		}},
		{name: "selector that cannot be read", do: func(s *scene) bool {
			return change(s, func(p *elbv2v1beta1.IngressClassParams) {
				p.Spec.NamespaceSelector = &metav1.LabelSelector{MatchExpressions: []metav1.LabelSelectorRequirement{{Key: "team", Operator: "Near"}}}
			})
		}},
		params("class with both kinds of subnets", func(p *elbv2v1beta1.IngressClassParamsSpec) {
			p.Subnets = &elbv2v1beta1.SubnetSelector{IDs: []elbv2v1beta1.SubnetID{"subnet-1"}, Tags: map[string][]string{"a": {"b"}}}
		}),
		params("class with a certificate that is none", func(p *elbv2v1beta1.IngressClassParamsSpec) { p.CertificateArn = []string{"mine"} }),
		params("class with a policy that is none", func(p *elbv2v1beta1.IngressClassParamsSpec) { p.SSLPolicy = "no policy" }),
		params("class with a port that is none", func(p *elbv2v1beta1.IngressClassParamsSpec) { p.SSLRedirectPort = "https" }),
		params("class with a tag that is none", func(p *elbv2v1beta1.IngressClassParamsSpec) { p.Tags = []elbv2v1beta1.Tag{{Key: "aws:x", Value: "y"}} }),
		{name: "class with ranges that are none", fate: guarded, do: func(s *scene) bool {
			return change(s, func(p *elbv2v1beta1.IngressClassParams) { p.Spec.InboundCIDRs = []string{"everybody"} })
		}},
		{name: "class with a group that is none", do: func(s *scene) bool {
			return change(s, func(p *elbv2v1beta1.IngressClassParams) { p.Spec.Group = &elbv2v1beta1.IngressGroup{Name: "No Group"} })
		}},
	}
}

// quotaDamages ask for more than there is.
func quotaDamages() []damage {
	exact := networkingv1.PathTypeExact
	many := func(n int) func(s *scene) bool {
		return func(s *scene) bool {
			for i := range n {
				s.rule(s.m.host, networkingv1.HTTPIngressPath{Path: fmt.Sprintf("/x%d", i), PathType: &exact, Backend: to("a")})
			}
			return true
		}
	}
	return []damage{
		{name: "more rules than a load balancer has", fills: true, do: many(130)},
		{name: "more groups than a load balancer has", fills: true, do: func(s *scene) bool {
			for i := range 120 {
				svc := s.m.service(fmt.Sprintf("s%d", i))
				s.put(svc)
				s.rule(s.m.host, networkingv1.HTTPIngressPath{Path: fmt.Sprintf("/x%d", i), PathType: &exact, Backend: to(svc.Name)})
			}
			return true
		}},
		{name: "more certificates than a listener has", do: func(s *scene) bool {
			var all []string
			for i := range 40 {
				all = append(all, fmt.Sprintf("arn:aws:acm:us-west-2:123456789012:certificate/00000000-0000-0000-0000-0000000000%02d", i))
			}
			return s.secure() && s.set(annotations.CertificateARN, strings.Join(all, ","))
		}},
		{name: "more groups than a rule forwards to", do: func(s *scene) bool {
			var groups []string
			for i := range 7 {
				svc := s.m.service(fmt.Sprintf("t%d", i))
				s.put(svc)
				groups = append(groups, fmt.Sprintf(`{"serviceName":%q,"servicePort":"80","weight":%d}`, svc.Name, i+1))
			}
			s.set(annotations.Actions+".odd", `{"type":"forward","forwardConfig":{"targetGroups":[`+strings.Join(groups, ",")+`]}}`)
			return s.rule(s.m.host, networkingv1.HTTPIngressPath{Path: "/odd", PathType: &exact, Backend: use("odd")})
		}},
	}
}
