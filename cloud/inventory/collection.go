package inventory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// oldest is the time before which a collection is read again.
func (i *Inventory) oldest() time.Time { return i.now().Add(-lifetime) }

// Balancers are all load balancers of the account, with tags. Tags of those that were known a while ago are not read again: they are
// verified owner by owner.
func (i *Inventory) Balancers(ctx context.Context) (map[model.ARN]Balancer, error) {
	whole := true
	out, err := i.balancers.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[model.ARN]Balancer, error) {
		found, err := i.elb.LoadBalancers(ctx)
		if err != nil {
			return nil, fmt.Errorf("taking stock: %w", err)
		}
		known, _ := i.balancers.recent(i.oldest())
		l := listing[Balancer]{now: map[model.ARN]Balancer{}, before: known, tags: tagsOfBalancer}
		for _, lb := range found {
			l.now[lb.ARN] = lb
		}
		for _, arn := range l.gone() {
			i.dropTree(arn)
		}
		whole, err = l.label(ctx, i.elb)
		return l.now, err
	})
	if !whole {
		i.balancers.expire()
	}
	return out, err
}

// TargetGroups are all target groups of the account, with tags; see [Inventory.Balancers].
func (i *Inventory) TargetGroups(ctx context.Context) (map[model.ARN]model.TargetGroup, error) {
	whole := true
	out, err := i.groups.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[model.ARN]model.TargetGroup, error) {
		found, err := i.elb.TargetGroups(ctx)
		if err != nil {
			return nil, fmt.Errorf("taking stock: %w", err)
		}
		known, _ := i.groups.recent(i.oldest())
		l := listing[model.TargetGroup]{now: map[model.ARN]model.TargetGroup{}, before: known, tags: tagsOfGroup}
		for _, g := range found {
			l.now[g.ARN] = g
		}
		gone := l.gone()
		i.attributes.drop(func(a model.ARN) bool { return slices.Contains(gone, a) })
		whole, err = l.label(ctx, i.elb)
		return l.now, err
	})
	if !whole {
		i.groups.expire()
	}
	return out, err
}

func tagsOfBalancer(lb *Balancer) *map[string]string { return &lb.Tags }

func tagsOfGroup(g *model.TargetGroup) *map[string]string { return &g.Tags }

// listing is a collection as AWS lists it now, and as it was known.
type listing[V any] struct {
	now, before map[model.ARN]V
	tags        func(*V) *map[string]string
}

// gone is what was known and is not listed any more.
func (l listing[V]) gone() []model.ARN {
	var out []model.ARN
	for arn := range l.before {
		if _, ok := l.now[arn]; !ok {
			out = append(out, arn)
		}
	}
	return out
}

// label gives what is listed its tags: those that are known, and of what is not known those that AWS has. What AWS lists and has no tags
// of is new or going: it is left out, and whole is false, for nobody can tell yet whose it is.
func (l listing[V]) label(ctx context.Context, elb *elbv2.Client) (whole bool, err error) {
	known := map[model.ARN]map[string]string{}
	var unknown []model.ARN
	for arn := range l.now {
		if one, ok := l.before[arn]; ok {
			known[arn] = *l.tags(&one)
		} else {
			unknown = append(unknown, arn)
		}
	}
	slices.Sort(unknown)
	read, err := elb.Tags(ctx, unknown)
	if err != nil {
		return false, fmt.Errorf("taking stock: %w", err)
	}
	maps.Copy(known, read)
	l.retag(known)
	whole = true
	for _, arn := range unknown {
		if _, ok := read[arn]; !ok {
			delete(l.now, arn)
			whole = false
		}
	}
	return whole, nil
}

// retag sets the tags of those that are listed.
func (l listing[V]) retag(tags map[model.ARN]map[string]string) {
	for arn, t := range tags {
		if one, ok := l.now[arn]; ok {
			*l.tags(&one) = t
			l.now[arn] = one
		}
	}
}

// balancersOf are the owner's load balancers with the resource ID, the newest first: of a load balancer and the one that replaces it, that one leads.
func (i *Inventory) balancersOf(ctx context.Context, owner model.Owner, resource string) ([]Balancer, error) {
	all, err := i.Balancers(ctx)
	if err != nil {
		return nil, err
	}
	var out []Balancer
	for _, lb := range all {
		if id, ok := owner.Owns(lb.Tags); ok && id == resource {
			lb.ID = id
			out = append(out, lb)
		}
	}
	slices.SortFunc(out, func(a, b Balancer) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ARN, b.ARN))
	})
	return out, nil
}

