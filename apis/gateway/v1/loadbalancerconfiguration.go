package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// LoadBalancerScheme says from where a load balancer can be reached.
//
// +kubebuilder:validation:Enum=internal;internet-facing
type LoadBalancerScheme string

// The schemes.
const (
	SchemeInternal       LoadBalancerScheme = "internal"
	SchemeInternetFacing LoadBalancerScheme = "internet-facing"
)

// LoadBalancerIPAddressType is the address family of a load balancer's own addresses.
//
// +kubebuilder:validation:Enum=ipv4;dualstack;dualstack-without-public-ipv4
type LoadBalancerIPAddressType string

// The address types of load balancers.
const (
	IPAddressTypeIPv4                       LoadBalancerIPAddressType = "ipv4"
	IPAddressTypeDualStack                  LoadBalancerIPAddressType = "dualstack"
	IPAddressTypeDualStackWithoutPublicIPv4 LoadBalancerIPAddressType = "dualstack-without-public-ipv4"
)

// MergingMode says which side wins where the configurations of a Gateway and of its class both set a field.
//
// +kubebuilder:validation:Enum=prefer-gateway;prefer-gateway-class
type MergingMode string

// The merging modes.
const (
	MergePreferGateway      MergingMode = "prefer-gateway"
	MergePreferGatewayClass MergingMode = "prefer-gateway-class"
)

// Attribute is one attribute of a load balancer, listener or target group, by its AWS key.
type Attribute struct {
	// Key of the attribute.
	Key string `json:"key"`

	// Value of the attribute.
	Value string `json:"value"`
}

// SubnetConfiguration is one subnet of a load balancer.
type SubnetConfiguration struct {
	// Identifier is the ID or the Name tag of the subnet.
	// +optional
	Identifier string `json:"identifier,omitempty"`

	// EIPAllocation is the elastic address in this subnet, of a network load balancer.
	// +optional
	EIPAllocation *string `json:"eipAllocation,omitempty"`

	// PrivateIPv4Allocation is the private IPv4 address in this subnet, of a network load balancer.
	// +optional
	PrivateIPv4Allocation *string `json:"privateIPv4Allocation,omitempty"`

	// IPv6Allocation is the IPv6 address in this subnet, of a network load balancer.
	// +optional
	IPv6Allocation *string `json:"ipv6Allocation,omitempty"`

	// SourceNatIPv6Prefix is the /80 prefix for source NAT, or auto_assigned, of a network load balancer.
	// +optional
	SourceNatIPv6Prefix *string `json:"sourceNatIPv6Prefix,omitempty"`
}

// MinimumLoadBalancerCapacity reserves capacity.
type MinimumLoadBalancerCapacity struct {
	// CapacityUnits to reserve, in LCU.
	CapacityUnits int32 `json:"capacityUnits"`
}

// ShieldConfiguration is about Shield Advanced.
type ShieldConfiguration struct {
	// Enabled protects the load balancer.
	// +optional
	Enabled bool `json:"enabled,omitempty"`
}

// WAFv2Configuration is about AWS WAF.
type WAFv2Configuration struct {
	// WebACL is the ARN of the web ACL.
	WebACL string `json:"webACL"`
}

// TargetGroupConfigurationReference names a TargetGroupConfiguration of the same namespace.
type TargetGroupConfigurationReference struct {
	// Name of the TargetGroupConfiguration.
	Name string `json:"name"`
}

