package elb_test

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/elb"
)

// onOutpost changes an input to one of an Outpost with a pool of the customer's.
func onOutpost(w *world, in *sdk.CreateLoadBalancerInput, blocks ...string) {
	subnet, pool := w.outpost(blocks...)
	in.Subnets, in.CustomerOwnedIpv4Pool = []string{*subnet}, pool
}

// creating is a row of CreateLoadBalancer with a change to a good input.
func creating(code, why string, change func(w *world, in *sdk.CreateLoadBalancerInput)) row {
	return row{operation: "CreateLoadBalancer", code: code, why: why, call: func(w *world) error {
		in := w.balancerInput("new")
		change(w, in)
		return ask(w, w.api.CreateLoadBalancer, in)
	}}
}

func balancerRows() []row {
	const nobody = "arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/none/1"
	rows := []row{
		creating("", "an application load balancer", func(*world, *sdk.CreateLoadBalancerInput) {}),
		creating("", "a network load balancer in one zone", func(w *world, in *sdk.CreateLoadBalancerInput) { network(in); in.Subnets = w.PrivateSubnets[:1] }),
		creating("", "a gateway load balancer", func(_ *world, in *sdk.CreateLoadBalancerInput) { gateway(in) }),
		creating("", "source NAT prefixes in dual-stack mode", func(_ *world, in *sdk.CreateLoadBalancerInput) {
			network(in)
			in.IpAddressType, in.EnablePrefixForIpv6SourceNat = "dualstack", "on"
		}),
		creating("", "the same again", func(w *world, _ *sdk.CreateLoadBalancerInput) { w.balancer("new") }),
		creating("", "a customer's pool on an Outpost", func(w *world, in *sdk.CreateLoadBalancerInput) { onOutpost(w, in, "192.0.2.0/29") }),
		creating("InvalidConfigurationRequest", "a customer's pool without addresses", func(w *world, in *sdk.CreateLoadBalancerInput) { onOutpost(w, in) }),
		creating("ValidationError", "a customer's pool that is not there", func(w *world, in *sdk.CreateLoadBalancerInput) {
			onOutpost(w, in)
			in.CustomerOwnedIpv4Pool = aws.String("ipv4pool-coip-1")
		}),
		creating("ValidationError", "an IPAM pool that is not there", func(_ *world, in *sdk.CreateLoadBalancerInput) {
			in.IpamPools = &elbtypes.IpamPools{Ipv4IpamPoolId: aws.String("ipam-pool-0a1b")}
		}),
		creating("ValidationError", "an IPAM pool of IPv6", func(w *world, in *sdk.CreateLoadBalancerInput) { in.IpamPools = w.pool("ipv6", region) }),
		creating("ValidationError", "an IPAM pool of no Region", func(w *world, in *sdk.CreateLoadBalancerInput) { in.IpamPools = w.pool("ipv4", "None") }),
		creating("", "an IPAM pool", func(w *world, in *sdk.CreateLoadBalancerInput) {
			in.IpamPools = w.publicPool()
		}),
		creating("ValidationError", "one zone for an application", func(w *world, in *sdk.CreateLoadBalancerInput) { in.Subnets = w.PublicSubnets[:1] }),
		creating("ValidationError", "an IPAM pool for an internal one", func(w *world, in *sdk.CreateLoadBalancerInput) {
			in.Scheme, in.IpamPools = "internal", w.publicPool()
		}),
		creating("ValidationError", "a name that begins as internal names do", func(_ *world, in *sdk.CreateLoadBalancerInput) { in.Name = aws.String("internal-x") }),
		creating("ValidationError", "subnets and mappings", func(w *world, in *sdk.CreateLoadBalancerInput) {
			in.SubnetMappings = []elbtypes.SubnetMapping{{SubnetId: &w.PublicSubnets[0]}}
		}),
		creating("DuplicateLoadBalancerName", "the name with other settings", func(w *world, in *sdk.CreateLoadBalancerInput) {
			w.balancer("new")
			in.Subnets = w.PublicSubnets[:2]
		}),
		creating("DuplicateLoadBalancerName", "the name with other tags", func(w *world, in *sdk.CreateLoadBalancerInput) { w.balancer("new"); in.Tags = tags(1) }),
		creating("DuplicateTagKeys", "a tag twice", func(_ *world, in *sdk.CreateLoadBalancerInput) { in.Tags = twice() }),
		creating("TooManyTags", "51 tags", func(_ *world, in *sdk.CreateLoadBalancerInput) { in.Tags = tags(51) }),
		creating("SubnetNotFound", "a subnet that is not there", func(w *world, in *sdk.CreateLoadBalancerInput) { in.Subnets = []string{w.PublicSubnets[0], "subnet-0"} }),
		creating("InvalidSubnet", "too few addresses", func(w *world, in *sdk.CreateLoadBalancerInput) { in.Subnets = []string{w.small(), w.PublicSubnets[1]} }),
		creating("InvalidSubnet", "dual stack without IPv6 blocks", func(w *world, in *sdk.CreateLoadBalancerInput) {
			in.Subnets, in.IpAddressType = w.fours(), "dualstack"
		}),
		creating("InvalidSecurityGroup", "a group that is not there", func(_ *world, in *sdk.CreateLoadBalancerInput) { in.SecurityGroups = []string{"sg-0"} }),
		creating("InvalidConfigurationRequest", "two subnets of a zone", func(w *world, in *sdk.CreateLoadBalancerInput) {
			in.Subnets = []string{w.PublicSubnets[0], w.PrivateSubnets[0]}
		}),
		creating("InvalidConfigurationRequest", "source NAT prefixes without dual stack", func(_ *world, in *sdk.CreateLoadBalancerInput) {
			network(in)
			in.EnablePrefixForIpv6SourceNat = "on"
		}),
		creating("InvalidConfigurationRequest", "a pool of Outposts without one", func(_ *world, in *sdk.CreateLoadBalancerInput) {
			in.CustomerOwnedIpv4Pool = aws.String("ipv4pool-coip-1")
		}),
		creating("InvalidConfigurationRequest", "an address outside of its subnet", func(w *world, in *sdk.CreateLoadBalancerInput) {
			network(in)
			in.Scheme, in.Subnets = "internal", nil
			in.SubnetMappings = []elbtypes.SubnetMapping{{SubnetId: &w.PrivateSubnets[0], PrivateIPv4Address: aws.String("10.9.9.9")}}
		}),
		creating("InvalidScheme", "a scheme for a gateway", func(_ *world, in *sdk.CreateLoadBalancerInput) { gateway(in); in.Scheme = "internal" }),
		creating("AllocationIdNotFound", "an Elastic IP address that is not there", func(w *world, in *sdk.CreateLoadBalancerInput) {
			network(in)
			in.Subnets, in.SubnetMappings = nil, []elbtypes.SubnetMapping{{SubnetId: &w.PublicSubnets[0], AllocationId: aws.String("eipalloc-0")}}
		}),
		creating("ResourceInUse", "an Elastic IP address that another one has", func(w *world, in *sdk.CreateLoadBalancerInput) {
			held := []elbtypes.SubnetMapping{{SubnetId: &w.PublicSubnets[0], AllocationId: w.elastic()}}
			w.balancer("holder", network, func(in *sdk.CreateLoadBalancerInput) { in.Subnets, in.SubnetMappings = nil, held })
			network(in)
			in.Subnets, in.SubnetMappings = nil, held
		}),
	}
	constrained := creating("AvailabilityZoneNotSupported", "a zone that is full", func(*world, *sdk.CreateLoadBalancerInput) {})
	constrained.options = func(o *elb.Options) { o.ConstrainedZones = []string{"us-west-2b"} }
	full := creating("TooManyLoadBalancers", "the quota", func(w *world, _ *sdk.CreateLoadBalancerInput) { w.balancer("one") })
	full.options = func(o *elb.Options) { o.Quotas.ApplicationLoadBalancers = 1 }
	other := creating("", "the quota of another type", func(w *world, _ *sdk.CreateLoadBalancerInput) { w.balancer("one", network) })
	other.options = full.options
	rows = append(rows, constrained, full, other)
	rows = append(rows, settingRows()...)
	return append(rows, []row{
		{operation: "DescribeLoadBalancers", why: "all", call: func(w *world) error { return ask(w, w.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{}) }},
		{operation: "DescribeLoadBalancers", code: "LoadBalancerNotFound", why: "a name that is not there", call: func(w *world) error {
			return ask(w, w.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{Names: []string{"none"}})
		}},
		{operation: "DescribeLoadBalancers", code: "ValidationError", why: "21 ARNs", call: func(w *world) error {
			return ask(w, w.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{LoadBalancerArns: make([]string, 21)})
		}},
		{operation: "DeleteLoadBalancer", why: "one that is there", call: func(w *world) error {
			return ask(w, w.api.DeleteLoadBalancer, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: w.balancer("a")})
		}},
		{operation: "DeleteLoadBalancer", why: "one that is not there", call: func(w *world) error {
			return ask(w, w.api.DeleteLoadBalancer, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: aws.String(nobody)})
		}},
		{operation: "DeleteLoadBalancer", code: "OperationNotPermitted", why: "deletion protection", call: func(w *world) error {
			lb := w.balancer("a")
			have(w, w.api.ModifyLoadBalancerAttributes, balancerAttribute(lb, "deletion_protection.enabled", "true"))
			return ask(w, w.api.DeleteLoadBalancer, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: lb})
		}},
		{operation: "DeleteLoadBalancer", code: "ResourceInUse", why: "behind a network load balancer", call: func(w *world) error {
			lb, _ := behind(w)
			return ask(w, w.api.DeleteLoadBalancer, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: lb})
		}},
		{operation: "DescribeLoadBalancerAttributes", why: "all", call: func(w *world) error {
			return ask(w, w.api.DescribeLoadBalancerAttributes, &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerArn: w.balancer("a")})
		}},
		{operation: "DescribeLoadBalancerAttributes", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.DescribeLoadBalancerAttributes, &sdk.DescribeLoadBalancerAttributesInput{LoadBalancerArn: aws.String(nobody)})
		}},
		{operation: "ModifyLoadBalancerAttributes", why: "a timeout", call: func(w *world) error {
			return ask(w, w.api.ModifyLoadBalancerAttributes, balancerAttribute(w.balancer("a"), "idle_timeout.timeout_seconds", "30"))
		}},
		{operation: "ModifyLoadBalancerAttributes", code: "ValidationError", why: "a key of another type", call: func(w *world) error {
			return ask(w, w.api.ModifyLoadBalancerAttributes, balancerAttribute(w.balancer("a", network), "idle_timeout.timeout_seconds", "30"))
		}},
		{operation: "ModifyLoadBalancerAttributes", code: "InvalidConfigurationRequest", why: "logs without a bucket", call: func(w *world) error {
			return ask(w, w.api.ModifyLoadBalancerAttributes, balancerAttribute(w.balancer("a"), "access_logs.s3.enabled", "true"))
		}},
		{operation: "ModifyLoadBalancerAttributes", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.ModifyLoadBalancerAttributes, balancerAttribute(aws.String(nobody), "idle_timeout.timeout_seconds", "30"))
		}},
	}...)
}

