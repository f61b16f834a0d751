package inventory

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
)

// Owners are the owners of the stacks that the cluster has in AWS, by their tags: of load balancers, target groups, security groups,
// certificates and trust stores. The tags of certificates take a call each.
func (i *Inventory) Owners(ctx context.Context) ([]model.Owner, error) {
	if _, err := i.Balancers(ctx); err != nil {
		return nil, err
	}
	if _, err := i.TargetGroups(ctx); err != nil {
		return nil, err
	}
	if _, err := i.groupsSince(ctx, i.oldest()); err != nil {
		return nil, err
	}
	if _, err := i.trustStores(ctx); err != nil {
		return nil, err
	}
	if err := i.tagCertificates(ctx, func(acm.Listed) bool { return true }); err != nil {
		return nil, err
	}
	seen := map[model.Owner]bool{}
	var out []model.Owner
	for _, b := range i.Belongings() {
		if !seen[b.Owner] {
			seen[b.Owner] = true
			out = append(out, b.Owner)
		}
	}
	slices.SortFunc(out, func(a, b model.Owner) int { return cmp.Compare(a.String(), b.String()) })
	return out, nil
}

// tagCertificates reads the tags of certificates of the account, where they are not known.
func (i *Inventory) tagCertificates(ctx context.Context, which func(acm.Listed) bool) error {
	listed, err := i.allCertificates(ctx, i.since(lifetime))
	if err != nil {
		return err
	}
	group, reading := errgroup.WithContext(ctx)
	group.SetLimit(readers)
	for _, l := range listed {
		if !which(l) {
			continue
		}
		group.Go(func() error {
			if _, err := i.certificateTags(reading, l.ARN); fault.Of(err) != fault.NotFound {
				return err
			}
			return nil // it went meanwhile
		})
	}
	if err := group.Wait(); err != nil {
		return fmt.Errorf("reading whose certificates are: %w", err)
	}
	return nil
}

// Belongings are the resources of the cluster's stacks as far as they are known: it calls nothing. Of certificates they are those whose tags
// were read for something else.
func (i *Inventory) Belongings() []model.Belonging {
	var out []model.Belonging
	note := func(kind model.Kind, arn model.ARN, tags map[string]string) {
		if owner, ok := i.ownerOf(tags); ok {
			out = append(out, model.Belonging{Kind: kind, ARN: arn, Owner: owner})
		}
	}
	balancers, _ := i.balancers.peek()
	for arn, lb := range balancers {
		note(model.KindLoadBalancer, arn, lb.Tags)
	}
	groups, _ := i.groups.peek()
	for arn, g := range groups {
		note(model.KindTargetGroup, arn, g.Tags)
	}
	security, _ := i.security.peek()
	for arn, g := range security {
		note(model.KindSecurityGroup, arn, g.Tags)
	}
	stores, _ := i.stores.all.peek()
	for arn, t := range stores {
		note(model.KindTrustStore, arn, t.Tags)
	}
	certificates, _ := i.world.certificates.peek()
	for _, l := range certificates {
		if tags, ok := i.CertificateTags(l.ARN); ok {
			note(model.KindCertificate, l.ARN, tags)
		}
	}
	slices.SortFunc(out, func(a, b model.Belonging) int { return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.ARN, b.ARN)) })
	return out
}

// Unused are the certificates that the cluster imported from Secrets for all of its stacks, and that nothing has.
func (i *Inventory) Unused(ctx context.Context) ([]model.OwnCertificate, error) {
	spare := func(l acm.Listed) bool { return l.Type == model.CertificateImported && !l.InUse }
	if err := i.tagCertificates(ctx, spare); err != nil {
		return nil, err
	}
	listed, err := i.allCertificates(ctx, i.since(lifetime))
	if err != nil {
		return nil, err
	}
	var out []model.OwnCertificate
	for _, l := range listed {
		tags, known := i.CertificateTags(l.ARN)
		if !known || !spare(l) {
			continue
		}
		id, ours := model.ImportedBy(i.cluster, tags)
		if _, owned := i.ownerOf(tags); !ours || owned {
			continue
		}
		out = append(out, model.OwnCertificate{ID: id, ARN: l.ARN, Type: l.Type, Domains: l.Domains, Tags: tags, Status: l.Status})
	}
	return out, nil
}

// ownerOf is the owner that tags name, of this cluster and of a front door that is served.
func (i *Inventory) ownerOf(tags map[string]string) (model.Owner, bool) {
	for _, prefix := range []string{model.PrefixIngress, model.PrefixGatewayALB} {
		owner := model.Owner{Cluster: i.cluster, Prefix: prefix}
		owner.Stack = tags[owner.StackTag()]
		if _, ours := owner.Owns(tags); ours && owner.Stack != "" {
			return owner, true
		}
	}
	return model.Owner{}, false
}
