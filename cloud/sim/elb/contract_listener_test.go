package elb_test

import (
	"fmt"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/elb"
)

// acting is what is wrong with actions wherever they stand. The actions are made for a load balancer with an HTTPS listener.
type acting struct {
	code, why string
	actions   func(w *world, listener *string) []elbtypes.Action
	options   func(o *elb.Options)
}

func signIn(order int32) elbtypes.Action {
	return elbtypes.Action{
		Type: elbtypes.ActionTypeEnumAuthenticateCognito, Order: aws.Int32(order),
		AuthenticateCognitoConfig: &elbtypes.AuthenticateCognitoActionConfig{
			UserPoolArn: aws.String(poolARN), UserPoolClientId: aws.String("c"), UserPoolDomain: aws.String("d"),
		},
	}
}

func then(order int32, actions []elbtypes.Action) elbtypes.Action {
	last := actions[0]
	last.Order = aws.Int32(order)
	return last
}

func actingRows() []acting {
	return []acting{
		{"", "one group", func(w *world, _ *string) []elbtypes.Action { return forward(w.group("g")) }, nil},
		{"", "signing in before a forward", func(w *world, _ *string) []elbtypes.Action {
			return []elbtypes.Action{signIn(1), then(2, forward(w.group("g")))}
		}, nil},
		{"InvalidLoadBalancerAction", "signing in with a client that cannot be used", func(*world, *string) []elbtypes.Action {
			other := signIn(1)
			other.AuthenticateCognitoConfig.UserPoolClientId = aws.String("other")
			return []elbtypes.Action{other, then(2, fixed())}
		}, nil},
		{"TargetGroupNotFound", "a group that is not there", func(w *world, _ *string) []elbtypes.Action { return forward(not(w.group("g"))) }, nil},
		{"IncompatibleProtocols", "a group of TCP", func(w *world, _ *string) []elbtypes.Action { return forward(w.group("g", speaking("TCP"))) }, nil},
		{"TargetGroupAssociationLimit", "a group of another load balancer", func(w *world, _ *string) []elbtypes.Action {
			group := w.group("g")
			w.listener(w.balancer("other"), forward(group))
			return forward(group)
		}, nil},
		{"InvalidLoadBalancerAction", "no action that answers", func(*world, *string) []elbtypes.Action { return []elbtypes.Action{signIn(1)} }, nil},
		{"InvalidLoadBalancerAction", "a redirect to itself", func(*world, *string) []elbtypes.Action {
			return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumRedirect, RedirectConfig: &elbtypes.RedirectActionConfig{StatusCode: "HTTP_301"}}}
		}, nil},
		{"InvalidLoadBalancerAction", "signing in before a group of gRPC", func(w *world, _ *string) []elbtypes.Action {
			return []elbtypes.Action{signIn(1), then(2, forward(w.group("g", func(in *sdk.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("GRPC") })))}
		}, nil},
		{"TooManyActions", "signing in twice", func(*world, *string) []elbtypes.Action {
			return []elbtypes.Action{signIn(1), signIn(2), then(3, fixed())}
		}, nil},
		{"TooManyTargets", "the load balancer's quota of targets", func(w *world, _ *string) []elbtypes.Action {
			group := w.group("g")
			w.register(group, targets(2)...)
			return forward(group)
		}, func(o *elb.Options) { o.Quotas.TargetsPerLoadBalancer = 1 }},
		{"TooManyRegistrationsForTargetId", "a target 1001 times", func(w *world, _ *string) []elbtypes.Action {
			group := w.group("g")
			w.register(group, targets(1001)...)
			return forward(group)
		}, plenty},
		{"TooManyUniqueTargetGroupsPerLoadBalancer", "101 groups", func(w *world, listener *string) []elbtypes.Action {
			for i := range int32(20) {
				var groups []*string
				for j := range 5 {
					groups = append(groups, w.group(fmt.Sprint("g", i, "x", j)))
				}
				w.rule(listener, i+1, forward(groups...))
			}
			return forward(w.group("g"))
		}, nil},
	}
}

