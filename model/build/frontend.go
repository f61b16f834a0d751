package build

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

const (
	typeNetwork = "network"
	protocolTCP = "TCP"
	// frontendSuffix of the name of a frontend, and how much of the name of the load balancer behind stands before it.
	frontendSuffix = "-nlb"
	frontendName   = 28
)

// frontend is a frontend in the making: its settings merged over the members.
type frontend struct {
	settings

	existing    model.Existing
	subnetIDs   []string
	allocations map[string]string
	refs        []model.GroupRef
	// broken says that something that it needs is not there, which was told.
	broken bool
}

// frontend is the network load balancer in front of the one that is built, nil where nobody asks for one. Hold is one that exists and
// that may not be touched: it is not known, or cannot be made, what is asked of it.
func (b *builder) frontend(stack *model.Stack, s settings, p ports) (part *model.Stack, hold model.ARN) {
	front := frontend{}
	applied := ""
	if b.facts.Frontend != nil {
		front.existing, applied = *b.facts.Frontend, "true"
	}
	if b.choice("frontend.enabled", applied, (*builder).frontendEnabled) != "true" {
		b.unusedFrontend()
		if b.unasked("?", "") != "" {
			hold = front.existing.ARN
		}
		return nil, hold
	}
	b.describeFrontend(&front, stack, s)
	wishes := b.frontendPorts(p)
	part = &model.Stack{Owner: b.in.Owner}
	for _, n := range slices.Sorted(maps.Keys(wishes)) {
		g := b.frontendGroup(n, wishes[n], front.existing)
		if g == nil {
			front.broken = true
			continue
		}
		part.TargetGroups = append(part.TargetGroups, *g)
		part.Listeners = append(part.Listeners, b.frontendListener(n, g.ID))
	}
	if front.broken {
		return nil, front.existing.ARN
	}
	part.LoadBalancer = b.frontendBalancer(front, stack.LoadBalancer.Name)
	b.admitFrontend(stack, front, wishes, p)
	return part, ""
}

func (b *builder) frontendEnabled(f *intent.Fragment) string {
	return b.oneOf(f, "frontend.enabled", frontendOf(f).Enabled, "true", "false")
}

// frontendOf is what a member asks of a frontend.
func frontendOf(f *intent.Fragment) intent.Frontend {
	if f.Settings.Frontend == nil {
		return intent.Frontend{}
	}
	return *f.Settings.Frontend
}

// unusedFrontend tells those who describe a frontend that there is none.
func (b *builder) unusedFrontend() {
	for _, f := range b.fragments {
		if len(f.Settings.Fields) == 0 {
			continue
		}
		for _, field := range slices.Sorted(maps.Keys(f.Settings.Fields)) {
			if strings.HasPrefix(field, "frontend.") && field != "frontend.enabled" {
				b.report(settingPlace(f, field), model.Warning, "UnusedSetting",
					"has no effect, for the load balancer has no frontend: enable it, or take this away")
			}
		}
	}
}

func (b *builder) describeFrontend(front *frontend, stack *model.Stack, s settings) {
	front.network = true
	front.scheme = b.choice("frontend.scheme", front.existing.Scheme, func(b *builder, f *intent.Fragment) string {
		return b.oneOf(f, "frontend.scheme", frontendOf(f).Scheme, schemeInternal, schemePublic)
	})
	if front.scheme == "" {
		front.scheme = b.unasked(front.existing.Scheme, b.defaultScheme())
	}
	front.attributes = b.mergeAttributes("frontend.attributes", "network", func(_ *builder, f *intent.Fragment) (map[string]string, map[string]string) {
		return frontendOf(f).Attributes, nil
	})
	front.tags = s.tags
	if slices.ContainsFunc(b.fragments, func(f *intent.Fragment) bool { return len(frontendOf(f).Tags) > 0 }) {
		front.tags = b.mergeKeys(b.fragments, "frontend.tags", func(b *builder, f *intent.Fragment) (map[string]string, map[string]string) {
			at := settingPlace(f, "frontend.tags")
			return b.usableTags(frontendOf(f).Tags, at), b.usableTags(f.Settings.EnforcedTags, at)
		})
	}
	front.refs = stack.LoadBalancer.SecurityGroups
	if f := b.exclusive("frontend.securityGroups", "", func(_ *builder, f *intent.Fragment) string {
		return strings.Join(frontendOf(f).SecurityGroups, ",")
	}); f != nil {
		front.groups = f
		front.refs = b.frontendGroups(front, f)
	}
	b.frontendSubnets(front, s)
	b.frontendAddresses(front)
}

// frontendGroups are security groups of the frontend's own.
func (b *builder) frontendGroups(front *frontend, f *intent.Fragment) []model.GroupRef {
	var refs []model.GroupRef
	for _, name := range frontendOf(f).SecurityGroups {
		ids := b.facts.SecurityGroups[name]
		switch {
		case slices.Contains(b.facts.LostSecurityGroups, name):
			front.broken = true
			b.wrong(settingPlace(f, "frontend.securityGroups"), "SecurityGroupNotFound", "%s", lostGroup(name))
		case strings.HasPrefix(name, "sg-"):
			refs = append(refs, model.GroupRef{ID: name})
		case len(ids) == 1:
			refs = append(refs, model.GroupRef{ID: ids[0]})
		default:
			front.broken = true
			b.wrong(settingPlace(f, "frontend.securityGroups"), "SecurityGroupNotFound",
				"the Name tag %s is on %d security groups of the VPC, and must be on one; use an ID", name, len(ids))
		}
	}
	return refs
}

