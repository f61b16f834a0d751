package model

import "strings"

// Resource IDs of the load balancers of a stack, as the incumbent has them.
const (
	ResourceLoadBalancer = "LoadBalancer"
	// ResourceFrontend is the network load balancer in front of a stack's load balancer. The IDs of its target groups and listeners
	// begin with it: "FrontendNlb-tg-TCP-80", "FrontendNlb-ls-TCP-80".
	ResourceFrontend = "FrontendNlb"
)

// TargetTypeALB is the type of target groups whose target is a load balancer.
const TargetTypeALB = "alb"

// IsFrontend tells whether a resource ID is one of a stack's frontend.
func IsFrontend(id string) bool {
	return id == ResourceFrontend || strings.HasPrefix(id, ResourceFrontend+"-")
}

// Frontend tells whether the key is of a resource of the stack's frontend.
func (k Key) Frontend() bool { return IsFrontend(k.ID) }

// Balancer is the key of the load balancer that the resource of the key belongs to.
func (k Key) Balancer() Key {
	if k.Frontend() {
		return Key{Kind: KindLoadBalancer, ID: ResourceFrontend}
	}
	return Key{Kind: KindLoadBalancer, ID: ResourceLoadBalancer}
}

// Parts are the stack itself and its frontend, where it has one: each has one load balancer at most.
func (s Stack) Parts() []Stack {
	if s.Frontend == nil {
		return []Stack{s}
	}
	return []Stack{s, *s.Frontend}
}

// Balancers are the load balancers of the stack, its leftovers and its frontend's included.
func (s Stack) Balancers() []LoadBalancer {
	var out []LoadBalancer
	for _, part := range s.Parts() {
		out = append(out, part.Leftovers...)
		if part.LoadBalancer != nil {
			out = append(out, *part.LoadBalancer)
		}
	}
	return out
}
