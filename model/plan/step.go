package plan

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/headgate/headgate/model"
)

// Errors of [Step]: what AWS would refuse.
var (
	errMissing  = errors.New("does not exist")
	errExists   = errors.New("exists already")
	errInUse    = errors.New("is in use")
	errOperator = errors.New("is no operation")
)

// Step is what AWS makes of a change: the observed stack after it. It is pure, the argument stays as it was; states are
// reached at once (a new load balancer is active); and it refuses what AWS refuses for being there, missing or in use.
// Tests and offline plans use it to see where a plan leads.
func Step(s model.Stack, c Change) (model.Stack, error) {
	if !c.Key.Frontend() {
		return step(s, c)
	}
	w := world{Stack: s}
	if err := w.stepFrontend(c); err != nil {
		return s, err
	}
	return model.Normalize(w.Stack), nil
}

// step is a change of one part of a stack.
func step(s model.Stack, c Change) (model.Stack, error) {
	w := world{Stack: s}
	var err error
	switch c.Key.Kind {
	case model.KindSecurityGroup:
		err = w.securityGroup(c)
	case model.KindLoadBalancer:
		err = w.loadBalancer(c)
	case model.KindTargetGroup:
		err = w.targetGroup(c)
	case model.KindCertificate:
		err = w.certificate(c)
	case model.KindTrustStore:
		err = w.trustStore(c)
	case model.KindListener:
		err = w.listener(c)
	case model.KindRule:
		err = w.rule(c)
	default:
		err = errOperator
	}
	if err != nil {
		return s, fmt.Errorf("%s of %s: %w", c.Op, c.Key, err)
	}
	if err := w.sticks(); err != nil {
		return s, fmt.Errorf("%s of %s: %w", c.Op, c.Key, err)
	}
	var gone model.ARN
	if c.Op == DeleteLoadBalancer {
		gone = c.ARN
	}
	w.attach(gone)
	return model.Normalize(w.Stack), nil
}

// world is a stack that is being changed. Whatever it writes to it has copied before.
type world struct{ model.Stack }

// madeForm is the ARN of what Step made: the later, the greater.
const madeForm = "made:%s:%04d"

// arn makes an ARN for a new resource of that key.
func (w *world) arn(key model.Key) model.ARN {
	last := 0
	if made := w.made(key); made != "" {
		if _, n, ok := strings.Cut(string(made), key.String()+":"); ok {
			last, _ = strconv.Atoi(n)
		}
	}
	return model.ARN(fmt.Sprintf(madeForm, key, last+1))
}

// made is the newest ARN that Step made for key, empty when there is none.
func (w *world) made(key model.Key) model.ARN {
	prefix := strings.TrimSuffix(fmt.Sprintf(madeForm, key, 0), "0000")
	var out model.ARN
	for _, arn := range w.arns() {
		if n, ok := strings.CutPrefix(string(arn), prefix); ok && !strings.Contains(n, ":") {
			out = max(out, arn)
		}
	}
	return out
}

func (w *world) arns() []model.ARN {
	var out []model.ARN
	for _, lb := range w.balancers() {
		out = append(out, lb.ARN)
	}
	for _, g := range w.TargetGroups {
		out = append(out, g.ARN)
	}
	for _, g := range w.SecurityGroups {
		out = append(out, g.ARN)
	}
	for _, c := range w.Certificates {
		out = append(out, c.ARN)
	}
	for _, t := range w.TrustStores {
		out = append(out, t.ARN)
	}
	for _, l := range w.Listeners {
		out = append(out, l.ARN)
		for _, r := range slices.Concat(l.Rules, l.Parked) {
			out = append(out, r.ARN)
		}
	}
	return out
}

func (w *world) balancers() []model.LoadBalancer {
	out := slices.Clone(w.Leftovers)
	if w.LoadBalancer != nil {
		out = append(out, *w.LoadBalancer)
	}
	return out
}

func (w *world) loadBalancer(c Change) error {
	if c.Op == CreateLoadBalancer {
		return w.createLoadBalancer(c)
	}
	if c.Op == DeleteLoadBalancer {
		return w.deleteLoadBalancer(c)
	}
	if c.Addon != "" {
		return w.addon(c)
	}
	if w.LoadBalancer == nil {
		return errMissing
	}
	lb := *w.LoadBalancer
	switch c.Op {
	case SetSubnets:
		lb.Subnets = c.LoadBalancer.Subnets
	case SetSecurityGroups:
		lb.SecurityGroups = c.LoadBalancer.SecurityGroups
	case SetIPAddressType:
		lb.IPAddressType = c.LoadBalancer.IPAddressType
	default:
		if err := settle(c, ModifyLoadBalancerAttributes, &lb.Attributes, &lb.Tags); err != nil {
			return err
		}
	}
	w.LoadBalancer = &lb
	return nil
}

func (w *world) createLoadBalancer(c Change) error {
	lb := *c.LoadBalancer
	for _, other := range w.balancers() {
		if other.Name == lb.Name {
			return fmt.Errorf("name %s: %w", lb.Name, errExists)
		}
	}
	lb.ARN, lb.State, lb.DNSName = w.arn(c.Key), StateActive, lb.Name+".elb.example"
	lb.Attributes = LoadBalancerDefaults(lb)
	lb.Addons = model.WithAddon(nil, model.AddonIPAMPool, lb.Addons[model.AddonIPAMPool])
	w.Leftovers = w.balancers()
	w.LoadBalancer, w.Listeners = &lb, nil
	return nil
}

