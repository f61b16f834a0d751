package v1beta1

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

// IPAddressType is the address family of a load balancer's own addresses.
//
// +kubebuilder:validation:Enum=ipv4;dualstack;dualstack-without-public-ipv4
type IPAddressType string

// The address types of load balancers.
const (
	IPAddressTypeIPv4                       IPAddressType = "ipv4"
	IPAddressTypeDualStack                  IPAddressType = "dualstack"
	IPAddressTypeDualStackWithoutPublicIPv4 IPAddressType = "dualstack-without-public-ipv4"
)

// TargetType says what is registered as a target: nodes (instance) or pods (ip).
//
// +kubebuilder:validation:Enum=instance;ip
type TargetType string

// The target types.
const (
	TargetTypeInstance TargetType = "instance"
	TargetTypeIP       TargetType = "ip"
)

// SubnetID names a subnet of the VPC.
//
// +kubebuilder:validation:Pattern=`subnet-[0-9a-f]+`
type SubnetID string

// IngressGroup names the group of Ingresses that share a load balancer.
type IngressGroup struct {
	// Name of the group.
	Name string `json:"name"`
}

// SubnetSelector picks the subnets of a load balancer: by ids or by tags, exactly one of the two.
type SubnetSelector struct {
	// IDs of the subnets.
	// +optional
	// +kubebuilder:validation:MinItems=1
	IDs []SubnetID `json:"ids,omitempty"`

	// Tags that a subnet must carry: for each key, one of the values.
	// +optional
	Tags map[string][]string `json:"tags,omitempty"`
}

// Attribute is one attribute of a load balancer or listener, by its AWS key.
type Attribute struct {
	// Key of the attribute.
	Key string `json:"key"`

	// Value of the attribute.
	Value string `json:"value"`
}

// Tag is one tag of an AWS resource.
type Tag struct {
	// Key of the tag.
	Key string `json:"key"`

	// Value of the tag.
	Value string `json:"value"`
}

// Listener carries the attributes of a listener that the Ingresses of the class open; it opens no port itself.
type Listener struct {
	// Protocol of the listener: HTTP or HTTPS.
	// +optional
	Protocol string `json:"protocol,omitempty"`

	// Port of the listener.
	// +optional
	Port int32 `json:"port,omitempty"`

	// ListenerAttributes by their AWS keys. They win over the annotation, key by key.
	// +optional
	ListenerAttributes []Attribute `json:"listenerAttributes,omitempty"`
}

// MinimumLoadBalancerCapacity reserves capacity.
type MinimumLoadBalancerCapacity struct {
	// CapacityUnits to reserve, in LCU.
	CapacityUnits int32 `json:"capacityUnits"`
}

// IPAMConfiguration says where the load balancer takes its public addresses from.
type IPAMConfiguration struct {
	// IPv4IPAMPoolID is the ID of the IPAM pool for public IPv4 addresses.
	// +optional
	IPv4IPAMPoolID *string `json:"ipv4IPAMPoolId,omitempty"`
}

// IngressClassParamsSpec is what holds for every Ingress of the classes that refer to the object. A field that is set wins
// over the annotation of an Ingress.
//
// +kubebuilder:validation:XValidation:rule="!(has(self.prefixListsIDs) && has(self.PrefixListsIDs))",message="set prefixListsIDs or PrefixListsIDs, not both"
type IngressClassParamsSpec struct {
	// CertificateArn lists the certificates of the HTTPS listeners.
	// +optional
	CertificateArn []string `json:"certificateArn,omitempty"`

	// NamespaceSelector picks the namespaces whose Ingresses may use the class. Absent or empty: all of them.
	// +optional
	NamespaceSelector *metav1.LabelSelector `json:"namespaceSelector,omitempty"`

	// Group that all Ingresses of the class are members of.
	// +optional
	Group *IngressGroup `json:"group,omitempty"`

	// Scheme of the load balancers.
	// +optional
	Scheme *LoadBalancerScheme `json:"scheme,omitempty"`

	// InboundCIDRs that may reach the load balancers.
	// +optional
	InboundCIDRs []string `json:"inboundCIDRs,omitempty"`

	// SSLPolicy of the HTTPS listeners.
	// +optional
	SSLPolicy string `json:"sslPolicy,omitempty"`

	// SSLRedirectPort is the HTTPS port that the HTTP listeners redirect to.
	// +optional
	SSLRedirectPort string `json:"sslRedirectPort,omitempty"`

	// Subnets of the load balancers.
	// +optional
	Subnets *SubnetSelector `json:"subnets,omitempty"`

	// IPAddressType of the load balancers.
	// +optional
	IPAddressType *IPAddressType `json:"ipAddressType,omitempty"`

	// Tags of the AWS resources. They win over the annotation, key by key.
	// +optional
	Tags []Tag `json:"tags,omitempty"`

	// TargetType of the target groups.
	// +optional
	TargetType *TargetType `json:"targetType,omitempty"`

	// LoadBalancerName is the name of the load balancer in AWS.
	// +optional
	LoadBalancerName string `json:"loadBalancerName,omitempty"`

	// LoadBalancerAttributes by their AWS keys. They win over the annotation, key by key.
	// +optional
	LoadBalancerAttributes []Attribute `json:"loadBalancerAttributes,omitempty"`

	// Listeners carries the attributes of listeners.
	// +optional
	Listeners []Listener `json:"listeners,omitempty"`

	// MinimumLoadBalancerCapacity reserves capacity.
	// +optional
	MinimumLoadBalancerCapacity *MinimumLoadBalancerCapacity `json:"minimumLoadBalancerCapacity,omitempty"`

	// IPAMConfiguration says where the load balancers take their public addresses from.
	// +optional
	IPAMConfiguration *IPAMConfiguration `json:"ipamConfiguration,omitempty"`

	// PrefixListsIDs are the prefix lists that may reach the load balancers.
	// +optional
	PrefixListsIDs []string `json:"prefixListsIDs,omitempty"`

	// PrefixListsIDsLegacy is PrefixListsIDs in the spelling of an earlier release.
	// +optional
	PrefixListsIDsLegacy []string `json:"PrefixListsIDs,omitempty"`

	// WAFv2ACLArn is the web ACL of the load balancers.
	// +optional
	WAFv2ACLArn string `json:"wafv2AclArn,omitempty"`

	// WAFv2ACLName is the web ACL of the load balancers, by its name.
	// +optional
	WAFv2ACLName string `json:"wafv2AclName,omitempty"`
}

// IngressClassParams are the settings of an IngressClass.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=ingressclassparams,singular=ingressclassparam,scope=Cluster
// +kubebuilder:printcolumn:name="GROUP-NAME",type="string",JSONPath=".spec.group.name",description="Name of the IngressGroup"
// +kubebuilder:printcolumn:name="SCHEME",type="string",JSONPath=".spec.scheme",description="Scheme of the load balancers"
// +kubebuilder:printcolumn:name="IP-ADDRESS-TYPE",type="string",JSONPath=".spec.ipAddressType",description="Address type of the load balancers"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type IngressClassParams struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec IngressClassParamsSpec `json:"spec,omitempty"`
}

// IngressClassParamsList is a list of IngressClassParams.
//
// +kubebuilder:object:root=true
type IngressClassParamsList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []IngressClassParams `json:"items"`
}
