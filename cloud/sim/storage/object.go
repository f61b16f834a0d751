package storage

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Store) objectOperations() []wire.Operation {
	const one = "/{Bucket}/{Key+}"
	id, tag := wire.Headers("X-Amz-Version-Id=VersionId"), wire.Headers("ETag", "Content-Type=ContentType", "Content-Encoding=ContentEncoding")
	conditions := wire.Headers("If-Match=IfMatch", "If-None-Match=IfNoneMatch")
	read := wire.Headers("Last-Modified=LastModified", "X-Amz-Checksum-Mode=ChecksumMode", "Range", "Accept-Ranges=AcceptRanges")
	return []wire.Operation{
		wire.Writes("PutObject", s.put).At("PUT "+one, owned(), id, tag, conditions, checksums(), wire.Headers("Content-Md5=ContentMD5"), wire.Payload("Body")),
		wire.Reads("GetObject", s.get).At("GET "+one+"?versionId={VersionId}", owned(), tag, conditions, checksums(), read,
			wire.Headers("X-Amz-Version-Id=VersionId"), wire.Answer("Body")),
		wire.Reads("HeadObject", s.headObject).At("HEAD "+one+"?versionId={VersionId}", owned(), tag, conditions, checksums(), read,
			wire.Headers("X-Amz-Version-Id=VersionId", "Content-Length=ContentLength")),
		wire.Writes("DeleteObject", s.removeObject).At("DELETE "+one+"?versionId={VersionId}", owned(), wire.Status(http.StatusNoContent),
			wire.Headers("X-Amz-Version-Id=VersionId", "X-Amz-Delete-Marker=DeleteMarker")),
		wire.Writes("DeleteObjects", s.removeObjects).At("POST /{Bucket}?delete", owned(), wire.Payload("Delete"), wire.Root("DeleteResult")),
		wire.Reads("ListObjectsV2", s.listObjects).At("GET /{Bucket}?list-type=2&prefix={Prefix}&delimiter={Delimiter}&max-keys={MaxKeys}"+
			"&start-after={StartAfter}&continuation-token={ContinuationToken}&encoding-type={EncodingType}", owned(), wire.Root("ListBucketResult")),
	}
}

// longestKey is in bytes (user guide, "Naming Amazon S3 objects").
const longestKey = 1024

func (s *Store) put(in *sdk.PutObjectInput) (*sdk.PutObjectOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(aws.ToString(in.Key)) > longestKey {
		return nil, wire.Errorf("KeyTooLongError", "Your key is too long")
	}
	if err := b.checkConditions(aws.ToString(in.Key), in.IfMatch, in.IfNoneMatch); err != nil {
		return nil, err
	}
	body, err := content(in.Body)
	if err != nil {
		return nil, err
	}
	given := sums{in.ChecksumCRC32, in.ChecksumCRC32C, in.ChecksumCRC64NVME, in.ChecksumSHA1, in.ChecksumSHA256}
	if err := given.check(body, in.ContentMD5); err != nil {
		return nil, err
	}
	v := version{
		id: s.version(b), body: body, etag: tagOf(body), sums: given, kind: aws.ToString(in.ContentType), modified: s.account.Now(),
		encoding: strings.Trim(strings.ReplaceAll(aws.ToString(in.ContentEncoding), "aws-chunked", ""), ", "),
	}
	b.add(aws.ToString(in.Key), v)
	out := &sdk.PutObjectOutput{
		ETag: &v.etag, VersionId: b.shown(v), ChecksumCRC32: given.crc32, ChecksumCRC32C: given.crc32c, ChecksumCRC64NVME: given.crc64,
		ChecksumSHA1: given.sha1, ChecksumSHA256: given.sha256,
	}
	return out, nil
}

func content(body io.Reader) ([]byte, error) {
	if body == nil {
		return []byte{}, nil
	}
	all, err := io.ReadAll(body)
	if err != nil {
		return nil, fmt.Errorf("reading a body: %w", err)
	}
	return all, nil
}

// tagOf makes an entity tag. AWS takes a digest of the bytes too, but says nothing of which one.
func tagOf(body []byte) string {
	const length = 16
	sum := sha256.Sum256(body)
	return `"` + hex.EncodeToString(sum[:length]) + `"`
}

// version gives the identifier of what is to be stored now.
func (s *Store) version(b *bucket) string {
	const digits = 32
	if b.versioning == s3types.BucketVersioningStatusEnabled {
		return s.account.Hex(digits)
	}
	return unversioned
}

// shown is the identifier as answers have it: none where there never was versioning.
func (b *bucket) shown(v version) *string {
	if b.versioning == "" {
		return nil
	}
	return &v.id
}

// add makes a version the current one. There is one at most without an identifier of its own.
func (b *bucket) add(key string, v version) {
	kept := slices.DeleteFunc(slices.Clone(b.objects[key]), func(old version) bool { return old.id == v.id })
	b.objects[key] = append(kept, v)
}

// checkConditions checks what a write demands of the current version.
func (b *bucket) checkConditions(key string, match, noneMatch *string) error {
	current, err := b.get(key, "")
	switch {
	case noneMatch != nil && *noneMatch != "*":
		return failure(http.StatusBadRequest, "NotImplemented", "A header you provided implies functionality that is not implemented.")
	case noneMatch != nil && err == nil:
		return failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case match != nil && err != nil:
		return err
	case match != nil && *match != current.etag:
		return failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	default:
		return nil
	}
}

