// Package policy evaluates an IAM policy document against calls: Allow and Deny, actions and resources with wildcards, and the conditions
// that policies of load balancer controllers use. It knows no service and imports the standard library only. Its invariant: what it
// cannot evaluate it refuses to load, so that a permission is never given by what was not understood.
package policy
