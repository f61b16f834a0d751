package elb

import (
	"math"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/dataplane"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) trustStoreOperations() []wire.Operation {
	return []wire.Operation{
		wire.Writes("CreateTrustStore", s.createTrustStore),
		wire.Writes("ModifyTrustStore", s.modifyTrustStore),
		wire.Writes("DeleteTrustStore", s.deleteTrustStore),
		wire.Reads("DescribeTrustStores", s.describeTrustStores),
		wire.Reads("DescribeTrustStoreAssociations", s.describeTrustStoreAssociations),
		wire.Reads("GetTrustStoreCaCertificatesBundle", s.getBundle),
	}
}

// trustStoreCreation is how long a new trust store cannot be used (believed).
const trustStoreCreation = 5 * time.Second

// trustStore is a trust store with what was read from S3 when it was made: later changes of the objects do not matter.
type trustStore struct {
	elbtypes.TrustStore
	ready       time.Time
	bundle      object
	revocations []*revocation
	// last is the last revocation identifier that was given out.
	last int64
	// policy is the resource policy of a store that is shared; associated are the resources of other accounts that use it.
	policy     string
	associated []string
	// trust is bundle and revocations as the data plane takes them. A change replaces it.
	trust *dataplane.TrustStore
}

// object is an object of S3 as it was when it was read.
type object struct {
	bucket, key, version string
	body                 []byte
}

// fetch reads an object. It reports false if the object is not there.
func (s *State) fetch(bucket, key, version *string) (object, bool) {
	o := object{bucket: aws.ToString(bucket), key: aws.ToString(key), version: aws.ToString(version)}
	if s.options.Bundles == nil {
		return o, false
	}
	body, err := s.options.Bundles.Object(o.bucket, o.key, o.version)
	o.body = body
	return o, err == nil
}

// readBundle fetches and checks a bundle of authorities.
func (s *State) readBundle(bucket, key, version *string) (object, *dataplane.TrustStore, error) {
	if aws.ToString(bucket) == "" || aws.ToString(key) == "" {
		return object{}, nil, invalid("A bucket and a key of the CA certificates bundle must be specified")
	}
	o, ok := s.fetch(bucket, key, version)
	if !ok {
		return o, nil, wire.Errorf("CaCertificatesBundleNotFound", "The CA certificates bundle '%s' in bucket '%s' was not found", o.key, o.bucket)
	}
	all, err := readAuthorities(o.body, s.options.Quotas.CertificatesPerTrustStore)
	return o, &dataplane.TrustStore{Authorities: all}, err
}

func (s *State) createTrustStore(in *sdk.CreateTrustStoreInput) (*sdk.CreateTrustStoreOutput, error) {
	name := aws.ToString(in.Name)
	if err := checkName("trust store", name); err != nil {
		return nil, err
	}
	if strings.Contains(name, "--") {
		return nil, invalid("Trust store name '%s' cannot contain consecutive hyphens", name)
	}
	tags, err := readTags(in.Tags)
	if err != nil {
		return nil, err
	}
	if s.index.stores[name] != nil {
		return nil, wire.Errorf("DuplicateTrustStoreName", "A trust store with the name '%s' already exists", name)
	}
	if s.stores.Len() >= s.options.Quotas.TrustStores {
		return nil, wire.Errorf("TooManyTrustStores", "You've reached the limit on the number of trust stores")
	}
	bundle, trust, err := s.readBundle(in.CaCertificatesBundleS3Bucket, in.CaCertificatesBundleS3Key, in.CaCertificatesBundleS3ObjectVersion)
	if err != nil {
		return nil, err
	}
	t := &trustStore{ready: s.now().Add(s.account.Scale(s.options.TrustStore)), bundle: bundle, trust: trust, TrustStore: elbtypes.TrustStore{
		Name: in.Name, TrustStoreArn: aws.String(s.account.ARN("elasticloadbalancing", "truststore/"+name+"/"+s.account.Hex(16))),
	}}
	s.stores.Put(*t.TrustStoreArn, t)
	s.index.stores[name] = t
	s.setTags(*t.TrustStoreArn, tags)
	return &sdk.CreateTrustStoreOutput{TrustStores: []elbtypes.TrustStore{s.showTrustStore(t)}}, nil
}

