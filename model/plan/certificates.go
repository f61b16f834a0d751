package plan

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/model"
)

// The operations on certificates.
const (
	RequestCertificate Op = "RequestCertificate"
	// ImportCertificate makes a certificate; where the change has an ARN, it renews the one there.
	ImportCertificate Op = "ImportCertificate"
	// PublishProofs writes the DNS records that show to whom the names of a requested certificate belong.
	PublishProofs     Op = "ChangeResourceRecordSets"
	DeleteCertificate Op = "DeleteCertificate"
)

// chooseCertificates matches requested certificates by ID, of several one that is usable now first, and imported ones by content. What is
// left over is spare.
func (p *planner) chooseCertificates() {
	p.held = map[string]model.OwnCertificate{}
	p.chooseImported()
	for _, want := range p.want.Certificates {
		var found []model.OwnCertificate
		for _, have := range p.have.Certificates {
			if have.ID == want.ID && want.Type != model.CertificateImported && serves(want, have) {
				found = append(found, have)
			}
		}
		slices.SortStableFunc(found, func(a, b model.OwnCertificate) int {
			return cmp.Or(same(b.Status, model.CertificateUsable)-same(a.Status, model.CertificateUsable), cmp.Compare(a.ARN, b.ARN))
		})
		if len(found) > 0 {
			p.held[want.ID] = found[0]
			p.know(want.Key(), found[0].ARN)
		}
	}
	used := map[model.ARN]bool{}
	for _, have := range p.held {
		used[have.ARN] = true
	}
	p.spare = slices.DeleteFunc(slices.Clone(p.have.Certificates), func(have model.OwnCertificate) bool { return used[have.ARN] })
}

// serves tells whether an observed certificate is the wanted one, or can be renewed into it at its ARN: AWS imports into an ARN only the
// same kind of key, with a name that stays (ACM API, ImportCertificate), and never changes one that it issued.
func serves(want, have model.OwnCertificate) bool {
	switch {
	case want.Type != have.Type || have.Spent:
		return false
	case want.Type == model.CertificateImported:
		stays := slices.ContainsFunc(want.Domains, func(d string) bool { return slices.Contains(have.Domains, d) })
		return want.Digest == have.Digest || stays && want.KeyAlgorithm == have.KeyAlgorithm
	default:
		return want.Authority == have.Authority && slices.Equal(slices.Sorted(slices.Values(want.Domains)), slices.Sorted(slices.Values(have.Domains)))
	}
}

// resolveCertificates gives wanted references the ARN of what exists. The default of a new listener is one that is usable now, where
// there is one: who waits for a certificate holds up no other.
func (p *planner) resolveCertificates() {
	for i := range p.want.Listeners {
		l := &p.want.Listeners[i]
		l.Certificates = slices.Clone(l.Certificates)
		for j, ref := range l.Certificates {
			if key, ok := model.OwnCertificateKey(ref); ok && p.held[key.ID].ARN != "" {
				l.Certificates[j] = p.held[key.ID].ARN
			}
		}
	}
}

// waitsFor is what a change that names the certificates must wait for: those that AWS has not issued yet.
func (p *planner) waitsFor(certificates []model.ARN) []Need {
	var out []Need
	for _, ref := range certificates {
		if c, ours := p.ownCertificate(ref); ours && c.Type != model.CertificateImported && c.Status != model.CertificateUsable {
			out = append(out, Need{Key: c.Key(), ARN: c.ARN, State: model.CertificateUsable})
		}
	}
	return out
}

// ownCertificate is the certificate of this stack that a listener means, as it is, or as it is wanted where it is still to be made.
func (p *planner) ownCertificate(ref model.ARN) (model.OwnCertificate, bool) {
	for _, c := range p.have.Certificates {
		if c.ARN == ref {
			return c, true
		}
	}
	for _, c := range p.want.Certificates {
		if c.Reference() == ref {
			c.Status = ""
			return c, true
		}
	}
	return model.OwnCertificate{}, false
}

// usableFirst puts those that can be used now before those that are waited for.
func (p *planner) usableFirst(certificates []model.ARN) []model.ARN {
	out := slices.Clone(certificates)
	slices.SortStableFunc(out, func(a, b model.ARN) int {
		return len(p.waitsFor([]model.ARN{a})) - len(p.waitsFor([]model.ARN{b}))
	})
	return out
}

// certificates plans what comes before listeners: new certificates, proofs, tags; and renewals, unless a new certificate has to take
// over first what the renewed one served until now.
func (p *planner) certificates() {
	for _, want := range p.want.Certificates {
		have, exists := p.held[want.ID]
		if !exists {
			p.createCertificate(want)
			continue
		}
		if len(have.Proofs) > 0 {
			p.publish(have)
		}
		if want.Type != model.CertificateImported { // an imported one has the tags that it was imported with
			p.tags(owned{key: want.Key(), arn: have.ARN, wantTags: want.Tags, haveTags: have.Tags})
		}
	}
	if len(p.want.Certificates) == len(p.held) {
		p.renewCertificates()
	}
}

