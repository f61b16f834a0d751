package tagging

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	return map[string]string{
		"GetResources":   "50 tag keys of 20 values, 100 types or ARNs, not both; page size 1–100, token; everything that has tags (API reference)",
		"TagResources":   "20 ARNs; what fails is told by ARN (API reference)",
		"UntagResources": "20 ARNs; what fails is told by ARN (API reference)",
	}
}
