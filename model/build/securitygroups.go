package build

import (
	"net/netip"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// The managed security group of a load balancer, as the incumbent makes it.
const (
	managedGroupID          = "ManagedLBSecurityGroup"
	managedGroupDescription = "[k8s] Managed SecurityGroup for LoadBalancer"
)

// secure gives the load balancer its security groups: the user's, or managed ones that admit what the ports ask for.
func (b *builder) secure(stack *model.Stack, s settings, p ports) {
	var refs []model.GroupRef
	if s.groups == nil {
		stack.SecurityGroups = b.managedGroups(s, p)
		for _, g := range stack.SecurityGroups {
			refs = append(refs, model.GroupRef{Key: g.ID})
		}
	} else {
		refs = b.givenGroups(s)
	}
	if b.backendRules(s) {
		refs = append(refs, model.GroupRef{Key: model.ResourceBackendSecurityGroup})
	}
	stack.LoadBalancer.SecurityGroups = refs
}

// backendRules tells whether the load balancer carries the shared backend group, so that pods' groups admit it.
func (b *builder) backendRules(s settings) bool {
	return b.in.Defaults.BackendSecurityGroup && (s.groups == nil || s.manageBackend)
}

func (b *builder) givenGroups(s settings) []model.GroupRef {
	at := settingPlace(s.groups, "securityGroups")
	var refs []model.GroupRef
	for _, name := range s.groups.Settings.SecurityGroups {
		ids := b.facts.SecurityGroups[name]
		switch {
		case slices.Contains(b.facts.LostSecurityGroups, name):
			b.blockGroup(at, lostGroup(name))
		case strings.HasPrefix(name, "sg-"):
			refs = append(refs, model.GroupRef{ID: name})
		case len(ids) == 1:
			refs = append(refs, model.GroupRef{ID: ids[0]})
		case len(ids) > 1:
			b.blockGroup(at, "the Name tag "+name+" is on several security groups ("+strings.Join(slices.Sorted(slices.Values(ids)), ", ")+"); use an ID")
		default:
			b.blockGroup(at, "the VPC has no security group with the Name tag "+name)
		}
	}
	return refs
}

func lostGroup(id string) string {
	return "the VPC has no security group " + id + "; write the ID of one that it has"
}

// blockGroup stops the build: without the group that its user chose, the load balancer would be open to others.
func (b *builder) blockGroup(at place, problem string) {
	b.wrong(at, "SecurityGroupNotFound", "%s", problem)
	b.blocked = append(b.blocked, problem)
}

// usableLists are the prefix lists that are there, sorted. A port whose lists are all gone admits nobody.
func (b *builder) usableLists(at place, lists []string) []string {
	var out []string
	for _, id := range lists {
		if slices.Contains(b.facts.LostPrefixLists, id) {
			b.wrong(at, "PrefixListNotFound", "there is no prefix list %s in this account and region; write the ID of one that is", id)
			continue
		}
		out = append(out, id)
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}

// admitted are the permissions of one port. Who named nobody admits everybody. IPv6 ranges mean something only where the load balancer
// has IPv6 addresses.
func admitted(one *port, ipAddressType string) []model.Permission {
	cidrs := one.cidrs
	if !one.restricted {
		cidrs = []string{"0.0.0.0/0", "::/0"}
	}
	var out []model.Permission
	for _, c := range cidrs {
		if strings.Contains(c, ":") && ipAddressType == typeIPv4 {
			continue
		}
		out = append(out, model.Permission{Protocol: "tcp", FromPort: one.number, ToPort: one.number, CIDR: c})
	}
	for _, list := range one.prefixes {
		out = append(out, model.Permission{Protocol: "tcp", FromPort: one.number, ToPort: one.number, PrefixList: list})
	}
	return out
}

// usableCIDRs are the ranges in EC2's form, sorted. A port whose ranges are all wrong admits nobody.
func (b *builder) usableCIDRs(at place, ranges []string) []string {
	var out []string
	for _, r := range ranges {
		prefix, err := netip.ParsePrefix(r)
		if err != nil {
			b.wrong(at, "InvalidValue", "%q is no range of addresses; write it as 10.0.0.0/8", r)
			continue
		}
		out = append(out, prefix.Masked().String())
	}
	return slices.Compact(slices.Sorted(slices.Values(out)))
}
