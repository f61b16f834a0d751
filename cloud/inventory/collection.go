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

// Balancers are all load balancers of the account, with tags.
func (i *Inventory) Balancers(ctx context.Context) (map[model.ARN]Balancer, error) {
	return i.balancers.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[model.ARN]Balancer, error) {
		found, err := i.elb.LoadBalancers(ctx)
		if err != nil {
			return nil, fmt.Errorf("taking stock: %w", err)
		}
		tags, err := i.elb.Tags(ctx, project(found, balancerARN))
		if err != nil {
			return nil, fmt.Errorf("taking stock of load balancers: %w", err)
		}
		out := make(map[model.ARN]Balancer, len(found))
		for _, lb := range found {
			lb.Tags = tags[lb.ARN]
			out[lb.ARN] = lb
		}
		return out, nil
	})
}

// TargetGroups are all target groups of the account, with tags.
func (i *Inventory) TargetGroups(ctx context.Context) (map[model.ARN]model.TargetGroup, error) {
	return i.groups.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[model.ARN]model.TargetGroup, error) {
		found, err := i.elb.TargetGroups(ctx)
		if err != nil {
			return nil, fmt.Errorf("taking stock: %w", err)
		}
		return i.tagged(ctx, found)
	})
}

func (i *Inventory) tagged(ctx context.Context, found []model.TargetGroup) (map[model.ARN]model.TargetGroup, error) {
	tags, err := i.elb.Tags(ctx, project(found, func(g model.TargetGroup) model.ARN { return g.ARN }))
	if err != nil {
		return nil, fmt.Errorf("taking stock of target groups: %w", err)
	}
	out := make(map[model.ARN]model.TargetGroup, len(found))
	for _, g := range found {
		g.Tags = tags[g.ARN]
		out[g.ARN] = g
	}
	return out, nil
}

// SecurityGroups are the security groups that carry the cluster's tag. Their sources are group IDs.
func (i *Inventory) SecurityGroups(ctx context.Context) (map[model.ARN]model.SecurityGroup, error) {
	return i.security.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[model.ARN]model.SecurityGroup, error) {
		found, err := i.ec2.GroupsTagged(ctx, i.vpc, map[string]string{model.TagCluster: i.cluster})
		if err != nil {
			return nil, fmt.Errorf("taking stock: %w", err)
		}
		out := make(map[model.ARN]model.SecurityGroup, len(found))
		for _, g := range found {
			out[g.ARN] = g
		}
		return out, nil
	})
}

// BackendGroup is the ID of the cluster's shared backend security group, empty when there is none.
func (i *Inventory) BackendGroup(ctx context.Context) (string, error) {
	all, err := i.SecurityGroups(ctx)
	if err != nil {
		return "", err
	}
	for _, arn := range slices.Sorted(maps.Keys(all)) {
		if all[arn].Tags[model.TagResource] == model.ResourceBackendSecurityGroup {
			return string(arn), nil
		}
	}
	return "", nil
}

// balancersOf are the owner's load balancers, the newest first: of a load balancer and the one that replaces it, that one leads.
func (i *Inventory) balancersOf(ctx context.Context, owner model.Owner) ([]Balancer, error) {
	all, err := i.Balancers(ctx)
	if err != nil {
		return nil, err
	}
	var out []Balancer
	for _, lb := range all {
		if id, ok := owner.Owns(lb.Tags); ok && id == resourceLoadBalancer {
			lb.ID = id
			out = append(out, lb)
		}
	}
	slices.SortFunc(out, func(a, b Balancer) int {
		return cmp.Or(b.Created.Compare(a.Created), cmp.Compare(a.ARN, b.ARN))
	})
	return out, nil
}

func (i *Inventory) targetGroupsOf(ctx context.Context, owner model.Owner) ([]model.TargetGroup, error) {
	all, err := i.TargetGroups(ctx)
	if err != nil {
		return nil, err
	}
	var out []model.TargetGroup
	for _, g := range all {
		if id, ok := owner.Owns(g.Tags); ok && !frontend(id) {
			g.ID = id
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b model.TargetGroup) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN)) })
	return out, nil
}

