package plan

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// ruleCount counts the rules of each address family, of which AWS allows so many a group (VPC quotas). Prefix lists count as one here:
// how many they are worth, the build has seen to.
func ruleCount(list []model.Permission) (four, six int) {
	for _, perm := range list {
		if perm.CIDR == "" || !strings.Contains(perm.CIDR, ":") {
			four++
		}
		if perm.CIDR == "" || strings.Contains(perm.CIDR, ":") {
			six++
		}
	}
	return four, six
}

// fits tells whether a group may hold so many rules. One that holds more than the quota we know of shows that the account's is higher.
func (p *planner) fits(have model.SecurityGroup, list []model.Permission) bool {
	if have.Foreign {
		return true // others write there too: AWS has to say
	}
	four, six := ruleCount(list)
	haveFour, haveSix := ruleCount(have.Ingress)
	room := max(p.opts.Quotas.RulesPerSecurityGroup, haveFour, haveSix)
	return four <= room && six <= room
}

// clear withdraws ahead of time what no group admits any more, where a group is too full for what is missing. It gives the group as it
// is then, and the change.
func (p *planner) clear(want, have model.SecurityGroup, missing []model.Permission) (model.SecurityGroup, int) {
	if p.opts.AuthoriseOnly || p.fits(have, slices.Concat(have.Ingress, missing)) {
		return have, 0
	}
	var gone []model.Permission
	for _, perm := range without(ours(have), want.Ingress) {
		if !slices.ContainsFunc(p.want.SecurityGroups, func(g model.SecurityGroup) bool { return slices.ContainsFunc(g.Ingress, meets(perm)) }) {
			gone = append(gone, perm)
		}
	}
	if len(gone) == 0 {
		return have, 0
	}
	key := securityGroupKey(want.ID)
	p.early[key] = gone
	id := p.add(Change{
		Op: RevokeIngress, Action: Update, Key: key, ARN: have.ARN, SecurityGroup: &have, Permissions: gone, Fields: removed(gone),
		Why: "the group is full, and nobody asks for these",
	})
	for _, perm := range gone {
		p.release(perm.Source, id)
	}
	have.Ingress = without(have.Ingress, gone)
	return have, id
}

// meets tells whether two permissions admit a connection in common.
func meets(a model.Permission) func(model.Permission) bool {
	return func(b model.Permission) bool {
		if a.Protocol != b.Protocol || a.ToPort < b.FromPort || b.ToPort < a.FromPort {
			return false
		}
		if a.CIDR == "" || b.CIDR == "" {
			return a.PrefixList == b.PrefixList && a.Source == b.Source
		}
		x, errX := netip.ParsePrefix(a.CIDR)
		y, errY := netip.ParsePrefix(b.CIDR)
		return errX == nil && errY == nil && x.Overlaps(y)
	}
}

// split divides what is missing into what has room now, the widest ranges first, and the rest.
func (p *planner) split(have model.SecurityGroup, missing []model.Permission) (now, late []model.Permission) {
	if p.fits(have, slices.Concat(have.Ingress, missing)) {
		return missing, nil
	}
	missing = slices.Clone(missing)
	slices.SortStableFunc(missing, func(a, b model.Permission) int { return cmp.Compare(width(a), width(b)) })
	for _, perm := range missing {
		if p.fits(have, slices.Concat(have.Ingress, now, []model.Permission{perm})) {
			now = append(now, perm)
			continue
		}
		late = append(late, perm)
	}
	return now, late
}

// width is the length of a range's prefix; a prefix list is wider than all.
func width(perm model.Permission) int {
	prefix, err := netip.ParsePrefix(perm.CIDR)
	if err != nil {
		return -1
	}
	return prefix.Bits()
}

// setSecurityGroups gives a load balancer its groups. While one of them waits for room, those that it shall lose stay with it: see
// [planner.shed].
func (p *planner) setSecurityGroups(want, have model.LoadBalancer) {
	names, old := refNames(want.SecurityGroups), refNames(have.SecurityGroups)
	if len(names) == 0 || slices.Equal(names, old) {
		return
	}
	next := want
	if len(p.late) > 0 && !p.front {
		next.SecurityGroups = union(want.SecurityGroups, have.SecurityGroups)
		p.sheds = len(next.SecurityGroups) <= groupsPerInterface && len(next.SecurityGroups) > len(want.SecurityGroups)
		switch {
		case !p.sheds:
			next = want
		case len(next.SecurityGroups) == len(have.SecurityGroups):
			return // nothing comes, something goes later
		}
	}
	id := p.swapGroups(next, have, p.groupsReady(next.SecurityGroups))
	if !p.sheds {
		p.releaseGroups(have.SecurityGroups, id)
	}
}

