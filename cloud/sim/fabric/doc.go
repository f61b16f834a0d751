// Package fabric carries traffic as VPC Lattice does: it binds each association of a VPC with a service network to a loopback address,
// tells the services of the network apart by SNI and Host, evaluates the rules of their listeners, and hands requests and connections to
// the target groups of a [Groups], which the package dataplane is. It may import that package and cloud/sim/policy. It knows nothing of the
// AWS wire protocols. Its invariant: who is not let in by what it understands stays out.
package fabric
