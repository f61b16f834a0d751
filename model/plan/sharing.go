package plan

import (
	"cmp"
	"slices"

	"github.com/headgate/headgate/model"
)

// Sharing is what a diff must know of the other stacks of the cluster, to touch imported certificates that it may share with them. Nil is
// a stack that is alone: what it observes is its own.
type Sharing struct {
	// Certificates are the shares by ARN. Of one that is not listed nobody else asks anything.
	Certificates map[model.ARN]Share
	// Pending are contents, by digest, that another stack imports now.
	Pending map[string]bool
	// Parted are the IDs of certificates that have waited for others long enough.
	Parted map[string]bool
}

// Share is what other stacks ask of a certificate.
type Share struct {
	// Wanted says that another stack asks for what the certificate holds now, or may do so.
	Wanted bool
	// Users are the other stacks that have it.
	Users []model.Owner
	// Agreed are the contents, by digest, that all users ask for.
	Agreed []string
}

// The states of a certificate that others decide on, as people read them.
const (
	StateAgreed   = "all load balancers that share the certificate to ask for the same new one"
	StateImported = "another load balancer, which imports the same certificate now"
)

// Free tells whether nobody else asks for a certificate or has it: then it may be deleted.
func (s *Sharing) Free(arn model.ARN) bool {
	share := s.of(arn)
	return !share.Wanted && len(share.Users) == 0
}

// renewable tells whether a certificate may be given new content at its ARN: nobody asks for the old one, and all who have it ask for this.
func (s *Sharing) renewable(arn model.ARN, digest string) bool {
	share := s.of(arn)
	return !share.Wanted && (len(share.Users) == 0 || slices.Contains(share.Agreed, digest))
}

func (s *Sharing) of(arn model.ARN) Share {
	if s == nil {
		return Share{}
	}
	return s.Certificates[arn]
}

func (s *Sharing) pending(digest string) bool { return s != nil && s.Pending[digest] }

func (s *Sharing) parted(id string) bool { return s != nil && s.Parted[id] }

// chooseImported matches imported certificates by content, whichever Secret they came from. For content that there is not, one that the
// stack has is taken that can be renewed into it; where others who have it do not agree for long, the stack parts from them.
func (p *planner) chooseImported() {
	taken := map[model.ARN]bool{}
	take := func(want, have model.OwnCertificate) {
		taken[have.ARN] = true
		p.held[want.ID] = have
		p.know(want.Key(), have.ARN)
	}
	free := func(want model.OwnCertificate, fits func(model.OwnCertificate) bool) (model.OwnCertificate, bool) {
		found := slices.DeleteFunc(slices.Clone(p.have.Certificates), func(have model.OwnCertificate) bool {
			return have.Type != model.CertificateImported || taken[have.ARN] || !fits(have)
		})
		if len(found) == 0 {
			return model.OwnCertificate{}, false
		}
		return slices.MinFunc(found, p.nearer(want)), true
	}
	var rest []model.OwnCertificate
	for _, want := range p.want.Certificates {
		if want.Type != model.CertificateImported {
			continue
		}
		have, ok := free(want, func(have model.OwnCertificate) bool { return have.Digest == want.Digest })
		if !ok {
			rest = append(rest, want)
			continue
		}
		take(want, have)
	}
	for _, want := range rest {
		have, ok := free(want, func(have model.OwnCertificate) bool {
			return serves(want, have) && (have.ID == want.ID || p.attached(have.ARN)) && !p.wanted(have.Digest)
		})
		if ok && (p.opts.Sharing.renewable(have.ARN, want.Digest) || !p.opts.Sharing.parted(want.ID)) {
			take(want, have)
		}
	}
}

// nearer orders certificates that could serve: those that the listeners have first, then the one of the same Secret, then those of the same
// names.
func (p *planner) nearer(want model.OwnCertificate) func(a, b model.OwnCertificate) int {
	names := slices.Sorted(slices.Values(want.Domains))
	rank := func(have model.OwnCertificate) int {
		out := 0
		if !p.attached(have.ARN) {
			out += 4
		}
		if have.ID != want.ID {
			out += 2
		}
		if !slices.Equal(names, slices.Sorted(slices.Values(have.Domains))) {
			out++
		}
		return out
	}
	return func(a, b model.OwnCertificate) int { return cmp.Or(rank(a)-rank(b), cmp.Compare(a.ARN, b.ARN)) }
}

// attached tells whether a listener of the stack has a certificate.
func (p *planner) attached(arn model.ARN) bool {
	return slices.ContainsFunc(p.have.Listeners, func(l model.Listener) bool { return slices.Contains(l.Certificates, arn) })
}

// wanted tells whether the stack asks for content that it has.
func (p *planner) wanted(digest string) bool {
	return slices.ContainsFunc(p.want.Certificates, func(c model.OwnCertificate) bool { return c.Digest == digest })
}