func balancerAttribute(lb *string, key, value string) *sdk.ModifyLoadBalancerAttributesInput {
	return &sdk.ModifyLoadBalancerAttributesInput{
		LoadBalancerArn: lb, Attributes: []elbtypes.LoadBalancerAttribute{{Key: aws.String(key), Value: aws.String(value)}},
	}
}

// behind makes an application load balancer that is the target of a group, and gives it and its listener.
func behind(w *world) (lb, listener *string) {
	w.Helper()
	lb = w.balancer("front")
	listener = w.listener(lb, fixed())
	group := w.group("behind", func(in *sdk.CreateTargetGroupInput) {
		in.TargetType, in.Protocol = elbtypes.TargetTypeEnumAlb, elbtypes.ProtocolEnumTcp
	})
	w.register(group, elbtypes.TargetDescription{Id: lb})
	return lb, listener
}

func settingRows() []row {
	subnets := func(w *world, lb *string, change func(*sdk.SetSubnetsInput)) error {
		in := &sdk.SetSubnetsInput{LoadBalancerArn: lb, Subnets: w.PublicSubnets[:2]}
		change(in)
		return ask(w, w.api.SetSubnets, in)
	}
	keep := func(*sdk.SetSubnetsInput) {}
	groups := func(w *world, lb *string, ids ...string) error {
		return ask(w, w.api.SetSecurityGroups, &sdk.SetSecurityGroupsInput{LoadBalancerArn: lb, SecurityGroups: append([]string{}, ids...)})
	}
	kind := func(w *world, lb *string, t elbtypes.IpAddressType) error {
		return ask(w, w.api.SetIpAddressType, &sdk.SetIpAddressTypeInput{LoadBalancerArn: lb, IpAddressType: t})
	}
	pools := func(w *world, in *sdk.ModifyIpPoolsInput) error { return ask(w, w.api.ModifyIpPools, in) }
	unknown := &elbtypes.IpamPools{Ipv4IpamPoolId: aws.String("ipam-pool-0a1b")}
	return append([]row{
		{operation: "SetSubnets", why: "one less", call: func(w *world) error { return subnets(w, w.balancer("a"), keep) }},
		{operation: "SetSubnets", why: "one less of a network load balancer", call: func(w *world) error { return subnets(w, w.balancer("a", network), keep) }},
		{operation: "SetSubnets", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error { return subnets(w, not(w.balancer("a")), keep) }},
		{operation: "SetSubnets", code: "SubnetNotFound", why: "one that is not there", call: func(w *world) error {
			return subnets(w, w.balancer("a"), func(in *sdk.SetSubnetsInput) { in.Subnets = []string{"subnet-0"} })
		}},
		{operation: "SetSubnets", code: "InvalidSubnet", why: "one that is too small", call: func(w *world) error {
			return subnets(w, w.balancer("a"), func(in *sdk.SetSubnetsInput) { in.Subnets = []string{w.small(), w.PublicSubnets[1]} })
		}},
		{operation: "SetSubnets", code: "InvalidConfigurationRequest", why: "two of a zone", call: func(w *world) error {
			return subnets(w, w.balancer("a"), func(in *sdk.SetSubnetsInput) { in.Subnets = []string{w.PublicSubnets[0], w.PrivateSubnets[0]} })
		}},
		{operation: "SetSubnets", code: "AllocationIdNotFound", why: "an Elastic IP address that is not there", call: func(w *world) error {
			return subnets(w, w.balancer("a", network), func(in *sdk.SetSubnetsInput) {
				in.Subnets, in.SubnetMappings = nil, []elbtypes.SubnetMapping{{SubnetId: &w.PublicSubnets[0], AllocationId: aws.String("eipalloc-0")}}
			})
		}},
		{operation: "SetSubnets", code: "AvailabilityZoneNotSupported", why: "a zone that is full", call: func(w *world) error {
			lb := w.balancer("a", func(in *sdk.CreateLoadBalancerInput) { in.Subnets = w.PublicSubnets[:2] })
			return subnets(w, lb, func(in *sdk.SetSubnetsInput) { in.Subnets = w.PublicSubnets })
		}, options: func(o *elb.Options) { o.ConstrainedZones = []string{"us-west-2c"} }},
		{operation: "SetSubnets", code: "CapacityReservationPending", why: "while capacity is being reserved", call: func(w *world) error {
			lb := w.balancer("a")
			have(w, w.api.ModifyCapacityReservation, reserve(lb, 100))
			return subnets(w, lb, keep)
		}, options: reservable},
		{operation: "SetSecurityGroups", why: "one", call: func(w *world) error { return groups(w, w.balancer("a"), w.NodeSecurityGroup) }},
		{operation: "SetSecurityGroups", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error { return groups(w, not(w.balancer("a")), w.NodeSecurityGroup) }},
		{operation: "SetSecurityGroups", code: "InvalidSecurityGroup", why: "one that is not there", call: func(w *world) error { return groups(w, w.balancer("a"), "sg-0") }},
		{operation: "SetSecurityGroups", code: "InvalidConfigurationRequest", why: "of a network load balancer without", call: func(w *world) error {
			return groups(w, w.balancer("a", network), w.NodeSecurityGroup)
		}},
		{operation: "SetSecurityGroups", code: "InvalidConfigurationRequest", why: "none", call: func(w *world) error { return groups(w, w.balancer("a")) }},
		{operation: "SetIpAddressType", why: "the same", call: func(w *world) error { return kind(w, w.balancer("a"), "ipv4") }},
		{operation: "SetIpAddressType", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error { return kind(w, not(w.balancer("a")), "ipv4") }},
		{operation: "SetIpAddressType", code: "InvalidSubnet", why: "without IPv6 blocks", call: func(w *world) error {
			return kind(w, w.balancer("a", func(in *sdk.CreateLoadBalancerInput) { in.Subnets = w.fours() }), "dualstack")
		}},
		{operation: "SetIpAddressType", code: "InvalidConfigurationRequest", why: "a type of others", call: func(w *world) error {
			return kind(w, w.balancer("a", network), "dualstack-without-public-ipv4")
		}},
		{operation: "SetIpAddressType", code: "InvalidConfigurationRequest", why: "dual stack with QUIC", call: func(w *world) error {
			lb := w.balancer("a", network)
			w.listener(lb, forward(w.group("q", speaking("QUIC"))), on("QUIC", 443))
			return kind(w, lb, "dualstack")
		}},
		{operation: "ModifyIpPools", why: "one", call: func(w *world) error {
			return pools(w, &sdk.ModifyIpPoolsInput{LoadBalancerArn: w.balancer("a"), IpamPools: w.publicPool()})
		}},
		{operation: "ModifyIpPools", code: "ValidationError", why: "one that is not there", call: func(w *world) error {
			return pools(w, &sdk.ModifyIpPoolsInput{LoadBalancerArn: w.balancer("a"), IpamPools: unknown})
		}},
		{operation: "ModifyIpPools", why: "none any more", call: func(w *world) error {
			return pools(w, &sdk.ModifyIpPoolsInput{LoadBalancerArn: w.balancer("a"), RemoveIpamPools: []elbtypes.RemoveIpamPoolEnum{"ipv4"}})
		}},
		{operation: "ModifyIpPools", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error {
			return pools(w, &sdk.ModifyIpPoolsInput{LoadBalancerArn: not(w.balancer("a")), IpamPools: unknown})
		}},
		{operation: "ModifyIpPools", code: "ValidationError", why: "of a network load balancer", call: func(w *world) error {
			return pools(w, &sdk.ModifyIpPoolsInput{LoadBalancerArn: w.balancer("a", network), IpamPools: w.publicPool()})
		}},
	}, capacityRows()...)
}

