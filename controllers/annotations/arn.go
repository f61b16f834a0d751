package annotations

import (
	"fmt"
	"slices"
	"strings"
)

const (
	arnParts      = 6
	accountDigits = 12
)

// resourceForm is what the ARN of a kind of resource looks like.
type resourceForm struct {
	service string
	// kinds are how the resource begins, each with its slash.
	kinds []string
	// global resources are of no region.
	global bool
}

// names tells whether a value is the ARN of a resource of this form. AWS looks nothing up by one that is not: it refuses the call.
func (f resourceForm) names(s string) bool {
	parts := strings.SplitN(s, ":", arnParts)
	if len(parts) != arnParts || parts[0] != "arn" || !strings.HasPrefix(parts[1], "aws") || parts[2] != f.service || !isAccount(parts[4]) ||
		(parts[3] == "") != f.global {
		return false
	}
	return slices.ContainsFunc(f.kinds, func(kind string) bool {
		rest, ok := strings.CutPrefix(parts[5], kind)
		return ok && rest != "" && !strings.ContainsFunc(rest, notOfResource)
	})
}

func notOfResource(r rune) bool { return notOfName(r) && !strings.ContainsRune("/+=,.@:", r) }

func isAccount(s string) bool {
	return len(s) == accountDigits && strings.Trim(s, "0123456789") == ""
}

// CheckCertificate tells whether a value is no ARN of a certificate in ACM or IAM.
func CheckCertificate(s string) error {
	if (resourceForm{service: "acm", kinds: []string{"certificate/"}}).names(s) ||
		(resourceForm{service: "iam", kinds: []string{"server-certificate/"}, global: true}).names(s) {
		return nil
	}
	return fmt.Errorf("%s is no certificate: write its ARN, arn:aws:acm:<region>:<account of %d digits>:certificate/<id>", quote(s), accountDigits)
}

// CheckAuthority tells whether a value is no ARN of a private certificate authority.
func CheckAuthority(s string) error {
	if (resourceForm{service: "acm-pca", kinds: []string{"certificate-authority/"}}).names(s) {
		return nil
	}
	return fmt.Errorf("%s is no private certificate authority: write its ARN, arn:aws:acm-pca:<region>:<account>:certificate-authority/<id>", quote(s))
}

// CheckWebACL tells what is wrong with the ARN of a web ACL of AWS WAF.
func CheckWebACL(s string) error {
	if NoFirewall(s) || (resourceForm{service: "wafv2", kinds: []string{"regional/webacl/"}}).names(s) {
		return nil
	}
	return fmt.Errorf("%s is no web ACL for load balancers: write its ARN, arn:aws:wafv2:<region>:<account>:regional/webacl/<name>/<id>, or none", quote(s))
}

// checkTrustStore tells what is wrong with the ARN or the name of a trust store.
func checkTrustStore(s string) error {
	named := s != "" && len(s) <= maxStoreName && !strings.ContainsFunc(s, func(r rune) bool { return notOfName(r) || r == '_' })
	if named || (resourceForm{service: "elasticloadbalancing", kinds: []string{"truststore/"}}).names(s) {
		return nil
	}
	return fmt.Errorf("trustStore %s is none: write its name of up to %d letters, digits and -, "+
		"or its ARN, arn:aws:elasticloadbalancing:<region>:<account>:truststore/<name>/<id>", quote(s), maxStoreName)
}

// maxStoreName and maxTargetGroupName are the lengths that AWS gives names (ELBv2 API, CreateTrustStore and CreateTargetGroup).
const maxStoreName, maxTargetGroupName = 32, 32

// checkTargetGroup tells what is wrong with how an action names a target group that is there already.
func checkTargetGroup(arn, name string) error {
	if arn != "" && !(resourceForm{service: "elasticloadbalancing", kinds: []string{"targetgroup/"}}).names(arn) {
		return fmt.Errorf("targetGroupARN %s is none: write arn:aws:elasticloadbalancing:<region>:<account>:targetgroup/<name>/<id>", quote(arn))
	}
	if len(name) > maxTargetGroupName || strings.ContainsFunc(name, func(r rune) bool { return notOfName(r) || r == '_' }) {
		return fmt.Errorf("targetGroupName %s is none: write up to %d letters, digits and -", quote(name), maxTargetGroupName)
	}
	return nil
}

// userPool is what the ARN of a user pool of Cognito looks like.
func userPool() resourceForm {
	return resourceForm{service: "cognito-idp", kinds: []string{"userpool/"}}
}

// CheckPrefixList tells whether a value is no ID of a prefix list.
func CheckPrefixList(s string) error { return checkID(s, "pl-", "a prefix list") }

// CheckIPAMPool tells what is wrong with the ID of a pool of public addresses.
func CheckIPAMPool(s string) error { return checkID(s, "ipam-pool-", "an IPAM pool") }

func checkOwnedPool(s string) error {
	return checkID(s, "ipv4pool-coip-", "a pool of addresses on an Outpost")
}

func checkAllocation(s string) error { return checkID(s, "eipalloc-", "an Elastic IP") }

// checkGroup tells what is wrong with a security group by ID; any other text may be one's Name tag.
func checkGroup(s string) error { return checkIDOrName(s, "sg-", "a security group") }

// checkSubnet does so with a subnet.
func checkSubnet(s string) error { return checkIDOrName(s, "subnet-", "a subnet") }

func checkIDOrName(s, prefix, what string) error {
	if !strings.HasPrefix(s, prefix) {
		return nil
	}
	return checkID(s, prefix, what)
}

func checkID(s, prefix, what string) error {
	rest, ok := strings.CutPrefix(s, prefix)
	if ok && rest != "" && !strings.ContainsFunc(rest, func(r rune) bool { return notOfName(r) || r == '_' }) {
		return nil
	}
	return fmt.Errorf("%s is no ID of %s: write %s and what follows it", quote(s), what, prefix)
}
