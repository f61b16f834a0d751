// Package elb simulates Elastic Load Balancing v2: load balancers, listeners, rules, target groups, targets, attributes and tags. It
// refuses what AWS refuses with the code that AWS uses, and gives back what goes in as AWS gives it back. It may import the SDK's shapes,
// the data plane's configuration and the simulator's other parts. Its invariants: no reference points at nothing, a target group has
// at most one load balancer, a listener has no two rules of one priority, and a shape that was handed out is never changed afterwards
// but replaced. Nothing in it is safe for use by several goroutines.
package elb
