package v1beta1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// TargetGroupIPAddressType is the address family of a target group.
//
// +kubebuilder:validation:Enum=ipv4;ipv6
type TargetGroupIPAddressType string

// The address types of target groups.
const (
	TargetGroupIPAddressTypeIPv4 TargetGroupIPAddressType = "ipv4"
	TargetGroupIPAddressTypeIPv6 TargetGroupIPAddressType = "ipv6"
)

// Protocol is the protocol of a target group.
//
// +kubebuilder:validation:Enum=HTTP;HTTPS;TCP;TLS;UDP;TCP_UDP;QUIC;TCP_QUIC
type Protocol string

// NetworkingProtocol is the transport of a port that is opened on the targets.
//
// +kubebuilder:validation:Enum=TCP;UDP
type NetworkingProtocol string

// The transports.
const (
	NetworkingProtocolTCP NetworkingProtocol = "TCP"
	NetworkingProtocolUDP NetworkingProtocol = "UDP"
)

// ServiceReference names a Service of the binding's namespace and one of its ports.
type ServiceReference struct {
	// Name of the Service.
	Name string `json:"name"`

	// Port of the Service, by number or name.
	Port intstr.IntOrString `json:"port"`
}

// IPBlock is a range of addresses.
type IPBlock struct {
	// CIDR of IPv4 or IPv6 addresses.
	CIDR string `json:"cidr"`
}

// SecurityGroup is an EC2 security group.
type SecurityGroup struct {
	// GroupID is its ID.
	GroupID string `json:"groupID"`
}

// NetworkingPeer is who may reach the targets: an IPBlock or a SecurityGroup.
type NetworkingPeer struct {
	// IPBlock of addresses.
	// +optional
	IPBlock *IPBlock `json:"ipBlock,omitempty"`

	// SecurityGroup that the traffic comes from.
	// +optional
	SecurityGroup *SecurityGroup `json:"securityGroup,omitempty"`
}

// NetworkingPort is a port that is opened on the targets.
type NetworkingPort struct {
	// Protocol is the transport. Absent: TCP.
	// +optional
	Protocol *NetworkingProtocol `json:"protocol,omitempty"`

	// Port by number, or by name for targets that are pods. Absent: all ports.
	// +optional
	Port *intstr.IntOrString `json:"port,omitempty"`
}

// NetworkingIngressRule opens ports of the targets to peers.
type NetworkingIngressRule struct {
	// From lists the peers, at least one.
	From []NetworkingPeer `json:"from"`

	// Ports to open. Empty: every TCP port.
	Ports []NetworkingPort `json:"ports"`
}

// TargetGroupBindingNetworking is what the security groups of the targets must let in.
type TargetGroupBindingNetworking struct {
	// Ingress lists the rules.
	// +optional
	Ingress []NetworkingIngressRule `json:"ingress,omitempty"`
}

