package policy_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/route53"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/controller/controllerutil"

	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/endtoend"
)

// certified are outfits with certificates of the operator's own: from a Secret, renewed, and requested. No other certificate of the account
// is for their host, and its zone is in the account.
func certified(t *testing.T, s *endtoend.Stage) []outfit {
	t.Helper()
	const host, onlyHTTPS = "wardrobe.example.org", `[{"HTTPS": 443}]`
	paths := []string{"/*/long"}
	zone := route53.CreateHostedZoneInput{Name: aws.String("example.org"), CallerReference: aws.String("wardrobe")}
	if _, err := route53.NewFromConfig(s.Simulator().AWSConfig()).CreateHostedZone(t.Context(), &zone); err != nil {
		t.Fatal(err)
	}
	return []outfit{
		{
			why: "a certificate from a Secret", host: host, secret: "wardrobe", certificate: issued(t, host), paths: paths,
			annotations: map[string]string{"listen-ports": onlyHTTPS, "tags": "team=one,season=summer"},
			calls:       []string{"acm:ImportCertificate"},
		},
		{
			why: "the Secret is renewed", host: host, secret: "wardrobe", certificate: issued(t, host), paths: paths, restarted: true,
			annotations: map[string]string{"listen-ports": onlyHTTPS, "tags": "team=two"},
			calls:       []string{"acm:GetCertificate", "acm:ImportCertificate", "acm:ListTagsForCertificate"},
		},
		{
			why: "a certificate is requested in place of the Secret's", host: host, paths: paths,
			annotations: map[string]string{"listen-ports": onlyHTTPS, "create-acm-cert": "true", "tags": "team=two,season=summer"},
			calls: []string{
				"acm:RequestCertificate", "route53:ListHostedZones", "route53:ChangeResourceRecordSets", "acm:DeleteCertificate",
			},
		},
		{
			why: "the requested certificate is tagged otherwise", host: host, paths: paths,
			annotations: map[string]string{"listen-ports": onlyHTTPS, "create-acm-cert": "true", "tags": "team=three"},
			calls:       []string{"acm:AddTagsToCertificate", "acm:RemoveTagsFromCertificate"},
		},
	}
}

func issued(t *testing.T, host string) selfsigned.Certificate {
	t.Helper()
	out, err := selfsigned.New(host)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// hangUp puts the outfit's certificate into its Secret.
func (o outfit) hangUp(t *testing.T, s *endtoend.Stage) {
	t.Helper()
	if o.secret == "" {
		return
	}
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: "catalog", Name: o.secret}, Type: corev1.SecretTypeTLS}
	if _, err := controllerutil.CreateOrUpdate(t.Context(), s.Client, secret, func() error {
		secret.Data = map[string][]byte{corev1.TLSCertKey: o.certificate.Cert, corev1.TLSPrivateKeyKey: o.certificate.Key}
		return nil
	}); err != nil {
		t.Fatal(err)
	}
}
