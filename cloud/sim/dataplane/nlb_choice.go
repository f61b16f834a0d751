package dataplane

import (
	"hash/maphash"
	"math/bits"
	"net/netip"
	"slices"

	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

// tuple names a flow: what its target is chosen by.
type tuple struct {
	protocol       string
	client, server netip.AddrPort
	// serial tells connections apart, as their first sequence number does. Flows of datagrams have none.
	serial uint64
}

// course is where a flow goes.
type course struct {
	inlet    *inlet
	settings *groupSettings
	target   *target
	client   netip.AddrPort
}

// steer chooses zone, target group and target of a flow by its hash. It gives false when there is no target.
func (s *Server) steer(now *snapshot, g *inlet, f tuple) (course, bool) {
	c := course{inlet: g, client: f.client}
	to := g.route(f.client.Addr())
	if to == nil {
		return c, false
	}
	address := maphash.Comparable(s.seed, f.client.Addr())
	var arn string
	switch {
	case to.sticky > 0:
		arn = to.at(address)
	case f.serial > 0:
		arn = to.next()
	default:
		arn = to.at(maphash.Comparable(s.seed, f))
	}
	chosen := now.groups[arn]
	if chosen == nil {
		return c, false
	}
	c.settings = chosen.settings.Load()
	hash, place := maphash.Comparable(s.seed, f), f.serial
	if c.settings.flows.sticky {
		hash, place = address, address
	}
	if place == 0 {
		place = hash
	}
	c.target = s.hashed(chosen.pools.Load().in(now.zone(g, place)), hash)
	return c, c.target != nil
}

// route gives the action of the first rule for a client.
func (g *inlet) route(client netip.Addr) *forward {
	family := elbtypes.SourceIpAddressTypeEnumIpv6
	if client.Is4() {
		family = elbtypes.SourceIpAddressTypeEnumIpv4
	}
	for _, r := range g.routes {
		if r.family == "" || r.family == family {
			return r.to
		}
	}
	return nil
}

// at chooses a target group by weight for a hash.
func (a *forward) at(hash uint64) string {
	if a.total == 0 {
		return ""
	}
	point, _ := bits.Mul64(hash, a.total)
	for _, c := range a.choices {
		if point < c.weight {
			return c.arn
		}
		point -= c.weight
	}
	return ""
}

// hashed gives the target that a hash belongs to. When targets come and go, only flows of those change theirs.
func (s *Server) hashed(usable []*target, hash uint64) *target {
	var best *target
	var most uint64
	for _, t := range usable {
		score := maphash.Comparable(s.seed, struct {
			hash uint64
			key  targetKey
		}{hash, t.key})
		if best == nil || score > most {
			best, most = t, score
		}
	}
	return best
}

// zone gives the zone of the node that a client comes to: one that is in DNS, for want of it one with targets.
func (n *snapshot) zone(g *inlet, place uint64) string {
	if len(g.zones) == 0 {
		return ""
	}
	reachable := slices.Clone(g.zones)
	healthy := slices.Clone(g.zones)
	for _, arn := range g.forwards {
		to := n.groups[arn]
		if to == nil {
			continue
		}
		p := to.pools.Load()
		reachable = slices.DeleteFunc(reachable, func(zone string) bool { return len(p.in(zone)) == 0 })
		healthy = slices.DeleteFunc(healthy, func(zone string) bool { return len(p.in(zone)) == 0 || slices.Contains(p.out, zone) })
	}
	for _, zones := range [][]string{healthy, reachable} {
		if len(zones) > 0 {
			return zones[place%uint64(len(zones))]
		}
	}
	return g.zones[place%uint64(len(g.zones))]
}
