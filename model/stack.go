package model

// Stack is everything that one load balancer needs in AWS, desired or observed.
type Stack struct {
	Owner Owner `json:"owner"`
	// LoadBalancer is nil when there is none, or none is wanted.
	LoadBalancer   *LoadBalancer   `json:"loadBalancer,omitempty"`
	SecurityGroups []SecurityGroup `json:"securityGroups,omitempty"`
	TargetGroups   []TargetGroup   `json:"targetGroups,omitempty"`
	// Certificates in ACM that the stack owns.
	Certificates []OwnCertificate `json:"certificates,omitempty"`
	// TrustStores that the stack owns.
	TrustStores []TrustStore `json:"trustStores,omitempty"`
	// Bundles are the objects in S3 that are kept for the stack's trust stores: observed only.
	Bundles []Bundle `json:"bundles,omitempty"`
	// Listeners of LoadBalancer, by port.
	Listeners []Listener `json:"listeners,omitempty"`
	// Frontend is the network load balancer in front of LoadBalancer, with its target groups and listeners; nil for none. It has no
	// security groups of its own: they are among the stack's.
	Frontend *Stack `json:"frontend,omitempty"`
	// Leftovers are observed load balancers with our tags beside LoadBalancer: one that is being replaced, or a duplicate.
	Leftovers []LoadBalancer `json:"leftovers,omitempty"`
	// Tagless: observed listeners and rules come without their tags. Their user tags then count as equal.
	Tagless bool `json:"tagless,omitempty"`
}

// LoadBalancer is an application or network load balancer.
type LoadBalancer struct {
	ID   string `json:"id"`
	ARN  ARN    `json:"arn,omitempty"`
	Name string `json:"name"`
	// NameGiven says that a user chose Name: only then is a load balancer of that name looked for.
	NameGiven bool `json:"nameGiven,omitempty"`
	// Type is "application" or "network".
	Type string `json:"type"`
	// Scheme is "internal" or "internet-facing".
	Scheme string `json:"scheme"`
	// IPAddressType is "ipv4", "dualstack" or "dualstack-without-public-ipv4".
	IPAddressType string `json:"ipAddressType"`
	// Subnets are subnet IDs, sorted.
	Subnets []string `json:"subnets"`
	VPC     string   `json:"vpc,omitempty"`
	// SecurityGroups are sorted.
	SecurityGroups []GroupRef `json:"securityGroups,omitempty"`
	// Allocations are Elastic IPs (eipalloc-…) by subnet ID, of an internet-facing network load balancer.
	Allocations map[string]string `json:"allocations,omitempty"`
	// Attributes: desired, the keys that somebody asks for; observed, all of them.
	Attributes map[string]string `json:"attributes,omitempty"`
	Tags       map[string]string `json:"tags,omitempty"`
	// Addons: desired, those that somebody asks for; observed, those that were looked at and are there.
	Addons map[Addon]string `json:"addons,omitempty"`
	// CustomerOwnedPool is the pool of addresses on an Outpost. AWS cannot change it.
	CustomerOwnedPool string `json:"customerOwnedPool,omitempty"`

	// Observed only.
	DNSName string `json:"dnsName,omitempty"`
	// State is provisioning, active, active_impaired or failed.
	State string `json:"state,omitempty"`
}

// GroupRef refers to a security group: one of this stack by Key ID, the cluster's shared backend group, or a foreign one by its ID.
type GroupRef struct {
	// Key is the resource ID of a security group of the same stack, or [ResourceBackendSecurityGroup] for the shared one.
	Key string `json:"key,omitempty"`
	// ID is sg-….
	ID string `json:"id,omitempty"`
}

// PermissionMark is the description of our rules on security groups of pods and nodes.
const PermissionMark = "elbv2.k8s.aws/targetGroupBinding=shared"

// SecurityGroup is a security group that Headgate owns, or a foreign one that holds rules of ours.
type SecurityGroup struct {
	// ID is the resource ID; of a foreign group its sg-….
	ID string `json:"id"`
	// Foreign groups are neither made nor deleted: only permissions with [PermissionMark] are listed and changed.
	Foreign     bool              `json:"foreign,omitempty"`
	ARN         ARN               `json:"arn,omitempty"`
	Name        string            `json:"name"`
	Description string            `json:"description"`
	VPC         string            `json:"vpc,omitempty"`
	Ingress     []Permission      `json:"ingress,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`
}

