// Package waf simulates the Web Application Firewall, version 2 and Regional (classic), as far as a load balancer needs it: web ACLs, the IP
// sets and rule groups that their rules name, and which load balancer has which web ACL. It may import the SDK's shapes and the simulator's
// wire, account, table and listing packages. Its invariant: an association joins a web ACL and an application load balancer that both exist.
package waf
