package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Condition types of a LoadBalancer.
const (
	// ConditionProgrammed: AWS holds what was last asked for.
	ConditionProgrammed = "Programmed"
	// ConditionReady: the load balancer is active and programmed, and its targets are healthy.
	ConditionReady = "Ready"
	// ConditionPlanApproved: the pending plan may be carried out. It is there while a plan waits for approval, or an approved one is
	// carried out.
	ConditionPlanApproved = "PlanApproved"
)

// LoadBalancerSpec is what a user writes.
type LoadBalancerSpec struct {
	// ApprovedPlan is the hash of the pending plan that may be carried out, as status.pendingPlan.hash has it. A plan that has changed since is
	// another one. Once everything is as it shall be the operator takes the field away.
	// +optional
	ApprovedPlan string `json:"approvedPlan,omitempty"`
}

// ObjectReference names a Kubernetes object.
type ObjectReference struct {
	// Kind of the object.
	Kind string `json:"kind"`

	// Namespace of the object. Empty for an object of the cluster.
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// Name of the object.
	Name string `json:"name"`
}

// ListenerStatus is one listener.
type ListenerStatus struct {
	// Port that it listens on.
	Port int32 `json:"port"`

	// Protocol of the listener.
	Protocol string `json:"protocol"`

	// Rules that it has, without the default action.
	// +optional
	Rules int32 `json:"rules"`
}

// FrontendStatus is a network load balancer in front of another one.
type FrontendStatus struct {
	// Name in AWS.
	Name string `json:"name"`

	// ARN of the load balancer.
	// +optional
	ARN string `json:"arn,omitempty"`

	// DNSName of the load balancer.
	// +optional
	DNSName string `json:"dnsName,omitempty"`

	// Scheme is internal or internet-facing.
	// +optional
	Scheme string `json:"scheme,omitempty"`

	// State is provisioning, active or failed.
	// +optional
	State string `json:"state,omitempty"`

	// Ports that it listens on.
	// +optional
	// +listType=atomic
	Ports []FrontendPort `json:"ports,omitempty"`
}

// FrontendPort is a port of a frontend.
type FrontendPort struct {
	// Port that it listens on.
	Port int32 `json:"port"`

	// TargetPort is the port of the load balancer behind that it leads to.
	TargetPort int32 `json:"targetPort"`
}

// RuleUsage is how many rules there are of how many that AWS allows.
type RuleUsage struct {
	// Used counts the rules of all listeners, without the default actions.
	Used int32 `json:"used"`

	// Quota of rules of the load balancer.
	Quota int32 `json:"quota"`
}

// QuotaUsage is how much of one of AWS's quotas the load balancer uses.
type QuotaUsage struct {
	// Name of the quota, as DescribeAccountLimits of the Elastic Load Balancing API has it.
	Name string `json:"name"`

	// Used of it; of a quota of each target group by the fullest one.
	Used int32 `json:"used"`

	// Quota is how much AWS allows, as far as that is known.
	Quota int32 `json:"quota"`
}

// TargetGroupStatus is one target group and the health of its targets when it was last looked at.
type TargetGroupStatus struct {
	// Name in AWS.
	Name string `json:"name"`

	// ARN of the target group.
	// +optional
	ARN string `json:"arn,omitempty"`

	// Backend is the Service and port that the targets belong to, as namespace/name:port.
	// +optional
	Backend string `json:"backend,omitempty"`

	// Healthy counts the targets that are healthy.
	// +optional
	Healthy int32 `json:"healthy"`

	// Total counts the targets.
	// +optional
	Total int32 `json:"total"`

	// States counts the targets by their state.
	// +optional
	States map[string]int32 `json:"states,omitempty"`

	// ObservedAt is when AWS was asked.
	// +optional
	ObservedAt *metav1.Time `json:"observedAt,omitempty"`
}

// Summary holds what a list shows, each in one word.
type Summary struct {
	// Listeners as protocol:port, separated by commas.
	// +optional
	Listeners string `json:"listeners,omitempty"`

	// Rules as used/quota.
	// +optional
	Rules string `json:"rules,omitempty"`

	// Healthy targets as healthy/total.
	// +optional
	Healthy string `json:"healthy,omitempty"`
}

// MemberStatus is one object that has a share in the load balancer.
type MemberStatus struct {
	ObjectReference `json:",inline"`

	// Conditions of the member.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`
}

// LastError is what AWS, or the cluster, refused last.
type LastError struct {
	// Code of the error, in AWS's words where AWS refused.
	Code string `json:"code"`

	// Message says what was being done and how to mend it.
	Message string `json:"message"`

	// At is when it happened first.
	At metav1.Time `json:"at"`

	// NextRetry is when it is tried again. Absent: once something changes.
	// +optional
	NextRetry *metav1.Time `json:"nextRetry,omitempty"`
}

