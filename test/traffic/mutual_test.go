package traffic

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/headgate/headgate/cloud/sim"
)

// authority issues certificates of clients.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string) authority {
	t.Helper()
	a := authority{t: t}
	a.cert, a.key = a.make(&x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign, NotAfter: time.Now().Add(time.Hour),
	})
	return a
}

// make makes a certificate; the authority's own where it has none.
func (a authority) make(like *x509.Certificate) (*x509.Certificate, *ecdsa.PrivateKey) {
	a.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		a.t.Fatal(err)
	}
	like.SerialNumber, like.NotBefore = big.NewInt(7), time.Unix(1e9, 0)
	above, by := a.cert, a.key
	if above == nil {
		above, by = like, key
	}
	der, err := x509.CreateCertificate(rand.Reader, like, above, key.Public(), by)
	if err != nil {
		a.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return made, key
}

// issue makes a certificate of a client that is good until then.
func (a authority) issue(until time.Time) *tls.Certificate {
	a.t.Helper()
	made, key := a.make(&x509.Certificate{
		Subject: pkix.Name{CommonName: "partner"}, NotAfter: until, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	return &tls.Certificate{Certificate: [][]byte{made.Raw}, PrivateKey: key, Leaf: made}
}

// newTrustStore makes the trust store "partners" of an authority, and gives its ARN.
func (s *stage) newTrustStore(of authority) string {
	s.t.Helper()
	objects := s3.NewFromConfig(s.sim.AWSConfig(), func(o *s3.Options) { o.UsePathStyle = true })
	bucket, key := aws.String("partners"), aws.String("ca.pem")
	if _, err := objects.CreateBucket(s.t.Context(), &s3.CreateBucketInput{
		Bucket: bucket, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraintUsWest2},
	}); err != nil {
		s.t.Fatal(err)
	}
	bundle := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: of.cert.Raw})
	if _, err := objects.PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: key, Body: bytes.NewReader(bundle)}); err != nil {
		s.t.Fatal(err)
	}
	made, err := elbv2.NewFromConfig(s.sim.AWSConfig()).CreateTrustStore(s.t.Context(), &elbv2.CreateTrustStoreInput{
		Name: aws.String("partners"), CaCertificatesBundleS3Bucket: bucket, CaCertificatesBundleS3Key: key,
	})
	if err != nil {
		s.t.Fatal(err)
	}
	arn := aws.ToString(made.TrustStores[0].TrustStoreArn)
	for end := time.Now().Add(patience); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		found, err := elbv2.NewFromConfig(s.sim.AWSConfig()).DescribeTrustStores(s.t.Context(), &elbv2.DescribeTrustStoresInput{TrustStoreArns: []string{arn}})
		if err != nil {
			s.t.Fatal(err)
		}
		if found.TrustStores[0].Status == elbtypes.TrustStoreStatusActive {
			return arn
		}
	}
	s.t.Fatal("the trust store does not become active")
	return ""
}

// meets is what a client meets that shows a certificate whatever it is asked for: "refused", or the pod and the fields of mutual
// authentication that it was told, sorted and without what they say.
func (s *stage) meets(show *tls.Certificate) string {
	s.t.Helper()
	c := s.newClient("")
	c.transport().TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if show == nil {
			return &tls.Certificate{}, nil
		}
		return show, nil
	}
	got, err := c.send(ask{to: "GET " + secure + "/"})
	if err != nil {
		return "refused"
	}
	out := []string{got.pod().Pod}
	for _, name := range []string{"", "-Issuer", "-Leaf", "-Subject"} {
		if got.pod().Headers.Get("X-Amzn-Mtls-Clientcert"+name) != "" {
			out = append(out, "Clientcert"+name)
		}
	}
	return strings.Join(out, " ")
}

func TestCertificatesOfClients(t *testing.T) {
	t.Parallel()
	ours, others := newAuthority(t, "ours"), newAuthority(t, "others")
	valid, expired, foreign := ours.issue(time.Now().Add(time.Hour)), ours.issue(time.Now().Add(-time.Hour)), others.issue(time.Now().Add(time.Hour))
	const refused, verified, passed = "refused", "a Clientcert-Issuer Clientcert-Leaf Clientcert-Subject", "a Clientcert"
	for _, row := range []struct {
		name, why, settings                string
		valid, expired, foreign, uncovered string
	}{
		{
			"verify", "only clients of the store's authorities come in, and the pod is told who they are",
			`"mode":"verify","trustStore":"partners"`, verified, refused, refused, refused,
		},
		{
			"verify by ARN", "a trust store may be named by its ARN, and certificates that are over be taken",
			`"mode":"verify","trustStore":"STORE","ignoreClientCertificateExpiry":true,"advertiseTrustStoreCaNames":"on"`, verified, verified, refused, refused,
		},
		{
			"passthrough", "all come in, and the pod is given what they show", `"mode":"passthrough"`, passed, passed, passed, "a",
		},
		{"off", "nobody is asked for a certificate", `"mode":"off"`, "a", "a", "a", "a"},
	} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			t.Log(row.why)
			s := newStage(t, sim.Options{RuleDelay: -1})
			settings := strings.ReplaceAll(row.settings, "STORE", s.newTrustStore(ours))
			s.apply(web([]string{"certificate-arn: CERTIFICATE", `mutual-authentication: [{"port":443,` + settings + `}]`},
				[]string{host("shop.example.com", "Prefix / a")}, ""))
			s.register(owner(), nil)
			for _, one := range []struct {
				who  string
				show *tls.Certificate
				want string
			}{
				{"a client of ours", valid, row.valid}, {"one whose certificate is over", expired, row.expired},
				{"a client of others", foreign, row.foreign}, {"one without a certificate", nil, row.uncovered},
			} {
				if got := s.meets(one.show); got != one.want {
					t.Errorf("%s: %s, want %s", one.who, got, one.want)
				}
			}
		})
	}
}