// plenty lets groups and load balancers have more targets than one target may be registered times.
func plenty(o *elb.Options) {
	o.Quotas.TargetsPerGroup, o.Quotas.TargetsPerLoadBalancer = 2000, 5000
}

// everywhere makes rows of what is wrong with actions, for the four operations that take some.
func everywhere() []row {
	var rows []row
	for _, a := range actingRows() {
		for name, call := range map[string]func(w *world, lb, listener *string, actions []elbtypes.Action) error{
			"CreateListener": func(w *world, lb, _ *string, actions []elbtypes.Action) error {
				in := listenerInput(lb, actions)
				w.secured(in)
				return ask(w, w.api.CreateListener, in)
			},
			"ModifyListener": func(w *world, _, listener *string, actions []elbtypes.Action) error {
				return ask(w, w.api.ModifyListener, &sdk.ModifyListenerInput{ListenerArn: listener, DefaultActions: actions})
			},
			"CreateRule": func(w *world, _, listener *string, actions []elbtypes.Action) error {
				return ask(w, w.api.CreateRule, ruleInput(listener, 100, actions))
			},
			"ModifyRule": func(w *world, _, listener *string, actions []elbtypes.Action) error {
				rule := w.rule(listener, 100, fixed())
				return ask(w, w.api.ModifyRule, &sdk.ModifyRuleInput{RuleArn: rule, Actions: actions})
			},
		} {
			rows = append(rows, row{operation: name, code: a.code, why: a.why, options: a.options, call: func(w *world) error {
				lb := w.balancer("a")
				listener := w.listener(lb, fixed(), w.secured, on("HTTPS", 443))
				return call(w, lb, listener, a.actions(w, listener))
			}})
		}
	}
	return rows
}

// listening is a row of CreateListener and of ModifyListener: the same settings are wrong in both.
func listening(code, why string, change func(w *world, in *sdk.CreateListenerInput)) []row {
	return []row{
		{operation: "CreateListener", code: code, why: why, call: func(w *world) error {
			in := listenerInput(w.balancer("a"), fixed())
			w.secured(in)
			change(w, in)
			return ask(w, w.api.CreateListener, in)
		}},
		{operation: "ModifyListener", code: code, why: why, call: func(w *world) error {
			in := &sdk.CreateListenerInput{LoadBalancerArn: w.balancer("a")}
			l := w.listener(in.LoadBalancerArn, fixed(), w.secured)
			change(w, in)
			return ask(w, w.api.ModifyListener, &sdk.ModifyListenerInput{
				ListenerArn: l, Port: in.Port, Protocol: in.Protocol, Certificates: in.Certificates, SslPolicy: in.SslPolicy, AlpnPolicy: in.AlpnPolicy,
				DefaultActions: in.DefaultActions, MutualAuthentication: in.MutualAuthentication,
			})
		}},
	}
}

// streaming is a row of CreateListener of a network load balancer.
func streaming(code, why string, call func(w *world, lb *string) *sdk.CreateListenerInput) row {
	return row{operation: "CreateListener", code: code, why: why, call: func(w *world) error {
		return ask(w, w.api.CreateListener, call(w, w.balancer("n", network)))
	}}
}

// networkListener is a listener of a network load balancer in front of a group of the given protocol.
func networkListener(w *world, lb *string, p, behind elbtypes.ProtocolEnum) *sdk.CreateListenerInput {
	return &sdk.CreateListenerInput{LoadBalancerArn: lb, Port: aws.Int32(443), Protocol: p, DefaultActions: forward(w.group("g", speaking(behind)))}
}

