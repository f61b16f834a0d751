// Package shuffle lists objects in another order than others do, for tests of invariant 10.
//
// It may import everything. Its invariant: it changes the order of lists and nothing else.
package shuffle

import (
	"context"
	"fmt"
	"math/rand/v2"

	"k8s.io/apimachinery/pkg/api/meta"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Reader lists in an order that Seed says, as caches list in any.
type Reader struct {
	client.Reader

	Seed uint64
}

// List is the list of the reader behind, shuffled.
func (r Reader) List(ctx context.Context, list client.ObjectList, opts ...client.ListOption) error {
	if err := r.Reader.List(ctx, list, opts...); err != nil {
		return fmt.Errorf("listing: %w", err)
	}
	items, err := meta.ExtractList(list)
	if err != nil {
		return fmt.Errorf("shuffling: %w", err)
	}
	rng := rand.New(rand.NewPCG(r.Seed, uint64(len(items))))
	rng.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
	if err := meta.SetList(list, items); err != nil {
		return fmt.Errorf("shuffling: %w", err)
	}
	return nil
}
