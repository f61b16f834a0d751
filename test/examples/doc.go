// Package examples runs the examples of the guides in a sandbox, and checks with real clients what the guides say of them.
//
// It may import everything. Its invariant: an example that is not checked, or that its guide does not name, fails the test.
package examples