func streamRows() []row {
	rows := []row{
		streaming("", "QUIC", func(w *world, lb *string) *sdk.CreateListenerInput { return networkListener(w, lb, "QUIC", "QUIC") }),
		streaming("", "TCP and QUIC", func(w *world, lb *string) *sdk.CreateListenerInput {
			return networkListener(w, lb, "TCP_QUIC", "TCP_QUIC")
		}),
		streaming("IncompatibleProtocols", "TCP_QUIC before QUIC", func(w *world, lb *string) *sdk.CreateListenerInput {
			return networkListener(w, lb, "TCP_QUIC", "QUIC")
		}),
		streaming("", "groups with weights", func(w *world, lb *string) *sdk.CreateListenerInput {
			in := networkListener(w, lb, "TCP", "TCP")
			in.DefaultActions = forward(w.group("one", speaking("TCP")), w.group("two", speaking("TCP")))
			return in
		}),
		streaming("InvalidConfigurationRequest", "QUIC beside UDP", func(w *world, lb *string) *sdk.CreateListenerInput {
			w.listener(lb, forward(w.group("u", speaking("UDP"))), on("UDP", 53))
			return networkListener(w, lb, "QUIC", "QUIC")
		}),
		streaming("DuplicateListener", "UDP on the port of TCP", func(w *world, lb *string) *sdk.CreateListenerInput {
			w.listener(lb, forward(w.group("t", speaking("TCP"))), on("TCP", 443))
			return networkListener(w, lb, "UDP", "UDP")
		}),
		streaming("InvalidConfigurationRequest", "mutual authentication", func(w *world, lb *string) *sdk.CreateListenerInput {
			in := networkListener(w, lb, "TLS", "TCP")
			w.secured(in)
			in.Protocol, in.MutualAuthentication = "TLS", &elbtypes.MutualAuthenticationAttributes{Mode: aws.String("passthrough")}
			return in
		}),
		streaming("InvalidLoadBalancerAction", "an answer of its own", func(_ *world, lb *string) *sdk.CreateListenerInput {
			return &sdk.CreateListenerInput{LoadBalancerArn: lb, Port: aws.Int32(80), Protocol: "TCP", DefaultActions: fixed()}
		}),
		{operation: "CreateListener", why: "an application load balancer behind", call: func(w *world) error {
			lb, _ := behind(w)
			n := w.balancer("n", network)
			groups := have(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{Names: []string{"behind"}}).TargetGroups
			err := ask(w, w.api.CreateListener, &sdk.CreateListenerInput{
				LoadBalancerArn: n, Port: aws.Int32(80), Protocol: "TCP", DefaultActions: forward(groups[0].TargetGroupArn),
			})
			if health := have(w, w.api.DescribeTargetHealth, &sdk.DescribeTargetHealthInput{TargetGroupArn: groups[0].TargetGroupArn}); *health.TargetHealthDescriptions[0].Target.Id != *lb {
				w.Errorf("the target is %v", health.TargetHealthDescriptions)
			}
			return err
		}},
		{operation: "CreateListener", why: "a gateway's has no port", call: func(w *world) error {
			group := w.group("g", speaking("GENEVE"), func(in *sdk.CreateTargetGroupInput) { in.Port = aws.Int32(6081) })
			return ask(w, w.api.CreateListener, &sdk.CreateListenerInput{LoadBalancerArn: w.balancer("gw", gateway), DefaultActions: forward(group)})
		}},
		{operation: "CreateListener", code: "ValidationError", why: "a gateway's with a port", call: func(w *world) error {
			return ask(w, w.api.CreateListener, listenerInput(w.balancer("gw", gateway), fixed()))
		}},
		{operation: "CreateListener", code: "InvalidConfigurationRequest", why: "TLS with a capacity reservation", options: reservable, call: func(w *world) error {
			lb := w.balancer("n", network)
			have(w, w.api.ModifyCapacityReservation, reserve(lb, 9000))
			in := networkListener(w, lb, "TLS", "TCP")
			w.secured(in)
			in.Protocol = "TLS"
			return ask(w, w.api.CreateListener, in)
		}},
	}
	for kind, code := range map[elbtypes.TargetGroupIpAddressTypeEnum]string{"ipv4": "InvalidConfigurationRequest", "ipv6": ""} {
		rows = append(rows, row{operation: "CreateListener", code: code, why: "UDP in dual-stack mode before " + string(kind), call: func(w *world) error {
			in := networkListener(w, w.dual("d"), "UDP", "UDP")
			in.DefaultActions = forward(w.group("u", speaking("UDP"), func(in *sdk.CreateTargetGroupInput) { in.IpAddressType = kind }))
			return ask(w, w.api.CreateListener, in)
		}})
	}
	return rows
}

