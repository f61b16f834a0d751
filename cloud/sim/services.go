package sim

import (
	"github.com/headgate/headgate/cloud/sim/elb"
	"github.com/headgate/headgate/cloud/sim/identity"
	"github.com/headgate/headgate/cloud/sim/tagging"
	"github.com/headgate/headgate/cloud/sim/waf"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// offer gives every service behind the endpoint, a line each.
func (s *Simulator) offer() []wire.Service {
	firewall, classic := waf.New(s.account, balancers{s.elb}, waf.Options{}), waf.NewClassic(s.account, balancers{s.elb})
	return []wire.Service{
		s.elb.Service(),
		s.network.Service(),
		s.certs.Service(),
		identity.New(s.account).Service(),
		firewall.Service(),
		classic.Service(),
		tagging.New(s.elb, s.network, s.certs, firewall.Tags, classic.Tags).Service(),
	}
}

// balancers tells other services which load balancers there are.
type balancers struct{ state *elb.State }

// Balancer gives the state of a load balancer.
func (b balancers) Balancer(arn string) (string, bool) {
	for _, lb := range b.state.Summaries() {
		if lb.ARN == arn {
			return lb.State, true
		}
	}
	return "", false
}
