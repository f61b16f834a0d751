package v1beta1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// TargetControlConfigName is the one name that an ALBTargetControlConfig is looked for by: in the operator's namespace it is the default of
// all, in the namespace of pods it stands in place of that.
const TargetControlConfigName = "aws-load-balancer-controller-alb-target-control-agent-config"

// ALBTargetControlConfigSpec says how the agent of the target optimizer runs beside an application (ALB guide: target optimizer).
type ALBTargetControlConfigSpec struct {
	// Image of the agent.
	Image string `json:"image"`

	// DataAddress is where the agent takes the load balancer's requests: an address and the port that the targets are registered with.
	// +kubebuilder:validation:Pattern=`^.+:[0-9]+$`
	DataAddress string `json:"dataAddress"`

	// ControlAddress is where it takes the load balancer's control traffic: an address and the target group's control port.
	// +kubebuilder:validation:Pattern=`^.+:[0-9]+$`
	ControlAddress string `json:"controlAddress"`

	// DestinationAddress is where the application listens, to which the agent passes requests on.
	// +kubebuilder:validation:Pattern=`^.+:[0-9]+$`
	DestinationAddress string `json:"destinationAddress"`

	// MaxConcurrency is how many requests the application is given at a time; 0 gives it none.
	// +optional
	// +kubebuilder:default=1
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=1000
	MaxConcurrency *int32 `json:"maxConcurrency,omitempty"`

	// ProtocolVersion is that of the target group.
	// +optional
	// +kubebuilder:validation:Enum=HTTP1;HTTP2;GRPC
	ProtocolVersion *string `json:"protocolVersion,omitempty"`

	// RustLog is how much the agent logs.
	// +optional
	// +kubebuilder:validation:Enum=debug;info;error
	RustLog *string `json:"rustLog,omitempty"`

	// TLSCertPath is a file in the container with the certificate that the agent shows the load balancer. Without it, it makes one.
	// +optional
	TLSCertPath *string `json:"tlsCertPath,omitempty"`

	// TLSKeyPath is a file in the container with the certificate's key.
	// +optional
	TLSKeyPath *string `json:"tlsKeyPath,omitempty"`

	// TLSSecurityPolicy is the security policy that the agent holds connections to.
	// +optional
	TLSSecurityPolicy *string `json:"tlsSecurityPolicy,omitempty"`
}

// ALBTargetControlConfig configures the agent that is put beside applications whose target group has a control port.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=albtargetcontrolconfigs
// +kubebuilder:printcolumn:name="IMAGE",type="string",JSONPath=".spec.image"
// +kubebuilder:printcolumn:name="DESTINATION",type="string",JSONPath=".spec.destinationAddress"
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type ALBTargetControlConfig struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ALBTargetControlConfigSpec `json:"spec,omitempty"`
}

// ALBTargetControlConfigList is a list of ALBTargetControlConfigs.
//
// +kubebuilder:object:root=true
type ALBTargetControlConfigList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []ALBTargetControlConfig `json:"items"`
}
