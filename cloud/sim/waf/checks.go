package waf

// Checks says of each WAFv2 operation what is checked, and where that is known from.
func Checks() map[string]string {
	return map[string]string{
		"CreateWebACL": "name, description, scope (CLOUDFRONT in us-east-1 only), exactly one default action, metric names, rules: one statement, " +
			"one action or override, unique names and priorities, what they name exists, 5,000 capacity units; name taken (WAFDuplicateItemException); 100 " +
			"a scope (API reference, developer guide)",
		"GetWebACL":                  "by ARN, or by name, ID and scope (API reference)",
		"UpdateWebACL":               "as at creation; lock token (WAFOptimisticLockException); name and ID belong together (API reference)",
		"DeleteWebACL":               "lock token; a web ACL that a load balancer has stays (WAFAssociatedItemException) (API reference)",
		"ListWebACLs":                "scope, limit 1–100, marker (API reference)",
		"CreateIPSet":                "as for web ACLs; blocks of one address family, no /0, 10,000 (API reference)",
		"GetIPSet":                   "by name, ID and scope (API reference)",
		"UpdateIPSet":                "lock token; the address family stays (API reference)",
		"DeleteIPSet":                "lock token; a set that a rule names stays (WAFAssociatedItemException) (API reference)",
		"ListIPSets":                 "scope, limit 1–100, marker (API reference)",
		"CreateRegexPatternSet":      "as for web ACLs; 1–10 expressions of 512 characters, whose syntax is not looked at; 10 (API reference, developer guide)",
		"GetRegexPatternSet":         "by name, ID and scope (API reference)",
		"UpdateRegexPatternSet":      "lock token; as at creation (API reference)",
		"DeleteRegexPatternSet":      "lock token; a set that a rule names stays (WAFAssociatedItemException) (API reference)",
		"ListRegexPatternSets":       "scope, limit 1–100, marker (API reference)",
		"PutLoggingConfiguration":    "a web ACL; one destination, its name aws-waf-logs- and more; what can be redacted; nothing is logged (developer guide)",
		"GetLoggingConfiguration":    "there is one (WAFNonexistentItemException) (API reference)",
		"DeleteLoggingConfiguration": "there is one (WAFNonexistentItemException); goes with its web ACL (API reference)",
		"ListLoggingConfigurations":  "scope, limit 1–100, marker (API reference)",
		"CreateRuleGroup": "as for web ACLs, without default action; the rules fit the capacity (WAFLimitsExceededException); no rule group in a rule group " +
			"(API reference)",
		"GetRuleGroup":    "by ARN, or by name, ID and scope (API reference)",
		"UpdateRuleGroup": "lock token; the capacity stays (API reference)",
		"DeleteRuleGroup": "lock token; a group that a web ACL runs stays (WAFAssociatedItemException) (API reference)",
		"ListRuleGroups":  "scope, limit 1–100, marker (API reference)",
		"AssociateWebACL": "an application load balancer that exists; the web ACL before is replaced; a regional web ACL; WAFUnavailableEntityException " +
			"while either is new, where a propagation time is set (API reference, reports of users)",
		"DisassociateWebACL":     "a load balancer without web ACL is no error (API reference)",
		"GetWebACLForResource":   "no web ACL is an empty answer; a load balancer that does not exist is WAFNonexistentItemException (API reference)",
		"ListResourcesForWebACL": "the web ACL exists; other resource types than load balancers are an empty list (API reference)",
		"CheckCapacity":          "rules as in a web ACL; units by kind of statement, field and text transformation (developer guide)",
		"TagResource":            "a web ACL, IP set or rule group; 50 tags (API reference)",
		"UntagResource":          "a key that is not there is no error (API reference)",
		"ListTagsForResource":    "all tags on one page (API reference)",
	}
}

// ClassicChecks says the same of each WAF Regional operation.
func ClassicChecks() map[string]string {
	all := map[string]string{
		"CreateWebACL":           "change token, used once (WAFStaleDataException); name, metric name of letters and digits; ALLOW, BLOCK; 50 (API reference)",
		"GetWebACL":              "by ID (API reference)",
		"UpdateWebACL":           "change token; the default action; there are no rules that an update could name (API reference)",
		"DeleteWebACL":           "change token; a web ACL that a load balancer has stays (WAFReferencedItemException) (API reference)",
		"ListWebACLs":            "limit up to 100, marker (API reference)",
		"AssociateWebACL":        "an application load balancer that exists; the web ACL before is replaced (API reference)",
		"DisassociateWebACL":     "a load balancer without web ACL is no error (API reference)",
		"GetWebACLForResource":   "no web ACL is an empty answer (API reference)",
		"ListResourcesForWebACL": "the web ACL exists (API reference)",
		"TagResource":            "a web ACL; 50 tags (API reference)",
		"UntagResource":          "a key that is not there is no error (API reference)",
		"ListTagsForResource":    "all tags on one page (API reference)",
	}
	all["GetChangeToken"] = "the same until somebody uses it (API reference)"
	all["GetChangeTokenStatus"] = "PROVISIONED, once used PENDING for 30 s, then INSYNC (API reference; the time is a guess)"
	return all
}
