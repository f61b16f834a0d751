package dataplane

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func curve(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

func primes(tb testing.TB) crypto.Signer {
	tb.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		tb.Fatal(err)
	}
	return key
}

// selfSigned makes a certificate for names; the subject is the title.
func selfSigned(tb testing.TB, key crypto.Signer, title string, names ...string) *tls.Certificate {
	tb.Helper()
	c := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: title}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		tb.Fatal(err)
	}
	return &tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// secure makes the only listener HTTPS and applies the configuration.
func (w *world) secure(policy string, certificates ...*tls.Certificate) {
	w.t.Helper()
	w.listener().Policy = policies[policy]
	w.listener().Certificates = certificates
	w.apply()
}

// shake makes a TLS connection and gives its state.
func shake(tb testing.TB, address string, c *tls.Config) (tls.ConnectionState, error) {
	tb.Helper()
	c.InsecureSkipVerify = true
	conn, err := (&tls.Dialer{Config: c}).DialContext(tb.Context(), "tcp", address)
	if err != nil {
		return tls.ConnectionState{}, fmt.Errorf("dialling: %w", err)
	}
	defer closeBody(conn)
	secured, ok := conn.(*tls.Conn)
	if !ok {
		tb.Fatal("no TLS connection")
	}
	return secured.ConnectionState(), nil
}

func TestCertificateChoice(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTPS", always(fixedAction("200", "")))
	w.secure("ELBSecurityPolicy-TLS13-1-2-2021-06",
		selfSigned(t, curve(t), "default", "default.test"),
		selfSigned(t, curve(t), "wild", "*.shop.test"),
		selfSigned(t, curve(t), "exact", "a.shop.test", "other.test"),
		selfSigned(t, primes(t), "rsa", "both.test"),
		selfSigned(t, curve(t), "curve", "both.test"),
		selfSigned(t, curve(t), "name.test"),
	)
	onlyRSA := []uint16{tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}
	for _, row := range []struct {
		why, name string
		ciphers   []uint16
		want      string
	}{
		{"no server name", "", nil, "default"},
		{"an unknown name", "unknown.test", nil, "default"},
		{"the default takes part", "default.test", nil, "default"},
		{"exact before wildcard", "a.shop.test", nil, "exact"},
		{"letters do not matter", "A.Shop.Test", nil, "exact"},
		{"a wildcard", "b.shop.test", nil, "wild"},
		{"a wildcard is one label", "b.c.shop.test", nil, "default"},
		{"a wildcard is not the name itself", "shop.test", nil, "default"},
		{"elliptic before RSA", "both.test", nil, "curve"},
		{"RSA for who can do nothing else", "both.test", onlyRSA, "rsa"},
		{"the common name counts", "name.test", nil, "name.test"},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			c := &tls.Config{ServerName: row.name}
			if row.ciphers != nil {
				c.CipherSuites, c.MaxVersion = row.ciphers, tls.VersionTLS12
			}
			state, err := shake(t, at, c)
			if err != nil {
				t.Fatal(err)
			}
			if got := state.PeerCertificates[0].Subject.CommonName; got != row.want {
				t.Errorf("certificate %q, want %q", got, row.want)
			}
		})
	}
}

func TestCertificatesAreReplacedOnTheFly(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTPS", always(fixedAction("200", "")))
	for _, title := range []string{"old", "new"} {
		w.secure("", selfSigned(t, curve(t), title))
		state, err := shake(t, at, &tls.Config{})
		if err != nil {
			t.Fatal(err)
		}
		if got := state.PeerCertificates[0].Subject.CommonName; got != title {
			t.Errorf("certificate %q, want %q", got, title)
		}
	}
	w.listener().Certificates = nil
	if err := w.update(); !errors.Is(err, errNoCertificate) {
		t.Errorf("a listener without certificate: %v", err)
	}
}

func TestHTTP2IsOfferedUnlessSwitchedOff(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTPS", always(fixedAction("200", "")))
	w.secure("", selfSigned(t, curve(t), "x"))
	if got := send(t, client(t, "h2", "http/1.1"), "https://"+at, nil).Proto; got != "HTTP/2.0" {
		t.Errorf("by default a client that can gets %s", got)
	}
	w.config.LoadBalancers[0].Attributes["routing.http2.enabled"] = "false"
	w.apply()
	if got := send(t, client(t, "h2", "http/1.1"), "https://"+at, nil).Proto; got != "HTTP/1.1" {
		t.Errorf("switched off, a client gets %s", got)
	}
}

func TestTLSHeaders(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	w.config.LoadBalancers[0].Attributes["routing.http.x_amzn_tls_version_and_cipher_suite.enabled"] = "true"
	b := newBackend(t, "", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, r.Header.Get("X-Amzn-Tls-Version"), " ", r.Header.Get("My-Suite"), " ", r.Header.Get("X-Forwarded-Proto"))
	})
	w.group(groupARN, nil, b.address)
	at := w.listen("HTTPS", always(forwardTo(groupARN)))
	w.listener().Attributes["routing.http.request.x_amzn_tls_cipher_suite.header_name"] = "My-Suite"
	w.secure("ELBSecurityPolicy-2016-08", selfSigned(t, curve(t), "x"))
	want := "TLSv1.2 ECDHE-ECDSA-AES128-GCM-SHA256 https"
	if diff := cmp.Diff(want, get(t, "https://"+at).body); diff != "" {
		t.Errorf("the target saw (-want +got):\n%s", diff)
	}
}

// secureBackend is a target that speaks TLS with a certificate that nobody trusts.
func secureBackend(tb testing.TB) string {
	tb.Helper()
	server := quietServer(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, "secret ", r.Proto)
	})
	server.EnableHTTP2 = true
	server.StartTLS()
	tb.Cleanup(server.Close)
	return server.Listener.Addr().String()
}

func TestTargetsOverTLSAreNotVerified(t *testing.T) {
	t.Parallel()
	w := newWorld(t, Options{})
	at := w.listen("HTTP", always(forwardTo(groupARN)))
	w.group(groupARN, func(g *TargetGroup) { g.Settings.Protocol = "HTTPS" }, secureBackend(t))
	w.apply()
	if got := get(t, "http://"+at).body; got != "secret HTTP/1.1" {
		t.Errorf("got %q", got)
	}
}
