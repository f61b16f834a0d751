package cloud

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/model"
)

// What a create made is recognised by what it asked for. Fields that were left to AWS say nothing.

func sameBalancer(want, got model.LoadBalancer) bool {
	return want.Type == got.Type && want.Scheme == got.Scheme && or(want.IPAddressType, got.IPAddressType) &&
		slices.Equal(slices.Sorted(slices.Values(want.Subnets)), got.Subnets) &&
		or(want.Addons[model.AddonIPAMPool], got.Addons[model.AddonIPAMPool]) && or(want.CustomerOwnedPool, got.CustomerOwnedPool) &&
		(len(want.SecurityGroups) == 0 || slices.Equal(want.SecurityGroups, got.SecurityGroups))
}

func sameTargetGroup(want, got model.TargetGroup) bool {
	h, g := want.HealthCheck, got.HealthCheck
	return want.TargetType == got.TargetType && want.Protocol == got.Protocol && want.Port == got.Port && want.VPC == got.VPC &&
		or(want.ProtocolVersion, got.ProtocolVersion) && or(want.IPAddressType, got.IPAddressType) && want.ControlPort == got.ControlPort &&
		or(h.Protocol, g.Protocol) && or(h.Port, g.Port) && or(h.Path, g.Path) && or(h.Matcher, g.Matcher) &&
		or(h.IntervalSeconds, g.IntervalSeconds) && or(h.TimeoutSeconds, g.TimeoutSeconds) &&
		or(h.HealthyThreshold, g.HealthyThreshold) && or(h.UnhealthyThreshold, g.UnhealthyThreshold)
}

func sameListener(want, got model.Listener) bool {
	return want.Port == got.Port && want.Protocol == got.Protocol && or(want.SSLPolicy, got.SSLPolicy) &&
		(len(want.Certificates) == 0 || slices.Equal(want.Certificates[:1], got.Certificates)) &&
		model.ActionsEqual(want.DefaultActions, got.DefaultActions)
}

// sameOwnership tells whether got has every tag that was asked for.
func sameOwnership(want, got map[string]string) bool {
	for k, v := range want {
		if have, ok := got[k]; !ok || have != v {
			return false
		}
	}
	return true
}

// or tells whether nothing was asked for, or that is there.
func or[T cmp.Ordered](want, got T) bool {
	var nothing T
	return want == nothing || want == got
}
