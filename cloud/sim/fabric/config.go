package fabric

import (
	"crypto/tls"
	"net/netip"

	types "github.com/aws/aws-sdk-go-v2/service/vpclattice/types"
)

// Config is everything that the fabric forwards by. It is replaced as a whole; nothing in it may be changed once it was handed over.
type Config struct {
	Entrances []Entrance
}

// Entrance is the association of a VPC with a service network. Who connects to its address is taken for a client in that VPC.
type Entrance struct {
	// Address is the loopback address that stands for the link-local addresses which VPC Lattice has in every VPC.
	Address netip.Addr
	// VPC and Owner are the client's VPC and the account that has it, VPCARN its name in headers.
	VPC, VPCARN, Owner string
	NetworkARN         string
	// Auth is that of the service network.
	Auth     Auth
	Services []*Service
}

// Auth is the auth type of a service network or service, with the auth policy.
type Auth struct {
	// Required says that the type is AWS_IAM: without a policy nobody gets in.
	Required bool
	Policy   string
}

// Service is a service as its clients see it.
type Service struct {
	ARN string
	// Name is the name that AWS gave it, Domain its custom domain name or empty.
	Name, Domain string
	Auth         Auth
	// Managed serves TLS for Name. Certificate is the owner's for Domain; nil without one.
	Managed, Certificate *tls.Certificate
	Listeners            []Listener
}

// Listener is a port of a service.
type Listener struct {
	Port     int
	Protocol types.ListenerProtocol
	// Rules in evaluation order; the last one is the default rule, without a match. Target groups are named by ARN.
	Rules []Rule
}

// Rule is a rule in the shapes of the API.
type Rule struct {
	Match  types.RuleMatch
	Action types.RuleAction
}
