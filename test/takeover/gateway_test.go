package takeover

import (
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	gwv1 "sigs.k8s.io/gateway-api/apis/v1"

	"github.com/headgate/headgate/test/incumbent"
)

// edge is a Gateway with a route.
func edge(s *scene) {
	s.create(&gwv1.GatewayClass{
		ObjectMeta: metav1.ObjectMeta{Name: "incumbent", Finalizers: []string{"gateway.k8s.aws/gatewayclass"}},
		Spec:       gwv1.GatewayClassSpec{ControllerName: "gateway.k8s.aws/alb"},
	})
	web := s.serve("web")
	s.create(&gwv1.Gateway{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "edge", Finalizers: []string{"gateway.k8s.aws/alb"}},
		Spec: gwv1.GatewaySpec{GatewayClassName: "incumbent", Listeners: []gwv1.Listener{
			{Name: "http", Port: 80, Protocol: gwv1.HTTPProtocolType},
		}},
	}, s.route("shop.example.com", "/cart", "/"))
	group := s.backend("", web)
	group.ID = s.Name + "/edge:" + s.Name + "-shop:HTTPRoute-" + s.Name + "-web:80"
	group.Key, group.Port = s.Name+"/shop", intstr.FromInt32(80)
	group.Health.Healthy, group.Health.Unhealthy, group.Health.Matcher = 3, 3, "200-399"
	s.make(&incumbent.Stack{
		Prefix: incumbent.PrefixGateway, Namespace: s.Name, Name: "edge", Balancer: s.balancer(), Groups: []incumbent.TargetGroup{group},
		Listeners: []incumbent.Listener{{Port: 80, Protocol: elbtypes.ProtocolEnumHttp, Default: notFound(), Rules: []incumbent.Rule{
			on("shop.example.com", group, "/cart", "/cart/*"), on("shop.example.com", group, "/*"),
		}}},
	})
	s.must(s.lbc.Admit(s.t.Context(), 8080))
}

// route leads paths of a host to the Service web.
func (s *scene) route(host gwv1.Hostname, paths ...string) *gwv1.HTTPRoute {
	out := &gwv1.HTTPRoute{Spec: gwv1.HTTPRouteSpec{
		CommonRouteSpec: gwv1.CommonRouteSpec{ParentRefs: []gwv1.ParentReference{{Name: "edge"}}}, Hostnames: []gwv1.Hostname{host},
	}}
	out.Namespace, out.Name = s.Name, "shop"
	for _, path := range paths {
		out.Spec.Rules = append(out.Spec.Rules, gwv1.HTTPRouteRule{
			Matches: []gwv1.HTTPRouteMatch{{Path: &gwv1.HTTPPathMatch{Type: new(gwv1.PathMatchPathPrefix), Value: &path}}},
			BackendRefs: []gwv1.HTTPBackendRef{{BackendRef: gwv1.BackendRef{
				BackendObjectReference: gwv1.BackendObjectReference{Name: "web", Port: new(gwv1.PortNumber(80))},
			}}},
		})
	}
	return out
}
