package storage_test

import (
	"context"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	elb "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"

	"github.com/headgate/headgate/cloud/sim"
	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/storage"
)

type fixture struct {
	*contract.Fixture

	s3     *sdk.Client
	bucket *string
}

// start makes a simulator with a bucket.
func start(t *testing.T) *fixture {
	t.Helper()
	f := contract.Start(t)
	b := &fixture{f, sdk.NewFromConfig(f.Config), aws.String("bucket")}
	contract.WantCode(t, b.create("bucket", f.Config.Region), "")
	return b
}

func (f *fixture) create(name, region string) error {
	in := &sdk.CreateBucketInput{Bucket: &name}
	if region != "" {
		in.CreateBucketConfiguration = &s3types.CreateBucketConfiguration{LocationConstraint: s3types.BucketLocationConstraint(region)}
	}
	_, err := f.s3.CreateBucket(f.Context(), in)
	return err
}

func (f *fixture) put(key, body string, change ...func(*sdk.PutObjectInput)) (*sdk.PutObjectOutput, error) {
	in := &sdk.PutObjectInput{Bucket: f.bucket, Key: &key, Body: strings.NewReader(body)}
	for _, c := range change {
		c(in)
	}
	return f.s3.PutObject(f.Context(), in)
}

// read gives an object's bytes, or the code of the error.
func (f *fixture) read(key, version string) string {
	f.Helper()
	in := &sdk.GetObjectInput{Bucket: f.bucket, Key: &key}
	if version != "" {
		in.VersionId = &version
	}
	out, err := f.s3.GetObject(f.Context(), in)
	if err != nil {
		return contract.APICode(err)
	}
	body, err := io.ReadAll(out.Body)
	if err != nil {
		f.Error(err)
	}
	return string(body)
}

func (f *fixture) version(status s3types.BucketVersioningStatus) error {
	_, err := f.s3.PutBucketVersioning(f.Context(), &sdk.PutBucketVersioningInput{
		Bucket: f.bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: status},
	})
	return err
}

func TestChecks(t *testing.T) {
	t.Parallel()
	contract.WantChecks(t, storage.New(&account.Account{}).Service(), storage.Checks())
}

func TestBuckets(t *testing.T) {
	t.Parallel()
	f := start(t)
	const region = "us-west-2"
	rows := []struct{ why, name, region, code string }{
		{"one's own", "bucket", region, "BucketAlreadyOwnedByYou"}, {"capitals", "Bucket", region, "InvalidBucketName"}, {"an address", "10.0.0.1", region, "InvalidBucketName"},
		{"too short", "ab", region, "InvalidBucketName"}, {"another Region", "other", "eu-west-1", "IllegalLocationConstraintException"},
		{"no Region", "other", "", "IllegalLocationConstraintException"}, {"a good one", "an-other", region, ""},
	}
	for _, row := range rows {
		if err := f.create(row.name, row.region); contract.APICode(err) != row.code {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	listed, err := f.s3.ListBuckets(t.Context(), &sdk.ListBucketsInput{MaxBuckets: aws.Int32(1)})
	if all := contract.Must(t, listed, err).Buckets; len(all) != 1 || *all[0].Name != "an-other" {
		t.Errorf("listed %+v", all)
	}
	listed, err = f.s3.ListBuckets(t.Context(), &sdk.ListBucketsInput{ContinuationToken: listed.ContinuationToken})
	if all := contract.Must(t, listed, err).Buckets; len(all) != 1 || *all[0].Name != "bucket" {
		t.Errorf("listed %+v", all)
	}
	place, err := f.s3.GetBucketLocation(t.Context(), &sdk.GetBucketLocationInput{Bucket: f.bucket})
	if got := contract.Must(t, place, err).LocationConstraint; got != region {
		t.Errorf("it is in %s", got)
	}
	head := func(name, owner string) string {
		_, err := f.s3.HeadBucket(t.Context(), &sdk.HeadBucketInput{Bucket: &name, ExpectedBucketOwner: &owner})
		return contract.APICode(err)
	}
	owner := *listed.Owner.ID
	if diff := cmp.Diff([]string{"", "NotFound", "Forbidden"}, []string{head("bucket", owner), head("none", owner), head("bucket", "000000000000")}); diff != "" {
		t.Error(diff)
	}
	_, err = f.put("key", "body")
	contract.WantCode(t, err, "")
	remove := func() error {
		_, err := f.s3.DeleteBucket(t.Context(), &sdk.DeleteBucketInput{Bucket: f.bucket})
		return err
	}
	contract.WantCode(t, remove(), "BucketNotEmpty")
	_, err = f.s3.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: f.bucket, Key: aws.String("key")})
	contract.WantCode(t, err, "")
	contract.WantCode(t, remove(), "")
	contract.WantCode(t, remove(), "NoSuchBucket")
}

