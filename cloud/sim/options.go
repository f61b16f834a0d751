package sim

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cloud/sim/vpc"
)

// Options say what a simulator is. The zero value is an account in us-west-2 with a small world in it, an endpoint on a free port of
// 127.0.0.1, and no data plane. A duration that is zero is AWS's own; a negative one is none. Speed divides them all.
type Options struct {
	// Listen is the address of the endpoint; 127.0.0.1:0 without it.
	Listen string
	// Region and Account are where everything is; us-west-2 and 123456789012 without them.
	Region, Account string
	// ClusterName is in the tags of the seeded world; "headgate" without it.
	ClusterName string
	// EmptyWorld leaves out the VPC that is there otherwise.
	EmptyWorld bool

	// Seed makes what happens by chance happen otherwise.
	Seed uint64
	// Disturbances are there from the start, and again after a reset.
	Disturbances Disturbances

	// Snapshot is a file from which the state is loaded at the start, if it is there, and to which it is saved at the end. It holds what
	// callers have sent, private keys among it.
	Snapshot string

	// Now is the clock; time.Now without it. With another clock the data plane still probes by the wall clock.
	Now func() time.Time
	// Sleep is how a call waits for its latency; in real time without it.
	Sleep func(ctx context.Context, d time.Duration)
	// Speed divides every simulated duration; 0 is 1.
	Speed float64
	// Provisioning is how long a load balancer takes to become active: two minutes.
	Provisioning time.Duration
	// Linger is how long the network interfaces of a load balancer outlive it: one minute.
	Linger time.Duration
	// TargetCheck is how long a target stays initial where no data plane probes it: ten seconds.
	TargetCheck time.Duration
	// RuleDelay is how long a change of listeners and rules takes to reach the data plane: one second.
	RuleDelay time.Duration

	// TrustStoreCreation is how long a trust store is CREATING, CapacityProvisioning how long a capacity reservation is pending: believed.
	TrustStoreCreation, CapacityProvisioning time.Duration
	// FirewallPropagation is how long a new web ACL cannot be associated, nor any with a load balancer that is not active: no time at all.
	FirewallPropagation time.Duration

	// DataPlane makes the listeners of application and network load balancers take traffic.
	DataPlane bool
	// AccessLogs is a directory that stands for S3: each bucket that load balancers log to is one in it. Empty: no logs are written.
	AccessLogs string
	// PortOffset is added to every listener port when it is bound, for machines where low ports are closed.
	PortOffset int
	// AddressPool holds the loopback addresses of load balancers. Without it, it is 127.77.0.0/16, or with a data plane the first block after
	// it that no other simulator on this machine holds.
	AddressPool netip.Prefix
	// Addresses says where targets really are: "10.0.1.15:8080" or "10.0.1.15" to a loopback address, with or without a port; and identity
	// providers: "idp.example.com" or "idp.example.com:8443" to a loopback address with a port.
	Addresses map[string]string
	// IdentityRoots are who may vouch for identity providers. Nil believes every certificate.
	IdentityRoots *x509.CertPool
	// AllowLoopbackTargets lets loopback addresses be registered as targets, which AWS refuses.
	AllowLoopbackTargets bool
	// DNS is the address of the DNS server; empty for none, 127.0.0.1:0 for a free port.
	DNS string

	// Quotas replaces quotas of Elastic Load Balancing that AWS would raise.
	Quotas elb.Quotas
	// NetworkQuotas replaces quotas of EC2.
	NetworkQuotas vpc.Quotas
	// ConstrainedZones are the names of the zones that take no more load balancers.
	ConstrainedZones []string
	// Logger gets what goes wrong beside the calls. Nil discards.
	Logger *slog.Logger
}

var errOptions = errors.New("invalid simulator options")

// orDefaults fills in what is left out and checks the rest.
func (o Options) orDefaults() (Options, error) {
	text := func(field *string, fallback string) {
		if *field == "" {
			*field = fallback
		}
	}
	text(&o.Listen, "127.0.0.1:0")
	text(&o.Region, "us-west-2")
	text(&o.Account, "123456789012")
	text(&o.ClusterName, "headgate")
	duration := func(field *time.Duration, fallback time.Duration) {
		*field = max(0, orElse(*field, fallback))
	}
	duration(&o.Provisioning, 2*time.Minute)
	duration(&o.Linger, time.Minute)
	duration(&o.TargetCheck, 10*time.Second)
	duration(&o.RuleDelay, time.Second)
	o.Speed = orElse(o.Speed, 1)
	o.AddressPool = orElse(o.AddressPool, netip.MustParsePrefix("127.77.0.0/16"))
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Sleep == nil {
		o.Sleep = sleep
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Speed < 0 {
		return o, fmt.Errorf("speed %v is negative: %w", o.Speed, errOptions)
	}
	if !o.AddressPool.Addr().Is4() || !o.AddressPool.Addr().IsLoopback() || o.AddressPool.Bits() > 30 {
		return o, fmt.Errorf("address pool %s is not an IPv4 loopback block of /30 or larger: %w", o.AddressPool, errOptions)
	}
	return o, nil
}

func orElse[T comparable](value, fallback T) T {
	var zero T
	if value == zero {
		return fallback
	}
	return value
}
