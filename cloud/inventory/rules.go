package inventory

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// prefixListFacts are the sizes of prefix lists. Where they may not be read (the incumbent's policy has no right to) each counts as one
// rule, and AWS refuses what is too much.
func (i *Inventory) prefixListFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	key := strings.Join(need.PrefixLists, ",")
	found, err := i.world.lists.of(key).get(ctx, i.fresh(need, networkLife), i.now(), func(ctx context.Context) (map[string]model.PrefixList, error) {
		found, err := i.ec2.PrefixLists(ctx, need.PrefixLists)
		if class := fault.Of(err); class == fault.Denied || class == fault.Invalid {
			return nil, nil
		}
		if err != nil {
			return nil, fmt.Errorf("asking for their sizes: %w", err)
		}
		return found, nil
	})
	if err != nil {
		return fmt.Errorf("reading prefix lists: %w", err)
	}
	out.PrefixLists = maps.Clone(found)
	for _, id := range need.PrefixLists {
		if _, there := found[id]; !there && found != nil {
			out.LostPrefixLists = append(out.LostPrefixLists, id)
		}
	}
	return nil
}

// mostRules is how many rules of one address family the fullest security group of an owner has.
func (i *Inventory) mostRules(ctx context.Context, owner model.Owner) (int, error) {
	mine, err := i.securityGroupsOf(ctx, owner)
	if err != nil {
		return 0, err
	}
	most := 0
	for _, g := range mine {
		four, six := 0, 0
		for _, p := range g.Ingress {
			if strings.Contains(p.CIDR, ":") {
				six++
			} else {
				four++
			}
		}
		most = max(most, four, six)
	}
	return most, nil
}
