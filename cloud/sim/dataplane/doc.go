// Package dataplane carries traffic as an application load balancer does: it binds the listeners of a [Config] on loopback
// addresses, evaluates their rules, probes the health of targets and proxies requests to them. It knows nothing of the AWS
// wire protocols. It edits no request that AWS would not edit.
package dataplane
