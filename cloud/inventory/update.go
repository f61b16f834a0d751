package inventory

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
)

// PutLoadBalancer records a load balancer with its tags.
func (i *Inventory) PutLoadBalancer(lb Balancer) {
	i.balancers.change(func(all map[model.ARN]Balancer) map[model.ARN]Balancer { return with(all, lb.ARN, lb) })
}

// ChangeLoadBalancer records a change of a load balancer.
func (i *Inventory) ChangeLoadBalancer(arn model.ARN, change func(*model.LoadBalancer)) {
	i.balancers.change(func(all map[model.ARN]Balancer) map[model.ARN]Balancer {
		lb, ok := all[arn]
		if !ok {
			return all
		}
		change(&lb.LoadBalancer)
		return with(all, arn, lb)
	})
}

// DropLoadBalancer records that a load balancer is gone, with all that hung on it.
func (i *Inventory) DropLoadBalancer(arn model.ARN) {
	i.balancers.change(func(all map[model.ARN]Balancer) map[model.ARN]Balancer { return without(all, arn) })
	i.dropTree(arn)
	i.groups.change(func(all map[model.ARN]model.TargetGroup) map[model.ARN]model.TargetGroup {
		all = maps.Clone(all)
		for key, g := range all {
			if slices.Contains(g.LoadBalancers, arn) {
				g.LoadBalancers = slices.DeleteFunc(slices.Clone(g.LoadBalancers), func(a model.ARN) bool { return a == arn })
				all[key] = g
			}
		}
		return all
	})
}

// PutTargetGroup records a target group that was made or modified. Nil tags are the old ones.
func (i *Inventory) PutTargetGroup(g model.TargetGroup) {
	i.groups.change(func(all map[model.ARN]model.TargetGroup) map[model.ARN]model.TargetGroup {
		if g.Tags == nil {
			g.Tags = all[g.ARN].Tags
		}
		return with(all, g.ARN, g)
	})
}

// DropTargetGroup records that a target group is gone.
func (i *Inventory) DropTargetGroup(arn model.ARN) {
	i.groups.change(func(all map[model.ARN]model.TargetGroup) map[model.ARN]model.TargetGroup { return without(all, arn) })
	i.attributes.drop(func(a model.ARN) bool { return a == arn })
	i.behind.drop(func(a model.ARN) bool { return a == arn })
}

// ChangeTags records a change of a resource's tags: some set, some removed.
func (i *Inventory) ChangeTags(kind model.Kind, arn model.ARN, set map[string]string, removed []string) {
	change := func(old map[string]string) map[string]string {
		out := make(map[string]string, len(old)+len(set))
		maps.Copy(out, old)
		maps.Copy(out, set)
		for _, k := range removed {
			delete(out, k)
		}
		return out
	}
	switch kind {
	case model.KindLoadBalancer:
		i.ChangeLoadBalancer(arn, func(lb *model.LoadBalancer) { lb.Tags = change(lb.Tags) })
	case model.KindTargetGroup:
		i.groups.change(func(all map[model.ARN]model.TargetGroup) map[model.ARN]model.TargetGroup {
			g, ok := all[arn]
			if !ok {
				return all
			}
			g.Tags = change(g.Tags)
			return with(all, arn, g)
		})
	case model.KindCertificate:
		i.changeCertificateTags(arn, change)
	case model.KindTrustStore:
		if t, ok := i.TrustStore(arn); ok {
			t.Tags = change(t.Tags)
			i.PutTrustStore(t)
		}
	case model.KindSecurityGroup:
		i.ChangeSecurityGroup(arn, func(g *model.SecurityGroup) { g.Tags = change(g.Tags) })
	default:
		i.mu.Lock()
		defer i.mu.Unlock()
		if old, ok := i.tags[arn]; ok {
			i.tags[arn] = change(old)
		}
	}
}

// PutTags records the tags of a listener or rule that was made.
func (i *Inventory) PutTags(arn model.ARN, tags map[string]string) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.tags[arn] = maps.Clone(tags)
}
