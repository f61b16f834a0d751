package build

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// minFreeAddresses is what AWS wants free in a subnet of an application load balancer (ELB guide, subnets).
const minFreeAddresses = 8

// subnets gives the IDs of the subnets, or blocks the build and says what is missing.
func (b *builder) subnets(s settings) []string {
	s = b.fitting(s)
	var chosen []model.Subnet
	var at []place
	var lost unresolved
	var what string
	switch e := b.facts.Existing; {
	case s.subnets != nil:
		chosen, lost = b.asked(s)
		at, what = []place{settingPlace(s.subnets, "subnets")}, "the subnets that are asked for"
	case s.subnetTags != nil:
		chosen, lost = b.asked(s)
		at, what = []place{settingPlace(s.subnetTags, "subnetTags")}, "the subnets with the tags that are asked for"
	case e != nil && e.Scheme == s.scheme && len(e.Subnets) > 0:
		b.checkStanding(s, *e)
		return slices.Sorted(slices.Values(e.Subnets))
	default:
		chosen = b.discovered(s)
		for _, f := range b.fragments {
			at = append(at, settingPlace(f, "subnets"))
		}
		what = "the subnets found for an " + s.scheme + " load balancer"
	}
	problem := b.subnetProblem(s, chosen)
	if problem != "" {
		problem += b.passedOver(s)
	}
	if lost.any() {
		problem = lost.problem()
	}
	if problem != "" {
		b.blockSubnets(at, what+" "+problem)
	}
	ids := make([]string, 0, len(chosen))
	for _, n := range chosen {
		ids = append(ids, n.ID)
	}
	return slices.Sorted(slices.Values(ids))
}

// asked are the subnets that a member names, or chooses by tags.
func (b *builder) asked(s settings) ([]model.Subnet, unresolved) {
	if s.subnets != nil {
		return b.lookUp(s.subnets.Settings.Subnets)
	}
	return b.selected(s, func(n model.Subnet) bool { return hasTags(n.Tags, s.subnetTags.Settings.SubnetTags) }), unresolved{}
}

func (b *builder) blockSubnets(at []place, problem string) {
	role := "tag one subnet a zone with " + roleTag(schemePublic) + "=1 (internet-facing) or " + roleTag(schemeInternal) +
		"=1 (internal), or name subnets"
	for _, p := range at {
		b.wrong(p, "SubnetsNotUsable", "%s; %s", problem, role)
	}
	b.blocked = append(b.blocked, problem)
}

// subnetsOf is what a member asks for, as sorted IDs where they are known. Names or IDs that are not known are a mistake.
func (b *builder) subnetsOf(f *intent.Fragment) string {
	if len(f.Settings.Subnets) == 0 {
		return ""
	}
	found, lost := b.lookUp(f.Settings.Subnets)
	if len(lost.missing) > 0 {
		b.wrong(settingPlace(f, "subnets"), "SubnetNotFound", "the VPC %s has no subnet with the ID or Name tag %s",
			b.facts.VPC.ID, strings.Join(lost.missing, ", "))
	}
	if len(lost.several) > 0 {
		b.wrong(settingPlace(f, "subnets"), "SubnetNotFound", "the subnets %s", lost.problem())
	}
	return lost.key(found)
}

// checkStanding refuses IPv6 addresses to a load balancer that stays in subnets without any. One that has some is left alone.
func (b *builder) checkStanding(s settings, e model.Existing) {
	if s.ipAddressType == typeIPv4 || e.IPAddressType == s.ipAddressType {
		return
	}
	var without []string
	for _, n := range b.facts.Subnets {
		if slices.Contains(e.Subnets, n.ID) && !n.IPv6 {
			without = append(without, n.ID)
		}
	}
	b.refuseType(s, without, "name subnets that have")
}

