package elb

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *State) referenceOperations() []wire.Operation {
	return []wire.Operation{
		wire.Reads("DescribeAccountLimits", s.describeAccountLimits),
		wire.Reads("DescribeSSLPolicies", s.describeSSLPolicies),
	}
}

// policy is a security policy: protocol versions and groups of ciphers (ALB user guide, "Security policies").
type policy struct {
	name      string
	protocols []string
	ciphers   []string
}

const (
	policyPrefix = "ELBSecurityPolicy-"

	tls10 = "TLSv1"
	tls11 = "TLSv1.1"
	tls12 = "TLSv1.2"
	tls13 = "TLSv1.3"
)

// ciphers are the groups of ciphers that policies consist of.
type ciphers struct {
	// aes13 and all13 are those of TLS 1.3, without and with ChaCha20.
	aes13, all13 []string
	// restricted, forward and extended0 have forward secrecy; extended1 and extended2 add those without.
	restricted, forward, extended0, extended1, extended2 []string
}

func cipherGroups() ciphers {
	aes13 := []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}
	gcm := []string{
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
	}
	cbc := []string{"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"}
	sha := []string{"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"}
	static := []string{"AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"}
	return ciphers{
		aes13: aes13, all13: slices.Concat(aes13, []string{"TLS_CHACHA20_POLY1305_SHA256"}),
		restricted: gcm, forward: slices.Concat(gcm, cbc), extended0: slices.Concat(gcm, cbc, sha),
		extended1: slices.Concat(gcm, cbc, static), extended2: slices.Concat(gcm, cbc, sha, static, []string{"AES128-SHA", "AES256-SHA"}),
	}
}

// cipherOrder is the order in which AWS lists ciphers.
func cipherOrder() []string {
	return []string{
		"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384", "TLS_CHACHA20_POLY1305_SHA256",
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256",
		"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
		"ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES256-SHA",
		"AES128-GCM-SHA256", "AES128-SHA256", "AES128-SHA", "AES256-GCM-SHA384", "AES256-SHA256", "AES256-SHA", "DES-CBC3-SHA",
	}
}

// policies lists the security policies. The ciphers of the policies with PQ in their name are those of the policy without: what
// they add are key exchange groups.
func policies() []policy {
	return slices.Concat(newerPolicies(cipherGroups()), strictPolicies(cipherGroups()), olderPolicies(cipherGroups()))
}

func newPolicy(name string, protocols []string, groups ...[]string) policy {
	has := slices.Concat(groups...)
	return policy{policyPrefix + name, protocols, slices.DeleteFunc(cipherOrder(), func(c string) bool { return !slices.Contains(has, c) })}
}

func newerPolicies(c ciphers) []policy {
	from13, from12, from11, from10 := []string{tls13}, []string{tls12, tls13}, []string{tls11, tls12, tls13}, []string{tls10, tls11, tls12, tls13}
	list := []policy{
		newPolicy("TLS13-1-1-2021-06", from11, c.all13, c.extended2), newPolicy("TLS13-1-1-FIPS-2023-04", from11, c.aes13, c.extended2),
	}
	for _, year := range []string{"2021-06", "PQ-2025-09"} {
		list = append(list,
			newPolicy("TLS13-1-3-"+year, from13, c.all13), newPolicy("TLS13-1-2-"+year, from12, c.all13, c.forward),
			newPolicy("TLS13-1-2-Res-"+year, from12, c.all13, c.restricted), newPolicy("TLS13-1-2-Ext1-"+year, from12, c.all13, c.extended1),
			newPolicy("TLS13-1-2-Ext2-"+year, from12, c.all13, c.extended2), newPolicy("TLS13-1-0-"+year, from10, c.all13, c.extended2),
		)
	}
	for _, year := range []string{"FIPS-2023-04", "FIPS-PQ-2025-09"} {
		list = append(list,
			newPolicy("TLS13-1-3-"+year, from13, c.aes13), newPolicy("TLS13-1-2-"+year, from12, c.aes13, c.forward),
			newPolicy("TLS13-1-2-Res-"+year, from12, c.aes13, c.restricted), newPolicy("TLS13-1-2-Ext0-"+year, from12, c.aes13, c.extended0),
			newPolicy("TLS13-1-2-Ext1-"+year, from12, c.aes13, c.extended1), newPolicy("TLS13-1-2-Ext2-"+year, from12, c.aes13, c.extended2),
			newPolicy("TLS13-1-0-"+year, from10, c.aes13, c.extended2),
		)
	}
	return list
}

