// Package idp is a small OpenID Connect provider for those who test sign-in: it knows its clients and users, asks nobody for a password, and
// signs tokens with a key of its own. It imports the standard library only. Its invariant: a code, and each refresh token, is good for one client,
// and a code for one use.
package idp
