// Package admission has a real API server ask the operator about pods, as config/webhook says, and follows a readiness gate from its
// injection until it opens.
//
// It may import everything. Its invariant: rules, selectors and paths are those of config/webhook; only the address is the test's.
package admission
