package takeover

import (
	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cmd/headgate-controller/wire"
	"github.com/headgate/headgate/controllers/gateway"
	"github.com/headgate/headgate/controllers/ingress"
	"github.com/headgate/headgate/controllers/preview"
)

// plansNothing looks at what the command plan says before the switch, as it is built for a cluster: nothing is to be done.
func (s *scene) plansNothing() {
	s.t.Helper()
	account, err := cloud.New(s.t.Context(), cloud.Options{Cluster: s.Name, VPC: s.Sim.World().VPC, AWSConfig: new(s.AWS())})
	s.must(err)
	scheme, err := wire.NewScheme()
	s.must(err)
	set := s.Settings(nil)
	stacks, err := preview.Run(s.t.Context(), preview.Source{Reader: s.World.Client, Scheme: scheme}, preview.Onlooker{Cloud: account}, preview.Settings{
		Ingress: ingress.Settings{
			ClusterName: s.Name, IngressClass: set.IngressClass, DefaultTargetType: set.TargetType, DefaultScheme: set.Scheme,
			DefaultSSLPolicy: set.SSLPolicy, BackendSecurityGroup: set.BackendGroup, WatchNamespace: s.Name,
		},
		Gateway: gateway.Settings{
			ClusterName: s.Name, DefaultTargetType: set.TargetType, DefaultScheme: set.Scheme, DefaultSSLPolicy: set.SSLPolicy,
			BackendSecurityGroup: set.BackendGroup, WatchNamespace: s.Name,
		},
	})
	s.must(err)
	if len(stacks) != len(s.stacks) {
		s.t.Errorf("%d stacks are planned for, want %d", len(stacks), len(s.stacks))
	}
	for _, one := range stacks {
		if !one.Plan.Empty() || one.Blocked != "" || len(one.Findings) > 0 {
			s.t.Errorf("before the switch the plan says:\n%s", preview.Text(stacks))
		}
	}
}
