package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/headgate/headgate/model"
)

// ClusterTag is the key of the tag by which a cluster's own security groups are known.
func ClusterTag(cluster string) string { return "kubernetes.io/cluster/" + cluster }

// observeCluster is what the cluster itself owns: the shared backend group, and our rules on groups that are not ours.
func (i *Inventory) observeCluster(ctx context.Context, owner model.Owner) (model.Stack, error) {
	mine, err := i.securityGroupsOf(ctx, owner)
	if err != nil {
		return model.Stack{}, err
	}
	backend, err := i.BackendGroup(ctx)
	if err != nil {
		return model.Stack{}, err
	}
	foreign, err := i.foreign.get(ctx, i.oldest(), i.now(), func(ctx context.Context) ([]model.SecurityGroup, error) {
		return i.readForeign(ctx, backend)
	})
	if err != nil {
		return model.Stack{}, fmt.Errorf("observing rules on groups of pods: %w", err)
	}
	o := observation{Inventory: i, refs: map[string]string{}, stack: model.Stack{Owner: owner, SecurityGroups: slices.Concat(mine, foreign)}}
	if backend != "" {
		o.refs[backend] = model.ResourceBackendSecurityGroup
	}
	return model.Normalize(o.finish()), nil
}

// readForeign finds our rules on groups that are not ours: where the backend group is admitted, and on the cluster's groups.
func (i *Inventory) readForeign(ctx context.Context, backend string) ([]model.SecurityGroup, error) {
	found, err := i.ec2.GroupsWithTag(ctx, i.vpc, ClusterTag(i.cluster))
	if err != nil {
		return nil, fmt.Errorf("reading the cluster's groups: %w", err)
	}
	if backend != "" {
		admitting, err := i.ec2.GroupsAdmitting(ctx, i.vpc, backend)
		if err != nil {
			return nil, fmt.Errorf("reading the groups that admit %s: %w", backend, err)
		}
		found = append(found, admitting...)
	}
	var out []model.SecurityGroup
	for _, g := range found {
		if ours := marked(g.Ingress); len(ours) > 0 {
			out = append(out, model.SecurityGroup{
				ID: string(g.ARN), ARN: g.ARN, Foreign: true, Name: g.Name, Description: g.Description, VPC: g.VPC, Ingress: ours,
			})
		}
	}
	slices.SortFunc(out, func(a, b model.SecurityGroup) int { return cmp.Compare(a.ID, b.ID) })
	return slices.CompactFunc(out, func(a, b model.SecurityGroup) bool { return a.ID == b.ID }), nil
}

func marked(in []model.Permission) []model.Permission {
	return slices.DeleteFunc(slices.Clone(in), func(p model.Permission) bool { return p.Description != model.PermissionMark })
}
