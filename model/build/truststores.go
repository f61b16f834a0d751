package build

import (
	"maps"
	"slices"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/intent"
)

// trusted is a trust store that a port of this build uses: its authorities, and who asks for it.
type trusted struct {
	authorities intent.Authorities
	users       []*intent.Fragment
}

// storeOf is the trust store that is meant, of this stack or another's; empty where there is none.
func (b *builder) storeOf(m *intent.MutualAuth) model.ARN {
	switch a := m.Authorities; {
	case a == nil:
		return b.facts.TrustStores[m.TrustStore]
	case a.Digest == "" || b.unserved(m):
		return ""
	default:
		return model.TrustStore{ID: a.ID}.Reference()
	}
}

// unserved tells whether something cannot be served of which the front door told its owner.
func (b *builder) unserved(m *intent.MutualAuth) bool {
	return m.Unserved || m.Authorities != nil && b.in.Defaults.Shelf.Bucket == ""
}

// trusts notes that a port verifies clients as a wish asks.
func (b *builder) trusts(w wish, store model.ARN) {
	for m := w.listener.MutualAuth; m != nil; m = m.Good {
		if m.Authorities == nil || b.storeOf(m) != store {
			continue
		}
		one := b.stores[m.Authorities.ID]
		one.authorities = *m.Authorities
		if !slices.Contains(one.users, w.fragment) {
			one.users = append(one.users, w.fragment)
		}
		b.stores[m.Authorities.ID] = one
		return
	}
}

// unproven tells whether a port is left out because no authority is known that its clients could be verified by, and none ever was: one
// that answers would let in who must not come in.
func (b *builder) unproven(w wish) bool {
	m := w.listener.MutualAuth
	if m == nil || m.Authorities == nil || m.Authorities.Problem == "" || m.Good != nil || m.Observed != "" {
		return false
	}
	for _, before := range w.before {
		if before.MutualAuth != nil && before.MutualAuth.Authorities != nil && b.storeOf(before.MutualAuth) != "" {
			return false
		}
	}
	if !m.Held {
		b.wrong(mutualPlace(w), m.Authorities.Reason, "%s; until then port %d is not served", m.Authorities.Problem, w.listener.Port)
	}
	return true
}

// usedTrustStores are the stack's own trust stores that its listeners name.
func (b *builder) usedTrustStores(s model.Stack) []model.TrustStore {
	used := map[string]bool{}
	for _, l := range s.Listeners {
		if l.MutualAuth == nil {
			continue
		}
		if key, ok := model.TrustStoreKey(l.MutualAuth.TrustStore); ok {
			used[key.ID] = true
		}
	}
	shelf := b.in.Defaults.Shelf
	home := shelf.HomeOf(b.facts.Region, b.in.Owner)
	var out []model.TrustStore
	for _, id := range slices.Sorted(maps.Keys(used)) {
		one := b.stores[id]
		t := model.TrustStore{
			ID: id, Name: ownerName(b.in, "trust-store/"+id), Bundle: shelf.Bundle(home, id, one.authorities.Digest),
			ConfigMaps: one.authorities.ConfigMaps, Digest: one.authorities.Digest, Tags: map[string]string{},
		}
		maps.Copy(t.Tags, b.tags(id, b.mergeTags(one.users)))
		t.Tags[model.TagBundle] = t.Bundle.String()
		out = append(out, t)
	}
	return out
}
