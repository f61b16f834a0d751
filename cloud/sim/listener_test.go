package sim_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/contract"
)

func secureInput(lb elbtypes.LoadBalancer, certificate *string) *elb.CreateListenerInput {
	return &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps, DefaultActions: fixed("404"),
		Certificates: []elbtypes.Certificate{{CertificateArn: certificate}},
	}
}

func TestCreateListenerErrors(t *testing.T) {
	f := start(t)
	lb, other := f.balancer("web"), f.balancer("other")
	group, foreign := f.group("mine"), f.group("foreign")
	f.listener(other, 80, forward(foreign))
	f.listener(lb, 80, fixed("404"))
	certificate := f.certificate("example.com")
	grpc := f.group("grpc", func(in *elb.CreateTargetGroupInput) { in.ProtocolVersion = aws.String("GRPC") })
	pending, err := f.acm.RequestCertificate(t.Context(), &acm.RequestCertificateInput{DomainName: aws.String("example.org")})
	waiting := contract.Must(t, pending, err).CertificateArn
	rows := []struct {
		why, code string
		change    func(*elb.CreateListenerInput)
	}{
		{"a port is needed", "ValidationError", func(in *elb.CreateListenerInput) { in.Port = nil }},
		{"a port has a range", "ValidationError", func(in *elb.CreateListenerInput) { in.Port = aws.Int32(70000) }},
		{"a protocol is needed", "ValidationError", func(in *elb.CreateListenerInput) { in.Protocol = "" }},
		{"TCP is not for application load balancers", "ValidationError", func(in *elb.CreateListenerInput) { in.Protocol = elbtypes.ProtocolEnumTcp }},
		{"HTTPS needs a certificate", "ValidationError", func(in *elb.CreateListenerInput) { in.Protocol = elbtypes.ProtocolEnumHttps }},
		{"HTTP takes no certificate", "InvalidConfigurationRequest", func(in *elb.CreateListenerInput) {
			in.Certificates = []elbtypes.Certificate{{CertificateArn: certificate}}
		}},
		{"certificates exist", "CertificateNotFound", func(in *elb.CreateListenerInput) { *in = *secureInput(lb, aws.String(*certificate+"0")) }},
		{"certificates are issued", "UnsupportedCertificate", func(in *elb.CreateListenerInput) { *in = *secureInput(lb, waiting) }},
		{"policies exist", "SSLPolicyNotFound", func(in *elb.CreateListenerInput) {
			*in = *secureInput(lb, certificate)
			in.SslPolicy = aws.String("ELBSecurityPolicy-None")
		}},
		{"trust stores exist", "TrustStoreNotFound", func(in *elb.CreateListenerInput) {
			*in = *secureInput(lb, certificate)
			in.MutualAuthentication = &elbtypes.MutualAuthenticationAttributes{
				Mode: aws.String("verify"), TrustStoreArn: aws.String("arn:aws:elasticloadbalancing:us-west-2:123456789012:truststore/none/0123456789abcdef"),
			}
		}},
		{"an expiry is ignored only when verified", "InvalidConfigurationRequest", func(in *elb.CreateListenerInput) {
			*in = *secureInput(lb, certificate)
			in.MutualAuthentication = &elbtypes.MutualAuthenticationAttributes{Mode: aws.String("off"), IgnoreClientCertificateExpiry: aws.Bool(true)}
		}},
		{"the port is taken", "DuplicateListener", func(in *elb.CreateListenerInput) { in.Port, in.DefaultActions = aws.Int32(80), fixed("503") }},
		{"the same again is the same", "", func(in *elb.CreateListenerInput) { in.Port, in.DefaultActions = aws.Int32(80), fixed("404") }},
		{"load balancers exist", "LoadBalancerNotFound", func(in *elb.CreateListenerInput) { in.LoadBalancerArn = aws.String(*lb.LoadBalancerArn + "0") }},
		{"target groups exist", "TargetGroupNotFound", func(in *elb.CreateListenerInput) { in.DefaultActions = forward(aws.String(*group + "0")) }},
		{"a target group has one load balancer", "TargetGroupAssociationLimit", func(in *elb.CreateListenerInput) { in.DefaultActions = forward(foreign) }},
		{"gRPC needs HTTPS", "InvalidConfigurationRequest", func(in *elb.CreateListenerInput) { in.DefaultActions = forward(grpc) }},
		{"actions are needed", "ValidationError", func(in *elb.CreateListenerInput) { in.DefaultActions = []elbtypes.Action{} }},
		{"signing in needs HTTPS", "InvalidLoadBalancerAction", func(in *elb.CreateListenerInput) {
			in.DefaultActions = []elbtypes.Action{
				{Type: elbtypes.ActionTypeEnumAuthenticateCognito, Order: aws.Int32(1), AuthenticateCognitoConfig: &elbtypes.AuthenticateCognitoActionConfig{
					UserPoolArn: aws.String("arn:aws:cognito-idp:us-west-2:1:userpool/x"), UserPoolClientId: aws.String("c"), UserPoolDomain: aws.String("d"),
				}},
				{Type: elbtypes.ActionTypeEnumForward, Order: aws.Int32(2), TargetGroupArn: group},
			}
		}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			in := &elb.CreateListenerInput{
				LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(8080), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: forward(group),
			}
			row.change(in)
			_, err := f.elb.CreateListener(t.Context(), in)
			contract.WantCode(t, err, row.code)
		})
	}
	out, err := f.elb.DescribeListeners(t.Context(), &elb.DescribeListenersInput{LoadBalancerArn: lb.LoadBalancerArn})
	if n := len(contract.Must(t, out, err).Listeners); n != 1 {
		t.Errorf("%d listeners, want the first one only", n)
	}
}

func TestListenerLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	lb := f.balancer("web")
	first, second := f.certificate("example.com"), f.certificate("www.example.com")
	made, err := f.elb.CreateListener(t.Context(), secureInput(lb, first))
	listener := contract.Must(t, made, err).Listeners[0]
	if *listener.SslPolicy != "ELBSecurityPolicy-2016-08" || *listener.MutualAuthentication.Mode != "off" {
		t.Errorf("defaults: %s %s", *listener.SslPolicy, *listener.MutualAuthentication.Mode)
	}
	arn := listener.ListenerArn
	f.Pass(1)
	_, err = f.elb.ModifyListener(t.Context(), &elb.ModifyListenerInput{
		ListenerArn: arn, Port: aws.Int32(8443), SslPolicy: aws.String("ELBSecurityPolicy-TLS13-1-2-2021-06"),
		Certificates: []elbtypes.Certificate{{CertificateArn: second}},
	})
	contract.WantCode(t, err, "")
	_, err = f.elb.ModifyListener(t.Context(), &elb.ModifyListenerInput{ListenerArn: arn, Protocol: elbtypes.ProtocolEnumHttp})
	contract.WantCode(t, err, "")
	_, err = f.elb.ModifyListener(t.Context(), &elb.ModifyListenerInput{ListenerArn: arn, Protocol: elbtypes.ProtocolEnumHttps})
	contract.WantCode(t, err, "ValidationError")
	f.listener(lb, 80, fixed("200"))
	_, err = f.elb.ModifyListener(t.Context(), &elb.ModifyListenerInput{ListenerArn: arn, Port: aws.Int32(80)})
	contract.WantCode(t, err, "DuplicateListener")
	out, err := f.elb.DescribeListeners(t.Context(), &elb.DescribeListenersInput{ListenerArns: []string{*arn}})
	got := contract.Must(t, out, err).Listeners[0]
	if *got.Port != 8443 || got.Protocol != elbtypes.ProtocolEnumHttp || got.SslPolicy != nil || len(got.Certificates) != 0 {
		t.Errorf("after modifying: %+v", got)
	}
	_, err = f.elb.DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: arn})
	contract.WantCode(t, err, "")
	_, err = f.elb.DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: arn})
	contract.WantCode(t, err, "ListenerNotFound")
	_, err = f.elb.DescribeListeners(t.Context(), &elb.DescribeListenersInput{})
	contract.WantCode(t, err, "ValidationError")
}

