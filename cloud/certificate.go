package cloud

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/cloud/inventory"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/fault"
	"github.com/headgate/headgate/model/material"
	"github.com/headgate/headgate/model/plan"
)

// The keys of a Secret of the type kubernetes.io/tls.
const (
	secretCertificate = "tls.crt"
	secretKey         = "tls.key"
)

var (
	errChanged = errors.New("its content changed since the plan was made")
	errNoZone  = errors.New("no zone is for it")
	errInUse   = errors.New("somebody else has it")
)

// makeCertificate requests or imports a certificate, or imports one anew where it is.
func (r *run) makeCertificate(ctx context.Context, ch plan.Change) error {
	want := *ch.Certificate
	want.Tags = r.certificateTags(want)
	if ch.ARN != "" {
		return r.renew(ctx, ch, want)
	}
	var arn model.ARN
	var err error
	var before map[model.ARN]bool
	if ch.Op == plan.ImportCertificate {
		want.Status = acm.Issued
		var m acm.Material
		if m, err = r.material(ctx, want); err != nil {
			return err
		}
		before = r.inventory.SameContent(want)
		arn, err = r.acm.Import(ctx, m, want.Tags)
	} else {
		want.Status = "PENDING_VALIDATION"
		arn, err = r.acm.Request(ctx, want)
	}
	if err != nil {
		r.inventory.ForgetAll(model.KindCertificate)
	}
	if err != nil && doubtful(err) {
		arn, err = r.findCertificate(ctx, want, before, err)
	}
	if err != nil {
		return atQuota(want, err)
	}
	want.ARN = arn
	r.inventory.PutOwnCertificate(want)
	r.made(ch.Key, arn)
	return nil
}

// certificateTags are the tags that a certificate is made with: nothing is ever made without those of ownership.
func (r *run) certificateTags(want model.OwnCertificate) map[string]string {
	if want.Type != model.CertificateImported {
		return r.owned(want.Tags, want.ID)
	}
	out := model.ImportedTags(r.owner.Cluster, want.ID)
	for k, v := range want.Tags {
		if !model.IsOwnershipTag(k) {
			out[k] = v
		}
	}
	return out
}

// renew imports into a certificate that exists, once nothing has it but what asks for the new content. Asked twice, AWS does the same again.
func (r *run) renew(ctx context.Context, ch plan.Change, want model.OwnCertificate) error {
	m, err := r.material(ctx, want)
	if err != nil {
		return err
	}
	if err := r.agreed(ctx, ch); err != nil {
		return err
	}
	if err := r.acm.Renew(ctx, ch.ARN, m); err != nil {
		return atQuota(want, doing("Secret "+want.Secret.String(), err))
	}
	want.ARN, want.Status = ch.ARN, acm.Issued
	if tags, ok := r.inventory.CertificateTags(ch.ARN); ok {
		want.Tags = tags // renewing leaves them as they are
	}
	r.inventory.PutOwnCertificate(want)
	r.made(ch.Key, ch.ARN)
	return nil
}

// agreed tells whether the load balancers of this cluster that have a certificate are those of the stack and of the users that the plan
// knows: one may be there of a stack that nobody remembers.
func (r *run) agreed(ctx context.Context, ch plan.Change) error {
	users, err := r.acm.Users(ctx, ch.ARN)
	if err != nil {
		return doing("looking for who has it", err)
	}
	all, err := r.inventory.Balancers(ctx)
	if err != nil {
		return doing("looking for who has it", err)
	}
	for _, user := range users {
		tags := all[user].Tags
		known := slices.ContainsFunc(append([]model.Owner{r.owner}, ch.Users...), func(o model.Owner) bool {
			_, owns := o.Owns(tags)
			return owns
		})
		if tags[model.TagCluster] == r.cluster && !known {
			return &waiting{what: plan.StateAgreed, cause: fmt.Errorf("%w: %s", errInUse, user)}
		}
	}
	return nil
}

// leftToOthers tells whether a certificate that AWS does not delete is in use, and not by this stack: it is for whoever has it to delete.
// ACM goes on for minutes to name a load balancer that is gone, which deletes nothing any more.
func (r *run) leftToOthers(ctx context.Context, arn model.ARN) bool {
	users, err := r.acm.Users(ctx, arn)
	if err != nil {
		return false
	}
	all, err := r.inventory.Balancers(ctx)
	if err != nil {
		return false
	}
	others := false
	for _, user := range users {
		if _, mine := r.owner.Owns(all[user].Tags); mine {
			return false
		}
		_, known := all[user]
		others = others || known || !r.vanished(ctx, arn, user)
	}
	return others
}

// vanished tells whether a user of a certificate is a load balancer of the account that there is no more.
func (r *run) vanished(ctx context.Context, certificate, user model.ARN) bool {
	if accountOf(user) != accountOf(certificate) || !strings.Contains(string(user), ":loadbalancer/") {
		return false
	}
	_, err := r.elb.LoadBalancer(ctx, user)
	return fault.Of(err) == fault.NotFound
}

