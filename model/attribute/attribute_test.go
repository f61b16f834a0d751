package attribute_test

import (
	"strings"
	"testing"

	"github.com/headgate/headgate/model/attribute"
)

// TestProblem: what AWS refuses by the API reference of the three kinds.
func TestProblem(t *testing.T) {
	app := attribute.OfLoadBalancer(attribute.Balancer{Type: "application"})
	flow := attribute.OfLoadBalancer(attribute.Balancer{Type: "network", Internal: true})
	web := attribute.OfTargetGroup(attribute.Group{Protocol: "HTTP", TargetType: "ip"})
	udp := attribute.OfTargetGroup(attribute.Group{Protocol: "UDP", TargetType: "ip"})
	plain := attribute.OfListener(attribute.Listener{Type: "application", Protocol: "HTTP"})
	secure := attribute.OfListener(attribute.Listener{Type: "application", Protocol: "HTTPS"})
	anyLB, anyGroup, anyListener := attribute.OfAnyLoadBalancer(), attribute.OfAnyTargetGroup(), attribute.OfAnyListener()
	for _, row := range []struct {
		why          string
		mine, others []attribute.Attribute
		key, value   string
		want         string
	}{
		{"the most of a range", app, anyLB, "idle_timeout.timeout_seconds", "4000", ""},
		{"above it", app, anyLB, "idle_timeout.timeout_seconds", "4001", "between '1-4000'"},
		{"a number with a zero in front", app, anyLB, "idle_timeout.timeout_seconds", "060", "between"},
		{"another word than true and false", app, anyLB, "routing.http2.enabled", "True", "'true, false'"},
		{"cross-zone of an application load balancer is fixed", app, anyLB, "load_balancing.cross_zone.enabled", "false", "must be one of 'true'"},
		{"and that of a network load balancer is not", flow, anyLB, "load_balancing.cross_zone.enabled", "false", ""},
		{"a key of network load balancers", app, anyLB, "dns_record.client_routing_policy", "any_availability_zone", "other types"},
		{"a key of application load balancers", flow, anyLB, "idle_timeout.timeout_seconds", "60", "other types"},
		{"a key that AWS may have added since", app, anyLB, "routing.http3.enabled", "perhaps", ""},
		{"slow start is off", web, anyGroup, "slow_start.duration_seconds", "0", ""},
		{"or no shorter than half a minute", web, anyGroup, "slow_start.duration_seconds", "29", "'30-900'"},
		{"a word in place of a number", web, anyGroup, "target_group_health.dns_failover.minimum_healthy_targets.count", "off", ""},
		{"a cookie that is AWS's", web, anyGroup, "stickiness.app_cookie.cookie_name", "AWSALBAPP", "cookie name"},
		{"stickiness by address is for flows", web, anyGroup, "stickiness.type", "source_ip", "'lb_cookie, app_cookie'"},
		{"a key of flows", web, anyGroup, "preserve_client_ip.enabled", "true", "other types"},
		{"datagrams keep their client's address", udp, anyGroup, "preserve_client_ip.enabled", "false", "must be one of 'true'"},
		{"a header value", plain, anyListener, "routing.http.response.strict_transport_security.header_value", "max-age=1", ""},
		{"a value that no header has", plain, anyListener, "routing.http.response.content_security_policy.header_value", "a\nb", "invalid characters"},
		{"a name of request headers is for TLS", plain, anyListener, "routing.http.request.x_amzn_tls_version.header_name", "x-v", "other types"},
		{"where it is taken", secure, anyListener, "routing.http.request.x_amzn_tls_version.header_name", "x-v", ""},
		{"unless it means something already", secure, anyListener, "routing.http.request.x_amzn_tls_version.header_name", "Host", "reserved"},
		{"a frame of one's own", plain, anyListener, "routing.http.response.x_frame_options.header_value", "ALLOW-FROM https://a.example.com", ""},
		{"or none", plain, anyListener, "routing.http.response.x_frame_options.header_value", "maybe", "DENY"},
		{"a timeout of connections is for flows", plain, anyListener, "tcp.idle_timeout.seconds", "60", "other types"},
	} {
		got := attribute.Problem(row.mine, row.others, row.key, row.value)
		if (got == "") != (row.want == "") || !strings.Contains(got, row.want) {
			t.Errorf("%s: %s=%s %q, want %q", row.why, row.key, row.value, got, row.want)
		}
	}
}

// TestDefaultsAreTaken: every default but an empty text is a value that its own check takes, and no key is there twice.
func TestDefaultsAreTaken(t *testing.T) {
	all := map[string][]attribute.Attribute{
		"application": attribute.OfLoadBalancer(attribute.Balancer{Type: "application"}), "gateway": attribute.OfLoadBalancer(attribute.Balancer{Type: "gateway"}),
		"network": attribute.OfLoadBalancer(attribute.Balancer{Type: "network", Internal: true}),
		"lambda":  attribute.OfTargetGroup(attribute.Group{TargetType: "lambda"}), "GENEVE": attribute.OfTargetGroup(attribute.Group{Protocol: "GENEVE"}),
		"TCP": attribute.OfTargetGroup(attribute.Group{Protocol: "TCP", TargetType: "ip"}), "UDP": attribute.OfTargetGroup(attribute.Group{Protocol: "UDP"}),
		"HTTP": attribute.OfTargetGroup(attribute.Group{Protocol: "HTTP"}), "HTTPS": attribute.OfListener(attribute.Listener{Type: "application", Protocol: "HTTPS"}),
	}
	for name, table := range all {
		if len(attribute.Defaults(table)) != len(table) || len(table) == 0 {
			t.Errorf("%s: %d keys in %d rows", name, len(attribute.Defaults(table)), len(table))
		}
		for _, a := range table {
			if problem := a.Check(a.Default); problem != "" {
				t.Errorf("%s: the default %s=%s %s", name, a.Key, a.Default, problem)
			}
		}
	}
}
