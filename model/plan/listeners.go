package plan

import (
	"slices"

	"github.com/headgate/headgate/model"
)

// fieldDefault is the name under which a difference of default actions is printed.
const fieldDefault = "default"

// fieldSecret is the name under which another secret of a client is printed.
const fieldSecret = "clientSecret"

// edit is what becomes of one listener of the wanted stack.
type edit struct {
	want model.Listener
	// have is empty for a new listener.
	have model.Listener
	key  model.Key
	// maker is the change that creates it, 0 where it exists.
	maker int
	// quiet listeners take no traffic yet, so that the order of their rules' changes does not matter.
	quiet bool
	// added are the changes that add certificates, before the listener itself is modified.
	added []int
	// later is the default certificate that is waited for, while the listener keeps the one that it has.
	later model.ARN
	match matching
	// fields of the listener that differ; answers says that default actions are among them.
	fields  fields
	answers bool
	// guards says that mutual authentication changes, and guarded is the change that does it, as far as rules wait for it.
	guards  bool
	guarded []int
}

// listeners plans listeners with their rules. It gives those that nobody wants and that are still to be deleted.
func (p *planner) listeners() (gone []model.Listener) {
	if p.want.LoadBalancer == nil {
		return nil
	}
	var observed []model.Listener
	if p.keep != nil {
		observed = p.have.Listeners
	}
	first := len(p.plan.Changes)
	var edits []*edit
	rules, parked := 0, 0
	for _, have := range observed {
		rules, parked = rules+len(have.Rules), parked+len(have.Parked)
		if !slices.ContainsFunc(p.want.Listeners, func(l model.Listener) bool { return p.listenerKey(l) == p.listenerKey(have) }) {
			gone = append(gone, have)
		}
	}
	fresh := 0
	for _, want := range p.want.Listeners {
		e := p.newEdit(want, observed)
		if edits = append(edits, e); !e.exists() {
			fresh++
		}
	}
	if p.crowded = len(observed)+fresh > p.opts.Quotas.ListenersPerLoadBalancer; p.crowded {
		p.deleteListeners(gone)
		gone = nil
	}
	if p.tightWardrobe(edits, gone) {
		p.emptyWardrobe(edits, gone)
		gone = nil
	}
	// Where AWS holds more than the quota that we know of, the account's is higher. What is parked takes room from the others.
	p.opts.Quotas.RulesPerLoadBalancer = max(p.opts.Quotas.RulesPerLoadBalancer, rules+parked)
	p.await(edits)
	p.opts.Quotas.RulesPerLoadBalancer -= parked - p.evict(edits)
	if p.tight = p.scarce(edits, gone); p.tight {
		p.deleteListeners(gone)
		for _, l := range gone {
			p.cleared = append(p.cleared, p.changesOf(p.listenerKey(l), DeleteListener)...)
		}
		gone = nil
		p.cleared = append(p.cleared, p.parking.evicted...)
		p.park(edits, 0)
		p.editScarce(edits)
	} else {
		gone = p.makeRoom(edits, gone)
		p.park(edits, p.opts.Quotas.RulesPerLoadBalancer-rules-newRules(edits))
		p.editListeners(edits)
	}
	p.unpark(edits)
	for id := first + 1; id <= len(p.plan.Changes); id++ {
		p.complete = append(p.complete, id)
	}
	return gone
}

func newRules(edits []*edit) int {
	n := 0
	for _, e := range edits {
		n += len(e.fresh())
	}
	return n
}

func (p *planner) newEdit(want model.Listener, observed []model.Listener) *edit {
	e := &edit{want: want, key: p.listenerKey(want), quiet: p.keep == nil || p.keep.State == "provisioning"}
	if i := slices.IndexFunc(observed, func(l model.Listener) bool { return p.listenerKey(l) == e.key }); i >= 0 {
		e.have = observed[i]
		p.know(e.key, e.have.ARN)
		p.keepDefault(e)
		e.compare(p)
	} else {
		e.want.Certificates = p.usableFirst(want.Certificates)
	}
	byPriority := func(a, b model.Rule) int { return a.Priority - b.Priority }
	if !slices.IsSortedFunc(e.have.Rules, byPriority) {
		e.have.Rules = slices.Clone(e.have.Rules)
		slices.SortStableFunc(e.have.Rules, byPriority)
	}
	e.match = matchRules(want.Rules, e.have.Rules)
	p.renewSecrets(e)
	p.resolveEdited(e)
	return e
}

// exists tells whether AWS has the listener.
func (e *edit) exists() bool { return e.have.Port != 0 }

