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

// policies lists the security policies. The ciphers of the policies with PQ in their name are those of the policy without: what
// they add are key exchange groups.
func policies() []policy {
	const (
		prefix = "ELBSecurityPolicy-"
		v10    = "TLSv1"
		v11    = "TLSv1.1"
		v12    = "TLSv1.2"
		v13    = "TLSv1.3"
	)
	aes13 := []string{"TLS_AES_128_GCM_SHA256", "TLS_AES_256_GCM_SHA384"}
	all13 := append(slices.Clone(aes13), "TLS_CHACHA20_POLY1305_SHA256")
	forwardGCM := []string{
		"ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384", "ECDHE-RSA-AES256-GCM-SHA384",
	}
	forwardSHA2 := []string{"ECDHE-ECDSA-AES128-SHA256", "ECDHE-RSA-AES128-SHA256", "ECDHE-ECDSA-AES256-SHA384", "ECDHE-RSA-AES256-SHA384"}
	forwardSHA := []string{"ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA", "ECDHE-ECDSA-AES256-SHA"}
	staticSHA2 := []string{"AES128-GCM-SHA256", "AES128-SHA256", "AES256-GCM-SHA384", "AES256-SHA256"}
	staticSHA := []string{"AES128-SHA", "AES256-SHA"}

	restricted := forwardGCM
	forward := slices.Concat(forwardGCM, forwardSHA2)
	extended0 := slices.Concat(forward, forwardSHA)
	extended1 := slices.Concat(forward, staticSHA2)
	extended2 := slices.Concat(forward, forwardSHA, staticSHA2, staticSHA)

	var list []policy
	add := func(name string, protocols []string, ciphers ...[]string) {
		list = append(list, policy{prefix + name, protocols, slices.Concat(ciphers...)})
	}
	from12, from11, from10 := []string{v12, v13}, []string{v11, v12, v13}, []string{v10, v11, v12, v13}
	for _, year := range []string{"2021-06", "PQ-2025-09"} {
		add("TLS13-1-3-"+year, []string{v13}, all13)
		add("TLS13-1-2-"+year, from12, all13, forward)
		add("TLS13-1-2-Res-"+year, from12, all13, restricted)
		add("TLS13-1-2-Ext1-"+year, from12, all13, extended1)
		add("TLS13-1-2-Ext2-"+year, from12, all13, extended2)
		add("TLS13-1-0-"+year, from10, all13, extended2)
	}
	add("TLS13-1-1-2021-06", from11, all13, extended2)
	for _, year := range []string{"FIPS-2023-04", "FIPS-PQ-2025-09"} {
		add("TLS13-1-3-"+year, []string{v13}, aes13)
		add("TLS13-1-2-"+year, from12, aes13, forward)
		add("TLS13-1-2-Res-"+year, from12, aes13, restricted)
		add("TLS13-1-2-Ext0-"+year, from12, aes13, extended0)
		add("TLS13-1-2-Ext1-"+year, from12, aes13, extended1)
		add("TLS13-1-2-Ext2-"+year, from12, aes13, extended2)
		add("TLS13-1-0-"+year, from10, aes13, extended2)
	}
	add("TLS13-1-1-FIPS-2023-04", from11, aes13, extended2)
	to12 := []string{v10, v11, v12}
	add("2016-08", to12, extended2)
	add("2015-05", to12, extended2)
	add("TLS-1-0-2015-04", to12, extended2, []string{"DES-CBC3-SHA"})
	add("TLS-1-1-2017-01", []string{v11, v12}, extended2)
	add("TLS-1-2-2017-01", []string{v12}, extended1)
	add("TLS-1-2-Ext-2018-06", []string{v12}, extended2)
	add("FS-2018-06", to12, extended0)
	add("FS-1-1-2019-08", []string{v11, v12}, extended0)
	add("FS-1-2-2019-08", []string{v12}, extended0)
	add("FS-1-2-Res-2019-08", []string{v12}, forward)
	add("FS-1-2-Res-2020-10", []string{v12}, restricted)
	return list
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
