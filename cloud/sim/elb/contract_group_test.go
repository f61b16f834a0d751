package elb_test

import (
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/elb"
)

// grouping is a row of CreateTargetGroup with a change to a good input.
func grouping(code, why string, change func(w *world, in *sdk.CreateTargetGroupInput)) row {
	return row{operation: "CreateTargetGroup", code: code, why: why, call: func(w *world) error {
		in := w.groupInput("new")
		change(w, in)
		return ask(w, w.api.CreateTargetGroup, in)
	}}
}

func groupRows() []row {
	modify := func(w *world, in *sdk.ModifyTargetGroupInput) error { return ask(w, w.api.ModifyTargetGroup, in) }
	attribute := func(w *world, g *string, key, value string) error {
		return ask(w, w.api.ModifyTargetGroupAttributes, &sdk.ModifyTargetGroupAttributesInput{
			TargetGroupArn: g, Attributes: []elbtypes.TargetGroupAttribute{{Key: aws.String(key), Value: aws.String(value)}},
		})
	}
	full := grouping("TooManyTargetGroups", "the quota", func(w *world, _ *sdk.CreateTargetGroupInput) { w.group("one") })
	full.options = func(o *elb.Options) { o.Quotas.TargetGroups = 1 }
	rows := []row{
		full,
		grouping("", "of addresses", func(*world, *sdk.CreateTargetGroupInput) {}),
		grouping("", "the same again", func(w *world, _ *sdk.CreateTargetGroupInput) { w.group("new") }),
		grouping("", "of a function", func(_ *world, in *sdk.CreateTargetGroupInput) { lambda(in) }),
		grouping("", "of QUIC", func(_ *world, in *sdk.CreateTargetGroupInput) { in.Protocol = "TCP_QUIC" }),
		grouping("DuplicateTargetGroupName", "the name with other settings", func(w *world, in *sdk.CreateTargetGroupInput) {
			w.group("new")
			in.Port = aws.Int32(81)
		}),
		grouping("TooManyTags", "51 tags", func(_ *world, in *sdk.CreateTargetGroupInput) { in.Tags = tags(51) }),
		grouping("DuplicateTagKeys", "a tag twice", func(_ *world, in *sdk.CreateTargetGroupInput) { in.Tags = twice() }),
		grouping("InvalidConfigurationRequest", "IPv6 instances", func(_ *world, in *sdk.CreateTargetGroupInput) {
			in.TargetType, in.IpAddressType = elbtypes.TargetTypeEnumInstance, "ipv6"
		}),
		grouping("InvalidConfigurationRequest", "a function that is checked on a port", func(_ *world, in *sdk.CreateTargetGroupInput) {
			lambda(in)
			in.HealthCheckPort = aws.String("80")
		}),
		grouping("ValidationError", "a gateway's with codes of others", func(_ *world, in *sdk.CreateTargetGroupInput) {
			in.Protocol, in.Port, in.HealthCheckProtocol, in.Matcher = "GENEVE", aws.Int32(6081), "HTTP", &elbtypes.Matcher{HttpCode: aws.String("200-404")}
		}),
		grouping("ValidationError", "an application load balancer behind TLS", func(_ *world, in *sdk.CreateTargetGroupInput) {
			in.TargetType, in.Protocol = elbtypes.TargetTypeEnumAlb, "TLS"
		}),
		{operation: "ModifyTargetGroup", why: "the path", call: func(w *world) error {
			return modify(w, &sdk.ModifyTargetGroupInput{TargetGroupArn: w.group("a"), HealthCheckPath: aws.String("/up")})
		}},
		{operation: "ModifyTargetGroup", code: "TargetGroupNotFound", why: "none", call: func(w *world) error {
			return modify(w, &sdk.ModifyTargetGroupInput{TargetGroupArn: not(w.group("a")), HealthCheckPath: aws.String("/up")})
		}},
		{operation: "ModifyTargetGroup", code: "InvalidConfigurationRequest", why: "the port of a function", call: func(w *world) error {
			return modify(w, &sdk.ModifyTargetGroupInput{TargetGroupArn: w.group("a", lambda), HealthCheckPort: aws.String("80")})
		}},
		{operation: "DescribeTargetGroups", why: "all", call: func(w *world) error { return ask(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{}) }},
		{operation: "DescribeTargetGroups", why: "of a load balancer without", call: func(w *world) error {
			return ask(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{LoadBalancerArn: w.balancer("a")})
		}},
		{operation: "DescribeTargetGroups", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{LoadBalancerArn: not(w.balancer("a"))})
		}},
		{operation: "DescribeTargetGroups", code: "TargetGroupNotFound", why: "a name that is not there", call: func(w *world) error {
			return ask(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{Names: []string{"none"}})
		}},
		{operation: "DeleteTargetGroup", why: "one", call: func(w *world) error {
			return ask(w, w.api.DeleteTargetGroup, &sdk.DeleteTargetGroupInput{TargetGroupArn: w.group("a")})
		}},
		{operation: "DeleteTargetGroup", code: "ResourceInUse", why: "one that a listener uses", call: func(w *world) error {
			group := w.group("a")
			w.listener(w.balancer("a"), forward(group))
			return ask(w, w.api.DeleteTargetGroup, &sdk.DeleteTargetGroupInput{TargetGroupArn: group})
		}},
		{operation: "DescribeTargetGroupAttributes", why: "all", call: func(w *world) error {
			return ask(w, w.api.DescribeTargetGroupAttributes, &sdk.DescribeTargetGroupAttributesInput{TargetGroupArn: w.group("a")})
		}},
		{operation: "DescribeTargetGroupAttributes", code: "TargetGroupNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.DescribeTargetGroupAttributes, &sdk.DescribeTargetGroupAttributesInput{TargetGroupArn: not(w.group("a"))})
		}},
		{operation: "ModifyTargetGroupAttributes", why: "a delay", call: func(w *world) error { return attribute(w, w.group("a"), "deregistration_delay.timeout_seconds", "5") }},
		{operation: "ModifyTargetGroupAttributes", code: "TargetGroupNotFound", why: "of none", call: func(w *world) error {
			return attribute(w, not(w.group("a")), "deregistration_delay.timeout_seconds", "5")
		}},
		{operation: "ModifyTargetGroupAttributes", code: "InvalidConfigurationRequest", why: "stickiness of TLS", call: func(w *world) error {
			return attribute(w, w.group("a", speaking("TLS")), "stickiness.enabled", "true")
		}},
		{operation: "ModifyTargetGroupAttributes", code: "ValidationError", why: "a key of others", call: func(w *world) error {
			return attribute(w, w.group("a"), "proxy_protocol_v2.enabled", "true")
		}},
	}
	return append(rows, targetRows()...)
}

