package cognito

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	all := map[string]string{
		"CreateUserPool":         "name; length of passwords; tags; 1,000 pools; other settings are kept and not used (API reference)",
		"DescribeUserPool":       "ID, in form and existence; domain and custom domain (API reference)",
		"DeleteUserPool":         "deletion protection; no domain (InvalidParameterException) (API reference)",
		"UpdateUserPool":         "as at creation; what is left out goes back to its default, as AWS has it (API reference)",
		"ListUserPools":          "page size 1–60, required; token (API reference)",
		"DescribeUserPoolClient": "pool and client exist; the secret is shown (API reference)",
		"UpdateUserPoolClient":   "as at creation; what is left out goes back to its default; the secret stays (API reference)",
		"DeleteUserPoolClient":   "pool and client exist (API reference)",
		"ListUserPoolClients":    "page size 1–60, token; no secrets (API reference)",
		"CreateUserPoolDomain": "prefix: form, reserved words; custom domain: form, certificate of us-east-1, CREATING for 15 minutes; one of each a pool; " +
			"taken once (InvalidParameterException) (API reference; the time is a guess)",
		"DescribeUserPoolDomain": "a domain that is not there is an empty description (API reference)",
		"DeleteUserPoolDomain":   "the domain is the pool's (API reference)",
		"TagResource":            "a pool; 50 tags (API reference)",
		"UntagResource":          "a pool; a key that is not there is no error (API reference)",
		"ListTagsForResource":    "a pool (API reference)",
	}
	all["CreateUserPoolClient"] = "name; flows with scopes; client_credentials alone and with a secret (InvalidOAuthFlowException); scopes " +
		"(ScopeDoesNotExistException); URLs; identity providers; 1,000 a pool (API reference)"
	return all
}