// frontendSubnets chooses subnets, and the address type: that of the load balancer behind, as far as a network load balancer has it and
// the subnets allow.
func (b *builder) frontendSubnets(front *frontend, s settings) {
	front.subnets = b.exclusive("frontend.subnets", subnetKey(front.existing.Subnets), (*builder).frontendSubnetsOf)
	kinds := []string{typeIPv4}
	if s.ipAddressType != typeIPv4 {
		kinds = []string{typeDualstack, typeIPv4}
	}
	var problem string
	for _, front.ipAddressType = range kinds {
		var chosen []model.Subnet
		chosen, problem = b.chosenForFrontend(front)
		front.subnetIDs = nil
		for _, n := range chosen {
			front.subnetIDs = append(front.subnetIDs, n.ID)
		}
		if problem == "" {
			return
		}
	}
	front.broken = true
	for _, f := range b.fragments {
		if f == front.subnets || front.subnets == nil && frontendOf(f).Enabled == "true" {
			b.wrong(settingPlace(f, "frontend.subnets"), "SubnetsNotUsable",
				"the subnets of the frontend %s; name one subnet a zone, or tag them with %s=1", problem, roleTag(front.scheme))
		}
	}
}

func (b *builder) chosenForFrontend(front *frontend) (chosen []model.Subnet, problem string) {
	var lost unresolved
	switch e := front.existing; {
	case front.subnets != nil:
		chosen, lost = b.lookUp(frontendOf(front.subnets).Subnets)
	case e.Scheme == front.scheme && len(e.Subnets) > 0:
		chosen, lost = b.lookUp(e.Subnets)
	default:
		chosen = b.discovered(front.settings)
	}
	if lost.any() {
		return chosen, lost.problem()
	}
	return chosen, b.subnetProblem(front.settings, chosen)
}

func (b *builder) frontendSubnetsOf(f *intent.Fragment) string {
	found, lost := b.lookUp(frontendOf(f).Subnets)
	return lost.key(found)
}

// frontendAddresses gives each subnet its Elastic IP.
func (b *builder) frontendAddresses(front *frontend) {
	existing := slices.Sorted(maps.Values(front.existing.Allocations))
	f := b.exclusive("frontend.allocations", strings.Join(existing, ","), func(_ *builder, f *intent.Fragment) string {
		return subnetKey(frontendOf(f).Allocations)
	})
	if f == nil || front.broken {
		return
	}
	asked := frontendOf(f).Allocations
	problem := ""
	switch {
	case front.scheme != schemePublic:
		problem = "Elastic IPs need the scheme " + schemePublic + ", and the frontend is " + front.scheme
	case len(asked) != len(front.subnetIDs):
		problem = "there must be one Elastic IP a subnet: there are " + strconv.Itoa(len(asked)) + " for " + strings.Join(front.subnetIDs, ", ")
	case front.existing.Scheme == front.scheme && clash(asked, front.subnetIDs, front.existing.Allocations):
		problem = "AWS does not change the Elastic IPs of a load balancer, and another one cannot have those that it uses: " +
			"name others for all subnets, or take the frontend away first"
	}
	if problem != "" {
		front.broken = true
		b.wrong(settingPlace(f, "frontend.allocations"), "InvalidValue", "%s", problem)
		return
	}
	front.allocations = map[string]string{}
	for i, id := range front.subnetIDs {
		front.allocations[id] = asked[i]
	}
}

// clash tells whether Elastic IPs cannot be given to a load balancer that has some: neither to it nor, while it is there, to another.
func clash(asked, subnets []string, existing map[string]string) bool {
	have := slices.Sorted(maps.Values(existing))
	if slices.Equal(slices.Sorted(slices.Values(asked)), have) {
		return false
	}
	moved, shared := false, false
	for i, id := range asked {
		shared = shared || slices.Contains(have, id)
		moved = moved || existing[subnets[i]] != "" && existing[subnets[i]] != id
	}
	return moved && shared
}

func (b *builder) frontendBalancer(front frontend, behind string) *model.LoadBalancer {
	lb := &model.LoadBalancer{
		ID: model.ResourceFrontend, Type: typeNetwork, Scheme: front.scheme, IPAddressType: front.ipAddressType, VPC: b.facts.VPC.ID,
		Name:    strings.TrimRight(behind[:min(len(behind), frontendName)], "-") + frontendSuffix,
		Subnets: front.subnetIDs, SecurityGroups: front.refs, Allocations: front.allocations, Attributes: front.attributes,
		Tags: b.tags(model.ResourceFrontend, front.tags),
	}
	// As with the load balancer behind, a name is read at creation only.
	if front.existing.Scheme == front.scheme {
		lb.Name = cmp.Or(front.existing.Name, lb.Name)
	}
	return lb
}

func (b *builder) frontendListener(n int, group string) model.Listener {
	return model.Listener{
		Port: n, Protocol: protocolTCP, Tags: b.tags(model.ResourceFrontend+"-ls-TCP-"+strconv.Itoa(n), nil),
		DefaultActions: []model.Action{{
			Type: model.ActionForward, Forward: &model.Forward{Groups: []model.WeightedGroup{{Key: group, Weight: 1}}},
		}},
	}
}
