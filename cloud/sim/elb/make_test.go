package elb_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	ec2types "github.com/aws/aws-sdk-go-v2/service/ec2/types"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

func (w *world) balancerInput(name string) *sdk.CreateLoadBalancerInput {
	return &sdk.CreateLoadBalancerInput{Name: aws.String(name), Subnets: w.PublicSubnets}
}

// balancer makes an internet-facing application load balancer and gives its ARN.
func (w *world) balancer(name string, change ...func(*sdk.CreateLoadBalancerInput)) *string {
	w.Helper()
	in := w.balancerInput(name)
	for _, c := range change {
		c(in)
	}
	return have(w, w.api.CreateLoadBalancer, in).LoadBalancers[0].LoadBalancerArn
}

func network(in *sdk.CreateLoadBalancerInput) { in.Type = elbtypes.LoadBalancerTypeEnumNetwork }

func gateway(in *sdk.CreateLoadBalancerInput) { in.Type = elbtypes.LoadBalancerTypeEnumGateway }

// fours makes subnets without IPv6 blocks, one in each of two zones of the seeded VPC.
func (w *world) fours() []string {
	w.Helper()
	var all []string
	for i, zone := range []string{"a", "b"} {
		made := beside[ec2.CreateSubnetOutput](w, w.network.Service(), "CreateSubnet", &ec2.CreateSubnetInput{
			VpcId: aws.String(w.VPC), CidrBlock: aws.String(fmt.Sprintf("10.0.%d.0/24", 200+i)), AvailabilityZone: aws.String(region + zone),
		})
		all = append(all, *made.Subnet.SubnetId)
	}
	return all
}

// pool makes a pool of IPAM with public addresses of a family and a locale.
func (w *world) pool(family ec2types.AddressFamily, locale string) *elbtypes.IpamPools {
	w.Helper()
	service := w.network.Service()
	held := beside[ec2.DescribeIpamsOutput](w, service, "DescribeIpams", &ec2.DescribeIpamsInput{}).Ipams
	if len(held) == 0 {
		held = append(held, *beside[ec2.CreateIpamOutput](w, service, "CreateIpam", &ec2.CreateIpamInput{}).Ipam)
	}
	made := beside[ec2.CreateIpamPoolOutput](w, service, "CreateIpamPool", &ec2.CreateIpamPoolInput{
		IpamScopeId: held[0].PublicDefaultScopeId, AddressFamily: family, Locale: &locale, PublicIpSource: ec2types.IpamPoolPublicIpSourceAmazon,
	})
	return &elbtypes.IpamPools{Ipv4IpamPoolId: made.IpamPool.IpamPoolId}
}

// publicPool makes a pool that load balancers can use.
func (w *world) publicPool() *elbtypes.IpamPools { return w.pool(ec2types.AddressFamilyIpv4, region) }

// outpost makes a subnet on an Outpost, and a pool of customer-owned addresses with a block, or without.
func (w *world) outpost(blocks ...string) (subnet, pool *string) {
	w.Helper()
	made := beside[ec2.CreateSubnetOutput](w, w.network.Service(), "CreateSubnet", &ec2.CreateSubnetInput{
		VpcId: aws.String(w.VPC), CidrBlock: aws.String("10.0.210.0/24"), AvailabilityZone: aws.String(region + "a"),
		OutpostArn: aws.String("arn:aws:outposts:" + region + ":" + number + ":outpost/op-0a1b2c3d4e5f60001"),
	})
	pool = beside[ec2.CreateCoipPoolOutput](w, w.network.Service(), "CreateCoipPool", &ec2.CreateCoipPoolInput{
		LocalGatewayRouteTableId: aws.String("lgw-rtb-0a1b2c3d4e5f60001"),
	}).CoipPool.PoolId
	for _, block := range blocks {
		beside[ec2.CreateCoipCidrOutput](w, w.network.Service(), "CreateCoipCidr", &ec2.CreateCoipCidrInput{CoipPoolId: pool, Cidr: aws.String(block)})
	}
	return made.Subnet.SubnetId, pool
}

// dual makes a network load balancer in dual-stack mode, with source NAT prefixes.
func (w *world) dual(name string) *string {
	return w.balancer(name, network, func(in *sdk.CreateLoadBalancerInput) {
		in.IpAddressType, in.EnablePrefixForIpv6SourceNat = elbtypes.IpAddressTypeDualstack, elbtypes.EnablePrefixForIpv6SourceNatEnumOn
	})
}

