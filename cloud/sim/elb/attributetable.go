package elb

import (
	"slices"
	"strings"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/model/attribute"
)

// balancerAttributes are the attributes of a load balancer.
func balancerAttributes(lb *loadBalancer) []attribute.Attribute {
	return attribute.OfLoadBalancer(attribute.Balancer{
		Type: string(lb.Type), Internal: lb.Scheme == elbtypes.LoadBalancerSchemeEnumInternal,
	})
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

// groupAttributes are the attributes of a target group. Which type of stickiness goes with which protocol is a matter of
// [checkGroupAttributes], for AWS has another code for that.
func groupAttributes(g *targetGroup) []attribute.Attribute {
	all := attribute.OfTargetGroup(attribute.Group{Protocol: string(g.Protocol), TargetType: string(g.TargetType)})
	for i := range all {
		if all[i].Key == "stickiness.type" && !isLambda(g) && g.Protocol != elbtypes.ProtocolEnumGeneve {
			all[i].Check = func(string) string { return "" }
		}
	}
	return all
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
		least, given := attribute.Number(fresh[routing])
		if n, ok := attribute.Number(fresh[dns]); ok && given && n < least {
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

// listenerAttributes are the attributes of a listener.
func listenerAttributes(l *listener) []attribute.Attribute {
	return attribute.OfListener(attribute.Listener{Type: string(l.balancer.Type), Protocol: string(l.Protocol)})
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
