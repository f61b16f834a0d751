package plan

import (
	"maps"

	"github.com/headgate/headgate/model"
)

// The defaults of AWS by attribute (ELBv2 API reference: LoadBalancerAttribute, TargetGroupAttribute, ListenerAttribute). An
// attribute that is not listed is never reset, and is always set on a new resource. Bucket names and prefixes of logs are left
// out on purpose: without logging they do nothing, and AWS does not take an empty bucket.

const (
	on  = "true"
	off = "false"

	schemeInternal = "internal"
)

// LoadBalancerDefaults are the attributes of a new load balancer.
func LoadBalancerDefaults(lb model.LoadBalancer) map[string]string {
	out := map[string]string{
		protection:                   off,
		"access_logs.s3.enabled":     off,
		"zonal_shift.config.enabled": off,
	}
	if lb.Type == "network" {
		out["load_balancing.cross_zone.enabled"] = off
		out["dns_record.client_routing_policy"] = "any_availability_zone"
		out["ipv6.deny_all_igw_traffic"] = off
		if lb.Scheme == schemeInternal {
			out["ipv6.deny_all_igw_traffic"] = on
		}
		return out
	}
	maps.Copy(out, map[string]string{
		"idle_timeout.timeout_seconds":                             "60",
		"client_keep_alive.seconds":                                "3600",
		"connection_logs.s3.enabled":                               off,
		"health_check_logs.s3.enabled":                             off,
		"routing.http.desync_mitigation_mode":                      "defensive",
		"routing.http.drop_invalid_header_fields.enabled":          off,
		"routing.http.preserve_host_header.enabled":                off,
		"routing.http.x_amzn_tls_version_and_cipher_suite.enabled": off,
		"routing.http.xff_client_port.enabled":                     off,
		"routing.http.xff_header_processing.mode":                  "append",
		"routing.http2.enabled":                                    on,
		"waf.fail_open.enabled":                                    off,
	})
	return out
}

// TargetGroupDefaults are the attributes of a new target group.
func TargetGroupDefaults(g model.TargetGroup) map[string]string {
	out := map[string]string{
		"deregistration_delay.timeout_seconds":                                           "300",
		"stickiness.enabled":                                                             off,
		"load_balancing.cross_zone.enabled":                                              "use_load_balancer_configuration",
		"target_group_health.dns_failover.minimum_healthy_targets.percentage":            "off",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count":      "1",
		"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage": "off",
	}
	if g.Protocol != "HTTP" && g.Protocol != "HTTPS" {
		maps.Copy(out, flowDefaults(g))
		return out
	}
	maps.Copy(out, map[string]string{
		"stickiness.type":                             "lb_cookie",
		"load_balancing.algorithm.type":               "round_robin",
		"load_balancing.algorithm.anomaly_mitigation": "off",
		"slow_start.duration_seconds":                 "0",
		"stickiness.app_cookie.duration_seconds":      "86400",
		"stickiness.lb_cookie.duration_seconds":       "86400",
	})
	return out
}

// flowDefaults are the attributes of a new target group of a network load balancer.
func flowDefaults(g model.TargetGroup) map[string]string {
	out := map[string]string{
		"stickiness.type":           "source_ip",
		"proxy_protocol_v2.enabled": off,
		"target_group_health.dns_failover.minimum_healthy_targets.count": "1",
	}
	if g.Protocol != "TCP" && g.Protocol != "TLS" {
		return out
	}
	out["deregistration_delay.connection_termination.enabled"] = off
	out["target_health_state.unhealthy.connection_termination.enabled"] = on
	out["target_health_state.unhealthy.draining_interval_seconds"] = "0"
	out["preserve_client_ip.enabled"] = on
	if g.TargetType == "ip" {
		out["preserve_client_ip.enabled"] = off
	}
	return out
}

// ListenerDefaults are the attributes of a new listener. An empty header value leaves the header alone.
func ListenerDefaults(l model.Listener) map[string]string {
	switch l.Protocol {
	case "TCP":
		return map[string]string{"tcp.idle_timeout.seconds": "350"}
	case "HTTP", "HTTPS":
	default:
		return map[string]string{}
	}
	out := map[string]string{"routing.http.response.server.enabled": on}
	for _, header := range []string{
		"strict_transport_security", "access_control_allow_origin", "access_control_allow_methods",
		"access_control_allow_headers", "access_control_allow_credentials", "access_control_expose_headers",
		"access_control_max_age", "content_security_policy", "x_content_type_options", "x_frame_options",
	} {
		out["routing.http.response."+header+".header_value"] = ""
	}
	return out
}