// keepDefault has the listener keep its default certificate while the wanted one is not issued.
func (p *planner) keepDefault(e *edit) {
	if len(e.want.Certificates) == 0 || len(e.have.Certificates) == 0 || len(p.waitsFor(e.want.Certificates[:1])) == 0 {
		return
	}
	e.later = e.want.Certificates[0]
	e.want.Certificates = append([]model.ARN{e.have.Certificates[0]}, e.want.Certificates[1:]...)
}

// compare notes what differs of the listener itself.
func (e *edit) compare(p *planner) {
	want, have := e.want, e.have
	e.fields.text("protocol", have.Protocol, want.Protocol)
	e.fields.asked("sslPolicy", have.SSLPolicy, want.SSLPolicy)
	if len(want.Certificates) > 0 {
		e.fields.text("certificate", p.certificateText(first(have.Certificates)), p.certificateText(want.Certificates[0]))
	}
	p.compareMutual(e)
	p.secretField(&e.fields, e.key, want.DefaultActions)
	if p.renewedSecret(e.key, want.DefaultActions) {
		e.answers = true
	}
	if !model.ActionsEqual(want.DefaultActions, have.DefaultActions) {
		e.answers = true
		e.fields.text(fieldDefault, answerText(p.named(have.DefaultActions), nil), answerText(want.DefaultActions, nil))
	}
}

func first(list []model.ARN) model.ARN {
	if len(list) == 0 {
		return ""
	}
	return list[0]
}

// makeRoom deletes first those listeners whose port a new one takes: TCP where UDP was, or the reverse.
func (p *planner) makeRoom(edits []*edit, gone []model.Listener) []model.Listener {
	var later []model.Listener
	for _, l := range gone {
		if slices.ContainsFunc(edits, func(e *edit) bool { return e.want.Port == l.Port }) {
			p.deleteListeners([]model.Listener{l})
			continue
		}
		later = append(later, l)
	}
	return later
}

func (p *planner) editListeners(edits []*edit) {
	for _, e := range edits {
		p.openListener(e)
		p.emit(e.ops(), func(a, b op) bool { return a.before(b) })
		p.closeListener(e)
	}
}

// openListener does what comes before the rules: the listener where there is none, and certificates that are added.
func (p *planner) openListener(e *edit) {
	if !e.exists() {
		p.createListener(e)
		return
	}
	if tls(e.want) && !tls(e.have) {
		p.changeProtocol(e)
	}
	p.addCertificates(e)
	if tls(e.have) && tls(e.want) && e.guards && e.answers {
		p.changeProtocol(e)
	}
	if len(e.fields) > 0 && !e.answers {
		e.guard(p.modifyListener(e, e.added))
		e.fields = nil
	}
}

// changeProtocol has a listener speak TLS, which it must before it takes certificates, or no more, and has clients show theirs before it serves
// more. Its answers change in their turn.
func (p *planner) changeProtocol(e *edit) {
	now, later := *e, fields{}
	now.want.DefaultActions = e.have.DefaultActions
	now.fields = nil
	for _, f := range e.fields {
		if f.Name == fieldDefault || f.Name == fieldSecret {
			later = append(later, f)
			continue
		}
		now.fields = append(now.fields, f)
	}
	e.guard(p.modifyListener(&now, e.added))
	e.fields = later
}

// guard notes the change that has clients show certificates otherwise: what rules serve more comes after it.
func (e *edit) guard(id int) {
	if e.guards {
		e.guarded = []int{id}
	}
}

// closeListener does what comes after: certificates that go, attributes and tags.
func (p *planner) closeListener(e *edit) {
	if !e.exists() {
		return
	}
	if tls(e.want) && tls(e.have) {
		p.changeDefault(e)
		p.removeCertificates(e)
	}
	o := owned{
		key: e.key, arn: e.have.ARN, port: e.want.Port,
		wantAttributes: e.want.Attributes, haveAttributes: e.have.Attributes,
		defaults: func() map[string]string { return ListenerDefaults(e.want) },
		op:       ModifyListenerAttributes,
	}
	p.attributes(o)
	if p.have.Tagless {
		return
	}
	o.wantTags, o.haveTags = userTags(p.want.Owner, e.want.Tags), userTags(p.want.Owner, e.have.Tags)
	p.tags(o)
	p.tagRules(e)
}

// changeDefault gives the listener the default certificate that is waited for, with nothing else in the call.
func (p *planner) changeDefault(e *edit) {
	if e.later == "" {
		return
	}
	last := *e
	last.fields = []Field{{Name: "certificate", Old: p.certificateText(e.want.Certificates[0]), New: p.certificateText(e.later)}}
	last.want.Certificates = append([]model.ARN{e.later}, e.want.Certificates[1:]...)
	p.modifyListener(&last, slices.Concat(e.added, p.changesOf(e.key, ModifyListener)))
	e.want.Certificates = last.want.Certificates
}

