// Package isolation holds invariant 3: one member's mistake changes nothing for the others of its group.
//
// It is tests only, and may import anything. It runs the operator's own flow, from Ingresses of an API server in memory to the
// simulator's account, breaks one random member after the other in every way that it knows, and compares what all others have in AWS and
// what requests to them meet. Its invariant: what a member shall meet is said by whoever makes the member, not read from the account.
package isolation
