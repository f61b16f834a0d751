package isolation

import (
	"bytes"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/wafv2"
	waftypes "github.com/aws/aws-sdk-go-v2/service/wafv2/types"

	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/rig"
)

// props is what members find in the account.
type props struct {
	pair selfsigned.Certificate
	// ARNs of a certificate for all hosts, two web ACLs and a trust store.
	certificate, firewall, other, trust string
	// subnets are two that are named.
	subnets string
}

func (w *world) newProps() props {
	w.Helper()
	config := w.sim.AWSConfig()
	config.HTTPClient = &http.Client{Transport: rig.InProcess{To: w.sim.Handler()}}
	var out props
	var err error
	if out.pair, err = selfsigned.New("*.example.net"); err != nil {
		w.Fatal(err)
	}
	known, err := selfsigned.New("*.example.com")
	if err != nil {
		w.Fatal(err)
	}
	if out.certificate, err = known.Import(w.Context(), config); err != nil {
		w.Fatal(err)
	}
	for name, into := range map[string]*string{"wall": &out.firewall, "fence": &out.other} {
		acl, err := wafv2.NewFromConfig(config).CreateWebACL(w.Context(), &wafv2.CreateWebACLInput{
			Name: &name, Scope: waftypes.ScopeRegional, DefaultAction: &waftypes.DefaultAction{Allow: &waftypes.AllowAction{}},
			VisibilityConfig: &waftypes.VisibilityConfig{MetricName: &name},
		})
		if err != nil {
			w.Fatal(err)
		}
		*into = aws.ToString(acl.Summary.ARN)
	}
	out.trust = w.newTrustStore(config, out.pair.Cert)
	out.subnets = strings.Join(w.sim.World().PrivateSubnets[:2], ",")
	return out
}

func (w *world) newTrustStore(config aws.Config, bundle []byte) string {
	w.Helper()
	objects := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	bucket, key := aws.String("partners"), aws.String("ca.pem")
	if _, err := objects.CreateBucket(w.Context(), &s3.CreateBucketInput{
		Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintUsWest2},
	}); err != nil {
		w.Fatal(err)
	}
	if _, err := objects.PutObject(w.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(bundle)}); err != nil {
		w.Fatal(err)
	}
	made, err := elasticloadbalancingv2.NewFromConfig(config).CreateTrustStore(w.Context(), &elasticloadbalancingv2.CreateTrustStoreInput{
		Name: aws.String("partners"), CaCertificatesBundleS3Bucket: bucket, CaCertificatesBundleS3Key: key,
	})
	if err != nil {
		w.Fatal(err)
	}
	return aws.ToString(made.TrustStores[0].TrustStoreArn)
}
