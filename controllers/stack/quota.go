package stack

import (
	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/model"
)

// fillQuotas says how much the load balancer uses of what AWS allows it; of targets [countTargets] does.
func fillQuotas(s *headgatev1alpha1.LoadBalancerStatus, a *attempt) {
	all, limits := a.listeners(), a.facts.Quotas.WithDefaults()
	s.Quotas = []headgatev1alpha1.QuotaUsage{
		quotaUse(model.QuotaListeners, len(all), limits.ListenersPerLoadBalancer),
		quotaUse(model.QuotaCertificates, extraCertificates(all), limits.CertificatesPerLoadBalancer),
		quotaUse(model.QuotaGroupsPerBalancer, usedGroups(all), limits.TargetGroupsPerLoadBalancer),
		quotaUse(model.QuotaTargets, 0, limits.TargetsPerLoadBalancer),
		quotaUse(model.QuotaTargetsPerGroup, 0, limits.TargetsPerTargetGroup),
	}
	if s.Frontend != nil {
		s.Quotas = append(s.Quotas, quotaUse(model.QuotaFrontendListeners, len(s.Frontend.Ports), limits.ListenersPerLoadBalancer))
	}
}

// quotaUse is what is used of a quota. More than the quota that is known shows that the account's is higher.
func quotaUse(name string, used, limit int) headgatev1alpha1.QuotaUsage {
	return headgatev1alpha1.QuotaUsage{Name: name, Used: number32(used), Quota: number32(max(used, limit))}
}

// extraCertificates counts certificates as AWS does: without the default one of each listener.
func extraCertificates(all []model.Listener) int {
	n := 0
	for _, l := range all {
		n += max(len(l.Certificates)-1, 0)
	}
	return n
}

// usedGroups counts the target groups that listeners send requests to.
func usedGroups(all []model.Listener) int {
	used := map[model.WeightedGroup]bool{}
	note := func(actions []model.Action) {
		for _, action := range actions {
			if action.Forward == nil {
				continue
			}
			for _, g := range action.Forward.Groups {
				g.Weight = 0
				used[g] = true
			}
		}
	}
	for _, l := range all {
		note(l.DefaultActions)
		for _, rules := range [][]model.Rule{l.Rules, l.Parked} {
			for i := range rules {
				note(rules[i].Actions)
			}
		}
	}
	return len(used)
}

// countTargets says how much is used of the quotas of targets, by the targets that were seen last.
func countTargets(s *headgatev1alpha1.LoadBalancerStatus) {
	var all, most int32
	for _, t := range s.Targets {
		all, most = all+t.Total, max(most, t.Total)
	}
	for i := range s.Quotas {
		q := &s.Quotas[i]
		switch q.Name {
		case model.QuotaTargets:
			q.Used, q.Quota = all, max(all, q.Quota)
		case model.QuotaTargetsPerGroup:
			q.Used, q.Quota = most, max(most, q.Quota)
		}
	}
}
