package plan

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/model"
)

// The operations on trust stores and on what they are made of.
const (
	// PutBundle and DeleteBundle write and delete an object in S3, by the names of their actions there.
	PutBundle        Op = "PutObject"
	DeleteBundle     Op = "DeleteObject"
	CreateTrustStore Op = "CreateTrustStore"
	// ModifyTrustStore gives a trust store another bundle; listeners are not touched.
	ModifyTrustStore Op = "ModifyTrustStore"
	DeleteTrustStore Op = "DeleteTrustStore"
)

// chooseTrustStores matches trust stores by ID, first one that is usable now. What is left over is idle.
func (p *planner) chooseTrustStores() {
	p.stores = map[string]model.TrustStore{}
	for _, want := range p.want.TrustStores {
		var found []model.TrustStore
		for _, have := range p.have.TrustStores {
			if have.ID == want.ID {
				found = append(found, have)
			}
		}
		slices.SortStableFunc(found, func(a, b model.TrustStore) int {
			return cmp.Or(same(b.Status, model.TrustStoreUsable)-same(a.Status, model.TrustStoreUsable), cmp.Compare(a.ARN, b.ARN))
		})
		if len(found) > 0 {
			p.stores[want.ID] = found[0]
			p.know(want.Key(), found[0].ARN)
		}
	}
	for _, have := range p.have.TrustStores {
		if p.stores[have.ID].ARN != have.ARN {
			p.idle = append(p.idle, have)
		}
	}
}

// resolveTrustStores gives wanted references the ARN of what exists.
func (p *planner) resolveTrustStores() {
	for i := range p.want.Listeners {
		m := p.want.Listeners[i].MutualAuth
		if m == nil {
			continue
		}
		if key, ok := model.TrustStoreKey(m.TrustStore); ok && p.stores[key.ID].ARN != "" {
			resolved := *m
			resolved.TrustStore = p.stores[key.ID].ARN
			p.want.Listeners[i].MutualAuth = &resolved
		}
	}
}

// trustStores plans what comes before listeners: new trust stores, and what is new in those that there are.
func (p *planner) trustStores() {
	for _, want := range p.want.TrustStores {
		have, exists := p.stores[want.ID]
		if !exists {
			put := p.putBundle(want)
			fields := []Field{{Name: "name", New: want.Name}, {Name: "bundle", New: want.Bundle.String()}}
			p.create(Change{Op: CreateTrustStore, Action: Create, Key: want.Key(), TrustStore: &want, After: []int{put}, Fields: fields})
			continue
		}
		first := len(p.plan.Changes)
		last := p.renewTrustStore(want, have)
		p.tags(owned{key: want.Key(), arn: have.ARN, wantTags: want.Tags, haveTags: have.Tags})
		for i := first; i < len(p.plan.Changes); i++ {
			if c := &p.plan.Changes[i]; c.Op == AddTags && last > 0 {
				c.After = []int{last}
			}
		}
	}
}

// renewTrustStore gives a trust store another bundle, and gives the last change of that. The tag that names the old one goes when that is
// gone: so it is found until then, wherever it is.
func (p *planner) renewTrustStore(want, have model.TrustStore) int {
	if want.Bundle == have.Bundle {
		return 0
	}
	put := p.putBundle(want)
	id := p.add(Change{
		Op: ModifyTrustStore, Action: Update, Key: want.Key(), ARN: have.ARN, TrustStore: &want, After: []int{put},
		Fields: []Field{{Name: "bundle", Old: have.Bundle.String(), New: want.Bundle.String()}}, Why: "its ConfigMaps have other certificates",
	})
	if have.Bundle == (model.Bundle{}) {
		return id
	}
	return p.deleteBundle(want.Key(), have.Bundle, []int{id})
}

func (p *planner) putBundle(want model.TrustStore) int {
	action := Create
	if p.stores[want.ID].ARN != "" {
		action = Update
	}
	return p.add(Change{
		Op: PutBundle, Action: action, Key: want.Key(), TrustStore: &want, Fields: []Field{{Name: "object", New: want.Bundle.String()}},
	})
}

// deleteBundle plans the end of an object. It is planned once.
func (p *planner) deleteBundle(key model.Key, b model.Bundle, after []int) int {
	for _, c := range p.plan.Changes {
		if c.Op == DeleteBundle && c.TrustStore.Bundle == b {
			return c.ID
		}
	}
	return p.add(Change{
		Op: DeleteBundle, Action: Delete, Key: key, TrustStore: &model.TrustStore{ID: key.ID, Bundle: b}, After: slices.Clone(after),
		Fields: []Field{{Name: "object", Old: b.String()}},
	})
}

// trusting has a change that gives a listener a trust store wait until that can be used.
func (p *planner) trusting(c *Change) {
	if c.Listener == nil || c.Listener.MutualAuth == nil {
		return
	}
	ref := c.Listener.MutualAuth.TrustStore
	if key, ok := model.TrustStoreKey(ref); ok {
		c.After = append(c.After, p.makes[key])
		c.Needs = append(c.Needs, Need{Key: key, State: model.TrustStoreUsable})
		return
	}
	for _, have := range p.stores {
		if have.ARN == ref && have.Status != model.TrustStoreUsable {
			c.Needs = append(c.Needs, Need{Key: have.Key(), ARN: ref, State: model.TrustStoreUsable})
		}
	}
}

// deleteTrustStores deletes what no listener is to have any more, after the last one let it go, and then what it was made of; and objects
// that nothing is made of.
func (p *planner) deleteTrustStores() {
	needed := map[model.Bundle]bool{}
	for _, want := range p.want.TrustStores {
		needed[want.Bundle] = true
	}
	for _, have := range p.idle {
		after := p.frees[have.ARN]
		if p.want.LoadBalancer != nil && trusts(p.want.Listeners, have.ARN) || len(after) == 0 && trusts(p.have.Listeners, have.ARN) {
			needed[have.Bundle] = true
			continue
		}
		id := p.add(Change{
			Op: DeleteTrustStore, Action: Delete, Key: have.Key(), ARN: have.ARN, TrustStore: &have, After: slices.Clone(after),
			Fields: []Field{{Name: "name", Old: have.Name}},
		})
		if have.Bundle != (model.Bundle{}) && !needed[have.Bundle] {
			p.deleteBundle(have.Key(), have.Bundle, []int{id})
		}
	}
	for _, b := range p.have.Bundles {
		if !needed[b] {
			p.deleteBundle(model.Key{Kind: model.KindTrustStore, ID: b.Key}, b, nil)
		}
	}
}

func trusts(listeners []model.Listener, store model.ARN) bool {
	return slices.ContainsFunc(listeners, func(l model.Listener) bool { return l.MutualAuth != nil && l.MutualAuth.TrustStore == store })
}

// releaseStore notes that change id ends the use of a listener's trust store.
func (p *planner) releaseStore(l model.Listener, id int) {
	if l.MutualAuth != nil && l.MutualAuth.TrustStore != "" {
		p.frees[l.MutualAuth.TrustStore] = append(p.frees[l.MutualAuth.TrustStore], id)
	}
}

// storeText is a trust store as print shows it: one of the stack by its key.
func (p *planner) storeText(arn model.ARN) string {
	for _, have := range p.have.TrustStores {
		if have.ARN == arn {
			return string(have.Reference())
		}
	}
	return string(arn)
}
