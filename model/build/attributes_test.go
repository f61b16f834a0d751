package build_test

import (
	"strings"
	"testing"

	"github.com/headgate/headgate/model/build"
	"github.com/headgate/headgate/model/intent"
)

// TestAttributes: what AWS would refuse is told to who wrote it, and does not reach a call that sets what others wrote, too.
func TestAttributes(t *testing.T) {
	const idle, server = "idle_timeout.timeout_seconds", "routing.http.response.server.enabled"
	balancer := func(key, value string) func(*intent.Fragment) {
		return func(f *intent.Fragment) {
			f.Settings.Attributes = map[string]string{key: value}
			f.Settings.Fields = map[string]string{"attributes": "load-balancer-attributes"}
		}
	}
	port := func(key, value string) func(*intent.Fragment) {
		return func(f *intent.Fragment) {
			f.Listeners[0].Attributes = map[string]string{key: value}
			f.Listeners[0].Fields = map[string]string{"attributes": "listener-attributes.HTTP-80"}
		}
	}
	targets := func(key, value string) func(*intent.Fragment) {
		return func(f *intent.Fragment) {
			group := &f.Routes[0].Forward.Backends[0].Service.Group
			group.Attributes, group.Fields = map[string]string{key: value}, map[string]string{"attributes": "target-group-attributes"}
		}
	}
	enforced := func(f *intent.Fragment) {
		f.Settings.EnforcedAttributes = map[string]string{idle: "0"}
		f.Settings.Fields = map[string]string{"enforcedAttributes": "IngressClassParams p spec.loadBalancerAttributes"}
	}
	for _, row := range []struct {
		why      string
		damage   func(*intent.Fragment)
		findings []string
		balancer map[string]string
		port     map[string]string
	}{
		{"a value out of range", balancer(idle, "5000"), []string{"bad Wrong load-balancer-attributes InvalidAttribute"}, map[string]string{idle: "75"}, nil},
		{"an attribute of other load balancers", balancer("dns_record.client_routing_policy", "any_availability_zone"),
			[]string{"bad Wrong load-balancer-attributes InvalidAttribute"}, map[string]string{idle: "75"}, nil},
		{"one that AWS may have added", balancer("routing.http3.enabled", "true"), nil, map[string]string{idle: "75", "routing.http3.enabled": "true"}, nil},
		{"a class's value", enforced, []string{"bad Wrong IngressClassParams p spec.loadBalancerAttributes InvalidAttribute"}, map[string]string{idle: "75"}, nil},
		{"an attribute of a port", port(server, "off"), []string{"bad Wrong listener-attributes.HTTP-80 InvalidAttribute"}, map[string]string{idle: "75"}, nil},
		{"one of ports with TLS", port("routing.http.request.x_amzn_tls_version.header_name", "v"),
			[]string{"bad Wrong listener-attributes.HTTP-80 InvalidAttribute"}, map[string]string{idle: "75"}, nil},
		{"a good one of a port", port(server, "false"), nil, map[string]string{idle: "75"}, map[string]string{server: "false"}},
		{"an attribute of target groups", targets("slow_start.duration_seconds", "5"),
			[]string{"bad Wrong target-group-attributes InvalidAttribute"}, map[string]string{idle: "75"}, nil},
	} {
		t.Run(row.why, func(t *testing.T) {
			good, bad := fragment("good", route("a.example.com", "/", "a")), fragment("bad", route("b.example.com", "/", "b"))
			good.Settings.Attributes = map[string]string{idle: "75"}
			row.damage(&bad)
			got := build.Build(group(bad, good), facts())
			same(t, row.why, "findings", reasons(got), row.findings)
			same(t, row.why, "attributes", got.Stack.LoadBalancer.Attributes, row.balancer)
			same(t, row.why, "attributes of the port", got.Stack.Listeners[0].Attributes, row.port)
			for _, f := range got.Findings {
				if !strings.Contains(f.Message, "=") || !strings.Contains(f.Message, "leave it out") {
					t.Errorf("%s: %q does not name the value and how to mend it", row.why, f.Message)
				}
			}
		})
	}
}
