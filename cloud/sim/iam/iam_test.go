package iam_test

import (
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/iam"
	iamtypes "github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/iam"
	"github.com/headgate/headgate/cloud/sim/wire"
)

type fixture struct {
	*contract.Fixture

	iam *sdk.Client
}

func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	return &fixture{f, sdk.NewFromConfig(f.Config)}
}

func material(tb testing.TB, name string) *sdk.UploadServerCertificateInput {
	tb.Helper()
	body, key := contract.Pair(tb, "example.com")
	return &sdk.UploadServerCertificateInput{ServerCertificateName: &name, CertificateBody: aws.String(string(body)), PrivateKey: aws.String(string(key))}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, iam.New(&account.Account{}).Service(), iam.Checks())
}

func TestCertificateLife(t *testing.T) {
	t.Parallel()
	f := start(t)
	in := material(t, "web")
	in.Path, in.Tags = aws.String("/front/"), []iamtypes.Tag{{Key: aws.String("a"), Value: aws.String("1")}}
	made, err := f.iam.UploadServerCertificate(t.Context(), in)
	got := contract.Must(t, made, err).ServerCertificateMetadata
	if *got.Arn != "arn:aws:iam::123456789012:server-certificate/front/web" || *got.ServerCertificateName != "web" || !got.Expiration.After(*got.UploadDate) {
		t.Errorf("certificate: %+v", got)
	}
	read, err := f.iam.GetServerCertificate(t.Context(), &sdk.GetServerCertificateInput{ServerCertificateName: aws.String("WEB")})
	if c := contract.Must(t, read, err).ServerCertificate; *c.CertificateBody != *in.CertificateBody || len(c.Tags) != 1 {
		t.Errorf("read: %+v", c)
	}
	_, err = f.iam.TagServerCertificate(t.Context(), &sdk.TagServerCertificateInput{
		ServerCertificateName: aws.String("web"), Tags: []iamtypes.Tag{{Key: aws.String("b"), Value: aws.String("2")}},
	})
	contract.WantCode(t, err, "")
	_, err = f.iam.UntagServerCertificate(t.Context(), &sdk.UntagServerCertificateInput{ServerCertificateName: aws.String("web"), TagKeys: []string{"a"}})
	contract.WantCode(t, err, "")
	tags, err := f.iam.ListServerCertificateTags(t.Context(), &sdk.ListServerCertificateTagsInput{ServerCertificateName: aws.String("web")})
	if list := contract.Must(t, tags, err); list.IsTruncated || len(list.Tags) != 1 || *list.Tags[0].Key != "b" {
		t.Errorf("tags: %+v", list.Tags)
	}
	for _, code := range []string{"", "NoSuchEntity"} {
		_, err = f.iam.DeleteServerCertificate(t.Context(), &sdk.DeleteServerCertificateInput{ServerCertificateName: aws.String("web")})
		contract.WantCode(t, err, code)
	}
	_, err = f.iam.GetServerCertificate(t.Context(), &sdk.GetServerCertificateInput{ServerCertificateName: aws.String("web")})
	contract.WantCode(t, err, "NoSuchEntity")
}

func TestUploadErrors(t *testing.T) {
	f := start(t)
	_, err := f.iam.UploadServerCertificate(t.Context(), material(t, "taken"))
	contract.WantCode(t, err, "")
	other := material(t, "other")
	rows := []struct {
		why, code, name string
		change          func(*sdk.UploadServerCertificateInput)
	}{
		{"a name is taken once, in any case", "EntityAlreadyExists", "Taken", func(*sdk.UploadServerCertificateInput) {}},
		{"a name has no space", "ValidationError", "my certificate", func(*sdk.UploadServerCertificateInput) {}},
		{"a path ends with a slash", "ValidationError", "a", func(in *sdk.UploadServerCertificateInput) { in.Path = aws.String("/front") }},
		{"a certificate is PEM", "MalformedCertificate", "a", func(in *sdk.UploadServerCertificateInput) { in.CertificateBody = aws.String("x") }},
		{"the key fits", "KeyPairMismatch", "a", func(in *sdk.UploadServerCertificateInput) { in.PrivateKey = other.PrivateKey }},
		{"the chain is PEM", "MalformedCertificate", "a", func(in *sdk.UploadServerCertificateInput) { in.CertificateChain = aws.String("x") }},
		{"tags are not aws:", "InvalidInput", "a", func(in *sdk.UploadServerCertificateInput) {
			in.Tags = []iamtypes.Tag{{Key: aws.String("aws:a"), Value: aws.String("")}}
		}},
	}
	for _, row := range rows {
		t.Run(row.why, func(t *testing.T) {
			in := material(t, row.name)
			row.change(in)
			_, err := f.iam.UploadServerCertificate(t.Context(), in)
			contract.WantCode(t, err, row.code)
		})
	}
}

