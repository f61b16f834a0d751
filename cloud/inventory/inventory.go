// Package inventory is what a cluster owns in AWS, read once and kept, shared by every reconcile.
//
// It may import model, the cloud packages of single services, and no SDK types. Its invariant: what it says is never older than
// our own last write. What somebody else changed is seen after [Inventory.Forget], or when a collection is older than its time.
//
// Collections (load balancers, target groups, security groups) are read whole, with their tags in batches. What hangs on a load
// balancer (listeners, rules, certificates, attributes) is read when it is asked for, and kept for each piece.
package inventory

import (
	"strings"
	"sync"
	"time"

	"github.com/headgate/headgate/cloud/acm"
	"github.com/headgate/headgate/cloud/ec2"
	"github.com/headgate/headgate/cloud/elbv2"
	"github.com/headgate/headgate/cloud/route53"
	"github.com/headgate/headgate/cloud/s3"
	"github.com/headgate/headgate/model"
)

// lifetime is how long a collection is kept.
const lifetime = time.Hour

// Inventory is safe for concurrent use.
type Inventory struct {
	// backend is the group of the user's that pods admit; empty for our own.
	backend string
	elb     *elbv2.Client
	ec2     *ec2.Client
	acm     *acm.Client
	dns     *route53.Client
	s3      *s3.Client
	// shelf is where certificates of authorities are kept.
	shelf   model.Shelf
	cluster string
	region  string
	vpc     string
	now     func() time.Time
	// chosenBy are the tags of the one group to change among several of an interface, besides the cluster's.
	chosenBy map[string]string

	world     world
	owned     owned
	stores    stores
	discovery Discovery

	balancers kept[map[model.ARN]Balancer]
	groups    kept[map[model.ARN]model.TargetGroup]
	// security are the groups that carry the cluster's ownership tag, or mark the cluster's nodes and pods.
	security kept[map[model.ARN]model.SecurityGroup]
	// admitting are the other groups with rules of ours: those that admit the shared backend group.
	admitting kept[map[model.ARN]model.SecurityGroup]

	listeners    shelf[model.ARN, []model.Listener]
	rules        shelf[model.ARN, []model.Rule]
	certificates shelf[model.ARN, []model.ARN]
	attributes   shelf[model.ARN, map[string]string]
	behind       shelf[model.ARN, []model.Target] // of target groups of type alb
	protection   protection
	young        young

	mu        sync.Mutex
	tags      map[model.ARN]map[string]string // of listeners and rules
	forgotten map[model.Owner]bool
}

// Balancer is a load balancer of the account with its tags, and when it was made.
type Balancer = elbv2.LoadBalancer

// Options say whose inventory it is, and what it reads with.
type Options struct {
	ELBv2 *elbv2.Client
	EC2   *ec2.Client
	ACM   *acm.Client
	S3    *s3.Client
	// Shelf is where certificates of authorities are kept.
	Shelf model.Shelf
	// Protectors of load balancers.
	Protectors Protectors
	// Route53 finds the zones of names that are to be proven.
	Route53 *route53.Client
	// Discovery says which certificates are found by host name.
	Discovery Discovery
	// Region of the clients.
	Region string
	// Cluster is the cluster's name, as ownership tags have it.
	Cluster string
	// VPC is the ID of the cluster's VPC.
	VPC string
	// TargetGroupTags are tags that the security group of a target's interface has, besides the cluster's own, where it has several.
	TargetGroupTags map[string]string
	// BackendGroup is the ID of a group of the user's that stands in place of the shared backend security group; empty for our own.
	BackendGroup string
	// Now is the clock; nil is the system's.
	Now func() time.Time
}

// New makes an empty inventory; it reads nothing yet.
func New(o Options) *Inventory {
	if o.Now == nil {
		o.Now = time.Now
	}
	return &Inventory{
		elb: o.ELBv2, ec2: o.EC2, acm: o.ACM, dns: o.Route53, s3: o.S3, shelf: o.Shelf, region: o.Region, cluster: o.Cluster, vpc: o.VPC, now: o.Now,
		discovery: o.Discovery, protection: protection{Protectors: o.Protectors}, chosenBy: o.TargetGroupTags, backend: o.BackendGroup,
		tags: map[model.ARN]map[string]string{}, forgotten: map[model.Owner]bool{},
	}
}

// Forget has everything of an owner read again when it is asked for next, and everything listed again: what appeared late, made by a
// create that was not answered, is in nobody's record.
func (i *Inventory) Forget(owner model.Owner) {
	i.security.expire()
	if owner.Prefix == "" {
		i.admitting.expire()
		return
	}
	i.balancers.expire()
	i.groups.expire()
	i.forgetCertificates(owner)
	i.forgetTrust()
	i.mu.Lock()
	i.forgotten[owner] = true
	i.mu.Unlock()
}

// ForgetAll has a whole collection listed again: after a create that was not answered, what it made is in nobody's record.
func (i *Inventory) ForgetAll(kind model.Kind) {
	switch kind {
	case model.KindLoadBalancer:
		i.balancers.expire()
	case model.KindTargetGroup:
		i.groups.expire()
	case model.KindCertificate:
		i.world.certificates.expire()
	case model.KindTrustStore:
		i.forgetTrust()
	default:
		i.security.expire()
	}
}

// dropTree forgets everything that hangs on a load balancer.
func (i *Inventory) dropTree(lb model.ARN) {
	below := partOf(lb)
	i.attributes.drop(func(a model.ARN) bool { return a == lb || below(a) })
	i.listeners.drop(func(a model.ARN) bool { return a == lb })
	i.rules.drop(below)
	i.certificates.drop(below)
	i.dropAddons(lb)
	i.mu.Lock()
	defer i.mu.Unlock()
	for arn := range i.tags {
		if below(arn) {
			delete(i.tags, arn)
		}
	}
}

// partOf tells listeners and rules of a load balancer by their ARNs, which repeat the load balancer's path.
func partOf(lb model.ARN) func(model.ARN) bool {
	_, path, _ := strings.Cut(string(lb), ":loadbalancer/")
	return func(arn model.ARN) bool {
		return path != "" && (strings.Contains(string(arn), ":listener/"+path+"/") || strings.Contains(string(arn), ":listener-rule/"+path+"/"))
	}
}

// listenerOf is the ARN of the listener that a rule is on.
func listenerOf(rule model.ARN) model.ARN {
	listener := strings.Replace(string(rule), ":listener-rule/", ":listener/", 1)
	if at := strings.LastIndexByte(listener, '/'); at >= 0 {
		listener = listener[:at]
	}
	return model.ARN(listener)
}

// balancerOf is the ARN of the load balancer that a listener is on.
func balancerOf(listener model.ARN) model.ARN {
	lb := strings.Replace(string(listener), ":listener/", ":loadbalancer/", 1)
	if at := strings.LastIndexByte(lb, '/'); at >= 0 {
		lb = lb[:at]
	}
	return model.ARN(lb)
}
