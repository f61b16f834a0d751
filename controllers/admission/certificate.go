package admission

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"time"

	admissionregistrationv1 "k8s.io/api/admissionregistration/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Configuration is the name of the MutatingWebhookConfiguration that the certificate is published in.
const Configuration = "headgate-webhook"

const (
	// lifetime of a certificate; a process that lives longer is rare, and one that starts again has a new one.
	lifetime = 10 * 365 * 24 * time.Hour
	// issuers is how many certificates the configuration holds: those of the replicas that run, and of some that ran.
	issuers = 8
	// verify is how often it is looked at whether ours is still in it.
	verify = 5 * time.Minute
	// margin is for clocks that differ.
	margin = time.Hour
)

// Certificate is one that a process makes for itself. Its key never leaves the process: the API server is told to trust the
// certificate itself, besides those of the other replicas.
type Certificate struct {
	pair   tls.Certificate
	public []byte
}

// NewCertificate makes one for the names of the webhook's Service.
func NewCertificate(names []string) (*Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return nil, fmt.Errorf("making a serial number: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: names[0]}, DNSNames: names,
		NotBefore: now.Add(-margin), NotAfter: now.Add(lifetime), IsCA: true, BasicConstraintsValid: true, MaxPathLenZero: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	return &Certificate{
		pair:   tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key},
		public: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
	}, nil
}

// Get is the certificate for a connection.
func (c *Certificate) Get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return &c.pair, nil }

// Publisher has the API server trust a certificate.
type Publisher struct {
	certificate *Certificate
	client      client.Client
	live        client.Reader
}

// NewPublisher publishes a certificate; live reads past the cache.
func NewPublisher(c *Certificate, writer client.Client, live client.Reader) *Publisher {
	return &Publisher{certificate: c, client: writer, live: live}
}

// NeedLeaderElection: every replica answers the API server.
func (p *Publisher) NeedLeaderElection() bool { return false }

// Start has the API server trust the certificate until ctx ends, and puts it back where somebody took it away.
func (p *Publisher) Start(ctx context.Context) error {
	log := ctrl.LoggerFrom(ctx).WithName("webhook")
	said := ""
	for {
		after, problem := verify, ""
		if err := p.publish(ctx); err != nil && ctx.Err() == nil {
			after, problem = verify/10, err.Error()
		}
		if problem != said && problem != "" {
			log.Info("no readiness gates are injected", "why", problem)
		}
		said = problem
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(after):
		}
	}
}

// publish adds the certificate to those that the API server trusts. Without a configuration nobody asks, and that is well.
func (p *Publisher) publish(ctx context.Context) error {
	for {
		var config admissionregistrationv1.MutatingWebhookConfiguration
		err := p.live.Get(ctx, client.ObjectKey{Name: Configuration}, &config)
		if apierrors.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("reading MutatingWebhookConfiguration %s: %w", Configuration, err)
		}
		old := config.DeepCopy()
		if !p.certificate.add(&config) {
			return nil
		}
		err = p.client.Patch(ctx, &config, client.MergeFromWithOptions(old, client.MergeFromWithOptimisticLock{}))
		if !apierrors.IsConflict(err) {
			return asked(err)
		}
	}
}

func asked(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("changing MutatingWebhookConfiguration %s: %w", Configuration, err)
}

// add puts the certificate into each webhook, in front of those that are there, and tells whether it was missing.
func (c *Certificate) add(config *admissionregistrationv1.MutatingWebhookConfiguration) bool {
	changed := false
	for i := range config.Webhooks {
		bundle := &config.Webhooks[i].ClientConfig.CABundle
		if bytes.Contains(*bundle, c.public) {
			continue
		}
		*bundle = slices.Concat(c.public, newest(*bundle))
		changed = true
	}
	return changed
}

// newest are the first certificates of a bundle, those that may belong to processes that run.
func newest(bundle []byte) []byte {
	var out []byte
	for range issuers - 1 {
		block, rest := pem.Decode(bundle)
		if block == nil {
			break
		}
		out, bundle = append(out, pem.EncodeToMemory(block)...), rest
	}
	return out
}
