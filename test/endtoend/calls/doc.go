// Package calls holds the number of AWS calls that docs/reference/api-calls.md states: it counts them, and compares.
//
// It may import everything. Its invariant: a number in that document is one that was counted.
package calls