// fitting refuses IPv6 addresses where another member chose the subnets, and all that is wrong with these is that they have none. The
// load balancer stays without.
func (b *builder) fitting(s settings) settings {
	owner, plain := cmp.Or(s.subnets, s.subnetTags), s
	plain.ipAddressType = typeIPv4
	if owner == nil || owner.Settings.IPAddressType == s.ipAddressType || b.facts.Existing == nil || b.facts.Existing.IPAddressType != typeIPv4 {
		return s
	}
	chosen, lost := b.asked(plain)
	if lost.any() || b.subnetProblem(plain, chosen) != "" {
		return s
	}
	if fit, _ := b.asked(s); b.subnetProblem(s, fit) == "" {
		return s
	}
	var without []string
	for _, n := range chosen {
		if !n.IPv6 {
			without = append(without, n.ID)
		}
	}
	b.refuseType(s, without, "use a group of your own: "+owner.Member.String()+" chose the subnets")
	return plain
}

// refuseType tells all who ask for an address type that subnets lack IPv6 for it, where some do.
func (b *builder) refuseType(s settings, without []string, otherwise string) {
	for _, f := range b.fragments {
		if len(without) > 0 && f.Settings.IPAddressType == s.ipAddressType {
			b.wrong(settingPlace(f, "ipAddressType"), "SubnetsNotUsable",
				"%s needs an IPv6 block in each subnet of the load balancer, and %s has none; give it one, or %s",
				s.ipAddressType, strings.Join(slices.Sorted(slices.Values(without)), ", "), otherwise)
		}
	}
}

// unresolved are IDs and names of subnets that do not say which one is meant.
type unresolved struct {
	missing []string
	// several have the IDs after the name.
	several []string
}

func (u unresolved) any() bool { return len(u.missing)+len(u.several) > 0 }

func (u unresolved) problem() string {
	var out []string
	if len(u.missing) > 0 {
		out = append(out, "are not all there: "+strings.Join(u.missing, ", "))
	}
	for _, s := range u.several {
		out = append(out, "are not all known: the Name tag "+s+"; write the ID of the one that is meant")
	}
	return strings.Join(out, "; ")
}

// key tells choices of subnets apart.
func (u unresolved) key(found []model.Subnet) string {
	ids := slices.Concat(u.missing, u.several)
	for _, n := range found {
		ids = append(ids, n.ID)
	}
	return subnetKey(ids)
}

func subnetKey(ids []string) string {
	return strings.Join(slices.Compact(slices.Sorted(slices.Values(ids))), ",")
}

// lookUp finds subnets by ID or Name tag.
func (b *builder) lookUp(wanted []string) (found []model.Subnet, lost unresolved) {
	seen := map[string]bool{}
	for _, w := range wanted {
		fits := b.named(w)
		switch len(fits) {
		case 0:
			lost.missing = append(lost.missing, w)
		case 1:
			if n := fits[0]; !seen[n.ID] {
				seen[n.ID] = true
				found = append(found, n)
			}
		default:
			var ids []string
			for _, n := range fits {
				ids = append(ids, n.ID)
			}
			lost.several = append(lost.several, w+" is on "+strings.Join(slices.Sorted(slices.Values(ids)), ", "))
		}
	}
	return found, lost
}

// named are the subnets with an ID, or else with a Name tag.
func (b *builder) named(s string) []model.Subnet {
	if i := slices.IndexFunc(b.facts.Subnets, func(n model.Subnet) bool { return n.ID == s }); i >= 0 {
		return b.facts.Subnets[i : i+1]
	}
	return slices.DeleteFunc(slices.Clone(b.facts.Subnets), func(n model.Subnet) bool { return n.Tags["Name"] != s })
}

// discovered finds subnets by role tag, and where there is none by the way to the internet.
func (b *builder) discovered(s settings) []model.Subnet {
	role := roleTag(s.scheme)
	byRole := b.selected(s, func(n model.Subnet) bool {
		v, ok := n.Tags[role]
		return ok && (v == "" || v == "1")
	})
	if len(byRole) > 0 || b.in.Defaults.SubnetsByRole {
		return byRole
	}
	return b.selected(s, func(n model.Subnet) bool { return n.Public == (s.scheme == schemePublic) })
}

