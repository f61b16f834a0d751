package identity

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	const session = "session name; 15 minutes to 12 hours; once there is a role in IAM that somebody has made, " +
		"the role's trust policy (AccessDenied) and longest session; before, any role is accepted (API reference)"
	return map[string]string{
		"GetCallerIdentity":         "nothing (API reference)",
		"AssumeRole":                session,
		"AssumeRoleWithWebIdentity": "a token, which nobody verifies: its issuer, subject and audience are believed; " + session,
	}
}