// showTrustStore gives a trust store as it is now.
func (s *State) showTrustStore(t *trustStore) elbtypes.TrustStore {
	out := t.TrustStore
	out.Status = elbtypes.TrustStoreStatusActive
	if s.now().Before(t.ready) {
		out.Status = elbtypes.TrustStoreStatusCreating
	}
	out.NumberOfCaCertificates = aws.Int32(int32(min(len(t.trust.Authorities), math.MaxInt32)))
	out.TotalRevokedEntries = aws.Int64(t.entries())
	return out
}

func noTrustStore(name string) error {
	return wire.Errorf("TrustStoreNotFound", "Trust store '%s' not found", name)
}

// trustStore finds a trust store by ARN.
func (s *State) trustStore(arn *string) (*trustStore, error) {
	if aws.ToString(arn) == "" {
		return nil, invalid("A trust store ARN must be specified")
	}
	if !strings.Contains(*arn, ":truststore/") {
		return nil, invalid("'%s' is not a valid trust store ARN", *arn)
	}
	t, ok := s.stores.Get(*arn)
	if !ok {
		return nil, noTrustStore(*arn)
	}
	return t, nil
}

// modifyTrustStore replaces the bundle. The revocations stay.
func (s *State) modifyTrustStore(in *sdk.ModifyTrustStoreInput) (*sdk.ModifyTrustStoreOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	bundle, trust, err := s.readBundle(in.CaCertificatesBundleS3Bucket, in.CaCertificatesBundleS3Key, in.CaCertificatesBundleS3ObjectVersion)
	if err != nil {
		return nil, err
	}
	trust.Revocations = t.trust.Revocations
	t.bundle, t.trust = bundle, trust
	return &sdk.ModifyTrustStoreOutput{TrustStores: []elbtypes.TrustStore{s.showTrustStore(t)}}, nil
}

func (s *State) deleteTrustStore(in *sdk.DeleteTrustStoreInput) (*sdk.DeleteTrustStoreOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	arn := *t.TrustStoreArn
	if len(s.index.trusting[arn])+len(t.associated) > 0 {
		return nil, wire.Errorf("TrustStoreInUse", "Trust store '%s' is currently in use by a listener", arn)
	}
	s.stores.Delete(arn)
	delete(s.index.stores, *t.Name)
	delete(s.tags, arn)
	return &sdk.DeleteTrustStoreOutput{}, nil
}

func (s *State) describeTrustStores(in *sdk.DescribeTrustStoresInput) (*sdk.DescribeTrustStoresOutput, error) {
	if in.TrustStoreArns != nil && in.Names != nil {
		return nil, invalid("Trust store names and trust store ARNs cannot be specified at the same time")
	}
	all, err := named(in.TrustStoreArns, s.trustStore)
	if err != nil {
		return nil, err
	}
	for _, name := range in.Names {
		t, ok := s.index.stores[name]
		if !ok {
			return nil, noTrustStore(name)
		}
		all = append(all, t)
	}
	if in.TrustStoreArns == nil && in.Names == nil {
		all = s.stores.Values()
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeTrustStoresOutput{TrustStores: view(some, s.showTrustStore), NextMarker: next}, nil
}

// describeTrustStoreAssociations lists the load balancers that verify clients against a trust store.
func (s *State) describeTrustStoreAssociations(in *sdk.DescribeTrustStoreAssociationsInput) (*sdk.DescribeTrustStoreAssociationsOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	all := append(balancersOf(s.index.trusting[*t.TrustStoreArn]), t.associated...)
	some, next, err := cut(all, in.Marker, in.PageSize)
	if err != nil {
		return nil, err
	}
	return &sdk.DescribeTrustStoreAssociationsOutput{NextMarker: next, TrustStoreAssociations: view(some, func(arn string) elbtypes.TrustStoreAssociation {
		return elbtypes.TrustStoreAssociation{ResourceArn: aws.String(arn)}
	})}, nil
}

func (s *State) getBundle(in *sdk.GetTrustStoreCaCertificatesBundleInput) (*sdk.GetTrustStoreCaCertificatesBundleOutput, error) {
	t, err := s.trustStore(in.TrustStoreArn)
	if err != nil {
		return nil, err
	}
	return &sdk.GetTrustStoreCaCertificatesBundleOutput{Location: aws.String(s.location(t.bundle))}, nil
}
