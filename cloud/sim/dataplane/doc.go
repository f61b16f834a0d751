// Package dataplane carries traffic as application and network load balancers do: it binds the listeners of a [Config] on loopback
// addresses, evaluates their rules, probes the health of targets, and brings requests, connections and datagrams to them. It knows nothing
// of the AWS wire protocols. It edits no request that AWS would not edit.
package dataplane
