package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/model"
)

// interfaces keeps which security groups the interfaces of addresses have. An address is given to another pod sooner or later,
// and that one's interface may have others.
type interfaces struct {
	mu   sync.Mutex
	seen map[string]sighting
	// tagged are the groups that carry the cluster's tag.
	tagged kept[[]string]
}

type sighting struct {
	groups []string
	at     time.Time
}

// podFacts chooses for each address the group that admits its traffic: the only one of its interface, else the only one that
// carries the cluster's tag. An address without such a group is left out.
func (i *Inventory) podFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	seen, err := i.sightings(ctx, need.PodIPs)
	if err != nil {
		return err
	}
	out.PodGroups = map[string]string{}
	for _, ip := range need.PodIPs {
		group, err := i.choose(ctx, seen[ip])
		if err != nil {
			return err
		}
		if group != "" {
			out.PodGroups[ip] = group
		}
	}
	return nil
}

func (i *Inventory) sightings(ctx context.Context, ips []string) (map[string][]string, error) {
	known, oldest := map[string][]string{}, i.since(networkLife)
	var missing []string
	i.world.pods.mu.Lock()
	for _, ip := range ips {
		if s, ok := i.world.pods.seen[ip]; ok && !s.at.Before(oldest) {
			known[ip] = s.groups
			continue
		}
		missing = append(missing, ip)
	}
	i.world.pods.mu.Unlock()
	if len(missing) == 0 {
		return known, nil
	}
	found, err := i.ec2.GroupsOfAddresses(ctx, i.vpc, missing)
	if err != nil {
		return nil, fmt.Errorf("reading interfaces of pods: %w", err)
	}
	i.world.pods.remember(found, i.now(), oldest)
	for _, ip := range missing {
		if groups, ok := found[ip]; ok {
			known[ip] = groups
		}
	}
	return known, nil
}

func (p *interfaces) remember(found map[string][]string, now, oldest time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.seen == nil {
		p.seen = map[string]sighting{}
	}
	maps.DeleteFunc(p.seen, func(_ string, s sighting) bool { return s.at.Before(oldest) })
	for ip, groups := range found {
		p.seen[ip] = sighting{groups: groups, at: now}
	}
}

func (i *Inventory) choose(ctx context.Context, groups []string) (string, error) {
	if len(groups) <= 1 {
		return first(groups), nil
	}
	tagged, err := i.world.pods.tagged.get(ctx, i.since(networkLife), i.now(), func(ctx context.Context) ([]string, error) {
		found, err := i.ec2.GroupsWithTag(ctx, i.vpc, ClusterTag(i.cluster))
		return project(found, func(g model.SecurityGroup) string { return string(g.ARN) }), err
	})
	if err != nil {
		return "", fmt.Errorf("reading the cluster's groups: %w", err)
	}
	ours := slices.DeleteFunc(slices.Clone(groups), func(id string) bool { return !slices.Contains(tagged, id) })
	if len(ours) != 1 {
		return "", nil
	}
	return ours[0], nil
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
