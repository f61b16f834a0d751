package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TargetType says what is registered as a target: nodes (instance) or pods (ip).
//
// +kubebuilder:validation:Enum=instance;ip
type TargetType string

// The target types.
const (
	TargetTypeInstance TargetType = "instance"
	TargetTypeIP       TargetType = "ip"
)

// TargetGroupIPAddressType is the address family of a target group.
//
// +kubebuilder:validation:Enum=ipv4;ipv6
type TargetGroupIPAddressType string

// TargetGroupHealthCheckProtocol is the protocol of health checks.
//
// +kubebuilder:validation:Enum=HTTP;HTTPS;TCP
type TargetGroupHealthCheckProtocol string

// Protocol is the protocol of a target group.
//
// +kubebuilder:validation:Enum=HTTP;HTTPS;TCP;TLS;UDP;TCP_UDP
type Protocol string

// ProtocolVersion is the version of HTTP that targets are spoken to with.
//
// +kubebuilder:validation:Enum=HTTP1;HTTP2;GRPC
type ProtocolVersion string

// The protocol versions.
const (
	ProtocolVersionHTTP1 ProtocolVersion = "HTTP1"
	ProtocolVersionHTTP2 ProtocolVersion = "HTTP2"
	ProtocolVersionGRPC  ProtocolVersion = "GRPC"
)

// HealthCheckMatcher is which answers are healthy.
type HealthCheckMatcher struct {
	// HTTPCode lists status codes and ranges: "200,301-302".
	// +optional
	HTTPCode *string `json:"httpCode,omitempty"`

	// GRPCCode lists gRPC codes and ranges: "0-99".
	// +optional
	GRPCCode *string `json:"grpcCode,omitempty"`
}

// HealthCheckConfiguration is how targets are checked.
type HealthCheckConfiguration struct {
	// HealthyThresholdCount is how many good checks in a row make a target healthy.
	// +optional
	HealthyThresholdCount *int32 `json:"healthyThresholdCount,omitempty"`

	// HealthCheckInterval between checks, in seconds.
	// +optional
	HealthCheckInterval *int32 `json:"healthCheckInterval,omitempty"`

	// HealthCheckPath that is asked for.
	// +optional
	HealthCheckPath *string `json:"healthCheckPath,omitempty"`

	// HealthCheckPort by number or name, or traffic-port.
	// +optional
	HealthCheckPort *string `json:"healthCheckPort,omitempty"`

	// HealthCheckProtocol of the checks.
	// +optional
	HealthCheckProtocol *TargetGroupHealthCheckProtocol `json:"healthCheckProtocol,omitempty"`

	// HealthCheckTimeout after which a check has failed, in seconds.
	// +optional
	HealthCheckTimeout *int32 `json:"healthCheckTimeout,omitempty"`

	// UnhealthyThresholdCount is how many failed checks in a row make a target unhealthy.
	// +optional
	UnhealthyThresholdCount *int32 `json:"unhealthyThresholdCount,omitempty"`

	// Matcher is which answers are healthy.
	// +optional
	Matcher *HealthCheckMatcher `json:"matcher,omitempty"`
}

// TargetGroupProps is how a target group is made.
type TargetGroupProps struct {
	// TargetGroupName is the name in AWS. Absent: one is made up.
	// +optional
	TargetGroupName *string `json:"targetGroupName,omitempty"`

	// IPAddressType of the target group.
	// +optional
	IPAddressType *TargetGroupIPAddressType `json:"ipAddressType,omitempty"`

	// HealthCheckConfig is how targets are checked.
	// +optional
	HealthCheckConfig *HealthCheckConfiguration `json:"healthCheckConfig,omitempty"`

	// NodeSelector picks the nodes that are registered, for targets that are nodes.
	// +optional
	NodeSelector *metav1.LabelSelector `json:"nodeSelector,omitempty"`

	// TargetGroupAttributes by their AWS keys.
	// +optional
	TargetGroupAttributes []Attribute `json:"targetGroupAttributes,omitempty"`

	// TargetType of the target group.
	// +optional
	TargetType *TargetType `json:"targetType,omitempty"`

	// Protocol that targets are spoken to with.
	// +optional
	Protocol *Protocol `json:"protocol,omitempty"`

	// ProtocolVersion that targets are spoken to with.
	// +optional
	ProtocolVersion *ProtocolVersion `json:"protocolVersion,omitempty"`

	// TargetControlPort is the port of the target control agent.
	// +optional
	TargetControlPort *int32 `json:"targetControlPort,omitempty"`

	// EnableMultiCluster: other clusters register targets in the same target group.
	// +optional
	EnableMultiCluster *bool `json:"enableMultiCluster,omitempty"`

	// Tags of the target group.
	// +optional
	Tags map[string]string `json:"tags,omitempty"`
}

// RouteIdentifier picks routes: by kind, or kind and namespace, or kind, namespace and name.
type RouteIdentifier struct {
	// Kind of the route.
	// +optional
	Kind string `json:"kind,omitempty"`

	// Namespace of the route.
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// Name of the route.
	// +optional
	Name string `json:"name,omitempty"`
}

// RouteConfiguration is how the target groups of some routes differ.
type RouteConfiguration struct {
	// RouteIdentifier picks the routes. The most specific one wins.
	RouteIdentifier RouteIdentifier `json:"routeIdentifier"`

	// TargetGroupProps that differ from the default ones.
	TargetGroupProps TargetGroupProps `json:"targetGroupProps"`
}

// Reference names the object that a configuration is for, in the same namespace.
type Reference struct {
	// Group of the object. Empty: the core group.
	// +optional
	// +kubebuilder:default=""
	Group *string `json:"group,omitempty"`

	// Kind of the object.
	// +optional
	// +kubebuilder:default=Service
	Kind *string `json:"kind,omitempty"`

	// Name of the object.
	Name string `json:"name"`
}

// TargetGroupConfigurationSpec is how the target groups of a Service are made.
type TargetGroupConfigurationSpec struct {
	// TargetReference names the Service. Absent in a default that a LoadBalancerConfiguration refers to.
	// +optional
	TargetReference *Reference `json:"targetReference,omitempty"`

	// DefaultConfiguration holds for all routes.
	// +optional
	DefaultConfiguration *TargetGroupProps `json:"defaultConfiguration,omitempty"`

	// RouteConfigurations hold for some routes.
	// +optional
	RouteConfigurations []RouteConfiguration `json:"routeConfigurations,omitempty"`
}

// TargetGroupConfigurationStatus says which generations are in use.
type TargetGroupConfigurationStatus struct {
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

// TargetGroupConfiguration is how the target groups of a Service are made.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="SERVICE-NAME",type="string",JSONPath=".spec.targetReference.name",description="Name of the Service"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type TargetGroupConfiguration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   TargetGroupConfigurationSpec   `json:"spec,omitempty"`
	Status TargetGroupConfigurationStatus `json:"status,omitempty"`
}

// TargetGroupConfigurationList is a list of TargetGroupConfigurations.
//
// +kubebuilder:object:root=true
type TargetGroupConfigurationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []TargetGroupConfiguration `json:"items"`
}
