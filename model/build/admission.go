package build

import (
	"cmp"
	"hash/crc32"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
)

// groupsPerInterface is how many security groups AWS gives a network interface (VPC quotas), and so a load balancer.
const groupsPerInterface = 5

// managedGroups are the security groups that admit what the ports ask for. Usually it is one. Rules beyond its quota are written with
// fewer words where that says the same, then spread over several groups; a port whose rules have no room is refused whole.
func (b *builder) managedGroups(s settings, p ports) []model.SecurityGroup {
	most := groupsPerInterface
	if b.in.Defaults.BackendSecurityGroup {
		most--
	}
	crates := [][]model.Permission{nil}
	var rules []model.Permission
	for _, one := range byStanding(p) {
		next := withDiscovery(slices.Concat(rules, admitted(one, s.ipAddressType)), s.icmp)
		packed, ok := b.pack(next, most)
		if !ok {
			b.wrong(one.rangesBy(), "QuotaExceeded",
				"the sources of port %d need %d security group rules more, and the %d security groups that a load balancer can have besides take %d each; "+
					"name fewer ranges, a prefix list, or security groups of your own", one.number, len(next)-len(rules), most, b.groupRoom())
			continue
		}
		rules, crates = next, packed
	}
	var out []model.SecurityGroup
	for i, ingress := range crates {
		id, name := managedGroupID, securityGroupName(b.in)
		if i > 0 {
			suffix := "-" + strconv.Itoa(i+1)
			id, name = id+suffix, name+suffix
		}
		out = append(out, model.SecurityGroup{
			ID: id, Name: name, Description: managedGroupDescription, VPC: b.facts.VPC.ID, Tags: b.tags(id, s.tags), Ingress: ingress,
		})
	}
	return out
}

// withDiscovery adds what path MTU discovery needs of every range that may connect, once: the messages "fragmentation needed" (RFC 1191, type 3
// code 4) and "packet too big" (RFC 8201, type 2 code 0). EC2 has type and code where other protocols have ports.
func withDiscovery(rules []model.Permission, asked bool) []model.Permission {
	if !asked {
		return rules
	}
	for _, rule := range slices.Clone(rules) {
		needs := model.Permission{Protocol: "icmp", FromPort: 3, ToPort: 4, CIDR: rule.CIDR}
		if strings.Contains(rule.CIDR, ":") {
			needs = model.Permission{Protocol: "icmpv6", FromPort: 2, CIDR: rule.CIDR}
		}
		if rule.CIDR != "" && !slices.Contains(rules, needs) {
			rules = append(rules, needs)
		}
	}
	return rules
}

// byStanding are the ports, those first whose sources are what they were: a newcomer does not crowd them out.
func byStanding(p ports) []*port {
	out := slices.Collect(maps.Values(p.by))
	slices.SortFunc(out, func(a, c *port) int {
		return cmp.Or(cmp.Compare(len(a.news()), len(c.news())), cmp.Compare(a.number, c.number))
	})
	return out
}

// news are the sources of a port that nobody asked for before.
func (one *port) news() []string {
	old := map[string]bool{}
	for _, w := range one.wishes {
		for _, l := range w.before {
			for _, source := range slices.Concat(l.InboundCIDRs, l.PrefixLists) {
				old[source] = true
			}
		}
	}
	return slices.DeleteFunc(slices.Concat(one.cidrs, one.prefixes), func(source string) bool { return old[source] })
}

// rangesBy is who named the sources of a port.
func (one *port) rangesBy() place {
	for _, w := range one.wishes {
		switch {
		case len(w.listener.InboundCIDRs) > 0:
			return w.ranges()
		case len(w.listener.PrefixLists) > 0:
			return w.lists()
		}
	}
	return place{one.owner, "listeners"}
}

// groupRoom is how many rules of each address family a security group takes: the account's quota, which can only be seen where it is in use.
func (b *builder) groupRoom() int {
	room := b.quotas.RulesPerSecurityGroup
	if e := b.facts.Existing; e != nil {
		room = max(room, e.GroupRules)
	}
	return room
}

// load is how many rules of each address family there are.
type load struct{ four, six int }

func (l load) with(o load) load { return load{l.four + o.four, l.six + o.six} }

func (l load) within(room int) bool { return l.four <= room && l.six <= room }

// weigh says what a rule counts as (VPC quotas): a prefix list as its most entries, one whose size may not be read as one.
func (b *builder) weigh(rule model.Permission) load {
	n, six := 1, strings.Contains(rule.CIDR, ":")
	if list, ok := b.facts.PrefixLists[rule.PrefixList]; ok {
		n, six = list.MaxEntries, list.IPv6
	}
	if six {
		return load{six: n}
	}
	return load{four: n}
}

