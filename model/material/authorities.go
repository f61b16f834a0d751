package material

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
)

const (
	// maxAuthority is the largest certificate of an authority that a trust store takes, in bytes (ELB quotas).
	maxAuthority = 16 << 10
	// x509v3 is the version of certificates that can say that they are an authority's.
	x509v3 = 3
)

// Bundle is certificates of authorities.
type Bundle struct {
	// PEM holds them in their order, each once.
	PEM []byte
	// Digest is over them.
	Digest string
}

// Authorities reads the certificates of authorities in PEM, of several texts in their order. The error is a [ProblemError].
func Authorities(texts ...string) (Bundle, error) {
	var all []*x509.Certificate
	for _, text := range texts {
		found, err := authoritiesIn([]byte(text))
		if err != nil {
			return Bundle{}, err
		}
		for _, one := range found {
			if !known(all, one) {
				all = append(all, one)
			}
		}
	}
	return Bundle{PEM: encode(all), Digest: digest(all)}, nil
}

func known(all []*x509.Certificate, one *x509.Certificate) bool {
	for _, o := range all {
		if o.Equal(one) {
			return true
		}
	}
	return false
}

func authoritiesIn(text []byte) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	rest := text
	for {
		var block *pem.Block
		block, rest = pem.Decode(rest)
		if block == nil {
			break
		}
		one, err := authority(block, len(out)+1)
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	switch {
	case len(out) == 0:
		return nil, problem("there is no certificate in PEM; write those of the authorities that sign clients' certificates")
	case bytes.Count(text, []byte("-----BEGIN ")) > len(out):
		return nil, problem("only %d of its blocks can be read as PEM; write each as the authority gave it", len(out))
	}
	return out, nil
}

func authority(block *pem.Block, number int) (*x509.Certificate, error) {
	if block.Type != "CERTIFICATE" {
		return nil, problem("block %d is of type %s; write certificates only", number, block.Type)
	}
	one, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil || one.Version != x509v3:
		return nil, problem("certificate %d cannot be read as X.509v3; write PEM as the authority gave it", number)
	case !one.IsCA:
		return nil, problem("certificate %d is not that of an authority (%s); write the one that signed it", number, one.Subject)
	case len(block.Bytes) > maxAuthority:
		return nil, problem("certificate %d is larger than AWS takes", number)
	}
	return one, nil
}
