// Package elb simulates Elastic Load Balancing v2, every operation of it: load balancers, listeners, rules, target groups, targets,
// attributes, tags, trust stores and capacity reservations. It refuses what AWS refuses with the code that AWS uses, and gives back what
// goes in as AWS gives it back; Checks tells what is checked and where that is known from. It may import the SDK's shapes, the data plane's
// configuration and the simulator's other parts. Its invariants: no reference points at nothing, a target group has at most one load
// balancer, a listener has no two rules of one priority, a shape that was handed out is never changed afterwards but replaced, the index
// says what the tables say, and what a write answers does not depend on what was read before. Nothing in it is safe for use by several
// goroutines.
package elb
