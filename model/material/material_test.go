package material_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/headgate/headgate/model/material"
)

// authority signs certificates.
type authority struct {
	t    *testing.T
	cert *x509.Certificate
	key  any
}

// sign makes a certificate for a host, signed by a, or by itself where a has no key.
func (a authority) sign(host string, public, private any, from, to time.Time) (authority, []byte) {
	a.t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		a.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: host}, DNSNames: []string{host}, NotBefore: from, NotAfter: to,
		IsCA: true, BasicConstraintsValid: true,
	}
	parent, signer := a.cert, a.key
	if signer == nil {
		parent, signer = template, private
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, public, signer)
	if err != nil {
		a.t.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		a.t.Fatal(err)
	}
	return authority{a.t, made, private}, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyPEM(t *testing.T, key any) []byte {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func TestRead(t *testing.T) {
	now := time.Now()
	before, after := now.Add(-time.Hour), now.Add(time.Hour)
	newKey := func() *ecdsa.PrivateKey {
		k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	rootKey, middleKey, key := newKey(), newKey(), newKey()
	root, rootPEM := authority{t: t}.sign("root.example", rootKey.Public(), rootKey, before, after)
	middle, middlePEM := root.sign("middle.example", middleKey.Public(), middleKey, before, after)
	_, leaf := middle.sign("Shop.example", key.Public(), key, before, after)
	_, expired := middle.sign("shop.example", key.Public(), key, before, now.Add(-time.Minute))
	_, early := middle.sign("shop.example", key.Public(), key, now.Add(time.Minute), after)
	edPublic, edKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	_, ed := middle.sign("shop.example", edPublic, edKey, before, after)
	join := func(parts ...[]byte) []byte {
		var out []byte
		for _, p := range parts {
			out = append(out, p...)
		}
		return out
	}
	for name, tt := range map[string]struct {
		cert, key []byte
		says, why string
	}{
		"chain":        {join(leaf, middlePEM, rootPEM), keyPEM(t, key), "", "as cert-manager writes it"},
		"leaf":         {leaf, keyPEM(t, key), "", "a chain may be missing"},
		"wrong key":    {leaf, keyPEM(t, rootKey), "does not belong", "AWS would refuse it"},
		"leaf last":    {join(middlePEM, leaf), keyPEM(t, key), "belongs to certificate 2", "the order is told"},
		"wrong order":  {join(leaf, rootPEM, middlePEM), keyPEM(t, key), "certificate 2 of the chain", "clients would not find the way"},
		"expired":      {expired, keyPEM(t, key), "expired at", "AWS takes none"},
		"not yet":      {early, keyPEM(t, key), "not valid before", "AWS takes none"},
		"key kind":     {ed, keyPEM(t, edKey), "RSA keys of 2048", "a load balancer takes no Ed25519"},
		"no key":       {leaf, nil, "no private key", "the Secret lacks it"},
		"no cert":      {nil, keyPEM(t, key), "no certificate", "the Secret lacks it"},
		"encrypted":    {leaf, []byte("-----BEGIN ENCRYPTED PRIVATE KEY-----\nAAAA\n-----END ENCRYPTED PRIVATE KEY-----\n"), "encrypted", "AWS cannot open it"},
		"not readable": {[]byte("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"), keyPEM(t, key), "cannot be read", "garbage"},
	} {
		got, err := material.Read(tt.cert, tt.key, now)
		switch {
		case tt.says == "" && (err != nil || got.Domains[0] != "shop.example" || got.KeyAlgorithm != "EC_prime256v1"):
			t.Errorf("%s: got %+v, %v: %s", name, got.Domains, err, tt.why)
		case tt.says == "" && got.Digest != material.DigestOf(string(tt.cert)):
			t.Errorf("%s: what ACM gives back has another digest", name)
		case tt.says != "" && (err == nil || !strings.Contains(err.Error(), tt.says)):
			t.Errorf("%s: got %v, want %q: %s", name, err, tt.says, tt.why)
		}
	}
}
