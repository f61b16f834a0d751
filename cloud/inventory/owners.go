package inventory

import (
	"context"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
)

// Owners are the owners of the stacks that the cluster has in AWS, by their tags: of load balancers, target groups and security groups.
func (i *Inventory) Owners(ctx context.Context) ([]model.Owner, error) {
	seen := map[model.Owner]bool{}
	note := func(tags map[string]string) {
		if owner, ok := i.ownerOf(tags); ok {
			seen[owner] = true
		}
	}
	balancers, err := i.Balancers(ctx)
	if err != nil {
		return nil, err
	}
	for _, lb := range balancers {
		note(lb.Tags)
	}
	groups, err := i.TargetGroups(ctx)
	if err != nil {
		return nil, err
	}
	for _, g := range groups {
		note(g.Tags)
	}
	security, err := i.groupsSince(ctx, i.oldest())
	if err != nil {
		return nil, err
	}
	for _, g := range security {
		note(g.Tags)
	}
	out := make([]model.Owner, 0, len(seen))
	for owner := range seen {
		out = append(out, owner)
	}
	slices.SortFunc(out, func(a, b model.Owner) int { return strings.Compare(a.String(), b.String()) })
	return out, nil
}

// ownerOf is the owner that tags name, of this cluster and of a front door that is served.
func (i *Inventory) ownerOf(tags map[string]string) (model.Owner, bool) {
	for _, prefix := range []string{model.PrefixIngress, model.PrefixGatewayALB} {
		owner := model.Owner{Cluster: i.cluster, Prefix: prefix}
		owner.Stack = tags[owner.StackTag()]
		if _, ours := owner.Owns(tags); ours && owner.Stack != "" {
			return owner, true
		}
	}
	return model.Owner{}, false
}
