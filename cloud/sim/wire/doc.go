// Package wire speaks the wire protocols of AWS: Query, EC2 Query and JSON 1.1. Each protocol is written once, by reflection over
// the typed input and output shapes of the SDK, so that an operation is a plain function on those shapes. It knows no service and
// holds no state; it may import the standard library only. Its invariant: what the SDK of any language sends decodes to the shape
// that the Go SDK would have sent, a list that was sent empty is empty and not nil, and an enum never has a value that AWS would refuse.
package wire
