package cert_test

import (
	"crypto/x509"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/cert"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// zone is a DNS of a test: name, type and value of each record.
type zone map[[3]string]bool

func (z zone) Has(name, kind, value string) bool { return z[[3]string{name, kind, value}] }

// bench is a store without a simulator around it, with a DNS and a clock.
type bench struct {
	*testing.T

	store *cert.Store
	dns   zone
	used  []string
	time  time.Time
}

func newBench(t *testing.T) *bench {
	t.Helper()
	b := &bench{T: t, dns: zone{}, time: time.Now()}
	b.store = cert.New(&account.Account{ID: "123456789012", Region: "us-west-2", Partition: "aws", Now: func() time.Time { return b.time }, Speed: 1})
	b.store.Validate(b.dns)
	b.store.UsedBy(func(string) []string { return b.used })
	return b
}

// request asks for a certificate with DNS validation, whose key is quickly made.
func (b *bench) request(change func(*sdk.RequestCertificateInput)) *string {
	b.Helper()
	in := &sdk.RequestCertificateInput{
		DomainName: aws.String("example.com"), SubjectAlternativeNames: []string{"*.example.com", "example.org"},
		ValidationMethod: acmtypes.ValidationMethodDns, KeyAlgorithm: acmtypes.KeyAlgorithmEcPrime256v1,
	}
	change(in)
	out, err := contract.Run[sdk.RequestCertificateOutput](b.store.Service(), "RequestCertificate", in)
	return contract.Must(b, out, err).CertificateArn
}

func (b *bench) describe(arn *string) *acmtypes.CertificateDetail {
	b.Helper()
	out, err := contract.Run[sdk.DescribeCertificateOutput](b.store.Service(), "DescribeCertificate", &sdk.DescribeCertificateInput{CertificateArn: arn})
	return contract.Must(b, out, err).Certificate
}

// publish puts the records that a certificate asks for into the DNS.
func (b *bench) publish(arn *string) {
	b.Helper()
	for _, v := range b.describe(arn).DomainValidationOptions {
		bare := func(s *string) string { return strings.TrimSuffix(*s, ".") }
		b.dns[[3]string{bare(v.ResourceRecord.Name), "CNAME", bare(v.ResourceRecord.Value)}] = true
	}
}

func plain(*sdk.RequestCertificateInput) {}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, cert.New(&account.Account{}).Service(), cert.Checks())
}

func TestDNSValidation(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := b.request(plain)
	before := b.describe(arn)
	first, second := before.DomainValidationOptions[0].ResourceRecord, before.DomainValidationOptions[1].ResourceRecord
	if before.Status != acmtypes.CertificateStatusPendingValidation || len(before.DomainValidationOptions) != 3 || *first.Name != *second.Name {
		t.Errorf("a name and its wildcard have one record: %+v", before.DomainValidationOptions)
	}
	b.time = b.time.Add(time.Hour)
	if got := b.describe(arn).Status; got != acmtypes.CertificateStatusPendingValidation {
		t.Errorf("without records: %s", got)
	}
	b.publish(arn)
	b.store.Settle()
	proven := b.time
	if got := b.describe(arn); got.Status != acmtypes.CertificateStatusPendingValidation || got.DomainValidationOptions[2].ValidationStatus != acmtypes.DomainStatusSuccess {
		t.Errorf("right after the records: %s, %+v", got.Status, got.DomainValidationOptions[2])
	}
	if found, ok := b.store.Find(*arn); !ok || found.Usable {
		t.Error("a pending certificate is usable")
	}
	b.time = b.time.Add(time.Hour)
	got := b.describe(arn)
	if got.Status != acmtypes.CertificateStatusIssued || !got.IssuedAt.Equal(proven.Add(time.Minute)) || got.Type != acmtypes.CertificateTypeAmazonIssued || got.Serial == nil {
		t.Errorf("an hour later, issued a minute after the records: %+v", got)
	}
	b.wantServed(arn, "www.example.com", "example.org")
}

// wantServed demands that a listener could serve a certificate, and that nobody else sees its key.
func (b *bench) wantServed(arn *string, names ...string) {
	b.Helper()
	pair, ok := b.store.TLS(*arn)
	if !ok || len(pair.Certificate) != 2 {
		b.Fatalf("TLS: %v", ok)
	}
	leaf, err := x509.ParseCertificate(pair.Certificate[0])
	if err != nil {
		b.Fatal(err)
	}
	for _, n := range names {
		if err := leaf.VerifyHostname(n); err != nil {
			b.Error(err)
		}
	}
	if state := fmt.Sprint(wire.Tree(b.store.Dump())); strings.Contains(state, "PRIVATE KEY") || !strings.Contains(state, "BEGIN CERTIFICATE") {
		b.Error("the state shows a private key, or no certificate")
	}
}

