package dataplane

import (
	"crypto/tls"
	"slices"
	"testing"
)

// policies are some security policies, with names that AWS has.
var policies = func() map[string]Policy {
	all := map[string]Policy{}
	for _, p := range []Policy{
		{"ELBSecurityPolicy-TLS13-1-3-2021-06", []string{"TLSv1.3"}, []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256"}},
		{"ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", []string{"TLSv1.3"}, []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}},
		{"ELBSecurityPolicy-TLS13-1-2-2021-06", []string{"TLSv1.2", "TLSv1.3"}, []string{
			"TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256",
		}},
		{"ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", []string{"TLSv1.2", "TLSv1.3"}, []string{"TLS_AES_128_GCM_SHA256", "ECDHE-ECDSA-AES128-GCM-SHA256"}},
		{"ELBSecurityPolicy-FS-1-2-Res-2020-10", []string{"TLSv1.2"}, []string{"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256"}},
		{"ELBSecurityPolicy-2016-08", []string{"TLSv1", "TLSv1.1", "TLSv1.2"}, []string{
			"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA", "AES128-SHA",
		}},
	} {
		all[p.Name] = p
	}
	return all
}()

func TestPolicyIsEnforced(t *testing.T) {
	t.Parallel()
	const v10, v11, v12, v13 = tls.VersionTLS10, tls.VersionTLS11, tls.VersionTLS12, tls.VersionTLS13
	for _, row := range []struct {
		why, policy string
		client      *tls.Config
		refused     bool
	}{
		{"TLS 1.1 against a policy from 1.2", "ELBSecurityPolicy-TLS13-1-2-2021-06", &tls.Config{MinVersion: v10, MaxVersion: v11}, true},
		{"TLS 1.2 against a policy from 1.2", "ELBSecurityPolicy-TLS13-1-2-2021-06", &tls.Config{MaxVersion: v12}, false},
		{"TLS 1.2 against a policy from 1.3", "ELBSecurityPolicy-TLS13-1-3-2021-06", &tls.Config{MaxVersion: v12}, true},
		{"TLS 1.3 against a policy up to 1.2", "ELBSecurityPolicy-2016-08", &tls.Config{MinVersion: v13}, true},
		{"TLS 1.0 against a policy from 1.0", "ELBSecurityPolicy-2016-08", &tls.Config{MinVersion: v10, MaxVersion: v10}, false},
		{"a cipher that the policy has", "ELBSecurityPolicy-FS-1-2-Res-2020-10", &tls.Config{MaxVersion: v12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256}}, false},
		{"one that it has not", "ELBSecurityPolicy-FS-1-2-Res-2020-10", &tls.Config{MaxVersion: v12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384}}, true},
		{"a cipher for another version", "ELBSecurityPolicy-FS-1-2-Res-2020-10", &tls.Config{MaxVersion: v12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, true},
		{"a group that withstands quantum computers", "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}, false},
		{"the same, where the policy does not say so", "ELBSecurityPolicy-TLS13-1-2-2021-06", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519MLKEM768}}, true},
		{"FIPS 140 has no X25519", "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519}}, true},
		{"a policy that is not known is not an old one", "nobody", &tls.Config{MinVersion: v10, MaxVersion: v11}, true},
	} {
		t.Run(row.why, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, Options{})
			at := w.listen("HTTPS", always(fixedAction("200", "")))
			w.secure(row.policy, selfSigned(t, curve(t), "x"))
			if _, err := shake(t, at, row.client.Clone()); (err != nil) != row.refused {
				t.Errorf("handshake: %v, want refused %v", err, row.refused)
			}
		})
	}
}

func TestNewestCiphersAreThePolicys(t *testing.T) {
	t.Parallel()
	p := policies["ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04"]
	s := &security{p.config(), p.suites(isNewest)}
	hello := func(suites ...uint16) *tls.ClientHelloInfo {
		return &tls.ClientHelloInfo{SupportedVersions: []uint16{tls.VersionTLS13}, CipherSuites: suites}
	}
	if _, err := s.greet(hello(tls.TLS_CHACHA20_POLY1305_SHA256)); err == nil {
		t.Error("a client with nothing but ChaCha20 got through a policy without it")
	}
	if _, err := s.greet(hello(tls.TLS_CHACHA20_POLY1305_SHA256, tls.TLS_AES_128_GCM_SHA256)); err != nil {
		t.Errorf("a client that has AES too: %v", err)
	}
	if !slices.Equal(s.newest, []uint16{tls.TLS_AES_128_GCM_SHA256, tls.TLS_AES_256_GCM_SHA384}) {
		t.Errorf("ciphers %v", s.newest)
	}
}

func TestCipherNames(t *testing.T) {
	t.Parallel()
	for id, want := range map[uint16]string{
		tls.TLS_AES_128_GCM_SHA256:                        "TLS_AES_128_GCM_SHA256",
		tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384:         "ECDHE-RSA-AES256-GCM-SHA384",
		tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256: "ECDHE-ECDSA-CHACHA20-POLY1305",
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA:            "ECDHE-RSA-AES128-SHA",
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256:         "ECDHE-RSA-AES128-SHA256",
		tls.TLS_RSA_WITH_AES_128_CBC_SHA:                  "AES128-SHA",
		tls.TLS_RSA_WITH_3DES_EDE_CBC_SHA:                 "DES-CBC3-SHA",
	} {
		if got := cipherName(tls.CipherSuiteName(id)); got != want {
			t.Errorf("%s is %q, want %q", tls.CipherSuiteName(id), got, want)
		}
	}
}
