package dataplane

import (
	"crypto/tls"
	"crypto/x509"
	"net/netip"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Config is everything that the data plane forwards by: the state of the control plane at one moment. It is replaced as a whole.
// Neither it nor anything that it refers to may be changed once it was handed over: requests read it, and the next one is compared with it.
type Config struct {
	LoadBalancers []LoadBalancer
	// TargetGroups by ARN.
	TargetGroups map[string]TargetGroup
}

// LoadBalancer is one application or network load balancer that takes traffic. The protocols of its listeners say which.
type LoadBalancer struct {
	ARN     string
	DNSName string
	// Address is the loopback address that all its listeners bind.
	Address netip.Addr
	// Attributes are the effective load balancer attributes (AWS keys, AWS string values).
	Attributes map[string]string
	// Zones are the availability zones in which it has nodes. All nodes share the address; each connection comes to one of them in turn.
	Zones     []string
	Listeners []Listener
}

// Listener is one port of a load balancer.
type Listener struct {
	ARN string
	// Port is the listener port as AWS knows it. The server adds its port offset when it binds.
	Port int
	// Protocol is HTTP or HTTPS for an application, TCP, UDP, TCP_UDP, TLS, QUIC or TCP_QUIC for a network load balancer.
	Protocol string
	// ALPN is the policy of a TLS listener, such as HTTP2Optional. Empty is None.
	ALPN string
	// Certificates serve HTTPS and TLS: the first is the default, the others are chosen by SNI.
	Certificates []*tls.Certificate
	// CertificateARNs name the certificates in logs, by their positions. It may be shorter.
	CertificateARNs []string
	Policy          Policy
	MutualTLS       MutualTLS
	Attributes      map[string]string
	// Rules in evaluation order; the last one is the default rule, without conditions.
	Rules []Rule
}

// Policy is a security policy as DescribeSSLPolicies shows it. The zero value is TLS 1.2 and 1.3 with today's ciphers. A name stands for
// the same policy forever.
type Policy struct {
	Name string
	// Protocols are AWS's words, TLSv1 to TLSv1.3.
	Protocols []string
	// Ciphers are OpenSSL's names.
	Ciphers []string
}

// MutualTLS says what is asked of a client's certificate (MutualAuthenticationAttributes of the API).
type MutualTLS struct {
	// Mode is off, passthrough or verify; empty is off.
	Mode string
	// IgnoreExpiry lets clients in whose certificate is past its time.
	IgnoreExpiry bool
	// AdvertiseNames tells clients the names of the trust store's authorities.
	AdvertiseNames bool
	// Trust is what certificates are verified against. Without it nobody gets in. It is compared by identity.
	Trust *TrustStore
}

// TrustStore holds the authorities of a trust store and what they have revoked.
type TrustStore struct {
	Authorities []*x509.Certificate
	Revocations []*x509.RevocationList
}

// Rule is one listener rule in the shapes of the API.
type Rule struct {
	ARN        string
	Conditions []elbtypes.RuleCondition
	Actions    []elbtypes.Action
	Transforms []elbtypes.RuleTransform
	// Priority is 0 for the default rule.
	Priority int
	// Secrets holds the secrets of clients of identity providers by their identifiers. They are in no log and no answer.
	Secrets map[string]string
}

// TargetGroup is a target group with its targets.
type TargetGroup struct {
	// Settings holds protocol, version, port and health check as DescribeTargetGroups returns them.
	Settings elbtypes.TargetGroup
	// Attributes are the effective target group attributes: what is left to the load balancer is filled in.
	Attributes map[string]string
	Targets    []Target
	// InUse says that a listener or rule refers to the group. A group that is not in use is not probed.
	InUse bool
	// Lattice is set for a target group of VPC Lattice.
	Lattice *LatticeGroup
}

// Target is one registered target.
type Target struct {
	ID   string
	Port int
	Zone string
	// Address is where the target is reached when its ID is no IP address (an instance). Not set, the ID is the address.
	Address netip.Addr
	// Balancer says that the target is a listener of the load balancer at Address: like that, its port is bound with the offset.
	Balancer bool
	// Draining targets take no new requests.
	Draining bool
}
