// Package vpc simulates the part of EC2 that load balancers live in: VPCs, subnets, route tables, gateways, security groups,
// network interfaces, instances, addresses and their tags. It may import the SDK's EC2 shapes and the simulator's wire, account and table
// packages. Its invariants: no two interfaces of a VPC share a private address, nothing is deleted while something else depends
// on it, and a tag belongs to a resource that exists. Nothing in it is safe for use by several goroutines.
package vpc
