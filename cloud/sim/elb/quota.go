package elb

import (
	"strconv"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// Quotas are the limits of the account (ELB user guides, "Quotas"). Only those that AWS raises on request can be changed.
type Quotas struct {
	ApplicationLoadBalancers int
	NetworkLoadBalancers     int
	GatewayLoadBalancers     int
	// ListenersPerLoadBalancer holds for application and network load balancers.
	ListenersPerLoadBalancer int
	// RulesPerLoadBalancer does not count default rules.
	RulesPerLoadBalancer int
	// CertificatesPerLoadBalancer does not count default certificates.
	CertificatesPerLoadBalancer int
	// GroupsPerLoadBalancer is how many target groups one load balancer uses. AWS never raises it; fewer are for tests.
	GroupsPerLoadBalancer int
	TargetGroups          int
	TargetsPerGroup       int
	// TargetsPerLoadBalancer holds for application load balancers.
	TargetsPerLoadBalancer int
	TrustStores            int
	// CertificatesPerTrustStore, RevocationsPerTrustStore and EntriesPerTrustStore bound the authorities of a trust store, its revocation
	// files, and what is revoked in all of them.
	CertificatesPerTrustStore int
	RevocationsPerTrustStore  int
	EntriesPerTrustStore      int
	// ReservedCapacityUnits is what the application load balancers of the region may reserve together, and the network load balancers
	// too. AWS's default is none.
	ReservedCapacityUnits int
}

// Limits that AWS never raises.
const (
	groupsPerAction               = 5
	valuesPerRule                 = 5
	wildcardsPerRule              = 5
	targetsPerNetworkBalancer     = 3000
	targetsPerZone                = 500
	tagsPerResource               = 50
	listenersVerifyingPerBalancer = 2
	gatewaysPerVPC                = 10
	geneveGroups                  = 100
	registrationsPerTarget        = 1000
)

func (q Quotas) orDefaults() Quotas {
	or := func(value, fallback int) int {
		if value == 0 {
			return fallback
		}
		return value
	}
	return Quotas{
		ApplicationLoadBalancers: or(q.ApplicationLoadBalancers, 50), NetworkLoadBalancers: or(q.NetworkLoadBalancers, 50),
		GatewayLoadBalancers: or(q.GatewayLoadBalancers, 100), ListenersPerLoadBalancer: or(q.ListenersPerLoadBalancer, 50),
		RulesPerLoadBalancer: or(q.RulesPerLoadBalancer, 100), CertificatesPerLoadBalancer: or(q.CertificatesPerLoadBalancer, 25),
		GroupsPerLoadBalancer: or(q.GroupsPerLoadBalancer, 100),
		TargetGroups:          or(q.TargetGroups, 3000), TargetsPerGroup: or(q.TargetsPerGroup, 1000),
		TargetsPerLoadBalancer: or(q.TargetsPerLoadBalancer, 1000), TrustStores: or(q.TrustStores, 20),
		CertificatesPerTrustStore: or(q.CertificatesPerTrustStore, 25), RevocationsPerTrustStore: or(q.RevocationsPerTrustStore, 30),
		EntriesPerTrustStore: or(q.EntriesPerTrustStore, 500000), ReservedCapacityUnits: q.ReservedCapacityUnits,
	}
}

func (s *State) describeAccountLimits(in *sdk.DescribeAccountLimitsInput) (*sdk.DescribeAccountLimitsOutput, error) {
	q := s.options.Quotas
	limits := []struct {
		name string
		most int
	}{
		{"application-load-balancers", q.ApplicationLoadBalancers},
		{"condition-values-per-alb-rule", valuesPerRule},
		{"condition-wildcards-per-alb-rule", wildcardsPerRule},
		{"gateway-load-balancers", q.GatewayLoadBalancers},
		{"gateway-load-balancers-per-vpc", gatewaysPerVPC},
		{"geneve-target-groups", geneveGroups},
		{"listeners-per-application-load-balancer", q.ListenersPerLoadBalancer},
		{"listeners-per-network-load-balancer", q.ListenersPerLoadBalancer},
		{"network-load-balancers", q.NetworkLoadBalancers},
		{"rules-per-application-load-balancer", q.RulesPerLoadBalancer},
		{"target-groups", q.TargetGroups},
		{"target-groups-per-action-on-application-load-balancer", groupsPerAction},
		{"target-groups-per-action-on-network-load-balancer", groupsPerAction},
		{"target-groups-per-application-load-balancer", q.GroupsPerLoadBalancer},
		{"targets-per-application-load-balancer", q.TargetsPerLoadBalancer},
		{"targets-per-availability-zone-per-gateway-load-balancer", 300},
		{"targets-per-availability-zone-per-network-load-balancer", targetsPerZone},
		{"targets-per-network-load-balancer", targetsPerNetworkBalancer},
	}
	all := make([]elbtypes.Limit, 0, len(limits))
	for _, l := range limits {
		all = append(all, elbtypes.Limit{Name: aws.String(l.name), Max: aws.String(strconv.Itoa(l.most))})
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	return &sdk.DescribeAccountLimitsOutput{Limits: some, NextMarker: next}, err
}
