package plan

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
)

// securityGroups plans groups and their permissions: what is added here, what is withdrawn at the end of the plan.
func (p *planner) securityGroups() {
	for _, want := range p.want.SecurityGroups {
		have, exists := p.observedGroupOf(want)
		key := securityGroupKey(want.ID)
		switch {
		case exists:
			if !want.Foreign {
				p.tags(owned{key: key, arn: have.ARN, wantTags: want.Tags, haveTags: have.Tags})
			}
		case want.Foreign:
			have = model.SecurityGroup{ID: want.ID, Foreign: true, ARN: model.ARN(want.ID)}
		default:
			p.create(Change{
				Op: CreateSecurityGroup, Action: Create, Key: key, SecurityGroup: &want,
				Fields: []Field{{Name: "name", New: want.Name}},
			})
		}
		p.know(key, have.ARN)
		p.authorise(want, have)
	}
}

// authorise adds the permissions that are missing: in one call, unless the group is full. What has no room then waits until others are
// withdrawn; see [planner.revoke].
func (p *planner) authorise(want, have model.SecurityGroup) {
	missing := p.permitted(have, without(want.Ingress, ours(have)))
	if len(missing) == 0 {
		return
	}
	have, first := p.clear(want, have, missing)
	now, late := p.split(have, missing)
	key := securityGroupKey(want.ID)
	if len(late) > 0 {
		p.late[key] = late
	}
	if len(now) == 0 {
		return
	}
	after := []int{p.makes[key], first}
	for _, perm := range now {
		after = append(after, p.makes[securityGroupKey(perm.Source.Key)])
	}
	id := p.add(Change{
		Op: AuthorizeIngress, Action: Update, Key: key, ARN: have.ARN, SecurityGroup: &want, Permissions: now, After: after,
		Fields: added(now),
	})
	if p.makes[key] != 0 {
		p.makes[key] = id
	}
}

// deleteSecurityGroups withdraws permissions and deletes groups: last, for everything that uses them is changed before.
func (p *planner) deleteSecurityGroups() {
	if p.opts.AuthoriseOnly {
		return
	}
	var gone []model.SecurityGroup
	var pairs [][2]model.SecurityGroup
	for _, have := range p.have.SecurityGroups {
		want, wanted := p.wantedGroupOf(have)
		if !wanted && !have.Foreign {
			gone = append(gone, have)
			continue
		}
		pairs = append(pairs, [2]model.SecurityGroup{want, have})
	}
	// Where something waits for room comes first: until it is admitted, others keep what they have.
	slices.SortStableFunc(pairs, func(a, b [2]model.SecurityGroup) int {
		return cmp.Compare(len(p.late[securityGroupKey(b[0].ID)]), len(p.late[securityGroupKey(a[0].ID)]))
	})
	for _, pair := range pairs {
		later := p.revoke(pair[0], pair[1])
		parts := p.partsOfHeld(pair[0], pair[1], later)
		p.revokeLater(pair[1], without(later, parts), nil)
		p.revokeLater(pair[1], parts, p.admitLater(pair[0], pair[1]))
	}
	p.shed()
	for _, have := range gone {
		if p.usedByStay(have) {
			continue
		}
		p.add(Change{
			Op: DeleteSecurityGroup, Action: Delete, Key: securityGroupKey(have.ID), ARN: have.ARN, SecurityGroup: &have,
			Fields: []Field{{Name: "name", Old: have.Name}}, After: slices.Clone(p.frees[groupUse(have)]),
		})
	}
}

// revoke withdraws the permissions that nobody asks for, in one call, after those that are added; those for which there was no room follow. It
// gives those that are withdrawn later.
func (p *planner) revoke(want, have model.SecurityGroup) (later []model.Permission) {
	key := securityGroupKey(have.ID)
	surplus := without(without(ours(have), want.Ingress), p.early[key])
	surplus, later = p.bequeathed(want, have, surplus)
	if len(surplus) == 0 {
		return later
	}
	// What one group admits no more may have moved to another, which the load balancer must have by then.
	after := p.changesOf(key, AuthorizeIngress)
	if !have.Foreign {
		for _, g := range p.want.SecurityGroups {
			after = append(after, p.changesOf(securityGroupKey(g.ID), AuthorizeIngress)...)
		}
	}
	if lb := p.want.LoadBalancer; lb != nil {
		after = append(after, p.changesOf(loadBalancerKey(*lb), SetSecurityGroups)...)
	}
	id := p.add(Change{
		Op: RevokeIngress, Action: Update, Key: key, ARN: have.ARN, SecurityGroup: &have, Permissions: surplus, After: after,
		Fields: removed(surplus),
	})
	for _, perm := range surplus {
		p.release(perm.Source, id)
	}
	p.authoriseLate(want, have, id)
	return later
}

