package cert

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	return map[string]string{
		"ImportCertificate": "sizes; one PEM certificate, PEM chain, key that fits and is not encrypted; valid now; supported key; again into the same ARN: " +
			"imported, same key type, a name stays, no tags; 2,500, and 5,000 in a year (API reference, user guide)",
		"RequestCertificate": "names in form and 10 of them; keys that ACM issues; token: within an hour the same certificate; validation domains; a private " +
			"authority of this account and Region counts as there; DNS validation: ISSUED a minute after all CNAME records were seen, timed out after 72 h; " +
			"domains that are not public FAIL (API reference, user guide; the minute is a guess)",
		"DescribeCertificate": "InUseBy, records or addresses for validation, usages, renewal; a certificate in use is renewed 60 days before its end, while " +
			"its records are there (API reference, user guide)",
		"GetCertificate": "issued or imported, else RequestInProgressException (API reference)",
		"ListCertificates": "statuses, key types (without any only RSA up to 2,048 bits), usages, export option, manager, key origin; order; page size " +
			"1–1,000, token (API reference)",
		"DeleteCertificate":         "in use: ResourceInUseException (API reference)",
		"RenewCertificate":          "eligible: issued by ACM, in use, and proven; pending: RequestInProgressException (API reference, user guide)",
		"UpdateCertificateOptions":  "issued or pending, not imported; from mail to DNS; export stays (API reference)",
		"ResendValidationEmail":     "pending validation by mail, within 72 h; a validation domain above the name; nobody ever answers (API reference)",
		"GetAccountConfiguration":   "45 days unless changed (API reference)",
		"PutAccountConfiguration":   "token; 1–45 days (API reference)",
		"AddTagsToCertificate":      "50 tags, characters, no aws: (InvalidTagException, TooManyTagsException) (API reference)",
		"RemoveTagsFromCertificate": "by key, or by key and value (API reference)",
		"ListTagsForCertificate":    "the certificate exists (API reference)",
	}
}
