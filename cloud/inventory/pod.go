package inventory

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/cloud/ec2"
	"github.com/headgate/headgate/model"
)

// interfaces keeps which security groups the interfaces of addresses have. An address is given to another pod sooner or later,
// and that one's interface may have others.
type interfaces struct {
	mu   sync.Mutex
	seen map[string]sighting
	// blocks are the delegated prefixes of interfaces.
	blocks kept[[]ec2.Block]
}

type sighting struct {
	groups []string
	at     time.Time
}

// podFacts chooses for each address the group that admits its traffic: the only one of its interface, else the only one that
// carries the cluster's tag. An address without such a group is left out. What is not clear is looked at again after patience: tags change.
func (i *Inventory) podFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	out.PodGroups = map[string]string{}
	left := need.PodIPs
	for _, life := range []time.Duration{networkLife, patience} {
		if len(left) == 0 {
			return nil
		}
		seen, err := i.sightings(ctx, left, i.since(life))
		if err != nil {
			return err
		}
		var unclear []string
		for _, ip := range left {
			group, err := i.choose(ctx, seen[ip], i.since(life))
			switch {
			case err != nil:
				return err
			case group != "":
				out.PodGroups[ip] = group
			case len(seen[ip]) > 0:
				unclear = append(unclear, ip)
			}
		}
		left = unclear
	}
	return nil
}

func (i *Inventory) sightings(ctx context.Context, ips []string, oldest time.Time) (map[string][]string, error) {
	known := map[string][]string{}
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
	if err := i.addDelegated(ctx, missing, found); err != nil {
		return nil, err
	}
	i.world.pods.remember(found, i.now(), i.since(networkLife))
	for _, ip := range missing {
		if groups, ok := found[ip]; ok {
			known[ip] = groups
		}
	}
	return known, nil
}

// addDelegated finds the addresses of the VPC that no interface holds as its own in the prefixes that are delegated to interfaces.
func (i *Inventory) addDelegated(ctx context.Context, ips []string, found map[string][]string) error {
	vpc, err := i.network(ctx)
	if err != nil {
		return err
	}
	left := slices.DeleteFunc(slices.Clone(ips), func(ip string) bool {
		_, ok := found[ip]
		return ok || !within(vpc, ip)
	})
	// A prefix that was delegated since the last look is looked for again, but not all the time.
	for _, life := range []time.Duration{networkLife, patience} {
		if len(left) == 0 {
			return nil
		}
		blocks, err := i.world.pods.blocks.get(ctx, i.since(life), i.now(), func(ctx context.Context) ([]ec2.Block, error) {
			return i.ec2.Blocks(ctx, i.vpc)
		})
		if err != nil {
			return fmt.Errorf("reading prefixes that are delegated to interfaces: %w", err)
		}
		left = slices.DeleteFunc(left, func(ip string) bool {
			at := slices.IndexFunc(blocks, func(b ec2.Block) bool { return b.Holds(ip) })
			if at >= 0 {
				found[ip] = blocks[at].Groups
			}
			return at >= 0
		})
	}
	return nil
}

func within(vpc model.VPC, ip string) bool {
	addr, err := netip.ParseAddr(ip)
	return err == nil && slices.ContainsFunc(vpc.CIDRs, func(cidr string) bool {
		p, err := netip.ParsePrefix(cidr)
		return err == nil && p.Contains(addr)
	})
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

func (i *Inventory) choose(ctx context.Context, groups []string, since time.Time) (string, error) {
	if len(groups) <= 1 {
		return first(groups), nil
	}
	known, err := i.groupsSince(ctx, since)
	if err != nil {
		return "", err
	}
	ours := slices.DeleteFunc(slices.Clone(groups), func(id string) bool { return !i.chosen(known[model.ARN(id)]) })
	if len(ours) != 1 {
		return "", nil
	}
	return ours[0], nil
}

// chosen tells whether a group is the one to change among several of an interface.
func (i *Inventory) chosen(g model.SecurityGroup) bool {
	for key, value := range i.chosenBy {
		if have, ok := g.Tags[key]; !ok || have != value {
			return false
		}
	}
	return i.marksCluster(g)
}

func first(s []string) string {
	if len(s) == 0 {
		return ""
	}
	return s[0]
}
