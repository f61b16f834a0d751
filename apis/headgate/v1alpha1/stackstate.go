package v1alpha1

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// AppliedResource is a resource as it was applied last.
type AppliedResource struct {
	// Key of the resource within its stack: Kind/ID.
	Key string `json:"key"`

	// ARN of the resource in AWS.
	// +optional
	ARN string `json:"arn,omitempty"`

	// Hash of the desired resource that was applied.
	// +optional
	Hash string `json:"hash,omitempty"`

	// Attributes are the keys that were set: only these are reset when nobody asks for them any more.
	// +optional
	// +listType=atomic
	Attributes []string `json:"attributes,omitempty"`

	// Addons that were set: only these are reset when nobody asks for them any more.
	// +optional
	// +listType=atomic
	Addons []string `json:"addons,omitempty"`

	// Tags are the keys of user tags that were set: only these are removed when nobody asks for them any more.
	// +optional
	// +listType=atomic
	Tags []string `json:"tags,omitempty"`

	// SecretDigest is a keyed digest of the client's secret that AWS was given, by which a new one is noticed; ? while that is in doubt.
	// +optional
	SecretDigest string `json:"secretDigest,omitempty"`
}

// AppliedLoadBalancer is what is known of the load balancer without asking AWS.
type AppliedLoadBalancer struct {
	// Name in AWS.
	Name string `json:"name"`

	// DNSName is its address.
	DNSName string `json:"dnsName"`

	// Scheme is internal or internet-facing.
	Scheme string `json:"scheme"`

	// Type is application or network.
	Type string `json:"type"`

	// State is provisioning, active, active_impaired or failed.
	State string `json:"state"`
}

// ReplacedLoadBalancer is a load balancer whose successor serves, or is being made.
type ReplacedLoadBalancer struct {
	// ARN of the load balancer.
	ARN string `json:"arn"`

	// Name in AWS.
	Name string `json:"name"`

	// DNSName is its address.
	DNSName string `json:"dnsName"`

	// Scheme is internal or internet-facing.
	Scheme string `json:"scheme"`

	// TargetGroups that it sends requests to: they are served as long as it is.
	// +optional
	// +listType=set
	TargetGroups []string `json:"targetGroups,omitempty"`

	// Whole is since when nothing is missing of its successor. Absent: something is.
	// +optional
	Whole *metav1.Time `json:"whole,omitempty"`

	// Since when its successor serves. Absent: it does not yet.
	// +optional
	Since *metav1.Time `json:"since,omitempty"`

	// Goal is what the stack was then, by its hash.
	// +optional
	Goal string `json:"goal,omitempty"`

	// Withdrawn is when its address was no longer published: clients that learned it before may use it for a while. Absent: it is published.
	// +optional
	Withdrawn *metav1.Time `json:"withdrawn,omitempty"`
}

// WaitingStep is a step of a plan that waits for a state of AWS.
type WaitingStep struct {
	// Key of the resource that it is about: Kind/ID.
	Key string `json:"key"`

	// Since when it waits.
	Since metav1.Time `json:"since"`

	// Until when it waits. Absent: until something else than time ends it.
	// +optional
	Until *metav1.Time `json:"until,omitempty"`
}

// RefusedMember is a member that asked for something that AWS refused.
type RefusedMember struct {
	// Member: Kind/namespace/name.
	Member string `json:"member"`

	// Fragment is the hash of what it wrote then: something else is tried at once.
	Fragment string `json:"fragment"`

	// Problems are what AWS refused.
	// +optional
	// +listType=atomic
	Problems []RefusedSetting `json:"problems,omitempty"`

	// Tries is how often it was tried.
	Tries int32 `json:"tries"`

	// Retry is when it is tried again, should it still be there.
	Retry metav1.Time `json:"retry"`
}

// RefusedSetting is one thing that AWS refused.
type RefusedSetting struct {
	// Field is where it is written.
	// +optional
	Field string `json:"field,omitempty"`

	// Message says what AWS said.
	Message string `json:"message"`
}

// StackStateSpec is what the operator remembers of a stack.
type StackStateSpec struct {
	// Owner of the stack: cluster prefix:stack.
	// +optional
	Owner string `json:"owner,omitempty"`

	// Build is the version of the rules by which the hashes were made. Others are worth nothing.
	// +optional
	Build string `json:"build,omitempty"`

	// Resources as they were applied last.
	// +optional
	// +listType=map
	// +listMapKey=key
	Resources []AppliedResource `json:"resources,omitempty"`

	// GivenTo is the stack that may take the load balancer of this one, as Owner names a stack. Nothing of this one is changed meanwhile.
	// +optional
	GivenTo string `json:"givenTo,omitempty"`

	// TakenFrom is the stack whose load balancer this one took, and Taking says that not all of it is this one's yet.
	// +optional
	TakenFrom string `json:"takenFrom,omitempty"`

	// +optional
	Taking bool `json:"taking,omitempty"`

	// LoadBalancer as AWS described it last. Absent: there is none.
	// +optional
	LoadBalancer *AppliedLoadBalancer `json:"loadBalancer,omitempty"`

	// Frontend is the network load balancer in front of it, likewise.
	// +optional
	Frontend *AppliedLoadBalancer `json:"frontend,omitempty"`

	// Replaced are load balancers that answer on for a while although they are replaced.
	// +optional
	// +listType=map
	// +listMapKey=arn
	Replaced []ReplacedLoadBalancer `json:"replaced,omitempty"`

	// Fragments are the last good shares of the members, compressed, by member: Kind/namespace/name.
	// +optional
	Fragments map[string][]byte `json:"fragments,omitempty"`

	// Begun is what the plan leads to that is being carried out, by its hash: the steps that follow are not asked for again. Absent: none is.
	// +optional
	Begun string `json:"begun,omitempty"`

	// Paused says that the plan waits for approval because too much was to be deleted at once.
	// +optional
	Paused bool `json:"paused,omitempty"`

	// Changes and Retain are what was said last of how changes are made, in the words of the annotations headgate.dev/changes and
	// headgate.dev/deletion-policy: it counts when the class that may have said it is gone before its Gateway or Ingress.
	// +optional
	Changes string `json:"changes,omitempty"`

	// +optional
	Retain bool `json:"retain,omitempty"`

	// Before are the shares, in the same form, that members had when all was applied last, of those that changed since: what serves
	// where AWS refuses the change. It is empty for a member that had none.
	// +optional
	Before map[string][]byte `json:"before,omitempty"`

	// Refused are the members that asked for something that AWS refused.
	// +optional
	// +listType=map
	// +listMapKey=member
	Refused []RefusedMember `json:"refused,omitempty"`

	// Departed are the members whose rules go since another stack serves them: Kind/namespace/name.
	// +optional
	// +listType=set
	Departed []string `json:"departed,omitempty"`

	// Waiting steps.
	// +optional
	// +listType=map
	// +listMapKey=key
	Waiting []WaitingStep `json:"waiting,omitempty"`
}

// StackState is what the operator remembers of a stack over a restart. Nobody else needs to read it, and whoever can write it
// can write rules for other teams: grant it to nobody. If it is lost, everything is found again by tags.
//
// +kubebuilder:object:root=true
// +kubebuilder:resource:path=stackstates,singular=stackstate,scope=Cluster
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
type StackState struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty"`

	Spec StackStateSpec `json:"spec,omitempty"`
}

// StackStateList is a list of StackStates.
//
// +kubebuilder:object:root=true
type StackStateList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []StackState `json:"items"`
}
