package elb

import (
	"crypto/x509"
	"net/url"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) revocationOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("AddTrustStoreRevocations", s.addRevocations),
		wire.Writes("RemoveTrustStoreRevocations", s.removeRevocations),
		wire.Reads("DescribeTrustStoreRevocations", s.describeRevocations),
		wire.Reads("GetTrustStoreRevocationContent", s.getRevocation),
	}
}

// revocation is a revocation file of a trust store.
type revocation struct {
	id      int64
	kind    elbtypes.RevocationType
	entries int64
	content object
	list    *x509.RevocationList
}

func (t *trustStore) entries() int64 {
	total := int64(0)
	for _, r := range t.revocations {
		total += r.entries
	}
	return total
}

// setRevocations replaces the revocations, for the data plane too.
func (t *trustStore) setRevocations(all []*revocation) {
	t.revocations = all
	t.trust = &dataplane.TrustStore{Authorities: t.trust.Authorities, Revocations: view(all, func(r *revocation) *x509.RevocationList { return r.list })}
}

func (t *trustStore) revocation(id int64) (*revocation, error) {
	for _, r := range t.revocations {
		if r.id == id {
			return r, nil
		}
	}
	return nil, wire.Errorf("RevocationIdNotFound", "Revocation ID '%d' not found", id)
}

// addRevocations adds files: all or none.
func (s *State) addRevocations(in *sdk.AddTrustStoreRevocationsInput) (*sdk.AddTrustStoreRevocationsOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	if len(in.RevocationContents) == 0 {
		return nil, invalid("At least one revocation content must be specified")
	}
	total, last := t.entries(), t.last
	var fresh []*revocation
	for _, c := range in.RevocationContents {
		r, err := s.readRevocation(c)
		if err != nil {
			return nil, err
		}
		last++
		r.id = last
		total += r.entries
		fresh = append(fresh, r)
	}
	q := s.options.Quotas
	if total > int64(q.EntriesPerTrustStore) || len(t.revocations)+len(fresh) > q.RevocationsPerTrustStore {
		return nil, wire.Errorf("TooManyTrustStoreRevocationEntries", "The specified trust store has too many revocation entries")
	}
	t.last = last
	t.setRevocations(slices.Concat(t.revocations, fresh))
	return &sdk.AddTrustStoreRevocationsOutput{TrustStoreRevocations: view(fresh, func(r *revocation) elbtypes.TrustStoreRevocation {
		return elbtypes.TrustStoreRevocation(r.show(t))
	})}, nil
}

// readRevocation fetches and checks one file.
func (s *State) readRevocation(c elbtypes.RevocationContent) (*revocation, error) {
	if aws.ToString(c.S3Bucket) == "" || aws.ToString(c.S3Key) == "" {
		return nil, invalid("A bucket and a key of the revocation file must be specified")
	}
	o, ok := s.fetch(c.S3Bucket, c.S3Key, c.S3ObjectVersion)
	if !ok {
		return nil, wire.Errorf("RevocationContentNotFound", "The revocation file '%s' in bucket '%s' was not found", o.key, o.bucket)
	}
	list, err := readRevocationList(o.body)
	if err != nil {
		return nil, err
	}
	return &revocation{kind: elbtypes.RevocationTypeCrl, entries: int64(len(list.RevokedCertificateEntries)), content: o, list: list}, nil
}

func (r *revocation) show(t *trustStore) elbtypes.DescribeTrustStoreRevocation {
	return elbtypes.DescribeTrustStoreRevocation{
		TrustStoreArn: t.TrustStoreArn, RevocationId: aws.Int64(r.id), RevocationType: r.kind, NumberOfRevokedEntries: aws.Int64(r.entries),
	}
}

// removeRevocations removes files: all or none.
func (s *State) removeRevocations(in *sdk.RemoveTrustStoreRevocationsInput) (*sdk.RemoveTrustStoreRevocationsOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	if len(in.RevocationIds) == 0 {
		return nil, invalid("At least one revocation ID must be specified")
	}
	for _, id := range in.RevocationIds {
		if _, err := t.revocation(id); err != nil {
			return nil, err
		}
	}
	t.setRevocations(slices.DeleteFunc(slices.Clone(t.revocations), func(r *revocation) bool { return slices.Contains(in.RevocationIds, r.id) }))
	return &sdk.RemoveTrustStoreRevocationsOutput{}, nil
}

func (s *State) describeRevocations(in *sdk.DescribeTrustStoreRevocationsInput) (*sdk.DescribeTrustStoreRevocationsOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	all := t.revocations
	if in.RevocationIds != nil {
		all = nil
		for _, id := range in.RevocationIds {
			r, err := t.revocation(id)
			if err != nil {
				return nil, err
			}
			all = append(all, r)
		}
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeTrustStoreRevocationsOutput{
		NextMarker: next, TrustStoreRevocations: view(some, func(r *revocation) elbtypes.DescribeTrustStoreRevocation { return r.show(t) }),
	}, nil
}

func (s *State) getRevocation(in *sdk.GetTrustStoreRevocationContentInput) (*sdk.GetTrustStoreRevocationContentOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	if in.RevocationId == nil {
		return nil, invalid("A revocation ID must be specified")
	}
	r, err := t.revocation(*in.RevocationId)
	if err != nil {
		return nil, err
	}
	return &sdk.GetTrustStoreRevocationContentOutput{Location: aws.String(s.location(r.content))}, nil
}

// location gives the URL of an object in the form of one that S3 has signed for ten minutes. Its signature is none.
func (s *State) location(o object) string {
	query := url.Values{
		"X-Amz-Algorithm": {"AWS4-HMAC-SHA256"}, "X-Amz-Date": {s.now().UTC().Format("20060102T150405Z")}, "X-Amz-Expires": {"600"},
		"X-Amz-SignedHeaders": {"host"},
	}
	if o.version != "" {
		query.Set("versionId", o.version)
	}
	place := url.URL{Scheme: "https", Host: o.bucket + ".s3." + s.account.Region + ".amazonaws.com", Path: "/" + o.key, RawQuery: query.Encode()}
	return place.String()
}