// selected filters the VPC's subnets and keeps one a zone: with the tag of this cluster, else the lowest ID.
func (b *builder) selected(s settings, fits func(model.Subnet) bool) []model.Subnet {
	best := map[string]model.Subnet{}
	for _, n := range b.facts.Subnets {
		if !fits(n) || !b.usable(s, n) {
			continue
		}
		old, taken := best[n.Zone]
		if !taken || b.ownCluster(n) && !b.ownCluster(old) {
			best[n.Zone] = n
		}
	}
	out := make([]model.Subnet, 0, len(best))
	for _, zone := range slices.Sorted(maps.Keys(best)) {
		out = append(out, best[zone])
	}
	return out
}

const clusterTagPrefix = "kubernetes.io/cluster/"

func (b *builder) ownCluster(n model.Subnet) bool {
	_, ok := n.Tags[clusterTagPrefix+b.in.Defaults.Cluster]
	return ok
}

func (b *builder) usable(s settings, n model.Subnet) bool { return b.unfit(s, n) == "" }

// unfit says why discovery passes a subnet over; empty where it does not.
func (b *builder) unfit(s settings, n model.Subnet) string {
	switch {
	case n.FreeAddresses < minFreeAddresses:
		return "has fewer than 8 free addresses"
	case s.ipAddressType != typeIPv4 && !n.IPv6:
		return "has no IPv6 block, which a load balancer of type " + s.ipAddressType + " needs"
	case b.ownCluster(n) || b.in.Defaults.SharedSubnets:
		return ""
	}
	for k := range n.Tags {
		if strings.HasPrefix(k, clusterTagPrefix) {
			return "is tagged for another cluster"
		}
	}
	return ""
}

// passedOver lists the subnets with the role that cannot be used, and why.
func (b *builder) passedOver(s settings) string {
	if s.subnets != nil || s.subnetTags != nil {
		return ""
	}
	var why []string
	for _, n := range b.facts.Subnets {
		if _, ok := n.Tags[roleTag(s.scheme)]; !ok {
			continue
		}
		if reason := b.unfit(s, n); reason != "" {
			why = append(why, n.ID+" "+reason)
		}
	}
	if len(why) == 0 {
		return ""
	}
	return " (" + strings.Join(why, ", ") + ")"
}

func (b *builder) subnetProblem(s settings, chosen []model.Subnet) string {
	if len(chosen) == 0 {
		return "are none"
	}
	zones, kinds := map[string]bool{}, map[string]bool{}
	for _, n := range chosen {
		if zones[n.Zone] {
			return "are two in the zone " + n.Zone + ", where a load balancer takes one"
		}
		zones[n.Zone] = true
		kinds[n.ZoneType] = true
		if s.ipAddressType != typeIPv4 && !n.IPv6 {
			return "include " + n.ID + ", which has no IPv6 block, and the load balancer is " + s.ipAddressType
		}
	}
	if len(kinds) > 1 {
		return "are in zones of different types: " + strings.Join(slices.Sorted(maps.Keys(kinds)), ", ")
	}
	if ordinary := kinds[""] || kinds["availability-zone"]; ordinary && len(zones) < 2 && !s.network && !b.in.Defaults.SingleSubnet {
		return "are in one zone only, and an application load balancer needs two"
	}
	return ""
}

func roleTag(scheme string) string {
	if scheme == schemePublic {
		return "kubernetes.io/role/elb"
	}
	return "kubernetes.io/role/internal-elb"
}

func hasTags(tags map[string]string, want map[string][]string) bool {
	for k, values := range want {
		if v, ok := tags[k]; !ok || !slices.Contains(values, v) {
			return false
		}
	}
	return true
}

func selectorKey(want map[string][]string) string {
	if len(want) == 0 {
		return ""
	}
	parts := make([]string, 0, len(want))
	for _, k := range slices.Sorted(maps.Keys(want)) {
		parts = append(parts, k+"="+strings.Join(slices.Sorted(slices.Values(want[k])), "|"))
	}
	return strings.Join(parts, ",")
}
