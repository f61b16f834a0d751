package sim

import (
	"github.com/headgate/headgate/cloud/sim/identity"
	"github.com/headgate/headgate/cloud/sim/tagging"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// offer gives every service behind the endpoint, a line each.
func (s *Simulator) offer() []wire.Service {
	return []wire.Service{
		s.elb.Service(),
		s.network.Service(),
		s.certs.Service(),
		identity.New(s.account).Service(),
		tagging.New(s.elb, s.network, s.certs).Service(),
	}
}