// swapGroups gives a load balancer other groups. What it loses it keeps beside them, as far as AWS has room, until the targets admit what it
// gets.
func (p *planner) swapGroups(next, have model.LoadBalancer, after []int) int {
	needs, all := p.admission(next, have), next
	all.SecurityGroups = union(next.SecurityGroups, have.SecurityGroups)
	if len(needs) > 0 && len(all.SecurityGroups) > len(have.SecurityGroups) && len(all.SecurityGroups) <= groupsPerInterface {
		after = append(after, p.setGroups(all, have, after))
		have = all
	}
	id := p.setGroups(next, have, after)
	p.plan.Changes[id-1].Needs = needs
	return id
}

// groupsPerInterface is how many security groups AWS gives a network interface (VPC quotas).
const groupsPerInterface = 5

func union(a, b []model.GroupRef) []model.GroupRef {
	out := slices.Clone(a)
	for _, ref := range b {
		if !slices.Contains(out, ref) {
			out = append(out, ref)
		}
	}
	return out
}

func (p *planner) setGroups(next, have model.LoadBalancer, after []int) int {
	return p.add(Change{
		Op: SetSecurityGroups, Action: Update, Key: loadBalancerKey(next), ARN: have.ARN, LoadBalancer: &next, After: after,
		Fields: []Field{{Name: "securityGroups", Old: joined(refNames(have.SecurityGroups)), New: joined(refNames(next.SecurityGroups))}},
	})
}

// admission is what the loss of groups waits for: the targets must admit the shared backend group, where it is to carry requests alone.
func (p *planner) admission(next, have model.LoadBalancer) []Need {
	backend := model.GroupRef{Key: model.ResourceBackendSecurityGroup}
	loses := len(union(next.SecurityGroups, have.SecurityGroups)) > len(next.SecurityGroups)
	if p.opts.Met == nil || p.front || !loses || !slices.Contains(next.SecurityGroups, backend) {
		return nil
	}
	need := Need{Key: securityGroupKey(backend.Key), State: StateAdmitted}
	met, note := p.opts.Met(need)
	if note != "" {
		p.note(note)
	}
	if met {
		return nil
	}
	return []Need{need}
}

// shed takes the groups from the load balancer that had to stay until the others admit what they shall.
func (p *planner) shed() {
	if !p.sheds {
		return
	}
	want, have := *p.want.LoadBalancer, *p.keep
	var after []int
	for _, ref := range want.SecurityGroups {
		after = append(after, p.changesOf(securityGroupKey(ref.Key), AuthorizeIngress)...)
	}
	was := have
	was.SecurityGroups = union(want.SecurityGroups, have.SecurityGroups)
	id := p.setGroups(want, was, after)
	p.releaseGroups(have.SecurityGroups, id)
}

// authoriseLate adds what had no room before change id withdrew others.
func (p *planner) authoriseLate(want, have model.SecurityGroup, id int) {
	key := securityGroupKey(want.ID)
	late := p.late[key]
	if len(late) == 0 {
		return
	}
	delete(p.late, key)
	p.add(Change{
		Op: AuthorizeIngress, Action: Update, Key: key, ARN: have.ARN, SecurityGroup: &want, Permissions: late, After: []int{id},
		Fields: added(late), Why: "the group is full until others are withdrawn",
	})
	for _, perm := range late {
		if p.shutOut(perm) {
			p.note("security group " + want.Name + " is full: new connections from " + perm.CIDR + perm.PrefixList + " may be refused for a moment")
		}
	}
}

// shutOut tells whether some of those whom a late permission admits had been admitted before by one that is withdrawn.
func (p *planner) shutOut(late model.Permission) bool {
	return slices.ContainsFunc(p.have.SecurityGroups, func(g model.SecurityGroup) bool {
		want, _ := p.wantedGroupOf(g)
		return slices.ContainsFunc(without(ours(g), want.Ingress), meets(late))
	})
}