// LoadBalancerConfigurationSpec is how the load balancers of a Gateway, or of all Gateways of a class, are made.
type LoadBalancerConfigurationSpec struct {
	// MergingMode is read from the configuration of the class. Absent: prefer-gateway-class.
	// +optional
	MergingMode *MergingMode `json:"mergingMode,omitempty"`

	// LoadBalancerName is the name in AWS. Absent: one is made up.
	// +optional
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=32
	LoadBalancerName *string `json:"loadBalancerName,omitempty"`

	// Scheme of the load balancer.
	// +optional
	Scheme *LoadBalancerScheme `json:"scheme,omitempty"`

	// IPAddressType of the load balancer.
	// +optional
	IPAddressType *LoadBalancerIPAddressType `json:"ipAddressType,omitempty"`

	// EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic is on or off, of a network load balancer.
	// +optional
	EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic *string `json:"enforceSecurityGroupInboundRulesOnPrivateLinkTraffic,omitempty"`

	// CustomerOwnedIpv4Pool is the pool of addresses on an Outpost, of an application load balancer.
	// +optional
	CustomerOwnedIpv4Pool *string `json:"customerOwnedIpv4Pool,omitempty"`

	// IPv4IPAMPoolID is the IPAM pool for public IPv4 addresses, of an application load balancer.
	// +optional
	IPv4IPAMPoolID *string `json:"ipv4IPAMPoolId,omitempty"`

	// LoadBalancerSubnets lists the subnets. It wins over LoadBalancerSubnetsSelector.
	// +optional
	LoadBalancerSubnets []SubnetConfiguration `json:"loadBalancerSubnets,omitempty"`

	// LoadBalancerSubnetsSelector picks the subnets by tags: for each key, one of the values.
	// +optional
	LoadBalancerSubnetsSelector map[string][]string `json:"loadBalancerSubnetsSelector,omitempty"`

	// ListenerConfigurations by protocol and port.
	// +optional
	ListenerConfigurations []ListenerConfiguration `json:"listenerConfigurations,omitempty"`

	// SecurityGroups of the load balancer, by ID or name, in place of one that Headgate manages.
	// +optional
	SecurityGroups []string `json:"securityGroups,omitempty"`

	// DisableSecurityGroup makes the load balancer without any security group.
	// +optional
	DisableSecurityGroup *bool `json:"disableSecurityGroup,omitempty"`

	// SecurityGroupPrefixes are the prefix lists that may reach the load balancer.
	// +optional
	SecurityGroupPrefixes []string `json:"securityGroupPrefixes,omitempty"`

	// SourceRanges are the CIDRs that may reach the load balancer. Absent: everyone.
	// +optional
	SourceRanges []string `json:"sourceRanges,omitempty"`

	// EnableICMP lets ICMP in, for path MTU discovery, of a network load balancer.
	// +optional
	EnableICMP *bool `json:"enableICMP,omitempty"`

	// ManageBackendSecurityGroupRules opens nodes and pods to the load balancer where SecurityGroups is set.
	// +optional
	ManageBackendSecurityGroupRules *bool `json:"manageBackendSecurityGroupRules,omitempty"`

	// MinimumLoadBalancerCapacity reserves capacity.
	// +optional
	MinimumLoadBalancerCapacity *MinimumLoadBalancerCapacity `json:"minimumLoadBalancerCapacity,omitempty"`

	// LoadBalancerAttributes by their AWS keys.
	// +optional
	LoadBalancerAttributes []Attribute `json:"loadBalancerAttributes,omitempty"`

	// Tags of all AWS resources of the Gateway.
	// +optional
	Tags map[string]string `json:"tags,omitempty"`

	// WAFv2 is the web ACL, of an application load balancer.
	// +optional
	WAFv2 *WAFv2Configuration `json:"wafV2,omitempty"`

	// ShieldConfiguration is about Shield Advanced, of an application load balancer.
	// +optional
	ShieldConfiguration *ShieldConfiguration `json:"shieldConfiguration,omitempty"`

	// DefaultTargetGroupConfiguration is for Services that no TargetGroupConfiguration names.
	// +optional
	DefaultTargetGroupConfiguration *TargetGroupConfigurationReference `json:"defaultTargetGroupConfiguration,omitempty"`
}

// LoadBalancerConfigurationStatus says which generations are in use.
type LoadBalancerConfigurationStatus struct {
	// ObservedGatewayConfigurationGeneration is the generation in use by the Gateway.
	// +optional
	ObservedGatewayConfigurationGeneration *int64 `json:"observedGatewayConfigurationGeneration,omitempty"`

	// ObservedGatewayClassConfigurationGeneration is the generation in use by the GatewayClass.
	// +optional
	ObservedGatewayClassConfigurationGeneration *int64 `json:"observedGatewayClassConfigurationGeneration,omitempty"`

	// Conditions of the configuration: Accepted, and Programmed with the generation that AWS holds.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// LoadBalancerConfiguration is how the load balancers of a Gateway, or of all Gateways of a class, are made.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type LoadBalancerConfiguration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   LoadBalancerConfigurationSpec   `json:"spec,omitempty"`
	Status LoadBalancerConfigurationStatus `json:"status,omitempty"`
}

// LoadBalancerConfigurationList is a list of LoadBalancerConfigurations.
//
// +kubebuilder:object:root=true
type LoadBalancerConfigurationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []LoadBalancerConfiguration `json:"items"`
}