func listenerRows() []row {
	describe := func(w *world, in *sdk.DescribeListenersInput) error { return ask(w, w.api.DescribeListeners, in) }
	rows := slices.Concat(everywhere(), streamRows(), certificateRows(), listenerAttributeRows(),
		listening("CertificateNotFound", "a certificate that is not there", func(w *world, in *sdk.CreateListenerInput) {
			in.Certificates = []elbtypes.Certificate{{CertificateArn: not(w.certificate("a.com"))}}
		}),
		listening("TooManyCertificates", "two certificates at once", func(w *world, in *sdk.CreateListenerInput) {
			in.Certificates = []elbtypes.Certificate{{CertificateArn: w.certificate("a.com")}, {CertificateArn: w.certificate("b.com")}}
		}),
		listening("SSLPolicyNotFound", "a policy that is not there", func(_ *world, in *sdk.CreateListenerInput) { in.SslPolicy = aws.String("none") }),
		listening("", "a policy of RFC 9151", func(_ *world, in *sdk.CreateListenerInput) {
			in.SslPolicy = aws.String("ELBSecurityPolicy-TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07")
		}),
		listening("InvalidConfigurationRequest", "an ALPN policy with HTTPS", func(_ *world, in *sdk.CreateListenerInput) { in.AlpnPolicy = []string{"None"} }),
		listening("DuplicateListener", "a port that is taken", func(w *world, in *sdk.CreateListenerInput) {
			w.listener(in.LoadBalancerArn, fixed(), on("HTTP", 8080))
			in.Port = aws.Int32(8080)
		}),
		listening("TrustStoreNotFound", "a trust store that is not there", func(w *world, in *sdk.CreateListenerInput) {
			in.MutualAuthentication = verifying(not(w.store("a")))
		}),
		listening("", "a trust store", func(w *world, in *sdk.CreateListenerInput) { in.MutualAuthentication = verifying(w.store("a")) }),
		listening("InvalidConfigurationRequest", "a third listener that verifies", func(w *world, in *sdk.CreateListenerInput) {
			store := w.store("a")
			for _, port := range []int32{8441, 8442} {
				w.listener(in.LoadBalancerArn, fixed(), w.secured, on("HTTPS", port), func(in *sdk.CreateListenerInput) { in.MutualAuthentication = verifying(store) })
			}
			in.MutualAuthentication = verifying(store)
		}),
	)
	for _, operation := range []string{"CreateListener", "ModifyListener"} {
		rows = append(rows, row{operation: operation, code: "ALPNPolicyNotFound", why: "an ALPN policy that is not there", call: func(w *world) error {
			in := networkListener(w, w.balancer("n", network), "TLS", "TCP")
			w.secured(in)
			in.Protocol = "TLS"
			if operation == "CreateListener" {
				in.AlpnPolicy = []string{"none"}
				return ask(w, w.api.CreateListener, in)
			}
			l := have(w, w.api.CreateListener, in).Listeners[0]
			return ask(w, w.api.ModifyListener, &sdk.ModifyListenerInput{ListenerArn: l.ListenerArn, AlpnPolicy: []string{"none"}})
		}})
	}
	return append(rows, []row{
		{operation: "CreateListener", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error {
			return ask(w, w.api.CreateListener, listenerInput(not(w.balancer("a")), fixed()))
		}},
		{operation: "CreateListener", code: "TooManyListeners", why: "the quota", call: func(w *world) error {
			lb := w.balancer("a")
			w.listener(lb, fixed())
			return ask(w, w.api.CreateListener, &sdk.CreateListenerInput{LoadBalancerArn: lb, Port: aws.Int32(81), Protocol: "HTTP", DefaultActions: fixed()})
		}, options: func(o *elb.Options) { o.Quotas.ListenersPerLoadBalancer = 1 }},
		{operation: "CreateListener", code: "TooManyTags", why: "51 tags", call: func(w *world) error {
			in := listenerInput(w.balancer("a"), fixed())
			in.Tags = tags(51)
			return ask(w, w.api.CreateListener, in)
		}},
		{operation: "ModifyListener", code: "ListenerNotFound", why: "none", call: func(w *world) error {
			return ask(w, w.api.ModifyListener, &sdk.ModifyListenerInput{ListenerArn: not(w.listener(w.balancer("a"), fixed()))})
		}},
		{operation: "ModifyListener", code: "InvalidConfigurationRequest", why: "the port of QUIC", call: func(w *world) error {
			l := have(w, w.api.CreateListener, networkListener(w, w.balancer("n", network), "QUIC", "QUIC")).Listeners[0]
			return ask(w, w.api.ModifyListener, &sdk.ModifyListenerInput{ListenerArn: l.ListenerArn, Port: aws.Int32(444)})
		}},
		{operation: "DescribeListeners", why: "of a load balancer", call: func(w *world) error {
			return describe(w, &sdk.DescribeListenersInput{LoadBalancerArn: w.balancer("a")})
		}},
		{operation: "DescribeListeners", code: "LoadBalancerNotFound", why: "of none", call: func(w *world) error {
			return describe(w, &sdk.DescribeListenersInput{LoadBalancerArn: not(w.balancer("a"))})
		}},
		{operation: "DescribeListeners", code: "ListenerNotFound", why: "one that is not there", call: func(w *world) error {
			return describe(w, &sdk.DescribeListenersInput{ListenerArns: []string{*not(w.listener(w.balancer("a"), fixed()))}})
		}},
		{operation: "DeleteListener", why: "one", call: func(w *world) error {
			return ask(w, w.api.DeleteListener, &sdk.DeleteListenerInput{ListenerArn: w.listener(w.balancer("a"), fixed())})
		}},
		{operation: "DeleteListener", code: "ListenerNotFound", why: "none", call: func(w *world) error {
			return ask(w, w.api.DeleteListener, &sdk.DeleteListenerInput{ListenerArn: not(w.listener(w.balancer("a"), fixed()))})
		}},
		{operation: "DeleteListener", code: "ResourceInUse", why: "a target's port", call: func(w *world) error {
			_, l := behind(w)
			return ask(w, w.api.DeleteListener, &sdk.DeleteListenerInput{ListenerArn: l})
		}},
		{operation: "DescribeSSLPolicies", why: "one", call: func(w *world) error {
			return ask(w, w.api.DescribeSSLPolicies, &sdk.DescribeSSLPoliciesInput{Names: []string{"ELBSecurityPolicy-2016-08"}})
		}},
		{operation: "DescribeSSLPolicies", code: "SSLPolicyNotFound", why: "one that is not there", call: func(w *world) error {
			return ask(w, w.api.DescribeSSLPolicies, &sdk.DescribeSSLPoliciesInput{Names: []string{"none"}})
		}},
	}...)
}

