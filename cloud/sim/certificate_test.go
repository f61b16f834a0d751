package sim_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/acm"
	acmtypes "github.com/aws/aws-sdk-go-v2/service/acm/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/contract"
)

// everyKey lists all key types: without it ACM lists RSA keys only.
func everyKey() *acmtypes.Filters {
	return &acmtypes.Filters{KeyTypes: acmtypes.KeyAlgorithm("").Values()}
}

func TestCertificateLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn := f.certificate("example.com", "*.example.com")
	out, err := f.acm.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: arn})
	got := contract.Must(t, out, err).Certificate
	if *got.DomainName != "example.com" || got.Status != acmtypes.CertificateStatusIssued || got.Type != acmtypes.CertificateTypeImported ||
		got.KeyAlgorithm != acmtypes.KeyAlgorithmEcPrime256v1 || len(got.InUseBy) != 0 || !got.NotAfter.After(*got.NotBefore) {
		t.Errorf("certificate: %+v", got)
	}
	if diff := cmp.Diff([]string{"example.com", "*.example.com"}, got.SubjectAlternativeNames); diff != "" {
		t.Error(diff)
	}
	few, err := f.acm.ListCertificates(t.Context(), &acm.ListCertificatesInput{})
	if n := len(contract.Must(t, few, err).CertificateSummaryList); n != 0 {
		t.Errorf("%d certificates with RSA keys", n)
	}
	list, err := f.acm.ListCertificates(t.Context(), &acm.ListCertificatesInput{
		Includes: everyKey(), CertificateStatuses: []acmtypes.CertificateStatus{acmtypes.CertificateStatusIssued},
	})
	if all := contract.Must(t, list, err).CertificateSummaryList; len(all) != 1 || *all[0].CertificateArn != *arn || *all[0].InUse {
		t.Errorf("list: %+v", all)
	}
	_, err = f.acm.DeleteCertificate(t.Context(), &acm.DeleteCertificateInput{CertificateArn: arn})
	contract.WantCode(t, err, "")
	_, err = f.acm.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: arn})
	contract.WantCode(t, err, "ResourceNotFoundException")
}

func TestReimportCertificate(t *testing.T) {
	t.Parallel()
	f := start(t)
	arn := f.certificate("example.com")
	body, key := contract.Pair(t, "example.com")
	again, err := f.acm.ImportCertificate(t.Context(), &acm.ImportCertificateInput{Certificate: body, PrivateKey: key, CertificateArn: arn})
	if *contract.Must(t, again, err).CertificateArn != *arn {
		t.Error("another ARN after the second import")
	}
	read, err := f.acm.GetCertificate(t.Context(), &acm.GetCertificateInput{CertificateArn: arn})
	if *contract.Must(t, read, err).Certificate != string(body) {
		t.Error("the certificate is not the one that was imported")
	}
	if state := fmt.Sprint(f.Sim.State()); strings.Contains(state, "PRIVATE KEY") || !strings.Contains(state, "BEGIN CERTIFICATE") {
		t.Error("the state shows a private key, or no certificate")
	}
}

