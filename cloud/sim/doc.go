// Package sim is AWS on a loopback address: the APIs that a load balancer controller uses, over their real wire protocols and behind
// one endpoint, with state that changes over time, a data plane that carries traffic and a DNS server for its names. It refuses what AWS
// refuses, and can be as inconvenient as AWS: see [Disturbances]. It may import the AWS SDK and its own parts, and nothing else of this
// project. Its invariants: nothing leaves the machine, no private key is ever shown but in a snapshot, and a call sees the state between
// two other calls.
package sim
