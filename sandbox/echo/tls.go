package echo

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"time"
)

const certificateLifetime = 10 * 365 * 24 * time.Hour

// tlsAnswer tells what the pod saw of the TLS connection.
type tlsAnswer struct {
	Version            string   `json:"version"`
	PeerCertificates   []string `json:"peerCertificates,omitempty"`
	ServerName         string   `json:"serverName"`
	NegotiatedProtocol string   `json:"negotiatedProtocol,omitempty"`
	CipherSuite        string   `json:"cipherSuite"`
}

// tlsAnswerOf is nil for a connection in the clear.
func tlsAnswerOf(state *tls.ConnectionState) *tlsAnswer {
	if state == nil {
		return nil
	}
	return &tlsAnswer{
		Version: tlsVersion(state.Version), ServerName: state.ServerName,
		NegotiatedProtocol: state.NegotiatedProtocol, CipherSuite: tls.CipherSuiteName(state.CipherSuite),
		PeerCertificates: pemOf(state.PeerCertificates),
	}
}

func pemOf(certificates []*x509.Certificate) []string {
	var texts []string
	for _, certificate := range certificates {
		texts = append(texts, string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate.Raw})))
	}
	return texts
}

// selfSigned makes the certificate of a backend that was given none. Load balancers do not verify it.
func selfSigned(name string) (*tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating a key: %w", err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"backend"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(certificateLifetime),
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("signing a certificate: %w", err)
	}
	return &tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}, nil
}
