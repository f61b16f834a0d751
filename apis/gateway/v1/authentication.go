package v1

// UnauthenticatedBehavior is what happens to a request that is not signed in.
//
// +kubebuilder:validation:Enum=deny;allow;authenticate
type UnauthenticatedBehavior string

// The behaviours.
const (
	UnauthenticatedDeny         UnauthenticatedBehavior = "deny"
	UnauthenticatedAllow        UnauthenticatedBehavior = "allow"
	UnauthenticatedAuthenticate UnauthenticatedBehavior = "authenticate"
)

// AuthenticateCognitoActionConfig signs users in with a Cognito user pool.
type AuthenticateCognitoActionConfig struct {
	// UserPoolArn is the ARN of the user pool.
	UserPoolArn string `json:"userPoolArn"`

	// UserPoolClientID is the ID of the user pool's client.
	UserPoolClientID string `json:"userPoolClientId"`

	// UserPoolDomain is the domain prefix or the full domain name of the user pool.
	UserPoolDomain string `json:"userPoolDomain"`

	// AuthenticationRequestExtraParams are query parameters of the request to the authorization endpoint.
	// +optional
	// +kubebuilder:validation:MaxProperties=10
	AuthenticationRequestExtraParams map[string]string `json:"authenticationRequestExtraParams,omitempty"`

	// OnUnauthenticatedRequest is what happens to a request that is not signed in.
	// +optional
	// +kubebuilder:default=authenticate
	OnUnauthenticatedRequest *UnauthenticatedBehavior `json:"onUnauthenticatedRequest,omitempty"`

	// Scope is the set of claims that is asked for.
	// +optional
	// +kubebuilder:default=openid
	Scope *string `json:"scope,omitempty"`

	// SessionCookieName is the name of the session's cookie.
	// +optional
	// +kubebuilder:default=AWSELBAuthSessionCookie
	SessionCookieName *string `json:"sessionCookieName,omitempty"`

	// SessionTimeout in seconds.
	// +optional
	// +kubebuilder:default=604800
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800
	SessionTimeout *int64 `json:"sessionTimeout,omitempty"`
}

// SecretReference names a Secret of the same namespace with the keys clientID and clientSecret.
type SecretReference struct {
	// Name of the Secret.
	Name string `json:"name"`
}

// AuthenticateOIDCActionConfig signs users in with an OpenID Connect provider.
type AuthenticateOIDCActionConfig struct {
	// Issuer of the provider, a full URL.
	Issuer string `json:"issuer"`

	// AuthorizationEndpoint of the provider, a full URL.
	AuthorizationEndpoint string `json:"authorizationEndpoint"`

	// TokenEndpoint of the provider, a full URL.
	TokenEndpoint string `json:"tokenEndpoint"`

	// UserInfoEndpoint of the provider, a full URL.
	UserInfoEndpoint string `json:"userInfoEndpoint"`

	// Secret holds the client's ID and secret.
	Secret SecretReference `json:"secret"`

	// AuthenticationRequestExtraParams are query parameters of the request to the authorization endpoint.
	// +optional
	// +kubebuilder:validation:MaxProperties=10
	AuthenticationRequestExtraParams map[string]string `json:"authenticationRequestExtraParams,omitempty"`

	// OnUnauthenticatedRequest is what happens to a request that is not signed in.
	// +optional
	// +kubebuilder:default=authenticate
	OnUnauthenticatedRequest *UnauthenticatedBehavior `json:"onUnauthenticatedRequest,omitempty"`

	// Scope is the set of claims that is asked for.
	// +optional
	// +kubebuilder:default=openid
	Scope *string `json:"scope,omitempty"`

	// SessionCookieName is the name of the session's cookie.
	// +optional
	// +kubebuilder:default=AWSELBAuthSessionCookie
	SessionCookieName *string `json:"sessionCookieName,omitempty"`

	// SessionTimeout in seconds.
	// +optional
	// +kubebuilder:default=604800
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=604800
	SessionTimeout *int64 `json:"sessionTimeout,omitempty"`

	// UseExistingClientSecret keeps the client secret that the rule has in AWS.
	// +optional
	UseExistingClientSecret *bool `json:"useExistingClientSecret,omitempty"`
}

// JWTClaimFormat is how the values of a claim are written.
//
// +kubebuilder:validation:Enum=single-string;string-array;space-separated-values
type JWTClaimFormat string

// JWTAdditionalClaim is a claim that a token must make.
type JWTAdditionalClaim struct {
	// Format of the claim's values.
	Format JWTClaimFormat `json:"format"`

	// Name of the claim.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`

	// Values that are accepted.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=10
	// +kubebuilder:validation:items:MaxLength=256
	Values []string `json:"values"`
}

// JWTValidationActionConfig lets requests with a valid token through.
type JWTValidationActionConfig struct {
	// JWKSEndpoint is where the keys are, a full URL.
	// +kubebuilder:validation:MaxLength=256
	JWKSEndpoint string `json:"jwksEndpoint"`

	// Issuer that tokens must name.
	// +kubebuilder:validation:MaxLength=256
	Issuer string `json:"issuer"`

	// AdditionalClaims that tokens must make.
	// +optional
	AdditionalClaims []JWTAdditionalClaim `json:"additionalClaims,omitempty"`
}
