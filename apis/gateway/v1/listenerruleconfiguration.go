package v1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ConditionField is what a condition looks at.
//
// +kubebuilder:validation:Enum=source-ip
type ConditionField string

// ConditionFieldSourceIP is the address of the client.
const ConditionFieldSourceIP ConditionField = "source-ip"

// SourceIPConfig lists where requests may come from.
type SourceIPConfig struct {
	// Values are CIDRs.
	// +kubebuilder:validation:MinItems=1
	Values []string `json:"values"`
}

// ListenerRuleCondition narrows which requests a rule is for, beyond what its route says.
//
// +kubebuilder:validation:XValidation:rule="has(self.field) && self.field == 'source-ip' ? has(self.sourceIPConfig) : !has(self.sourceIPConfig)",message="sourceIPConfig goes with field source-ip"
type ListenerRuleCondition struct {
	// Field that the condition looks at.
	Field ConditionField `json:"field"`

	// MatchIndexes are the matches of the route's rule that it is for, from 0. Empty: all.
	// +optional
	MatchIndexes []int `json:"matchIndexes,omitempty"`

	// SourceIPConfig of field source-ip.
	// +optional
	SourceIPConfig *SourceIPConfig `json:"sourceIPConfig,omitempty"`
}

// ListenerRuleConfigurationSpec is what a route's rule does beyond what the Gateway API has words for.
//
// +kubebuilder:validation:XValidation:rule="!has(self.actions) || size(self.actions) > 0",message="actions must not be empty"
// +kubebuilder:validation:XValidation:rule="!has(self.actions) || self.actions.all(a, a.type == 'authenticate-oidc' || a.type == 'authenticate-cognito' || a.type == 'jwt-validation' || a.type == 'fixed-response' || a.type == 'forward' || a.type == 'redirect')",message="type of an action is one of authenticate-oidc, authenticate-cognito, jwt-validation, fixed-response, forward, redirect"
// +kubebuilder:validation:XValidation:rule="!has(self.actions) || size(self.actions.filter(a, a.type == 'authenticate-oidc' || a.type == 'authenticate-cognito' || a.type == 'jwt-validation')) <= 1",message="at most one action of authenticate-oidc, authenticate-cognito, jwt-validation"
// +kubebuilder:validation:XValidation:rule="!has(self.actions) || size(self.actions.filter(a, a.type == 'fixed-response' || a.type == 'forward' || a.type == 'redirect')) <= 1",message="at most one action of fixed-response, forward, redirect"
type ListenerRuleConfigurationSpec struct {
	// Actions of the rule: one that checks who asks, one that answers, or both.
	// +optional
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=2
	Actions []Action `json:"actions,omitempty"`

	// Conditions beyond those of the route.
	// +optional
	// +kubebuilder:validation:MinItems=1
	Conditions []ListenerRuleCondition `json:"conditions,omitempty"`

	// Tags of the rule.
	// +optional
	Tags map[string]string `json:"tags,omitempty"`
}

// ListenerRuleConfigurationStatus says whether the configuration can be used.
type ListenerRuleConfigurationStatus struct {
	// ObservedGeneration is the generation that was looked at.
	// +optional
	ObservedGeneration *int64 `json:"observedGeneration,omitempty"`

	// Accepted tells whether it can be used.
	// +optional
	Accepted *bool `json:"accepted,omitempty"`

	// Message says why it cannot.
	// +optional
	Message *string `json:"message,omitempty"`

	// Conditions of the configuration: Accepted, and Programmed with the generation that AWS holds.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// ListenerRuleConfiguration is what a route's rule does beyond what the Gateway API has words for. A route refers to it by an
// ExtensionRef filter.
//
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="AGE",type="date",JSONPath=".metadata.creationTimestamp"
type ListenerRuleConfiguration struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   ListenerRuleConfigurationSpec   `json:"spec,omitempty"`
	Status ListenerRuleConfigurationStatus `json:"status,omitempty"`
}

// ListenerRuleConfigurationList is a list of ListenerRuleConfigurations.
//
// +kubebuilder:object:root=true
type ListenerRuleConfigurationList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ListenerRuleConfiguration `json:"items"`
}