func TestListenerQuota(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.Quotas.ListenersPerLoadBalancer = 1 })
	lb := f.balancer("web")
	f.listener(lb, 80, fixed("200"))
	_, err := f.elb.CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: lb.LoadBalancerArn, Port: aws.Int32(81), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: fixed("200"),
	})
	contract.WantCode(t, err, "TooManyListeners")
}

func TestListenerCertificates(t *testing.T) {
	t.Parallel()
	f := start(t, func(o *sim.Options) { o.Quotas.CertificatesPerLoadBalancer = 2 })
	lb := f.balancer("web")
	byDefault := f.certificate("example.com")
	made, err := f.elb.CreateListener(t.Context(), secureInput(lb, byDefault))
	arn := contract.Must(t, made, err).Listeners[0].ListenerArn
	add := func(certificate *string) error {
		_, err := f.elb.AddListenerCertificates(t.Context(), &elb.AddListenerCertificatesInput{
			ListenerArn: arn, Certificates: []elbtypes.Certificate{{CertificateArn: certificate}},
		})
		return err
	}
	remove := func(certificate *string) error {
		_, err := f.elb.RemoveListenerCertificates(t.Context(), &elb.RemoveListenerCertificatesInput{
			ListenerArn: arn, Certificates: []elbtypes.Certificate{{CertificateArn: certificate}},
		})
		return err
	}
	one, two, three := f.certificate("a.example.com"), f.certificate("b.example.com"), f.certificate("c.example.com")
	for _, c := range []*string{one, two, one} {
		contract.WantCode(t, add(c), "")
	}
	contract.WantCode(t, add(three), "TooManyCertificates")
	contract.WantCode(t, add(aws.String(*one+"0")), "CertificateNotFound")
	contract.WantCode(t, remove(byDefault), "OperationNotPermitted")
	contract.WantCode(t, remove(three), "")
	_, err = f.acm.DeleteCertificate(t.Context(), &acm.DeleteCertificateInput{CertificateArn: one})
	contract.WantCode(t, err, "ResourceInUseException")
	contract.WantCode(t, remove(one), "")
	_, err = f.acm.DeleteCertificate(t.Context(), &acm.DeleteCertificateInput{CertificateArn: one})
	contract.WantCode(t, err, "")
	out, err := f.elb.DescribeListenerCertificates(t.Context(), &elb.DescribeListenerCertificatesInput{ListenerArn: arn})
	var got []string
	for _, c := range contract.Must(t, out, err).Certificates {
		got = append(got, fmt.Sprint(*c.CertificateArn, *c.IsDefault))
	}
	if diff := cmp.Diff([]string{*byDefault + "true", *two + "false"}, got); diff != "" {
		t.Error(diff)
	}
}

// TestPortsOfTargetsStay registers a listener as a target, whose port then can be neither changed nor deleted.
func TestPortsOfTargetsStay(t *testing.T) {
	t.Parallel()
	f := start(t)
	web := f.balancer("web")
	l := f.listener(web, 80, fixed("200"))
	group := f.group("alb", func(in *elb.CreateTargetGroupInput) {
		in.TargetType, in.Protocol, in.Port = elbtypes.TargetTypeEnumAlb, elbtypes.ProtocolEnumTcp, aws.Int32(80)
	})
	contract.WantCode(t, f.register(group, address(*web.LoadBalancerArn, 80)), "")
	modify := func(in *elb.ModifyListenerInput) error {
		in.ListenerArn = l
		_, err := f.elb.ModifyListener(t.Context(), in)
		return err
	}
	contract.WantCode(t, modify(&elb.ModifyListenerInput{Port: aws.Int32(81)}), "ResourceInUse")
	contract.WantCode(t, modify(&elb.ModifyListenerInput{DefaultActions: fixed("404")}), "")
	_, err := f.elb.DeleteListener(t.Context(), &elb.DeleteListenerInput{ListenerArn: l})
	contract.WantCode(t, err, "ResourceInUse")
	contract.WantCode(t, f.deregister(group, address(*web.LoadBalancerArn, 80)), "")
	contract.WantCode(t, modify(&elb.ModifyListenerInput{Port: aws.Int32(81)}), "")
}
