package dataplane

import (
	"crypto"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// authority issues certificates.
type authority struct {
	certificate *x509.Certificate
	key         crypto.Signer
	above       []*x509.Certificate
}

// newAuthority makes an authority that another one has signed, or nobody.
func newAuthority(tb testing.TB, name string, by *authority) *authority {
	tb.Helper()
	a := &authority{key: curve(tb)}
	c := &x509.Certificate{
		SerialNumber: big.NewInt(9), Subject: pkix.Name{CommonName: name, Organization: []string{"Test"}}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, NotBefore: time.Unix(1e9, 0), NotAfter: time.Now().Add(time.Hour),
	}
	signer, key := c, a.key
	if by != nil {
		signer, key, a.above = by.certificate, by.key, append([]*x509.Certificate{by.certificate}, by.above...)
	}
	a.certificate = parsed(tb, c, signer, a.key.Public(), key)
	return a
}

func parsed(tb testing.TB, c, signer *x509.Certificate, public crypto.PublicKey, key crypto.Signer) *x509.Certificate {
	tb.Helper()
	der, err := x509.CreateCertificate(rand.Reader, c, signer, public, key)
	if err != nil {
		tb.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

// issue makes a certificate for a client with the chain up to below the root; change may be nil.
func (a *authority) issue(tb testing.TB, key crypto.Signer, change func(*x509.Certificate)) *tls.Certificate {
	tb.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(0x03A5B1), Subject: pkix.Name{CommonName: "client", Organization: []string{"Test"}},
		NotBefore: time.Unix(1e9, 0), NotAfter: time.Unix(5e9, 0), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if change != nil {
		change(c)
	}
	leaf := parsed(tb, c, a.certificate, key.Public(), a.key)
	made := &tls.Certificate{Certificate: [][]byte{leaf.Raw}, PrivateKey: key, Leaf: leaf}
	for _, c := range append([]*x509.Certificate{a.certificate}, a.above...) {
		if c.Issuer.String() != c.Subject.String() {
			made.Certificate = append(made.Certificate, c.Raw)
		}
	}
	return made
}

// revoke makes a list of revoked serial numbers.
func (a *authority) revoke(tb testing.TB, serials ...int64) *x509.RevocationList {
	tb.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Now(), NextUpdate: time.Now().Add(time.Hour)}
	for _, serial := range serials {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: big.NewInt(serial), RevocationTime: time.Now(),
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, a.certificate, a.key)
	if err != nil {
		tb.Fatal(err)
	}
	made, err := x509.ParseRevocationList(der)
	if err != nil {
		tb.Fatal(err)
	}
	return made
}

// present makes a client that shows a certificate whatever it is asked for; nil shows none.
func present(tb testing.TB, certificate *tls.Certificate) *http.Client {
	tb.Helper()
	c := client(tb)
	transport := c.Transport.(*http.Transport)
	transport.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		if certificate == nil {
			return &tls.Certificate{}, nil
		}
		return certificate, nil
	}
	return c
}

// mutual makes a world whose target names the headers of mutual TLS that it got.
func mutual(t *testing.T, m MutualTLS) (*world, string) {
	t.Helper()
	w := newWorld(t, Options{})
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		for name, values := range r.Header {
			if strings.Contains(name, "Mtls") || strings.HasPrefix(name, "My-") {
				w.Header()["Saw-"+name] = values
			}
		}
		fmt.Fprint(w, "in")
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTPS", always(forwardTo(groupARN)))
	w.listener().MutualTLS = m
	return w, "https://" + at
}

func TestClientsAreVerified(t *testing.T) {
	t.Parallel()
	root, stranger := newAuthority(t, "root", nil), newAuthority(t, "stranger", nil)
	between := newAuthority(t, "between", root)
	deep := newAuthority(t, "four", newAuthority(t, "three", between))
	expired := func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Hour) }
	server := func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }
	trust := &TrustStore{Authorities: []*x509.Certificate{root.certificate}}
	revoking := &TrustStore{Authorities: trust.Authorities, Revocations: []*x509.RevocationList{root.revoke(t, 1, 0x03A5B1)}}
	cutting := &TrustStore{Authorities: trust.Authorities, Revocations: []*x509.RevocationList{root.revoke(t, 9)}}
	key := curve(t)
	for _, row := range []struct {
		why     string
		m       MutualTLS
		show    *tls.Certificate
		refused bool
	}{
		{"signed by the root", MutualTLS{Trust: trust}, root.issue(t, key, nil), false},
		{"signed by one below", MutualTLS{Trust: trust}, between.issue(t, key, nil), false},
		{"an RSA key", MutualTLS{Trust: trust}, root.issue(t, primes(t), nil), false},
		{"no certificate", MutualTLS{Trust: trust}, nil, true},
		{"signed by a stranger", MutualTLS{Trust: trust}, stranger.issue(t, key, nil), true},
		{"a chain of five", MutualTLS{Trust: trust}, deep.issue(t, key, nil), true},
		{"no trust store", MutualTLS{}, root.issue(t, key, nil), true},
		{"past its time", MutualTLS{Trust: trust}, root.issue(t, key, expired), true},
		{"past its time, which is ignored", MutualTLS{Trust: trust, IgnoreExpiry: true}, root.issue(t, key, expired), false},
		{"only for servers", MutualTLS{Trust: trust}, root.issue(t, key, server), true},
		{"revoked", MutualTLS{Trust: revoking}, root.issue(t, key, nil), true},
		{"another one is revoked", MutualTLS{Trust: revoking}, root.issue(t, key, func(c *x509.Certificate) { c.SerialNumber = big.NewInt(2) }), false},
		{"the one in between is revoked", MutualTLS{Trust: cutting}, between.issue(t, key, nil), true},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			row.m.Mode = mutualVerify
			w, at := mutual(t, row.m)
			w.secure("", selfSigned(t, curve(t), "x"))
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, at, http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			if err := try(present(t, row.show), r); (err != nil) != row.refused {
				t.Errorf("asking: %v, want refused %v", err, row.refused)
			}
		})
	}
}

