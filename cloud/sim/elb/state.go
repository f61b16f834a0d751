package elb

import (
	"crypto/tls"
	"net/netip"
	"slices"
	"time"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/cognito"
	iampolicy "github.com/headgate/headgate/cloud/sim/policy"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// State is everything that the service holds.
type State struct {
	account      *account.Account
	network      *vpc.Network
	certificates []Certificates
	options      Options

	balancers table.Table[*loadBalancer]
	listeners table.Table[*listener]
	rules     table.Table[*rule]
	groups    table.Table[*targetGroup]
	stores    table.Table[*trustStore]
	tags      map[string]map[string]string
	// nextAddress is the last loopback address that a load balancer got: the next one follows it in the pool.
	nextAddress netip.Addr
	// made counts the target groups, for their order.
	made  int
	index index
}

// Options say how long things take on AWS and what the caller allows. Durations are before the account's speed divides them.
type Options struct {
	// Provisioning is how long a load balancer takes until it is active.
	Provisioning time.Duration
	// Linger is how long the network interfaces of a load balancer stay after it gave them up.
	Linger time.Duration
	// Check is how long a target stays initial where no data plane probes it.
	Check time.Duration
	// TrustStore is how long a trust store is CREATING, and Capacity how long a capacity reservation is pending. Zero is AWS's time, a
	// negative one none.
	TrustStore, Capacity time.Duration
	// AllowLoopbackTargets lets 127.0.0.0/8 be registered, which AWS refuses.
	AllowLoopbackTargets bool
	// Addresses is the pool of loopback addresses of the data plane.
	Addresses netip.Prefix
	// Quotas replaces AWS's defaults; a zero field keeps its default.
	Quotas Quotas
	// ServerCertificates are those of IAM, which listeners may name as those of ACM. Nil: there are none.
	ServerCertificates Certificates
	// UserPools are the user pools of Cognito that listeners may sign in with. Nil: there are none.
	UserPools UserPools
	// Bundles is where trust stores get their certificates and revocation lists from. Nil: there is no bucket.
	Bundles Bundles
	// ConstrainedZones are the names of the zones that take no more load balancers.
	ConstrainedZones []string
	// Health asks the data plane how the targets of a group are. Nil or false: there is no data plane that probes it.
	Health func(arn string) (map[Target]Health, bool)
}

// Certificates holds certificates that listeners may name.
type Certificates interface {
	// Find says of a certificate what a listener must know; false: there is none of that ARN.
	Find(arn string) (cert.Found, bool)
	// TLS gives a certificate with its key.
	TLS(arn string) (*tls.Certificate, bool)
	// UsedBy is told how to find the load balancers that use a certificate.
	UsedBy(find func(arn string) []string)
}

// UserPools knows the app clients of Cognito.
type UserPools interface {
	// Client gives a client that a load balancer can sign in with. The error says, as AWS does, why it cannot.
	Client(poolARN, clientID, domain string) (cognito.Client, error)
}

// Bundles reads objects of S3, and knows who may write others.
type Bundles interface {
	// Object gives an object's bytes; an empty version is the current one. Any error means that it is not there for the caller.
	Object(bucket, key, version string) ([]byte, error)
	// Permits says whether a bucket's policy allows a call; known is false where there is no such bucket.
	Permits(bucket string, who iampolicy.Caller, call iampolicy.Call) (allowed, known bool)
}

// Target names a registered target: its address, instance or ARN, and port.
type Target struct {
	ID   string
	Port int
}

// Health is what a data plane knows of a target.
type Health struct {
	elbtypes.TargetHealth

	// Anomaly is what is told of a target to those who ask for it.
	Anomaly elbtypes.AnomalyDetection
}

// loadBalancer is a load balancer with its listeners in the order of their ports.
type loadBalancer struct {
	elbtypes.LoadBalancer
	id    string
	ready time.Time
	// failure says why it never becomes active; empty: it does.
	failure    string
	address    netip.Addr
	attributes map[string]string
	listeners  []*listener
	// groups counts how often listeners and rules name each target group.
	groups   map[string]int
	capacity capacity
}

// listener is a listener with its rules by priority, the default rule last.
type listener struct {
	elbtypes.Listener
	id           string
	balancer     *loadBalancer
	certificates []string
	attributes   map[string]string
	rules        []*rule
}

// rule is a rule; its priority is 0 for a default rule.
type rule struct {
	elbtypes.Rule
	priority int32
	listener *listener
	secrets  secrets
}

// targetGroup is a target group with its targets.
type targetGroup struct {
	elbtypes.TargetGroup
	// order says when the group was made, before or after others.
	order      int
	attributes map[string]string
	targets    table.Table[*target]
	// balancer is the load balancer that uses the group, since used; nil means that none does.
	balancer *loadBalancer
	used     time.Time
}

// target is a registered target. One that drains goes when its time is over.
type target struct {
	elbtypes.TargetDescription
	registered time.Time
	gone       time.Time
}

// New makes an account without load balancers.
func New(a *account.Account, n *vpc.Network, c Certificates, o Options) *State {
	o.Quotas = o.Quotas.orDefaults()
	o.TrustStore, o.Capacity = orTime(o.TrustStore, trustStoreCreation), orTime(o.Capacity, capacityProvisioning)
	s := &State{account: a, network: n, certificates: []Certificates{c}, options: o, tags: map[string]map[string]string{}, nextAddress: o.Addresses.Addr()}
	s.index = newIndex()
	if o.ServerCertificates != nil {
		s.certificates = append(s.certificates, o.ServerCertificates)
	}
	for _, one := range s.certificates {
		one.UsedBy(s.usesCertificate)
	}
	return s
}

// Service gives the ELBv2 API.
func (s *State) Service() wire.Service {
	return wire.Service{
		Name: "elasticloadbalancing", Target: "2015-12-01",
		Protocol: wire.Query{Namespace: "http://elasticloadbalancing.amazonaws.com/doc/2015-12-01/"},
		Operations: wire.Table(slices.Concat(
			s.balancerOperations(), s.listenerOperations(), s.certificateOperations(), s.ruleOperations(), s.groupOperations(),
			s.targetOperations(), s.attributeOperations(), s.tagOperations(), s.referenceOperations(), s.trustStoreOperations(),
			s.revocationOperations(), s.sharingOperations(), s.capacityOperations(),
		)...),
	}
}

// orTime gives a duration of the options: AWS's where none is given, none where it is negative.
func orTime(given, standard time.Duration) time.Duration {
	if given == 0 {
		return standard
	}
	return max(0, given)
}

func (s *State) now() time.Time { return s.account.Now() }

func isNetwork(lb *loadBalancer) bool { return lb.Type == elbtypes.LoadBalancerTypeEnumNetwork }

func isGateway(lb *loadBalancer) bool { return lb.Type == elbtypes.LoadBalancerTypeEnumGateway }

func isApplication(lb *loadBalancer) bool { return lb.Type == elbtypes.LoadBalancerTypeEnumApplication }
