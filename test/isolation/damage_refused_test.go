package isolation

import "github.com/headgate/headgate/controllers/annotations"

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
