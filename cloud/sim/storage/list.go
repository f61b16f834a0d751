package storage

import (
	"encoding/base64"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

// mostListed is the longest page (API reference).
const mostListed = 1000

func (b *bucket) keys() []string { return slices.Sorted(maps.Keys(b.objects)) }

func (s *Store) listObjects(in *sdk.ListObjectsV2Input) (*sdk.ListObjectsV2Output, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	after, err := startOf(in)
	if err != nil {
		return nil, err
	}
	number := int32(mostListed)
	if in.MaxKeys != nil {
		number = min(number, *in.MaxKeys)
	}
	if number < 0 {
		return nil, wire.Errorf("InvalidArgument", "Argument maxKeys must be an integer between 0 and 2147483647")
	}
	out := &sdk.ListObjectsV2Output{
		Name: in.Bucket, Prefix: aws.String(aws.ToString(in.Prefix)), Delimiter: in.Delimiter, MaxKeys: &number, StartAfter: in.StartAfter,
		ContinuationToken: in.ContinuationToken, IsTruncated: aws.Bool(false), KeyCount: aws.Int32(0),
	}
	b.collect(in, out, after)
	return out, nil
}

// collect fills a page with the keys after a name.
func (b *bucket) collect(in *sdk.ListObjectsV2Input, out *sdk.ListObjectsV2Output, after string) {
	last := ""
	for _, key := range b.keys() {
		name, common := grouped(key, in)
		if !strings.HasPrefix(key, *out.Prefix) || key <= after || name == after || name == last {
			continue
		}
		v, err := b.get(key, "")
		if err != nil {
			continue
		}
		if *out.KeyCount == *out.MaxKeys {
			out.IsTruncated = aws.Bool(*out.MaxKeys > 0)
			out.NextContinuationToken = aws.String(base64.RawURLEncoding.EncodeToString([]byte(last)))
			return
		}
		last = name
		*out.KeyCount++
		if common {
			out.CommonPrefixes = append(out.CommonPrefixes, s3types.CommonPrefix{Prefix: &name})
			continue
		}
		out.Contents = append(out.Contents, s3types.Object{
			Key: &key, ETag: &v.etag, Size: aws.Int64(int64(len(v.body))), LastModified: &v.modified, StorageClass: s3types.ObjectStorageClassStandard,
		})
	}
}

// startOf gives the name after which a list begins.
func startOf(in *sdk.ListObjectsV2Input) (string, error) {
	if in.EncodingType != "" {
		return "", failure(http.StatusBadRequest, "NotImplemented", "A query you provided implies functionality that is not implemented: encoding-type.")
	}
	if in.ContinuationToken == nil {
		return aws.ToString(in.StartAfter), nil
	}
	raw, err := base64.RawURLEncoding.DecodeString(*in.ContinuationToken)
	if err != nil || len(raw) == 0 {
		return "", wire.Errorf("InvalidArgument", "The continuation token provided is incorrect")
	}
	return string(raw), nil
}

// grouped gives the name of a key in a list: what it has in common with others up to a delimiter after the prefix, or itself.
func grouped(key string, in *sdk.ListObjectsV2Input) (string, bool) {
	prefix, delimiter := aws.ToString(in.Prefix), aws.ToString(in.Delimiter)
	if delimiter == "" || !strings.HasPrefix(key, prefix) {
		return key, false
	}
	head, _, found := strings.Cut(key[len(prefix):], delimiter)
	if !found {
		return key, false
	}
	return prefix + head + delimiter, true
}
