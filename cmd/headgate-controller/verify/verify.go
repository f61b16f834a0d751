// Package verify says what is wrong with the flags that the operator and the command line have in common.
//
// It owns those rules and may import the standard library only. Its invariant: each problem names its flag and how to mend it.
package verify

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

// Flags are the values of flags.
type Flags struct {
	// TargetType and Scheme are the defaults of objects that have none.
	TargetType, Scheme string
	// DefaultTags and ExternalTags are the tags of all resources, and the keys that somebody else manages.
	DefaultTags  map[string]string
	ExternalTags []string
	// Endpoints are URLs by service.
	Endpoints map[string]string
	// Authority and Authorities are ARNs of certificate authorities; SecretsLabel is key=value.
	Authority    string
	Authorities  []string
	SecretsLabel string
	// Bucket and Prefix are where certificates of authorities are kept.
	Bucket, Prefix string
}

// Problems lists what is wrong, sorted.
func (f Flags) Problems() []string {
	out := f.tags()
	if !slices.Contains([]string{"instance", "ip"}, f.TargetType) {
		out = append(out, fmt.Sprintf("--default-target-type is %q: use instance or ip", f.TargetType))
	}
	if !slices.Contains([]string{"internal", "internet-facing"}, f.Scheme) {
		out = append(out, fmt.Sprintf("--default-load-balancer-scheme is %q: use internal or internet-facing", f.Scheme))
	}
	out = append(out, Endpoints(f.Endpoints)...)
	out = append(out, f.certificates()...)
	slices.Sort(out)
	return out
}

// Endpoints lists what is wrong with URLs by service, sorted.
func Endpoints(all map[string]string) []string {
	var out []string
	for service, endpoint := range all {
		if !slices.Contains(services(), plain(service)) {
			out = append(out, fmt.Sprintf("--aws-api-endpoints names the service %q: use one of %s", service, strings.Join(services(), ", ")))
		}
		if at, err := url.Parse(endpoint); err != nil || at.Host == "" || at.Scheme != "http" && at.Scheme != "https" {
			out = append(out, fmt.Sprintf("--aws-api-endpoints leads %s to %q: use a URL, such as https://HOST", service, endpoint))
		}
	}
	slices.Sort(out)
	return out
}

func (f Flags) tags() []string {
	var out []string
	for _, key := range slices.Sorted(maps.Keys(f.DefaultTags)) {
		if tracking(key) {
			out = append(out, fmt.Sprintf("--default-tags must not hold %q: that tag carries ownership", key))
		}
		if slices.Contains(f.ExternalTags, key) {
			out = append(out, fmt.Sprintf("tag %q is in --default-tags and in --external-managed-tags: leave it out of one", key))
		}
	}
	for _, key := range f.ExternalTags {
		if tracking(key) {
			out = append(out, fmt.Sprintf("--external-managed-tags must not hold %q: that tag carries ownership", key))
		}
	}
	return out
}

// services are the names that an endpoint may be given for: those of the endpoints' host names and of the SDK. The operator does not
// call all of them yet, and one flag should serve the next version as well.
func services() []string {
	return []string{
		"acm", "cognitoidentityprovider", "ec2", "elasticloadbalancing", "elasticloadbalancingv2", "elbv2", "globalaccelerator", "iam",
		"resourcegroupstaggingapi", "route53", "s3", "shield", "sts", "tagging", "vpclattice", "wafregional", "wafv2",
	}
}

// plain is a service's name in the writing of services.
func plain(service string) string {
	return strings.NewReplacer(" ", "", "-", "", "_", "").Replace(strings.ToLower(service))
}

// tracking tells whether a tag key carries ownership.
func tracking(key string) bool {
	if key == "elbv2.k8s.aws/cluster" || key == "elbv2.k8s.aws/resource" {
		return true
	}
	for _, prefix := range []string{"ingress.k8s.aws", "service.k8s.aws", "gateway.k8s.aws.alb", "gateway.k8s.aws.nlb"} {
		if key == prefix+"/stack" || key == prefix+"/resource" {
			return true
		}
	}
	return false
}