func TestImportCertificateErrors(t *testing.T) {
	f := start(t)
	body, key := contract.Pair(t, "example.com")
	_, otherKey := contract.Pair(t, "example.com")
	foreign, foreignKey := contract.Pair(t, "example.org")
	held := f.certificate("example.com")
	rows := []struct {
		why, code string
		in        acm.ImportCertificateInput
	}{
		{"a certificate is PEM", "ValidationException", acm.ImportCertificateInput{Certificate: []byte("x"), PrivateKey: key}},
		{"one certificate, not two", "ValidationException", acm.ImportCertificateInput{Certificate: append(append([]byte{}, body...), body...), PrivateKey: key}},
		{"the key fits", "ValidationException", acm.ImportCertificateInput{Certificate: body, PrivateKey: otherKey}},
		{"the chain is PEM", "ValidationException", acm.ImportCertificateInput{Certificate: body, PrivateKey: key, CertificateChain: []byte("x")}},
		{"a name stays", "ValidationException", acm.ImportCertificateInput{Certificate: foreign, PrivateKey: foreignKey, CertificateArn: held}},
		{"no tags the second time", "InvalidParameterException", acm.ImportCertificateInput{
			Certificate: body, PrivateKey: key, CertificateArn: held, Tags: []acmtypes.Tag{{Key: aws.String("a")}},
		}},
		{"the ARN exists", "ResourceNotFoundException", acm.ImportCertificateInput{Certificate: body, PrivateKey: key, CertificateArn: aws.String(*held + "0")}},
		{"the ARN is one", "InvalidArnException", acm.ImportCertificateInput{Certificate: body, PrivateKey: key, CertificateArn: aws.String("arn:aws:acm:us-west-2:1:x/y/z")}},
		{"tags are not aws:", "InvalidTagException", acm.ImportCertificateInput{Certificate: body, PrivateKey: key, Tags: []acmtypes.Tag{{Key: aws.String("aws:a")}}}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			_, err := f.acm.ImportCertificate(t.Context(), &row.in)
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestRequestCertificate(t *testing.T) {
	t.Parallel()
	f := start(t)
	in := &acm.RequestCertificateInput{
		DomainName: aws.String("example.com"), SubjectAlternativeNames: []string{"www.example.com"},
		ValidationMethod: acmtypes.ValidationMethodDns, IdempotencyToken: aws.String("once"),
	}
	first, err := f.acm.RequestCertificate(t.Context(), in)
	second, err2 := f.acm.RequestCertificate(t.Context(), in)
	if *contract.Must(t, first, err).CertificateArn != *contract.Must(t, second, err2).CertificateArn {
		t.Error("the token did not make the second request the first")
	}
	out, err := f.acm.DescribeCertificate(t.Context(), &acm.DescribeCertificateInput{CertificateArn: first.CertificateArn})
	got := contract.Must(t, out, err).Certificate
	if got.Status != acmtypes.CertificateStatusPendingValidation || len(got.DomainValidationOptions) != 2 ||
		got.DomainValidationOptions[1].ResourceRecord == nil {
		t.Errorf("certificate: %+v", got)
	}
	_, err = f.acm.GetCertificate(t.Context(), &acm.GetCertificateInput{CertificateArn: first.CertificateArn})
	contract.WantCode(t, err, "RequestInProgressException")
}

func TestCertificateTagsAndPages(t *testing.T) {
	t.Parallel()
	f := start(t)
	var arns []string
	for i := range 3 {
		arns = append(arns, *f.certificate(fmt.Sprintf("%d.example.com", i)))
	}
	_, err := f.acm.AddTagsToCertificate(t.Context(), &acm.AddTagsToCertificateInput{
		CertificateArn: &arns[0], Tags: []acmtypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}, {Key: aws.String("b"), Value: aws.String("2")}},
	})
	contract.WantCode(t, err, "")
	_, err = f.acm.RemoveTagsFromCertificate(t.Context(), &acm.RemoveTagsFromCertificateInput{CertificateArn: &arns[0], Tags: []acmtypes.Tag{{Key: aws.String("a")}}})
	contract.WantCode(t, err, "")
	tags, err := f.acm.ListTagsForCertificate(t.Context(), &acm.ListTagsForCertificateInput{CertificateArn: &arns[0]})
	if got := contract.Must(t, tags, err).Tags; len(got) != 1 || *got[0].Key != "b" {
		t.Errorf("tags: %+v", got)
	}
	var listed []string
	pages := acm.NewListCertificatesPaginator(f.acm, &acm.ListCertificatesInput{Includes: everyKey(), MaxItems: aws.Int32(2)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		for _, s := range contract.Must(t, page, err).CertificateSummaryList {
			listed = append(listed, *s.CertificateArn)
		}
	}
	if diff := cmp.Diff(arns, listed); diff != "" {
		t.Error(diff)
	}
}
