package lattice

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"math/big"
	"time"
)

// managed are certificates that signed themselves, by name. Those of AWS are trusted everywhere; nobody can make such ones.
type managed map[string]*tls.Certificate

// of gives the certificate for a name.
func (all managed) of(name string) (*tls.Certificate, error) {
	if known, ok := all[name]; ok {
		return known, nil
	}
	const validity = 395 * 24 * time.Hour
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(now.UnixNano()), Subject: pkix.Name{Organization: []string{"Simulated VPC Lattice"}}, DNSNames: []string{name},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(validity), KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making a certificate: %w", err)
	}
	all[name] = &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	return all[name], nil
}