// Permission is one ingress permission of a security group. Exactly one of CIDR, PrefixList and Source is set.
// Description is no part of its identity, as in EC2.
type Permission struct {
	// Protocol is tcp, udp, icmp, icmpv6 or -1.
	Protocol   string   `json:"protocol"`
	FromPort   int      `json:"fromPort"`
	ToPort     int      `json:"toPort"`
	CIDR       string   `json:"cidr,omitempty"`
	PrefixList string   `json:"prefixList,omitempty"`
	Source     GroupRef `json:"source,omitzero"`
	// PortName stands for the ports that the targets give this name to, in place of numbers: in [Backend.Network] only.
	PortName string `json:"portName,omitempty"`
	// Description marks rules on foreign groups as ours.
	Description string `json:"description,omitempty"`
}

// TargetGroup is a target group.
type TargetGroup struct {
	ID   string `json:"id"`
	ARN  ARN    `json:"arn,omitempty"`
	Name string `json:"name"`
	// TargetType is ip, instance or alb.
	TargetType string `json:"targetType"`
	// Protocol is HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP.
	Protocol string `json:"protocol"`
	// ProtocolVersion is HTTP1, HTTP2 or GRPC, for HTTP and HTTPS.
	ProtocolVersion string `json:"protocolVersion,omitempty"`
	Port            int    `json:"port"`
	VPC             string `json:"vpc"`
	// IPAddressType is ipv4 or ipv6.
	IPAddressType string `json:"ipAddressType"`
	// ControlPort is the port of the target optimizer, 0 without.
	ControlPort int               `json:"controlPort,omitempty"`
	HealthCheck HealthCheck       `json:"healthCheck"`
	Attributes  map[string]string `json:"attributes,omitempty"`
	Tags        map[string]string `json:"tags,omitempty"`

	// Backend is where its targets come from: desired only, no part of a comparison.
	Backend Backend `json:"backend,omitzero"`
	// LoadBalancers that use the group: observed only.
	LoadBalancers []ARN `json:"loadBalancers,omitempty"`
	// Behind is the load balancer that is the target of a group of type alb: observed only. AWS takes one.
	Behind *Target `json:"behind,omitempty"`
}

// Backend is the Service port whose endpoints are the targets of a group.
type Backend struct {
	Namespace string `json:"namespace"`
	Service   string `json:"service"`
	// Port is the Service's port number or name, as its user wrote it.
	Port string `json:"port"`
	// Nodes is a label selector of Kubernetes in its text form: of the nodes that are targets, empty for all.
	Nodes string `json:"nodes,omitempty"`
	// MultiCluster says that other clusters register targets in the group.
	MultiCluster bool `json:"multiCluster,omitempty"`
	// Network says which traffic the pods or nodes must admit.
	Network []Permission `json:"network,omitempty"`
}

// HealthCheck is how targets are probed. Times are in seconds.
type HealthCheck struct {
	Protocol string `json:"protocol"`
	// Port is a number or "traffic-port".
	Port               string `json:"port"`
	Path               string `json:"path,omitempty"`
	IntervalSeconds    int    `json:"intervalSeconds"`
	TimeoutSeconds     int    `json:"timeoutSeconds"`
	HealthyThreshold   int    `json:"healthyThreshold"`
	UnhealthyThreshold int    `json:"unhealthyThreshold"`
	// Matcher is the codes that count as healthy: HTTP, or gRPC where the protocol version is GRPC.
	Matcher string `json:"matcher,omitempty"`
}

// Listener is one port of a load balancer with its rules.
type Listener struct {
	ARN  ARN `json:"arn,omitempty"`
	Port int `json:"port"`
	// Protocol is HTTP, HTTPS, TCP, TLS, UDP or TCP_UDP.
	Protocol string `json:"protocol"`
	// Certificates: the first is the default certificate, the others are sorted. Desired, an entry is the ARN of a certificate that
	// somebody else manages, or an [OwnCertificate.Reference] to one of the stack. Observed, all are ARNs.
	Certificates []ARN  `json:"certificates,omitempty"`
	SSLPolicy    string `json:"sslPolicy,omitempty"`
	// MutualAuth is whether clients show certificates. Desired, nil leaves it as it is.
	MutualAuth *MutualAuth `json:"mutualAuth,omitempty"`
	// KeepMutualAuth, desired: somebody asks for certificates of clients in a way that cannot be served. What AWS holds then stays, and is
	// not switched off as what nobody asks for.
	KeepMutualAuth bool `json:"keepMutualAuth,omitempty"`
	// DefaultActions answer what no rule matches.
	DefaultActions []Action          `json:"defaultActions"`
	Attributes     map[string]string `json:"attributes,omitempty"`
	Tags           map[string]string `json:"tags,omitempty"`
	// Rules in the order of evaluation: the first that matches answers.
	Rules []Rule `json:"rules,omitempty"`
	// Parked are the rules that park target groups (see [Parking]): observed only. They are nobody's, and none of Rules.
	Parked []Rule `json:"parked,omitempty"`
}

