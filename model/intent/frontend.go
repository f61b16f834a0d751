package intent

// Frontend is what a member asks of a network load balancer in front of the stack's own; the zero value of a field means that the
// member does not ask for it. [Settings.Fields] has its fields as "frontend.scheme".
type Frontend struct {
	// Enabled is "true" or "false", or unset.
	Enabled string `json:"enabled,omitempty"`
	Scheme  string `json:"scheme,omitempty"`
	// Subnets and SecurityGroups are IDs or Name tags. Without groups those of the load balancer behind are used.
	Subnets        []string `json:"subnets,omitempty"`
	SecurityGroups []string `json:"securityGroups,omitempty"`
	// Allocations are Elastic IPs (eipalloc-…), one a subnet in the order of Subnets.
	Allocations []string `json:"allocations,omitempty"`
	// Ports says which port leads to which port of the load balancer behind. Without, each of the member's listeners gets its own port.
	Ports []PortMapping `json:"ports,omitempty"`
	// HealthCheck of the member's ports.
	HealthCheck HealthCheck       `json:"healthCheck,omitzero"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	// Tags stand in place of those of the load balancer behind.
	Tags map[string]string `json:"tags,omitempty"`
}

// PortMapping leads From, a port of the frontend, to To, a port of the load balancer behind.
type PortMapping struct {
	From int `json:"from"`
	To   int `json:"to"`
}
