package dataplane

import (
	"slices"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// pools are the targets that take requests: all of them, or those of each zone where requests stay in their zone. It is immutable.
type pools struct {
	all   []*target
	zones map[string][]*target
	// out are the zones that have too few healthy targets to be in DNS.
	out []string
}

// in gives the targets for a request that came in at a zone.
func (p *pools) in(zone string) []*target {
	if p.zones == nil || zone == "" {
		return p.all
	}
	if some, ok := p.zones[zone]; ok {
		return some
	}
	return p.zones[everywhere]
}

// everywhere is the zone of targets that requests of every zone reach. Those of instances and addresses of the VPC have one.
const everywhere = "all"

// refresh works out which targets take requests: the healthy ones, or all that are not draining if too few are healthy. Where requests
// stay in their zone, each zone counts for itself. The caller holds the lock.
func (g *group) refresh(s *groupSettings) {
	p := &pools{all: s.floor.usable(g.order)}
	if s.closed {
		p.all, _ = sorted(g.order)
	}
	if s.zonal {
		byZone := zoned(g.order)
		p.zones = make(map[string][]*target, len(byZone))
		for zone, some := range byZone {
			p.zones[zone] = s.floor.usable(some)
			if healthy, rest := sorted(some); !s.dnsFloor.met(len(healthy), len(rest)) {
				p.out = append(p.out, zone)
			}
		}
	}
	g.pools.Store(p)
}

// zoned gives the targets of each zone. Those that are everywhere are in all.
func zoned(order []*target) map[string][]*target {
	all := map[string][]*target{}
	var wide []*target
	for _, t := range order {
		if t.config.Zone == everywhere || t.config.Zone == "" {
			wide = append(wide, t)
			continue
		}
		all[t.config.Zone] = append(all[t.config.Zone], t)
	}
	if len(wide) == 0 {
		return all
	}
	for zone := range all {
		all[zone] = append(all[zone], wide...)
	}
	all[everywhere] = wide
	return all
}

// sorted gives the healthy targets, and all that are not draining.
func sorted(some []*target) ([]*target, []*target) {
	var healthy, all []*target
	for _, t := range some {
		if t.state == elbtypes.TargetHealthStateEnumDraining {
			continue
		}
		all = append(all, t)
		if t.well() {
			healthy = append(healthy, t)
		}
	}
	return healthy, all
}

func (f healthFloor) usable(some []*target) []*target {
	healthy, all := sorted(some)
	if f.met(len(healthy), len(all)) {
		return healthy
	}
	return all
}

// zone gives the zone of the node that the next connection comes to: each in turn that is in DNS, or all of them if none is.
func (b *socket) zone() string {
	now := b.server.current.Load()
	front := now.fronts[b.at]
	if front == nil || len(front.zones) == 0 {
		return ""
	}
	zones := slices.Clone(front.zones)
	for _, arn := range front.forwards {
		if g := now.groups[arn]; g != nil {
			p := g.pools.Load()
			zones = slices.DeleteFunc(zones, func(zone string) bool { return slices.Contains(p.out, zone) })
		}
	}
	if len(zones) == 0 {
		zones = front.zones
	}
	return zones[b.turn.Add(1)%uint64(len(zones))]
}

// forwards lists the target groups that rules name.
func (e *evaluator) forwards() []string {
	var all []string
	for _, r := range e.rules {
		last := r.action
		if g, ok := last.(guarded); ok {
			last = g.then
		}
		f, ok := last.(*forward)
		if !ok {
			continue
		}
		for _, c := range f.choices {
			all = append(all, c.arn)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}
