package elb

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// Limits of what trust stores hold (ALB user guide, "Quotas").
const (
	maxAuthority  = 16 << 10
	maxRevocation = 50 << 20
)

func badBundle(format string, args ...any) error {
	return wire.Errorf("InvalidCaCertificatesBundle", format, args...)
}

// readAuthorities reads a bundle: certificates of authorities in PEM, and nothing else.
func readAuthorities(bundle []byte, most int) ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for rest := bundle; ; {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			if len(bytes.TrimSpace(rest)) > 0 {
				return nil, badBundle("The CA certificates bundle is not in PEM format")
			}
			break
		}
		c, err := readAuthority(block)
		if err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	if len(all) == 0 {
		return nil, badBundle("The CA certificates bundle has no certificate")
	}
	if len(all) > most {
		return nil, badBundle("The CA certificates bundle has more than '%d' certificates", most)
	}
	return all, nil
}

func readAuthority(block *pem.Block) (*x509.Certificate, error) {
	if block.Type != "CERTIFICATE" {
		return nil, badBundle("The CA certificates bundle has a block of type '%s'", block.Type)
	}
	if len(block.Bytes) > maxAuthority {
		return nil, badBundle("A certificate of the CA certificates bundle is larger than '%d' bytes", maxAuthority)
	}
	const version3 = 3
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil || c.Version != version3 {
		return nil, badBundle("The CA certificates bundle has a certificate that is not X.509v3")
	}
	if !c.IsCA {
		return nil, badBundle("The certificate '%s' of the CA certificates bundle is not that of a certificate authority", c.Subject)
	}
	return c, nil
}

func badRevocation(format string, args ...any) error {
	return wire.Errorf("InvalidRevocationContent", format, args...)
}

// readRevocationList reads one certificate revocation list in PEM.
func readRevocationList(content []byte) (*x509.RevocationList, error) {
	if len(content) > maxRevocation {
		return nil, badRevocation("The revocation file is larger than '%d' bytes", maxRevocation)
	}
	block, rest := pem.Decode(content)
	if block == nil || block.Type != "X509 CRL" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, badRevocation("The revocation file is not one certificate revocation list in PEM format")
	}
	list, err := x509.ParseRevocationList(block.Bytes)
	if err != nil {
		return nil, badRevocation("The revocation file cannot be read as a certificate revocation list")
	}
	switch list.SignatureAlgorithm {
	case x509.UnknownSignatureAlgorithm, x509.MD2WithRSA, x509.MD5WithRSA, x509.SHA1WithRSA, x509.DSAWithSHA1, x509.DSAWithSHA256, x509.ECDSAWithSHA1:
		return nil, badRevocation("The signature algorithm '%s' of the revocation file is not supported", list.SignatureAlgorithm)
	default:
		return list, nil
	}
}
