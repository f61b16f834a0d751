package model

// Names of quotas as AWS gives them (ELBv2 API, DescribeAccountLimits).
const (
	QuotaBalancers         = "application-load-balancers"
	QuotaNetworkBalancers  = "network-load-balancers"
	QuotaTargetGroups      = "target-groups"
	QuotaListeners         = "listeners-per-application-load-balancer"
	QuotaFrontendListeners = "listeners-per-network-load-balancer"
	QuotaRules             = "rules-per-application-load-balancer"
	QuotaGroupsPerBalancer = "target-groups-per-application-load-balancer"
	QuotaCertificates      = "certificates-per-application-load-balancer"
	QuotaTargets           = "targets-per-application-load-balancer"
	// QuotaTargetsPerGroup is one that AWS has and does not list there: the name follows the others.
	QuotaTargetsPerGroup = "targets-per-target-group"
)

// Quotas are account limits; zero means AWS's default.
type Quotas struct {
	// RulesPerLoadBalancer defaults to 100, without default rules.
	RulesPerLoadBalancer int `json:"rulesPerLoadBalancer,omitempty"`
	// TargetGroupsPerLoadBalancer is 100; AWS never raises it.
	TargetGroupsPerLoadBalancer int `json:"targetGroupsPerLoadBalancer,omitempty"`
	// CertificatesPerLoadBalancer defaults to 25, without default certificates.
	CertificatesPerLoadBalancer int `json:"certificatesPerLoadBalancer,omitempty"`
	// ListenersPerLoadBalancer defaults to 50.
	ListenersPerLoadBalancer int `json:"listenersPerLoadBalancer,omitempty"`
	// TargetsPerLoadBalancer defaults to 1000.
	TargetsPerLoadBalancer int `json:"targetsPerLoadBalancer,omitempty"`
	// TargetsPerTargetGroup is 1000: ELBv2 does not tell where AWS raised it.
	TargetsPerTargetGroup int `json:"targetsPerTargetGroup,omitempty"`
	// RulesPerSecurityGroup, of each address family, defaults to 60.
	RulesPerSecurityGroup int `json:"rulesPerSecurityGroup,omitempty"`
}

// WithDefaults fills AWS's default quotas in.
func (q Quotas) WithDefaults() Quotas {
	fill := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	fill(&q.RulesPerLoadBalancer, 100)
	fill(&q.TargetGroupsPerLoadBalancer, 100)
	fill(&q.CertificatesPerLoadBalancer, 25)
	fill(&q.ListenersPerLoadBalancer, 50)
	fill(&q.TargetsPerLoadBalancer, 1000)
	fill(&q.TargetsPerTargetGroup, 1000)
	fill(&q.RulesPerSecurityGroup, 60)
	return q
}

// QuotaUse is how much of a quota is used.
type QuotaUse struct {
	// Name of the quota: one of those above.
	Name        string
	Used, Limit int
}
