package elb

import (
	"regexp"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
)

const maxRewrite = 1024

// checkTransforms allows at most one rewrite of the host and one of the URL.
func checkTransforms(lb *loadBalancer, transforms []elbtypes.RuleTransform) error {
	if len(transforms) > 0 && !isApplication(lb) {
		return invalid("Transforms are supported only for application load balancers")
	}
	seen := map[elbtypes.TransformTypeEnum]bool{}
	for _, t := range transforms {
		if seen[t.Type] {
			return invalid("A rule can only have one transform of type '%s'", t.Type)
		}
		seen[t.Type] = true
		var rewrites []elbtypes.RewriteConfig
		switch {
		case t.Type == elbtypes.TransformTypeEnumHostHeaderRewrite && t.HostHeaderRewriteConfig != nil && t.UrlRewriteConfig == nil:
			rewrites = t.HostHeaderRewriteConfig.Rewrites
		case t.Type == elbtypes.TransformTypeEnumUrlRewrite && t.UrlRewriteConfig != nil && t.HostHeaderRewriteConfig == nil:
			rewrites = t.UrlRewriteConfig.Rewrites
		default:
			return invalid("A transform of type '%s' must have its configuration and no other", t.Type)
		}
		if len(rewrites) != 1 {
			return invalid("A transform of type '%s' must have exactly one rewrite", t.Type)
		}
		if err := checkRewrite(rewrites[0]); err != nil {
			return err
		}
	}
	return nil
}

// checkRewrite checks an expression and that the replacement names only groups which the expression has.
func checkRewrite(r elbtypes.RewriteConfig) error {
	pattern, replace := aws.ToString(r.Regex), aws.ToString(r.Replace)
	if pattern == "" || len(pattern) > maxRewrite || len(replace) > maxRewrite {
		return invalid("The regex and replacement of a rewrite must have at most %d characters, and the regex at least one", maxRewrite)
	}
	if err := checkRegex(pattern); err != nil {
		return err
	}
	compiled, err := regexp.Compile(pattern)
	if err != nil {
		return invalid("The regular expression '%s' is not valid", pattern)
	}
	for i := range len(replace) - 1 {
		if replace[i] == '$' && strings.ContainsRune(digits, rune(replace[i+1])) && int(replace[i+1]-'0') > compiled.NumSubexp() {
			return invalid("The replacement '%s' refers to a capture group that the regex '%s' does not have", replace, pattern)
		}
	}
	return nil
}
