// Package selfsigned makes self-signed certificates, which stand for those of a user in a simulated account.
//
// It may import the AWS SDK. Its invariant: a certificate is good for a day, and trusts nobody but itself.
package selfsigned

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
)

// Certificate is a certificate with its key, both in PEM.
type Certificate struct {
	Cert, Key []byte
}

// New makes a certificate for host names, of which there is at least one.
func New(hosts ...string) (Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Certificate{}, fmt.Errorf("making a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return Certificate{}, fmt.Errorf("making a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return Certificate{}, fmt.Errorf("encoding a key: %w", err)
	}
	return Certificate{
		Cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}),
		Key:  pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}),
	}, nil
}

// Import puts the certificate into the account of a configuration, and returns its ARN.
func (c Certificate) Import(ctx context.Context, account aws.Config) (string, error) {
	out, err := acm.NewFromConfig(account).ImportCertificate(ctx, &acm.ImportCertificateInput{Certificate: c.Cert, PrivateKey: c.Key})
	if err != nil {
		return "", fmt.Errorf("importing the certificate: %w", err)
	}
	return aws.ToString(out.CertificateArn), nil
}
