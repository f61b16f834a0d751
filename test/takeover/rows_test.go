package takeover

import (
	"slices"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/headgate/headgate/test/incumbent"
)

func rows() []row {
	return []row{
		{
			name: "one", why: "one Ingress with pods by their addresses",
			build: one, steps: []step{
				{do: oneEdited, calls: map[string]int{
					"ModifyTargetGroup": 2, "AuthorizeSecurityGroupIngress": 1, "RevokeSecurityGroupIngress": 1, "RegisterTargets": 1,
					"SetRulePriorities": 1, "CreateRule": 1,
				}, seen: map[string]int{"SetRulePriorities": 3, "AddTags rule": 2}},
				{do: oneRestored, calls: map[string]int{
					"ModifyTargetGroup": 2, "AuthorizeSecurityGroupIngress": 1, "RevokeSecurityGroupIngress": 1, "DeregisterTargets": 1, "DeleteRule": 1,
				}, seen: map[string]int{"SetRulePriorities": 2}},
			},
		},
		{
			name: "group", why: "a group of ten with TLS, redirects to it, a sign-in and actions of all kinds",
			build: ten, steps: []step{
				{
					do: tenEdited, calls: map[string]int{"ModifyRule": 1, "DeleteRule": 1}, seen: map[string]int{"SetRulePriorities": 7, "AddTags rule": 7},
					check: secretKept,
				},
			},
		},
		{
			name: "instances", why: "nodes as targets, by the node port of a Service",
			build: instances, steps: []step{
				{do: func(s *scene) { s.node("c") }, calls: map[string]int{"RegisterTargets": 1, "RunInstances": 1}},
			},
		},
		{
			name: "frontend", why: "a network load balancer in front, port by port",
			build: frontend, steps: []step{
				{do: func(s *scene) { s.grow("web") }, calls: map[string]int{"RegisterTargets": 1}},
			},
		},
		{
			name: "gateway", why: "a Gateway with a route",
			build: edge, steps: []step{
				{do: func(s *scene) { s.grow("web") }, calls: map[string]int{"RegisterTargets": 1}},
			},
		},
		{
			name: "bindings", why: "bindings that users wrote: a range of addresses on two ports, a target group by its name, one that clusters share",
			build: bindings, steps: []step{
				{
					do: func(s *scene) {
						for _, service := range []string{"web", "api", "shared"} {
							s.grow(service)
						}
						s.admit("ranges", 9444)
					},
					calls: map[string]int{"RegisterTargets": 3, "AuthorizeSecurityGroupIngress": 1},
				},
			},
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
		Listeners: []incumbent.Listener{{Port: 80, Protocol: elbtypes.ProtocolEnumHttp, Default: notFound(), Rules: []incumbent.Rule{
			on("shop.example.com", back, "/api", "/api/*"), on("shop.example.com", front, "/*"),
		}}},
	})
	s.must(s.lbc.Admit(s.t.Context(), 8080, 9090))
	s.gated(s.stacks[0].Groups[0].Name())
}

// gated has the first endpoint of the Service web be a pod whose readiness gate the incumbent opened.
func (s *scene) gated(binding string) {
	s.t.Helper()
	gate := corev1.PodConditionType("target-health.elbv2.k8s.aws/" + binding)
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: s.Name, Name: "web-1", Labels: map[string]string{"app": "web"}},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{Name: "web", Image: "web"}}, ReadinessGates: []corev1.PodReadinessGate{{ConditionType: gate}},
		},
	}
	s.create(pod)
	pod.Status.Conditions = []corev1.PodCondition{
		{Type: gate, Status: corev1.ConditionTrue}, {Type: corev1.ContainersReady, Status: corev1.ConditionTrue}, {Type: corev1.PodReady, Status: corev1.ConditionTrue},
	}
	s.must(s.World.Client.Status().Update(s.t.Context(), pod))
	change(s, "web-8080", &discoveryv1.EndpointSlice{}, func(e *discoveryv1.EndpointSlice) {
		e.Endpoints[0].TargetRef = &corev1.ObjectReference{Kind: "Pod", Namespace: s.Name, Name: pod.Name, UID: pod.UID}
	})
}

// on forwards what asks for paths of a host to a target group.
func on(host string, to incumbent.TargetGroup, paths ...string) incumbent.Rule {
	return incumbent.Rule{
		Conditions: []elbtypes.RuleCondition{incumbent.Host(host), incumbent.Path(paths...)}, Actions: []elbtypes.Action{incumbent.Forward(to.ID)},
	}
}

// oneEdited adds a path in the middle, a pod, and a port that health is asked for on.
func oneEdited(s *scene) {
	s.grow("web")
	change(s, "web", &networkingv1.Ingress{}, func(in *networkingv1.Ingress) {
		more := rule("", "/new", "web").HTTP.Paths
		in.Spec.Rules[0].HTTP.Paths = append(in.Spec.Rules[0].HTTP.Paths, more...)
		in.Annotations["alb.ingress.kubernetes.io/healthcheck-port"] = "9999"
	})
	stack := s.stacks[0]
	for i := range stack.Groups {
		stack.Groups[i].Health.Port = "9999"
	}
	l := &stack.Listeners[0]
	l.Rules = slices.Insert(l.Rules, 1, on("shop.example.com", stack.Groups[0], "/new", "/new/*"))
}

func oneRestored(s *scene) {
	s.shrink("web")
	change(s, "web", &networkingv1.Ingress{}, func(in *networkingv1.Ingress) {
		in.Spec.Rules[0].HTTP.Paths = in.Spec.Rules[0].HTTP.Paths[:2]
		delete(in.Annotations, "alb.ingress.kubernetes.io/healthcheck-port")
	})
	stack := s.stacks[0]
	for i := range stack.Groups {
		stack.Groups[i].Health = incumbent.Checked()
	}
	l := &stack.Listeners[0]
	l.Rules = slices.Delete(l.Rules, 1, 2)
}
