package inventory

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// stores are the trust stores of the account with their tags, and the objects that are kept for those of the cluster.
type stores struct {
	all     kept[map[model.ARN]model.TrustStore]
	bundles kept[[]model.Bundle]
}

// observeTrust puts the owner's trust stores and the objects kept for them into an observation. One that is not ready is looked at each time.
// Objects are looked for where there are trust stores, or are known to have been: nobody else shall suffer from a bucket that is out of reach.
func (o *observation) observeTrust(ctx context.Context, known bool) error {
	owner := o.stack.Owner
	all, err := o.trustStores(ctx)
	if err != nil {
		return err
	}
	for _, arn := range slices.Sorted(maps.Keys(all)) {
		t := all[arn]
		id, ours := owner.Owns(t.Tags)
		if !ours {
			continue
		}
		if t.Status != model.TrustStoreUsable {
			now, err := o.elb.TrustStore(ctx, arn)
			if fault.Of(err) == fault.NotFound {
				o.DropTrustStore(arn)
				continue
			}
			if err != nil {
				return fmt.Errorf("observing trust stores: %w", err)
			}
			t.Status = now.Status
			o.PutTrustStore(t)
		}
		t.ID, t.Tags, t.Bundle = id, maps.Clone(t.Tags), model.ParseBundle(t.Tags[model.TagBundle])
		o.stack.TrustStores = append(o.stack.TrustStores, t)
	}
	if known || len(o.stack.TrustStores) > 0 {
		o.stack.Bundles, err = o.bundlesOf(ctx, owner)
	}
	return err
}

// trustStores are all trust stores of the account, with tags. Tags of those that were known a while ago are not read again.
func (i *Inventory) trustStores(ctx context.Context) (map[model.ARN]model.TrustStore, error) {
	whole := true
	out, err := i.stores.all.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (map[model.ARN]model.TrustStore, error) {
		found, err := i.elb.AllTrustStores(ctx)
		if err != nil {
			return nil, fmt.Errorf("taking stock: %w", err)
		}
		known, _ := i.stores.all.recent(i.oldest())
		l := listing[model.TrustStore]{
			now: map[model.ARN]model.TrustStore{}, before: known, tags: func(t *model.TrustStore) *map[string]string { return &t.Tags },
		}
		for _, t := range found {
			l.now[t.ARN] = t
		}
		whole, err = l.label(ctx, i.elb)
		return l.now, err
	})
	if !whole {
		i.stores.all.expire()
	}
	return out, err
}

// bundlesOf are the objects that are kept for an owner.
func (i *Inventory) bundlesOf(ctx context.Context, owner model.Owner) ([]model.Bundle, error) {
	if i.shelf.Bucket == "" {
		return nil, nil
	}
	all, err := i.stores.bundles.get(ctx, i.oldest(), i.now(), func(ctx context.Context) ([]model.Bundle, error) {
		return i.s3.List(ctx, i.shelf.Bucket, i.shelf.Home(i.region, i.cluster))
	})
	if err != nil {
		return nil, fmt.Errorf("taking stock: %w", err)
	}
	home := i.shelf.HomeOf(i.region, owner)
	return slices.DeleteFunc(slices.Clone(all), func(b model.Bundle) bool { return !strings.HasPrefix(b.Key, home) }), nil
}

// TrustStore is a trust store as AWS described it last, if it is known.
func (i *Inventory) TrustStore(arn model.ARN) (model.TrustStore, bool) {
	all, _ := i.stores.all.peek()
	t, ok := all[arn]
	return t, ok
}

// PutTrustStore records a trust store of ours with its tags.
func (i *Inventory) PutTrustStore(t model.TrustStore) {
	i.stores.all.change(func(all map[model.ARN]model.TrustStore) map[model.ARN]model.TrustStore { return with(all, t.ARN, t) })
}

// DropTrustStore records that a trust store is gone.
func (i *Inventory) DropTrustStore(arn model.ARN) {
	i.stores.all.change(func(all map[model.ARN]model.TrustStore) map[model.ARN]model.TrustStore { return without(all, arn) })
}

// PutBundle records an object that was written, and DropBundle one that is gone.
func (i *Inventory) PutBundle(b model.Bundle) {
	i.stores.bundles.change(func(all []model.Bundle) []model.Bundle {
		if b.Bucket != i.shelf.Bucket || slices.Contains(all, b) {
			return all
		}
		return append(slices.Clone(all), b)
	})
}

// DropBundle records that an object is gone.
func (i *Inventory) DropBundle(b model.Bundle) {
	i.stores.bundles.change(func(all []model.Bundle) []model.Bundle {
		return slices.DeleteFunc(slices.Clone(all), func(o model.Bundle) bool { return o == b })
	})
}

// forgetTrust has trust stores and objects listed again.
func (i *Inventory) forgetTrust() {
	i.stores.all.expire()
	i.stores.bundles.expire()
}
