package elb_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/headgate/headgate/cloud/sim/elb"
)

func (w *world) trustStore(arn *string) elbtypes.TrustStore {
	w.Helper()
	return have(w, w.api.DescribeTrustStores, &sdk.DescribeTrustStoresInput{TrustStoreArns: []string{*arn}}).TrustStores[0]
}

func TestTrustStoreLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, func(o *elb.Options) { o.TrustStore = 0 })
	arn := w.store("trust")
	if s := w.trustStore(arn); s.Status != elbtypes.TrustStoreStatusCreating {
		t.Errorf("at first it is %s", s.Status)
	}
	w.pass(5 * time.Second)
	add := &sdk.AddTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationContents: append(revoked("crl.pem"), revoked("crl.pem")...)}
	added := have(w, w.api.AddTrustStoreRevocations, add).TrustStoreRevocations
	if len(added) != 2 || *added[0].RevocationId != 1 || *added[1].RevocationId != 2 || *added[1].NumberOfRevokedEntries != 2 || added[1].RevocationType != "CRL" {
		t.Errorf("added: %+v", added)
	}
	have(w, w.api.RemoveTrustStoreRevocations, &sdk.RemoveTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationIds: []int64{2}})
	if again := have(w, w.api.AddTrustStoreRevocations, add).TrustStoreRevocations; *again[0].RevocationId != 3 {
		t.Errorf("the identifier %d was used before", *again[0].RevocationId)
	}
	one, two := authority(t), authority(t)
	w.objects["b/two.pem"] = slices.Concat([]byte("one\n"), one.pem, []byte("\n"), two.pem)
	modified := have(w, w.api.ModifyTrustStore, &sdk.ModifyTrustStoreInput{
		TrustStoreArn: arn, CaCertificatesBundleS3Bucket: aws.String("b"), CaCertificatesBundleS3Key: aws.String("two.pem"),
	}).TrustStores[0]
	want := elbtypes.TrustStore{
		Name: aws.String("trust"), TrustStoreArn: arn, Status: elbtypes.TrustStoreStatusActive, NumberOfCaCertificates: aws.Int32(2), TotalRevokedEntries: aws.Int64(6),
	}
	if diff := cmp.Diff(want, modified, cmpopts.IgnoreUnexported(elbtypes.TrustStore{})); diff != "" {
		t.Error(diff)
	}
	location := *have(w, w.api.GetTrustStoreCaCertificatesBundle, &sdk.GetTrustStoreCaCertificatesBundleInput{TrustStoreArn: arn}).Location
	if !strings.HasPrefix(location, "https://b.s3.us-west-2.amazonaws.com/two.pem?") || !strings.Contains(location, "X-Amz-Expires=600") {
		t.Errorf("the bundle is at %s", location)
	}
	for kind, s := range map[string]string{"bucket": "b/ca.pem", "list": "b/crl.pem"} {
		delete(w.objects, s)
		if total := *w.trustStore(arn).TotalRevokedEntries; total != 6 {
			t.Errorf("without its %s the store has %d entries", kind, total)
		}
	}
}

func TestTrustStoreInUse(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, arn := w.balancer("a"), w.store("trust")
	listener := w.listener(lb, fixed(), w.secured, func(in *sdk.CreateListenerInput) { in.MutualAuthentication = verifying(arn) })
	described := have(w, w.api.DescribeListeners, &sdk.DescribeListenersInput{ListenerArns: []string{*listener}}).Listeners[0]
	want := &elbtypes.MutualAuthenticationAttributes{
		Mode: aws.String("verify"), TrustStoreArn: arn, IgnoreClientCertificateExpiry: aws.Bool(false), AdvertiseTrustStoreCaNames: "off",
	}
	if diff := cmp.Diff(want, described.MutualAuthentication, cmpopts.IgnoreUnexported(elbtypes.MutualAuthenticationAttributes{})); diff != "" {
		t.Error(diff)
	}
	associated := have(w, w.api.DescribeTrustStoreAssociations, &sdk.DescribeTrustStoreAssociationsInput{TrustStoreArn: arn}).TrustStoreAssociations
	if len(associated) != 1 || *associated[0].ResourceArn != *lb {
		t.Errorf("associations: %+v", associated)
	}
	before := w.state.LoadBalancers()[0].Listeners[0].MutualTLS
	if before.Trust == nil || len(before.Trust.Authorities) != 1 || len(before.Trust.Revocations) != 0 {
		t.Fatalf("the data plane has %+v", before)
	}
	have(w, w.api.AddTrustStoreRevocations, &sdk.AddTrustStoreRevocationsInput{TrustStoreArn: arn, RevocationContents: revoked("crl.pem")})
	if after := w.state.LoadBalancers()[0].Listeners[0].MutualTLS; after.Trust == before.Trust || len(after.Trust.Revocations) != 1 {
		t.Error("the data plane does not see the revocations")
	}
	have(w, w.api.ModifyListener, &sdk.ModifyListenerInput{
		ListenerArn: listener, MutualAuthentication: &elbtypes.MutualAuthenticationAttributes{Mode: aws.String("off")},
	})
	have(w, w.api.DeleteTrustStore, &sdk.DeleteTrustStoreInput{TrustStoreArn: arn})
	if again := w.store("trust"); *again == *arn {
		t.Error("the new store has the ARN of the old one")
	}
}