func (i *Inventory) securityGroupsOf(ctx context.Context, owner model.Owner) ([]model.SecurityGroup, error) {
	all, err := i.SecurityGroups(ctx)
	if err != nil {
		return nil, err
	}
	var out []model.SecurityGroup
	for _, g := range all {
		id, ok := owner.Owns(g.Tags)
		if owner.Prefix == "" {
			id = g.Tags[model.TagResource]
			ok = id == model.ResourceBackendSecurityGroup
		}
		if ok {
			g.ID = id
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b model.SecurityGroup) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN)) })
	return out, nil
}

// refresh reads what was forgotten of an owner again.
func (i *Inventory) refresh(ctx context.Context, owner model.Owner) error {
	i.mu.Lock()
	forgotten := i.forgotten[owner]
	delete(i.forgotten, owner)
	i.mu.Unlock()
	if !forgotten {
		return nil
	}
	err := i.reread(ctx, owner)
	if err != nil {
		i.mu.Lock()
		i.forgotten[owner] = true
		i.mu.Unlock()
	}
	return err
}

func (i *Inventory) reread(ctx context.Context, owner model.Owner) error {
	if _, known := i.balancers.peek(); known {
		if err := i.refreshBalancers(ctx, owner); err != nil {
			return err
		}
	}
	if _, known := i.groups.peek(); known {
		return i.refreshTargetGroups(ctx, owner)
	}
	return nil
}

func (i *Inventory) refreshBalancers(ctx context.Context, owner model.Owner) error {
	mine, err := i.balancersOf(ctx, owner)
	if err != nil {
		return err
	}
	for _, lb := range mine {
		i.dropTree(lb.ARN)
		tags, err := i.elb.Tags(ctx, []model.ARN{lb.ARN})
		if err != nil {
			return fmt.Errorf("verifying: %w", err)
		}
		if err := i.refreshBalancer(ctx, lb.ARN, tags[lb.ARN]); err != nil {
			return err
		}
	}
	return nil
}

// refreshBalancer reads a load balancer again; one that is gone is dropped. Nil tags are the old ones.
func (i *Inventory) refreshBalancer(ctx context.Context, arn model.ARN, tags map[string]string) error {
	lb, err := i.elb.LoadBalancer(ctx, arn)
	if fault.Of(err) == fault.NotFound {
		i.DropLoadBalancer(arn)
		return nil
	}
	if err != nil {
		return fmt.Errorf("refreshing: %w", err)
	}
	i.balancers.change(func(all map[model.ARN]Balancer) map[model.ARN]Balancer {
		if tags == nil {
			tags = all[arn].Tags
		}
		lb.Tags = tags
		return with(all, arn, lb)
	})
	return nil
}

func (i *Inventory) refreshTargetGroups(ctx context.Context, owner model.Owner) error {
	mine, err := i.targetGroupsOf(ctx, owner)
	if err != nil || len(mine) == 0 {
		return err
	}
	arns := project(mine, func(g model.TargetGroup) model.ARN { return g.ARN })
	found, err := i.elb.TargetGroupsByARN(ctx, arns)
	if fault.Of(err) == fault.NotFound {
		i.groups.drop() // one is gone, and AWS does not say which
		i.attributes.drop(func(a model.ARN) bool { return slices.Contains(arns, a) })
		return nil
	}
	if err != nil {
		return fmt.Errorf("verifying: %w", err)
	}
	fresh, err := i.tagged(ctx, found)
	if err != nil {
		return err
	}
	i.attributes.drop(func(a model.ARN) bool { return slices.Contains(arns, a) })
	i.groups.change(func(all map[model.ARN]model.TargetGroup) map[model.ARN]model.TargetGroup {
		all = maps.Clone(all)
		maps.Copy(all, fresh)
		return all
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