func TestCertificatePages(t *testing.T) {
	t.Parallel()
	f := start(t)
	in := material(t, "")
	for i := range 20 {
		in.ServerCertificateName, in.Path = aws.String(fmt.Sprintf("c%02d", i)), aws.String([]string{"/", "/front/"}[i%2])
		_, err := f.iam.UploadServerCertificate(t.Context(), in)
		contract.WantCode(t, err, "")
	}
	in.ServerCertificateName = aws.String("more")
	_, err := f.iam.UploadServerCertificate(t.Context(), in)
	contract.WantCode(t, err, "LimitExceeded")
	var names []string
	pages := sdk.NewListServerCertificatesPaginator(f.iam, &sdk.ListServerCertificatesInput{PathPrefix: aws.String("/front/"), MaxItems: aws.Int32(4)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		for _, c := range contract.Must(t, page, err).ServerCertificateMetadataList {
			names = append(names, *c.ServerCertificateName)
		}
	}
	if diff := cmp.Diff([]string{"c01", "c03", "c05", "c07", "c09", "c11", "c13", "c15", "c17", "c19"}, names); diff != "" {
		t.Error(diff)
	}
	_, err = f.iam.ListServerCertificates(t.Context(), &sdk.ListServerCertificatesInput{Marker: aws.String("?")})
	contract.WantCode(t, err, "ValidationError")
	_, err = f.iam.ListServerCertificates(t.Context(), &sdk.ListServerCertificatesInput{MaxItems: aws.Int32(1001)})
	contract.WantCode(t, err, "ValidationError")
}

func TestServiceLinkedRoles(t *testing.T) {
	t.Parallel()
	f := start(t)
	create := func(service string, suffix *string) (*sdk.CreateServiceLinkedRoleOutput, error) {
		out, err := f.iam.CreateServiceLinkedRole(t.Context(), &sdk.CreateServiceLinkedRoleInput{AWSServiceName: &service, CustomSuffix: suffix})
		if err != nil {
			return nil, fmt.Errorf("creating the role of %s: %w", service, err)
		}
		return out, nil
	}
	const service = "elasticloadbalancing.amazonaws.com"
	get := &sdk.GetRoleInput{RoleName: aws.String("AWSServiceRoleForElasticLoadBalancing")}
	_, err := f.iam.GetRole(t.Context(), get)
	contract.WantCode(t, err, "NoSuchEntity")
	_, err = create(service, nil)
	contract.WantCode(t, err, "")
	_, err = create(service, nil)
	contract.WantCode(t, err, "InvalidInput")
	_, err = create("globalaccelerator.amazonaws.com", aws.String("mine"))
	contract.WantCode(t, err, "InvalidInput")
	_, err = create("none.amazonaws.com", nil)
	contract.WantCode(t, err, "InvalidInput")
	read, err := f.iam.GetRole(t.Context(), get)
	role := contract.Must(t, read, err).Role
	policy, err := url.QueryUnescape(*role.AssumeRolePolicyDocument)
	if err != nil || !strings.Contains(policy, service) || *role.Path != "/aws-service-role/"+service+"/" || *role.MaxSessionDuration != 3600 ||
		*role.Arn != "arn:aws:iam::123456789012:role/aws-service-role/"+service+"/AWSServiceRoleForElasticLoadBalancing" {
		t.Errorf("role: %+v", role)
	}
	_, err = create("globalaccelerator.amazonaws.com", nil)
	contract.WantCode(t, err, "")
	for prefix, want := range map[string]int{"/": 2, "/aws-service-role/globalaccelerator": 1, "/people/": 0} {
		out, err := f.iam.ListRoles(t.Context(), &sdk.ListRolesInput{PathPrefix: &prefix})
		if n := len(contract.Must(t, out, err).Roles); n != want {
			t.Errorf("%d roles below %s, want %d", n, prefix, want)
		}
	}
}

// TestUse asks the directory itself, as listeners do.
func TestUse(t *testing.T) {
	t.Parallel()
	now := time.Now()
	d := iam.New(&account.Account{ID: "1", Partition: "aws", Now: func() time.Time { return now }, Speed: 1})
	var used []string
	d.UsedBy(func(string) []string { return used })
	in := material(t, "web")
	made, err := contract.Run[sdk.UploadServerCertificateOutput](d.Service(), "UploadServerCertificate", in)
	arn := *contract.Must(t, made, err).ServerCertificateMetadata.Arn
	if found, ok := d.Find(arn); !ok || !found.Usable {
		t.Errorf("found %v, %v", found, ok)
	}
	if pair, ok := d.TLS(arn); !ok || pair.PrivateKey == nil {
		t.Errorf("TLS: %v", ok)
	}
	if _, ok := d.Find(arn + "0"); ok {
		t.Error("found what is not there")
	}
	if _, ok := d.TLS("web"); ok {
		t.Error("a name is an ARN")
	}
	used = []string{"arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/app/web/1"}
	_, err = contract.Run[sdk.DeleteServerCertificateOutput](d.Service(), "DeleteServerCertificate", &sdk.DeleteServerCertificateInput{ServerCertificateName: aws.String("web")})
	if code := contract.Code(err); code != "DeleteConflict" {
		t.Errorf("deleting what is used: %q", code)
	}
	now = now.Add(48 * time.Hour)
	if found, ok := d.Find(arn); !ok || found.Usable {
		t.Errorf("after its end: %v, %v", found, ok)
	}
	if state := fmt.Sprint(wire.Tree(d.Dump())); strings.Contains(state, "PRIVATE KEY") || !strings.Contains(state, "BEGIN CERTIFICATE") {
		t.Error("the state shows a private key, or no certificate")
	}
}