func (w *world) deleteLoadBalancer(c Change) error {
	if w.led(c.ARN, 0) {
		return errInUse
	}
	if w.LoadBalancer != nil && w.LoadBalancer.ARN == c.ARN {
		w.LoadBalancer, w.Listeners = nil, nil
		if n := len(w.Leftovers); n > 0 {
			lb := w.Leftovers[n-1]
			w.LoadBalancer, w.Leftovers = &lb, w.Leftovers[:n-1:n-1]
		}
		return nil
	}
	i := slices.IndexFunc(w.Leftovers, func(lb model.LoadBalancer) bool { return lb.ARN == c.ARN })
	if i < 0 {
		return errMissing
	}
	w.Leftovers = slices.Delete(slices.Clone(w.Leftovers), i, i+1)
	return nil
}

// settle does what all kinds of resources have in common: attributes and tags.
func settle(c Change, attributes Op, have, tags *map[string]string) error {
	switch c.Op {
	case attributes:
		*have = merged(*have, c.Attributes)
	case AddTags:
		*tags = merged(*tags, c.Tags)
	case RemoveTags:
		out := maps.Clone(*tags)
		for _, key := range c.TagKeys {
			delete(out, key)
		}
		*tags = out
	default:
		return errOperator
	}
	return nil
}

func merged(a, b map[string]string) map[string]string {
	out := maps.Clone(a)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, b)
	return out
}

func (w *world) targetGroup(c Change) error {
	w.TargetGroups = slices.Clone(w.TargetGroups)
	if c.Op == CreateTargetGroup {
		g := *c.TargetGroup
		if slices.ContainsFunc(w.TargetGroups, func(o model.TargetGroup) bool { return o.Name == g.Name }) {
			return fmt.Errorf("name %s: %w", g.Name, errExists)
		}
		g.ARN, g.Attributes, g.Backend = w.arn(c.Key), TargetGroupDefaults(g), model.Backend{}
		w.TargetGroups = append(w.TargetGroups, g)
		return nil
	}
	i := slices.IndexFunc(w.TargetGroups, func(g model.TargetGroup) bool { return w.isGroup(g, c) })
	if i < 0 {
		return errMissing
	}
	g := &w.TargetGroups[i]
	switch c.Op {
	case DeleteTargetGroup:
		if len(g.LoadBalancers) > 0 {
			return errInUse
		}
		w.TargetGroups = slices.Delete(w.TargetGroups, i, i+1)
		return nil
	case RegisterTargets:
		if g.Behind != nil && *g.Behind != c.Targets[0] {
			return errInUse // AWS takes one load balancer
		}
		g.Behind = &c.Targets[0]
		return nil
	case ModifyTargetGroup:
		g.HealthCheck = c.TargetGroup.HealthCheck
		return nil
	default:
		return settle(c, ModifyTargetGroupAttributes, &g.Attributes, &g.Tags)
	}
}

// isGroup: a change of a group that its own plan created has no ARN; of groups with one key it is the one made last.
func (w *world) isGroup(g model.TargetGroup, c Change) bool {
	if c.ARN != "" {
		return g.ARN == c.ARN
	}
	return g.ARN == w.newest(c.Key.ID)
}

// newest is the group of that ID that was made last, else the only one.
func (w *world) newest(id string) model.ARN {
	if made := w.made(targetGroupKey(id)); made != "" {
		return made
	}
	for _, g := range w.TargetGroups {
		if g.ID == id {
			return g.ARN
		}
	}
	return ""
}

func (w *world) securityGroup(c Change) error {
	w.SecurityGroups = slices.Clone(w.SecurityGroups)
	i := slices.IndexFunc(w.SecurityGroups, func(g model.SecurityGroup) bool {
		return g.ID == c.Key.ID && (c.ARN == "" || g.ARN == c.ARN)
	})
	// A foreign group without rules of ours is not observed, but it is there.
	unseen := i < 0 && c.Op == AuthorizeIngress && c.SecurityGroup.Foreign
	switch {
	case c.Op == CreateSecurityGroup && i >= 0:
		return errExists
	case c.Op == CreateSecurityGroup:
		g := *c.SecurityGroup
		g.ARN, g.Ingress = w.arn(c.Key), nil
		w.SecurityGroups = append(w.SecurityGroups, g)
		return nil
	case unseen:
		g := *c.SecurityGroup
		g.ARN, g.Ingress = model.ARN(g.ID), c.Permissions
		w.SecurityGroups = append(w.SecurityGroups, g)
		return nil
	case i < 0:
		return errMissing
	}
	return w.changeGroup(i, c)
}

func (w *world) changeGroup(i int, c Change) error {
	g := &w.SecurityGroups[i]
	switch c.Op {
	case AuthorizeIngress:
		g.Ingress = slices.Concat(g.Ingress, c.Permissions)
	case RevokeIngress:
		g.Ingress = without(g.Ingress, c.Permissions)
	case DeleteSecurityGroup:
		if w.groupUsed(*g) {
			return errInUse
		}
		w.SecurityGroups = slices.Delete(w.SecurityGroups, i, i+1)
		return nil
	default:
		return settle(c, "", new(map[string]string), &g.Tags)
	}
	if g.Foreign && len(g.Ingress) == 0 {
		w.SecurityGroups = slices.Delete(w.SecurityGroups, i, i+1)
	}
	return nil
}

func (w *world) groupUsed(g model.SecurityGroup) bool {
	isIt := func(r model.GroupRef) bool { return r.Key == g.ID || r.ID != "" && r.ID == string(g.ARN) }
	for _, lb := range w.Balancers() {
		if slices.ContainsFunc(lb.SecurityGroups, isIt) {
			return true
		}
	}
	for _, other := range w.SecurityGroups {
		if other.ID != g.ID && slices.ContainsFunc(other.Ingress, func(p model.Permission) bool { return isIt(p.Source) }) {
			return true
		}
	}
	return false
}
