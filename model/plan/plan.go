// Package plan compares two stacks and orders the difference into calls. It is pure: it imports the standard library and
// package model. Its invariant: a change is exactly one AWS call; equal stacks give an empty plan; and a plan that is cut after
// any change and made again from what is then observed ends in the same state.
package plan

import "github.com/headgate/headgate/model"

// Op is the AWS call that a change is.
type Op string

// The operations, by the name of their API action.
const (
	CreateSecurityGroup          Op = "CreateSecurityGroup"
	AuthorizeIngress             Op = "AuthorizeSecurityGroupIngress"
	RevokeIngress                Op = "RevokeSecurityGroupIngress"
	DeleteSecurityGroup          Op = "DeleteSecurityGroup"
	CreateLoadBalancer           Op = "CreateLoadBalancer"
	ModifyLoadBalancerAttributes Op = "ModifyLoadBalancerAttributes"
	SetSubnets                   Op = "SetSubnets"
	SetSecurityGroups            Op = "SetSecurityGroups"
	SetIPAddressType             Op = "SetIpAddressType"
	DeleteLoadBalancer           Op = "DeleteLoadBalancer"
	// AssociateWebACL and DisassociateWebACL of AWS WAF or of WAF Classic, by the change's add-on.
	AssociateWebACL             Op = "AssociateWebACL"
	DisassociateWebACL          Op = "DisassociateWebACL"
	CreateProtection            Op = "CreateProtection"
	DeleteProtection            Op = "DeleteProtection"
	ModifyCapacityReservation   Op = "ModifyCapacityReservation"
	ModifyIPPools               Op = "ModifyIpPools"
	CreateTargetGroup           Op = "CreateTargetGroup"
	ModifyTargetGroup           Op = "ModifyTargetGroup"
	ModifyTargetGroupAttributes Op = "ModifyTargetGroupAttributes"
	DeleteTargetGroup           Op = "DeleteTargetGroup"
	RegisterTargets             Op = "RegisterTargets"
	CreateListener              Op = "CreateListener"
	ModifyListener              Op = "ModifyListener"
	ModifyListenerAttributes    Op = "ModifyListenerAttributes"
	AddListenerCertificates     Op = "AddListenerCertificates"
	RemoveListenerCertificates  Op = "RemoveListenerCertificates"
	DeleteListener              Op = "DeleteListener"
	CreateRule                  Op = "CreateRule"
	ModifyRule                  Op = "ModifyRule"
	SetRulePriorities           Op = "SetRulePriorities"
	DeleteRule                  Op = "DeleteRule"
	// AddTags and RemoveTags of ELBv2 resources; CreateTags and DeleteTags of EC2 resources, by the kind of the key.
	AddTags    Op = "AddTags"
	RemoveTags Op = "RemoveTags"
)

// Action is what happens to a resource; its value is its sign in print.
type Action rune

// The actions.
const (
	Create  Action = '+'
	Update  Action = '~'
	Replace Action = '±'
	Delete  Action = '-'
)

