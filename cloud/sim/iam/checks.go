package iam

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	return map[string]string{
		"UploadServerCertificate": "name and path; PEM (MalformedCertificate), key that fits (KeyPairMismatch); name taken, whatever its case " +
			"(EntityAlreadyExists); 20 (API reference, user guide)",
		"GetServerCertificate":      "by name; never the key (API reference)",
		"ListServerCertificates":    "path prefix; page size 1–1,000, marker (API reference)",
		"DeleteServerCertificate":   "a certificate that a listener uses stays (DeleteConflict) (API reference)",
		"TagServerCertificate":      "50 tags (InvalidInput, LimitExceeded) (API reference)",
		"UntagServerCertificate":    "a key that is not there is no error (API reference)",
		"ListServerCertificateTags": "page size, marker (API reference)",
		"CreateServiceLinkedRole": "a service that is simulated and no suffix (InvalidInput); one a service (InvalidInput: the name has been taken) " +
			"(API reference, reports of users)",
		"CreateRole": "name of 64, path; trust policy that can be evaluated (MalformedPolicyDocument), 2,048 characters; session of 1–12 hours; name free " +
			"(EntityAlreadyExists); 1,000; no boundary, no tags (InvalidInput: ours) (API reference, quotas)",
		"DeleteRole":             "no policies (DeleteConflict); not service-linked (UnmodifiableEntity) (API reference)",
		"UpdateAssumeRolePolicy": "as at creation; not service-linked (API reference)",
		"PutRolePolicy":          "name; a policy that can be evaluated; 10,240 characters for all of a role; not service-linked (API reference, quotas)",
		"GetRolePolicy":          "role and policy exist (API reference)",
		"DeleteRolePolicy":       "role and policy exist; not service-linked (API reference)",
		"ListRolePolicies":       "the role exists; page size 1–1,000, marker (API reference)",
		"GetRole":                "the role exists (API reference)",
		"ListRoles":              "path prefix; page size 1–1,000, marker (API reference)",
	}
}
