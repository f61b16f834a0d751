// Package cert simulates Certificate Manager: certificates are imported or requested, proven by the DNS, issued, renewed, listed and handed to
// listeners. It may import the SDK's ACM shapes and the simulator's wire, account, table and listing packages. Its invariant: a private key
// never leaves the package but as a tls.Certificate. Nothing in it is safe for use by several goroutines.
package cert
