package inventory

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/cloud/route53"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// owned are the certificates of the account as far as they may be ours. Their tags take a call each, so they are read only for stacks that
// have certificates, and once: nobody else gives or takes our tags.
type owned struct {
	tags    shelf[model.ARN, map[string]string]
	details shelf[model.ARN, model.OwnCertificate]

	mu sync.Mutex
	// published are the proofs that were written.
	published map[model.DNSRecord]bool
	// denied is when we were refused to read tags last.
	denied time.Time
	// shown are those that an owner was shown last.
	shown map[model.Owner]map[model.ARN]bool
}

// close notes that tags may not be read.
func (o *owned) close(now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.denied = now
}

// closed tells whether reading tags was refused since.
func (o *owned) closed(since time.Time) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return !o.denied.IsZero() && o.denied.After(since)
}

// Look is where to look for the certificates of an owner, besides those with its tags: the imported ones of the cluster that somebody named,
// and those that nothing has.
type Look struct {
	// ARNs of certificates.
	ARNs map[model.ARN]bool
	// Hosts are names of certificates.
	Hosts map[string]bool
}

// lookFor reads the keys of certificates of an observation: an ID is an ARN or a host name.
func lookFor(keys []model.Key) *Look {
	out := &Look{ARNs: map[model.ARN]bool{}, Hosts: map[string]bool{}}
	for _, k := range keys {
		if strings.HasPrefix(k.ID, "arn:") {
			out.ARNs[model.ARN(k.ID)] = true
		} else if k.ID != "" {
			out.Hosts[k.ID] = true
		}
	}
	return out
}

// covers tells whether it is looked at a certificate that the cluster imported.
func (l *Look) covers(c acm.Listed) bool {
	return c.Partial || !c.InUse || l.ARNs[c.ARN] || slices.ContainsFunc(c.Domains, func(d string) bool { return l.Hosts[d] })
}

