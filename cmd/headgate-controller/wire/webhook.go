package wire

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/webhook"
	crhook "sigs.k8s.io/controller-runtime/pkg/webhook/admission"

	"github.com/headgate/headgate/controllers/admission"
)

// Webhooks are the settings of the server that the API server asks.
type Webhooks struct {
	// Port that it listens on; zero turns it off.
	Port int
	// CertDir has the files CertName and KeyName; where they are not there, and CertDir is empty, a certificate is made.
	CertDir, CertName, KeyName string
	// ClientCA is a file with the authority of the API server's own certificate; empty asks for none.
	ClientCA string
	// Gates injects readiness gates into pods.
	Gates bool
	// Agents puts the agent of the target optimizer into pods that ask for it.
	Agents bool
}

// hooks is the server and the certificate that was made for it, nil where there is none.
type hooks struct {
	settings Webhooks
	server   webhook.Server
	made     *admission.Certificate
}

func newHooks(w Webhooks) (hooks, error) {
	if w.Port == 0 || !w.Gates && !w.Agents {
		return hooks{}, nil
	}
	out := hooks{settings: w}
	options := webhook.Options{Port: w.Port, CertDir: w.CertDir, CertName: w.CertName, KeyName: w.KeyName}
	if w.CertDir == "" && !w.mounted() {
		made, err := admission.NewCertificate(serviceNames())
		if err != nil {
			return hooks{}, fmt.Errorf("making a certificate for the webhooks: %w", err)
		}
		out.made = made
		options.TLSOpts = append(options.TLSOpts, func(c *tls.Config) { c.GetCertificate = made.Get })
	}
	if w.ClientCA != "" {
		pool, err := readPool(w.ClientCA)
		if err != nil {
			return hooks{}, err
		}
		options.TLSOpts = append(options.TLSOpts, func(c *tls.Config) { c.ClientCAs, c.ClientAuth = pool, tls.RequireAndVerifyClientCert })
	}
	out.server = webhook.NewServer(options)
	return out, nil
}

// mounted tells whether there is a certificate where the incumbent's Deployment has one.
func (w Webhooks) mounted() bool {
	_, err := os.Stat(filepath.Join(os.TempDir(), "k8s-webhook-server", "serving-certs", w.CertName))
	return err == nil
}

// serviceNames are the names of the Service in config/webhook, in the namespace of the operator.
func serviceNames() []string {
	namespace := ownNamespace()
	return []string{admission.Configuration + "." + namespace + ".svc", admission.Configuration + "." + namespace}
}

// ownNamespace is the operator's.
func ownNamespace() string {
	if own, err := os.ReadFile("/var/run/secrets/kubernetes.io/serviceaccount/namespace"); err == nil {
		return strings.TrimSpace(string(own))
	}
	return "headgate-system"
}

func readPool(file string) (*x509.CertPool, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading --kube-ca-pem-filepath: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("--kube-ca-pem-filepath " + file + " holds no certificate in PEM")
	}
	return pool, nil
}

// register has the server answer, and the API server trust it.
func (h hooks) register(mgr ctrl.Manager) error {
	if h.server == nil {
		return nil
	}
	decoder := crhook.NewDecoder(mgr.GetScheme())
	if h.settings.Gates {
		mgr.GetWebhookServer().Register(admission.PodPath, &webhook.Admission{Handler: admission.NewPods(mgr.GetClient(), decoder)})
	}
	if h.settings.Agents {
		// Straight from the API server: the kind is rare, and its definition may not be installed.
		agents := &webhook.Admission{Handler: admission.NewAgents(mgr.GetAPIReader(), decoder, ownNamespace())}
		for _, path := range admission.AgentPaths() {
			mgr.GetWebhookServer().Register(path, agents)
		}
	}
	if h.made == nil {
		return nil
	}
	if err := mgr.Add(admission.NewPublisher(h.made, mgr.GetClient(), mgr.GetAPIReader())); err != nil {
		return fmt.Errorf("adding the webhooks' certificate: %w", err)
	}
	return nil
}