// observedGroupOf finds the observed group of a wanted one: of duplicates the first.
func (p *planner) observedGroupOf(want model.SecurityGroup) (model.SecurityGroup, bool) {
	i := slices.IndexFunc(p.have.SecurityGroups, func(g model.SecurityGroup) bool {
		return g.ID == want.ID && g.Foreign == want.Foreign
	})
	if i < 0 {
		return model.SecurityGroup{}, false
	}
	return p.have.SecurityGroups[i], true
}

// wantedGroupOf finds what is wanted of an observed group, unless it is a duplicate of another.
func (p *planner) wantedGroupOf(have model.SecurityGroup) (model.SecurityGroup, bool) {
	for _, want := range p.want.SecurityGroups {
		if want.ID != have.ID || want.Foreign != have.Foreign {
			continue
		}
		if first, _ := p.observedGroupOf(want); first.ARN == have.ARN {
			return want, true
		}
	}
	return model.SecurityGroup{}, false
}

// usedByStay tells whether a load balancer that is not deleted uses the group.
func (p *planner) usedByStay(g model.SecurityGroup) bool {
	return slices.ContainsFunc(p.have.Balancers(), func(lb model.LoadBalancer) bool {
		return p.stay[lb.ARN] && wears(lb, g)
	})
}

// groupsMade are the changes after which the groups exist: what answers nothing yet needs no more.
func (p *planner) groupsMade(refs []model.GroupRef) []int {
	var out []int
	for _, r := range refs {
		out = append(out, p.changesOf(securityGroupKey(r.Key), CreateSecurityGroup)...)
	}
	return out
}

// groupsReady are the changes after which the groups exist with their permissions.
func (p *planner) groupsReady(refs []model.GroupRef) []int {
	var out []int
	for _, r := range refs {
		key := securityGroupKey(r.Key)
		out = append(out, p.makes[key])
		out = append(out, p.changesOf(key, AuthorizeIngress)...)
	}
	return out
}

// changesOf are the changes of a resource with the operation.
func (p *planner) changesOf(key model.Key, op Op) []int {
	var out []int
	for _, c := range p.plan.Changes {
		if c.Key == key && c.Op == op {
			out = append(out, c.ID)
		}
	}
	return out
}

func (p *planner) releaseGroups(refs []model.GroupRef, id int) {
	for _, r := range refs {
		p.release(r, id)
	}
}

// release notes that change id ends a use of a security group.
func (p *planner) release(r model.GroupRef, id int) {
	use := model.ARN(r.Key)
	if r.Key == "" {
		use = model.ARN(r.ID)
	}
	p.frees[use] = append(p.frees[use], id)
}

// groupUse is how [planner.release] names an owned group.
func groupUse(g model.SecurityGroup) model.ARN { return model.ARN(g.ID) }

// ours are the permissions that we may change: on foreign groups those with our mark.
func ours(g model.SecurityGroup) []model.Permission {
	if !g.Foreign {
		return g.Ingress
	}
	return slices.DeleteFunc(slices.Clone(g.Ingress), func(p model.Permission) bool {
		return !strings.Contains(p.Description, model.PermissionMark)
	})
}

// without are the permissions of a that b has not.
func without(a, b []model.Permission) []model.Permission {
	var out []model.Permission
	for _, perm := range a {
		if !slices.ContainsFunc(b, func(o model.Permission) bool { return o.Identity() == perm.Identity() }) {
			out = append(out, perm)
		}
	}
	return out
}

// added and removed are permissions as print shows them.
func added(list []model.Permission) []Field {
	out := make([]Field, len(list))
	for i, perm := range list {
		out[i] = Field{Name: "ingress", New: permissionText(perm)}
	}
	return out
}

func removed(list []model.Permission) []Field {
	out := make([]Field, len(list))
	for i, perm := range list {
		out[i] = Field{Name: "ingress", Old: permissionText(perm)}
	}
	return out
}

func permissionText(p model.Permission) string {
	ports := "all ports"
	switch {
	case strings.HasPrefix(p.Protocol, "icmp"):
		ports = fmt.Sprintf("type %d code %d", p.FromPort, p.ToPort)
	case p.FromPort == p.ToPort && p.FromPort > 0:
		ports = strconv.Itoa(p.FromPort)
	case p.ToPort > 0:
		ports = fmt.Sprintf("%d-%d", p.FromPort, p.ToPort)
	}
	return fmt.Sprintf("%s %s from %s%s%s%s", p.Protocol, ports, p.CIDR, p.PrefixList, p.Source.Key, p.Source.ID)
}
