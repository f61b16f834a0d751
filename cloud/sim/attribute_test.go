package sim_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/contract"
)

func (f *fixture) balancerAttributes(lb elbtypes.LoadBalancer) map[string]string {
	f.Helper()
	out, err := f.elb.DescribeLoadBalancerAttributes(f.Context(), &elb.DescribeLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn})
	all := map[string]string{}
	for _, a := range contract.Must(f, out, err).Attributes {
		all[*a.Key] = *a.Value
	}
	return all
}

func TestLoadBalancerAttributes(t *testing.T) {
	f := start(t)
	lb := f.balancer("web")
	modify := func(pairs ...string) error {
		in := &elb.ModifyLoadBalancerAttributesInput{LoadBalancerArn: lb.LoadBalancerArn}
		for i := 0; i < len(pairs); i += 2 {
			in.Attributes = append(in.Attributes, elbtypes.LoadBalancerAttribute{Key: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
		}
		_, err := f.elb.ModifyLoadBalancerAttributes(t.Context(), in)
		return err
	}
	rows := []struct {
		why, code string
		pairs     []string
	}{
		{"known keys", "ValidationError", []string{"idle_timeout", "1"}},
		{"keys of this type", "ValidationError", []string{"dns_record.client_routing_policy", "any_availability_zone"}},
		{"a range", "ValidationError", []string{"idle_timeout.timeout_seconds", "4001"}},
		{"a word of a list", "ValidationError", []string{"routing.http.desync_mitigation_mode", "lax"}},
		{"true or false", "ValidationError", []string{"routing.http2.enabled", "yes"}},
		{"cross-zone is always on", "ValidationError", []string{"load_balancing.cross_zone.enabled", "false"}},
		{"logs need a bucket", "InvalidConfigurationRequest", []string{"access_logs.s3.enabled", "true"}},
		{"one bad, none changed", "ValidationError", []string{"idle_timeout.timeout_seconds", "61", "nothing", "1"}},
		{"a key once", "ValidationError", []string{"idle_timeout.timeout_seconds", "61", "idle_timeout.timeout_seconds", "62"}},
		{"a number has no sign", "ValidationError", []string{"idle_timeout.timeout_seconds", "+60"}},
		{"and no zero in front", "ValidationError", []string{"idle_timeout.timeout_seconds", "060"}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) { contract.WantCode(t, modify(row.pairs...), row.code) })
	}
	if got := f.balancerAttributes(lb); got["idle_timeout.timeout_seconds"] != "60" || got["routing.http2.enabled"] != "true" || len(got) != 23 {
		t.Errorf("%d attributes: %v", len(got), got)
	}
	contract.WantCode(t, modify("idle_timeout.timeout_seconds", "120", "deletion_protection.enabled", "true"), "")
	if got := f.balancerAttributes(lb); got["idle_timeout.timeout_seconds"] != "120" {
		t.Errorf("after modifying: %v", got)
	}
	_, err := f.elb.DeleteLoadBalancer(t.Context(), &elb.DeleteLoadBalancerInput{LoadBalancerArn: lb.LoadBalancerArn})
	contract.WantCode(t, err, "OperationNotPermitted")
}

func TestTargetGroupAttributes(t *testing.T) {
	f := start(t)
	web := f.group("web")
	tcp := f.group("tcp", func(in *elb.CreateTargetGroupInput) { in.Protocol = elbtypes.ProtocolEnumTcp })
	udp := f.group("udp", func(in *elb.CreateTargetGroupInput) { in.Protocol = elbtypes.ProtocolEnumUdp })
	modify := func(group *string, pairs ...string) error {
		in := &elb.ModifyTargetGroupAttributesInput{TargetGroupArn: group}
		for i := 0; i < len(pairs); i += 2 {
			in.Attributes = append(in.Attributes, elbtypes.TargetGroupAttribute{Key: aws.String(pairs[i]), Value: aws.String(pairs[i+1])})
		}
		_, err := f.elb.ModifyTargetGroupAttributes(t.Context(), in)
		return err
	}
	rows := []struct {
		why, code string
		group     *string
		pairs     []string
	}{
		{"a range", "ValidationError", web, []string{"deregistration_delay.timeout_seconds", "4000"}},
		{"known keys", "ValidationError", web, []string{"nothing", "1"}},
		{"keys of this protocol", "ValidationError", web, []string{"proxy_protocol_v2.enabled", "true"}},
		{"slow start is off or long enough", "ValidationError", web, []string{"slow_start.duration_seconds", "10"}},
		{"slow start goes with round robin", "InvalidConfigurationRequest", web, []string{
			"slow_start.duration_seconds", "30", "load_balancing.algorithm.type", "least_outstanding_requests",
		}},
		{"cookies are for HTTP", "InvalidConfigurationRequest", tcp, []string{"stickiness.type", "lb_cookie"}},
		{"source addresses are not", "InvalidConfigurationRequest", web, []string{"stickiness.type", "source_ip"}},
		{"an application cookie has a name", "InvalidConfigurationRequest", web, []string{"stickiness.enabled", "true", "stickiness.type", "app_cookie"}},
		{"which is not the load balancer's", "ValidationError", web, []string{"stickiness.app_cookie.cookie_name", "AWSALB"}},
		{"stickiness needs cross-zone", "InvalidConfigurationRequest", web, []string{"stickiness.enabled", "true", "load_balancing.cross_zone.enabled", "false"}},
		{"UDP preserves client addresses", "ValidationError", udp, []string{"preserve_client_ip.enabled", "false"}},
		{"anomalies need weighted_random", "InvalidConfigurationRequest", web, []string{"load_balancing.algorithm.anomaly_mitigation", "on"}},
		{"no address leaves the DNS after the traffic is for all", "InvalidConfigurationRequest", web, []string{
			"target_group_health.dns_failover.minimum_healthy_targets.count", "2",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "3",
		}},
		{"by percentage neither", "InvalidConfigurationRequest", tcp, []string{
			"target_group_health.dns_failover.minimum_healthy_targets.percentage", "9",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.percentage", "10",
		}},
		{"both at once are fine", "", web, []string{
			"target_group_health.dns_failover.minimum_healthy_targets.count", "3",
			"target_group_health.unhealthy_state_routing.minimum_healthy_targets.count", "3",
		}},
		{"and no address that leaves", "", web, []string{"target_group_health.dns_failover.minimum_healthy_targets.count", "off"}},
		{"good ones", "", web, []string{"stickiness.enabled", "true", "deregistration_delay.timeout_seconds", "0"}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) { contract.WantCode(t, modify(row.group, row.pairs...), row.code) })
	}
	out, err := f.elb.DescribeTargetGroupAttributes(t.Context(), &elb.DescribeTargetGroupAttributesInput{TargetGroupArn: web})
	got := map[string]string{}
	for _, a := range contract.Must(t, out, err).Attributes {
		got[*a.Key] = *a.Value
	}
	if got["stickiness.enabled"] != "true" || got["deregistration_delay.timeout_seconds"] != "0" || got["stickiness.type"] != "lb_cookie" || len(got) != 14 {
		t.Errorf("%d attributes: %v", len(got), got)
	}
}

