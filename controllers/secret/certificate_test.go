package secret

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"

	"github.com/headgate/headgate/model"
)

// TestSecretsThatHoldNoCertificate: what is said names the Secret and what to write into it, and nothing of what is in it.
func TestSecretsThatHoldNoCertificate(t *testing.T) {
	for _, row := range []struct {
		why    string
		secret *corev1.Secret
		says   string
	}{
		{"a Secret of another type", &corev1.Secret{Data: map[string][]byte{"password": []byte("hunter2")}}, "of type Opaque has not both tls.crt and tls.key"},
		{"cert-manager's, before the first issue", &corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.key": []byte("hunter2"), "tls.crt": nil}},
			"of type kubernetes.io/tls has not both tls.crt and tls.key"},
		{"no PEM", &corev1.Secret{Type: corev1.SecretTypeTLS, Data: map[string][]byte{"tls.key": []byte("hunter2"), "tls.crt": []byte("hunter2")}},
			"there is no certificate in PEM"},
	} {
		row.secret.ObjectMeta = metav1.ObjectMeta{Namespace: "shop", Name: "tls"}
		var reader client.Reader = fake.NewClientBuilder().WithObjects(row.secret).Build()
		got, err := Rules{}.Certificate(t.Context(), reader, model.SecretRef{Namespace: "shop", Name: "tls"})
		if err != nil {
			t.Fatal(err)
		}
		if got.Reason != ReasonInvalid || !strings.HasPrefix(got.Problem, "Secret shop/tls") || !strings.Contains(got.Problem, row.says) {
			t.Errorf("%s: %s %q", row.why, got.Reason, got.Problem)
		}
		if strings.Contains(got.Problem, "hunter2") {
			t.Errorf("%s: it tells what is in the Secret: %s", row.why, got.Problem)
		}
	}
}
