package inventory

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

const (
	certificateLife = time.Minute
	// certificateNamesLife: the names of a certificate change only by importing it again.
	certificateNamesLife = 10 * time.Hour
)

// issued are the issued certificates as they are listed, not read before since.
func (i *Inventory) issued(ctx context.Context, since time.Time) ([]acm.Listed, error) {
	all, err := i.allCertificates(ctx, since)
	return slices.DeleteFunc(slices.Clone(all), func(c acm.Listed) bool { return c.Status != acm.Issued }), err
}

// certificateFacts are the issued certificates. Only those with more names than the list shows are read one by one.
func (i *Inventory) certificateFacts(ctx context.Context, need model.Needs, out *model.Facts) error {
	listed, err := i.issued(ctx, i.fresh(need, certificateLife))
	if err != nil {
		return err
	}
	out.Certificates = make([]model.Certificate, 0, len(listed))
	for _, c := range listed {
		if c.Partial {
			if c.Domains, err = i.certificateNames(ctx, c.ARN, c.Domains); err != nil {
				return err
			}
		}
		usable, err := i.discoverable(ctx, c, need.CertificateHosts)
		if err != nil {
			return err
		}
		if usable {
			out.Certificates = append(out.Certificates, c.Certificate)
		}
	}
	return nil
}

// Discovery says which certificates are found by host name.
type Discovery struct {
	// Authorities are those whose certificates count; with none all certificates do.
	Authorities []model.ARN
	// Managed says that requested certificates may be ours, too; imported ones always may.
	Managed bool
}

// discoverable tells whether a certificate is one to be found by its host names: issued by an authority that is allowed, and not one of
// ours, which its stack takes away with itself. Only of those that match is more read than the list shows.
func (i *Inventory) discoverable(ctx context.Context, c acm.Listed, hosts []string) (bool, error) {
	if !slices.ContainsFunc(hosts, func(h string) bool {
		return slices.ContainsFunc(c.Domains, func(d string) bool { return model.CoversHost(d, h) })
	}) {
		return len(i.discovery.Authorities) == 0, nil
	}
	if allowed, err := i.allowed(ctx, c); err != nil || !allowed {
		return false, err
	}
	if c.Type != model.CertificateImported && !i.discovery.Managed || i.owned.closed(i.since(networkLife)) {
		return true, nil
	}
	tags, err := i.certificateTags(ctx, c.ARN)
	switch fault.Of(err) {
	case "":
		return tags[model.TagCluster] == "", nil
	case fault.Denied: // the incumbent's policy has no right to: then there are none of ours either
		i.owned.close(i.now())
		return true, nil
	case fault.NotFound:
		return false, nil
	default:
		return false, err
	}
}

// allowed tells whether the authority of a certificate counts.
func (i *Inventory) allowed(ctx context.Context, c acm.Listed) (bool, error) {
	if len(i.discovery.Authorities) == 0 || c.Type != model.CertificatePrivate {
		return len(i.discovery.Authorities) == 0, nil
	}
	detail, err := i.owned.details.of(c.ARN).get(ctx, i.since(certificateNamesLife), i.now(), func(ctx context.Context) (model.OwnCertificate, error) {
		return i.acm.Own(ctx, c.ARN, i.now())
	})
	if fault.Of(err) == fault.NotFound {
		return false, nil
	}
	return slices.Contains(i.discovery.Authorities, detail.Authority), err
}

// certificateNames are all names; of a certificate that is gone since it was listed, those that the list had.
func (i *Inventory) certificateNames(ctx context.Context, arn model.ARN, listed []string) ([]string, error) {
	all, err := i.world.names.of(arn).get(ctx, i.since(certificateNamesLife), i.now(), func(ctx context.Context) ([]string, error) {
		return i.acm.Names(ctx, arn)
	})
	if fault.Of(err) == fault.NotFound {
		return listed, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading names of a certificate: %w", err)
	}
	return all, nil
}

// lostCertificates are those that are asked for by ARN and that no listener would take. One list clears most of them at once; only what
// it does not have is read by itself. Where certificates may not be read, all are taken for good: AWS tells when a listener gets them.
func (i *Inventory) lostCertificates(ctx context.Context, need model.Needs, out *model.Facts) error {
	listed, err := i.issued(ctx, i.since(certificateNamesLife))
	if fault.Of(err) == fault.Denied {
		return nil
	}
	if err != nil {
		return err
	}
	for _, arn := range need.CertificateARNs {
		if !strings.Contains(string(arn), ":acm:") || slices.ContainsFunc(listed, func(c acm.Listed) bool { return c.ARN == arn }) {
			continue
		}
		state, err := i.world.states.of(arn).get(ctx, i.since(patience), i.now(), func(ctx context.Context) (string, error) {
			return i.acm.State(ctx, arn)
		})
		switch {
		case fault.Of(err) == fault.Denied:
		case err != nil:
			return fmt.Errorf("reading the state of a certificate: %w", err)
		case state != acm.Issued:
			if out.LostCertificates == nil {
				out.LostCertificates = map[model.ARN]string{}
			}
			out.LostCertificates[arn] = state
		}
	}
	return nil
}
