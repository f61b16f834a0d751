package attribute

import (
	"slices"
	"strconv"
)

// Group says what attributes a target group has.
type Group struct {
	// Protocol as AWS spells it: HTTP, HTTPS, TCP, TLS, UDP, TCP_UDP, GENEVE; empty for functions.
	Protocol string
	// TargetType is ip, instance, lambda or alb.
	TargetType string
}

const (
	mostTargets = 1000
	day         = 86400
	week        = 604800
)

// DeregistrationDelay is how many seconds deregistered targets may answer what they were asked before (ELBv2 API, TargetGroupAttribute).
const (
	DeregistrationDelay        = "deregistration_delay.timeout_seconds"
	DefaultDeregistrationDelay = "300"
)

// HTTP tells whether application load balancers forward to the group.
func (g Group) HTTP() bool { return g.Protocol == "HTTP" || g.Protocol == "HTTPS" }

// OfTargetGroup are the attributes of a target group.
func OfTargetGroup(g Group) []Attribute {
	sticky := Attribute{"stickiness.enabled", no, boolean}
	if g.TargetType == "lambda" {
		return []Attribute{
			{"lambda.multi_value_headers.enabled", no, boolean}, sticky,
			{"stickiness.type", "lb_cookie", oneOf("lb_cookie", "app_cookie")},
			{"stickiness.lb_cookie.duration_seconds", strconv.Itoa(day), within(1, week)},
		}
	}
	all := []Attribute{{DeregistrationDelay, DefaultDeregistrationDelay, within(0, 3600)}, sticky}
	switch {
	case g.Protocol == "GENEVE":
		return append(all, gatewayGroup()...)
	case g.HTTP():
		return slices.Concat(all, healthOfGroup(), applicationGroup())
	default:
		return slices.Concat(all, healthOfGroup(), networkGroup(g))
	}
}

func gatewayGroup() []Attribute {
	rebalance := oneOf("rebalance", "no_rebalance")
	return []Attribute{
		{"stickiness.type", "source_ip_dest_ip_proto", oneOf("source_ip_dest_ip", "source_ip_dest_ip_proto")},
		{"target_failover.on_deregistration", "no_rebalance", rebalance},
		{"target_failover.on_unhealthy", "no_rebalance", rebalance},
		{"send_tcp_reset.on_deregistration.enabled", no, boolean},
		{"send_tcp_reset.on_unhealthy.enabled", no, boolean},
	}
}

func healthOfGroup() []Attribute {
	const health = "target_group_health."
	return []Attribute{
		{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration", oneOf(yes, no, "use_load_balancer_configuration")},
		{health + "dns_failover.minimum_healthy_targets.count", "1", either("off", 1, mostTargets)},
		{health + "dns_failover.minimum_healthy_targets.percentage", "off", either("off", 1, 100)},
		{health + "unhealthy_state_routing.minimum_healthy_targets.count", "1", within(1, mostTargets)},
		{health + "unhealthy_state_routing.minimum_healthy_targets.percentage", "off", either("off", 1, 100)},
	}
}

func applicationGroup() []Attribute {
	return []Attribute{
		{"stickiness.type", "lb_cookie", oneOf("lb_cookie", "app_cookie")},
		{"stickiness.lb_cookie.duration_seconds", strconv.Itoa(day), within(1, week)},
		{"stickiness.app_cookie.cookie_name", "", cookie},
		{"stickiness.app_cookie.duration_seconds", strconv.Itoa(day), within(1, week)},
		{"load_balancing.algorithm.type", "round_robin", oneOf("round_robin", "least_outstanding_requests", "weighted_random")},
		{"load_balancing.algorithm.anomaly_mitigation", "off", oneOf("on", "off")},
		{"slow_start.duration_seconds", "0", slowStart},
	}
}

func networkGroup(g Group) []Attribute {
	udp := g.Protocol == "UDP" || g.Protocol == "TCP_UDP"
	tcp := g.Protocol == "TCP" || g.Protocol == "TLS"
	preserve, preserveCheck := strconv.FormatBool(!tcp || g.TargetType != "ip"), boolean
	terminateCheck, terminate := boolean, yes
	if udp {
		preserveCheck, terminateCheck, terminate = oneOf(yes), oneOf(no), no
	}
	return []Attribute{
		{"stickiness.type", "source_ip", oneOf("source_ip")},
		{"deregistration_delay.connection_termination.enabled", strconv.FormatBool(udp), boolean},
		{"preserve_client_ip.enabled", preserve, preserveCheck},
		{"proxy_protocol_v2.enabled", no, boolean},
		{"target_health_state.unhealthy.connection_termination.enabled", terminate, terminateCheck},
		{"target_health_state.unhealthy.draining_interval_seconds", "0", within(0, 360000)},
	}
}

// OfAnyTargetGroup are the attributes of target groups of all protocols, for [Problem].
func OfAnyTargetGroup() []Attribute {
	var out []Attribute
	for _, g := range []Group{{Protocol: "HTTP"}, {Protocol: "TCP"}, {Protocol: "GENEVE"}, {TargetType: "lambda"}} {
		out = append(out, OfTargetGroup(g)...)
	}
	return out
}