func TestObjects(t *testing.T) {
	t.Parallel()
	f := start(t)
	const key = "path to/the+key.pem"
	put, err := f.put(key, "bytes", func(in *sdk.PutObjectInput) { in.ContentType = aws.String("text/x") })
	tag := contract.Must(t, put, err).ETag
	head, err := f.s3.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: f.bucket, Key: aws.String(key)})
	if got := contract.Must(t, head, err); *got.ETag != *tag || *got.ContentLength != 5 || *got.ContentType != "text/x" || got.VersionId != nil {
		t.Errorf("head %+v", got)
	}
	_, err = f.s3.HeadObject(t.Context(), &sdk.HeadObjectInput{Bucket: f.bucket, Key: aws.String("none")})
	contract.WantCode(t, err, "NotFound")
	for _, kind := range s3types.ChecksumAlgorithm("").Values()[:5] {
		_, err := f.put(string(kind), "bytes "+string(kind), func(in *sdk.PutObjectInput) { in.ChecksumAlgorithm = kind })
		contract.WantCode(t, err, "")
		if got := f.read(string(kind), ""); got != "bytes "+string(kind) {
			t.Errorf("%s: read %q", kind, got)
		}
	}
	rows := []struct {
		why    string
		change func(*sdk.PutObjectInput)
		code   string
	}{
		{"a wrong sum", func(in *sdk.PutObjectInput) { in.ChecksumCRC32 = aws.String("AAAAAA==") }, "BadDigest"},
		{"no digest", func(in *sdk.PutObjectInput) { in.ContentMD5 = aws.String("x") }, "InvalidDigest"},
		{"it is there", func(in *sdk.PutObjectInput) { in.IfNoneMatch = aws.String("*") }, "PreconditionFailed"},
		{"it is different", func(in *sdk.PutObjectInput) { in.IfMatch = aws.String(`"x"`) }, "PreconditionFailed"},
		{"a long key", func(in *sdk.PutObjectInput) { in.Key = aws.String(strings.Repeat("k", 1025)) }, "KeyTooLongError"},
		{"no bucket", func(in *sdk.PutObjectInput) { in.Bucket = aws.String("none") }, "NoSuchBucket"},
		{"it is as expected", func(in *sdk.PutObjectInput) { in.IfMatch = tag }, ""},
	}
	for _, row := range rows {
		if _, err := f.put(key, "changed", row.change); contract.APICode(err) != row.code {
			t.Errorf("%s: %v", row.why, err)
		}
	}
	if diff := cmp.Diff([]string{"changed", "NoSuchKey", "NoSuchVersion"}, []string{f.read(key, ""), f.read("none", ""), f.read(key, "v")}); diff != "" {
		t.Error(diff)
	}
}

