package stack

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
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

	// work is held over calls to AWS: one change at a time. applied is the demand that was met last.
	work    sync.Mutex
	applied string
	// mu guards what follows and is never held over a call: the targets lane tells the cluster before it registers.
	mu       sync.Mutex
	bindings map[string]Network
	complete bool
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
	c.work.Lock()
	defer c.work.Unlock()
	observed, err := c.observe(ctx)
	if err != nil {
		return "", err
	}
	if id := backendOf(observed); id != "" {
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
func backendOf(observed model.Stack) string {
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

// Set says what a binding needs now; [Cluster.Sync] brings AWS in line. It never waits for AWS.
func (c *Cluster) Set(binding string, n Network) {
	n.Addresses = slices.Sorted(slices.Values(n.Addresses))
	c.mu.Lock()
	defer c.mu.Unlock()
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

// demand is what all bindings need at one moment.
type demand struct {
	bindings map[string]Network
	complete bool
	// signature tells demands apart. Addresses of pods count: a new node may bring a new group.
	signature string
}

func (c *Cluster) demand() demand {
	c.mu.Lock()
	defer c.mu.Unlock()
	d := demand{bindings: maps.Clone(c.bindings), complete: c.complete}
	h := sha256.New()
	for _, k := range slices.Sorted(maps.Keys(d.bindings)) {
		fmt.Fprintf(h, "%s %v %v\n", k, d.bindings[k].Addresses, d.bindings[k].Permissions)
	}
	fmt.Fprintln(h, d.complete)
	d.signature = hex.EncodeToString(h.Sum(nil))
	return d
}

// addresses that must admit something, sorted.
func (d demand) addresses() []string {
	var out []string
	for _, n := range d.bindings {
		if len(n.Permissions) > 0 {
			out = append(out, n.Addresses...)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// ErrAddresses says that AWS knows no security group for some addresses of targets: a network interface that is new, say. What
// could be authorised was, and nothing was revoked.
var ErrAddresses = errors.New("no network interface with a security group to change is known")

// Sync authorises what the bindings need on the security groups of their pods, and revokes what none needs any more.
func (c *Cluster) Sync(ctx context.Context) error {
	c.work.Lock()
	defer c.work.Unlock()
	d := c.demand()
	if d.signature == c.applied {
		return nil
	}
	addresses := d.addresses()
	facts, err := c.cloud.Facts(ctx, model.Needs{Owner: c.owner(), PodIPs: addresses})
	if err != nil {
		return fmt.Errorf("finding the security groups of pods: %w", err)
	}
	observed, err := c.observe(ctx)
	if err != nil {
		return err
	}
	unknown := slices.DeleteFunc(addresses, func(a string) bool { return facts.PodGroups[a] != "" })
	desired, opts := c.desired(d, facts, observed), plan.Options{AuthoriseOnly: !d.complete || len(unknown) > 0}
	if opts.AuthoriseOnly {
		desired = withoutCovered(desired, observed)
	}
	p := plan.Diff(desired, observed, opts)
	if _, err := c.cloud.Apply(ctx, p); err != nil {
		return fmt.Errorf("changing the rules on the security groups of pods: %w", err)
	}
	if len(unknown) > 0 {
		return fmt.Errorf("%w: %s", ErrAddresses, strings.Join(unknown, ", "))
	}
	c.applied = d.signature
	return nil
}

// desired keeps the backend group as it is observed and gives each security group of pods what its bindings need.
func (c *Cluster) desired(d demand, facts model.Facts, observed model.Stack) model.Stack {
	out := model.Stack{Owner: c.owner()}
	for _, g := range observed.SecurityGroups {
		if !g.Foreign {
			out.SecurityGroups = append(out.SecurityGroups, g)
		}
	}
	backend := backendOf(observed)
	wanted := map[string][]model.Permission{}
	for _, n := range d.bindings {
		for _, a := range n.Addresses {
			if id := facts.PodGroups[a]; id != "" {
				wanted[id] = append(wanted[id], n.Permissions...)
			}
		}
	}
	for id, permissions := range wanted {
		out.SecurityGroups = append(out.SecurityGroups, model.SecurityGroup{
			ID: id, Foreign: true, ARN: model.ARN(id), Ingress: c.ranges(permissions, backend),
		})
	}
	return model.Normalize(out)
}

// withoutCovered leaves out what an observed range admits already: it is not known yet how far the range shall go.
func withoutCovered(desired, observed model.Stack) model.Stack {
	for i, want := range desired.SecurityGroups {
		for _, have := range observed.SecurityGroups {
			if !want.Foreign || have.ID != want.ID {
				continue
			}
			desired.SecurityGroups[i].Ingress = slices.DeleteFunc(slices.Clone(want.Ingress), func(p model.Permission) bool {
				return slices.ContainsFunc(have.Ingress, func(o model.Permission) bool {
					wide := p
					wide.FromPort, wide.ToPort = o.FromPort, o.ToPort
					return wide.Identity() == o.Identity() && o.FromPort <= p.FromPort && p.ToPort <= o.ToPort
				})
			})
		}
	}
	return desired
}

// ranges makes one permission, from the least port to the greatest, of all that have the same source and protocol, as the
// incumbent does.
//
// Bindings name the backend group by its ID, observations by its key: the key it is.
func (c *Cluster) ranges(permissions []model.Permission, backend string) []model.Permission {
	type peer struct {
		protocol, cidr, list string
		source               model.GroupRef
	}
	merged := map[peer]model.Permission{}
	for _, p := range permissions {
		if c.opts.OpenAllPorts {
			p.FromPort, p.ToPort = 0, 65535
		}
		if backend != "" && p.Source.ID == backend {
			p.Source = model.GroupRef{Key: model.ResourceBackendSecurityGroup}
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