// Change is one AWS call.
type Change struct {
	// ID is its number within the plan, from 1.
	ID     int       `json:"id"`
	Op     Op        `json:"op"`
	Action Action    `json:"action"`
	Key    model.Key `json:"key"`
	// ARN of the resource, where it exists already; of a new one's parent see the references by key.
	ARN model.ARN `json:"arn,omitempty"`
	// After are the IDs of the changes that must have taken effect before this one.
	After []int `json:"after,omitempty"`
	// Needs is a state that the change waits for: when it is not met, apply leaves the change as Waiting.
	Needs []Need `json:"needs,omitempty"`
	// Fields differ, for print.
	Fields []Field `json:"fields,omitempty"`
	// Why is the reason in a few words.
	Why string `json:"why,omitempty"`
	// Port of the listener that a rule or listener change is about.
	Port int `json:"port,omitempty"`

	// The payload: what Op needs is set.
	LoadBalancer  *model.LoadBalancer  `json:"loadBalancer,omitempty"`
	TargetGroup   *model.TargetGroup   `json:"targetGroup,omitempty"`
	Listener      *model.Listener      `json:"listener,omitempty"`
	Rule          *model.Rule          `json:"rule,omitempty"`
	SecurityGroup *model.SecurityGroup `json:"securityGroup,omitempty"`
	Permissions   []model.Permission   `json:"permissions,omitempty"`
	Attributes    map[string]string    `json:"attributes,omitempty"`
	Tags          map[string]string    `json:"tags,omitempty"`
	TagKeys       []string             `json:"tagKeys,omitempty"`
	Certificates  []model.ARN          `json:"certificates,omitempty"`
	// Targets to register. Those without an ID are the stack's load balancer.
	Targets []model.Target `json:"targets,omitempty"`
	// Addon that is set to Value, or taken away where that is empty.
	Addon model.Addon `json:"addon,omitempty"`
	Value string      `json:"value,omitempty"`
	// Certificate that is made, renewed, proven or deleted.
	Certificate *model.OwnCertificate `json:"certificate,omitempty"`
	// Users are the other stacks that have the certificate which is renewed, and ask for the same.
	Users []model.Owner `json:"users,omitempty"`
	// TrustStore that is made, changed or deleted; its Bundle is the object that is written or deleted.
	TrustStore *model.TrustStore `json:"trustStore,omitempty"`
	// Priority of a new rule.
	Priority   int            `json:"priority,omitempty"`
	Priorities []RulePriority `json:"priorities,omitempty"`
}

// RulePriority gives a rule its new number. The rule is ARN, or one that this plan creates, by Key.
type RulePriority struct {
	ARN      model.ARN `json:"arn,omitempty"`
	Key      model.Key `json:"key,omitzero"`
	Priority int       `json:"priority"`
}

// Need is a state of a resource that a change waits for.
type Need struct {
	Key model.Key `json:"key"`
	ARN model.ARN `json:"arn,omitempty"`
	// State is "active" of a load balancer, or [StateRetired]; "ACTIVE" of a trust store; of a certificate "ISSUED", [StateAgreed] or [StateImported];
	// of a target group [StateHealthy] or [StateReleased]; of a security group [StateAdmitted].
	State string `json:"state"`
	// Instead are the target groups that answer the requests now which a group shall, of [StateHealthy].
	Instead []model.ARN `json:"instead,omitempty"`
}

// What is waited for of a target group, of what is before the targets, and of a load balancer that is replaced. Who makes the plan says when
// that is reached: see [Options].
const (
	// StateHealthy: as many targets are healthy as shall be there, or as are healthy in the groups instead of which it is used.
	StateHealthy = "healthy"
	// StateAdmitted, of the shared backend security group: the targets admit it, so that a load balancer may come with nothing else.
	StateAdmitted = "admitted"
	// StateReleased: that no rule uses it any more has reached every node of the load balancer. The key's ID is the group's name.
	StateReleased = "released"
	// StateRetired, of a load balancer that is replaced: its address has been published besides that of its successor, which serves, for as
	// long as it shall be. The key's ID is its name.
	StateRetired = "retired"
)

// Field is one field that differs.
type Field struct {
	Name string `json:"name"`
	Old  string `json:"old,omitempty"`
	New  string `json:"new,omitempty"`
}

// Plan is the ordered difference of a stack.
type Plan struct {
	Owner   model.Owner `json:"owner"`
	Changes []Change    `json:"changes,omitempty"`
	// Known are the ARNs of what exists, by which references of the changes resolve.
	Known map[model.Key]model.ARN `json:"-"`
	// Notes are what a reader must know: host names that are exposed for a moment, an address that changes.
	Notes []string `json:"notes,omitempty"`
	// Again says that the plan is not all: the rest can only be planned when it has been applied and AWS has been read again.
	Again bool `json:"again,omitempty"`
}

// Empty tells whether there is nothing to do.
func (p Plan) Empty() bool { return len(p.Changes) == 0 }