// small makes a subnet with too few addresses, in the first zone.
func (w *world) small() string {
	return *beside[ec2.CreateSubnetOutput](w, w.network.Service(), "CreateSubnet", &ec2.CreateSubnetInput{
		VpcId: aws.String(w.VPC), CidrBlock: aws.String("10.0.220.0/28"), AvailabilityZone: aws.String(region + "a"),
	}).Subnet.SubnetId
}

// elastic allocates an Elastic IP address.
func (w *world) elastic() *string {
	return beside[ec2.AllocateAddressOutput](w, w.network.Service(), "AllocateAddress", &ec2.AllocateAddressInput{Domain: ec2types.DomainTypeVpc}).AllocationId
}

func (w *world) groupInput(name string) *sdk.CreateTargetGroupInput {
	return &sdk.CreateTargetGroupInput{
		Name: aws.String(name), Protocol: elbtypes.ProtocolEnumHttp, Port: aws.Int32(80), VpcId: aws.String(w.VPC), TargetType: elbtypes.TargetTypeEnumIp,
	}
}

// group makes an HTTP target group of addresses and gives its ARN.
func (w *world) group(name string, change ...func(*sdk.CreateTargetGroupInput)) *string {
	w.Helper()
	in := w.groupInput(name)
	for _, c := range change {
		c(in)
	}
	return have(w, w.api.CreateTargetGroup, in).TargetGroups[0].TargetGroupArn
}

// speaking sets the protocol of a target group.
func speaking(p elbtypes.ProtocolEnum) func(*sdk.CreateTargetGroupInput) {
	return func(in *sdk.CreateTargetGroupInput) { in.Protocol = p }
}

func lambda(in *sdk.CreateTargetGroupInput) {
	*in = sdk.CreateTargetGroupInput{Name: in.Name, TargetType: elbtypes.TargetTypeEnumLambda}
}

// fixed is an action that needs nothing.
func fixed() []elbtypes.Action {
	return []elbtypes.Action{{
		Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("404")},
	}}
}

// forward sends to groups, in equal parts.
func forward(groups ...*string) []elbtypes.Action {
	c := &elbtypes.ForwardActionConfig{}
	for _, g := range groups {
		c.TargetGroups = append(c.TargetGroups, elbtypes.TargetGroupTuple{TargetGroupArn: g, Weight: aws.Int32(1)})
	}
	return []elbtypes.Action{{Type: elbtypes.ActionTypeEnumForward, ForwardConfig: c}}
}

func listenerInput(lb *string, actions []elbtypes.Action) *sdk.CreateListenerInput {
	return &sdk.CreateListenerInput{LoadBalancerArn: lb, Port: aws.Int32(80), Protocol: elbtypes.ProtocolEnumHttp, DefaultActions: actions}
}

// listener makes a listener, of HTTP on port 80 unless it is changed, and gives its ARN.
func (w *world) listener(lb *string, actions []elbtypes.Action, change ...func(*sdk.CreateListenerInput)) *string {
	w.Helper()
	in := listenerInput(lb, actions)
	for _, c := range change {
		c(in)
	}
	return have(w, w.api.CreateListener, in).Listeners[0].ListenerArn
}

// on sets protocol and port of a listener.
func on(p elbtypes.ProtocolEnum, port int32) func(*sdk.CreateListenerInput) {
	return func(in *sdk.CreateListenerInput) { in.Protocol, in.Port = p, aws.Int32(port) }
}

// secured gives a listener HTTPS and a certificate.
func (w *world) secured(in *sdk.CreateListenerInput) {
	in.Protocol, in.Certificates = elbtypes.ProtocolEnumHttps, []elbtypes.Certificate{{CertificateArn: w.certificate("example.com")}}
}

func path(value string) []elbtypes.RuleCondition {
	return []elbtypes.RuleCondition{{Field: aws.String("path-pattern"), Values: []string{value}}}
}

func ruleInput(listener *string, priority int32, actions []elbtypes.Action) *sdk.CreateRuleInput {
	return &sdk.CreateRuleInput{ListenerArn: listener, Priority: aws.Int32(priority), Conditions: path("/a"), Actions: actions}
}

// rule makes a rule and gives its ARN.
func (w *world) rule(listener *string, priority int32, actions []elbtypes.Action) *string {
	w.Helper()
	return have(w, w.api.CreateRule, ruleInput(listener, priority, actions)).Rules[0].RuleArn
}

// byDefault gives the ARN of the default rule of a listener.
func (w *world) byDefault(listener *string) *string {
	w.Helper()
	rules := have(w, w.api.DescribeRules, &sdk.DescribeRulesInput{ListenerArn: listener}).Rules
	return rules[len(rules)-1].RuleArn
}

