package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/headgate/headgate/model"
	"github.com/headgate/headgate/model/plan"
)

// ClusterOptions are the settings of a [Cluster].
type ClusterOptions struct {
	// Name of the cluster.
	Name string
	// Tags go to the shared backend security group.
	Tags map[string]string
	// OpenAllPorts admits every TCP port instead of the range that is in use.
	OpenAllPorts bool
	// Stacks counts the stacks that exist. The backend group is deleted when there is none.
	Stacks func(context.Context) (int, error)
}

// Cluster owns what all stacks of a cluster share: the backend security group, and the rules on the security groups of pods that
// admit it. It only authorises until every binding has been heard once, because a rule that seems stale may belong to one that
// was not read yet.
type Cluster struct {
	cloud Cloud
	opts  ClusterOptions

	mu       sync.Mutex
	vpc      string
	backend  string
	bindings map[string]Network
	complete bool
	applied  string
}

// Network is what one binding needs: which addresses must admit what.
type Network struct {
	Addresses   []string
	Permissions []model.Permission
}

// NewCluster returns the owner of the cluster's shared resources.
func NewCluster(cloud Cloud, opts ClusterOptions) *Cluster {
	return &Cluster{cloud: cloud, opts: opts, bindings: map[string]Network{}}
}

func (c *Cluster) owner() model.Owner { return model.Owner{Cluster: c.opts.Name} }

// EnsureBackend returns the ID of the shared backend security group and makes it if there is none.
func (c *Cluster) EnsureBackend(ctx context.Context, vpc string) (string, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.vpc = vpc
	if c.backend != "" {
		return c.backend, nil
	}
	observed, err := c.cloud.Observe(ctx, c.owner(), nil)
	if err != nil {
		return "", fmt.Errorf("observing the shared security groups: %w", err)
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
	c.backend = string(id)
	return c.backend, nil
}

func (c *Cluster) backendGroup(vpc string) model.SecurityGroup {
	sum := sha256.Sum256([]byte(c.opts.Name))
	tags := map[string]string{
		model.TagCluster:  c.opts.Name,
		model.TagResource: model.ResourceBackendSecurityGroup,
	}
	for k, v := range c.opts.Tags {
		tags[k] = v
	}
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

// Set says what a binding needs now; [Cluster.Sync] brings AWS in line.
func (c *Cluster) Set(binding string, n Network) {
	c.mu.Lock()
	defer c.mu.Unlock()
	slices.Sort(n.Addresses)
	c.bindings[binding] = n
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

// Sync authorises what the bindings need on the security groups of their pods, and revokes what none needs any more.
func (c *Cluster) Sync(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.sync(ctx)
}

func (c *Cluster) sync(ctx context.Context) error {
	signature := c.signature()
	if signature == c.applied {
		return nil
	}
	var addresses []string
	for _, n := range c.bindings {
		if len(n.Permissions) > 0 {
			addresses = append(addresses, n.Addresses...)
		}
	}
	slices.Sort(addresses)
	facts, err := c.cloud.Facts(ctx, model.Needs{Owner: c.owner(), PodIPs: slices.Compact(addresses)})
	if err != nil {
		return fmt.Errorf("finding the security groups of pods: %w", err)
	}
	observed, err := c.cloud.Observe(ctx, c.owner(), nil)
	if err != nil {
		return fmt.Errorf("observing the shared security groups: %w", err)
	}
	p := plan.Diff(c.desired(facts, observed), observed, plan.Options{AuthoriseOnly: !c.complete})
	if _, err := c.cloud.Apply(ctx, p); err != nil {
		return fmt.Errorf("changing the rules on the security groups of pods: %w", err)
	}
	c.applied = signature
	return nil
}

// desired keeps the backend group as it is observed and gives each security group of pods what its bindings need.
func (c *Cluster) desired(facts model.Facts, observed model.Stack) model.Stack {
	out := model.Stack{Owner: c.owner()}
	for _, g := range observed.SecurityGroups {
		if !g.Foreign {
			out.SecurityGroups = append(out.SecurityGroups, g)
		}
	}
	wanted := map[string][]model.Permission{}
	for _, n := range c.bindings {
		for _, a := range n.Addresses {
			if id := facts.PodGroups[a]; id != "" {
				wanted[id] = append(wanted[id], n.Permissions...)
			}
		}
	}
	for id, permissions := range wanted {
		out.SecurityGroups = append(out.SecurityGroups, model.SecurityGroup{
			ID: id, Foreign: true, ARN: model.ARN(id), Ingress: c.ranges(permissions),
		})
	}
	return model.Normalize(out)
}

// ranges makes one permission, from the least port to the greatest, of all that have the same source and protocol, as the
// incumbent does.
func (c *Cluster) ranges(permissions []model.Permission) []model.Permission {
	type peer struct {
		protocol, cidr, list string
		source               model.GroupRef
	}
	merged := map[peer]model.Permission{}
	for _, p := range permissions {
		if c.opts.OpenAllPorts {
			p.FromPort, p.ToPort = 0, 65535
		}
		key := peer{p.Protocol, p.CIDR, p.PrefixList, p.Source}
		if have, ok := merged[key]; ok {
			p.FromPort, p.ToPort = min(p.FromPort, have.FromPort), max(p.ToPort, have.ToPort)
		}
		p.Description = model.PermissionMark
		merged[key] = p
	}
	out := make([]model.Permission, 0, len(merged))
	for _, p := range merged {
		out = append(out, p)
	}
	return out
}

// signature tells whether anything changed since the last sync. Addresses of pods count: a new node may bring a new group.
func (c *Cluster) signature() string {
	keys := make([]string, 0, len(c.bindings))
	for k := range c.bindings {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	h := sha256.New()
	for _, k := range keys {
		fmt.Fprintf(h, "%s %v %v\n", k, c.bindings[k].Addresses, c.bindings[k].Permissions)
	}
	fmt.Fprintln(h, c.complete)
	return hex.EncodeToString(h.Sum(nil))
}

// Release deletes the shared resources when no stack is left.
func (c *Cluster) Release(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	count, err := c.opts.Stacks(ctx)
	if err != nil || count > 0 {
		return err
	}
	c.bindings = map[string]Network{}
	observed, err := c.cloud.Observe(ctx, c.owner(), nil)
	if err != nil {
		return fmt.Errorf("observing the shared security groups: %w", err)
	}
	desired := model.Stack{Owner: c.owner()}
	for _, g := range observed.SecurityGroups {
		if g.Foreign {
			g.Ingress = nil
			desired.SecurityGroups = append(desired.SecurityGroups, g)
		}
	}
	outputs, err := c.cloud.Apply(ctx, plan.Diff(desired, observed, plan.Options{}))
	if err != nil {
		return fmt.Errorf("deleting the shared backend security group: %w", err)
	}
	if len(outputs.Waiting) > 0 {
		return fmt.Errorf("deleting the shared backend security group: %w", errStillInUse)
	}
	c.backend, c.applied = "", ""
	return nil
}

var errStillInUse = errors.New("network interfaces still use it")