// pack divides rules among as few groups as take them, most at most.
func (b *builder) pack(rules []model.Permission, most int) ([][]model.Permission, bool) {
	if out, ok := b.spread(rules, 1); ok {
		return out, true
	}
	rules = condense(rules)
	for n := 1; n <= most; n++ {
		if out, ok := b.spread(rules, n); ok {
			return out, true
		}
	}
	return nil, false
}

// spread divides rules among n groups. Where a rule goes depends on itself, as far as there is room: one rule more moves few others.
func (b *builder) spread(rules []model.Permission, n int) ([][]model.Permission, bool) {
	rules = slices.Clone(rules)
	slices.SortStableFunc(rules, func(a, c model.Permission) int {
		x, y := b.weigh(a), b.weigh(c)
		return cmp.Or(cmp.Compare(y.four+y.six, x.four+x.six), cmp.Compare(ruleText(a), ruleText(c)))
	})
	out, loads := make([][]model.Permission, n), make([]load, n)
	for _, rule := range rules {
		weight, at := b.weigh(rule), preferred(rule, n)
		tried := 0
		for !loads[at].with(weight).within(b.groupRoom()) {
			if tried++; tried == n {
				return nil, false
			}
			at = (at + 1) % n
		}
		loads[at] = loads[at].with(weight)
		out[at] = append(out[at], rule)
	}
	return out, true
}

func ruleText(rule model.Permission) string {
	return strings.Join([]string{rule.CIDR, rule.PrefixList, strconv.Itoa(rule.FromPort), strconv.Itoa(rule.ToPort)}, " ")
}

// preferred is the group of n that a rule goes to if there is room.
func preferred(rule model.Permission, n int) int {
	return int(crc32.ChecksumIEEE([]byte(ruleText(rule)))) % n
}

// condense says the same with fewer rules: ranges that make up a greater one become that, and ports in a row of the same source one rule.
func condense(rules []model.Permission) []model.Permission {
	ranges := map[int][]string{}
	ports := map[model.Permission][]int{} // by a rule without its port
	var out []model.Permission
	for _, rule := range rules {
		if rule.Protocol != "tcp" { // it has no ports
			out = append(out, rule)
			continue
		}
		if rule.CIDR != "" {
			ranges[rule.FromPort] = append(ranges[rule.FromPort], rule.CIDR)
			continue
		}
		port := rule.FromPort
		rule.FromPort, rule.ToPort = 0, 0
		ports[rule] = append(ports[rule], port)
	}
	for port, cidrs := range ranges {
		for _, c := range aggregate(cidrs) {
			source := model.Permission{Protocol: "tcp", CIDR: c}
			ports[source] = append(ports[source], port)
		}
	}
	for rule, of := range ports {
		for _, run := range runs(of) {
			rule.FromPort, rule.ToPort = run[0], run[1]
			out = append(out, rule)
		}
	}
	slices.SortFunc(out, func(a, c model.Permission) int { return cmp.Compare(ruleText(a), ruleText(c)) })
	return out
}

// runs are the first and last of numbers in a row.
func runs(numbers []int) [][2]int {
	var out [][2]int
	for _, n := range slices.Compact(slices.Sorted(slices.Values(numbers))) {
		if last := len(out) - 1; last >= 0 && out[last][1] == n-1 {
			out[last][1] = n
			continue
		}
		out = append(out, [2]int{n, n})
	}
	return out
}

// aggregate is the fewest ranges with the same addresses.
func aggregate(cidrs []string) []string {
	var all []netip.Prefix
	for _, c := range cidrs {
		if p, err := netip.ParsePrefix(c); err == nil {
			all = append(all, p.Masked())
		}
	}
	slices.SortFunc(all, func(a, c netip.Prefix) int {
		return cmp.Or(a.Addr().Compare(c.Addr()), cmp.Compare(a.Bits(), c.Bits()))
	})
	var out []netip.Prefix
	for _, p := range all {
		if last := len(out) - 1; last >= 0 && out[last].Contains(p.Addr()) {
			continue
		}
		out = append(out, p)
		for len(out) > 1 {
			parent, ok := joined(out[len(out)-2], out[len(out)-1])
			if !ok {
				break
			}
			out = append(out[:len(out)-2], parent)
		}
	}
	text := make([]string, len(out))
	for i, p := range out {
		text[i] = p.String()
	}
	return text
}

// joined is the range that two halves make up.
func joined(a, c netip.Prefix) (netip.Prefix, bool) {
	if a.Bits() != c.Bits() || a.Bits() == 0 || a.Addr().Is4() != c.Addr().Is4() || a == c {
		return netip.Prefix{}, false
	}
	parent := netip.PrefixFrom(a.Addr(), a.Bits()-1).Masked()
	return parent, parent.Contains(c.Addr())
}
