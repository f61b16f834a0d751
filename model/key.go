package model

import (
	"fmt"
	"strings"
)

// ARN is an Amazon resource name; for EC2 security groups it holds the group ID (sg-…).
type ARN string

// Kind is the kind of an AWS resource within a stack.
type Kind string

// The kinds of resources that a stack is made of.
const (
	KindLoadBalancer  Kind = "LoadBalancer"
	KindTargetGroup   Kind = "TargetGroup"
	KindListener      Kind = "Listener"
	KindRule          Kind = "Rule"
	KindSecurityGroup Kind = "SecurityGroup"
)

// Key names one resource within its stack. ID is the resource ID that the ownership tag carries: "LoadBalancer",
// "ManagedLBSecurityGroup", "<ns>/<ingress>-<service>:<port>", a listener's port, or "<port>:<content hash>" of a rule.
type Key struct {
	Kind Kind   `json:"kind"`
	ID   string `json:"id"`
}

// String is the form "Kind/ID" that plans print and StackState stores.
func (k Key) String() string { return string(k.Kind) + "/" + k.ID }

// ParseKey reads what [Key.String] wrote.
func ParseKey(s string) (Key, error) {
	kind, id, ok := strings.Cut(s, "/")
	if !ok || kind == "" || id == "" {
		return Key{}, fmt.Errorf("key %q is not of the form Kind/ID", s)
	}
	return Key{Kind: Kind(kind), ID: id}, nil
}

// Prefixes of ownership tags, one a front door.
const (
	PrefixIngress    = "ingress.k8s.aws"
	PrefixService    = "service.k8s.aws"
	PrefixGatewayALB = "gateway.k8s.aws.alb"
	PrefixGatewayNLB = "gateway.k8s.aws.nlb"
)

// IsOwnershipTag tells whether a key is of those that say who owns a resource, for whatever front door and for the incumbent: no user may
// set one, or a resource would be taken for another owner's.
func IsOwnershipTag(key string) bool {
	for _, prefix := range []string{"elbv2.k8s.aws/", "ingress.k8s.aws/", "service.k8s.aws/", "gateway.k8s.aws.", "aga.k8s.aws/"} {
		if strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

// Tag keys that carry ownership.
const (
	TagCluster = "elbv2.k8s.aws/cluster"
	// TagResource marks the shared backend security group; stacks use "<prefix>/resource".
	TagResource = "elbv2.k8s.aws/resource"
	// ResourceBackendSecurityGroup is the value of TagResource on the shared backend security group.
	ResourceBackendSecurityGroup = "backend-sg"
)

// Owner is who a stack belongs to: an IngressGroup, a Gateway or a Service of one cluster. The zero Prefix and Stack is the
// cluster itself, the owner of the shared backend security group and of the rules on pod interfaces.
type Owner struct {
	Cluster string `json:"cluster"`
	Prefix  string `json:"prefix,omitempty"`
	// Stack is the group name, or "namespace/name".
	Stack string `json:"stack,omitempty"`
}

// String is the owner as logs and plans name it.
func (o Owner) String() string { return o.Prefix + ":" + o.Stack }

// StackTag is the key of the tag that holds the stack.
func (o Owner) StackTag() string { return o.Prefix + "/stack" }

// ResourceTag is the key of the tag that holds the resource ID.
func (o Owner) ResourceTag() string { return o.Prefix + "/resource" }

// Tags are the ownership tags of the resource id.
func (o Owner) Tags(id string) map[string]string {
	return map[string]string{TagCluster: o.Cluster, o.StackTag(): o.Stack, o.ResourceTag(): id}
}

// Owns tells whether tags are the ownership tags of a resource of o, and which resource ID they name.
func (o Owner) Owns(tags map[string]string) (string, bool) {
	if tags[TagCluster] != o.Cluster || tags[o.StackTag()] != o.Stack {
		return "", false
	}
	id := tags[o.ResourceTag()]
	return id, id != ""
}

// ObjectRef names a Kubernetes object.
type ObjectRef struct {
	Group     string `json:"group,omitempty"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
	UID       string `json:"uid,omitempty"`
}

// String is "Kind namespace/name", or "Kind name" for an object of the cluster.
func (r ObjectRef) String() string {
	if r.Namespace == "" {
		return r.Kind + " " + r.Name
	}
	return r.Kind + " " + r.Namespace + "/" + r.Name
}

// Same tells whether both name the same object, whatever UID they carry.
func (r ObjectRef) Same(o ObjectRef) bool {
	r.UID, o.UID = "", ""
	return r == o
}
