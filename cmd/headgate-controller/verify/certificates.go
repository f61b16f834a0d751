package verify

import (
	"fmt"
	"strings"
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
	return out
}

func authority(arn string) bool {
	return strings.HasPrefix(arn, "arn:") && strings.Contains(arn, ":acm-pca:") && strings.Contains(arn, ":certificate-authority/")
}