// strictPolicies are those of RFC 9151. The ciphers of the ones for interoperation are believed.
func strictPolicies(c ciphers) []policy {
	only13, from12 := []string{tls13}, []string{tls12, tls13}
	suite := []string{"TLS_AES_256_GCM_SHA384"}
	forward := []string{"ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384"}
	return []policy{
		newPolicy("TLS13-1-3-RFC9151-FIPS-2023-07", only13, suite), newPolicy("TLS13-1-2-RFC9151-FIPS-2023-07", from12, suite, forward),
		newPolicy("TLS13-1-2-Ext0-RFC9151-FIPS-2023-07", from12, suite, forward, []string{"AES256-GCM-SHA384"}),
		newPolicy("TLS13-1-2-RFC9151-INTEROP1-FIPS-2023-07", from12, c.aes13, c.restricted),
		newPolicy("TLS13-1-2-RFC9151-INTEROP2-FIPS-2023-07", from12, c.aes13, c.forward),
		newPolicy("TLS13-1-2-RFC9151-INTEROP3-FIPS-2023-07", from12, c.aes13, c.extended0),
		newPolicy("TLS13-1-2-RFC9151-INTEROP4-FIPS-2023-07", from12, c.aes13, c.extended2),
	}
}

func olderPolicies(c ciphers) []policy {
	from10, from11, only12 := []string{tls10, tls11, tls12}, []string{tls11, tls12}, []string{tls12}
	return []policy{
		newPolicy("2016-08", from10, c.extended2), newPolicy("2015-05", from10, c.extended2),
		newPolicy("TLS-1-0-2015-04", from10, c.extended2, []string{"DES-CBC3-SHA"}), newPolicy("TLS-1-1-2017-01", from11, c.extended2),
		newPolicy("TLS-1-2-2017-01", only12, c.extended1), newPolicy("TLS-1-2-Ext-2018-06", only12, c.extended2),
		newPolicy("FS-2018-06", from10, c.extended0), newPolicy("FS-1-1-2019-08", from11, c.extended0),
		newPolicy("FS-1-2-2019-08", only12, c.extended0), newPolicy("FS-1-2-Res-2019-08", only12, c.forward),
		newPolicy("FS-1-2-Res-2020-10", only12, c.restricted),
	}
}

func knownPolicy(name string) bool {
	return slices.ContainsFunc(policies(), func(p policy) bool { return p.name == name })
}

func (s *State) describeSSLPolicies(in *sdk.DescribeSSLPoliciesInput) (*sdk.DescribeSSLPoliciesOutput, error) {
	for _, name := range in.Names {
		if !knownPolicy(name) {
			return nil, wire.Errorf("SSLPolicyNotFound", "SSL policy '%s' not found", name)
		}
	}
	all := []elbtypes.SslPolicy{}
	for _, p := range policies() {
		if in.Names != nil && !slices.Contains(in.Names, p.name) || in.LoadBalancerType == elbtypes.LoadBalancerTypeEnumGateway {
			continue
		}
		shown := elbtypes.SslPolicy{
			Name: aws.String(p.name), SslProtocols: p.protocols, SupportedLoadBalancerTypes: []string{"application", "network"},
		}
		for i, c := range p.ciphers {
			shown.Ciphers = append(shown.Ciphers, elbtypes.Cipher{Name: aws.String(c), Priority: aws.Int32(int32(i + 1))})
		}
		all = append(all, shown)
	}
	some, next, err := cut(all, in.Marker, in.PageSize)
	return &sdk.DescribeSSLPoliciesOutput{SslPolicies: some, NextMarker: next}, err
}
