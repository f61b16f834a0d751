package cert_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/contract"
)

type fixture struct {
	*contract.Fixture

	acm *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

func (f *fixture) request(change ...func(*sdk.RequestCertificateInput)) (*string, error) {
	f.Helper()
	in := &sdk.RequestCertificateInput{DomainName: aws.String("example.com")}
	for _, c := range change {
		c(in)
	}
	out, err := f.acm.RequestCertificate(f.Context(), in)
	if err != nil {
		return nil, fmt.Errorf("requesting a certificate: %w", err)
	}
	return out.CertificateArn, nil
}

func (f *fixture) load(names ...string) *string {
	f.Helper()
	body, key := contract.Pair(f, names...)
	out, err := f.acm.ImportCertificate(f.Context(), &sdk.ImportCertificateInput{Certificate: body, PrivateKey: key})
	return contract.Must(f, out, err).CertificateArn
}

func TestRequestErrors(t *testing.T) {
	f := start(t)
	many := make([]string, 10)
	for i := range many {
		many[i] = fmt.Sprintf("%d.example.com", i)
	}
	rows := []struct {
		why, code string
		change    func(*sdk.RequestCertificateInput)
	}{
		{"a domain has a dot", "ValidationException", func(in *sdk.RequestCertificateInput) { in.DomainName = aws.String("web") }},
		{"a common name is short", "ValidationException", func(in *sdk.RequestCertificateInput) {
			in.DomainName = aws.String(strings.Repeat("a", 60) + ".example")
		}},
		{"an alternative name may be long", "", func(in *sdk.RequestCertificateInput) {
			in.SubjectAlternativeNames = []string{strings.Repeat("a", 63) + ".example.com"}
		}},
		{"one wildcard, in front", "ValidationException", func(in *sdk.RequestCertificateInput) { in.SubjectAlternativeNames = []string{"a.*.example.com"} }},
		{"ten names", "LimitExceededException", func(in *sdk.RequestCertificateInput) { in.SubjectAlternativeNames = many }},
		{"keys that ACM makes", "ValidationException", func(in *sdk.RequestCertificateInput) { in.KeyAlgorithm = acmtypes.KeyAlgorithmRsa4096 }},
		{"a token is a word", "ValidationException", func(in *sdk.RequestCertificateInput) { in.IdempotencyToken = aws.String("a-b") }},
		{"a private authority is one", "InvalidArnException", func(in *sdk.RequestCertificateInput) {
			in.CertificateAuthorityArn = aws.String("arn:aws:acm-pca:here:and:there/all")
		}},
		{"who is asked owns the domain", "InvalidDomainValidationOptionsException", func(in *sdk.RequestCertificateInput) {
			in.DomainValidationOptions = []acmtypes.DomainValidationOption{{DomainName: aws.String("example.com"), ValidationDomain: aws.String("example.org")}}
		}},
		{"HTTP is CloudFront's", "ValidationException", func(in *sdk.RequestCertificateInput) { in.ValidationMethod = acmtypes.ValidationMethodHttp }},
		{"tags are not aws:", "InvalidTagException", func(in *sdk.RequestCertificateInput) { in.Tags = []acmtypes.Tag{{Key: aws.String("aws:a")}} }},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.request(row.change)
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestTokens(t *testing.T) {
	t.Parallel()
	f := start(t)
	token := func(in *sdk.RequestCertificateInput) { in.IdempotencyToken = aws.String("once") }
	first, err := f.request(token)
	contract.WantCode(t, err, "")
	again, err := f.request(token)
	contract.WantCode(t, err, "")
	if *again != *first {
		t.Error("the same token made a second certificate")
	}
	f.Pass(2 * time.Hour)
	later, err := f.request(token)
	contract.WantCode(t, err, "")
	if *later == *first {
		t.Error("a token was remembered for longer than an hour")
	}
	_, err = f.acm.DeleteCertificate(t.Context(), &sdk.DeleteCertificateInput{CertificateArn: later})
	contract.WantCode(t, err, "")
	last, err := f.request(token)
	contract.WantCode(t, err, "")
	if *last == *later {
		t.Error("a token gave a certificate that is deleted")
	}
}

func TestListFilters(t *testing.T) {
	f := start(t)
	imported := f.load("example.com")
	f.Pass(time.Second)
	pending, err := f.request()
	contract.WantCode(t, err, "")
	every := acmtypes.KeyAlgorithm("").Values()
	rows := []struct {
		why  string
		in   sdk.ListCertificatesInput
		want []string
	}{
		{"RSA only, without filters", sdk.ListCertificatesInput{}, []string{*pending}},
		{"all keys", sdk.ListCertificatesInput{Includes: &acmtypes.Filters{KeyTypes: every}}, []string{*imported, *pending}},
		{"newest first", sdk.ListCertificatesInput{
			Includes: &acmtypes.Filters{KeyTypes: every}, SortBy: acmtypes.SortByCreatedAt, SortOrder: acmtypes.SortOrderDescending,
		}, []string{*pending, *imported}},
		{"by status", sdk.ListCertificatesInput{
			Includes: &acmtypes.Filters{KeyTypes: every}, CertificateStatuses: []acmtypes.CertificateStatus{acmtypes.CertificateStatusIssued},
		}, []string{*imported}},
		{"by origin", sdk.ListCertificatesInput{
			Includes: &acmtypes.Filters{KeyTypes: every}, CertificateKeyPairOrigins: []acmtypes.CertificateKeyPairOrigin{acmtypes.CertificateKeyPairOriginAwsManaged},
		}, []string{*pending}},
		{"by usage", sdk.ListCertificatesInput{Includes: &acmtypes.Filters{KeyTypes: every, KeyUsage: []acmtypes.KeyUsageName{acmtypes.KeyUsageNameCrlSigning}}}, nil},
		{"by purpose", sdk.ListCertificatesInput{Includes: &acmtypes.Filters{
			KeyTypes: every, ExtendedKeyUsage: []acmtypes.ExtendedKeyUsageName{acmtypes.ExtendedKeyUsageNameCodeSigning},
		}}, nil},
		{"by export", sdk.ListCertificatesInput{Includes: &acmtypes.Filters{KeyTypes: every, ExportOption: acmtypes.CertificateExportEnabled}}, nil},
		{"by manager", sdk.ListCertificatesInput{Includes: &acmtypes.Filters{KeyTypes: every, ManagedBy: acmtypes.CertificateManagedByCloudfront}}, nil},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			var got []string
			row.in.MaxItems = aws.Int32(1)
			pages := sdk.NewListCertificatesPaginator(f.acm, &row.in)
			for pages.HasMorePages() {
				page, err := pages.NextPage(t.Context())
				for _, c := range contract.Must(t, page, err).CertificateSummaryList {
					got = append(got, *c.CertificateArn)
				}
			}
			if diff := cmp.Diff(row.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
	for code, in := range map[string]*sdk.ListCertificatesInput{
		"ValidationException": {SortBy: acmtypes.SortByCreatedAt}, "InvalidArgsException": {NextToken: aws.String("?")},
	} {
		_, err := f.acm.ListCertificates(t.Context(), in)
		contract.WantCode(t, err, code)
	}
	_, err = f.acm.ListCertificates(t.Context(), &sdk.ListCertificatesInput{MaxItems: aws.Int32(1001)})
	contract.WantCode(t, err, "InvalidArgsException")
}

func TestOptions(t *testing.T) {
	t.Parallel()
	f := start(t)
	imported := f.load("example.com")
	mailed, err := f.request()
	contract.WantCode(t, err, "")
	method := func(m acmtypes.ValidationMethod) *acmtypes.CertificateOptions {
		return &acmtypes.CertificateOptions{ValidationMethod: m}
	}
	for _, row := range []struct {
		why, code string
		arn       *string
		options   *acmtypes.CertificateOptions
	}{
		{"an imported certificate has no options", "InvalidStateException", imported, method(acmtypes.ValidationMethodDns)},
		{"export stays", "ValidationException", mailed, &acmtypes.CertificateOptions{Export: acmtypes.CertificateExportEnabled}},
		{"from mail to DNS", "", mailed, method(acmtypes.ValidationMethodDns)},
		{"and not back", "ValidationException", mailed, method(acmtypes.ValidationMethodEmail)},
	} {
		_, err := f.acm.UpdateCertificateOptions(t.Context(), &sdk.UpdateCertificateOptionsInput{CertificateArn: row.arn, Options: row.options})
		t.Log(row.why)
		contract.WantCode(t, err, row.code)
	}
	out, err := f.acm.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: mailed})
	if got := contract.Must(t, out, err).Certificate.DomainValidationOptions[0]; got.ResourceRecord == nil || got.ValidationMethod != acmtypes.ValidationMethodDns {
		t.Errorf("validation: %+v", got)
	}
}

func TestMail(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn, err := f.request(func(in *sdk.RequestCertificateInput) { in.DomainName = aws.String("www.example.com") })
	contract.WantCode(t, err, "")
	send := func(arn *string, domain, above string) error {
		_, err := f.acm.ResendValidationEmail(t.Context(), &sdk.ResendValidationEmailInput{CertificateArn: arn, Domain: &domain, ValidationDomain: &above})
		if err != nil {
			return fmt.Errorf("sending mail: %w", err)
		}
		return nil
	}
	contract.WantCode(t, send(arn, "www.example.com", "example.com"), "")
	contract.WantCode(t, send(arn, "www.example.com", "example.org"), "InvalidDomainValidationOptionsException")
	contract.WantCode(t, send(arn, "example.com", "example.com"), "InvalidDomainValidationOptionsException")
	contract.WantCode(t, send(f.load("example.com"), "example.com", "example.com"), "InvalidStateException")
	out, err := f.acm.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: arn})
	if got := contract.Must(t, out, err).Certificate.DomainValidationOptions[0]; got.ValidationEmails[0] != "admin@example.com" {
		t.Errorf("mail: %+v", got)
	}
	f.Pass(80 * time.Hour)
	contract.WantCode(t, send(arn, "www.example.com", "example.com"), "InvalidStateException")
}

func TestAccountConfiguration(t *testing.T) {
	t.Parallel()
	f := start(t)
	days := func() int32 {
		out, err := f.acm.GetAccountConfiguration(t.Context(), &sdk.GetAccountConfigurationInput{})
		return *contract.Must(t, out, err).ExpiryEvents.DaysBeforeExpiry
	}
	got := []int32{days()}
	put := func(token string, n int32) error {
		_, err := f.acm.PutAccountConfiguration(t.Context(), &sdk.PutAccountConfigurationInput{
			IdempotencyToken: &token, ExpiryEvents: &acmtypes.ExpiryEventsConfiguration{DaysBeforeExpiry: &n},
		})
		if err != nil {
			return fmt.Errorf("changing the configuration: %w", err)
		}
		return nil
	}
	contract.WantCode(t, put("once", 30), "")
	contract.WantCode(t, put("twice", 46), "ValidationException")
	contract.WantCode(t, put("not a token", 3), "ValidationException")
	if diff := cmp.Diff([]int32{45, 30}, append(got, days())); diff != "" {
		t.Error(diff)
	}
}

func TestInUse(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn, web := f.load("example.com"), f.Balancer("web", elbtypes.LoadBalancerTypeEnumApplication)
	_, err := elb.NewFromConfig(f.Config).CreateListener(t.Context(), &elb.CreateListenerInput{
		LoadBalancerArn: web, Port: aws.Int32(443), Protocol: elbtypes.ProtocolEnumHttps, Certificates: []elbtypes.Certificate{{CertificateArn: arn}},
		DefaultActions: []elbtypes.Action{{
			Type: elbtypes.ActionTypeEnumFixedResponse, FixedResponseConfig: &elbtypes.FixedResponseActionConfig{StatusCode: aws.String("404")},
		}},
	})
	contract.WantCode(t, err, "")
	out, err := f.acm.DescribeCertificate(t.Context(), &sdk.DescribeCertificateInput{CertificateArn: arn})
	if diff := cmp.Diff([]string{*web}, contract.Must(t, out, err).Certificate.InUseBy); diff != "" {
		t.Error(diff)
	}
	remove := &sdk.DeleteCertificateInput{CertificateArn: arn}
	_, err = f.acm.DeleteCertificate(t.Context(), remove)
	contract.WantCode(t, err, "ResourceInUseException")
	f.DeleteBalancer(web)
	_, err = f.acm.DeleteCertificate(t.Context(), remove)
	contract.WantCode(t, err, "")
}
