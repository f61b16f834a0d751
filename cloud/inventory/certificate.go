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

// issued are the issued certificates as they are listed, no older than life.
func (i *Inventory) issued(ctx context.Context, life time.Duration) ([]acm.Listed, error) {
	all, err := i.allCertificates(ctx, life)
	return slices.DeleteFunc(slices.Clone(all), func(c acm.Listed) bool { return c.Status != acm.Issued }), err
}

// certificateFacts are the issued certificates. Only those with more names than the list shows are read one by one.
func (i *Inventory) certificateFacts(ctx context.Context, _ model.Needs, out *model.Facts) error {
	listed, err := i.issued(ctx, certificateLife)
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
		out.Certificates = append(out.Certificates, c.Certificate)
	}
	return nil
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
	listed, err := i.issued(ctx, certificateNamesLife)
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