func TestVersions(t *testing.T) {
	t.Parallel()
	f := start(t)
	_, err := f.put("key", "zero")
	contract.WantCode(t, err, "")
	before, err := f.s3.GetBucketVersioning(t.Context(), &sdk.GetBucketVersioningInput{Bucket: f.bucket})
	contract.WantCode(t, f.version("Enabled"), "")
	after, err2 := f.s3.GetBucketVersioning(t.Context(), &sdk.GetBucketVersioningInput{Bucket: f.bucket})
	if was, is := contract.Must(t, before, err).Status, contract.Must(t, after, err2).Status; was != "" || is != s3types.BucketVersioningStatusEnabled {
		t.Errorf("%q, then %q", was, is)
	}
	put, err := f.put("key", "one")
	one := *contract.Must(t, put, err).VersionId
	marked, err := f.s3.DeleteObject(t.Context(), &sdk.DeleteObjectInput{Bucket: f.bucket, Key: aws.String("key")})
	marker := *contract.Must(t, marked, err).VersionId
	got := []string{f.read("key", ""), f.read("key", one), f.read("key", "null"), f.read("key", marker)}
	_, err = f.s3.DeleteObjects(t.Context(), &sdk.DeleteObjectsInput{Bucket: f.bucket, Delete: &s3types.Delete{
		Objects: []s3types.ObjectIdentifier{{Key: aws.String("key"), VersionId: &marker}, {Key: aws.String("none"), VersionId: aws.String("x")}},
	}})
	contract.WantCode(t, err, "")
	got = append(got, f.read("key", ""))
	contract.WantCode(t, f.version("Suspended"), "")
	_, err = f.put("key", "two")
	contract.WantCode(t, err, "")
	got = append(got, f.read("key", ""), f.read("key", one), f.read("key", "null"))
	if diff := cmp.Diff([]string{"NoSuchKey", "one", "zero", "MethodNotAllowed", "one", "two", "one", "two"}, got); diff != "" {
		t.Error(diff)
	}
}

