// Package targets is the fast lane: it turns the endpoints of a Service into the targets of a target group, and it never waits
// behind a change of rules. It reads TargetGroupBindings and EndpointSlices, and it tells the network which addresses must
// admit traffic.
//
// It may import package model, the API types and Kubernetes libraries, never the AWS SDK nor package cloud. Its invariant: an
// endpoint that terminates is deregistered at once, unless it is the last that serves; and only targets that this lane knows to
// be registered are deregistered.
package targets
