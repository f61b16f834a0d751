package identity

// Checks says of each operation what is checked, and where that is known from.
func Checks() map[string]string {
	const session = "session name; 15 minutes to 12 hours; the role's name is free: no role need exist (API reference)"
	return map[string]string{
		"GetCallerIdentity":         "nothing (API reference)",
		"AssumeRole":                session,
		"AssumeRoleWithWebIdentity": "a token, which is not looked into; " + session,
	}
}
