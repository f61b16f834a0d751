package dataplane

import (
	"crypto/tls"
	"errors"
	"slices"
	"strings"
)

var errNoCipher = errors.New("client has no cipher of the security policy")

// version gives the number of a TLS version in AWS's words, or zero.
func version(protocol string) uint16 {
	switch protocol {
	case "TLSv1":
		return tls.VersionTLS10
	case "TLSv1.1":
		return tls.VersionTLS11
	case "TLSv1.2":
		return tls.VersionTLS12
	case "TLSv1.3":
		return tls.VersionTLS13
	default:
		return 0
	}
}

// config gives versions, ciphers and key exchange groups of a policy. Ciphers that the library does not have are left out; a client that
// can only use those is refused, as one that has none in common.
func (p *Policy) config() *tls.Config {
	c := &tls.Config{MinVersion: tls.VersionTLS12, MaxVersion: tls.VersionTLS13}
	if len(p.Protocols) == 0 {
		return c // a policy that is not known must not open old versions
	}
	c.MinVersion, c.MaxVersion = tls.VersionTLS13, tls.VersionTLS10
	for _, name := range p.Protocols {
		if v := version(name); v != 0 {
			c.MinVersion, c.MaxVersion = min(c.MinVersion, v), max(c.MaxVersion, v)
		}
	}
	c.CipherSuites = p.suites(func(id uint16) bool { return !isNewest(id) })
	c.CurvePreferences = p.groups()
	return c
}

// groups are the key exchange groups of a policy. Those that withstand quantum computers are in the policies that say so, and FIPS 140 has
// no X25519.
func (p *Policy) groups() []tls.CurveID {
	var all []tls.CurveID
	if strings.Contains(p.Name, "-PQ-") {
		all = append(all, tls.X25519MLKEM768, tls.SecP256r1MLKEM768, tls.SecP384r1MLKEM1024)
	}
	if !strings.Contains(p.Name, "-FIPS-") {
		all = append(all, tls.X25519)
	}
	return append(all, tls.CurveP256, tls.CurveP384, tls.CurveP521)
}

// suites gives the policy's ciphers of one kind. It is never nil: nil would mean the library's own choice.
func (p *Policy) suites(kind func(uint16) bool) []uint16 {
	all := []uint16{}
	for _, suite := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		if kind(suite.ID) && slices.Contains(p.Ciphers, cipherName(suite.Name)) {
			all = append(all, suite.ID)
		}
	}
	return all
}

// isNewest reports whether a cipher is one of TLS 1.3.
func isNewest(id uint16) bool { return id>>8 == 0x13 }

// cipherName turns the name of a cipher suite into OpenSSL's. Those of TLS 1.3 are the same in both.
func cipherName(name string) string {
	short, ok := strings.CutPrefix(name, "TLS_")
	if !ok || !strings.Contains(short, "_WITH_") {
		return name
	}
	short = strings.TrimPrefix(strings.Replace(short, "_WITH_", "_", 1), "RSA_")
	short = strings.Replace(short, "CHACHA20_POLY1305_SHA256", "CHACHA20_POLY1305", 1)
	short = strings.Replace(short, "_CBC_SHA", "_SHA", 1)
	short = strings.Replace(short, "3DES_EDE_SHA", "DES_CBC3_SHA", 1)
	for _, bits := range []string{"128", "256"} {
		short = strings.ReplaceAll(short, "AES_"+bits, "AES"+bits)
	}
	return strings.ReplaceAll(short, "_", "-")
}