func TestRequestEnds(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	other := aws.String("arn:aws:acm-pca:us-west-2:999999999999:certificate-authority/1")
	own := aws.String("arn:aws:acm-pca:us-west-2:123456789012:certificate-authority/1")
	rows := []struct {
		why    string
		want   acmtypes.CertificateStatus
		reason acmtypes.FailureReason
		change func(*sdk.RequestCertificateInput)
	}{
		{"nobody proves it", acmtypes.CertificateStatusValidationTimedOut, "", plain},
		{"nobody answers the mail", acmtypes.CertificateStatusValidationTimedOut, "", func(in *sdk.RequestCertificateInput) { in.ValidationMethod = "" }},
		{"a domain that is not public", acmtypes.CertificateStatusFailed, acmtypes.FailureReasonInvalidPublicDomain, func(in *sdk.RequestCertificateInput) {
			in.SubjectAlternativeNames = []string{"www.cluster.local"}
		}},
		{"a private authority", acmtypes.CertificateStatusIssued, "", func(in *sdk.RequestCertificateInput) { in.CertificateAuthorityArn = own }},
		{"another account's authority", acmtypes.CertificateStatusFailed, acmtypes.FailureReasonPcaInvalidArn, func(in *sdk.RequestCertificateInput) {
			in.CertificateAuthorityArn = other
		}},
	}
	arns := make([]*string, 0, len(rows))
	for _, row := range rows {
		arns = append(arns, b.request(row.change))
	}
	b.time = b.time.Add(73 * time.Hour)
	for i, row := range rows {
		if got := b.describe(arns[i]); got.Status != row.want || got.FailureReason != row.reason {
			t.Errorf("%s: %s %s, want %s %s", row.why, got.Status, got.FailureReason, row.want, row.reason)
		}
	}
}

func TestRenewal(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	arn := b.request(plain)
	renew := func() string {
		_, err := contract.Run[sdk.RenewCertificateOutput](b.store.Service(), "RenewCertificate", &sdk.RenewCertificateInput{CertificateArn: arn})
		return contract.Code(err)
	}
	codes := []string{renew()}
	b.publish(arn)
	b.describe(arn)
	b.time = b.time.Add(time.Minute)
	first := *b.describe(arn)
	codes = append(codes, renew())
	b.used = []string{"arn:aws:elasticloadbalancing:us-west-2:123456789012:loadbalancer/app/web/1"}
	codes = append(codes, renew())
	if diff := cmp.Diff([]string{"RequestInProgressException", "ValidationException", ""}, codes); diff != "" {
		t.Error(diff)
	}
	second := *b.describe(arn)
	if *second.Serial == *first.Serial || second.RenewalSummary == nil || second.RenewalEligibility != acmtypes.RenewalEligibilityEligible {
		t.Errorf("renewed by a call: %+v", second)
	}
	b.time = second.NotAfter.Add(-50 * 24 * time.Hour)
	third := *b.describe(arn)
	if *third.Serial == *second.Serial || !third.NotAfter.After(*second.NotAfter) {
		t.Errorf("renewed by itself: %+v", third)
	}
	clear(b.dns)
	b.time = third.NotAfter.Add(time.Hour)
	if got := b.describe(arn).Status; got != acmtypes.CertificateStatusExpired {
		t.Errorf("without its records: %s", got)
	}
}

func TestImportQuota(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	body, key := contract.Pair(t, "example.com")
	load := func() string {
		_, err := contract.Run[sdk.ImportCertificateOutput](b.store.Service(), "ImportCertificate", &sdk.ImportCertificateInput{Certificate: body, PrivateKey: key})
		return contract.Code(err)
	}
	for range 2500 {
		if code := load(); code != "" {
			t.Fatal(code)
		}
	}
	if code := load(); code != "LimitExceededException" {
		t.Errorf("the 2501st: %q", code)
	}
}

func TestOneFullNameIsEnoughForAListener(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		why   string
		names []string
		want  bool
	}{
		{"the common name is one", []string{"example.com"}, true},
		{"an alternative name is one", []string{"default", "*", "*.example.com"}, true},
		{"none is one", []string{"default", "*"}, false},
	} {
		b := newBench(t)
		body, key := contract.Pair(t, c.names...)
		out, err := contract.Run[sdk.ImportCertificateOutput](b.store.Service(), "ImportCertificate", &sdk.ImportCertificateInput{Certificate: body, PrivateKey: key})
		if found, ok := b.store.Find(*contract.Must(t, out, err).CertificateArn); !ok || found.Usable != c.want {
			t.Errorf("%s: usable %v, want %v", c.why, found.Usable, c.want)
		}
	}
}
