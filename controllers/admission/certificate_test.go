package admission

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"testing"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
)

func made(t *testing.T) *Certificate {
	t.Helper()
	c, err := NewCertificate([]string{"headgate-webhook.headgate-system.svc"})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// published is the bundle of the only webhook after certificates were published in turn.
func published(t *testing.T, certificates ...*Certificate) []byte {
	t.Helper()
	s := runtime.NewScheme()
	if err := admissionregistrationv1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	api := fake.NewClientBuilder().WithScheme(s).WithObjects(&admissionregistrationv1.MutatingWebhookConfiguration{
		ObjectMeta: metav1.ObjectMeta{Name: Configuration}, Webhooks: []admissionregistrationv1.MutatingWebhook{{Name: "mpod.elbv2.k8s.aws"}},
	}).Build()
	var config admissionregistrationv1.MutatingWebhookConfiguration
	for _, c := range certificates {
		var versions []string
		for range 2 {
			if err := NewPublisher(c, api, api).publish(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := api.Get(t.Context(), client.ObjectKey{Name: Configuration}, &config); err != nil {
				t.Fatal(err)
			}
			versions = append(versions, config.ResourceVersion)
		}
		if versions[0] != versions[1] {
			t.Error("invariant 1: what is published is published again")
		}
	}
	return config.Webhooks[0].ClientConfig.CABundle
}

// TestAPIServerTrustsEveryReplica shakes hands as the API server does.
func TestAPIServerTrustsEveryReplica(t *testing.T) {
	t.Parallel()
	replicas := []*Certificate{made(t), made(t)}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(published(t, replicas...)) {
		t.Fatal("no certificate was published")
	}
	for i, r := range replicas {
		listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: r.Get})
		if err != nil {
			t.Fatal(err)
		}
		go func() {
			if conn, err := listener.Accept(); err == nil {
				_, _ = conn.Write([]byte("x"))
				_ = conn.Close()
			}
		}()
		dialer := tls.Dialer{Config: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots, ServerName: "headgate-webhook.headgate-system.svc"}}
		conn, err := dialer.DialContext(t.Context(), "tcp", listener.Addr().String())
		if err != nil {
			t.Errorf("replica %d: %v", i, err)
			continue
		}
		if err := conn.Close(); err != nil {
			t.Error(err)
		}
		if err := listener.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOldCertificatesAreForgotten(t *testing.T) {
	t.Parallel()
	var all []*Certificate
	for range issuers + 3 {
		all = append(all, made(t))
	}
	bundle := published(t, all...)
	if n := bytes.Count(bundle, []byte("BEGIN CERTIFICATE")); n != issuers {
		t.Errorf("%d certificates, want %d", n, issuers)
	}
	if !bytes.Contains(bundle, all[len(all)-1].public) || bytes.Contains(bundle, all[0].public) {
		t.Error("the newest stays, the oldest goes")
	}
}

func TestWithoutAConfigurationNobodyAsks(t *testing.T) {
	t.Parallel()
	s := runtime.NewScheme()
	if err := admissionregistrationv1.AddToScheme(s); err != nil {
		t.Fatal(err)
	}
	api := fake.NewClientBuilder().WithScheme(s).Build()
	if err := NewPublisher(made(t), api, api).publish(t.Context()); err != nil {
		t.Error(err)
	}
}
