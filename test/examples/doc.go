// Package examples runs the examples of docs/guide/ingress.md in a sandbox, and checks with real clients what the guide says of them.
//
// It may import everything. Its invariant: an example that is not checked, or that the guide does not name, fails the test.
package examples
