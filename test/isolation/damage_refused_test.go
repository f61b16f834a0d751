package isolation

import (
	"fmt"
	"strings"

	networkingv1 "k8s.io/api/networking/v1"

	"github.com/headgate/headgate/controllers/annotations"
)

// attributeDamages are values that no attribute takes, of each of the three kinds.
func attributeDamages() []damage {
	set := func(name, key string, values ...string) damage {
		return damage{name: name, do: func(s *scene) bool { return s.set(key, values...) }}
	}
	return []damage{
		set("attribute of the load balancer out of range", annotations.LoadBalancerAttrs,
			"idle_timeout.timeout_seconds=5000", "routing.http2.enabled=perhaps", "client_keep_alive.seconds=1", "load_balancing.cross_zone.enabled=false"),
		set("attribute of other load balancers", annotations.LoadBalancerAttrs,
			"dns_record.client_routing_policy=any_availability_zone", "secondary_ips.auto_assigned.per_subnet=1"),
		set("attribute of a target group out of range", annotations.TargetGroupAttrs,
			"deregistration_delay.timeout_seconds=4000", "slow_start.duration_seconds=7", "stickiness.type=source_ip",
			"load_balancing.algorithm.type=best", "stickiness.app_cookie.cookie_name=AWSALB"),
		set("attribute of other target groups", annotations.TargetGroupAttrs, "preserve_client_ip.enabled=true", "proxy_protocol_v2.enabled=true"),
		{name: "attribute of a port out of range", do: func(s *scene) bool {
			return s.listens(80) && s.set(annotations.ListenerAttributes+".HTTP-80", "routing.http.response.server.enabled=off",
				"routing.http.response.x_frame_options.header_value=maybe", "routing.http.response.access_control_max_age.header_value=-1")
		}},
		{name: "attribute of other ports", do: func(s *scene) bool {
			return s.listens(80) && s.set(annotations.ListenerAttributes+".HTTP-80", "tcp.idle_timeout.seconds=60",
				"routing.http.request.x_amzn_tls_version.header_name=v")
		}},
	}
}

// refusedDamages are values of which only AWS says that it does not take them: nothing that we know of is wrong with them.
func refusedDamages() []damage {
	set := func(name, key string, values ...string) damage {
		return damage{name: name, do: func(s *scene) bool { return s.set(key, values...) }}
	}
	return []damage{
		set("attribute of the load balancer that nobody knows", annotations.LoadBalancerAttrs, "routing.http4.enabled=true"),
		set("attribute of a target group that nobody knows", annotations.TargetGroupAttrs, "teleport.enabled=true"),
		{name: "attribute of a port that nobody knows", do: func(s *scene) bool {
			return s.listens(80) && s.set(annotations.ListenerAttributes+".HTTP-80", "routing.http.response.teapot.enabled=true")
		}},
		set("attributes of a target group that exclude each other", annotations.TargetGroupAttrs,
			"slow_start.duration_seconds=30,load_balancing.algorithm.type=least_outstanding_requests",
			"stickiness.enabled=true,stickiness.type=app_cookie", "load_balancing.algorithm.anomaly_mitigation=on"),
		{name: "logs without a bucket", do: func(s *scene) bool { return s.set(annotations.LoadBalancerAttrs, "access_logs.s3.enabled=true") }},
		{name: "policy that AWS does not have", do: func(s *scene) bool {
			return s.secure() && s.m == s.members[0] && s.set(annotations.SSLPolicy, "ELBSecurityPolicy-TLS14-2031-01")
		}},
		{name: "target group that is not there", do: func(s *scene) bool {
			exact := networkingv1.PathTypeExact
			s.set(annotations.Actions+".odd", `{"type":"forward","targetGroupARN":`+
				`"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/gone/0123456789abcdef"}`)
			return s.rule(s.m.host, networkingv1.HTTPIngressPath{Path: "/odd", PathType: &exact, Backend: use("odd")})
		}},
		{name: "target group that is not there, in place of one", fate: guarded, stands: true, do: func(s *scene) bool {
			s.set(annotations.Actions+".odd", `{"type":"forward","targetGroupARN":`+
				`"arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/gone/0123456789abcdef"}`)
			for i := range s.ing.Spec.Rules {
				if paths := s.ing.Spec.Rules[i].HTTP.Paths; paths[0].Path == "/b" {
					paths[0].Backend = use("odd")
				}
			}
			return true
		}},
		{name: "more listeners than a load balancer has", fills: true, do: func(s *scene) bool {
			var all []string
			for _, port := range s.m.ports {
				protocol := "HTTP"
				if port == 443 || port == 8443 {
					protocol = "HTTPS"
				}
				all = append(all, fmt.Sprintf(`{%q:%d}`, protocol, port))
			}
			for i := range 60 {
				all = append(all, fmt.Sprintf(`{"HTTP":%d}`, 9000+i))
			}
			return s.set(annotations.ListenPorts, "["+strings.Join(all, ",")+"]")
		}},
	}
}