// targetGroupsOf are the owner's target groups, those of its frontend included.
func (i *Inventory) targetGroupsOf(ctx context.Context, owner model.Owner) ([]model.TargetGroup, error) {
	all, err := i.TargetGroups(ctx)
	if err != nil {
		return nil, err
	}
	var out []model.TargetGroup
	for _, g := range all {
		if id, ok := owner.Owns(g.Tags); ok {
			g.ID = id
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b model.TargetGroup) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN)) })
	return out, nil
}

// refresh verifies what was forgotten of an owner: its tags are read now, and what hangs on its resources when it is asked for.
func (i *Inventory) refresh(ctx context.Context, owner model.Owner) error {
	i.mu.Lock()
	forgotten := i.forgotten[owner]
	delete(i.forgotten, owner)
	i.mu.Unlock()
	if !forgotten {
		return nil
	}
	err := i.verify(ctx, owner)
	if err != nil {
		i.mu.Lock()
		i.forgotten[owner] = true
		i.mu.Unlock()
	}
	return err
}

func (i *Inventory) verify(ctx context.Context, owner model.Owner) error {
	balancers, err := i.balancersOf(ctx, owner, model.ResourceLoadBalancer)
	if err != nil {
		return err
	}
	fronts, err := i.balancersOf(ctx, owner, model.ResourceFrontend)
	if err != nil {
		return err
	}
	balancers = append(balancers, fronts...)
	groups, err := i.targetGroupsOf(ctx, owner)
	if err != nil {
		return err
	}
	for _, lb := range balancers {
		i.dropTree(lb.ARN)
	}
	groupARNs := project(groups, func(g model.TargetGroup) model.ARN { return g.ARN })
	ofGroups := func(a model.ARN) bool { return slices.Contains(groupARNs, a) }
	i.attributes.drop(ofGroups)
	i.behind.drop(ofGroups)
	tags, err := i.elb.Tags(ctx, append(project(balancers, balancerARN), groupARNs...))
	if err != nil {
		return fmt.Errorf("verifying: %w", err)
	}
	i.balancers.change(func(all map[model.ARN]Balancer) map[model.ARN]Balancer {
		l := listing[Balancer]{now: maps.Clone(all), tags: tagsOfBalancer}
		l.retag(tags)
		return l.now
	})
	i.groups.change(func(all map[model.ARN]model.TargetGroup) map[model.ARN]model.TargetGroup {
		l := listing[model.TargetGroup]{now: maps.Clone(all), tags: tagsOfGroup}
		l.retag(tags)
		return l.now
	})
	return nil
}

// refreshBalancer looks at the state of a load balancer again; one that is gone is dropped, and one that AWS does not know yet stays as it is.
func (i *Inventory) refreshBalancer(ctx context.Context, arn model.ARN) error {
	lb, err := i.elb.LoadBalancer(ctx, arn)
	if fault.Of(err) == fault.NotFound {
		if !i.Young(arn) {
			i.DropLoadBalancer(arn)
		}
		return nil
	}
	if err != nil {
		return fmt.Errorf("refreshing: %w", err)
	}
	i.balancers.change(func(all map[model.ARN]Balancer) map[model.ARN]Balancer {
		lb.Tags = all[arn].Tags
		return with(all, arn, lb)
	})
	return nil
}

func balancerARN(lb elbv2.LoadBalancer) model.ARN { return lb.ARN }

func project[T, U any](in []T, f func(T) U) []U {
	out := make([]U, len(in))
	for n, v := range in {
		out[n] = f(v)
	}
	return out
}

// with is a copy of all with value at key.
func with[K comparable, V any](all map[K]V, key K, value V) map[K]V {
	out := make(map[K]V, len(all)+1)
	maps.Copy(out, all)
	out[key] = value
	return out
}

// without is a copy of all without key.
func without[K comparable, V any](all map[K]V, key K) map[K]V {
	out := maps.Clone(all)
	delete(out, key)
	return out
}

// LoadBalancer is a load balancer as AWS described it last, if it is known.
func (i *Inventory) LoadBalancer(arn model.ARN) (model.LoadBalancer, bool) {
	all, _ := i.balancers.peek()
	lb, ok := all[arn]
	return lb.LoadBalancer, ok
}

// TargetGroup is a target group as AWS described it last, if it is known.
func (i *Inventory) TargetGroup(arn model.ARN) (model.TargetGroup, bool) {
	all, _ := i.groups.peek()
	g, ok := all[arn]
	return g, ok
}
