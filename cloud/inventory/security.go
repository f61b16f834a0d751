package inventory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// ClusterTag is the key of the tag by which a cluster's own security groups are known.
func ClusterTag(cluster string) string { return "kubernetes.io/cluster/" + cluster }

// marksCluster tells whether a group is marked as one of the cluster's nodes or pods.
func (i *Inventory) marksCluster(g model.SecurityGroup) bool {
	_, ok := g.Tags[ClusterTag(i.cluster)]
	return ok
}

// groupsSince are the security groups that carry the ownership tag of a cluster or mark our own, in one read. Their sources are
// group IDs.
func (i *Inventory) groupsSince(ctx context.Context, since time.Time) (map[model.ARN]model.SecurityGroup, error) {
	return i.security.get(ctx, since, i.now(), func(ctx context.Context) (map[model.ARN]model.SecurityGroup, error) {
		found, err := i.ec2.GroupsWithTag(ctx, i.vpc, model.TagCluster, ClusterTag(i.cluster))
		if err != nil {
			return nil, fmt.Errorf("taking stock: %w", err)
		}
		return byARN(found), nil
	})
}

func byARN(all []model.SecurityGroup) map[model.ARN]model.SecurityGroup {
	out := make(map[model.ARN]model.SecurityGroup, len(all))
	for _, g := range all {
		out[g.ARN] = g
	}
	return out
}

// BackendGroup is the ID of the cluster's shared backend security group, empty when there is none.
func (i *Inventory) BackendGroup(ctx context.Context) (string, error) {
	if i.backend != "" {
		return i.backend, nil
	}
	mine, err := i.securityGroupsOf(ctx, model.Owner{Cluster: i.cluster})
	if err != nil || len(mine) == 0 {
		return "", err
	}
	return string(mine[0].ARN), nil
}

// lostGroups are the security groups that are asked for by ID and that the VPC does not have. Those that a load balancer of the stack
// carries are there: what was made before is not asked for. Where they may not be read, all are taken for good.
func (i *Inventory) lostGroups(ctx context.Context, need model.Needs, out *model.Facts) error {
	worn, err := i.worn(ctx, need.Owner)
	if err != nil {
		return err
	}
	ids := slices.DeleteFunc(slices.Clone(need.SecurityGroupIDs), func(id string) bool { return worn[id] })
	if len(ids) == 0 {
		return nil
	}
	there, err := i.world.given.of(strings.Join(ids, ",")).get(ctx, i.since(patience), i.now(), func(ctx context.Context) ([]string, error) {
		found, err := i.ec2.GroupsGiven(ctx, i.vpc, ids)
		if class := fault.Of(err); class == fault.Denied || class == fault.Invalid {
			return ids, nil
		}
		return project(found, func(g model.SecurityGroup) string { return string(g.ARN) }), err
	})
	if err != nil {
		return fmt.Errorf("looking for security groups: %w", err)
	}
	out.LostSecurityGroups = slices.DeleteFunc(ids, func(id string) bool { return slices.Contains(there, id) })
	return nil
}

// worn are the IDs of the security groups of an owner's load balancers.
func (i *Inventory) worn(ctx context.Context, owner model.Owner) (map[string]bool, error) {
	out := map[string]bool{}
	for _, resource := range []string{model.ResourceLoadBalancer, model.ResourceFrontend} {
		mine, err := i.balancersOf(ctx, owner, resource)
		if err != nil {
			return nil, err
		}
		for _, lb := range mine {
			for _, g := range lb.SecurityGroups {
				out[g.ID] = true
			}
		}
	}
	return out, nil
}

// securityGroupsOf are the owner's security groups; of the cluster, the shared backend group.
func (i *Inventory) securityGroupsOf(ctx context.Context, owner model.Owner) ([]model.SecurityGroup, error) {
	all, err := i.groupsSince(ctx, i.oldest())
	if err != nil {
		return nil, err
	}
	var out []model.SecurityGroup
	for _, g := range all {
		id, ok := owner.Owns(g.Tags)
		if owner.Prefix == "" {
			id = g.Tags[model.TagResource]
			ok = id == model.ResourceBackendSecurityGroup && g.Tags[model.TagCluster] == i.cluster
		}
		if ok {
			g.ID = id
			out = append(out, g)
		}
	}
	slices.SortFunc(out, func(a, b model.SecurityGroup) int { return cmp.Or(cmp.Compare(a.ID, b.ID), cmp.Compare(a.ARN, b.ARN)) })
	return out, nil
}

