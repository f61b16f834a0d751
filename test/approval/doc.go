// Package approval holds the operator, on a real API server, to making no change that waits for somebody.
package approval