func certificateRows() []row {
	add := func(w *world, l, arn *string) error {
		return ask(w, w.api.AddListenerCertificates, &sdk.AddListenerCertificatesInput{ListenerArn: l, Certificates: []elbtypes.Certificate{{CertificateArn: arn}}})
	}
	remove := func(w *world, l, arn *string) error {
		return ask(w, w.api.RemoveListenerCertificates, &sdk.RemoveListenerCertificatesInput{ListenerArn: l, Certificates: []elbtypes.Certificate{{CertificateArn: arn}}})
	}
	secure := func(w *world) *string { return w.listener(w.balancer("a"), fixed(), w.secured) }
	describe := func(w *world, l *string) error {
		return ask(w, w.api.DescribeListenerCertificates, &sdk.DescribeListenerCertificatesInput{ListenerArn: l})
	}
	return []row{
		{operation: "AddListenerCertificates", why: "one", call: func(w *world) error { return add(w, secure(w), w.certificate("a.com")) }},
		{operation: "AddListenerCertificates", code: "ListenerNotFound", why: "to none", call: func(w *world) error { return add(w, not(secure(w)), w.certificate("a.com")) }},
		{operation: "AddListenerCertificates", code: "CertificateNotFound", why: "one that is not there", call: func(w *world) error {
			return add(w, secure(w), not(w.certificate("a.com")))
		}},
		{operation: "AddListenerCertificates", code: "TooManyCertificates", why: "the quota", call: func(w *world) error {
			l := secure(w)
			if err := add(w, l, w.certificate("a.com")); err != nil {
				return err
			}
			return add(w, l, w.certificate("b.com"))
		}, options: func(o *elb.Options) { o.Quotas.CertificatesPerLoadBalancer = 1 }},
		{operation: "RemoveListenerCertificates", why: "one that is not there", call: func(w *world) error { return remove(w, secure(w), w.certificate("a.com")) }},
		{operation: "RemoveListenerCertificates", code: "ListenerNotFound", why: "of none", call: func(w *world) error { return remove(w, not(secure(w)), w.certificate("a.com")) }},
		{operation: "RemoveListenerCertificates", code: "OperationNotPermitted", why: "the default one", call: func(w *world) error {
			l := secure(w)
			held := have(w, w.api.DescribeListenerCertificates, &sdk.DescribeListenerCertificatesInput{ListenerArn: l}).Certificates
			return remove(w, l, held[0].CertificateArn)
		}},
		{operation: "DescribeListenerCertificates", why: "all", call: func(w *world) error { return describe(w, secure(w)) }},
		{operation: "DescribeListenerCertificates", code: "ListenerNotFound", why: "of none", call: func(w *world) error { return describe(w, not(secure(w))) }},
	}
}

