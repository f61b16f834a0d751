package secrecy_test

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/headgate/headgate/sandbox/selfsigned"
	"github.com/headgate/headgate/test/world"
)

// window is how many characters of a key are looked for: less could be found by chance.
const window = 24

// seal makes Ingresses with real keys in Secrets: one that is imported, one whose key is another's, and one that AWS refuses. It gives what
// may be seen of none of the keys.
func seal(t *testing.T, r *world.Run) []string {
	t.Helper()
	var needles []string
	for _, name := range []string{"good", "mixed-up", "refused"} {
		host := name + ".sealed.example.com"
		made, err := selfsigned.New(host)
		if err != nil {
			t.Fatal(err)
		}
		certificate := made.Cert
		if name == "mixed-up" {
			other, err := selfsigned.New(host)
			if err != nil {
				t.Fatal(err)
			}
			certificate = other.Cert
		}
		needles = append(needles, formsOf(made.Key)...)
		meta := metav1.ObjectMeta{Namespace: r.Name, Name: name, Annotations: map[string]string{
			"alb.ingress.kubernetes.io/target-type": "ip", "alb.ingress.kubernetes.io/listen-ports": `[{"HTTPS": 443}]`,
		}}
		secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: r.Name, Name: name}, Type: corev1.SecretTypeTLS, Data: map[string][]byte{
			corev1.TLSCertKey: certificate, corev1.TLSPrivateKeyKey: made.Key,
		}}
		if err := r.World.Client.Create(t.Context(), secret); err != nil {
			t.Fatal(err)
		}
		meta.Name = "sealed-" + name
		if err := r.World.Client.Create(t.Context(), sealed(meta, host, name)); err != nil {
			t.Fatal(err)
		}
	}
	return needles
}

func sealed(meta metav1.ObjectMeta, host, secret string) *networkingv1.Ingress {
	backend := networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: "web", Port: networkingv1.ServiceBackendPort{Number: 80}}}
	return &networkingv1.Ingress{ObjectMeta: meta, Spec: networkingv1.IngressSpec{
		IngressClassName: new("alb"), TLS: []networkingv1.IngressTLS{{Hosts: []string{host}, SecretName: secret}}, DefaultBackend: &backend,
	}}
}

// formsOf are pieces of a key as it could be printed: as it is, in base64 at each alignment, in hexadecimal, and as numbers.
func formsOf(key []byte) []string {
	var out []string
	for line := range strings.Lines(string(key)) {
		if line = strings.TrimSpace(line); len(line) >= window && !strings.HasPrefix(line, "-----") {
			out = append(out, line[:window], line[len(line)-window:])
		}
	}
	middle := key[len(key)/2 : len(key)/2+window]
	out = append(out, hex.EncodeToString(middle), strings.Trim(fmt.Sprintf("%d", middle), "[]"))
	for shift := range 3 {
		text := base64.StdEncoding.EncodeToString(key[len(key)/2+shift:])
		out = append(out, text[:window])
	}
	return out
}