// modifyListener changes protocol, policy, default certificate and default actions in one call.
func (p *planner) modifyListener(e *edit, after []int) int {
	want := e.want
	want.Rules, want.ARN = nil, e.have.ARN
	want.DefaultActions = p.keepSecrets(e.key, want.DefaultActions, e.have.DefaultActions)
	needs, spots := p.needsOf(want.DefaultActions)
	id := p.placing(Change{
		Op: ModifyListener, Action: Update, Key: e.key, ARN: e.have.ARN, Port: want.Port, Listener: &want, Fields: e.fields, Needs: needs,
		After: slices.Concat(after, p.groupsOf(want.DefaultActions), p.guards, spots, p.cleared),
	}, want.Certificates[:min(len(want.Certificates), 1)])
	p.begin(want.DefaultActions, id)
	p.releaseTargets(e.have.DefaultActions, id)
	if have := e.have.MutualAuth; have != nil && want.MutualAuth != nil && have.TrustStore != want.MutualAuth.TrustStore {
		p.releaseStore(e.have, id)
	}
	if have := first(e.have.Certificates); have != first(want.Certificates) {
		p.releaseCertificates([]model.ARN{have}, id)
	}
	return id
}

// addCertificates adds what clients may ask for by name; AWS takes one a call.
func (p *planner) addCertificates(e *edit) {
	if !tls(e.want) {
		return
	}
	have := rest(e.have.Certificates)
	after := slices.Concat([]int{e.maker}, p.changesOf(e.key, ModifyListener), p.wardrobe.emptied)
	for _, arn := range rest(e.want.Certificates) {
		if slices.Contains(have, arn) {
			continue
		}
		p.wardrobe.last = p.placing(Change{
			Op: AddListenerCertificates, Action: Update, Key: e.key, ARN: e.have.ARN, Port: e.want.Port, Certificates: []model.ARN{arn},
			Fields: []Field{{Name: "certificate", New: p.certificateText(arn)}}, After: p.hang(after),
		}, []model.ARN{arn})
		e.added = append(e.added, p.wardrobe.last)
	}
}

// removeCertificates removes those that are not wanted, after others were added and the default is another one.
func (p *planner) removeCertificates(e *edit) {
	after := slices.Concat(e.added, p.changesOf(e.key, ModifyListener), p.renewed)
	for _, arn := range rest(e.have.Certificates) {
		if slices.Contains(e.want.Certificates, arn) {
			continue
		}
		if g := (garment{e.have.ARN, arn, e.want.Port}); p.wardrobe.taken[g] == 0 {
			p.removeCertificate(g, after)
		}
	}
}

// deleteListeners deletes listeners; AWS deletes their rules with them.
func (p *planner) deleteListeners(gone []model.Listener) {
	for _, l := range gone {
		id := p.add(Change{
			Op: DeleteListener, Action: Delete, Key: p.listenerKey(l), ARN: l.ARN, Port: l.Port, Listener: &l,
			After:  slices.Clone(p.frees[portOf(p.keepARN(), l.Port)]),
			Fields: []Field{{Name: "protocol", Old: l.Protocol}},
		})
		p.complete = append(p.complete, id)
		p.releaseTargets(l.DefaultActions, id)
		p.releaseCertificates(l.Certificates, id)
		p.releaseStore(l, id)
		for _, r := range slices.Concat(l.Rules, l.Parked) {
			p.releaseTargets(r.Actions, id)
		}
	}
}

func tls(l model.Listener) bool { return l.Protocol == "HTTPS" || l.Protocol == "TLS" }

func rest(list []model.ARN) []model.ARN {
	if len(list) == 0 {
		return nil
	}
	return list[1:]
}

// groupsOf are the changes that create the target groups of actions, or make them fit for these.
func (p *planner) groupsOf(actions []model.Action) []int {
	var out []int
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			out = append(out, p.makes[targetGroupKey(g.Key)])
		}
		out = append(out, p.calms(a.Forward)...)
	}
	return out
}

// releaseTargets notes that change id ends the use of target groups.
func (p *planner) releaseTargets(actions []model.Action, id int) {
	for _, a := range actions {
		if a.Forward == nil {
			continue
		}
		for _, g := range a.Forward.Groups {
			p.frees[g.ARN] = append(p.frees[g.ARN], id)
		}
	}
}