func (s *Store) get(in *sdk.GetObjectInput) (*sdk.GetObjectOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	v, err := b.get(aws.ToString(in.Key), aws.ToString(in.VersionId))
	if err == nil {
		err = v.fits(in.IfMatch, in.IfNoneMatch, in.Range)
	}
	if err != nil {
		return nil, err
	}
	out := &sdk.GetObjectOutput{
		Body: io.NopCloser(bytes.NewReader(v.body)), ETag: &v.etag, LastModified: &v.modified, VersionId: b.shown(v), ContentType: v.contentType(),
		AcceptRanges: aws.String("bytes"), ContentEncoding: optional(v.encoding),
	}
	if in.ChecksumMode == s3types.ChecksumModeEnabled {
		out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME = v.sums.crc32, v.sums.crc32c, v.sums.crc64
		out.ChecksumSHA1, out.ChecksumSHA256 = v.sums.sha1, v.sums.sha256
	}
	return out, nil
}

// fits checks what a read demands of a version.
func (v version) fits(match, noneMatch, part *string) error {
	switch {
	case match != nil && *match != v.etag && *match != "*":
		return failure(http.StatusPreconditionFailed, "PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	case noneMatch != nil && (*noneMatch == v.etag || *noneMatch == "*"):
		return failure(http.StatusNotModified, "NotModified", "Not Modified")
	case part != nil:
		return failure(http.StatusBadRequest, "NotImplemented", "A header you provided implies functionality that is not implemented: Range.")
	default:
		return nil
	}
}

func (v version) contentType() *string {
	if v.kind == "" {
		return aws.String("binary/octet-stream")
	}
	return &v.kind
}

func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

func (s *Store) headObject(in *sdk.HeadObjectInput) (*sdk.HeadObjectOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, headless(err)
	}
	v, err := b.get(aws.ToString(in.Key), aws.ToString(in.VersionId))
	if err == nil {
		err = v.fits(in.IfMatch, in.IfNoneMatch, in.Range)
	}
	if err != nil {
		return nil, headless(err)
	}
	out := &sdk.HeadObjectOutput{
		ETag: &v.etag, LastModified: &v.modified, VersionId: b.shown(v), ContentType: v.contentType(), ContentLength: aws.Int64(int64(len(v.body))),
		AcceptRanges: aws.String("bytes"), ContentEncoding: optional(v.encoding),
	}
	if in.ChecksumMode == s3types.ChecksumModeEnabled {
		out.ChecksumCRC32, out.ChecksumCRC32C, out.ChecksumCRC64NVME = v.sums.crc32, v.sums.crc32c, v.sums.crc64
		out.ChecksumSHA1, out.ChecksumSHA256 = v.sums.sha1, v.sums.sha256
	}
	return out, nil
}

func (s *Store) removeObject(in *sdk.DeleteObjectInput) (*sdk.DeleteObjectOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	d := s.removeVersion(b, aws.ToString(in.Key), aws.ToString(in.VersionId))
	return &sdk.DeleteObjectOutput{DeleteMarker: d.DeleteMarker, VersionId: d.VersionId}, nil
}

// removeVersion takes a version away, or marks the object as deleted where there is versioning. What is not there is no error.
func (s *Store) removeVersion(b *bucket, key, id string) s3types.DeletedObject {
	if id == "" && b.versioning != "" {
		marker := version{id: s.version(b), deleted: true, modified: s.account.Now()}
		b.add(key, marker)
		return s3types.DeletedObject{Key: &key, DeleteMarker: aws.Bool(true), VersionId: &marker.id}
	}
	out := s3types.DeletedObject{Key: &key}
	if id != "" {
		out.VersionId = &id
	} else {
		id = unversioned
	}
	kept := []version{}
	for _, v := range b.objects[key] {
		if v.id != id {
			kept = append(kept, v)
		} else if v.deleted {
			out.DeleteMarker = aws.Bool(true)
		}
	}
	b.objects[key] = kept
	if len(kept) == 0 {
		delete(b.objects, key)
	}
	return out
}

// mostDeleted is how many keys a call can have (API reference).
const mostDeleted = 1000

func (s *Store) removeObjects(in *sdk.DeleteObjectsInput) (*sdk.DeleteObjectsOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if in.Delete == nil || len(in.Delete.Objects) == 0 || len(in.Delete.Objects) > mostDeleted {
		return nil, wire.Errorf("MalformedXML", "The XML you provided was not well-formed or did not validate against our published schema")
	}
	out := &sdk.DeleteObjectsOutput{}
	for _, o := range in.Delete.Objects {
		d := s.removeVersion(b, aws.ToString(o.Key), aws.ToString(o.VersionId))
		if d.DeleteMarker != nil {
			d.DeleteMarkerVersionId, d.VersionId = d.VersionId, o.VersionId
		}
		if !aws.ToBool(in.Delete.Quiet) {
			out.Deleted = append(out.Deleted, d)
		}
	}
	return out, nil
}
