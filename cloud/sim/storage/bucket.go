package storage

import (
	"encoding/json"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	sdk "github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/headgate/headgate/cloud/sim/listing"
	"github.com/headgate/headgate/cloud/sim/policy"
	"github.com/headgate/headgate/cloud/sim/wire"
)

func (s *Store) bucketOperations() []wire.Operation {
	const one = "/{Bucket}"
	return []wire.Operation{
		wire.Writes("CreateBucket", s.create).At("PUT "+one, wire.Payload("CreateBucketConfiguration"), wire.Headers("Location")),
		wire.Reads("HeadBucket", s.head).At("HEAD "+one, owned(), wire.Headers("X-Amz-Bucket-Region=BucketRegion")),
		wire.Writes("DeleteBucket", s.remove).At("DELETE "+one, owned(), wire.Status(http.StatusNoContent)),
		wire.Reads("ListBuckets", s.list).
			At("GET /?prefix={Prefix}&max-buckets={MaxBuckets}&continuation-token={ContinuationToken}", wire.Root("ListAllMyBucketsResult")),
		wire.Reads("GetBucketLocation", s.location).At("GET "+one+"?location", owned(), wire.Root("LocationConstraint"),
			wire.Answer("LocationConstraint")),
		wire.Writes("PutBucketVersioning", s.putVersioning).At("PUT "+one+"?versioning", owned(), wire.Payload("VersioningConfiguration")),
		wire.Reads("GetBucketVersioning", s.getVersioning).At("GET "+one+"?versioning", owned(), wire.Root("VersioningConfiguration")),
		wire.Writes("PutBucketPolicy", s.putPolicy).At("PUT "+one+"?policy", owned(), wire.Payload("Policy"), wire.Status(http.StatusNoContent)),
		wire.Reads("GetBucketPolicy", s.getPolicy).At("GET "+one+"?policy", owned(), wire.Answer("Policy")),
		wire.Writes("DeleteBucketPolicy", s.deletePolicy).At("DELETE "+one+"?policy", owned(), wire.Status(http.StatusNoContent)),
	}
}

// nameForm is the form of names (user guide, "General purpose bucket naming rules").
var nameForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

func validName(name string) bool {
	if _, err := netip.ParseAddr(name); err == nil {
		return false
	}
	reserved := strings.HasPrefix(name, "xn--") || strings.HasPrefix(name, "sthree-") ||
		strings.HasSuffix(name, "-s3alias") || strings.HasSuffix(name, "--ol-s3")
	return nameForm.MatchString(name) && !strings.Contains(name, "..") && !reserved
}

// oldest is the Region that is meant where none is named.
const oldest = "us-east-1"

// maxBuckets is the default quota (user guide, "Bucket quotas").
const maxBuckets = 10000

func (s *Store) create(in *sdk.CreateBucketInput) (*sdk.CreateBucketOutput, error) {
	name, region := aws.ToString(in.Bucket), oldest
	if in.CreateBucketConfiguration != nil && in.CreateBucketConfiguration.LocationConstraint != "" {
		region = string(in.CreateBucketConfiguration.LocationConstraint)
	}
	_, exists := s.buckets.Get(name)
	switch {
	case !validName(name):
		return nil, wire.Errorf("InvalidBucketName", "The specified bucket is not valid.")
	case region != s.account.Region && region == oldest:
		return nil, wire.Errorf("IllegalLocationConstraintException",
			"The unspecified location constraint is incompatible for the region specific endpoint this request was sent to.")
	case region != s.account.Region:
		return nil, wire.Errorf("IllegalLocationConstraintException",
			"The %s location constraint is incompatible for the region specific endpoint this request was sent to.", region)
	case exists && region == oldest:
		// The oldest Region answers the owner's second creation as if it were the first.
		return &sdk.CreateBucketOutput{Location: aws.String("/" + name)}, nil
	case exists:
		return nil, failure(http.StatusConflict, "BucketAlreadyOwnedByYou",
			"Your previous request to create the named bucket succeeded and you already own it.")
	case s.buckets.Len() >= maxBuckets:
		return nil, wire.Errorf("TooManyBuckets", "You have attempted to create more buckets than allowed")
	}
	s.buckets.Put(name, &bucket{name: name, created: s.account.Now(), objects: map[string][]version{}})
	return &sdk.CreateBucketOutput{Location: aws.String("/" + name)}, nil
}

func (s *Store) head(in *sdk.HeadBucketInput) (*sdk.HeadBucketOutput, error) {
	if _, err := s.find(in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, headless(err)
	}
	return &sdk.HeadBucketOutput{BucketRegion: &s.account.Region}, nil
}

func (s *Store) remove(in *sdk.DeleteBucketInput) (*sdk.DeleteBucketOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if len(b.objects) > 0 {
		return nil, failure(http.StatusConflict, "BucketNotEmpty", "The bucket you tried to delete is not empty")
	}
	s.buckets.Delete(b.name)
	return &sdk.DeleteBucketOutput{}, nil
}

