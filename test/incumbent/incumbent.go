// Package incumbent leaves in an account and in a cluster what the AWS Load Balancer Controller would leave there, by direct calls, and
// looks at both with its eyes: which calls would it make on what it finds? What it does is written from its documentation and its public
// behaviour, version 3.5.
//
// It may import the AWS SDK, the kinds and Kubernetes, and nothing else of this repository: what is compared with the operator must not
// come from it. Its invariant: what [Account.Make] has just made, [Account.Look] finds nothing to change in.
package incumbent

import (
	"fmt"
	"maps"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ec2"
	elbv2 "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2"
	elbtypes "github.com/aws/aws-sdk-go-v2/service/elasticloadbalancingv2/types"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/controller-runtime/pkg/client"
)

// Prefixes of tags and labels.
const (
	PrefixIngress = "ingress.k8s.aws"
	PrefixGateway = "gateway.k8s.aws.alb"
)

// Account is an AWS account and a cluster that the incumbent works on.
type Account struct {
	// Cluster is its name, VPC that of the account.
	Cluster, VPC string
	// Nodes is the security group of nodes and pods.
	Nodes string

	elb     *elbv2.Client
	ec2     *ec2.Client
	cluster client.Client
}

// New connects to an account and a cluster.
func New(config aws.Config, cluster client.Client, a Account) *Account {
	a.elb, a.ec2, a.cluster = elbv2.NewFromConfig(config), ec2.NewFromConfig(config), cluster
	return &a
}

// Stack is one load balancer with all that belongs to it, as the incumbent's model has it.
type Stack struct {
	// Prefix of its tags; Group is the name of an explicit group, Namespace and Name are the object's without one.
	Prefix, Group, Namespace, Name string

	Balancer Balancer
	// Groups are made and bound in this order.
	Groups    []TargetGroup
	Listeners []Listener
	// Frontend lists the ports of a network load balancer in front; there is none without.
	Frontend []int32
	// Tags that users gave it: those of the load balancers, security groups and listeners. Rules and target groups have their own.
	Tags map[string]string
	// Custom are the security groups that a user chose in place of the managed one and the shared one.
	Custom []string
}

// id is what the stack's tag says.
func (s *Stack) id() string {
	if s.Group != "" {
		return s.Group
	}
	return s.Namespace + "/" + s.Name
}

// Balancer is the load balancer.
type Balancer struct {
	// Name that a user gave it.
	Name    string
	Scheme  elbtypes.LoadBalancerSchemeEnum
	Subnets []string
	// Attributes that are annotated, and no others.
	Attributes map[string]string
	// Inbound are the ranges that may reach it.
	Inbound []string
}

// TargetGroup is a target group with its binding.
type TargetGroup struct {
	// ID is the resource ID; Key is what the group's name hashes over besides.
	ID, Key string
	// Service with its UID, in Namespace. Port is how the backend names its port, Bound how the binding does.
	Namespace, Service, UID string
	Port                    intstr.IntOrString
	// TargetPort is the Service's, a node port for instances. It may be a name.
	TargetPort intstr.IntOrString
	TargetType elbtypes.TargetTypeEnum
	Protocol   elbtypes.ProtocolEnum
	Version    string
	Health     Health
	Attributes map[string]string
	Tags       map[string]string
	Targets    []elbtypes.TargetDescription
	// Multi says that several clusters share it.
	Multi bool

	arn, name string
}

// Health is a health check.
type Health struct {
	Port, Path, Matcher                   string
	Protocol                              elbtypes.ProtocolEnum
	Interval, Timeout, Healthy, Unhealthy int32
}

// Listener is a listener with its rules, in order.
type Listener struct {
	Port     int32
	Protocol elbtypes.ProtocolEnum
	// Certificates: the first is the default.
	Certificates []string
	Policy       string
	Default      []elbtypes.Action
	Rules        []Rule

	arn string
}

// Rule is a rule of a listener.
type Rule struct {
	Conditions []elbtypes.RuleCondition
	Actions    []elbtypes.Action
	Tags       map[string]string
}

// tags are the ownership tags of a resource, with those of its user.
func (a *Account) tags(s *Stack, resource string, given map[string]string) map[string]string {
	out := map[string]string{}
	maps.Copy(out, given)
	out["elbv2.k8s.aws/cluster"], out[s.Prefix+"/stack"], out[s.Prefix+"/resource"] = a.Cluster, s.id(), resource
	return out
}

func elbTags(tags map[string]string) []elbtypes.Tag {
	out := make([]elbtypes.Tag, 0, len(tags))
	for k, v := range tags {
		out = append(out, elbtypes.Tag{Key: aws.String(k), Value: aws.String(v)})
	}
	return out
}

// failed wraps an error of a call with what was being done.
func failed(err error, format string, args ...any) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", fmt.Sprintf(format, args...), err)
}