// TargetGroupBindingSpec says which endpoints are the targets of which target group. The rules are what the incumbent's webhook
// checks without AWS.
//
// +kubebuilder:validation:XValidation:rule="(has(self.targetGroupARN) && size(self.targetGroupARN) > 0) || (has(self.targetGroupName) && size(self.targetGroupName) > 0)",message="targetGroupARN or targetGroupName is needed: set one"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.targetGroupARN) || size(oldSelf.targetGroupARN) == 0 || (has(self.targetGroupARN) && self.targetGroupARN == oldSelf.targetGroupARN)",message="targetGroupARN cannot be changed: make the binding anew"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.targetType) || (has(self.targetType) && self.targetType == oldSelf.targetType)",message="targetType cannot be changed: make the binding anew"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.ipAddressType) || (has(self.ipAddressType) && self.ipAddressType == oldSelf.ipAddressType)",message="ipAddressType cannot be changed: make the binding anew"
// +kubebuilder:validation:XValidation:rule="!has(oldSelf.vpcID) || size(oldSelf.vpcID) == 0 || (has(self.vpcID) && self.vpcID == oldSelf.vpcID)",message="vpcID cannot be changed: make the binding anew"
// +kubebuilder:validation:XValidation:rule="!has(self.nodeSelector) || !has(self.targetType) || self.targetType != 'ip'",message="nodeSelector chooses among nodes: leave it out for targets of the type ip"
// +kubebuilder:validation:XValidation:rule="!has(self.iamRoleArnToAssume) || size(self.iamRoleArnToAssume) == 0 || !has(self.targetType) || self.targetType != 'instance'",message="iamRoleArnToAssume needs targets of the type ip"
// +kubebuilder:validation:XValidation:rule="!has(self.targetGroupProtocol) || !(self.targetGroupProtocol in ['QUIC', 'TCP_QUIC']) || !has(self.targetType) || self.targetType != 'instance'",message="QUIC needs targets of the type ip"
// +kubebuilder:validation:XValidation:rule="!has(self.vpcID) || self.vpcID.matches('^(vpc-[0-9a-f]+)?$')",message="vpcID is of the form vpc-0123abcd"
type TargetGroupBindingSpec struct {
	// TargetGroupARN is the target group. It or TargetGroupName is needed.
	// +optional
	TargetGroupARN string `json:"targetGroupARN,omitempty"`

	// TargetGroupName is the target group by its name.
	// +optional
	TargetGroupName string `json:"targetGroupName,omitempty"`

	// MultiClusterTargetGroup: other clusters register targets in the same target group.
	// +optional
	MultiClusterTargetGroup bool `json:"multiClusterTargetGroup,omitempty"`

	// TargetType of the target group. Absent: as AWS says.
	// +optional
	TargetType *TargetType `json:"targetType,omitempty"`

	// TargetGroupProtocol of the target group. Absent: as AWS says.
	// +optional
	TargetGroupProtocol *Protocol `json:"targetGroupProtocol,omitempty"`

	// ServiceRef is the Service whose endpoints are registered.
	ServiceRef ServiceReference `json:"serviceRef"`

	// Networking is what the security groups of the targets must let in.
	// +optional
	Networking *TargetGroupBindingNetworking `json:"networking,omitempty"`

	// NodeSelector picks the nodes that are registered, for targets that are nodes.
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// IPAddressType of the target group. Absent: as AWS says.
	// +optional
	IPAddressType *TargetGroupIPAddressType `json:"ipAddressType,omitempty"`

	// VpcID is the VPC of the target group. Absent: the cluster's.
	// +optional
	VpcID string `json:"vpcID,omitempty"`

	// IamRoleArnToAssume is the role for the calls about a target group of another account.
	// +optional
	IamRoleArnToAssume string `json:"iamRoleArnToAssume,omitempty"`

	// AssumeRoleExternalID goes with IamRoleArnToAssume.
	// +optional
	AssumeRoleExternalID string `json:"assumeRoleExternalId,omitempty"`
}

// TargetGroupBindingStatus says what was done last.
type TargetGroupBindingStatus struct {
	// ObservedGeneration is the generation of the spec that was done.
	// +optional
	ObservedGeneration *int64 `json:"observedGeneration,omitempty"`

	// Conditions of the binding.
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// TargetGroupBinding makes the endpoints of a Service the targets of a target group.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="SERVICE-NAME",type="string",JSONPath=".spec.serviceRef.name",description="Name of the Service"
// +kubebuilder:printcolumn:name="SERVICE-PORT",type="string",JSONPath=".spec.serviceRef.port",description="Port of the Service"
// +kubebuilder:printcolumn:name="TARGET-TYPE",type="string",JSONPath=".spec.targetType",description="Target type of the target group"
// +kubebuilder:printcolumn:name="ARN",type="string",JSONPath=".spec.targetGroupARN",description="ARN of the target group",priority=1
// +kubebuilder:printcolumn:name="NAME",type="string",JSONPath=".spec.targetGroupName",description="Name of the target group",priority=2
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type TargetGroupBinding struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   TargetGroupBindingSpec   `json:"spec,omitempty"`
	Status TargetGroupBindingStatus `json:"status,omitempty"`
}

// TargetGroupBindingList is a list of TargetGroupBindings.
//
// +kubebuilder:object:root=true
type TargetGroupBindingList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TargetGroupBinding `json:"items"`
}
