// Package sim is AWS on a loopback address: the APIs that a load balancer controller uses, over their real wire protocols and behind
// one endpoint, with state that changes over time, a data plane that carries traffic and a DNS server for its names. It refuses what AWS
// refuses. It may import the AWS SDK and its own parts, and nothing else of this project. Its invariants: nothing leaves the machine, no
// private key is ever shown, and a call sees the state between two other calls.
package sim