// PendingPlan is a plan that waits: for approval, or for a state of AWS.
type PendingPlan struct {
	// Hash names the plan; spec.approvedPlan takes it.
	Hash string `json:"hash"`

	// Summary counts the changes.
	Summary string `json:"summary"`

	// Text is the plan as it is printed. It is cut where it is long, and says how many lines are missing.
	// +optional
	Text string `json:"text,omitempty"`

	// Whole is all of a plan that waits for approval and whose text is cut, compressed by gzip: `headgate approve` prints it.
	// +optional
	Whole []byte `json:"whole,omitempty"`
}

// LoadBalancerStatus is what AWS holds and how well it is.
type LoadBalancerStatus struct {
	// ARN of the load balancer.
	// +optional
	ARN string `json:"arn,omitempty"`

	// DNSName of the load balancer.
	// +optional
	DNSName string `json:"dnsName,omitempty"`

	// Scheme is internal or internet-facing.
	// +optional
	Scheme string `json:"scheme,omitempty"`

	// Type is application or network.
	// +optional
	Type string `json:"type,omitempty"`

	// State is provisioning, active, active_impaired or failed.
	// +optional
	State string `json:"state,omitempty"`

	// Frontend is the network load balancer in front of it. Absent: there is none.
	// +optional
	Frontend *FrontendStatus `json:"frontend,omitempty"`

	// Sources are the objects that asked for the load balancer.
	// +optional
	// +listType=atomic
	Sources []ObjectReference `json:"sources,omitempty"`

	// Listeners by port.
	// +optional
	// +listType=atomic
	Listeners []ListenerStatus `json:"listeners,omitempty"`

	// Certificates that Headgate keeps in ACM for it. Those that others keep there are not among them.
	// +optional
	// +listType=atomic
	Certificates []CertificateStatus `json:"certificates,omitempty"`

	// Rules that are used of those that AWS allows.
	// +optional
	Rules *RuleUsage `json:"rules,omitempty"`

	// Quotas of AWS that the load balancer meets, besides that of rules.
	// +optional
	// +listType=map
	// +listMapKey=name
	Quotas []QuotaUsage `json:"quotas,omitempty"`

	// Targets by target group.
	// +optional
	// +listType=atomic
	Targets []TargetGroupStatus `json:"targets,omitempty"`

	// Summary holds what a list shows.
	// +optional
	Summary Summary `json:"summary,omitempty"`

	// Conditions of the load balancer.
	// +optional
	// +listType=map
	// +listMapKey=type
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// Members that have a share in it, each with its conditions.
	// +optional
	// +listType=atomic
	Members []MemberStatus `json:"members,omitempty"`

	// LastError is what was refused last. Absent: nothing since the last success.
	// +optional
	LastError *LastError `json:"lastError,omitempty"`

	// PendingPlan is what waits.
	// +optional
	PendingPlan *PendingPlan `json:"pendingPlan,omitempty"`

	// LastApplied is when a change was last made.
	// +optional
	LastApplied *metav1.Time `json:"lastApplied,omitempty"`
}

// LoadBalancer is a load balancer that Headgate runs. It has the name of the load balancer in AWS; the objects that asked for
// it are its sources.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=loadbalancers,singular=loadbalancer,shortName=lb,scope=Cluster
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="DNS",type="string",JSONPath=".status.dnsName",description="Address"
// +kubebuilder:printcolumn:name="State",type="string",JSONPath=".status.state",description="State in AWS"
// +kubebuilder:printcolumn:name="Listeners",type="string",JSONPath=".status.summary.listeners",description="Protocols and ports"
// +kubebuilder:printcolumn:name="Rules",type="string",JSONPath=".status.summary.rules",description="Rules used of those that AWS allows"
// +kubebuilder:printcolumn:name="Healthy",type="string",JSONPath=".status.summary.healthy",description="Healthy targets of all targets"
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type=='Ready')].status",description="Whether it is active, AWS holds what was last asked for, and all targets are healthy"
// +kubebuilder:printcolumn:name="Programmed",type="string",JSONPath=".status.conditions[?(@.type=='Programmed')].status",description="Whether AWS holds what was last asked for",priority=1
// +kubebuilder:printcolumn:name="ARN",type="string",JSONPath=".status.arn",description="ARN in AWS",priority=1
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
type LoadBalancer struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec   LoadBalancerSpec   `json:"spec,omitempty"`
	Status LoadBalancerStatus `json:"status,omitempty"`
}

// LoadBalancerList is a list of LoadBalancers.
//
// +kubebuilder:object:root=true
type LoadBalancerList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []LoadBalancer `json:"items"`
}