func (s *Store) list(in *sdk.ListBucketsInput) (*sdk.ListBucketsOutput, error) {
	number := int32(maxBuckets)
	if in.MaxBuckets != nil {
		number = *in.MaxBuckets
	}
	if number < 1 || number > maxBuckets {
		return nil, wire.Errorf("InvalidArgument", "max-buckets must be between 1 and %d", maxBuckets)
	}
	all := slices.DeleteFunc(s.buckets.Values(), func(b *bucket) bool { return !strings.HasPrefix(b.name, aws.ToString(in.Prefix)) })
	slices.SortFunc(all, func(a, b *bucket) int { return strings.Compare(a.name, b.name) })
	page, next, ok := listing.Page(all, int(number), aws.ToString(in.ContinuationToken))
	if !ok {
		return nil, wire.Errorf("InvalidArgument", "The continuation token provided is incorrect")
	}
	out := &sdk.ListBucketsOutput{Prefix: in.Prefix, Buckets: []s3types.Bucket{}, Owner: &s3types.Owner{ID: &s.account.ID}}
	if next != "" {
		out.ContinuationToken = &next
	}
	for _, b := range page {
		out.Buckets = append(out.Buckets, s3types.Bucket{Name: &b.name, CreationDate: &b.created})
	}
	return out, nil
}

func (s *Store) location(in *sdk.GetBucketLocationInput) (*sdk.GetBucketLocationOutput, error) {
	if _, err := s.find(in.Bucket, in.ExpectedBucketOwner); err != nil {
		return nil, err
	}
	if s.account.Region == oldest {
		return &sdk.GetBucketLocationOutput{}, nil
	}
	return &sdk.GetBucketLocationOutput{LocationConstraint: s3types.BucketLocationConstraint(s.account.Region)}, nil
}

func (s *Store) putVersioning(in *sdk.PutBucketVersioningInput) (*sdk.PutBucketVersioningOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if in.VersioningConfiguration == nil || in.VersioningConfiguration.Status == "" {
		return nil, wire.Errorf("IllegalVersioningConfigurationException", "The Versioning element must be specified")
	}
	if in.VersioningConfiguration.MFADelete == s3types.MFADeleteEnabled {
		return nil, failure(http.StatusForbidden, "AccessDenied", "This operation may only be performed by the bucket owner with MFA.")
	}
	b.versioning = in.VersioningConfiguration.Status
	return &sdk.PutBucketVersioningOutput{}, nil
}

func (s *Store) getVersioning(in *sdk.GetBucketVersioningInput) (*sdk.GetBucketVersioningOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	return &sdk.GetBucketVersioningOutput{Status: b.versioning}, nil
}

func (s *Store) putPolicy(in *sdk.PutBucketPolicyInput) (*sdk.PutBucketPolicyOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err == nil {
		err = s.checkPolicy(b.name, aws.ToString(in.Policy))
	}
	if err != nil {
		return nil, err
	}
	b.policy = *in.Policy
	return &sdk.PutBucketPolicyOutput{}, nil
}

// checkPolicy checks the form of a bucket policy (user guide, "Policies and permissions in Amazon S3").
func (s *Store) checkPolicy(name, text string) error {
	const longest = 20 << 10
	var document struct {
		Statement []struct {
			Effect       string `json:"Effect"`
			Principal    any    `json:"Principal"`
			NotPrincipal any    `json:"NotPrincipal"`
			Action       any    `json:"Action"`
			NotAction    any    `json:"NotAction"`
			Resource     any    `json:"Resource"`
		} `json:"Statement"`
	}
	if len(text) > longest {
		return malformedPolicy("Policies must be valid JSON and at most 20 KB long")
	}
	if err := json.Unmarshal([]byte(text), &document); err != nil {
		return malformedPolicy("Policies must be valid JSON and the first byte must be '{'")
	}
	if len(document.Statement) == 0 {
		return malformedPolicy("Missing required field Statement")
	}
	for _, one := range document.Statement {
		switch {
		case one.Effect != "Allow" && one.Effect != "Deny":
			return malformedPolicy("Invalid effect: " + one.Effect)
		case one.Principal == nil && one.NotPrincipal == nil:
			return malformedPolicy("Missing required field Principal")
		case one.Action == nil && one.NotAction == nil:
			return malformedPolicy("Missing required field Action")
		}
		for _, r := range texts(one.Resource) {
			arn := "arn:" + s.account.Partition + ":s3:::" + name
			if r != arn && !strings.HasPrefix(r, arn+"/") && !strings.HasPrefix(r, arn+"*") {
				return malformedPolicy("Policy has invalid resource")
			}
		}
	}
	return nil
}

func malformedPolicy(message string) error { return wire.Errorf("MalformedPolicy", "%s", message) }

// texts gives a text, or several, as policies have them.
func texts(value any) []string {
	switch v := value.(type) {
	case string:
		return []string{v}
	case []any:
		var all []string
		for _, one := range v {
			all = append(all, texts(one)...)
		}
		return all
	default:
		// Nothing of a bucket has this name.
		return []string{""}
	}
}

// Permits says whether a bucket's policy allows a call to somebody else than its owner; known is false where there is no such bucket. A policy
// that cannot be evaluated allows nothing.
func (s *Store) Permits(name string, who policy.Caller, call policy.Call) (allowed, known bool) {
	b, known := s.buckets.Get(name)
	if !known || b.policy == "" {
		return false, known
	}
	document, err := policy.ParseFor([]byte(b.policy), who)
	return err == nil && document.Decide(call) == policy.Allowed, true
}

func (s *Store) getPolicy(in *sdk.GetBucketPolicyInput) (*sdk.GetBucketPolicyOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	if b.policy == "" {
		return nil, failure(http.StatusNotFound, "NoSuchBucketPolicy", "The bucket policy does not exist")
	}
	return &sdk.GetBucketPolicyOutput{Policy: &b.policy}, nil
}

func (s *Store) deletePolicy(in *sdk.DeleteBucketPolicyInput) (*sdk.DeleteBucketPolicyOutput, error) {
	b, err := s.find(in.Bucket, in.ExpectedBucketOwner)
	if err != nil {
		return nil, err
	}
	b.policy = ""
	return &sdk.DeleteBucketPolicyOutput{}, nil
}
