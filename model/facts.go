package model

import (
	"maps"
	"slices"
)

// Needs says which facts a build wants.
type Needs struct {
	Owner Owner `json:"owner"`
	// Replaced are load balancers of the owner that another one of its takes the place of.
	Replaced []ARN `json:"replaced,omitempty"`
	// Missed says that something was not found, or not as it has to be, when it was asked for last: what is kept for long is read again.
	Missed bool `json:"missed,omitempty"`
	// SubnetIDs and SubnetNames are looked up besides those of the VPC.
	SubnetIDs   []string `json:"subnetIds,omitempty"`
	SubnetNames []string `json:"subnetNames,omitempty"`
	// SecurityGroupNames are values of Name tags.
	SecurityGroupNames []string `json:"securityGroupNames,omitempty"`
	// SecurityGroupIDs are looked for.
	SecurityGroupIDs []string `json:"securityGroupIds,omitempty"`
	// TargetGroupNames are names of target groups that are not ours.
	TargetGroupNames []string `json:"targetGroupNames,omitempty"`
	// Certificates asks for the usable certificates of the account, for discovery by host name.
	Certificates bool `json:"certificates,omitempty"`
	// CertificateHosts are the hosts that certificates are looked for.
	CertificateHosts []string `json:"certificateHosts,omitempty"`
	// CertificateARNs are certificates that were named, whose state in ACM is asked for.
	CertificateARNs []ARN `json:"certificateARNs,omitempty"`
	// PrefixLists are IDs of prefix lists, whose sizes are asked for.
	PrefixLists []string `json:"prefixLists,omitempty"`
	// GroupRules asks how many rules the security groups of the stack have.
	GroupRules bool `json:"groupRules,omitempty"`
	// PodIPs are addresses of targets, whose interfaces' security groups are asked for.
	PodIPs []string `json:"podIPs,omitempty"`
	// WebACLs are ARNs and names of web ACLs of AWS WAF, and ClassicWebACLs IDs of WAF Classic, that are looked for.
	WebACLs        []string `json:"webACLs,omitempty"`
	ClassicWebACLs []string `json:"classicWebACLs,omitempty"`
	// TrustStores are ARNs and names of trust stores that are looked for.
	TrustStores []string `json:"trustStores,omitempty"`
	// Shield asks whether the account subscribes to Shield Advanced.
	Shield bool `json:"shield,omitempty"`
}

// Facts is what a build must know of the world. Sets are sorted by ID.
type Facts struct {
	Region  string   `json:"region,omitempty"`
	Account string   `json:"account,omitempty"`
	VPC     VPC      `json:"vpc"`
	Subnets []Subnet `json:"subnets,omitempty"`
	// SecurityGroups maps a Name tag to the IDs that carry it.
	SecurityGroups map[string][]string `json:"securityGroups,omitempty"`
	// LostSecurityGroups are those asked for by ID that the VPC does not have.
	LostSecurityGroups []string `json:"lostSecurityGroups,omitempty"`
	// TargetGroups maps the name of a target group to its ARN.
	TargetGroups map[string]ARN `json:"targetGroups,omitempty"`
	Certificates []Certificate  `json:"certificates,omitempty"`
	// LostCertificates are those asked for by ARN that no listener takes, with their status in ACM or NOT_FOUND.
	LostCertificates map[ARN]string `json:"lostCertificates,omitempty"`
	// Existing is the stack's load balancer as it is, nil when there is none.
	Existing *Existing `json:"existing,omitempty"`
	// Frontend is the network load balancer in front of it as it is, nil when there is none.
	Frontend *Existing `json:"frontend,omitempty"`
	Quotas   Quotas    `json:"quotas,omitzero"`
	// PrefixLists are those asked for by ID; one that is not known, or may not be read, is not in it.
	PrefixLists map[string]PrefixList `json:"prefixLists,omitempty"`
	// LostPrefixLists are those asked for that are not there.
	LostPrefixLists []string `json:"lostPrefixLists,omitempty"`
	// BackendSecurityGroup is the ID of the shared backend security group, empty while it does not exist.
	BackendSecurityGroup string `json:"backendSecurityGroup,omitempty"`
	// PodGroups maps an address of a target to the security group of its interface that carries the cluster's tag (or its
	// only one). An address without an interface is not in it.
	PodGroups map[string]string `json:"podGroups,omitempty"`
	// WebACLs maps what web ACLs were asked for by, ARN or name, to their ARNs: those that there are.
	WebACLs map[string]ARN `json:"webACLs,omitempty"`
	// ClassicWebACLs are the IDs that were asked for and that there are.
	ClassicWebACLs []string `json:"classicWebACLs,omitempty"`
	// TrustStores maps what trust stores were asked for by, ARN or name, to their ARNs: those that there are.
	TrustStores map[string]ARN `json:"trustStores,omitempty"`
	// ShieldSubscribed says that the account subscribes to Shield Advanced.
	ShieldSubscribed bool `json:"shieldSubscribed,omitempty"`
}