func TestCapacityLife(t *testing.T) {
	t.Parallel()
	w := newWorld(t, reservable)
	lb := w.balancer("a")
	describe := func() *sdk.DescribeCapacityReservationOutput {
		return have(w, w.api.DescribeCapacityReservation, &sdk.DescribeCapacityReservationInput{LoadBalancerArn: lb})
	}
	if d := describe(); d.MinimumLoadBalancerCapacity != nil || d.LastModifiedTime != nil || *d.DecreaseRequestsRemaining != 2 || len(d.CapacityReservationState) != 0 {
		t.Errorf("before: %+v", d)
	}
	have(w, w.api.ModifyCapacityReservation, reserve(lb, 300))
	if d := describe(); len(d.CapacityReservationState) != 3 || d.CapacityReservationState[0].State.Code != "pending" || d.CapacityReservationState[0].EffectiveCapacityUnits != nil {
		t.Errorf("pending: %+v", d)
	}
	w.pass(time.Minute)
	if d := describe(); d.CapacityReservationState[0].State.Code != "provisioned" || *d.CapacityReservationState[0].EffectiveCapacityUnits != 100 {
		t.Errorf("provisioned: %+v", d)
	}
	reset := have(w, w.api.ModifyCapacityReservation, &sdk.ModifyCapacityReservationInput{LoadBalancerArn: lb, ResetCapacityReservation: aws.Bool(true)})
	if *reset.DecreaseRequestsRemaining != 1 || *reset.MinimumLoadBalancerCapacity.CapacityUnits != 0 {
		t.Errorf("reset: %+v", reset)
	}
	w.pass(time.Minute)
	if d := describe(); d.MinimumLoadBalancerCapacity != nil || d.LastModifiedTime == nil {
		t.Errorf("given back: %+v", d)
	}
	w.pass(24 * time.Hour)
	if left := *describe().DecreaseRequestsRemaining; left != 2 {
		t.Errorf("a day later %d decreases are left", left)
	}
}

// TestElasticAddressesAreFreed moves a load balancer away from an address, which another one can have once the interface is gone.
func TestElasticAddressesAreFreed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	address := w.elastic()
	static := func(in *sdk.CreateLoadBalancerInput) {
		in.Subnets, in.SubnetMappings = nil, []elbtypes.SubnetMapping{{SubnetId: &w.PublicSubnets[0], AllocationId: address}}
	}
	first := w.balancer("first", network, static)
	have(w, w.api.SetSubnets, &sdk.SetSubnetsInput{LoadBalancerArn: first, Subnets: w.PublicSubnets[1:2]})
	w.pass(time.Minute)
	second := w.balancer("second", network, static)
	held := have(w, w.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{LoadBalancerArns: []string{*second}}).LoadBalancers[0].AvailabilityZones[0]
	if a := held.LoadBalancerAddresses; len(a) != 1 || *a[0].AllocationId != *address || a[0].IpAddress == nil {
		t.Errorf("addresses: %+v", a)
	}
	have(w, w.api.DeleteLoadBalancer, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: second})
	w.pass(time.Minute)
	w.balancer("third", network, static)
}

// TestBalancerBehindDrains deletes what is behind a network load balancer when it has drained, though nobody looked.
func TestBalancerBehindDrains(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb, _ := behind(w)
	group := have(w, w.api.DescribeTargetGroups, &sdk.DescribeTargetGroupsInput{Names: []string{"behind"}}).TargetGroups[0].TargetGroupArn
	w.listener(w.balancer("n", network), forward(group), on("TCP", 80))
	have(w, w.api.DeregisterTargets, &sdk.DeregisterTargetsInput{TargetGroupArn: group, Targets: []elbtypes.TargetDescription{{Id: lb}}})
	remove := func() string {
		return codeOf(ask(w, w.api.DeleteLoadBalancer, &sdk.DeleteLoadBalancerInput{LoadBalancerArn: lb}))
	}
	if code := remove(); code != "ResourceInUse" {
		t.Errorf("while it drains: %q", code)
	}
	w.pass(5 * time.Minute)
	if code := remove(); code != "" {
		t.Errorf("when it has drained: %q", code)
	}
}