// accountOf is the account that an ARN names.
func accountOf(arn model.ARN) string {
	const account = 4
	parts := strings.SplitN(string(arn), ":", account+2)
	if len(parts) <= account {
		return ""
	}
	return parts[account]
}

// atQuota says what to do where ACM takes no more certificates.
func atQuota(want model.OwnCertificate, err error) error {
	switch {
	case fault.Of(err) != fault.Quota:
		return err
	case want.Type == model.CertificateImported:
		return doing("Secret "+want.Secret.String()+": ACM imports no more; delete certificates that nobody uses, name one that ACM has, "+
			"or have the account's quota of imported certificates raised", err)
	default:
		return doing("certificate for "+want.Domains[0]+": ACM makes no more of it; ask for fewer names in one certificate, delete certificates "+
			"that nobody uses, or have the account's quotas of ACM raised", err)
	}
}

// material is what is imported: read now, and just what the plan was made for.
func (r *run) material(ctx context.Context, want model.OwnCertificate) (acm.Material, error) {
	data, err := r.secret(ctx, want.Secret)
	if err != nil {
		return acm.Material{}, err
	}
	read, err := material.Read(data[secretCertificate], data[secretKey], r.now())
	if err == nil && read.Digest != want.Digest {
		err = errChanged
	}
	if err != nil {
		return acm.Material{}, &fault.Error{Class: fault.Conflict, Action: "reading Secret " + want.Secret.String(), Err: err}
	}
	return acm.Material{Leaf: read.Leaf, Chain: read.Chain, Key: data[secretKey]}, nil
}

// findCertificate finds what an import or a request made that failed with cause: one that nobody knew before.
func (r *run) findCertificate(ctx context.Context, want model.OwnCertificate, before map[model.ARN]bool, cause error) (model.ARN, error) {
	all, err := r.inventory.OwnCertificates(ctx, r.owner, &inventory.Look{Hosts: map[string]bool{want.Domains[0]: true}})
	if err != nil {
		return "", unfound(cause, err)
	}
	for _, got := range all {
		same := got.Type == want.Type && got.Digest == want.Digest && got.Authority == want.Authority && !got.Spent &&
			(want.Digest != "" || slices.Equal(want.Domains, got.Domains) && r.ours(got.Tags, want.ID))
		if same && !before[got.ARN] {
			return got.ARN, nil
		}
	}
	return "", cause
}

// defaultCertificate is what AWS takes of a listener's certificates in its own calls. The others are added one by one, and may still be on
// their way.
func (r *run) defaultCertificate(refs []model.ARN) ([]model.ARN, error) {
	return r.certificateARNs(refs[:min(len(refs), 1)])
}

// certificateARNs are certificates by ARN.
func (r *run) certificateARNs(refs []model.ARN) ([]model.ARN, error) {
	out := slices.Clone(refs)
	for n, ref := range out {
		key, ours := model.OwnCertificateKey(ref)
		if !ours {
			continue
		}
		arn, ok := r.arn(key)
		if !ok {
			return nil, unresolved(key)
		}
		out[n] = arn
	}
	return out, nil
}

// publish writes the records that prove a certificate's names, in the zones that hold them. A name without a zone of this account waits
// for somebody who writes its record.
func (r *run) publish(ctx context.Context, ch plan.Change) error {
	byZone := map[string][]model.DNSRecord{}
	var homeless []model.DNSRecord
	names := make([]string, 0, len(ch.Certificate.Proofs))
	for _, record := range ch.Certificate.Proofs {
		names = append(names, record.Name)
	}
	zones, err := r.inventory.Zones(ctx, names)
	if err != nil {
		return doing("finding the zones of "+ch.Key.ID, err)
	}
	for _, record := range ch.Certificate.Proofs {
		if zone := zones.Of(record.Name); zone != "" {
			byZone[zone] = append(byZone[zone], record)
		} else {
			homeless = append(homeless, record)
		}
	}
	for _, zone := range slices.Sorted(maps.Keys(byZone)) {
		if err := r.dns.Upsert(ctx, zone, byZone[zone]); err != nil {
			return doing("zone "+zone, err)
		}
		r.inventory.Published(byZone[zone])
	}
	if len(homeless) > 0 {
		return &waiting{what: "a DNS record that no public hosted zone of this account can have: write " + recordsText(homeless), cause: errNoZone}
	}
	return nil
}

// unissued says what a certificate waits for: of one that is to be proven, the records that ACM has not seen yet.
func (r *run) unissued(key model.Key, c model.OwnCertificate) string {
	out := "certificate " + key.ID + " to be issued"
	if c.Status != "" && c.Status != "PENDING_VALIDATION" {
		out += "; ACM says " + c.Status
	}
	if c.Failure != "" {
		out += " for " + c.Failure
	}
	if len(c.Proofs) > 0 {
		out += "; ACM has not seen these DNS records yet: " + recordsText(c.Proofs)
	}
	return out
}

func recordsText(records []model.DNSRecord) string {
	parts := make([]string, 0, len(records))
	for _, r := range records {
		parts = append(parts, r.Name+" CNAME "+r.Value)
	}
	return strings.Join(parts, ", ")
}
