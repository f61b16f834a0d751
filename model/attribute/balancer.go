package attribute

import "slices"

// Balancer says what attributes a load balancer has.
type Balancer struct {
	// Type is application, network or gateway.
	Type string
	// Internal is the scheme, which one default goes by.
	Internal bool
}

// Types of load balancers.
const (
	application = "application"
	network     = "network"
	gateway     = "gateway"
)

// OfLoadBalancer are the attributes of a load balancer.
func OfLoadBalancer(lb Balancer) []Attribute {
	crossZone := Attribute{"load_balancing.cross_zone.enabled", no, boolean}
	if lb.Type == application {
		crossZone.Default, crossZone.Check = yes, oneOf(yes)
	}
	all := []Attribute{{"deletion_protection.enabled", no, boolean}, crossZone}
	if lb.Type == gateway {
		return all
	}
	internet := no
	if lb.Internal {
		internet = yes
	}
	all = append(all, logs("access_logs")...)
	all = append(all, Attribute{"ipv6.deny_all_igw_traffic", internet, boolean}, Attribute{"zonal_shift.config.enabled", no, boolean})
	if lb.Type == network {
		policies := oneOf("availability_zone_affinity", "partial_availability_zone_affinity", "any_availability_zone")
		return append(all,
			Attribute{"dns_record.client_routing_policy", "any_availability_zone", policies},
			Attribute{"secondary_ips.auto_assigned.per_subnet", "0", within(0, 7)},
		)
	}
	return append(all, applicationBalancer()...)
}

func applicationBalancer() []Attribute {
	return slices.Concat(logs("connection_logs"), logs("health_check_logs"), []Attribute{
		{"idle_timeout.timeout_seconds", "60", within(1, 4000)},
		{"client_keep_alive.seconds", "3600", within(60, 604800)},
		{"routing.http.desync_mitigation_mode", "defensive", oneOf("monitor", "defensive", "strictest")},
		{"routing.http.drop_invalid_header_fields.enabled", no, boolean},
		{"routing.http.preserve_host_header.enabled", no, boolean},
		{"routing.http.x_amzn_tls_version_and_cipher_suite.enabled", no, boolean},
		{"routing.http.xff_client_port.enabled", no, boolean},
		{"routing.http.xff_header_processing.mode", "append", oneOf("append", "preserve", "remove")},
		{"routing.http2.enabled", yes, boolean},
		{"waf.fail_open.enabled", no, boolean},
	})
}

func logs(kind string) []Attribute {
	return []Attribute{{kind + ".s3.enabled", no, boolean}, {kind + ".s3.bucket", "", text}, {kind + ".s3.prefix", "", text}}
}

// OfAnyLoadBalancer are the attributes of load balancers of all types, for [Problem].
func OfAnyLoadBalancer() []Attribute {
	return slices.Concat(OfLoadBalancer(Balancer{Type: application}), OfLoadBalancer(Balancer{Type: network}))
}
