package elb

import (
	"net/url"
	"slices"
	"strconv"
	"strings"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// balancerAttributes lists the attributes of a load balancer with their defaults (API reference, LoadBalancerAttribute).
func balancerAttributes(lb *loadBalancer) []attribute {
	crossZone := attribute{"load_balancing.cross_zone.enabled", strconv.FormatBool(isApplication(lb)), boolean}
	if isApplication(lb) {
		crossZone.check = oneOf("true")
	}
	all := []attribute{{"deletion_protection.enabled", "false", boolean}, crossZone}
	if isGateway(lb) {
		return all
	}
	internal := lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternal
	all = append(all, logs("access_logs")...)
	all = append(all,
		attribute{"ipv6.deny_all_igw_traffic", strconv.FormatBool(internal), boolean},
		attribute{"zonal_shift.config.enabled", "false", boolean},
	)
	if isNetwork(lb) {
		return append(all,
			attribute{
				"dns_record.client_routing_policy", "any_availability_zone",
				oneOf("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone"),
			},
			attribute{"secondary_ips.auto_assigned.per_subnet", "0", within(0, 7)},
		)
	}
	all = append(all, logs("connection_logs")...)
	all = append(all, logs("health_check_logs")...)
	return append(all,
		attribute{"idle_timeout.timeout_seconds", "60", within(1, 4000)},
		attribute{"client_keep_alive.seconds", "3600", within(60, 604800)},
		attribute{"routing.http.desync_mitigation_mode", "defensive", oneOf("monitor", "defensive", "strictest")},
		attribute{"routing.http.drop_invalid_header_fields.enabled", "false", boolean},
		attribute{"routing.http.preserve_host_header.enabled", "false", boolean},
		attribute{"routing.http.x_amzn_tls_version_and_cipher_suite.enabled", "false", boolean},
		attribute{"routing.http.xff_client_port.enabled", "false", boolean},
		attribute{"routing.http.xff_header_processing.mode", "append", oneOf("append", "preserve", "remove")},
		attribute{"routing.http2.enabled", "true", boolean},
		attribute{"waf.fail_open.enabled", "false", boolean},
	)
}

func logs(kind string) []attribute {
	return []attribute{
		{kind + ".s3.enabled", "false", boolean}, {kind + ".s3.bucket", "", anyText}, {kind + ".s3.prefix", "", anyText},
	}
}

// checkBalancerAttributes checks what several attributes say together.
func checkBalancerAttributes(held, fresh map[string]string) error {
	for _, kind := range logKinds() {
		switch {
		case fresh[kind+".s3.enabled"] == "true" && fresh[kind+".s3.bucket"] == "":
			return unfit("The value of '%s.s3.bucket' cannot be empty when logs are enabled", kind)
		case strings.Contains(fresh[kind+".s3.prefix"], "AWSLogs"):
			return unfit("The value of '%s.s3.prefix' cannot contain 'AWSLogs'", kind)
		}
	}
	const secondary = "secondary_ips.auto_assigned.per_subnet"
	if held[secondary] > fresh[secondary] {
		return unfit("The value of '%s' cannot be decreased", secondary)
	}
	return nil
}

// groupAttributes lists the attributes that apply to a target group (API reference, TargetGroupAttribute).
func groupAttributes(g *targetGroup) []attribute {
	sticky := attribute{"stickiness.enabled", "false", boolean}
	if isLambda(g) {
		return []attribute{
			{"lambda.multi_value_headers.enabled", "false", boolean}, sticky,
			{"stickiness.type", "lb_cookie", oneOf("lb_cookie", "app_cookie")},
			{"stickiness.lb_cookie.duration_seconds", "86400", within(1, 604800)},
		}
	}
	all := []attribute{{"deregistration_delay.timeout_seconds", "300", within(0, 3600)}, sticky}
	switch {
	case g.Protocol == elbtypes.ProtocolEnumGeneve:
		rebalance := oneOf("rebalance", "no_rebalance")
		return append(all,
			attribute{"stickiness.type", "source_ip_dest_ip_proto", oneOf("source_ip_dest_ip", "source_ip_dest_ip_proto")},
			attribute{"target_failover.on_deregistration", "no_rebalance", rebalance},
			attribute{"target_failover.on_unhealthy", "no_rebalance", rebalance},
			attribute{"send_tcp_reset.on_deregistration.enabled", "false", boolean},
			attribute{"send_tcp_reset.on_unhealthy.enabled", "false", boolean},
		)
	case isHTTP(g):
		return slices.Concat(all, healthAttributes(), applicationAttributes())
	default:
		return slices.Concat(all, healthAttributes(), networkAttributes(g))
	}
}

const mostTargets = 1000

func healthAttributes() []attribute {
	return []attribute{
		{"load_balancing.cross_zone.enabled", "use_load_balancer_configuration", oneOf("true", "false", "use_load_balancer_configuration")},
		{"target_group_health.dns_failover.minimum_healthy_targets.count", "1", either("off", 1, mostTargets)},
		{"target_group_health.dns_failover.minimum_healthy_targets.percentage", "off", either("off", 1, 100)},
		{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "1", within(1, mostTargets)},
		{"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "off", either("off", 1, 100)},
	}
}

func applicationAttributes() []attribute {
	return []attribute{
		{"stickiness.type", "lb_cookie", anyText},
		{"stickiness.lb_cookie.duration_seconds", "86400", within(1, 604800)},
		{"stickiness.app_cookie.cookie_name", "", cookieName},
		{"stickiness.app_cookie.duration_seconds", "86400", within(1, 604800)},
		{"load_balancing.algorithm.type", "round_robin", oneOf("round_robin", "least_outstanding_requests", "weighted_random")},
		{"load_balancing.algorithm.anomaly_mitigation", "off", oneOf("on", "off")},
		{"slow_start.duration_seconds", "0", slowStart},
	}
}

func networkAttributes(g *targetGroup) []attribute {
	udp := g.Protocol == elbtypes.ProtocolEnumUdp || g.Protocol == elbtypes.ProtocolEnumTcpUdp
	tcp := g.Protocol == elbtypes.ProtocolEnumTcp || g.Protocol == elbtypes.ProtocolEnumTls
	preserve, preserveCheck := strconv.FormatBool(!tcp || g.TargetType != elbtypes.TargetTypeEnumIp), boolean
	terminateCheck, terminate := boolean, "true"
	if udp {
		preserveCheck, terminateCheck, terminate = oneOf("true"), oneOf("false"), "false"
	}
	return []attribute{
		{"stickiness.type", "source_ip", anyText},
		{"deregistration_delay.connection_termination.enabled", strconv.FormatBool(udp), boolean},
		{"preserve_client_ip.enabled", preserve, preserveCheck},
		{"proxy_protocol_v2.enabled", "false", boolean},
		{"target_health_state.unhealthy.connection_termination.enabled", terminate, terminateCheck},
		{"target_health_state.unhealthy.draining_interval_seconds", "0", within(0, 360000)},
	}
}

// slowStart is off or half a minute to a quarter of an hour.
func slowStart(key, value string) error {
	if value == "0" {
		return nil
	}
	return within(30, 900)(key, value)
}

func cookieName(key, value string) error {
	if strings.HasPrefix(value, "AWSALB") || !printable(value) || strings.ContainsAny(value, " ;,=") {
		return invalid("'%s' value '%s' is not a valid cookie name", key, value)
	}
	return anyText(key, value)
}

// checkGroupAttributes checks what several attributes of a target group say together.
func checkGroupAttributes(g *targetGroup, fresh map[string]string) error {
	kind, sticky := fresh["stickiness.type"], fresh["stickiness.enabled"] == "true"
	allowed := map[bool][]string{true: {"lb_cookie", "app_cookie"}, false: {"source_ip"}}[isHTTP(g) || isLambda(g)]
	if g.Protocol == elbtypes.ProtocolEnumGeneve {
		allowed = []string{"source_ip_dest_ip", "source_ip_dest_ip_proto"}
	}
	switch {
	case !slices.Contains(allowed, kind):
		return unfit("Stickiness type '%s' is not supported for target groups with the %s protocol", kind, g.Protocol)
	case sticky && g.Protocol == elbtypes.ProtocolEnumTls:
		return unfit("You cannot enable stickiness on target groups with the TLS protocol")
	case sticky && kind == "app_cookie" && fresh["stickiness.app_cookie.cookie_name"] == "":
		return unfit("You must set an application cookie name to enable stickiness of type 'app_cookie'")
	case sticky && fresh["load_balancing.cross_zone.enabled"] == "false":
		return unfit("You cannot enable stickiness on target groups with cross-zone load balancing turned off")
	case fresh["target_failover.on_deregistration"] != fresh["target_failover.on_unhealthy"]:
		return unfit("The values of 'target_failover.on_deregistration' and 'target_failover.on_unhealthy' must be equal")
	}
	if err := checkFailover(fresh); err != nil {
		return err
	}
	return checkAlgorithm(g, fresh)
}

// checkFailover holds that the addresses of a zone leave the DNS before, or when, its traffic goes to all targets.
func checkFailover(fresh map[string]string) error {
	for _, unit := range []string{"count", "percentage"} {
		dns := "target_group_health.dns_failover.minimum_healthy_targets." + unit
		routing := "target_group_health.unhealthy_state_routing.minimum_healthy_targets." + unit
		least, given := number(fresh[routing])
		if n, ok := number(fresh[dns]); ok && given && n < least {
			return unfit("The value of '%s' must be greater than or equal to the value of '%s'", dns, routing)
		}
	}
	return nil
}

func checkAlgorithm(g *targetGroup, fresh map[string]string) error {
	algorithm := fresh["load_balancing.algorithm.type"]
	if start := fresh["slow_start.duration_seconds"]; start != "" && start != "0" && algorithm != "round_robin" {
		return unfit("You cannot enable slow start with the load balancing algorithm '%s'", algorithm)
	}
	if fresh["load_balancing.algorithm.anomaly_mitigation"] == "on" && algorithm != "weighted_random" {
		return unfit("You can enable anomaly mitigation only with the load balancing algorithm 'weighted_random'")
	}
	const draining = "target_health_state.unhealthy.draining_interval_seconds"
	if v := fresh[draining]; v != "" && v != "0" && fresh["target_health_state.unhealthy.connection_termination.enabled"] == "true" {
		return unfit("You can set '%s' only when connections to unhealthy targets are not terminated", draining)
	}
	if fresh["load_balancing.cross_zone.enabled"] != "false" {
		return nil
	}
	for _, t := range g.targets.All() {
		if t.AvailabilityZone != nil && *t.AvailabilityZone == allZones {
			return unfit("You cannot turn off cross-zone load balancing while a target has Availability Zone 'all'")
		}
	}
	return nil
}

// checkStickyForwards refuses sticky targets where a forward to several groups is not sticky itself.
func (s *State) checkStickyForwards(g *targetGroup, fresh map[string]string) error {
	if fresh["stickiness.enabled"] != "true" || g.balancer == nil || !isApplication(g.balancer) {
		return nil
	}
	for _, l := range g.balancer.listeners {
		for _, r := range l.rules {
			for _, a := range r.Actions {
				c := a.ForwardConfig
				if c == nil || len(c.TargetGroups) < 2 || *c.TargetGroupStickinessConfig.Enabled {
					continue
				}
				if slices.Contains(targetsOf([]elbtypes.Action{a}), *g.TargetGroupArn) {
					return unfit("You must enable group stickiness on a rule if you enabled target stickiness on one of its target groups")
				}
			}
		}
	}
	return nil
}

// listenerAttributes lists the attributes of a listener (API reference, ListenerAttribute).
func listenerAttributes(l *listener) []attribute {
	if isGateway(l.balancer) || isNetwork(l.balancer) {
		idle := attribute{"tcp.idle_timeout.seconds", "350", within(60, 6000)}
		if isGateway(l.balancer) {
			return []attribute{{"send_tcp_reset.on_idle_timeout.enabled", "false", boolean}, idle}
		}
		if l.Protocol == elbtypes.ProtocolEnumTcp {
			return []attribute{idle}
		}
		return nil
	}
	response := "routing.http.response."
	all := []attribute{{response + "server.enabled", "true", boolean}}
	for name, check := range map[string]func(key, value string) error{
		"strict_transport_security": headerValue, "access_control_allow_origin": headerValue, "access_control_allow_methods": headerValue,
		"access_control_allow_headers": headerValue, "access_control_allow_credentials": oneOf("", "true"),
		"access_control_expose_headers": headerValue, "access_control_max_age": either("", 0, 1<<31-1), "content_security_policy": headerValue,
		"x_content_type_options": oneOf("", "nosniff"), "x_frame_options": frameOptions,
	} {
		all = append(all, attribute{response + name + ".header_value", "", check})
	}
	if l.Protocol == elbtypes.ProtocolEnumHttps {
		for _, name := range []string{
			"mtls_clientcert_serial_number", "mtls_clientcert_issuer", "mtls_clientcert_subject", "mtls_clientcert_validity",
			"mtls_clientcert_leaf", "mtls_clientcert", "tls_version", "tls_cipher_suite",
		} {
			all = append(all, attribute{"routing.http.request.x_amzn_" + name + ".header_name", "", headerName})
		}
	}
	slices.SortFunc(all, func(a, b attribute) int { return strings.Compare(a.key, b.key) })
	return all
}

func headerName(key, value string) error {
	if len(value) > maxHeaderName || !only(value, letters+digits+"_-") {
		return invalid("'%s' value '%s' must have at most '%d' characters of A-Z, a-z, 0-9, '-' and '_'", key, value, maxHeaderName)
	}
	if slices.Contains(reservedHeaders(), strings.ToLower(value)) {
		return invalid("'%s' value '%s' is a reserved header name", key, value)
	}
	return nil
}

// reservedHeaders gives headers that HTTP or a load balancer has a meaning for, so that no other one can have their names (believed).
func reservedHeaders() []string {
	return []string{
		"authorization", "connection", "content-length", "content-type", "cookie", "expect", "forwarded", "host", "keep-alive", "proxy-authorization",
		"te", "trailer", "transfer-encoding", "upgrade", "x-forwarded-for", "x-forwarded-port", "x-forwarded-proto", "x-amzn-trace-id",
		"x-amzn-oidc-accesstoken", "x-amzn-oidc-data", "x-amzn-oidc-identity",
	}
}

func frameOptions(key, value string) error {
	if uri, ok := strings.CutPrefix(value, "ALLOW-FROM "); ok {
		if u, err := url.Parse(uri); err == nil && u.Host != "" {
			return nil
		}
	}
	return oneOf("", "DENY", "SAMEORIGIN")(key, value)
}

// checkRenames demands that no two request headers get the same name.
func checkRenames(fresh map[string]string) error {
	seen := map[string]bool{}
	for key, value := range fresh {
		if !strings.HasSuffix(key, ".header_name") || value == "" {
			continue
		}
		if seen[strings.ToLower(value)] {
			return unfit("The header name '%s' was specified for more than one attribute", value)
		}
		seen[strings.ToLower(value)] = true
	}
	return nil
}
