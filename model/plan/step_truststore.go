package plan

import (
	"fmt"
	"slices"

	"github.com/headgate/headgate/model"
)

func (w *world) trustStore(c Change) error {
	w.TrustStores, w.Bundles = slices.Clone(w.TrustStores), slices.Clone(w.Bundles)
	switch c.Op {
	case PutBundle:
		w.Bundles = append(w.Bundles, c.TrustStore.Bundle)
		return nil
	case DeleteBundle:
		w.Bundles = slices.DeleteFunc(w.Bundles, func(b model.Bundle) bool { return b == c.TrustStore.Bundle })
		return nil
	case CreateTrustStore:
		return w.createTrustStore(c)
	default:
		return w.changeTrustStore(c)
	}
}

func (w *world) changeTrustStore(c Change) error {
	i := slices.IndexFunc(w.TrustStores, func(t model.TrustStore) bool { return t.ARN == c.ARN })
	if i < 0 {
		return errMissing
	}
	one := &w.TrustStores[i]
	switch c.Op {
	case ModifyTrustStore:
		return w.bundled(c.TrustStore.Bundle) // which one it was made of only its tag says
	case DeleteTrustStore:
		if trusts(w.Listeners, c.ARN) {
			return errInUse
		}
		w.TrustStores = slices.Delete(w.TrustStores, i, i+1)
		return nil
	default:
		err := settle(c, "", new(map[string]string), &one.Tags)
		one.Bundle = model.ParseBundle(one.Tags[model.TagBundle])
		return err
	}
}

func (w *world) createTrustStore(c Change) error {
	made := *c.TrustStore
	if slices.ContainsFunc(w.TrustStores, func(t model.TrustStore) bool { return t.Name == made.Name }) {
		return fmt.Errorf("name %s: %w", made.Name, errExists)
	}
	made.ARN, made.Status, made.ConfigMaps, made.Digest = w.arn(c.Key), model.TrustStoreUsable, nil, ""
	w.TrustStores = append(w.TrustStores, made)
	return w.bundled(made.Bundle)
}

// bundled tells whether an object is there to make a trust store of.
func (w *world) bundled(b model.Bundle) error {
	if !slices.Contains(w.Bundles, b) {
		return fmt.Errorf("object %s: %w", b, errMissing)
	}
	return nil
}

// trusting is how clients show certificates, with the trust store by ARN, as an observation has it.
func (w *world) trusting(m *model.MutualAuth) (*model.MutualAuth, error) {
	if m == nil {
		return nil, nil
	}
	key, ok := model.TrustStoreKey(m.TrustStore)
	if !ok {
		return m, nil
	}
	out := *m
	for _, t := range w.TrustStores {
		if t.ID == key.ID {
			out.TrustStore = t.ARN
			return &out, nil
		}
	}
	return nil, fmt.Errorf("%s: %w", key, errMissing)
}