func TestStickyTargetsNeedStickyGroups(t *testing.T) {
	t.Parallel()
	f := start(t)
	one, two := f.group("one"), f.group("two")
	f.listener(f.balancer("web"), 80, forward(one, two))
	_, err := f.elb.ModifyTargetGroupAttributes(t.Context(), &elb.ModifyTargetGroupAttributesInput{
		TargetGroupArn: one, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String("stickiness.enabled"), Value: aws.String("true")}},
	})
	contract.WantCode(t, err, "InvalidConfigurationRequest")
}

func TestListenerAttributes(t *testing.T) {
	t.Parallel()
	f := start(t)
	lb := f.balancer("web")
	l := f.listener(lb, 80, fixed("404"))
	made, err := f.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps, DefaultActions: fixed("404"),
		Certificates: []elbtypes.Certificate{{CertificateArn: f.certificate("www.example.com")}},
	})
	secure := contract.Must(t, made, err).Listeners[0].ListenerArn
	modifyOf := func(l *string, key, value string) error {
		_, err := f.elb.ModifyListenerAttributes(t.Context(), &elb.ModifyListenerAttributesInput{
			ListenerArn: l, Attributes: []elbtypes.ListenerAttribute{{Key: aws.String(key), Value: aws.String(value)}},
		})
		return err
	}
	modify := func(key, value string) error { return modifyOf(l, key, value) }
	for _, name := range []string{"Host", "content-length", "X-Forwarded-For"} {
		contract.WantCode(t, modifyOf(secure, "routing.http.request.x_amzn_tls_version.header_name", name), "ValidationError")
	}
	contract.WantCode(t, modifyOf(secure, "routing.http.request.x_amzn_tls_version.header_name", "X-TLS"), "")
	contract.WantCode(t, modify("routing.http.response.content_security_policy.header_value", "a\nSet-Cookie: b"), "ValidationError")
	contract.WantCode(t, modify("routing.http.response.x_frame_options.header_value", "ALLOW"), "ValidationError")
	contract.WantCode(t, modify("routing.http.response.x_frame_options.header_value", "ALLOW-FROM https://a.com"), "")
	contract.WantCode(t, modify("routing.http.request.x_amzn_tls_version.header_name", "x"), "ValidationError")
	contract.WantCode(t, modify("tcp.idle_timeout.seconds", "60"), "ValidationError")
	contract.WantCode(t, modify("routing.http.response.server.enabled", "false"), "")
	out, err := f.elb.DescribeListenerAttributes(t.Context(), &elb.DescribeListenerAttributesInput{ListenerArn: l})
	got := map[string]string{}
	for _, a := range contract.Must(t, out, err).Attributes {
		got[*a.Key] = *a.Value
	}
	if got["routing.http.response.server.enabled"] != "false" || len(got) != 11 {
		t.Errorf("%d attributes: %v", len(got), got)
	}
}