func TestSourceNatPrefixes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lb := have(w, w.api.DescribeLoadBalancers, &sdk.DescribeLoadBalancersInput{LoadBalancerArns: []string{*w.dual("d")}}).LoadBalancers[0]
	for _, z := range lb.AvailabilityZones {
		if len(z.SourceNatIpv6Prefixes) != 1 || !strings.HasSuffix(z.SourceNatIpv6Prefixes[0], "/80") {
			t.Errorf("%s sends from %v", *z.ZoneName, z.SourceNatIpv6Prefixes)
		}
	}
	off := &sdk.SetSubnetsInput{LoadBalancerArn: lb.LoadBalancerArn, EnablePrefixForIpv6SourceNat: "off"}
	for _, z := range lb.AvailabilityZones {
		off.Subnets = append(off.Subnets, *z.SubnetId)
	}
	if out := have(w, w.api.SetSubnets, off); out.EnablePrefixForIpv6SourceNat != "off" || out.AvailabilityZones[0].SourceNatIpv6Prefixes != nil {
		t.Errorf("switched off: %+v", out)
	}
}

func TestHealthTellsMoreWhenAsked(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	group, lb := w.group("g"), w.balancer("a")
	w.listener(lb, forward(group))
	w.register(group, address(1, 80))
	describe := func(include ...elbtypes.DescribeTargetHealthInputIncludeEnum) elbtypes.TargetHealthDescription {
		return have(w, w.api.DescribeTargetHealth, &sdk.DescribeTargetHealthInput{TargetGroupArn: group, Include: include}).TargetHealthDescriptions[0]
	}
	if d := describe(); d.AnomalyDetection != nil || d.AdministrativeOverride != nil {
		t.Errorf("unasked: %+v", d)
	}
	if d := describe("AnomalyDetection"); d.AnomalyDetection == nil || d.AnomalyDetection.Result != "normal" {
		t.Errorf("asked: %+v", d.AnomalyDetection)
	}
	have(w, w.api.ModifyLoadBalancerAttributes, balancerAttribute(lb, "zonal_shift.config.enabled", "true"))
	if d := describe(); d.AdministrativeOverride == nil || d.AdministrativeOverride.State != "no_override" {
		t.Errorf("with zonal shift: %+v", d.AdministrativeOverride)
	}
}

func TestSSLPolicies(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	byName := map[string]elbtypes.SslPolicy{}
	for _, p := range have(w, w.api.DescribeSSLPolicies, &sdk.DescribeSSLPoliciesInput{}).SslPolicies {
		byName[*p.Name] = p
	}
	const policies = 46
	if len(byName) != policies {
		t.Errorf("%d policies, want %d", len(byName), policies)
	}
	for _, row := range []struct{ why, name, protocols, ciphers string }{
		{"CBC stands between the modes of GCM, as AWS lists it", "ELBSecurityPolicy-TLS-1-2-2017-01", "TLSv1.2", "ECDHE-ECDSA-AES128-GCM-SHA256 " +
			"ECDHE-RSA-AES128-GCM-SHA256 ECDHE-ECDSA-AES128-SHA256 ECDHE-RSA-AES128-SHA256 ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384 " +
			"ECDHE-ECDSA-AES256-SHA384 ECDHE-RSA-AES256-SHA384 AES128-GCM-SHA256 AES128-SHA256 AES256-GCM-SHA384 AES256-SHA256"},
		{"only TLS 1.3", "ELBSecurityPolicy-TLS13-1-3-2021-06", "TLSv1.3", "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384 TLS_CHACHA20_POLY1305_SHA256"},
		{"no ChaCha20 with FIPS", "ELBSecurityPolicy-TLS13-1-3-FIPS-2023-04", "TLSv1.3", "TLS_AES_128_GCM_SHA256 TLS_AES_256_GCM_SHA384"},
		{"strict RFC 9151", "ELBSecurityPolicy-TLS13-1-2-RFC9151-FIPS-2023-07", "TLSv1.2 TLSv1.3", "TLS_AES_256_GCM_SHA384 " +
			"ECDHE-ECDSA-AES256-GCM-SHA384 ECDHE-RSA-AES256-GCM-SHA384"},
	} {
		p := byName[row.name]
		var ciphers []string
		for i, c := range p.Ciphers {
			if int(*c.Priority) != i+1 {
				t.Errorf("%s: cipher %d has priority %d", row.why, i+1, *c.Priority)
			}
			ciphers = append(ciphers, *c.Name)
		}
		if got := strings.Join(p.SslProtocols, " "); got != row.protocols {
			t.Errorf("%s: protocols %s", row.why, got)
		}
		if diff := cmp.Diff(strings.Fields(row.ciphers), ciphers); diff != "" {
			t.Errorf("%s: %s", row.why, diff)
		}
	}
}
