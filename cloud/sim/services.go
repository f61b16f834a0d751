package sim

import (
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"

	"github.com/headgate/headgate/cloud/sim/accelerator"
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cloud/sim/identity"
	"github.com/headgate/headgate/cloud/sim/shield"
	"github.com/headgate/headgate/cloud/sim/tagging"
	"github.com/headgate/headgate/cloud/sim/vpc"
	"github.com/headgate/headgate/cloud/sim/waf"
	"github.com/headgate/headgate/cloud/sim/wire"
	"github.com/headgate/headgate/cloud/sim/zones"
)

// api is a service behind the endpoint. One that holds something also has Dump, which shows it in the state.
type api interface{ Service() wire.Service }

// offer gives every service behind the endpoint, a line each.
func (s *Simulator) offer() []api {
	there := resources{s.elb, s.network}
	firewall := waf.New(s.account, there, waf.Options{Propagation: s.options.FirewallPropagation})
	classic, guard := waf.NewClassic(s.account, there), shield.New(s.account, there)
	accelerators := accelerator.New(s.account, there)
	s.domains = zones.New(s.account, there, s.certs.Settle)
	s.certs.Validate(s.domains)
	s.mesh = s.newMesh(there)
	s.tokens = identity.New(s.account, s.directory)
	s.tags = tagging.New(s.account, s.elb, s.network, s.certs.Tags, firewall.Tags, classic.Tags, guard.Tags, s.pools.Tags, s.directory.Tags,
		accelerators.Tags, s.domains.Tags, s.mesh.Tags)
	return []api{
		s.elb,
		s.network,
		s.certs,
		s.tokens,
		firewall,
		classic,
		guard,
		s.pools,
		s.directory,
		accelerators,
		s.domains,
		s.objects,
		s.mesh,
		s.tags,
	}
}

// resources tells other services what there is to protect, or to send traffic to.
type resources struct {
	balancing *elb.State
	network   *vpc.Network
}

// Balancer gives the state of a load balancer.
func (r resources) Balancer(arn string) (string, bool) {
	lb, ok := r.balancing.Balancer(arn)
	return lb.State, ok
}

// HostedZone gives the zone that holds the name of a load balancer.
func (r resources) HostedZone(name string) (string, bool) { return r.balancing.HostedZone(name) }

// VPC reports whether there is a VPC.
func (r resources) VPC(id string) bool { return r.network.VPC(id) }

// GroupVPC gives the VPC of a security group.
func (r resources) GroupVPC(id string) (string, bool) { return r.network.GroupVPC(id) }

// Allocated reports whether an address is allocated.
func (r resources) Allocated(allocation string) bool {
	_, ok := r.network.Address(allocation)
	return ok
}

// Runs reports whether an instance runs.
func (r resources) Runs(instance string) bool {
	i, ok := r.network.Instance(instance)
	return ok && i.State != nil && i.State.Name == ec2types.InstanceStateNameRunning
}
