// Package traffic asks load balancers, over the network, for what the Ingresses that made them want: objects go through the
// operator's own loop into a simulated account, and requests of real clients through its data plane to pods that say who they are.
// It holds tests only and may import everything. Its invariant: nothing between an Ingress and its answer is written a second time
// here; the stage only puts the parts together.
package traffic
