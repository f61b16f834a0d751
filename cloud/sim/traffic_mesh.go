package sim

import (
	"crypto/tls"
	"net/netip"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/lattice"
)

// ServiceNetwork is the association of a VPC with a VPC Lattice service network in few words.
type ServiceNetwork = lattice.Summary

// ServiceNetworks lists the associations of VPCs with service networks, with the loopback addresses that stand for the VPCs.
func (s *Simulator) ServiceNetworks() []ServiceNetwork {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.mesh.Summaries()
}

// newMesh makes VPC Lattice, between the others.
func (s *Simulator) newMesh(there resources) *lattice.Mesh {
	o := lattice.Options{Pool: s.elb, Places: places{there, s.certs}, Failure: s.doom}
	if s.traffic != nil {
		o.Health = s.traffic.plane.Health
	}
	mesh := lattice.New(s.account, there, o)
	s.certs.UsedBy(mesh.UsesCertificate)
	return mesh
}

// places tells VPC Lattice where its targets are, and what its services serve.
type places struct {
	resources

	certificates *cert.Store
}

// InstanceAddress gives the private address of an instance.
func (p places) InstanceAddress(id string) (netip.Addr, bool) {
	i, ok := p.network.Instance(id)
	if !ok {
		return netip.Addr{}, false
	}
	a, err := netip.ParseAddr(aws.ToString(i.PrivateIpAddress))
	return a, err == nil
}

// BalancerAddress gives the loopback address of a load balancer.
func (p places) BalancerAddress(arn string) (netip.Addr, bool) {
	lb, ok := p.balancing.Balancer(arn)
	return lb.Address, ok
}

// TLS gives a certificate with its key.
func (p places) TLS(arn string) (*tls.Certificate, bool) { return p.certificates.TLS(arn) }