// reservable lets the region reserve capacity, which takes a minute.
func reservable(o *elb.Options) {
	o.Quotas.ReservedCapacityUnits, o.Capacity = 20000, time.Minute
}

func reserve(lb *string, units int32) *sdk.ModifyCapacityReservationInput {
	return &sdk.ModifyCapacityReservationInput{LoadBalancerArn: lb, MinimumLoadBalancerCapacity: &elbtypes.MinimumLoadBalancerCapacity{CapacityUnits: aws.Int32(units)}}
}

// reserving is a row of ModifyCapacityReservation after others, a minute after each.
func reserving(code, why string, units ...int32) row {
	return row{operation: "ModifyCapacityReservation", code: code, why: why, options: reservable, call: func(w *world) error {
		lb := w.balancer("a")
		for _, n := range units[:len(units)-1] {
			have(w, w.api.ModifyCapacityReservation, reserve(lb, n))
			w.pass(time.Minute)
		}
		return ask(w, w.api.ModifyCapacityReservation, reserve(lb, units[len(units)-1]))
	}}
}

func capacityRows() []row {
	modify := func(w *world, in *sdk.ModifyCapacityReservationInput) error {
		return ask(w, w.api.ModifyCapacityReservation, in)
	}
	return []row{
		reserving("", "an application load balancer's", 100),
		reserving("", "two decreases", 1000, 900, 800),
		reserving("CapacityDecreaseRequestLimitExceeded", "a third decrease on a day", 1000, 900, 800, 700),
		reserving("CapacityUnitsLimitExceeded", "more than a load balancer may", 15001),
		reserving("InvalidConfigurationRequest", "too little", 99),
		{operation: "ModifyCapacityReservation", code: "CapacityUnitsLimitExceeded", why: "AWS's own quota is none", call: func(w *world) error {
			return modify(w, reserve(w.balancer("a"), 100))
		}},
		{operation: "ModifyCapacityReservation", code: "PriorRequestNotComplete", why: "before the last one is done", options: reservable, call: func(w *world) error {
			lb := w.balancer("a")
			have(w, w.api.ModifyCapacityReservation, reserve(lb, 100))
			return modify(w, reserve(lb, 200))
		}},
		{operation: "ModifyCapacityReservation", code: "InvalidConfigurationRequest", why: "with a TLS listener", options: reservable, call: func(w *world) error {
			lb := w.balancer("a", network)
			w.listener(lb, forward(w.group("t", speaking("TCP"))), w.secured, on("TLS", 443))
			return modify(w, reserve(lb, 9000))
		}},
		{operation: "ModifyCapacityReservation", code: "OperationNotPermitted", why: "of a gateway", options: reservable, call: func(w *world) error {
			return modify(w, reserve(w.balancer("a", gateway), 100))
		}},
		{operation: "ModifyCapacityReservation", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error { return modify(w, reserve(not(w.balancer("a")), 100)) }},
		{operation: "ModifyCapacityReservation", code: "ValidationError", why: "nothing", call: func(w *world) error {
			return modify(w, &sdk.ModifyCapacityReservationInput{LoadBalancerArn: w.balancer("a")})
		}},
		{operation: "DescribeCapacityReservation", why: "none", call: func(w *world) error {
			return ask(w, w.api.DescribeCapacityReservation, &sdk.DescribeCapacityReservationInput{LoadBalancerArn: w.balancer("a")})
		}},
		{operation: "DescribeCapacityReservation", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.DescribeCapacityReservation, &sdk.DescribeCapacityReservationInput{LoadBalancerArn: not(w.balancer("a"))})
		}},
	}
}
