package takeover

import (
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/headgate/headgate/test/incumbent"
)

func rows() []row {
	return []row{
		{
			name: "one", why: "one Ingress with pods by their addresses",
			build: one,
		},
		{
			name: "group", why: "a group of ten with TLS, redirects to it, a sign-in and actions of all kinds",
			build: ten,
		},
	}
}

func one(s *scene) {
	front := s.backend("web", s.serve("web"))
	back := s.backend("web", served{s.service("api", intstr.FromString("http")), s.endpoints("api", 9090, 1)})
	s.ingress("web", map[string]string{"target-type": "ip"}, rule("shop.example.com", "/api", "api", "/", "web"))
	s.make(&incumbent.Stack{
		Prefix: incumbent.PrefixIngress, Namespace: s.Name, Name: "web", Balancer: s.balancer(),
		Groups: []incumbent.TargetGroup{front, back},
		Listeners: []incumbent.Listener{{
			Port: 80, Protocol: elbtypes.ProtocolEnumHttp, Default: notFound(), Rules: []incumbent.Rule{
				{Conditions: []elbtypes.RuleCondition{incumbent.Host("shop.example.com"), incumbent.Path("/api", "/api/*")}, Actions: forward(back)},
				{Conditions: []elbtypes.RuleCondition{incumbent.Host("shop.example.com"), incumbent.Path("/*")}, Actions: forward(front)},
			},
		}},
	})
	s.must(s.lbc.Admit(s.t.Context(), 8080, 9090))
}
