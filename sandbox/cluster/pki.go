package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	certificateLifetime = 10 * 365 * 24 * time.Hour
	rsaBits             = 2048
	serialBits          = 128
	privateMode         = 0o600
	privateDirMode      = 0o700
)

// keys is the cluster's certificate authority and what it signed, all of it files in one directory, for the
// control plane reads files. A directory that holds them already is used as it is: service account tokens
// and kubeconfigs outlive a restart.
type keys struct{ dir string }

func (k keys) ca() string                        { return filepath.Join(k.dir, "ca.crt") }
func (k keys) certificate(name string) string    { return filepath.Join(k.dir, name+".crt") }
func (k keys) key(name string) string            { return filepath.Join(k.dir, name+".key") }
func (k keys) pair(name string) (string, string) { return k.certificate(name), k.key(name) }

// Names of the key pairs.
const (
	serverPair         = "apiserver"
	kubeletPair        = "kubelet"
	adminPair          = "admin"
	serviceAccountPair = "service-account"
)

// ensure makes every key that is not there yet. The authority's own key is never written: once the last
// certificate is signed nobody needs it.
func (k keys) ensure() error {
	if _, err := os.Stat(k.key(serviceAccountPair)); err == nil {
		return nil // written last: the others are there
	} else if !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("looking for the cluster's keys: %w", err)
	}
	if err := os.MkdirAll(k.dir, privateDirMode); err != nil {
		return fmt.Errorf("making the directory of keys: %w", err)
	}
	authority, err := newAuthority()
	if err != nil {
		return err
	}
	if err := writePEM(k.ca(), "CERTIFICATE", authority.certificate.Raw); err != nil {
		return err
	}
	loopback := []net.IP{net.IPv4(127, 0, 0, 1), serviceIP()}
	for name, template := range map[string]*x509.Certificate{
		serverPair: {
			Subject: pkix.Name{CommonName: "kube-apiserver"}, IPAddresses: loopback,
			DNSNames: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc"},
		},
		kubeletPair: {Subject: pkix.Name{CommonName: "kubelet"}, IPAddresses: loopback, DNSNames: []string{"localhost"}},
		// system:masters is the group that RBAC never refuses anything.
		adminPair: {Subject: pkix.Name{CommonName: "sandbox-admin", Organization: []string{"system:masters"}}},
	} {
		if err := authority.issue(template, k, name); err != nil {
			return err
		}
	}
	return k.writeServiceAccountKey()
}

func (k keys) writeServiceAccountKey() error {
	key, err := rsa.GenerateKey(rand.Reader, rsaBits)
	if err != nil {
		return fmt.Errorf("generating the service account key: %w", err)
	}
	return writePEM(k.key(serviceAccountPair), "RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(key))
}

// authority signs the cluster's certificates.
type authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

func newAuthority() (authority, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return authority{}, fmt.Errorf("generating the authority's key: %w", err)
	}
	template := &x509.Certificate{
		Subject: pkix.Name{CommonName: "headgate-sandbox"}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	if err := dated(template); err != nil {
		return authority{}, err
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return authority{}, fmt.Errorf("signing the authority's certificate: %w", err)
	}
	certificate, err := x509.ParseCertificate(raw)
	if err != nil {
		return authority{}, fmt.Errorf("parsing the authority's certificate: %w", err)
	}
	return authority{certificate: certificate, key: key}, nil
}

// issue signs the template for a new key and writes both.
func (a authority) issue(template *x509.Certificate, to keys, name string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("generating the key of %s: %w", name, err)
	}
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth}
	if err := dated(template); err != nil {
		return err
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, a.certificate, key.Public(), a.key)
	if err != nil {
		return fmt.Errorf("signing the certificate of %s: %w", name, err)
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return fmt.Errorf("encoding the key of %s: %w", name, err)
	}
	if err := writePEM(to.certificate(name), "CERTIFICATE", raw); err != nil {
		return err
	}
	return writePEM(to.key(name), "EC PRIVATE KEY", der)
}

// dated gives a template its serial number and validity.
func dated(template *x509.Certificate) error {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), serialBits))
	if err != nil {
		return fmt.Errorf("drawing a serial number: %w", err)
	}
	template.SerialNumber = serial
	template.NotBefore = time.Now().Add(-time.Hour)
	template.NotAfter = template.NotBefore.Add(certificateLifetime)
	return nil
}

func writePEM(path, kind string, der []byte) error {
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), privateMode); err != nil {
		return fmt.Errorf("writing a key: %w", err)
	}
	return nil
}
