package wire_test

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// store serves some operations of S3.
func store(t *testing.T, operations ...wire.Operation) *s3.Client {
	t.Helper()
	return s3.NewFromConfig(serve(t, wire.Service{
		Name: "s3",
		Protocol: wire.RESTXML{
			Namespace: "http://s3.amazonaws.com/doc/2006-03-01/", Invalid: "InvalidArgument", Plain: true,
			Names: map[string]string{
				"ListObjectsV2Output.Contents": "Contents", "ListObjectsV2Output.CommonPrefixes": "CommonPrefixes", "Delete.Objects": "Object",
			},
		},
		Operations: wire.Table(operations...),
	}))
}

func TestS3Objects(t *testing.T) {
	t.Parallel()
	var put *s3.PutObjectInput
	var got *s3.GetObjectInput
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	client := store(t,
		wire.Writes("PutObject", heard(&put, &s3.PutObjectOutput{ETag: aws.String(`"e"`)})).
			At("PUT /{Bucket}/{Key+}", wire.Payload("Body"), wire.Headers("ETag", "Content-Type=ContentType")),
		wire.Reads("GetObject", heard(&got, &s3.GetObjectOutput{
			Body: io.NopCloser(strings.NewReader("bytes")), LastModified: &at, VersionId: aws.String("v"),
		})).At("GET /{Bucket}/{Key+}?versionId={VersionId}", wire.Answer("Body"),
			wire.Headers("Last-Modified=LastModified", "X-Amz-Version-Id=VersionId", "Range")),
	)
	object, bucket := aws.String("path to/the+key.pem"), aws.String("bucket")
	stored, err := client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: bucket, Key: object, Body: strings.NewReader("content"), ContentType: aws.String("text/x")})
	if err != nil || aws.ToString(stored.ETag) != `"e"` {
		t.Fatal(stored, err)
	}
	body, err := io.ReadAll(put.Body)
	if err != nil || string(body) != "content" || *put.Key != *object || *put.ContentType != "text/x" {
		t.Errorf("put %+v with %q, %v", put, body, err)
	}
	out, err := client.GetObject(t.Context(), &s3.GetObjectInput{Bucket: bucket, Key: object, VersionId: aws.String("v"), Range: aws.String("bytes=0-")})
	if err != nil {
		t.Fatal(err)
	}
	if body, err = io.ReadAll(out.Body); err != nil || string(body) != "bytes" || !out.LastModified.Equal(at) || *out.VersionId != "v" {
		t.Errorf("got %+v with %q, %v", out, body, err)
	}
	if *got.VersionId != "v" || *got.Range != "bytes=0-" || *got.Key != *object {
		t.Errorf("asked for %+v", got)
	}
}

func TestS3Buckets(t *testing.T) {
	t.Parallel()
	var listed *s3.ListObjectsV2Input
	var removed *s3.DeleteObjectsInput
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	objects := &s3.ListObjectsV2Output{
		Name: aws.String("bucket"), KeyCount: aws.Int32(2), IsTruncated: aws.Bool(false),
		Contents: []s3types.Object{{Key: aws.String("a/b"), Size: aws.Int64(3), LastModified: &at}, {Key: aws.String("c")}},
	}
	client := store(t,
		wire.Reads("ListObjectsV2", heard(&listed, objects)).At("GET /{Bucket}?list-type=2&prefix={Prefix}&max-keys={MaxKeys}", wire.Root("ListBucketResult")),
		wire.Writes("DeleteObjects", heard(&removed, &s3.DeleteObjectsOutput{})).At("POST /{Bucket}?delete", wire.Payload("Delete"), wire.Root("DeleteResult")),
		wire.Writes("DeleteObject", heard(new(*s3.DeleteObjectInput), &s3.DeleteObjectOutput{})).At("DELETE /{Bucket}/{Key+}", wire.Status(http.StatusNoContent)),
	)
	bucket := aws.String("bucket")
	in := &s3.ListObjectsV2Input{Bucket: bucket, Prefix: aws.String("a"), MaxKeys: aws.Int32(2)}
	list, err := client.ListObjectsV2(t.Context(), in)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "objects answered", objects, list)
	same(t, "objects asked for", in, listed)
	keys := []s3types.ObjectIdentifier{{Key: aws.String("a")}, {Key: aws.String("b")}}
	_, err = client.DeleteObjects(t.Context(), &s3.DeleteObjectsInput{Bucket: bucket, Delete: &s3types.Delete{Objects: keys}})
	if err != nil || len(removed.Delete.Objects) != 2 || *removed.Delete.Objects[1].Key != "b" {
		t.Errorf("deleted %+v, %v", removed, err)
	}
	if _, err := client.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: bucket, Key: aws.String("a/")}); err != nil {
		t.Error(err)
	}
}

func TestS3Errors(t *testing.T) {
	t.Parallel()
	client := store(t,
		wire.Reads("HeadObject", refusing[s3.HeadObjectInput, s3.HeadObjectOutput](wire.Errorf("NotFound", "none").WithStatus(http.StatusNotFound))).
			At("HEAD /{Bucket}/{Key+}"),
		wire.Reads("ListBuckets", refusing[s3.ListBucketsInput, s3.ListBucketsOutput](wire.Errorf("AccessDenied", "no").WithStatus(http.StatusForbidden))).At("GET /"),
	)
	_, err := client.HeadObject(t.Context(), &s3.HeadObjectInput{Bucket: aws.String("bucket"), Key: aws.String("key")})
	if _, ok := errors.AsType[*s3types.NotFound](err); !ok {
		t.Errorf("head of nothing: %v", err)
	}
	_, err = client.ListBuckets(t.Context(), &s3.ListBucketsInput{})
	if api, ok := errors.AsType[smithy.APIError](err); !ok || api.ErrorCode() != "AccessDenied" {
		t.Errorf("an error has its code: %v", err)
	}
}

func TestChunkedBodies(t *testing.T) {
	t.Parallel()
	framed := http.Header{"Content-Encoding": {"aws-chunked"}}
	rows := []struct {
		why    string
		header http.Header
		body   string
		want   string
	}{
		{"frames with signatures and a trailer", framed, "3;chunk-signature=a\r\nabc\r\n2\r\nde\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n", "abcde"},
		{"an empty body", framed, "0\r\n\r\n", ""},
		{"a body that only looks like frames", nil, "3\r\nabc\r\n", "3\r\nabc\r\n"},
		{"a frame that is cut short", framed, "3\r\nabc\r\nff\r\nd", "abc"},
	}
	for _, row := range rows {
		if got := string(wire.Unwrapped(row.header, []byte(row.body))); got != row.want {
			t.Errorf("%s: %q", row.why, got)
		}
	}
}

// FuzzXML looks for documents on which decoding fails otherwise than with an error of AWS.
func FuzzXML(f *testing.F) {
	for _, seed := range []string{"<a><Parts><part><Name>x</Name></part></Parts></a>", "<a/>", "<a>", "", "<a><Weight>x</Weight></a>", "<a><Parts>x</Parts></a>"} {
		f.Add(seed)
	}
	service := wire.Service{Protocol: wire.RESTXML{Invalid: "InvalidInput"}, Operations: wire.Table(
		wire.Writes("Make", func(*order) (*order, error) { return &order{}, nil }).At("POST /"),
	)}
	f.Fuzz(func(t *testing.T, document string) {
		if _, err := call(service, &wire.Request{Method: http.MethodPost, Path: "/", Body: []byte(document)}); err != nil && wire.AsError(err).Status != 400 {
			t.Errorf("%q: %v", document, err)
		}
	})
}