func TestVerifiedClientsAreNamed(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root", nil)
	w, at := mutual(t, MutualTLS{Mode: mutualVerify, Trust: &TrustStore{Authorities: []*x509.Certificate{root.certificate}}})
	w.listener().Attributes["routing.http.request.x_amzn_mtls_clientcert_subject.header_name"] = "My-Subject"
	w.secure("", selfSigned(t, curve(t), "x"))
	show := root.issue(t, curve(t), nil)
	got := send(t, present(t, show), at, func(r *http.Request) {
		r.Header.Set("X-Amzn-Mtls-Clientcert", "forged")
		r.Header.Set("X-Amzn-Mtls-Clientcert-Subject", "forged")
		r.Header.Set("My-Subject", "forged")
	})
	want := map[string]string{
		"Saw-X-Amzn-Mtls-Clientcert-Serial-Number": "03A5B1",
		"Saw-X-Amzn-Mtls-Clientcert-Issuer":        "CN=root,O=Test",
		"Saw-My-Subject":                           "CN=client,O=Test",
		"Saw-X-Amzn-Mtls-Clientcert-Validity":      "NotBefore=2001-09-09T01:46:40Z;NotAfter=2128-06-11T08:53:20Z",
	}
	for name, values := range got.Header {
		if strings.HasPrefix(name, "Saw-") && name != "Saw-X-Amzn-Mtls-Clientcert-Leaf" && want[name] != values[0] {
			t.Errorf("%s is %q, want %q", name, values, want[name])
		}
	}
	for name := range want {
		if got.Header.Get(name) == "" {
			t.Errorf("%s is missing", name)
		}
	}
	if diff := cmp.Diff([][]byte{show.Certificate[0]}, unescaped(t, got.Header.Get("Saw-X-Amzn-Mtls-Clientcert-Leaf"))); diff != "" {
		t.Errorf("leaf (-want +got):\n%s", diff)
	}
}

// unescaped reads certificates out of a header.
func unescaped(tb testing.TB, header string) [][]byte {
	tb.Helper()
	text, err := url.PathUnescape(header)
	if err != nil {
		tb.Fatal(err)
	}
	var all [][]byte
	for rest := []byte(text); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return all
		}
		all = append(all, block.Bytes)
	}
}

func TestCertificatesPassThrough(t *testing.T) {
	t.Parallel()
	between := newAuthority(t, "between", newAuthority(t, "root", nil))
	w, at := mutual(t, MutualTLS{Mode: mutualPassthrough})
	w.secure("", selfSigned(t, curve(t), "x"))
	show := between.issue(t, curve(t), nil)
	got := send(t, present(t, show), at, nil)
	if diff := cmp.Diff(show.Certificate, unescaped(t, got.Header.Get("Saw-X-Amzn-Mtls-Clientcert"))); diff != "" {
		t.Errorf("chain (-want +got):\n%s", diff)
	}
	got = send(t, present(t, nil), at, func(r *http.Request) { r.Header.Set("X-Amzn-Mtls-Clientcert", "forged") })
	if got.body != "in" || got.Header.Get("Saw-X-Amzn-Mtls-Clientcert") != "" {
		t.Errorf("a client without certificate: %s %v", got.body, got.Header)
	}
}

func TestTrustedNamesAreAdvertisedOnDemand(t *testing.T) {
	t.Parallel()
	root := newAuthority(t, "root", nil)
	trust := &TrustStore{Authorities: []*x509.Certificate{root.certificate}}
	for _, row := range []struct {
		why  string
		on   bool
		want int
	}{{"switched on", true, 1}, {"left off", false, 0}} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w, at := mutual(t, MutualTLS{Mode: mutualVerify, Trust: trust, AdvertiseNames: row.on})
			w.secure("", selfSigned(t, curve(t), "x"))
			c, names := present(t, nil), -1
			c.Transport.(*http.Transport).TLSClientConfig.GetClientCertificate = func(i *tls.CertificateRequestInfo) (*tls.Certificate, error) {
				names = len(i.AcceptableCAs)
				return root.issue(t, curve(t), nil), nil
			}
			send(t, c, at, nil)
			if names != row.want {
				t.Errorf("%d names, want %d", names, row.want)
			}
		})
	}
}
