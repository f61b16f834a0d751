package storage

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	all := map[string]string{
		"CreateBucket": "name (InvalidBucketName); the Region of the endpoint (IllegalLocationConstraintException); one's own twice " +
			"(BucketAlreadyOwnedByYou, but " +
			"in us-east-1); 10,000 (API reference, user guide)",
		"HeadBucket":          "the bucket exists (NotFound) and belongs to the expected owner (API reference)",
		"DeleteBucket":        "empty, also of versions (BucketNotEmpty) (API reference)",
		"ListBuckets":         "prefix; page size 1–10,000, token (API reference)",
		"GetBucketLocation":   "the bucket exists (NoSuchBucket) (API reference)",
		"PutBucketVersioning": "a status; no MFA (API reference)",
		"GetBucketVersioning": "no status before it was set (API reference)",
		"PutBucketPolicy": "JSON of 20 KB with statements that have effect, principal, action and resources of the bucket (MalformedPolicy); kept, and asked " +
			"whether load balancers may write logs, nobody else (API reference, user guide)",
		"GetBucketPolicy":    "there is one (NoSuchBucketPolicy) (API reference)",
		"DeleteBucketPolicy": "the bucket exists (API reference)",
		"PutObject": "key of 1,024 bytes; checksums CRC32, CRC32C, CRC64NVME and SHA256 as headers (BadDigest), form of SHA1 and MD5; If-None-Match: " +
			"* and If-Match " +
			"(PreconditionFailed); bodies in frames (API reference)",
		"GetObject": "key and version exist (NoSuchKey, NoSuchVersion), no deletion mark (MethodNotAllowed); If-Match, If-None-Match; no ranges " +
			"(API reference)",
		"HeadObject":    "as GetObject, without a code of its own (API reference)",
		"DeleteObject":  "with versioning a mark, or the version that is named; what is not there is no error (API reference)",
		"DeleteObjects": "1,000 keys (MalformedXML) (API reference)",
		"ListObjectsV2": "prefix, delimiter, start; pages of 1,000 at most, token (API reference)",
	}
	for _, name := range refusedNames() {
		all[name[0]] = "refused: NotImplemented"
	}
	return all
}
