package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// ClusterOptions are the settings of a [Cluster].
type ClusterOptions struct {
	// Name of the cluster.
	Name string
	// Tags go to the shared backend security group.
	Tags map[string]string
	// Backend is the ID of a group of the user's that stands in place of the shared one, and is neither made nor deleted. Empty for our own.
	Backend string
	// OpenAllPorts admits every TCP port instead of the range that is in use.
	OpenAllPorts bool
	// Stacks counts the stacks that exist. The backend group is deleted when there is none.
	Stacks func(context.Context) (int, error)
	// Forget drops what the cloud remembers of an owner, so that the next observation reads afresh. It may be nil.
	Forget func(model.Owner)
	// Linger is how long rules stay that no binding asks for any more: targets that leave serve what they have begun, and stay healthy
	// until AWS has taken them out. It shall be as long as targets take to drain.
	Linger time.Duration
	// Now is the clock. Default: the system's.
	Now func() time.Time
}

// Cluster owns what all stacks of a cluster share: the backend security group, and the rules on the security groups of pods that
// admit it. It only authorises until every binding has been heard once, because a rule that seems stale may belong to one that
// was not read yet.
type Cluster struct {
	cloud Cloud
	opts  ClusterOptions

	// work is held over calls to AWS: one change at a time. applied is the demand that was met last; lost is since when AWS knows no
	// group for some address of a binding.
	work    sync.Mutex
	applied string
	lost    map[string]time.Time
	// surplus is since when nobody asks for a rule that is there, by its group and identity.
	surplus map[string]time.Time
	// mu guards what follows and is never held over a call: the targets lane tells the cluster before it registers.
	mu       sync.Mutex
	bindings map[string]Network
	complete bool
	// met is what bindings needed when that was last authorised.
	met map[string]Network
}

// Network is what one binding needs: which addresses must admit what.
type Network struct {
	Addresses   []string
	Permissions []model.Permission
}

// NewCluster returns the owner of the cluster's shared resources.
func NewCluster(cloud Cloud, opts ClusterOptions) *Cluster {
	if opts.Forget == nil {
		opts.Forget = func(model.Owner) {}
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	return &Cluster{cloud: cloud, opts: opts, bindings: map[string]Network{}}
}

func (c *Cluster) owner() model.Owner { return model.Owner{Cluster: c.opts.Name} }

// EnsureBackend returns the ID of the shared backend security group and makes it if there is none.
func (c *Cluster) EnsureBackend(ctx context.Context, vpc string) (string, error) {
	if c.opts.Backend != "" {
		return c.opts.Backend, nil
	}
	c.work.Lock()
	defer c.work.Unlock()
	observed, err := c.observe(ctx)
	if err != nil {
		return "", err
	}
	if id := c.backendOf(observed); id != "" {
		return id, nil
	}
	desired := model.Stack{Owner: c.owner(), SecurityGroups: []model.SecurityGroup{c.backendGroup(vpc)}}
	outputs, err := c.cloud.Apply(ctx, plan.Diff(desired, observed, plan.Options{AuthoriseOnly: true}))
	if err != nil {
		return "", fmt.Errorf("making the shared backend security group: %w", err)
	}
	id := outputs.ARNs[model.Key{Kind: model.KindSecurityGroup, ID: model.ResourceBackendSecurityGroup}]
	if id == "" {
		return "", errors.New("making the shared backend security group: AWS returned no ID")
	}
	return string(id), nil
}

func (c *Cluster) observe(ctx context.Context) (model.Stack, error) {
	observed, err := c.cloud.Observe(ctx, c.owner(), nil)
	if err != nil {
		return model.Stack{}, fmt.Errorf("observing the shared security groups: %w", err)
	}
	return observed, nil
}

// backendOf is the ID of the shared backend security group, empty when there is none.
func (c *Cluster) backendOf(observed model.Stack) string {
	if c.opts.Backend != "" {
		return c.opts.Backend
	}
	for _, g := range observed.SecurityGroups {
		if !g.Foreign && g.ID == model.ResourceBackendSecurityGroup {
			return string(g.ARN)
		}
	}
	return ""
}

func (c *Cluster) backendGroup(vpc string) model.SecurityGroup {
	sum := sha256.Sum256([]byte(c.opts.Name))
	tags := map[string]string{}
	maps.Copy(tags, c.opts.Tags)
	tags[model.TagCluster], tags[model.TagResource] = c.opts.Name, model.ResourceBackendSecurityGroup
	return model.SecurityGroup{
		ID:          model.ResourceBackendSecurityGroup,
		Name:        "k8s-traffic-" + sanitize(c.opts.Name) + "-" + hex.EncodeToString(sum[:])[:10],
		Description: "[k8s] Shared Backend SecurityGroup for LoadBalancer",
		VPC:         vpc,
		Tags:        tags,
	}
}

// sanitize keeps letters and digits.
func sanitize(s string) string {
	out := make([]rune, 0, len(s))
	for _, r := range s {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' {
			out = append(out, r)
		}
	}
	return string(out)
}

// Set says what a binding needs now, and returns whether that is news; [Cluster.Sync] brings AWS in line. It never waits for AWS.
func (c *Cluster) Set(binding string, n Network) bool {
	n.Addresses = slices.Sorted(slices.Values(n.Addresses))
	c.mu.Lock()
	defer c.mu.Unlock()
	before, known := c.bindings[binding]
	c.bindings[binding] = n
	return !known || !slices.Equal(before.Addresses, n.Addresses) || !slices.Equal(before.Permissions, n.Permissions)
}

// Drop forgets a binding that is gone.
func (c *Cluster) Drop(binding string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.bindings, binding)
}

// Complete says that every binding has been heard: from now on rules that nobody needs are revoked.
func (c *Cluster) Complete() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.complete = true
}

// Release deletes the backend group, and the rules that admit it, when no stack is left. What it returns is still waited for.
func (c *Cluster) Release(ctx context.Context) ([]model.Waiting, error) {
	c.work.Lock()
	defer c.work.Unlock()
	count, err := c.opts.Stacks(ctx)
	if err != nil || count > 0 {
		return nil, err
	}
	observed, err := c.observe(ctx)
	if err != nil {
		return nil, err
	}
	if retained(observed) {
		return nil, nil
	}
	desired := model.Stack{Owner: c.owner()}
	for _, g := range observed.SecurityGroups {
		if g.Foreign {
			// Bindings that users wrote may ask for other rules of ours: those stay.
			g.Ingress = slices.DeleteFunc(slices.Clone(g.Ingress), func(p model.Permission) bool {
				return p.Source.Key == model.ResourceBackendSecurityGroup
			})
			desired.SecurityGroups = append(desired.SecurityGroups, g)
		}
	}
	outputs, err := c.cloud.Apply(ctx, plan.Diff(desired, observed, plan.Options{}))
	c.applied = ""
	if err != nil {
		return nil, fmt.Errorf("deleting the shared backend security group: %w", err)
	}
	return outputs.Waiting, nil
}
