package storage_test

import (
	"testing"

	"github.com/headgate/headgate/cloud/sim/account"
	"github.com/headgate/headgate/cloud/sim/contract"
	"github.com/headgate/headgate/cloud/sim/storage"
)

func TestMain(m *testing.M) { contract.Main(m, demand) }

func demand() contract.Demand {
	return contract.Demand{
		ID: "S3", Service: storage.New(&account.Account{}).Service(),
		Left: map[string]string{
			"DeleteBucketCors":                 "it is not simulated, and answers NotImplemented",
			"DeleteBucketEncryption":           "it is not simulated, and answers NotImplemented",
			"DeleteBucketLifecycle":            "it is not simulated, and answers NotImplemented",
			"DeleteBucketOwnershipControls":    "it is not simulated, and answers NotImplemented",
			"DeletePublicAccessBlock":          "it is not simulated, and answers NotImplemented",
			"DeleteBucketReplication":          "it is not simulated, and answers NotImplemented",
			"DeleteBucketTagging":              "it is not simulated, and answers NotImplemented",
			"DeleteBucketWebsite":              "it is not simulated, and answers NotImplemented",
			"PutObjectAcl":                     "it is not simulated, and answers NotImplemented",
			"PutObjectTagging":                 "it is not simulated, and answers NotImplemented",
			"PutObjectRetention":               "it is not simulated, and answers NotImplemented",
			"PutObjectLegalHold":               "it is not simulated, and answers NotImplemented",
			"UploadPart":                       "it is not simulated, and answers NotImplemented",
			"CopyObject":                       "it is not simulated, and answers NotImplemented",
			"DeleteObjectTagging":              "it is not simulated, and answers NotImplemented",
			"AbortMultipartUpload":             "it is not simulated, and answers NotImplemented",
			"CreateBucket BucketAlreadyExists": "there is one account",
			"GetObject InvalidObjectState":     "nothing is archived",
			"PutObject EncryptionTypeMismatch": "nothing is encrypted",
			"PutObject InvalidWriteOffset":     "nothing is appended",
			"PutObject TooManyParts":           "nothing is appended",
		},
		Elsewhere: map[string]string{"TooManyBuckets": "10,000 buckets take too long to make"},
	}
}

func TestContract(t *testing.T) {
	t.Parallel()
	contract.Play(t, "s3")
}