func quicTarget(last int, id string) elbtypes.TargetDescription {
	d := address(last, 443)
	d.QuicServerId = aws.String(id)
	return d
}

func targetRows() []row {
	register := func(w *world, g *string, all ...elbtypes.TargetDescription) error {
		return ask(w, w.api.RegisterTargets, &sdk.RegisterTargetsInput{TargetGroupArn: g, Targets: all})
	}
	deregister := func(w *world, g *string, all ...elbtypes.TargetDescription) error {
		return ask(w, w.api.DeregisterTargets, &sdk.DeregisterTargetsInput{TargetGroupArn: g, Targets: all})
	}
	health := func(w *world, g *string, all ...elbtypes.TargetDescription) error {
		return ask(w, w.api.DescribeTargetHealth, &sdk.DescribeTargetHealthInput{TargetGroupArn: g, Targets: all})
	}
	instance := elbtypes.TargetDescription{Id: aws.String("i-0123456789abcdef0")}
	instances := func(in *sdk.CreateTargetGroupInput) { in.TargetType = elbtypes.TargetTypeEnumInstance }
	quic := speaking("QUIC")
	return []row{
		{operation: "RegisterTargets", why: "one", call: func(w *world) error { return register(w, w.group("a"), address(1, 80)) }},
		{operation: "RegisterTargets", why: "one of QUIC", call: func(w *world) error { return register(w, w.group("a", quic), quicTarget(1, "0x0123456789abcdef")) }},
		{operation: "RegisterTargets", code: "ValidationError", why: "two of QUIC with one identifier", call: func(w *world) error {
			group := w.group("a", quic)
			w.register(group, quicTarget(1, "0x0123456789abcdef"))
			return register(w, group, quicTarget(2, "0x0123456789abcdef"))
		}},
		{operation: "RegisterTargets", code: "TargetGroupNotFound", why: "in none", call: func(w *world) error { return register(w, not(w.group("a")), address(1, 80)) }},
		{operation: "RegisterTargets", code: "InvalidTarget", why: "an instance that is not there", call: func(w *world) error { return register(w, w.group("a", instances), instance) }},
		{operation: "RegisterTargets", code: "InvalidTarget", why: "a load balancer without a listener on the port", call: func(w *world) error {
			group := w.group("a", func(in *sdk.CreateTargetGroupInput) { in.TargetType, in.Protocol = "alb", "TCP" })
			return register(w, group, elbtypes.TargetDescription{Id: w.balancer("a")})
		}},
		{operation: "RegisterTargets", code: "TooManyTargets", why: "the group's quota", call: func(w *world) error { return register(w, w.group("a"), targets(2)...) }, options: func(o *elb.Options) {
			o.Quotas.TargetsPerGroup = 1
		}},
		{operation: "RegisterTargets", code: "TooManyTargets", why: "501 in a zone of a network load balancer", call: func(w *world) error {
			group := w.group("a", speaking("TCP"))
			w.listener(w.balancer("n", network), forward(group), on("TCP", 80))
			return register(w, group, targets(501)...)
		}},
		{operation: "RegisterTargets", why: "501 in two zones", call: func(w *world) error {
			group := w.group("a", speaking("TCP"))
			w.listener(w.balancer("n", network), forward(group), on("TCP", 80))
			all := targets(500)
			return register(w, group, append(all, elbtypes.TargetDescription{Id: aws.String("10.0.150.1"), Port: aws.Int32(80)})...)
		}},
		{operation: "RegisterTargets", code: "TooManyRegistrationsForTargetId", why: "a target 1001 times", options: plenty, call: func(w *world) error {
			group := w.group("a")
			w.listener(w.balancer("a"), forward(group))
			return register(w, group, targets(1001)...)
		}},
		{operation: "DeregisterTargets", why: "one that is not there", call: func(w *world) error { return deregister(w, w.group("a"), address(1, 80)) }},
		{operation: "DeregisterTargets", code: "TargetGroupNotFound", why: "of none", call: func(w *world) error { return deregister(w, not(w.group("a")), address(1, 80)) }},
		{operation: "DeregisterTargets", code: "InvalidTarget", why: "an instance of a group of addresses", call: func(w *world) error { return deregister(w, w.group("a"), instance) }},
		{operation: "DescribeTargetHealth", why: "all", call: func(w *world) error { return health(w, w.group("a")) }},
		{operation: "DescribeTargetHealth", code: "TargetGroupNotFound", why: "of none", call: func(w *world) error { return health(w, not(w.group("a"))) }},
		{operation: "DescribeTargetHealth", code: "InvalidTarget", why: "an instance of a group of addresses", call: func(w *world) error { return health(w, w.group("a"), instance) }},
	}
}

