package elb

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func tooManyTargets() error {
	return wire.Errorf("TooManyTargets", "You've reached the limit on the number of targets")
}

// load is what a load balancer would have to carry: the targets of some groups, and fresh ones of one of them.
type load struct {
	groups map[string]bool
	// into is the group that fresh targets, which it does not have yet, would be registered in.
	into  *targetGroup
	fresh []elbtypes.TargetDescription
}

// checkTargetRoom holds the quotas of the group and of the load balancer that uses it.
func (s *State) checkTargetRoom(g *targetGroup, asked []elbtypes.TargetDescription) error {
	added := load{into: g}
	seen := map[Target]bool{}
	for _, d := range asked {
		name := g.name(d)
		if _, ok := g.targets.Get(name.key()); !ok && !seen[name] {
			seen[name] = true
			added.fresh = append(added.fresh, d)
		}
	}
	most := s.options.Quotas.TargetsPerGroup
	if isLambda(g) || g.TargetType == elbtypes.TargetTypeEnumAlb {
		most = 1
	}
	if g.targets.Len()+len(added.fresh) > most {
		return tooManyTargets()
	}
	if g.balancer == nil {
		return nil
	}
	added.groups = make(map[string]bool, len(g.balancer.groups))
	for arn := range g.balancer.groups {
		added.groups[arn] = true
	}
	return s.checkLoad(g.balancer, added)
}

// checkLoad holds the quotas of targets of a load balancer. How targets spread over zones matters only where there are many.
func (s *State) checkLoad(lb *loadBalancer, l load) error {
	total := len(l.fresh)
	for arn := range l.groups {
		if g, ok := s.groups.Get(arn); ok {
			s.dropDrained(g)
			total += g.targets.Len() * weightOf(lb, g)
		}
	}
	if l.into != nil {
		total += len(l.fresh) * (weightOf(lb, l.into) - 1)
	}
	switch {
	case isApplication(lb) && total > s.options.Quotas.TargetsPerLoadBalancer, isNetwork(lb) && total > targetsPerNetworkBalancer:
		return tooManyTargets()
	case isNetwork(lb) && total > targetsPerZone && crossZone(lb):
		return tooManyTargets()
	case isNetwork(lb) && total > targetsPerZone:
		return s.checkZoneLoad(l)
	case isApplication(lb) && total > registrationsPerTarget:
		return s.checkRegistrations(l)
	default:
		return nil
	}
}

func crossZone(lb *loadBalancer) bool {
	return lb.attributes["load_balancing.cross_zone.enabled"] == "true"
}

// weightOf is how much a target of a group counts: an application load balancer counts 50, or 100 with cross-zone load balancing.
func weightOf(lb *loadBalancer, g *targetGroup) int {
	const behind, across = 50, 100
	switch {
	case g.TargetType != elbtypes.TargetTypeEnumAlb:
		return 1
	case crossZone(lb):
		return across
	default:
		return behind
	}
}

// each gives every target of a load, registered or fresh.
func (s *State) each(l load, take func(elbtypes.TargetDescription)) {
	for arn := range l.groups {
		g, ok := s.groups.Get(arn)
		if !ok {
			continue
		}
		for _, t := range g.targets.All() {
			take(t.TargetDescription)
		}
	}
	for _, d := range l.fresh {
		take(d)
	}
}

// checkZoneLoad holds how many targets a network load balancer has in one zone.
func (s *State) checkZoneLoad(l load) error {
	zones, most := map[string]int{}, 0
	s.each(l, func(d elbtypes.TargetDescription) {
		zone := aws.ToString(d.AvailabilityZone)
		if i, ok := s.network.Instance(aws.ToString(d.Id)); ok && i.Placement != nil {
			zone = aws.ToString(i.Placement.AvailabilityZone)
		}
		zones[zone]++
		most = max(most, zones[zone])
	})
	if most > targetsPerZone {
		return tooManyTargets()
	}
	return nil
}

// checkRegistrations holds how often one target is registered with an application load balancer.
func (s *State) checkRegistrations(l load) error {
	times, most := map[string]int{}, 0
	s.each(l, func(d elbtypes.TargetDescription) {
		times[aws.ToString(d.Id)]++
		most = max(most, times[aws.ToString(d.Id)])
	})
	if most > registrationsPerTarget {
		return wire.Errorf("TooManyRegistrationsForTargetId", "You've reached the limit on the number of times a target can be registered with a load balancer")
	}
	return nil
}
