package cert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
)

// How long things take: from the proof to the certificate, until ACM gives up, and how long a certificate is valid (ACM user guide, "DNS
// validation" and "Certificate characteristics"). Renewal begins 60 days before the end ("Managed renewal").
const (
	issuing     = time.Minute
	patience    = 72 * time.Hour
	validity    = 395 * 24 * time.Hour
	renewBefore = 60 * 24 * time.Hour
)

// found reports whether the proof of a name is in the DNS.
func (s *Store) found(name string) bool {
	if s.records == nil {
		return false
	}
	r := s.proof(name)
	bare := func(text *string) string { return strings.ToLower(strings.TrimSuffix(aws.ToString(text), ".")) }
	return s.records.Has(bare(r.Name), string(r.Type), bare(r.Value))
}

// late reports whether a certificate was not proven in time.
func (s *Store) late(c *certificate) bool {
	return c.kind == acmtypes.CertificateTypeAmazonIssued && c.proven.IsZero() && s.account.Now().After(c.created.Add(s.account.Scale(patience)))
}

// Settle looks at all certificates as they are now. Called when the DNS has changed, it makes a certificate proven from that moment on, and
// not from when somebody looks.
func (s *Store) Settle() {
	for _, c := range s.certificates.All() {
		s.settle(c)
	}
}

// settle brings a certificate to what it is now: proven, issued, renewed.
func (s *Store) settle(c *certificate) {
	if c.kind == acmtypes.CertificateTypeImported || c.failure != "" {
		return
	}
	now := s.account.Now()
	if c.material != nil {
		if now.After(c.material.Leaf.NotAfter.Add(-renewBefore)) && s.renewable(c) {
			s.issue(c, now)
			c.renewed = now
		}
		return
	}
	if s.late(c) {
		return
	}
	if c.proven.IsZero() && s.proves(c) {
		c.proven = now
		if c.kind == acmtypes.CertificateTypePrivate {
			c.proven = c.created
		}
	}
	if ready := c.proven.Add(s.account.Scale(issuing)); !c.proven.IsZero() && !now.Before(ready) {
		s.issue(c, ready)
		c.issued = ready
	}
}

// proves reports whether a certificate can be issued: a private one always, another one when all its names are proven by the DNS.
func (s *Store) proves(c *certificate) bool {
	if c.kind == acmtypes.CertificateTypePrivate {
		return true
	}
	return c.method == acmtypes.ValidationMethodDns && !slices.ContainsFunc(c.names, func(n string) bool { return !s.found(n) })
}

// renewable reports whether ACM renews a certificate by itself: one that it issued, that is in use and still proven.
func (s *Store) renewable(c *certificate) bool {
	return s.eligible(c) && s.proves(c)
}

// eligible reports whether ACM takes care of a certificate's renewal.
func (s *Store) eligible(c *certificate) bool {
	return c.kind != acmtypes.CertificateTypeImported && c.material != nil && len(s.usedBy(c.arn)) > 0
}

// issue gives a certificate new material, as of a time. It fails only where the machine has no randomness.
func (s *Store) issue(c *certificate, at time.Time) {
	c.issues++
	m, err := s.sign(c, at)
	if err != nil {
		c.failure = acmtypes.FailureReasonOther
		return
	}
	c.material = m
}

// authority is who signs what the store issues.
type authority struct {
	leaf *x509.Certificate
	key  crypto.Signer
	body []byte
}

// serial makes a number of sixteen bytes. It takes none of the account's identifiers: a certificate may be issued while somebody reads.
func serial(of string, issue int) *big.Int {
	const length = 16
	sum := sha256.Sum256(fmt.Append(nil, of, " ", issue))
	sum[0] &= 0x7f
	return new(big.Int).SetBytes(sum[:length])
}

// trusted makes the authority when it is first needed.
func (s *Store) trusted() (*authority, error) {
	if s.authority != nil {
		return s.authority, nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("making the authority's key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: serial("authority of "+s.account.ID, 0), Subject: pkix.Name{Organization: []string{"Simulated"}, CommonName: "Simulated ECDSA 256 M01"},
		NotBefore: s.account.Now().Add(-year), NotAfter: s.account.Now().Add(10 * year), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("making the authority's certificate: %w", err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("reading the authority's certificate: %w", err)
	}
	s.authority = &authority{leaf: leaf, key: key, body: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
	return s.authority, nil
}

// sign makes a key and a certificate for the names of one that was requested, valid from the day of a time.
func (s *Store) sign(c *certificate, at time.Time) (*Material, error) {
	by, err := s.trusted()
	if err != nil {
		return nil, err
	}
	key, err := generate(c.key)
	if err != nil {
		return nil, err
	}
	day := at.UTC().Truncate(24 * time.Hour)
	template := &x509.Certificate{
		SerialNumber: serial(c.arn, c.issues), Subject: pkix.Name{CommonName: c.domain}, DNSNames: c.names, NotBefore: day, NotAfter: day.Add(validity),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, by.leaf, key.Public(), by.key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("writing a key: %w", err)
	}
	body := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return Read(body, bytes.Clone(by.body), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}))
}

func generate(kind acmtypes.KeyAlgorithm) (key crypto.Signer, err error) {
	const bits = 2048
	switch kind {
	case acmtypes.KeyAlgorithmEcPrime256v1:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case acmtypes.KeyAlgorithmEcSecp384r1:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	default:
		key, err = rsa.GenerateKey(rand.Reader, bits)
	}
	if err != nil {
		return nil, fmt.Errorf("making a key: %w", err)
	}
	return key, nil
}