// certificate imports a certificate into ACM and gives its ARN.
func (w *world) certificate(name string) *string {
	w.Helper()
	c := sign(w, &x509.Certificate{DNSNames: []string{name}, Subject: pkix.Name{CommonName: name}}, nil)
	raw, err := x509.MarshalPKCS8PrivateKey(c.key)
	if err != nil {
		w.Fatal(err)
	}
	return beside[acm.ImportCertificateOutput](w, w.certs.Service(), "ImportCertificate", &acm.ImportCertificateInput{
		Certificate: c.pem, PrivateKey: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw}),
	}).CertificateArn
}

// signed is a certificate with its key.
type signed struct {
	*x509.Certificate

	key *ecdsa.PrivateKey
	pem []byte
}

// sign makes a certificate that is valid around the wall clock too, since ACM's clock is the world's: one signed by itself without a parent.
func sign(tb testing.TB, template *x509.Certificate, parent *signed) *signed {
	tb.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		tb.Fatal(err)
	}
	template.SerialNumber, template.BasicConstraintsValid = big.NewInt(time.Now().UnixNano()), true
	template.NotBefore, template.NotAfter = time.Unix(0, 0), time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)
	if template.Subject.CommonName == "" {
		template.Subject = pkix.Name{CommonName: "test"}
	}
	issuer, with := template, key
	if parent != nil {
		issuer, with = parent.Certificate, parent.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, issuer, &key.PublicKey, with)
	if err != nil {
		tb.Fatal(err)
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		tb.Fatal(err)
	}
	return &signed{made, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

func authority(tb testing.TB) *signed {
	tb.Helper()
	return sign(tb, &x509.Certificate{IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}, nil)
}

// revokes makes a revocation list of so many entries.
func (c *signed) revokes(tb testing.TB, entries int) []byte {
	tb.Helper()
	list := &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: time.Unix(0, 0), NextUpdate: time.Date(2099, 1, 1, 0, 0, 0, 0, time.UTC)}
	for i := range entries {
		list.RevokedCertificateEntries = append(list.RevokedCertificateEntries, x509.RevocationListEntry{
			SerialNumber: big.NewInt(int64(i + 1)), RevocationTime: time.Unix(0, 0),
		})
	}
	der, err := x509.CreateRevocationList(rand.Reader, list, c.Certificate, c.key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
}

func storeInput(name string) *sdk.CreateTrustStoreInput {
	return &sdk.CreateTrustStoreInput{Name: aws.String(name), CaCertificatesBundleS3Bucket: aws.String("b"), CaCertificatesBundleS3Key: aws.String("ca.pem")}
}

// store makes a trust store of one authority, whose list of two revoked certificates is at b/crl.pem, and gives its ARN.
func (w *world) store(name string) *string {
	w.Helper()
	ca := authority(w)
	w.objects["b/ca.pem"], w.objects["b/crl.pem"] = ca.pem, ca.revokes(w, 2)
	return have(w, w.api.CreateTrustStore, storeInput(name)).TrustStores[0].TrustStoreArn
}

// verifying makes clients of a listener show certificates of a trust store.
func verifying(store *string) *elbtypes.MutualAuthenticationAttributes {
	return &elbtypes.MutualAuthenticationAttributes{Mode: aws.String("verify"), TrustStoreArn: store}
}

func revoked(key string) []elbtypes.RevocationContent {
	return []elbtypes.RevocationContent{{S3Bucket: aws.String("b"), S3Key: aws.String(key)}}
}

// address is a target of the VPC.
func address(last int, port int32) elbtypes.TargetDescription {
	return elbtypes.TargetDescription{Id: aws.String(fmt.Sprintf("10.0.%d.%d", 128+last/200, 10+last%200)), Port: aws.Int32(port)}
}

// targets are so many ports of one address.
func targets(count int) []elbtypes.TargetDescription {
	var all []elbtypes.TargetDescription
	for i := range count {
		all = append(all, address(0, int32(1000+i)))
	}
	return all
}

func (w *world) register(group *string, all ...elbtypes.TargetDescription) {
	w.Helper()
	have(w, w.api.RegisterTargets, &sdk.RegisterTargetsInput{TargetGroupArn: group, Targets: all})
}

func tags(count int) []elbtypes.Tag {
	var all []elbtypes.Tag
	for i := range count {
		all = append(all, elbtypes.Tag{Key: aws.String(fmt.Sprint("k", i)), Value: aws.String("v")})
	}
	return all
}

func twice() []elbtypes.Tag { return append(tags(1), tags(1)...) }

// not gives an ARN that nothing has.
func not(arn *string) *string { return aws.String(*arn + "0") }
