package sim_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// serverCertificate uploads a certificate to IAM and gives its ARN.
func (f *fixture) serverCertificate(api *iam.Client, name string, hosts ...string) *string {
	f.Helper()
	body, key := contract.Pair(f, hosts...)
	out, err := api.UploadServerCertificate(f.Context(), &iam.UploadServerCertificateInput{
		ServerCertificateName: aws.String(name), CertificateBody: aws.String(string(body)), PrivateKey: aws.String(string(key)),
	})
	return contract.Must(f, out, err).ServerCertificateMetadata.Arn
}

func TestTrafficServerCertificates(t *testing.T) {
	t.Parallel()
	f, _ := startTraffic(t)
	api := iam.NewFromConfig(f.Config)
	first, second := f.serverCertificate(api, "first", "example.com"), f.serverCertificate(api, "second", "example.org")
	lb := f.balancer("web")
	_, err := f.elb.CreateListener(t.Context(), secureInput(lb, aws.String(*first+"x")))
	contract.WantCode(t, err, "CertificateNotFound")
	made, err := f.elb.CreateListener(t.Context(), secureInput(lb, first))
	listener := contract.Must(t, made, err).Listeners[0].ListenerArn
	others := []elbtypes.Certificate{{CertificateArn: second}}
	_, err = f.elb.AddListenerCertificates(t.Context(), &elb.AddListenerCertificatesInput{ListenerArn: listener, Certificates: others})
	contract.WantCode(t, err, "")
	f.Sim.Settle(t.Context())
	at := f.Sim.LoadBalancers()[0].Address.String() + ":20443"
	for name, want := range map[string]string{"example.com": "[example.com]", "example.org": "[example.org]", "example.net": "[example.com]"} {
		if got := servedNames(t, at, name); got != want {
			t.Errorf("for %s it serves %s, want %s", name, got, want)
		}
	}
	remove := func(name string) error {
		_, err := api.DeleteServerCertificate(t.Context(), &iam.DeleteServerCertificateInput{ServerCertificateName: &name})
		return err
	}
	contract.WantCode(t, remove("first"), "DeleteConflict")
	contract.WantCode(t, remove("second"), "DeleteConflict")
	_, err = f.elb.RemoveListenerCertificates(t.Context(), &elb.RemoveListenerCertificatesInput{ListenerArn: listener, Certificates: others})
	contract.WantCode(t, err, "")
	contract.WantCode(t, remove("second"), "")
}
