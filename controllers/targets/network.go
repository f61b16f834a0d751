package targets

import (
	"context"
	"sync"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/controller-runtime/pkg/event"

	elbv2v1beta1 "github.com/headgate/headgate/apis/elbv2/v1beta1"
	"github.com/headgate/headgate/controllers/outcome"
	"github.com/headgate/headgate/controllers/stack"
	"github.com/headgate/headgate/model"
)

// Network tells the cluster's shared resources which addresses must admit traffic, and has them brought in line after a moment
// of quiet.
type Network struct {
	cluster *stack.Cluster
	pace    Pace
	kick    chan struct{}
	// heard tells whether every binding was reconciled once.
	heard func(context.Context) (bool, error)
	// news has the bindings whose trouble changed.
	news chan event.GenericEvent
	// complete says that every binding was heard, failures counts those in a row.
	complete bool
	failures int

	mu      sync.Mutex
	have    map[types.NamespacedName]bool
	trouble map[types.NamespacedName]problem
}

// Pace is how fast a [Network] works.
type Pace struct {
	// Quiet is how long it waits for more changes.
	Quiet time.Duration
	// Verify is how long the rules go without a comparison with AWS; zero is for ever.
	Verify time.Duration
}

// NewNetwork returns the network over the cluster's shared resources.
func NewNetwork(cluster *stack.Cluster, pace Pace) *Network {
	return &Network{
		cluster: cluster, pace: pace, kick: make(chan struct{}, 1), news: make(chan event.GenericEvent),
		have: map[types.NamespacedName]bool{}, trouble: map[types.NamespacedName]problem{},
	}
}

// set says what a binding needs: that its targets admit traffic on these addresses.
func (n *Network) set(b *elbv2v1beta1.TargetGroupBinding, addresses []string, targets []model.Target) {
	key := types.NamespacedName{Namespace: b.Namespace, Name: b.Name}
	n.mu.Lock()
	n.have[key] = true
	n.mu.Unlock()
	if n.cluster.Set(key.String(), stack.Network{Addresses: addresses, Permissions: permissions(b, targets)}) {
		n.wake()
	}
}

// expect takes a binding that can have no targets as it is written for heard: it needs what it needed before, or nothing if it never
// was done.
func (n *Network) expect(b *elbv2v1beta1.TargetGroupBinding) {
	if b.Status.ObservedGeneration == nil && !n.has(types.NamespacedName{Namespace: b.Namespace, Name: b.Name}) {
		n.set(b, nil, nil)
	}
}

func (n *Network) drop(key types.NamespacedName) {
	n.mu.Lock()
	delete(n.have, key)
	delete(n.trouble, key)
	n.mu.Unlock()
	n.cluster.Drop(key.String())
	n.wake()
}

func (n *Network) has(key types.NamespacedName) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.have[key]
}

func (n *Network) wake() {
	select {
	case n.kick <- struct{}{}:
	default:
	}
}

// retry is how soon a change of the rules on pods' security groups that failed is tried again; failures in a row double it.
const retry = 5 * time.Second

// Start brings the rules on pods' security groups in line whenever bindings changed, and compares them with AWS from time to time,
// until ctx ends. It runs on the leader.
func (n *Network) Start(ctx context.Context) error {
	var verify <-chan time.Time
	if n.pace.Verify > 0 {
		ticker := time.NewTicker(n.pace.Verify)
		defer ticker.Stop()
		verify = ticker.C
	}
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-verify:
			n.cluster.Doubt()
		case <-n.kick:
		}
		if !pause(ctx, n.pace.Quiet) {
			return nil
		}
		if again := n.step(ctx); again > 0 {
			time.AfterFunc(again, n.wake)
		}
	}
}

// step brings the rules in line once, and tells who is concerned where that fails. It returns when to try again, zero when it went well.
func (n *Network) step(ctx context.Context) time.Duration {
	log := logr.FromContextOrDiscard(ctx).WithName("network")
	if !n.complete {
		if n.complete = n.all(ctx, log); n.complete {
			n.cluster.Complete()
		}
	}
	err := n.cluster.Sync(ctx)
	if err == nil {
		n.failures = 0
		n.report(ctx, nil)
		return n.cluster.Rest()
	}
	n.failures++
	again := outcome.Backoff(retry, n.failures)
	log.Info("security groups of pods are not as they shall be", "error", err.Error(), "again", again.String())
	// What the first failure was about may pass by itself, and one of many changes hides which it was.
	if n.failures > 1 {
		n.report(ctx, err)
	}
	return again
}

// all tells whether every binding was reconciled once.
func (n *Network) all(ctx context.Context, log logr.Logger) bool {
	if n.heard == nil {
		return false
	}
	ok, err := n.heard(ctx)
	if err != nil {
		log.Error(err, "asking whether every binding was heard")
	}
	return ok && err == nil
}

func pause(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// permissions are what the binding's networking asks the targets' security groups to admit. A port that is left out means all
// ports of the protocol.
func permissions(b *elbv2v1beta1.TargetGroupBinding, targets []model.Target) []model.Permission {
	if b.Spec.Networking == nil {
		return nil
	}
	var out []model.Permission
	for _, rule := range b.Spec.Networking.Ingress {
		for _, peer := range rule.From {
			for _, p := range portsOf(rule, targets) {
				p.Description = model.PermissionMark
				switch {
				case peer.SecurityGroup != nil:
					p.Source = model.GroupRef{ID: peer.SecurityGroup.GroupID}
				case peer.IPBlock != nil:
					p.CIDR = peer.IPBlock.CIDR
				default:
					continue
				}
				out = append(out, p)
			}
		}
	}
	return out
}

func portsOf(rule elbv2v1beta1.NetworkingIngressRule, targets []model.Target) []model.Permission {
	if len(rule.Ports) == 0 {
		return []model.Permission{{Protocol: "tcp", FromPort: 0, ToPort: 65535}}
	}
	var out []model.Permission
	for _, p := range rule.Ports {
		one := model.Permission{Protocol: "tcp", FromPort: 0, ToPort: 65535}
		if p.Protocol != nil && *p.Protocol == "UDP" {
			one.Protocol = "udp"
		}
		switch {
		case p.Port == nil:
		case p.Port.StrVal != "":
			// A named port is whatever the endpoints resolve it to.
			for _, t := range targets {
				named := one
				named.FromPort, named.ToPort = t.Port, t.Port
				out = append(out, named)
			}
			continue
		default:
			one.FromPort, one.ToPort = p.Port.IntValue(), p.Port.IntValue()
		}
		out = append(out, one)
	}
	return out
}

// Hear sets how the network learns that every binding was reconciled once.
func (n *Network) Hear(heard func(context.Context) (bool, error)) { n.heard = heard }