func listenerAttributeRows() []row {
	modify := func(w *world, l *string, pairs ...string) error {
		in := &sdk.ModifyListenerAttributesInput{ListenerArn: l}
		for i := 0; i < len(pairs); i += 2 {
			in.Attributes = append(in.Attributes, elbtypes.ListenerAttribute{Key: &pairs[i], Value: &pairs[i+1]})
		}
		return ask(w, w.api.ModifyListenerAttributes, in)
	}
	plain := func(w *world) *string { return w.listener(w.balancer("a"), fixed()) }
	describe := func(w *world, l *string) error {
		return ask(w, w.api.DescribeListenerAttributes, &sdk.DescribeListenerAttributesInput{ListenerArn: l})
	}
	return []row{
		{operation: "DescribeListenerAttributes", why: "all", call: func(w *world) error { return describe(w, plain(w)) }},
		{operation: "DescribeListenerAttributes", code: "ListenerNotFound", why: "of none", call: func(w *world) error { return describe(w, not(plain(w))) }},
		{operation: "ModifyListenerAttributes", why: "a header", call: func(w *world) error { return modify(w, plain(w), "routing.http.response.server.enabled", "false") }},
		{operation: "ModifyListenerAttributes", code: "ListenerNotFound", why: "of none", call: func(w *world) error {
			return modify(w, not(plain(w)), "routing.http.response.server.enabled", "false")
		}},
		{operation: "ModifyListenerAttributes", code: "ValidationError", why: "the idle timeout of TCP", call: func(w *world) error { return modify(w, plain(w), "tcp.idle_timeout.seconds", "100") }},
		{operation: "ModifyListenerAttributes", code: "InvalidConfigurationRequest", why: "one name for two headers", call: func(w *world) error {
			return modify(w, w.listener(w.balancer("a"), fixed(), w.secured),
				"routing.http.request.x_amzn_tls_version.header_name", "X-A", "routing.http.request.x_amzn_tls_cipher_suite.header_name", "x-a")
		}},
	}
}