func (p *planner) createCertificate(want model.OwnCertificate) {
	c := Change{Op: RequestCertificate, Action: Create, Key: want.Key(), Certificate: &want}
	var f fields
	f.asked("names", "", joined(want.Domains))
	f.asked("authority", "", string(want.Authority))
	if want.Type == model.CertificateImported {
		c.Op = ImportCertificate
		f.asked("secret", "", want.Secret.String())
		if p.opts.Sharing.pending(want.Digest) {
			c.Needs = []Need{{Key: want.Key(), State: StateImported}}
		}
	}
	c.Fields = f
	for _, old := range p.spare {
		if old.ID == want.ID && c.Action == Create && p.opts.Sharing.Free(old.ARN) {
			c.Action, c.Fields, c.Why = Replace, certificateFields(want, old), "AWS cannot change these of a certificate"
			if old.Spent {
				c.Why = "AWS will not issue the one that is there: " + old.Status
			}
		}
	}
	p.create(c)
}

func certificateFields(want, have model.OwnCertificate) []Field {
	var f fields
	f.text("names", joined(have.Domains), joined(want.Domains))
	f.text("authority", string(have.Authority), string(want.Authority))
	f.text("key", have.KeyAlgorithm, want.KeyAlgorithm)
	f.text("content", short(have.Digest), short(want.Digest))
	return f
}

// short is as much of a digest as people compare.
func short(digest string) string { return digest[:min(len(digest), suffixLength)] }

func (p *planner) publish(have model.OwnCertificate) {
	var f fields
	for _, r := range have.Proofs {
		f.text("record", "", r.Name+" CNAME "+r.Value)
	}
	p.add(Change{Op: PublishProofs, Action: Update, Key: have.Key(), ARN: have.ARN, Certificate: &have, Fields: f})
}

// renewCertificates imports anew into ARNs that stay: no listener is touched.
func (p *planner) renewCertificates() {
	if p.renewed != nil {
		return
	}
	p.renewed = []int{}
	for _, want := range p.want.Certificates {
		have, exists := p.held[want.ID]
		if !exists || want.Type != model.CertificateImported || want.Digest == have.Digest {
			continue
		}
		want.ARN = have.ARN
		c := Change{
			Op: ImportCertificate, Action: Update, Key: want.Key(), ARN: have.ARN, Certificate: &want, After: slices.Clone(p.placed),
			Fields: certificateFields(want, have), Why: "the Secret " + want.Secret.String() + " has another certificate",
			Users: p.opts.Sharing.of(have.ARN).Users,
		}
		switch {
		case !p.opts.Sharing.renewable(have.ARN, want.Digest):
			c.Needs = []Need{{Key: want.Key(), ARN: have.ARN, State: StateAgreed}}
		case p.opts.Sharing.pending(want.Digest):
			c.Needs = []Need{{Key: want.Key(), ARN: have.ARN, State: StateImported}}
		}
		p.renewed = append(p.renewed, p.add(c))
	}
}

// placing completes a change that gives a listener certificates, and a trust store.
func (p *planner) placing(c Change, certificates []model.ARN) int {
	c.Needs = append(c.Needs, p.waitsFor(certificates)...)
	p.trusting(&c)
	fresh := false
	for _, ref := range certificates {
		if key, ok := model.OwnCertificateKey(ref); ok {
			c.After, fresh = append(c.After, p.makes[key]), true
		}
	}
	id := p.add(c)
	if fresh {
		p.placed = append(p.placed, id)
	}
	return id
}

// deleteCertificates deletes what no listener is to have any more, after the last one let it go.
func (p *planner) deleteCertificates() {
	inUse := func(listeners []model.Listener, arn model.ARN) bool {
		return slices.ContainsFunc(listeners, func(l model.Listener) bool { return slices.Contains(l.Certificates, arn) })
	}
	for _, have := range p.spare {
		after := p.frees[have.ARN]
		if !p.opts.Sharing.Free(have.ARN) {
			continue // whoever asks for it, or has it, deletes it in the end
		}
		if p.want.LoadBalancer != nil && inUse(p.want.Listeners, have.ARN) || len(after) == 0 && inUse(p.have.Listeners, have.ARN) {
			continue
		}
		c := Change{Op: DeleteCertificate, Action: Delete, Key: have.Key(), ARN: have.ARN, Certificate: &have, After: slices.Clone(after)}
		var f fields
		f.text("names", joined(have.Domains), "")
		c.Fields = f
		if _, wanted := p.makes[c.Key]; wanted || p.held[have.ID].ARN != "" {
			c.Why = "replaced by another one"
			c.After = append(c.After, p.makes[c.Key])
		}
		p.add(c)
	}
}

// releaseCertificates notes that change id ends the use of certificates.
func (p *planner) releaseCertificates(certificates []model.ARN, id int) {
	for _, arn := range certificates {
		p.frees[arn] = append(p.frees[arn], id)
	}
}

// certificateText is a certificate as print shows it: one of the stack by its key.
func (p *planner) certificateText(arn model.ARN) string {
	for id, c := range p.held {
		if c.ARN == arn {
			return string(model.OwnCertificate{ID: id}.Reference())
		}
	}
	for _, c := range p.spare {
		if c.ARN == arn {
			return string(c.Reference()) + " (old)"
		}
	}
	return string(arn)
}
