package elb

import (
	"crypto/tls"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) certificateOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AddListenerCertificates", s.addListenerCertificates),
		wire.Writes("RemoveListenerCertificates", s.removeListenerCertificates),
		wire.Reads("DescribeListenerCertificates", s.describeListenerCertificates),
	}
}

// defaultPolicy is what callers of the API get who name none (ALB user guide, "Security policies").
const defaultPolicy = "ELBSecurityPolicy-2016-08"

// checkSecurity checks certificates, policies and mutual authentication, and fills in their defaults.
func (s *State) checkSecurity(l *listener) error {
	if !secure(l.Protocol) {
		if len(l.Certificates) > 0 || l.SslPolicy != nil {
			return unfit("Certificates and SSL policies are supported only for listeners with protocol HTTPS or TLS, not '%s'", l.Protocol)
		}
		if l.MutualAuthentication != nil || len(l.AlpnPolicy) > 0 {
			return unfit("Mutual authentication and ALPN policies are not supported for listeners with protocol '%s'", l.Protocol)
		}
		return nil
	}
	if len(l.Certificates) == 0 {
		return invalid("A certificate must be specified for HTTPS and TLS listeners")
	}
	if len(l.Certificates) > 1 {
		return wire.Errorf("TooManyCertificates", "A listener is given one certificate, its default certificate; others are added to it")
	}
	given := l.Certificates[0]
	if given.IsDefault != nil {
		return invalid("IsDefault cannot be specified for the certificate of a listener")
	}
	if err := s.checkCertificate(given.CertificateArn); err != nil {
		return err
	}
	if l.SslPolicy == nil {
		l.SslPolicy = aws.String(defaultPolicy)
	}
	if !knownPolicy(*l.SslPolicy) {
		return wire.Errorf("SSLPolicyNotFound", "SSL policy '%s' not found", *l.SslPolicy)
	}
	if err := checkALPN(l); err != nil {
		return err
	}
	return s.checkMutual(l)
}

// checkCertificate demands a certificate that exists and can be used.
func (s *State) checkCertificate(arn *string) error {
	if aws.ToString(arn) == "" {
		return invalid("A certificate ARN must be specified")
	}
	c, ok := s.findCertificate(*arn)
	if !ok {
		return wire.Errorf("CertificateNotFound", "Certificate '%s' not found", *arn)
	}
	if !c.Usable {
		return wire.Errorf("UnsupportedCertificate", "The certificate '%s' must have a fully-qualified domain name, a supported signature, "+
			"and a supported key size.", *arn)
	}
	return nil
}

func (s *State) findCertificate(arn string) (cert.Found, bool) {
	for _, held := range s.certificates {
		if c, ok := held.Find(arn); ok {
			return c, true
		}
	}
	return cert.Found{}, false
}

// tlsCertificate gives a certificate with its key, wherever it is held.
func (s *State) tlsCertificate(arn string) (*tls.Certificate, bool) {
	for _, held := range s.certificates {
		if c, ok := held.TLS(arn); ok {
			return c, true
		}
	}
	return nil, false
}

func checkALPN(l *listener) error {
	if len(l.AlpnPolicy) == 0 {
		return nil
	}
	if l.Protocol != elbtypes.ProtocolEnumTls || len(l.AlpnPolicy) != 1 {
		return unfit("One ALPN policy can be specified, for TLS listeners only")
	}
	known := []string{"HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"}
	if !slices.Contains(known, l.AlpnPolicy[0]) {
		return wire.Errorf("ALPNPolicyNotFound", "ALPN policy '%s' is not supported", l.AlpnPolicy[0])
	}
	return nil
}

// checkMutual checks mutual authentication and fills in its defaults.
func (s *State) checkMutual(l *listener) error {
	if !isApplication(l.balancer) {
		if l.MutualAuthentication != nil {
			return unfit("Mutual authentication is supported only for HTTPS listeners")
		}
		return nil
	}
	if l.MutualAuthentication == nil {
		l.MutualAuthentication = &elbtypes.MutualAuthenticationAttributes{Mode: aws.String("off")}
		return nil
	}
	m := *l.MutualAuthentication
	l.MutualAuthentication = &m
	// What AWS tells of a shared trust store is not for the caller to say.
	m.TrustStoreAssociationStatus = ""
	switch aws.ToString(m.Mode) {
	case "off", "passthrough":
		if m.TrustStoreArn != nil || m.IgnoreClientCertificateExpiry != nil || m.AdvertiseTrustStoreCaNames != "" {
			return unfit("A trust store and its settings can be specified only with mutual authentication mode 'verify'")
		}
		return nil
	case "verify":
		if m.TrustStoreArn == nil {
			return invalid("A trust store ARN must be specified for mutual authentication mode 'verify'")
		}
		fill(&m.IgnoreClientCertificateExpiry, false)
		if m.AdvertiseTrustStoreCaNames == "" {
			m.AdvertiseTrustStoreCaNames = elbtypes.AdvertiseTrustStoreCaNamesEnumOff
		}
		return s.checkTrust(l)
	default:
		return invalid("Mutual authentication mode '%s' must be one of 'off, passthrough, verify'", aws.ToString(m.Mode))
	}
}

