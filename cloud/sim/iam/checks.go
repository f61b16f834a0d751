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
		"GetRole":   "the role exists; only service-linked ones can (API reference)",
		"ListRoles": "path prefix; page size 1–1,000, marker (API reference)",
	}
}
