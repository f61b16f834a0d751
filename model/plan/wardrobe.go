package plan

import (
	"slices"
	"strconv"

	"github.com/headgate/headgate/model"
)

// wardrobe is where certificates are put that clients ask for by name, of which AWS takes so many a load balancer. Where old and new ones have
// no room side by side, as many old ones as need be go first, each directly before the one that takes its place.
type wardrobe struct {
	// free is how many may be added beside those that are there.
	free int
	// surplus are those that go, in the order in which they make room.
	surplus []spare
	// taken are those that went, by the change that removed them.
	taken map[garment]int
	// emptied are the changes of listeners that make room: those that go, and those that end TLS.
	emptied []int
	// last is the change before the next removal: as much as can be shall be there by then.
	last int
}

// garment is a certificate of a listener.
type garment struct {
	listener model.ARN
	arn      model.ARN
	port     int
}

// spare is a certificate that makes room.
type spare struct {
	garment
	// twice says that it is the default, too, and rises that it becomes it.
	twice, rises bool
}

// order is in which spare certificates go: those that nobody misses first.
func (s spare) order() int {
	switch {
	case s.twice:
		return 0
	case s.rises:
		return 2
	default:
		return 1
	}
}

// tightWardrobe counts certificates and tells whether there is no room for old and new ones side by side.
func (p *planner) tightWardrobe(edits []*edit, gone []model.Listener) bool {
	p.wardrobe = wardrobe{taken: map[garment]int{}}
	held, added := 0, 0
	for _, l := range gone {
		held += len(rest(l.Certificates))
	}
	for _, e := range edits {
		have := rest(e.have.Certificates)
		held += len(have)
		if !tls(e.want) {
			continue
		}
		for _, arn := range rest(e.want.Certificates) {
			if !slices.Contains(have, arn) {
				added++
			}
		}
		p.wardrobe.discard(e)
	}
	// Where AWS holds more than the quota that we know of, the account's is higher.
	p.wardrobe.free = max(p.opts.Quotas.CertificatesPerLoadBalancer, held) - held
	return added > p.wardrobe.free
}

// discard has certificates of a listener make room: of those that are its default as well nobody misses the ones in the list, and those that
// become its default go last.
func (w *wardrobe) discard(e *edit) {
	if !tls(e.have) {
		return
	}
	for _, arn := range rest(e.have.Certificates) {
		if !slices.Contains(rest(e.want.Certificates), arn) {
			w.surplus = append(w.surplus, spare{
				garment: garment{e.have.ARN, arn, e.want.Port},
				twice:   arn == first(e.have.Certificates), rises: arn == first(e.want.Certificates),
			})
		}
	}
	slices.SortStableFunc(w.surplus, func(a, b spare) int { return a.order() - b.order() })
}

// emptyWardrobe makes room: by the listeners that go, and by those that speak TLS no more, with their answers as they are. Where these ask who
// calls, which AWS does by HTTPS only, the answers have to change before.
func (p *planner) emptyWardrobe(edits []*edit, gone []model.Listener) {
	p.deleteListeners(gone)
	emptied := func(l model.Listener, ids []int) {
		p.wardrobe.emptied = append(p.wardrobe.emptied, ids...)
		p.wardrobe.free += len(rest(l.Certificates))
	}
	for _, l := range gone {
		emptied(l, p.changesOf(p.listenerKey(l), DeleteListener))
	}
	for _, e := range edits {
		if tls(e.have) && !tls(e.want) && !signsIn(e.have) {
			p.changeProtocol(e)
			emptied(e.have, p.changesOf(e.key, ModifyListener))
		}
	}
}

// signsIn tells whether a listener asks who calls.
func signsIn(l model.Listener) bool {
	asks := func(a model.Action) bool {
		return slices.Contains([]string{model.ActionOIDC, model.ActionCognito, model.ActionJWT}, a.Type)
	}
	return slices.ContainsFunc(l.DefaultActions, asks) ||
		slices.ContainsFunc(l.Rules, func(r model.Rule) bool { return slices.ContainsFunc(r.Actions, asks) })
}

// hang has a certificate wait for what makes room for it.
func (p *planner) hang(after []int) []int {
	w := &p.wardrobe
	switch {
	case w.free > 0:
		w.free--
	case len(w.surplus) > 0:
		old := w.surplus[0]
		w.surplus = w.surplus[1:]
		w.taken[old.garment] = p.removeCertificate(old.garment, slices.Concat(after, []int{w.last}))
		if !old.twice {
			p.note("exposed: the load balancer is at its quota of certificates, so on port " + strconv.Itoa(old.port) + " that of " + p.namesOf(old.arn) +
				" goes before its successor is there")
		}
		after = append(slices.Clone(after), w.taken[old.garment])
	}
	return after
}

// namesOf are the names of a certificate, as far as they are known: of those that are not ours the ARN.
func (p *planner) namesOf(arn model.ARN) string {
	if c, ours := p.ownCertificate(arn); ours && len(c.Domains) > 0 {
		return joined(c.Domains)
	}
	return string(arn)
}

func (p *planner) removeCertificate(g garment, after []int) int {
	key := model.Key{}
	for _, l := range p.have.Listeners {
		if l.ARN == g.listener {
			key = p.listenerKey(l)
		}
	}
	id := p.add(Change{
		Op: RemoveListenerCertificates, Action: Update, Key: key, ARN: g.listener, Port: g.port,
		Certificates: []model.ARN{g.arn}, Fields: []Field{{Name: "certificate", Old: p.certificateText(g.arn)}}, After: slices.Clone(after),
	})
	p.releaseCertificates([]model.ARN{g.arn}, id)
	return id
}