// OwnCertificates are the certificates of an owner, and those that the cluster imported as far as look covers them, as they are now. One
// that is not issued yet is looked at each time.
func (i *Inventory) OwnCertificates(ctx context.Context, owner model.Owner, look *Look) ([]model.OwnCertificate, error) {
	listed, err := i.allCertificates(ctx, i.since(lifetime))
	if err != nil {
		return nil, err
	}
	found := make([]*model.OwnCertificate, len(listed))
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for n, l := range listed {
		group.Go(func() (err error) {
			found[n], err = i.ownCertificate(reading, owner, l, look)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, fmt.Errorf("observing certificates: %w", err)
	}
	var out []model.OwnCertificate
	shown := map[model.ARN]bool{}
	for _, c := range found {
		if c != nil {
			out = append(out, *c)
			shown[c.ARN] = true
		}
	}
	i.owned.mu.Lock()
	defer i.owned.mu.Unlock()
	if i.owned.shown == nil {
		i.owned.shown = map[model.Owner]map[model.ARN]bool{}
	}
	i.owned.shown[owner] = shown
	return out, nil
}

// ownCertificate is a certificate if it is for the owner to see, nil where it is not or is gone since it was listed.
func (i *Inventory) ownCertificate(ctx context.Context, owner model.Owner, listed acm.Listed, look *Look) (*model.OwnCertificate, error) {
	tags, err := i.certificateTags(ctx, listed.ARN)
	if fault.Of(err) == fault.NotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	id, ours := owner.Owns(tags)
	if !ours && listed.Type == model.CertificateImported && look.covers(listed) {
		id, ours = model.ImportedBy(owner.Cluster, tags)
	}
	if !ours {
		return nil, nil
	}
	detail := i.owned.details.of(listed.ARN)
	if known, ok := detail.peek(); ok && known.Status != acm.Issued {
		detail.drop()
	}
	c, err := detail.get(ctx, i.oldest(), i.now(), func(ctx context.Context) (model.OwnCertificate, error) {
		return i.acm.Own(ctx, listed.ARN, i.now())
	})
	if fault.Of(err) == fault.NotFound {
		i.DropCertificateOf(listed.ARN)
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	c.ID, c.Tags = id, maps.Clone(tags)
	c.Proofs = i.unpublished(c.Proofs)
	return &c, nil
}

// SameContent are the certificates that are known to hold what is imported now.
func (i *Inventory) SameContent(want model.OwnCertificate) map[model.ARN]bool {
	listed, _ := i.world.certificates.peek()
	out := map[model.ARN]bool{}
	for _, l := range listed {
		if c, ok := i.owned.details.of(l.ARN).peek(); ok && c.Digest == want.Digest && c.Type == want.Type {
			out[l.ARN] = true
		}
	}
	return out
}

func (i *Inventory) certificateTags(ctx context.Context, arn model.ARN) (map[string]string, error) {
	return i.owned.tags.of(arn).get(ctx, i.since(certificateNamesLife), i.now(), func(ctx context.Context) (map[string]string, error) {
		return i.acm.Tags(ctx, arn)
	})
}

func (i *Inventory) unpublished(proofs []model.DNSRecord) []model.DNSRecord {
	i.owned.mu.Lock()
	defer i.owned.mu.Unlock()
	return slices.DeleteFunc(slices.Clone(proofs), func(r model.DNSRecord) bool { return i.owned.published[r] })
}

// Published records that proofs were written.
func (i *Inventory) Published(proofs []model.DNSRecord) {
	i.owned.mu.Lock()
	defer i.owned.mu.Unlock()
	if i.owned.published == nil {
		i.owned.published = map[model.DNSRecord]bool{}
	}
	for _, r := range proofs {
		i.owned.published[r] = true
	}
}

// OwnCertificate is a certificate of ours as it was seen last, if it is known.
func (i *Inventory) OwnCertificate(arn model.ARN) (model.OwnCertificate, bool) {
	return i.owned.details.of(arn).peek()
}

// CertificateTags are the tags of a certificate, if they are known.
func (i *Inventory) CertificateTags(arn model.ARN) (map[string]string, bool) {
	return i.owned.tags.of(arn).peek()
}

// zonesLife is how long hosted zones are kept, and zonesAgain when they are listed again for a name that none of them is for.
const (
	zonesLife  = 5 * time.Minute
	zonesAgain = 3 * time.Second
)

// Zones are the public hosted zones of the account, listed again where one of the names has none.
func (i *Inventory) Zones(ctx context.Context, names []string) (route53.Zones, error) {
	zones, err := i.world.zones.get(ctx, i.since(zonesLife), i.now(), i.dns.Zones)
	if err != nil || !slices.ContainsFunc(names, func(name string) bool { return zones.Of(name) == "" }) {
		return zones, err
	}
	return i.world.zones.get(ctx, i.since(zonesAgain), i.now(), i.dns.Zones)
}

// PutOwnCertificate records a certificate of ours that was made or imported anew.
func (i *Inventory) PutOwnCertificate(c model.OwnCertificate) {
	i.owned.tags.of(c.ARN).put(maps.Clone(c.Tags), i.now())
	i.owned.details.of(c.ARN).put(c, i.now())
	i.world.names.drop(func(arn model.ARN) bool { return arn == c.ARN })
	listed := acm.Listed{Certificate: model.Certificate{ARN: c.ARN, Domains: c.Domains}, Type: c.Type, Status: c.Status}
	i.world.certificates.change(func(all []acm.Listed) []acm.Listed {
		all = slices.DeleteFunc(slices.Clone(all), func(l acm.Listed) bool { return l.ARN == c.ARN })
		all = append(all, listed)
		slices.SortFunc(all, func(a, b acm.Listed) int { return cmp.Compare(a.ARN, b.ARN) })
		return all
	})
}

// DropCertificateOf records that a certificate is gone.
func (i *Inventory) DropCertificateOf(arn model.ARN) {
	is := func(a model.ARN) bool { return a == arn }
	i.owned.tags.drop(is)
	i.owned.details.drop(is)
	i.world.names.drop(is)
	i.world.certificates.change(func(all []acm.Listed) []acm.Listed {
		return slices.DeleteFunc(slices.Clone(all), func(l acm.Listed) bool { return l.ARN == arn })
	})
}

// forgetCertificates has the certificates read again that an owner was shown, where it was shown any.
func (i *Inventory) forgetCertificates(owner model.Owner) {
	i.owned.mu.Lock()
	shown := i.owned.shown[owner]
	delete(i.owned.shown, owner)
	i.owned.mu.Unlock()
	if len(shown) == 0 {
		return
	}
	i.world.certificates.expire()
	is := func(arn model.ARN) bool { return shown[arn] }
	i.owned.tags.drop(is)
	i.owned.details.drop(is)
}

// changeCertificateTags records a change of tags.
func (i *Inventory) changeCertificateTags(arn model.ARN, change func(map[string]string) map[string]string) {
	i.owned.tags.of(arn).change(change)
}

// allCertificates are the certificates of the account as they are listed, not read before since.
func (i *Inventory) allCertificates(ctx context.Context, since time.Time) ([]acm.Listed, error) {
	found, err := i.world.certificates.get(ctx, since, i.now(), i.acm.All)
	if err != nil {
		return nil, fmt.Errorf("reading certificates: %w", err)
	}
	return found, nil
}