// VPC is the network of the cluster.
type VPC struct {
	ID string `json:"id"`
	// CIDRs are all IPv4 and IPv6 blocks.
	CIDRs []string `json:"cidrs,omitempty"`
}

// Subnet is one subnet of the VPC.
type Subnet struct {
	ID   string `json:"id"`
	Zone string `json:"zone"`
	// ZoneType is availability-zone, local-zone, wavelength-zone or outpost.
	ZoneType string `json:"zoneType,omitempty"`
	CIDR     string `json:"cidr"`
	// IPv6 says that the subnet has an IPv6 block.
	IPv6 bool `json:"ipv6,omitempty"`
	// FreeAddresses is the count of unused IPv4 addresses.
	FreeAddresses int `json:"freeAddresses"`
	// Public says that its route table has a route to an internet gateway.
	Public bool              `json:"public,omitempty"`
	Tags   map[string]string `json:"tags,omitempty"`
}

// Certificate is an issued certificate in ACM.
type Certificate struct {
	ARN ARN `json:"arn"`
	// Domains are all its names, sorted; a wildcard is one label.
	Domains []string `json:"domains"`
}

// PrefixList is how much room a prefix list takes in a security group.
type PrefixList struct {
	// MaxEntries is the number of rules that it counts as.
	MaxEntries int `json:"maxEntries"`
	// IPv6 says of which address family its entries are: rules of either have a quota of their own.
	IPv6 bool `json:"ipv6,omitempty"`
}

// Existing is the part of a load balancer that exists which a build must respect.
type Existing struct {
	ARN           ARN      `json:"arn,omitempty"`
	Name          string   `json:"name"`
	Scheme        string   `json:"scheme"`
	IPAddressType string   `json:"ipAddressType,omitempty"`
	Subnets       []string `json:"subnets"`
	// GroupRules is how many rules of one address family the fullest of the stack's security groups has: the account's quota is
	// that at least. It is 0 unless it was asked for.
	GroupRules int `json:"groupRules,omitempty"`
	// CustomerOwnedPool is the pool of addresses on an Outpost, empty without.
	CustomerOwnedPool string `json:"customerOwnedPool,omitempty"`
	// Allocations are Elastic IPs by subnet.
	Allocations map[string]string `json:"allocations,omitempty"`
	// Health are the health checks of a frontend's target groups by resource ID.
	Health map[string]HealthCheck `json:"health,omitempty"`
}

// ExistingOf is what a build must respect of an observed part of a stack; nil where it has no load balancer.
func ExistingOf(s Stack) *Existing {
	lb := s.LoadBalancer
	if lb == nil {
		return nil
	}
	out := &Existing{
		ARN: lb.ARN, Name: lb.Name, Scheme: lb.Scheme, IPAddressType: lb.IPAddressType, Subnets: slices.Clone(lb.Subnets),
		CustomerOwnedPool: lb.CustomerOwnedPool, Allocations: maps.Clone(lb.Allocations),
	}
	for _, g := range s.TargetGroups {
		if IsFrontend(g.ID) {
			if out.Health == nil {
				out.Health = map[string]HealthCheck{}
			}
			out.Health[g.ID] = g.HealthCheck
		}
	}
	return out
}

// Role is an IAM role of another account.
type Role struct {
	ARN string
	// ExternalID is what the role's trust policy may ask for.
	ExternalID string
}

// Target is one target of a target group.
type Target struct {
	// ID is an IP address, an instance ID or the ARN of a load balancer. In a plan it is empty for the stack's own load balancer.
	ID   string `json:"id"`
	Port int    `json:"port"`
	// Zone is empty, or "all" for an address outside the VPC.
	Zone string `json:"zone,omitempty"`
}

// TargetHealth is the health of one target as AWS tells it.
type TargetHealth struct {
	Target Target `json:"target"`
	// State is initial, healthy, unhealthy, unused, draining or unavailable.
	State       string `json:"state"`
	Reason      string `json:"reason,omitempty"`
	Description string `json:"description,omitempty"`
}

// Outputs is what applying a plan gave.
type Outputs struct {
	// ARNs of everything that exists now, by key.
	ARNs map[Key]ARN
	// LoadBalancer as AWS described it last; nil when there is none.
	LoadBalancer *LoadBalancer
	// Frontend is the network load balancer in front of it, likewise.
	Frontend *LoadBalancer
	// Waiting are the steps that could not be done yet; they are planned again.
	Waiting []Waiting
	// Done counts the changes that took effect.
	Done int
	// Yielded says that the rest was left to a newer plan.
	Yielded bool
}

// Waiting is a step whose condition is not met yet.
type Waiting struct {
	Key Key `json:"key"`
	// For says what is waited for: "active", "unused", "network interfaces released".
	For string `json:"for"`
}
