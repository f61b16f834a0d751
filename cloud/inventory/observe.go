package inventory

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/model"
)

// readers is how many reads of one observation run side by side.
const readers = 8

// provisioning is the state in which a load balancer is looked at anew each time.
const provisioning = "provisioning"

// Observe is what AWS holds for an owner, normalised. Keys limit what is read in detail (attributes, listeners, rules); nil, or none but
// those of add-ons, certificates and trust stores, is everything. Add-ons are read that have keys; certificates where there is a key of their
// kind, for it takes a call for each certificate of the account to find them: those of the owner, and of those that the cluster imported those
// that its listeners have, that a key names by ARN or host name, or that nothing has; trust stores where there is a key of their kind, or a
// bucket for them. Of several load balancers the newest is the stack's of which no key says that it is replaced, the others are its leftovers.
// A reference to a target group carries its ARN, and its key where only one group has that; a reference to a security group has the key where
// there is one.
func (i *Inventory) Observe(ctx context.Context, owner model.Owner, keys []model.Key) (model.Stack, error) {
	if owner.Prefix == "" {
		return i.observeCluster(ctx, owner)
	}
	if err := i.refresh(ctx, owner); err != nil {
		return model.Stack{}, err
	}
	keys, look := split(keys)
	keys, trust := apart(keys, model.KindTrustStore)
	keys, replaced := apart(keys, model.KindReplaced)
	addons, others := addonsOf(keys)
	o := observation{Inventory: i, want: wanted(others), addons: addons, stack: model.Stack{Owner: owner}}
	if err := o.collections(ctx, arnsOf(replaced)); err != nil {
		return model.Stack{}, err
	}
	if len(trust) > 0 || i.shelf.Bucket != "" {
		if err := o.observeTrust(ctx, len(trust) > 0); err != nil {
			return model.Stack{}, err
		}
	}
	if err := o.details(ctx); err != nil {
		return model.Stack{}, err
	}
	if err := o.observeCertificates(ctx, look); err != nil {
		return model.Stack{}, err
	}
	front, err := o.frontend(ctx)
	if err != nil {
		return model.Stack{}, err
	}
	out := o.finish()
	out.Frontend = front
	return model.Normalize(out), nil
}

// observation is one stack being put together.
type observation struct {
	*Inventory
	want   func(model.Key) bool
	addons []model.Addon
	stack  model.Stack
	groups map[model.ARN]string // target group → key, where it is the only one
	refs   map[string]string    // security group → key
}

// split takes the keys of certificates away from the others, nil where there are none.
func split(keys []model.Key) (others []model.Key, look *Look) {
	others, certificates := apart(keys, model.KindCertificate)
	if len(certificates) == 0 {
		return others, nil
	}
	return others, lookFor(certificates)
}

// apart takes the keys of a kind away from the others. Where there are some, no others is nil: everything.
func apart(keys []model.Key, kind model.Kind) (others, those []model.Key) {
	others = slices.DeleteFunc(slices.Clone(keys), func(k model.Key) bool { return k.Kind == kind })
	those = slices.DeleteFunc(slices.Clone(keys), func(k model.Key) bool { return k.Kind != kind })
	if len(those) > 0 && len(others) == 0 {
		others = nil
	}
	return others, those
}

func (o *observation) observeCertificates(ctx context.Context, look *Look) error {
	if look == nil {
		return nil
	}
	for _, l := range o.stack.Listeners {
		for _, arn := range l.Certificates {
			look.ARNs[arn] = true
		}
	}
	var err error
	o.stack.Certificates, err = o.OwnCertificates(ctx, o.stack.Owner, look)
	return err
}

// wanted tells which details are read.
func wanted(keys []model.Key) func(model.Key) bool {
	if keys == nil {
		return func(model.Key) bool { return true }
	}
	return func(key model.Key) bool {
		return slices.ContainsFunc(keys, func(k model.Key) bool {
			return k.Kind == key.Kind && (k.ID == key.ID || key.ID == "")
		})
	}
}

func (o *observation) collections(ctx context.Context, replaced []model.ARN) error {
	owner := o.stack.Owner
	err := o.newest(ctx, model.ResourceLoadBalancer, replaced)
	if err != nil {
		return err
	}
	groups, err := o.targetGroupsOf(ctx, owner)
	if err != nil {
		return err
	}
	o.stack.TargetGroups = slices.DeleteFunc(groups, func(g model.TargetGroup) bool { return model.IsFrontend(g.ID) })
	if o.stack.SecurityGroups, err = o.securityGroupsOf(ctx, owner); err != nil {
		return err
	}
	backend, err := o.BackendGroup(ctx)
	if err != nil {
		return err
	}
	o.groups = keysOf(o.stack.TargetGroups, func(g model.TargetGroup) (model.ARN, string) { return g.ARN, g.ID })
	o.refs = keysOf(o.stack.SecurityGroups, func(g model.SecurityGroup) (string, string) { return string(g.ARN), g.ID })
	if backend != "" {
		o.refs[backend] = model.ResourceBackendSecurityGroup
	}
	return nil
}

// newest finds the load balancers with the resource ID: the newest that is not replaced is the stack's.
func (o *observation) newest(ctx context.Context, resource string, replaced []model.ARN) error {
	mine, err := o.balancersOf(ctx, o.stack.Owner, resource)
	if err != nil {
		return err
	}
	if mine, err = o.settled(ctx, o.stack.Owner, mine); err != nil {
		return err
	}
	for n, lb := range behind(mine, replaced) {
		if n == 0 {
			o.stack.LoadBalancer = &lb.LoadBalancer
			continue
		}
		o.stack.Leftovers = append(o.stack.Leftovers, lb.LoadBalancer)
	}
	return nil
}

