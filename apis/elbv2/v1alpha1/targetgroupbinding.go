package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/headgate/headgate/apis/elbv2/v1beta1"
)

// TargetGroupBindingSpec says which endpoints are the targets of which target group.
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
	TargetType *v1beta1.TargetType `json:"targetType,omitempty"`

	// ServiceRef is the Service whose endpoints are registered.
	ServiceRef v1beta1.ServiceReference `json:"serviceRef"`

	// Networking is what the security groups of the targets must let in.
	// +optional
	Networking *v1beta1.TargetGroupBindingNetworking `json:"networking,omitempty"`

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
}

// TargetGroupBinding makes the endpoints of a Service the targets of a target group.
//
// +kubebuilder:object:root=true
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