// observeCluster is what the cluster itself owns: the shared backend group, and our rules on groups that are not ours.
func (i *Inventory) observeCluster(ctx context.Context, owner model.Owner) (model.Stack, error) {
	mine, err := i.securityGroupsOf(ctx, owner)
	if err != nil {
		return model.Stack{}, err
	}
	backend := model.ARN(i.backend)
	if backend == "" && len(mine) > 0 {
		backend = mine[0].ARN
	}
	foreign, err := i.foreignGroups(ctx, backend)
	if err != nil {
		return model.Stack{}, fmt.Errorf("observing rules on groups of pods: %w", err)
	}
	o := observation{Inventory: i, refs: map[string]string{}, stack: model.Stack{Owner: owner, SecurityGroups: slices.Concat(mine, foreign)}}
	if backend != "" {
		o.refs[string(backend)] = model.ResourceBackendSecurityGroup
	}
	return model.Normalize(o.finish()), nil
}

// foreignGroups are the groups that are not ours with our rules on them: those that mark the cluster, and those that admit the
// backend group.
func (i *Inventory) foreignGroups(ctx context.Context, backend model.ARN) ([]model.SecurityGroup, error) {
	known, err := i.groupsSince(ctx, i.oldest())
	if err != nil {
		return nil, err
	}
	all := maps.Clone(known)
	maps.DeleteFunc(all, func(_ model.ARN, g model.SecurityGroup) bool { return !i.marksCluster(g) })
	if backend != "" {
		admitting, err := i.admittingGroups(ctx, backend)
		if err != nil {
			return nil, err
		}
		for arn, g := range admitting {
			if newest, ok := known[arn]; ok {
				g = newest
			}
			all[arn] = g
		}
	}
	var out []model.SecurityGroup
	for _, arn := range slices.Sorted(maps.Keys(all)) {
		if ours := marked(all[arn].Ingress); len(ours) > 0 {
			out = append(out, model.SecurityGroup{ID: string(arn), ARN: arn, Foreign: true, Ingress: ours})
		}
	}
	return out, nil
}

func (i *Inventory) admittingGroups(ctx context.Context, backend model.ARN) (map[model.ARN]model.SecurityGroup, error) {
	return i.admitting.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[model.ARN]model.SecurityGroup, error) {
		found, err := i.ec2.GroupsAdmitting(ctx, i.vpc, string(backend))
		if err != nil {
			return nil, fmt.Errorf("reading the groups that admit %s: %w", backend, err)
		}
		return byARN(found), nil
	})
}

func marked(in []model.Permission) []model.Permission {
	return slices.DeleteFunc(slices.Clone(in), func(p model.Permission) bool { return p.Description != model.PermissionMark })
}

// PutSecurityGroup records a security group that is ours.
func (i *Inventory) PutSecurityGroup(g model.SecurityGroup) {
	i.security.change(func(all map[model.ARN]model.SecurityGroup) map[model.ARN]model.SecurityGroup {
		return with(all, g.ARN, g)
	})
}

// NewSecurityGroup records a security group that was just made: no other group admits it yet.
func (i *Inventory) NewSecurityGroup(g model.SecurityGroup) {
	i.PutSecurityGroup(g)
	if g.Tags[model.TagResource] == model.ResourceBackendSecurityGroup {
		i.admitting.put(map[model.ARN]model.SecurityGroup{}, i.now())
	}
}

// ChangeSecurityGroup records a change of a security group, ours or not.
func (i *Inventory) ChangeSecurityGroup(id model.ARN, change func(*model.SecurityGroup)) {
	known, _ := i.security.peek()
	_, isKnown := known[id]
	i.security.change(func(all map[model.ARN]model.SecurityGroup) map[model.ARN]model.SecurityGroup {
		g, ok := all[id]
		if !ok {
			return all
		}
		change(&g)
		return with(all, id, g)
	})
	i.admitting.change(func(all map[model.ARN]model.SecurityGroup) map[model.ARN]model.SecurityGroup {
		g, ok := all[id]
		if !ok && isKnown {
			return all
		}
		g.ARN = id
		change(&g)
		return with(all, id, g)
	})
}

// DropSecurityGroup records that a security group is gone.
func (i *Inventory) DropSecurityGroup(id model.ARN) {
	i.security.change(func(all map[model.ARN]model.SecurityGroup) map[model.ARN]model.SecurityGroup { return without(all, id) })
}