// behind puts load balancers that are replaced behind the others.
func behind(mine []Balancer, replaced []model.ARN) []Balancer {
	out := slices.Clone(mine)
	rank := func(b Balancer) int {
		if slices.Contains(replaced, b.ARN) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(out, func(a, b Balancer) int { return rank(a) - rank(b) })
	return out
}

// arnsOf are the ARNs that keys name.
func arnsOf(keys []model.Key) []model.ARN {
	var out []model.ARN
	for _, k := range keys {
		out = append(out, model.ARN(k.ID))
	}
	return out
}

// settled looks again at load balancers, of one resource ID, that were not active yet.
func (i *Inventory) settled(ctx context.Context, owner model.Owner, mine []Balancer) ([]Balancer, error) {
	changed := false
	for _, lb := range mine {
		if lb.State != provisioning {
			continue
		}
		if err := i.refreshBalancer(ctx, lb.ARN); err != nil {
			return nil, err
		}
		changed = true
	}
	if !changed {
		return mine, nil
	}
	return i.balancersOf(ctx, owner, mine[0].ID)
}

// keysOf maps what exists to its key, leaving out keys that several have.
func keysOf[T any, R ~string](all []T, name func(T) (R, string)) map[R]string {
	count := map[string]int{}
	for _, one := range all {
		_, key := name(one)
		count[key]++
	}
	out := map[R]string{}
	for _, one := range all {
		if ref, key := name(one); count[key] == 1 {
			out[ref] = key
		}
	}
	return out
}

// details reads what hangs on the load balancer and the groups.
func (o *observation) details(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	if lb := o.stack.LoadBalancer; lb != nil && o.want(model.Key{Kind: model.KindLoadBalancer, ID: lb.ID}) {
		group.Go(func() (err error) {
			lb.Attributes, err = o.attributesOf(ctx, model.KindLoadBalancer, lb.ARN)
			return err
		})
	}
	for n := range o.stack.Leftovers {
		group.Go(func() (err error) {
			o.stack.Leftovers[n].Attributes, err = o.attributesOf(ctx, model.KindLoadBalancer, o.stack.Leftovers[n].ARN)
			return err
		})
	}
	for n, g := range o.stack.TargetGroups {
		if !o.want(model.Key{Kind: model.KindTargetGroup, ID: g.ID}) {
			continue
		}
		group.Go(func() (err error) {
			o.stack.TargetGroups[n].Attributes, err = o.attributesOf(ctx, model.KindTargetGroup, g.ARN)
			return err
		})
	}
	group.Go(func() (err error) { return o.observeListeners(ctx) })
	if err := o.observeAddons(ctx); err != nil {
		return errors.Join(err, group.Wait())
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("observing %s: %w", o.stack.Owner, err)
	}
	return nil
}

func (i *Inventory) attributesOf(ctx context.Context, kind model.Kind, arn model.ARN) (map[string]string, error) {
	out, err := i.attributes.of(arn).get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[string]string, error) {
		return i.elb.Attributes(ctx, kind, arn)
	})
	return maps.Clone(out), err
}

// finish writes references by key, and says which load balancers use a target group now.
func (o *observation) finish() model.Stack {
	s := o.stack
	if s.LoadBalancer != nil {
		s.LoadBalancer.SecurityGroups = o.named(s.LoadBalancer.SecurityGroups)
		s.LoadBalancer.Tags = maps.Clone(s.LoadBalancer.Tags)
	}
	for n := range s.Leftovers {
		s.Leftovers[n].SecurityGroups = o.named(s.Leftovers[n].SecurityGroups)
	}
	for n := range s.SecurityGroups {
		s.SecurityGroups[n].Ingress = slices.Clone(s.SecurityGroups[n].Ingress)
		for m := range s.SecurityGroups[n].Ingress {
			p := &s.SecurityGroups[n].Ingress[m]
			p.Source = o.ref(p.Source)
		}
		s.SecurityGroups[n].Tags = maps.Clone(s.SecurityGroups[n].Tags)
	}
	used := map[model.ARN]bool{}
	for n := range s.Listeners {
		o.link(s.Listeners[n].DefaultActions, used)
		for m := range s.Listeners[n].Rules {
			o.link(s.Listeners[n].Rules[m].Actions, used)
		}
		for m := range s.Listeners[n].Parked {
			o.link(s.Listeners[n].Parked[m].Actions, used)
		}
	}
	for n := range s.TargetGroups {
		s.TargetGroups[n].Tags = maps.Clone(s.TargetGroups[n].Tags)
		if s.LoadBalancer != nil && o.allListeners() {
			s.TargetGroups[n].LoadBalancers = usedBy(s.TargetGroups[n], s.LoadBalancer.ARN, used)
		}
	}
	return s
}

// usedBy corrects what AWS said about a target group's load balancers when it was read by what the listeners say now.
func usedBy(g model.TargetGroup, lb model.ARN, used map[model.ARN]bool) []model.ARN {
	out := slices.DeleteFunc(slices.Clone(g.LoadBalancers), func(a model.ARN) bool { return a == lb })
	if used[g.ARN] {
		out = append(out, lb)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (o *observation) named(in []model.GroupRef) []model.GroupRef { return project(in, o.ref) }

func (o *observation) ref(r model.GroupRef) model.GroupRef {
	if key, ok := o.refs[r.ID]; ok {
		return model.GroupRef{Key: key}
	}
	return r
}

// link writes target groups by key. The actions are the observation's own copies.
func (o *observation) link(actions []model.Action, used map[model.ARN]bool) {
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for n := range a.Forward.Groups {
			g := &a.Forward.Groups[n]
			used[g.ARN] = true
			g.Key = o.groups[g.ARN]
		}
	}
}