func TestLists(t *testing.T) {
	t.Parallel()
	f := start(t)
	for _, key := range []string{"b", "a/1", "a/2", "a", "c/x/y"} {
		_, err := f.put(key, "1")
		contract.WantCode(t, err, "")
	}
	list := func(in sdk.ListObjectsV2Input) string {
		in.Bucket = f.bucket
		var pages []string
		for {
			out, err := f.s3.ListObjectsV2(t.Context(), &in)
			var page []string
			for _, o := range contract.Must(t, out, err).Contents {
				page = append(page, *o.Key)
			}
			for _, p := range out.CommonPrefixes {
				page = append(page, "+"+*p.Prefix)
			}
			pages = append(pages, strings.Join(page, " "))
			if in.ContinuationToken = out.NextContinuationToken; !*out.IsTruncated {
				return strings.Join(pages, "; ")
			}
		}
	}
	got := []string{
		list(sdk.ListObjectsV2Input{}), list(sdk.ListObjectsV2Input{MaxKeys: aws.Int32(2)}), list(sdk.ListObjectsV2Input{Delimiter: aws.String("/")}),
		list(sdk.ListObjectsV2Input{Delimiter: aws.String("/"), MaxKeys: aws.Int32(2)}), list(sdk.ListObjectsV2Input{Prefix: aws.String("a/")}),
		list(sdk.ListObjectsV2Input{StartAfter: aws.String("a/1")}),
	}
	want := []string{"a a/1 a/2 b c/x/y", "a a/1; a/2 b; c/x/y", "a b +a/ +c/", "a +a/; b +c/", "a/1 a/2", "a/2 b c/x/y"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	_, err := f.s3.ListObjectsV2(t.Context(), &sdk.ListObjectsV2Input{Bucket: f.bucket, ContinuationToken: aws.String("?")})
	contract.WantCode(t, err, "InvalidArgument")
}

func TestPolicies(t *testing.T) {
	t.Parallel()
	f := start(t)
	get := func() string {
		out, err := f.s3.GetBucketPolicy(t.Context(), &sdk.GetBucketPolicyInput{Bucket: f.bucket})
		if err != nil {
			return contract.APICode(err)
		}
		return *out.Policy
	}
	put := func(policy string) string {
		_, err := f.s3.PutBucketPolicy(t.Context(), &sdk.PutBucketPolicyInput{Bucket: f.bucket, Policy: &policy})
		return contract.APICode(err)
	}
	statement := func(effect, resource string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":%q,"Principal":{"Service":"logdelivery.elasticloadbalancing.amazonaws.com"},"Action":"s3:PutObject","Resource":%q}]}`, effect, resource)
	}
	good := statement("Allow", "arn:aws:s3:::bucket/logs/*")
	const bad = "MalformedPolicy"
	got := []string{
		get(), put("x"), put("{}"), put(statement("Maybe", "arn:aws:s3:::bucket/*")), put(statement("Allow", "arn:aws:s3:::other/*")), get(), put(good), get(),
	}
	if diff := cmp.Diff([]string{"NoSuchBucketPolicy", bad, bad, bad, bad, "NoSuchBucketPolicy", "", good}, got); diff != "" {
		t.Error(diff)
	}
	_, err := f.s3.DeleteBucketPolicy(t.Context(), &sdk.DeleteBucketPolicyInput{Bucket: f.bucket})
	contract.WantCode(t, err, "")
	if got := get(); got != "NoSuchBucketPolicy" {
		t.Errorf("after it was deleted: %s", got)
	}
}

func TestWhatIsNotThereChangesNothing(t *testing.T) {
	t.Parallel()
	f := start(t)
	_, err := f.put("key", "bytes")
	contract.WantCode(t, err, "")
	key := aws.String("key")
	calls := map[string]func(context.Context) error{
		"acl": func(ctx context.Context) error {
			_, err := f.s3.PutObjectAcl(ctx, &sdk.PutObjectAclInput{Bucket: f.bucket, Key: key, ACL: "private"})
			return err
		},
		"part": func(ctx context.Context) error {
			_, err := f.s3.UploadPart(ctx, &sdk.UploadPartInput{Bucket: f.bucket, Key: key, UploadId: aws.String("u"), PartNumber: aws.Int32(1), Body: strings.NewReader("x")})
			return err
		},
		"copy": func(ctx context.Context) error {
			_, err := f.s3.CopyObject(ctx, &sdk.CopyObjectInput{Bucket: f.bucket, Key: key, CopySource: aws.String("bucket/other")})
			return err
		},
		"tags": func(ctx context.Context) error {
			_, err := f.s3.DeleteBucketTagging(ctx, &sdk.DeleteBucketTaggingInput{Bucket: f.bucket})
			return err
		},
	}
	for what, call := range calls {
		if err := call(t.Context()); contract.APICode(err) != "NotImplemented" {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := f.read("key", ""); got != "bytes" {
		t.Errorf("the object is %q", got)
	}
}

func TestTrustStoreReadsItsBundle(t *testing.T) {
	t.Parallel()
	f := start(t)
	stores := elb.NewFromConfig(f.Config)
	create := func(key string) string {
		_, err := stores.CreateTrustStore(t.Context(), &elb.CreateTrustStoreInput{
			Name: aws.String("trust"), CaCertificatesBundleS3Bucket: f.bucket, CaCertificatesBundleS3Key: &key,
		})
		return contract.APICode(err)
	}
	leaf, _ := contract.Pair(t, "a.com")
	_, err := f.put("leaf.pem", string(leaf))
	contract.WantCode(t, err, "")
	_, err = f.put("ca.pem", authority(t))
	contract.WantCode(t, err, "")
	if diff := cmp.Diff([]string{"CaCertificatesBundleNotFound", "InvalidCaCertificatesBundle", ""}, []string{create("none.pem"), create("leaf.pem"), create("ca.pem")}); diff != "" {
		t.Error(diff)
	}
}

func TestBucketsOfTheOldestRegion(t *testing.T) {
	t.Parallel()
	f := contract.Start(t, func(o *sim.Options) { o.Region = "us-east-1" })
	b := &fixture{Fixture: f, s3: sdk.NewFromConfig(f.Config)}
	for range 2 {
		contract.WantCode(t, b.create("bucket", ""), "")
	}
}
