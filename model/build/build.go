// Package build makes the desired stack of an intent: Intent + Facts → Stack + Findings. Only it knows what AWS makes of what
// users ask for: defaults, names, limits, the encoding of matches.
//
// It imports the standard library, package model and package intent, and calls nothing: what it must know of the world comes as
// facts. Its invariants: equal input gives an equal stack, whatever the order of sets in it; what one member got wrong
// never changes what another one gets; and what AWS cannot do is refused with a finding that names the field, never
// applied by half. It never panics, whatever the input. A [Memory] makes a build cheap where little changed, and never another one.
package build

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// Result is what a build gives.
type Result struct {
	// Stack is the desired stack, normalised. It is without meaning while Blocked is set.
	Stack model.Stack
	// Findings are about what users wrote, sorted by object.
	Findings []model.Finding
	// Blocked says why the stack as a whole cannot be built now (no subnets, say); nothing may be changed then. It is empty where
	// the stack was built.
	Blocked string
	// Left are the intent's fragments with what had no room at a quota marked as left; nil where everything had room.
	Left []intent.Fragment
	// Hold is a frontend that exists and stays as it is: it is not known, or cannot be made, what is asked of it.
	Hold model.ARN
}

// Build makes the stack of an intent. An intent without fragments gives the empty stack: everything of the owner goes.
func Build(in intent.Intent, facts model.Facts) Result { return new(Memory).Build(in, facts) }

// Build makes the stack of an intent, as the function [Build] does, with what is remembered of the last one.
func (m *Memory) Build(in intent.Intent, facts model.Facts) Result {
	if len(in.Fragments) == 0 {
		*m = Memory{}
		return Result{Stack: model.Stack{Owner: in.Owner}}
	}
	b := m.begin(in, facts)
	s := b.settings()
	b.ipAddressType = s.ipAddressType
	m.settle(b)
	subnets := b.subnets(s)
	ports := b.ports(s)
	b.rules(ports)

	stack := model.Stack{Owner: in.Owner, Listeners: b.listeners(ports)}
	stack.LoadBalancer = b.loadBalancer(s, subnets)
	b.secure(&stack, s, ports)
	var hold model.ARN
	stack.Frontend, hold = b.frontend(&stack, s, ports)
	stack.TargetGroups = b.usedGroups(stack, s)
	stack.Certificates = b.usedCertificates(stack)
	stack.TrustStores = b.usedTrustStores(stack)
	if len(b.blocked) > 0 {
		stack = model.Stack{Owner: in.Owner}
	}
	return Result{Stack: model.Normal(stack), Findings: b.sortedFindings(), Blocked: strings.Join(b.blocked, "; "), Hold: hold, Left: b.marked()}
}

// builder holds one build.
type builder struct {
	in intent.Intent
	// fragments in order of precedence, those that yield last, with what is remembered of each.
	fragments  []*intent.Fragment
	remembered []*record
	memory     *Memory
	// beyond says that what is compiled depends on more than what is remembered with it.
	beyond bool
	facts  model.Facts
	quotas model.Quotas
	// ipAddressType of the load balancer.
	ipAddressType string
	// groups are the target groups that routes refer to, by resource ID; nil where one cannot be made.
	groups map[string]*model.TargetGroup
	// kept are the IDs of those that stay although nothing forwards to them.
	kept map[string]bool
	// certs are the stack's own certificates that members ask for, by resource ID, and users who asks for one; sameContent has the Secret
	// that stands for all with a content.
	certs       map[string]model.OwnCertificate
	users       map[string]map[*intent.Fragment]bool
	sameContent map[string]model.SecretRef
	// stores are the stack's own trust stores that ports use, by resource ID.
	stores map[string]trusted
	// ids says which backend has a resource ID; nil until somebody asks.
	ids map[string]backend
	// earlier are the intent's fragments before, by their member.
	earlier map[model.ObjectRef]*intent.Fragment
	// past builds what members asked for when they were last good; its findings are nobody's.
	past *builder
	// loops are what routes' redirects to themselves are.
	loops    map[*intent.Route]*loops
	usage    usage
	left     left
	findings map[model.Finding]bool
	blocked  []string
}

