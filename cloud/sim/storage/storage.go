// Package storage simulates S3 as far as others read and write objects there: buckets, their policies and versions, and whole objects. It may
// import the SDK's shapes and the simulator's wire, account, table and policy packages. Its invariant: an object that was answered for is kept byte
// by byte as it was sent, and a version never changes.
package storage

import (
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/table"
	"github.com/headgate/headgate/cloud/sim/wire"
)

// Store holds the buckets of the account.
type Store struct {
	account *account.Account
	buckets table.Table[*bucket]
}

type bucket struct {
	name       string
	created    time.Time
	versioning s3types.BucketVersioningStatus
	policy     string
	// objects holds the versions of each key, the current one last.
	objects map[string][]version
}

// version is an object as it was stored once, or the mark that it was deleted.
type version struct {
	id       string
	deleted  bool
	body     []byte
	etag     string
	sums     sums
	kind     string
	encoding string
	modified time.Time
}

// unversioned is the identifier of what is stored without versioning.
const unversioned = "null"

// New makes an account without buckets.
func New(a *account.Account) *Store { return &Store{account: a} }

// Service gives the S3 API, addressed by path.
func (s *Store) Service() wire.Service {
	return wire.Service{
		Name: "s3", Protocol: wire.RESTXML{
			Namespace: "http://s3.amazonaws.com/doc/2006-03-01/", Invalid: "InvalidArgument", Plain: true,
			Names: map[string]string{
				"ListObjectsV2Output.Contents": "Contents", "ListObjectsV2Output.CommonPrefixes": "CommonPrefixes", "Delete.Objects": "Object",
				"DeleteObjectsOutput.Deleted": "Deleted", "DeleteObjectsOutput.Errors": "Error",
				"VersioningConfiguration.MFADelete": "MfaDelete", "GetBucketVersioningOutput.MFADelete": "MfaDelete",
			},
		},
		Operations: wire.Table(slices.Concat(s.bucketOperations(), s.objectOperations(), refusedOperations())...),
	}
}

// Object gives an object's bytes; an empty version is the current one.
func (s *Store) Object(bucket, key, version string) ([]byte, error) {
	b, err := s.find(&bucket, nil)
	if err != nil {
		return nil, err
	}
	v, err := b.get(key, version)
	return slices.Clone(v.body), err
}

// Dump gives everything that the service holds, without the bytes of objects.
func (s *Store) Dump() any {
	type object struct {
		Key, VersionID, ETag string
		Size                 int
		Deleted              bool
	}
	type one struct {
		Name, Versioning, Policy string
		Objects                  []object
	}
	var all []one
	for name, b := range s.buckets.All() {
		shown := one{Name: name, Versioning: string(b.versioning), Policy: b.policy}
		for _, key := range b.keys() {
			for _, v := range b.objects[key] {
				shown.Objects = append(shown.Objects, object{key, v.id, v.etag, len(v.body), v.deleted})
			}
		}
		all = append(all, shown)
	}
	return all
}

func failure(status int, code, message string) error {
	return &wire.Error{Code: code, Message: message, Status: status}
}

// find gives a bucket, if its owner is the one that the caller expects.
func (s *Store) find(name, owner *string) (*bucket, error) {
	b, ok := s.buckets.Get(aws.ToString(name))
	switch {
	case !ok:
		return nil, failure(http.StatusNotFound, "NoSuchBucket", "The specified bucket does not exist")
	case owner != nil && *owner != s.account.ID:
		return nil, failure(http.StatusForbidden, "AccessDenied", "Access Denied")
	default:
		return b, nil
	}
}

// get gives a version of an object.
func (b *bucket) get(key, id string) (version, error) {
	all := b.objects[key]
	if id == "" {
		if len(all) == 0 || all[len(all)-1].deleted {
			return version{}, failure(http.StatusNotFound, "NoSuchKey", "The specified key does not exist.")
		}
		return all[len(all)-1], nil
	}
	at := slices.IndexFunc(all, func(v version) bool { return v.id == id })
	switch {
	case at < 0:
		return version{}, failure(http.StatusNotFound, "NoSuchVersion", "The specified version does not exist.")
	case all[at].deleted:
		return version{}, failure(http.StatusMethodNotAllowed, "MethodNotAllowed", "The specified method is not allowed against this resource.")
	default:
		return all[at], nil
	}
}

// headless gives the error of a HEAD, which has no body and so no code of its own.
func headless(err error) error {
	if err == nil {
		return nil
	}
	if wire.AsError(err).Status != http.StatusNotFound {
		return err
	}
	return failure(http.StatusNotFound, "NotFound", "Not Found")
}

// refusedOperations are those that share path and method with others, from which only their query tells them.
func refusedOperations() []wire.Operation {
	// The body is taken as it is, whatever it says.
	type anything struct{ Body io.Reader }
	refuse := func(*anything) (*anything, error) {
		return nil, failure(http.StatusBadRequest, "NotImplemented", "A header or query you provided implies functionality that is not implemented.")
	}
	var all []wire.Operation
	for _, name := range refusedNames() {
		all = append(all, wire.Writes(name[0], refuse).At(name[1], wire.Payload("Body")))
	}
	return all
}

// refusedNames are those that would else delete or overwrite something.
func refusedNames() [][2]string {
	const bucket, object = "DELETE /{Bucket}?", "PUT /{Bucket}/{Key+}?"
	return [][2]string{
		{"DeleteBucketCors", bucket + "cors"}, {"DeleteBucketEncryption", bucket + "encryption"}, {"DeleteBucketLifecycle", bucket + "lifecycle"},
		{"DeleteBucketOwnershipControls", bucket + "ownershipControls"}, {"DeletePublicAccessBlock", bucket + "publicAccessBlock"},
		{"DeleteBucketReplication", bucket + "replication"}, {"DeleteBucketTagging", bucket + "tagging"}, {"DeleteBucketWebsite", bucket + "website"},
		{"PutObjectAcl", object + "acl"}, {"PutObjectTagging", object + "tagging"}, {"PutObjectRetention", object + "retention"},
		{"PutObjectLegalHold", object + "legal-hold"}, {"UploadPart", object + "uploadId"}, {"CopyObject", object + "x-id=CopyObject"},
		{"DeleteObjectTagging", "DELETE /{Bucket}/{Key+}?tagging"}, {"AbortMultipartUpload", "DELETE /{Bucket}/{Key+}?uploadId"},
	}
}

// owned binds what nearly every call can say of the owner that it expects.
func owned() wire.Binding { return wire.Headers("X-Amz-Expected-Bucket-Owner=ExpectedBucketOwner") }
