// Package sharing tests that certificates of Secrets are imported once for all load balancers of a cluster that ask for the same content, and
// that nobody's renewal reaches who asks for something else.
//
// It is tests only, and may import anything. It runs the operator's own flow, from Ingresses and Secrets of an API server in memory to the
// simulator's account. Its invariant: after every step, what a listener shows is what its own Ingress asked for before or asks for now.
package sharing
