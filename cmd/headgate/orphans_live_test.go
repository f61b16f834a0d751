package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	networkingv1 "k8s.io/api/networking/v1"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	headgatev1alpha1 "github.com/headgate/headgate/apis/headgate/v1alpha1"
	"github.com/headgate/headgate/cloud"
	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/controllers/manifests"
	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/sandbox/selfsigned"
)

// leftovers is an account in which certificates and trust stores are left, and no load balancer.
type leftovers struct {
	*testing.T

	sim *sim.Simulator
}

// certificate imports one with tags.
func (l leftovers) certificate(tags map[string]string) string {
	l.Helper()
	made, err := selfsigned.New("shop.example")
	if err != nil {
		l.Fatal(err)
	}
	in := &acm.ImportCertificateInput{Certificate: made.Cert, PrivateKey: made.Key}
	for k, v := range tags {
		in.Tags = append(in.Tags, acmtypes.Tag{Key: &k, Value: &v})
	}
	out, err := acm.NewFromConfig(l.sim.AWSConfig()).ImportCertificate(l.Context(), in)
	if err != nil {
		l.Fatal(err)
	}
	return aws.ToString(out.CertificateArn)
}

// store makes a trust store with tags.
func (l leftovers) store(name string, tags map[string]string) {
	l.Helper()
	config := l.sim.AWSConfig()
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	made, err := selfsigned.New("authority.example")
	if err != nil {
		l.Fatal(err)
	}
	bucket := aws.String("bundles-" + name)
	if _, err = objects.CreateBucket(l.Context(), &s3.CreateBucketInput{Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{
		LocationConstraint: s3types.BucketLocationConstraint(config.Region),
	}}); err != nil {
		l.Fatal(err)
	}
	if _, err = objects.PutObject(l.Context(), &s3.PutObjectInput{Bucket: bucket, Key: aws.String("ca.pem"), Body: bytes.NewReader(made.Cert)}); err != nil {
		l.Fatal(err)
	}
	in := &elasticloadbalancingv2.CreateTrustStoreInput{
		Name: &name, CaCertificatesBundleS3Bucket: bucket, CaCertificatesBundleS3Key: aws.String("ca.pem"),
	}
	for k, v := range tags {
		in.Tags = append(in.Tags, elbtypes.Tag{Key: &k, Value: &v})
	}
	if _, err := elasticloadbalancingv2.NewFromConfig(config).CreateTrustStore(l.Context(), in); err != nil {
		l.Fatal(err)
	}
}

// holds are the ARNs of the certificates and the names of the trust stores.
func (l leftovers) holds() (certificates, stores []string) {
	l.Helper()
	// Without a filter AWS lists those with RSA keys of 2048 bits alone.
	listed, err := acm.NewFromConfig(l.sim.AWSConfig()).ListCertificates(l.Context(), &acm.ListCertificatesInput{
		Includes: &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()},
	})
	if err != nil {
		l.Fatal(err)
	}
	for _, c := range listed.CertificateSummaryList {
		certificates = append(certificates, aws.ToString(c.CertificateArn))
	}
	found, err := elasticloadbalancingv2.NewFromConfig(l.sim.AWSConfig()).DescribeTrustStores(l.Context(), &elasticloadbalancingv2.DescribeTrustStoresInput{})
	if err != nil {
		l.Fatal(err)
	}
	for _, s := range found.TrustStores {
		stores = append(stores, aws.ToString(s.Name))
	}
	return certificates, stores
}

// TestOrphansThatAreOnlyCertificatesOrTrustStores: those of stacks that nobody wants, and imported ones that nothing has and nobody
// remembers; others' stay.
func TestOrphansThatAreOnlyCertificatesOrTrustStores(t *testing.T) {
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	account, err := sim.New(sim.Options{ClusterName: "c", Speed: 1000})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := account.Close(); err != nil {
			t.Error(err)
		}
	})
	l := leftovers{t, account}
	gone, there := ownedBy(model.PrefixIngress, "shop/gone"), ownedBy(model.PrefixIngress, "shop/web")
	foreign := model.Owner{Cluster: "other", Prefix: model.PrefixIngress, Stack: "shop/gone"}
	l.certificate(gone.Tags("IMPORTED/x"))
	l.certificate(model.ImportedTags("c", "imported/shop/old"))
	kept := []string{
		l.certificate(there.Tags("IMPORTED/x")), l.certificate(foreign.Tags("IMPORTED/x")), l.certificate(nil),
		l.certificate(model.ImportedTags("other", "imported/shop/old")), l.certificate(model.ImportedTags("c", "imported/shop/new")),
	}
	l.store("ours", gone.Tags("store"))
	l.store("wanted", there.Tags("store"))
	l.store("theirs", foreign.Tags("store"))
	scheme, err := manifests.Scheme()
	if err != nil {
		t.Fatal(err)
	}
	ing, state := &networkingv1.Ingress{}, &headgatev1alpha1.StackState{}
	ing.Namespace, ing.Name = "shop", "web"
	state.Name, state.Spec.Owner = "s", "c "+there.String()
	state.Spec.Resources = []headgatev1alpha1.AppliedResource{{Key: "Certificate/imported/shop/new", ARN: kept[4]}}
	objects := fake.NewClientBuilder().WithScheme(scheme).WithObjects(ing, state).Build()
	for i, deletes := range []bool{false, true, true} {
		config := account.AWSConfig()
		client, err := cloud.New(t.Context(), cloud.Options{Cluster: "c", VPC: account.World().VPC, AWSConfig: &config})
		if err != nil {
			t.Fatal(err)
		}
		before, out := account.Calls().Writes, &bytes.Buffer{}
		o := orphanage{cluster: "c", objects: objects, aws: client, out: out, delete: deletes, yes: true}
		if err := o.run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if wrote := account.Calls().Writes - before; !deletes && wrote != 0 {
			t.Errorf("invariant 5: without --delete %d calls wrote", wrote)
		}
		text := out.String()
		if names := strings.Contains(text, "imported/shop/old") && strings.Contains(text, "# "+gone.String()); names != (i < 2) || (text == "no orphans\n") != (i == 2) {
			t.Errorf("run %d printed: %s", i, text)
		}
	}
	certificates, stores := l.holds()
	if diff := cmp.Diff(slices.Sorted(slices.Values(kept)), slices.Sorted(slices.Values(certificates))); diff != "" {
		t.Errorf("invariant 5: certificates: -want +got\n%s", diff)
	}
	if diff := cmp.Diff([]string{"theirs", "wanted"}, slices.Sorted(slices.Values(stores))); diff != "" {
		t.Errorf("invariant 5: trust stores: -want +got\n%s", diff)
	}
}