// Rule is one listener rule.
type Rule struct {
	ARN        ARN         `json:"arn,omitempty"`
	Conditions []Condition `json:"conditions"`
	Actions    []Action    `json:"actions"`
	Transforms []Transform `json:"transforms,omitempty"`
	// Tags are user tags and ownership tags.
	Tags map[string]string `json:"tags,omitempty"`
	// Priority is observed only: order is desired state, numbers are not.
	Priority int `json:"priority,omitempty"`
	// Member is the object that asked for the rule: desired only, no part of a comparison.
	Member ObjectRef `json:"member,omitzero"`
}

// The fields that a condition can look at (ELBv2 API, RuleCondition.Field).
const (
	FieldHost     = "host-header"
	FieldPath     = "path-pattern"
	FieldHeader   = "http-header"
	FieldMethod   = "http-request-method"
	FieldQuery    = "query-string"
	FieldSourceIP = "source-ip"
)

// Condition is one condition of a rule: its values are ORed, the conditions of a rule are ANDed. Sets are sorted.
type Condition struct {
	Field string `json:"field"`
	// Header is the header name of an http-header condition.
	Header string   `json:"header,omitempty"`
	Values []string `json:"values,omitempty"`
	// Regex values exclude Values.
	Regex []string    `json:"regex,omitempty"`
	Query []QueryPair `json:"query,omitempty"`
}

// QueryPair is one value of a query-string condition; an empty Key matches the value under any key.
type QueryPair struct {
	Key   string `json:"key,omitempty"`
	Value string `json:"value"`
}

// The types of actions (ELBv2 API, Action.Type).
const (
	ActionForward       = "forward"
	ActionRedirect      = "redirect"
	ActionFixedResponse = "fixed-response"
)

// Action is one action of a rule. The field that its Type names is set. Those that guard come before the one that answers.
type Action struct {
	Type          string         `json:"type"`
	Forward       *Forward       `json:"forward,omitempty"`
	Redirect      *Redirect      `json:"redirect,omitempty"`
	FixedResponse *FixedResponse `json:"fixedResponse,omitempty"`
	OIDC          *OIDC          `json:"oidc,omitempty"`
	Cognito       *Cognito       `json:"cognito,omitempty"`
	JWT           *JWT           `json:"jwt,omitempty"`
}

// Forward sends requests to target groups by weight.
type Forward struct {
	Groups []WeightedGroup `json:"groups"`
	// StickySeconds keeps a client with its target group, 0 does not.
	StickySeconds int `json:"stickySeconds,omitempty"`
}

// WeightedGroup is a share of a forward. Desired, exactly one of Key and ARN is set. Observed, and in a plan for what exists,
// a group of the same stack has both: while one group replaces another, the key alone would stand for either.
type WeightedGroup struct {
	// Key is the resource ID of a target group of the same stack.
	Key string `json:"key,omitempty"`
	// ARN is a target group that is not ours, or (observed) not of this stack.
	ARN    ARN `json:"arn,omitempty"`
	Weight int `json:"weight"`
}

// Redirect answers with a location; a part that is unchanged holds AWS's placeholder.
type Redirect struct {
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	Port     string `json:"port"`
	Path     string `json:"path"`
	Query    string `json:"query"`
	// StatusCode is HTTP_301 or HTTP_302.
	StatusCode string `json:"statusCode"`
}

// FixedResponse answers by itself.
type FixedResponse struct {
	StatusCode  string `json:"statusCode"`
	ContentType string `json:"contentType,omitempty"`
	Body        string `json:"body,omitempty"`
}

// Transform rewrites a request before it is forwarded: Type is host-header-rewrite or url-rewrite.
type Transform struct {
	Type    string `json:"type"`
	Regex   string `json:"regex"`
	Replace string `json:"replace"`
}
