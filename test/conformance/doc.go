// Package conformance runs the official conformance suite of the Gateway API against a sandbox: a real control plane, the operator as a
// process of its own, and load balancers of the simulated account, which the suite's requests go through to pods.
//
// It holds tests only and may import everything. Its invariant: the suite is what was published, with its own time limits; what it is
// told is which tests are left out, and each of those has a reason that lies in AWS.
package conformance
