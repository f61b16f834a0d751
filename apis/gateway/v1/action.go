package v1

// ActionType is what an action does.
//
// +kubebuilder:validation:Enum=forward;fixed-response;redirect;authenticate-cognito;authenticate-oidc;jwt-validation
type ActionType string

// The action types.
const (
	ActionTypeForward             ActionType = "forward"
	ActionTypeFixedResponse       ActionType = "fixed-response"
	ActionTypeRedirect            ActionType = "redirect"
	ActionTypeAuthenticateCognito ActionType = "authenticate-cognito"
	ActionTypeAuthenticateOIDC    ActionType = "authenticate-oidc"
	ActionTypeJWTValidation       ActionType = "jwt-validation"
)

// TargetGroupStickinessConfig keeps a client with the target group that it got first.
type TargetGroupStickinessConfig struct {
	// DurationSeconds for which a client stays.
	// +optional
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800
	DurationSeconds *int32 `json:"durationSeconds,omitempty"`

	// Enabled turns it on.
	// +optional
	// +kubebuilder:default=false
	Enabled *bool `json:"enabled,omitempty"`
}

// ForwardActionConfig adds to the forwarding that the route says; the backends stay the route's.
type ForwardActionConfig struct {
	// TargetGroupStickinessConfig keeps a client with the target group that it got first.
	// +optional
	// +kubebuilder:default={}
	TargetGroupStickinessConfig *TargetGroupStickinessConfig `json:"targetGroupStickinessConfig,omitempty"`
}

// RedirectActionConfig adds to the RequestRedirect filter of the route.
type RedirectActionConfig struct {
	// Query of the new address, without the question mark.
	// +optional
	// +kubebuilder:default="#{query}"
	Query *string `json:"query,omitempty"`
}

// FixedResponseContentType is the media type of a fixed response.
//
// +kubebuilder:validation:Enum=text/plain;text/css;text/html;application/javascript;application/json
type FixedResponseContentType string

// FixedResponseActionConfig is an answer that needs no backend.
type FixedResponseActionConfig struct {
	// StatusCode of the answer: 2xx, 4xx or 5xx.
	// +kubebuilder:validation:XValidation:rule="(self >= 200 && self <= 299) || (self >= 400 && self <= 599)",message="statusCode is a 2xx, 4xx or 5xx code"
	StatusCode int32 `json:"statusCode"`

	// ContentType of the answer.
	// +optional
	// +kubebuilder:default="text/plain"
	ContentType *FixedResponseContentType `json:"contentType,omitempty"`

	// MessageBody is the body of the answer.
	// +optional
	MessageBody *string `json:"messageBody,omitempty"`
}

// Action is one thing that a rule does. Its type says which of the configurations is set.
//
// +kubebuilder:validation:XValidation:rule="has(self.type) && self.type == 'forward' ? has(self.forwardConfig) : !has(self.forwardConfig)",message="forwardConfig goes with type forward"
// +kubebuilder:validation:XValidation:rule="has(self.type) && self.type == 'redirect' ? has(self.redirectConfig) : !has(self.redirectConfig)",message="redirectConfig goes with type redirect"
// +kubebuilder:validation:XValidation:rule="has(self.type) && self.type == 'fixed-response' ? has(self.fixedResponseConfig) : !has(self.fixedResponseConfig)",message="fixedResponseConfig goes with type fixed-response"
// +kubebuilder:validation:XValidation:rule="has(self.type) && self.type == 'authenticate-cognito' ? has(self.authenticateCognitoConfig) : !has(self.authenticateCognitoConfig)",message="authenticateCognitoConfig goes with type authenticate-cognito"
// +kubebuilder:validation:XValidation:rule="has(self.type) && self.type == 'authenticate-oidc' ? has(self.authenticateOIDCConfig) : !has(self.authenticateOIDCConfig)",message="authenticateOIDCConfig goes with type authenticate-oidc"
// +kubebuilder:validation:XValidation:rule="has(self.type) && self.type == 'jwt-validation' ? has(self.jwtValidationConfig) : !has(self.jwtValidationConfig)",message="jwtValidationConfig goes with type jwt-validation"
type Action struct {
	// Type of the action.
	Type ActionType `json:"type"`

	// ForwardConfig of type forward.
	// +optional
	ForwardConfig *ForwardActionConfig `json:"forwardConfig,omitempty"`

	// RedirectConfig of type redirect.
	// +optional
	RedirectConfig *RedirectActionConfig `json:"redirectConfig,omitempty"`

	// FixedResponseConfig of type fixed-response.
	// +optional
	FixedResponseConfig *FixedResponseActionConfig `json:"fixedResponseConfig,omitempty"`

	// AuthenticateCognitoConfig of type authenticate-cognito.
	// +optional
	AuthenticateCognitoConfig *AuthenticateCognitoActionConfig `json:"authenticateCognitoConfig,omitempty"`

	// AuthenticateOIDCConfig of type authenticate-oidc.
	// +optional
	AuthenticateOIDCConfig *AuthenticateOIDCActionConfig `json:"authenticateOIDCConfig,omitempty"`

	// JWTValidationConfig of type jwt-validation.
	// +optional
	JWTValidationConfig *JWTValidationActionConfig `json:"jwtValidationConfig,omitempty"`
}
