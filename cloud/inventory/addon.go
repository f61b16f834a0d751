package inventory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/cloud/shield"
	"github.com/headgate/headgate/cloud/waf"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

const (
	// addonLife is how long it is kept what a load balancer has.
	addonLife = 10 * time.Minute
	// firewallLife is how long it is kept which web ACLs there are, and subscriptionLife that the account subscribes to Shield.
	firewallLife     = time.Hour
	subscriptionLife = 2 * time.Hour
)

// Protectors are the services that protect load balancers.
type Protectors struct {
	WAF     *waf.Client
	Classic *waf.Classic
	Shield  *shield.Client
}

// addonOf is an add-on of one load balancer.
type addonOf struct {
	lb    model.ARN
	addon model.Addon
}

// protection is what is known of the services that protect load balancers.
type protection struct {
	Protectors

	held       shelf[addonOf, string]
	named      kept[map[string]model.ARN]
	existing   shelf[string, bool]
	classic    shelf[string, bool]
	subscribed kept[bool]
}

var errNoAddon = errors.New("no such add-on")

// observeAddons reads the add-ons that are asked for, of every load balancer of the stack.
func (o *observation) observeAddons(ctx context.Context) error {
	all := o.balancers()
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	values := make([]string, len(all)*len(o.addons))
	for n, lb := range all {
		for m, a := range o.addons {
			if a == model.AddonIPAMPool {
				continue // it comes with the load balancer
			}
			group.Go(func() (err error) {
				values[n*len(o.addons)+m], err = o.addon(ctx, lb.ARN, a)
				return err
			})
		}
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("observing add-ons: %w", err)
	}
	for n, lb := range all {
		for m, a := range o.addons {
			if value := values[n*len(o.addons)+m]; value != "" {
				lb.Addons = model.WithAddon(lb.Addons, a, value)
			}
		}
	}
	return nil
}

// balancers are all load balancers of the stack.
func (o *observation) balancers() []*model.LoadBalancer {
	var out []*model.LoadBalancer
	if o.stack.LoadBalancer != nil {
		out = append(out, o.stack.LoadBalancer)
	}
	for n := range o.stack.Leftovers {
		out = append(out, &o.stack.Leftovers[n])
	}
	return out
}

func (i *Inventory) addon(ctx context.Context, lb model.ARN, a model.Addon) (string, error) {
	return i.protection.held.of(addonOf{lb, a}).get(ctx, i.since(addonLife), i.now(), func(ctx context.Context) (string, error) {
		switch a {
		case model.AddonWebACL:
			return i.protection.WAF.Of(ctx, lb)
		case model.AddonClassicWebACL:
			return i.protection.Classic.Of(ctx, lb)
		case model.AddonProtection:
			return i.protectionOf(ctx, lb)
		case model.AddonCapacity:
			return i.elb.Capacity(ctx, lb)
		case model.AddonIPAMPool:
		}
		return "", &fault.Error{Class: fault.Invalid, Action: string(a), Err: errNoAddon}
	})
}

// protectionOf is the name of a load balancer's protection.
func (i *Inventory) protectionOf(ctx context.Context, lb model.ARN) (string, error) {
	p, err := i.protection.Shield.Of(ctx, lb)
	if err != nil {
		return "", fmt.Errorf("observing: %w", err)
	}
	return p.Name, nil
}

// PutAddon records what an add-on of a load balancer is now.
func (i *Inventory) PutAddon(lb model.ARN, a model.Addon, value string) {
	if a == model.AddonIPAMPool {
		i.ChangeLoadBalancer(lb, func(b *model.LoadBalancer) { b.Addons = model.WithAddon(b.Addons, a, value) })
		return
	}
	i.protection.held.of(addonOf{lb, a}).put(value, i.now())
}

// DropAddon has an add-on of a load balancer read again.
func (i *Inventory) DropAddon(lb model.ARN, a model.Addon) {
	i.protection.held.of(addonOf{lb, a}).drop()
}

// newAddons records that a load balancer that was just made has none.
func (i *Inventory) newAddons(lb model.ARN) {
	for _, a := range model.Addons() {
		if a != model.AddonIPAMPool {
			i.PutAddon(lb, a, "")
		}
	}
}

// firewallFacts finds the web ACLs that are asked for. Where they may not be read, those that are asked for by ARN or ID are taken for
// good: AWS tells when a load balancer gets them.
func (i *Inventory) firewallFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	out.WebACLs = map[string]model.ARN{}
	for _, ref := range need.WebACLs {
		arn, err := i.webACL(ctx, ref)
		if err != nil {
			return err
		}
		if arn != "" {
			out.WebACLs[ref] = arn
		}
	}
	for _, id := range need.ClassicWebACLs {
		there, err := i.there(ctx, &i.protection.classic, id, i.protection.Classic.Exists)
		if err != nil {
			return err
		}
		if there {
			out.ClassicWebACLs = append(out.ClassicWebACLs, id)
		}
	}
	return nil
}

// webACL is the ARN of the web ACL of an ARN or a name, empty where there is none.
func (i *Inventory) webACL(ctx context.Context, ref string) (model.ARN, error) {
	if model.IsARN(ref) {
		there, err := i.there(ctx, &i.protection.existing, ref, i.protection.WAF.Exists)
		if !there || err != nil {
			return "", err
		}
		return model.ARN(ref), nil
	}
	for _, life := range []time.Duration{firewallLife, patience} {
		all, err := i.protection.named.get(ctx, i.since(life), i.now(), i.protection.WAF.Named)
		if err != nil {
			return "", fmt.Errorf("looking for web ACL %s: %w", ref, err)
		}
		if arn := all[ref]; arn != "" {
			return arn, nil
		}
	}
	return "", nil
}

// there tells whether a web ACL exists. What does not is looked for again soon.
func (i *Inventory) there(
	ctx context.Context, kept *shelf[string, bool], ref string, read func(context.Context, string) (bool, error),
) (bool, error) {
	for _, life := range []time.Duration{firewallLife, patience} {
		there, err := kept.of(ref).get(ctx, i.since(life), i.now(), func(ctx context.Context) (bool, error) {
			there, err := read(ctx, ref)
			if fault.Of(err) == fault.Denied {
				return true, nil
			}
			return there, err
		})
		if there || err != nil {
			return there, err
		}
	}
	return false, nil
}

// shieldFacts tell whether the account subscribes to Shield Advanced.
func (i *Inventory) shieldFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	for _, life := range []time.Duration{subscriptionLife, networkLife} {
		subscribed, err := i.protection.subscribed.get(ctx, i.fresh(need, life), i.now(), i.protection.Shield.Subscribed)
		if err != nil {
			return fmt.Errorf("reading facts: %w", err)
		}
		if out.ShieldSubscribed = subscribed; subscribed {
			break
		}
	}
	return nil
}

// dropAddons forgets what add-ons a load balancer has.
func (i *Inventory) dropAddons(lb model.ARN) {
	i.protection.held.drop(func(a addonOf) bool { return a.lb == lb })
}

// addonsOf are the add-ons that keys of an observation ask for.
func addonsOf(keys []model.Key) (addons []model.Addon, others []model.Key) {
	addons, others = model.SplitAddons(keys)
	return slices.Compact(slices.Sorted(slices.Values(addons))), others
}
