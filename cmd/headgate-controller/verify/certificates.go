package verify

import (
	"fmt"
	"regexp"
	"strings"
)

// The forms of bucket names (S3, bucket naming rules), and of keys that need no escapes anywhere.
var (
	bucketForm = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	prefixForm = regexp.MustCompile(`^([A-Za-z0-9._-]+/?)*$`)
)

// certificates lists what is wrong with the flags about certificates and Secrets.
func (f Flags) certificates() []string {
	var out []string
	for _, arn := range f.Authorities {
		if !authority(arn) {
			out = append(out, fmt.Sprintf("--allowed-certificate-authority-arns holds %q, which is no ARN of a private certificate authority", arn))
		}
	}
	if f.Authority != "" && !authority(f.Authority) {
		out = append(out, fmt.Sprintf("--default-pca-arn is %q, which is no ARN of a private certificate authority", f.Authority))
	}
	if key, value, ok := strings.Cut(f.SecretsLabel, "="); f.SecretsLabel != "" && (!ok || key == "" || value == "") {
		out = append(out, fmt.Sprintf("--required-secrets-label is %q: use key=value", f.SecretsLabel))
	}
	return append(out, f.shelf()...)
}

// maxPrefix leaves room for the rest of a key where it is written into a tag.
const maxPrefix = 64

// shelf lists what is wrong with the flags about the bucket for authorities.
func (f Flags) shelf() []string {
	var out []string
	if f.Bucket != "" && !bucketForm.MatchString(f.Bucket) {
		out = append(out, fmt.Sprintf("--trust-store-bucket is %q, which is no name of a bucket: write it without s3:// and without a path", f.Bucket))
	}
	if len(f.Prefix) > maxPrefix || !prefixForm.MatchString(f.Prefix) {
		out = append(out, fmt.Sprintf("--trust-store-prefix is %q: use at most %d letters, digits, hyphens, dots and single slashes, and none at its "+
			"beginning", f.Prefix, maxPrefix))
	}
	return out
}

func authority(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":acm-pca:") && strings.Contains(arn, ":certificate-authority/")
}