func newBuilder(in intent.Intent, facts model.Facts) *builder {
	b := &builder{
		in: in, facts: facts, quotas: facts.Quotas.WithDefaults(),
		groups: make(map[string]*model.TargetGroup, len(in.Fragments)), kept: map[string]bool{}, findings: map[model.Finding]bool{},
		certs: map[string]model.OwnCertificate{}, users: map[string]map[*intent.Fragment]bool{}, sameContent: sameContent(in.Fragments),
		stores: map[string]trusted{}, earlier: byMember(in.Before), loops: map[*intent.Route]*loops{},
	}
	b.usage.groups = map[string]bool{}
	b.left = left{routes: map[*intent.Route]bool{}, listeners: map[*intent.Listener]bool{}, certificates: map[*intent.Listener][]model.ARN{}}
	if len(in.Before) > 0 {
		before := in
		before.Fragments, before.Before, before.Observed = in.Before, nil, nil
		b.past = newBuilder(before, facts)
		b.past.arrange(nil)
	}
	b.facts.Subnets = slices.SortedFunc(slices.Values(facts.Subnets), func(a, c model.Subnet) int { return cmp.Compare(a.ID, c.ID) })
	b.facts.Certificates = slices.SortedFunc(slices.Values(facts.Certificates),
		func(a, c model.Certificate) int { return cmp.Compare(a.ARN, c.ARN) })
	return b
}

// begin is a builder with a memory.
func (m *Memory) begin(in intent.Intent, facts model.Facts) *builder {
	var records []*record
	in.Fragments, records = m.recall(in.Fragments)
	b := newBuilder(in, facts)
	b.memory = m
	b.arrange(records)
	return b
}

// arrange puts the fragments, with what is remembered of each, into order of precedence.
func (b *builder) arrange(records []*record) {
	b.fragments, b.remembered = make([]*intent.Fragment, 0, len(b.in.Fragments)), make([]*record, 0, len(records))
	for _, yield := range []bool{false, true} {
		for i := range b.in.Fragments {
			if b.in.Fragments[i].Yield != yield {
				continue
			}
			b.fragments = append(b.fragments, &b.in.Fragments[i])
			if records != nil {
				b.remembered = append(b.remembered, records[i])
			}
		}
	}
}

// place is where something was written: who is told when it is wrong.
type place struct {
	object model.ObjectRef
	field  string
}

func (b *builder) report(at place, severity model.Severity, reason, message string) {
	b.findings[model.Finding{Object: at.object, Severity: severity, Reason: reason, Field: at.field, Message: message}] = true
}

// wrong tells the owner of a place about a mistake.
func (b *builder) wrong(at place, reason, format string, args ...any) {
	b.report(at, model.Wrong, reason, fmt.Sprintf(format, args...))
}

func (b *builder) sortedFindings() []model.Finding {
	out := make([]model.Finding, 0, len(b.findings))
	for f := range b.findings {
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, c model.Finding) int {
		return cmp.Or(
			cmp.Compare(a.Object.String(), c.Object.String()), cmp.Compare(a.Field, c.Field), cmp.Compare(a.Reason, c.Reason), cmp.Compare(a.Port, c.Port),
			cmp.Compare(a.Message, c.Message), cmp.Compare(a.Severity, c.Severity), cmp.Compare(a.Object.UID, c.Object.UID),
			cmp.Compare(a.Object.Group, c.Object.Group))
	})
	return out
}

// tags are the tags of a resource: the user's, the default ones over them unless they yield, those of ownership over all.
func (b *builder) tags(id string, user map[string]string) map[string]string {
	out := map[string]string{}
	over, under := b.in.Defaults.Tags, user
	if b.in.Defaults.TagsYield {
		over, under = under, over
	}
	for _, layer := range []map[string]string{under, over, b.in.Owner.Tags(id)} {
		maps.Copy(out, layer)
	}
	return out
}

// loadBalancerID is the resource ID of the load balancer.
const loadBalancerID = "LoadBalancer"

func (b *builder) loadBalancer(s settings, subnets []string) *model.LoadBalancer {
	lb := &model.LoadBalancer{
		ID: loadBalancerID, Name: s.name, NameGiven: s.name != "", Type: balancerType, Scheme: s.scheme, IPAddressType: s.ipAddressType,
		Subnets: subnets, VPC: b.facts.VPC.ID, Attributes: s.attributes, Tags: b.tags(loadBalancerID, s.tags),
		Addons: s.addons, CustomerOwnedPool: b.ownedPool(s, subnets),
	}
	if lb.Name == "" {
		lb.Name = loadBalancerName(b.in, s.scheme)
	}
	// A name is read at creation only; a load balancer of another scheme is another one, and needs a name of its own.
	if e := b.facts.Existing; e != nil && e.Scheme == s.scheme && e.Name != "" {
		lb.Name = e.Name
	}
	return lb
}