func TestTags(t *testing.T) {
	t.Parallel()
	f := start(t)
	lb := f.balancer("web")
	group, l := f.group("web"), f.listener(lb, 80, fixed("404"))
	r := f.rule(l, 1, path("/"), fixed("200"))
	arns := []string{*lb.LoadBalancerArn, *group, *l, *r}
	add := func(arns []string, tags ...elbtypes.Tag) error {
		_, err := f.elb.AddTags(t.Context(), &elb.AddTagsInput{ResourceArns: arns, Tags: tags})
		return err
	}
	tag := func(k, v string) elbtypes.Tag { return elbtypes.Tag{Key: aws.String(k), Value: aws.String(v)} }
	contract.WantCode(t, add(arns, tag("a", "1"), tag("b", "2")), "")
	contract.WantCode(t, add(arns, tag("a", "3")), "")
	_, err := f.elb.RemoveTags(t.Context(), &elb.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{"b", "none"}})
	contract.WantCode(t, err, "")
	out, err := f.elb.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: arns})
	for i, d := range contract.Must(t, out, err).TagDescriptions {
		if *d.ResourceArn != arns[i] || len(d.Tags) != 1 || *d.Tags[0].Key != "a" || *d.Tags[0].Value != "3" {
			t.Errorf("tags of %s: %+v", *d.ResourceArn, d.Tags)
		}
	}
	for _, arn := range arns {
		_, err := f.elb.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{arn + "0"}})
		if err == nil {
			t.Errorf("tags of %s0 were found", arn)
		}
	}
	_, err = f.elb.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{*group + "0"}})
	contract.WantCode(t, err, "TargetGroupNotFound")
	many := make([]string, 21)
	for i := range many {
		many[i] = *group
	}
	_, err = f.elb.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: many})
	contract.WantCode(t, err, "ValidationError")
	contract.WantCode(t, add(arns, tag("x", "1"), tag("x", "2")), "DuplicateTagKeys")
	_, err = f.elb.DeleteRule(t.Context(), &elb.DeleteRuleInput{RuleArn: r})
	contract.WantCode(t, err, "")
	_, err = f.elb.DescribeTags(t.Context(), &elb.DescribeTagsInput{ResourceArns: []string{*r}})
	contract.WantCode(t, err, "RuleNotFound")
}

func TestReferenceData(t *testing.T) {
	t.Parallel()
	f := start(t)
	limits, err := f.elb.DescribeAccountLimits(t.Context(), &elb.DescribeAccountLimitsInput{})
	got := map[string]string{}
	for _, l := range contract.Must(t, limits, err).Limits {
		got[*l.Name] = *l.Max
	}
	if got["rules-per-application-load-balancer"] != "100" || got["target-groups"] != "3000" || len(got) != 18 {
		t.Errorf("%d limits: %v", len(got), got)
	}
	policies, err := f.elb.DescribeSSLPolicies(t.Context(), &elb.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-TLS13-1-3-2021-06"}})
	p := contract.Must(t, policies, err).SslPolicies
	if len(p) != 1 || len(p[0].Ciphers) != 3 || p[0].SslProtocols[0] != "TLSv1.3" {
		t.Errorf("policy: %+v", p)
	}
	_, err = f.elb.DescribeSSLPolicies(t.Context(), &elb.DescribeSSLPoliciesInput{Names: []string{"none"}})
	contract.WantCode(t, err, "SSLPolicyNotFound")
}