// tagRows are those of the three operations on tags, for each kind of resource.
func tagRows() []row {
	calls := map[string]func(w *world, arns ...string) error{
		"AddTags": func(w *world, arns ...string) error {
			return ask(w, w.api.AddTags, &sdk.AddTagsInput{ResourceArns: arns, Tags: tags(1)})
		},
		"RemoveTags": func(w *world, arns ...string) error {
			return ask(w, w.api.RemoveTags, &sdk.RemoveTagsInput{ResourceArns: arns, TagKeys: []string{"k0"}})
		},
		"DescribeTags": func(w *world, arns ...string) error {
			return ask(w, w.api.DescribeTags, &sdk.DescribeTagsInput{ResourceArns: arns})
		},
	}
	makers := map[string]func(w *world) *string{
		"LoadBalancerNotFound": func(w *world) *string { return w.balancer("a") },
		"ListenerNotFound":     func(w *world) *string { return w.listener(w.balancer("a"), fixed()) },
		"RuleNotFound":         func(w *world) *string { return w.rule(w.listener(w.balancer("a"), fixed()), 1, fixed()) },
		"TargetGroupNotFound":  func(w *world) *string { return w.group("a") },
		"TrustStoreNotFound":   func(w *world) *string { return w.store("a") },
	}
	var rows []row
	for name, call := range calls {
		for code, maker := range makers {
			rows = append(rows,
				row{operation: name, why: "beside " + code, call: func(w *world) error { return call(w, *maker(w)) }},
				row{operation: name, code: code, why: code, call: func(w *world) error { return call(w, *not(maker(w))) }},
			)
		}
		rows = append(rows, row{operation: name, code: "ValidationError", why: "21 ARNs", call: func(w *world) error { return call(w, make([]string, 21)...) }})
	}
	return append(rows, []row{
		{operation: "AddTags", code: "DuplicateTagKeys", why: "a tag twice", call: func(w *world) error {
			return ask(w, w.api.AddTags, &sdk.AddTagsInput{ResourceArns: []string{*w.group("a")}, Tags: twice()})
		}},
		{operation: "AddTags", code: "TooManyTags", why: "more than 50 together", call: func(w *world) error {
			group := w.group("a", func(in *sdk.CreateTargetGroupInput) { in.Tags = tags(50) })
			return ask(w, w.api.AddTags, &sdk.AddTagsInput{ResourceArns: []string{*group}, Tags: []elbtypes.Tag{{Key: aws.String("more")}}})
		}},
		{operation: "RemoveTags", code: "TooManyTags", why: "51 keys", call: func(w *world) error {
			var keys []string
			for i := range 51 {
				keys = append(keys, fmt.Sprint("k", i))
			}
			return ask(w, w.api.RemoveTags, &sdk.RemoveTagsInput{ResourceArns: []string{*w.group("a")}, TagKeys: keys})
		}},
		{operation: "DescribeAccountLimits", why: "all", call: func(w *world) error { return ask(w, w.api.DescribeAccountLimits, &sdk.DescribeAccountLimitsInput{}) }},
	}...)
}