// checkTrust demands a trust store that is ready, and holds the quota of listeners that verify.
func (s *State) checkTrust(l *listener) error {
	t, err := s.trustStore(l.MutualAuthentication.TrustStoreArn)
	if err != nil {
		return err
	}
	if s.now().Before(t.ready) {
		return wire.Errorf("TrustStoreNotReady", "Trust store '%s' is not active", *t.TrustStoreArn)
	}
	verifying := 0
	for _, other := range l.balancer.listeners {
		same := aws.ToInt32(other.Port) == aws.ToInt32(l.Port) || aws.ToString(other.ListenerArn) == aws.ToString(l.ListenerArn)
		if _, ok := trustStoreOf(other); ok && !same {
			verifying++
		}
	}
	if verifying >= listenersVerifyingPerBalancer {
		return unfit("A load balancer can have at most '%d' listeners with mutual authentication mode 'verify'", listenersVerifyingPerBalancer)
	}
	return nil
}

// secureListener finds a listener that has certificates, and the one certificate of a call.
func (s *State) secureListener(arn *string, given []elbtypes.Certificate) (*listener, string, error) {
	l, err := s.listener(arn)
	if err != nil {
		return nil, "", err
	}
	if !secure(l.Protocol) {
		return nil, "", unfit("Certificates are supported only for listeners with protocol HTTPS or TLS, not '%s'", l.Protocol)
	}
	if len(given) != 1 {
		return nil, "", invalid("Exactly one certificate must be specified")
	}
	if given[0].IsDefault != nil {
		return nil, "", invalid("IsDefault cannot be specified")
	}
	return l, aws.ToString(given[0].CertificateArn), nil
}

func (s *State) addListenerCertificates(in *sdk.AddListenerCertificatesInput) (*sdk.AddListenerCertificatesOutput, error) {
	l, arn, err := s.secureListener(in.ListenerArn, in.Certificates)
	if err != nil {
		return nil, err
	}
	if err := s.checkCertificate(&arn); err != nil {
		return nil, err
	}
	if !slices.Contains(l.certificates, arn) {
		count := 0
		for _, other := range l.balancer.listeners {
			count += len(other.certificates)
		}
		if count >= s.options.Quotas.CertificatesPerLoadBalancer {
			return nil, wire.Errorf("TooManyCertificates", "You've reached the limit on the number of certificates per load balancer")
		}
		s.index.removeListener(l)
		l.certificates = append(slices.Clone(l.certificates), arn)
		s.index.addListener(l)
	}
	return &sdk.AddListenerCertificatesOutput{
		Certificates: []elbtypes.Certificate{{CertificateArn: aws.String(arn), IsDefault: aws.Bool(false)}},
	}, nil
}

func (s *State) removeListenerCertificates(in *sdk.RemoveListenerCertificatesInput) (*sdk.RemoveListenerCertificatesOutput, error) {
	l, arn, err := s.secureListener(in.ListenerArn, in.Certificates)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(l.certificates, arn) && aws.ToString(l.Certificates[0].CertificateArn) == arn {
		return nil, wire.Errorf("OperationNotPermitted", "The default certificate of a listener cannot be removed")
	}
	s.index.removeListener(l)
	l.certificates = slices.DeleteFunc(slices.Clone(l.certificates), func(held string) bool { return held == arn })
	s.index.addListener(l)
	return &sdk.RemoveListenerCertificatesOutput{}, nil
}

func (s *State) describeListenerCertificates(in *sdk.DescribeListenerCertificatesInput) (*sdk.DescribeListenerCertificatesOutput, error) {
	l, err := s.listener(in.ListenerArn)
	if err != nil {
		return nil, err
	}
	all := []elbtypes.Certificate{}
	for _, c := range l.Certificates {
		all = append(all, elbtypes.Certificate{CertificateArn: c.CertificateArn, IsDefault: aws.Bool(true)})
	}
	for _, arn := range l.certificates {
		all = append(all, elbtypes.Certificate{CertificateArn: aws.String(arn), IsDefault: aws.Bool(false)})
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	return &sdk.DescribeListenerCertificatesOutput{Certificates: some, NextMarker: next}, err
}

// usesCertificate lists the load balancers whose listeners use a certificate.
func (s *State) usesCertificate(arn string) []string { return balancersOf(s.index.certified[arn]) }
